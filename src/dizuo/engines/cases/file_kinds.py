"""Which files are taken, by what they are and not by what they are called: PDF, JPEG, PNG.

Everything else is refused with a sentence that says what to do. Nothing is opened or executed here: the first and last
bytes decide.
"""

from __future__ import annotations

from typing import Final

MAX_FILE: Final = 10 * 1024 * 1024
MAX_FILES: Final = 20
"""For one fix request, with what was kept before."""
MAX_TOTAL: Final = 60 * 1024 * 1024

PDF: Final = "application/pdf"
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
ENDINGS: Final = {PDF: "pdf", JPEG: "jpg", PNG: "png"}
_SAME = {JPEG: {"jpg", "jpeg", "jfif"}}
_IMAGES = {JPEG, PNG}
# Browsers guess the declared type from the name's ending; these say nothing against any kind.
_SAYS_NOTHING = {"", "application/octet-stream", "binary/octet-stream", "application/x-download"}
_ALIASES = {"image/jpg": JPEG, "image/pjpeg": JPEG, "image/x-png": PNG, "application/x-pdf": PDF}


def kind_of(content: bytes) -> str:
    """The media type that the bytes themselves show, '' for any other."""
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return PNG
    return ""


def is_whole(kind: str, content: bytes) -> bool:
    """Whether the end is there: a file that was cut off while it was copied cannot be read by the official."""
    if kind == PDF:
        return b"%%EOF" in content[-2048:]
    if kind == JPEG:
        return b"\xff\xd9" in content[2:]
    return b"IEND" in content[-4096:]


def agrees(kind: str, declared: str) -> bool:
    """Whether the declared type does not contradict: a picture may be called by another picture's name, nothing else."""
    said = _ALIASES.get(declared, declared)
    return said in _SAYS_NOTHING or said == kind or {said, kind} <= _IMAGES


def named(name: str, kind: str) -> str:
    """The file's name with the ending of what it is: ``合同.html`` that is a PDF becomes ``合同.html.pdf``."""
    ending = ENDINGS[kind]
    told = name.rpartition(".")[2].lower()
    return name if told in _SAME.get(kind, {ending}) else f"{name[:110]}.{ending}"


def wrong_with(name: str, declared: str, content: bytes, problem: str) -> str:
    """Why a file is not taken, with the way out; '' when it is. ``problem`` is what was found while it arrived."""
    largest = f"{MAX_FILE // (1024 * 1024)} MB"
    if problem == "too_large" or len(content) > MAX_FILE:
        return f"“{name}”超过了 {largest}。请拍清楚一点但小一点，或者分成几个文件。"
    if problem == "too_many":
        return f"一次传得太多，“{name}”没有收。请先传前面的，再接着传。"
    if problem == "empty" or not content:
        return f"“{name}”是空的。请看看文件能不能打开，再选一次。"
    kind = kind_of(content)
    if not kind or not agrees(kind, declared):
        return f"“{name}”打不开：只收 PDF、JPG、PNG。可以用手机拍成照片再传。"
    if not is_whole(kind, content):
        return f"“{name}”不完整，后面少了一截。请重新拍或重新保存，再传一次。"
    return ""
