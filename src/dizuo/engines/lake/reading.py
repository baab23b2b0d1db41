"""Reads a department's CSV line by line, so that one broken line costs one line and never the rest of the file.

A register's values hold no line breaks; a quote that is still open at the end of a line is therefore that line's
fault. Lines longer than MAX_LINE are cut and reported, so that a ten-gigabyte "line" is not held in memory.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dizuo.engines.lake.checking import Fault
from dizuo.engines.lake.errors import DeliveryHeader, DeliveryUnreadable

MAX_LINE = 64 * 1024
_SAMPLE = 1024 * 1024
_DELIMITERS = {",": "逗号", ";": "分号", "\t": "制表符", "|": "竖线", "，": "全角逗号"}
# Python's name → the declared spellings; GB 18030 contains GBK and GB 2312.
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line after the header: its number in the file (the header is 1), its cells or what is wrong, its text."""

    number: int
    cells: tuple[str, ...] | Fault
    raw: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose header was understood."""

    encoding: str
    header: tuple[str, ...]
    path: Path
    delimiter: str

    def lines(self, after: int = 1) -> Iterator[Line]:
        """The lines whose number is greater than `after`; blank lines are passed over."""
        with self.path.open("rb", buffering=1 << 20) as file:
            for number, raw, cut in _physical_lines(file):
                if number <= max(after, 1):
                    continue
                if not cut and not raw.strip():
                    continue
                text = raw.decode(self.encoding, "surrogateescape").rstrip("\r\n")
                yield Line(number, self._cells(text, cut), text)

    def count(self) -> int:
        """How many lines after the header are not blank."""
        with self.path.open("rb", buffering=1 << 20) as file:
            return sum(1 for number, raw, cut in _physical_lines(file) if number > 1 and (cut or raw.strip()))

    def _cells(self, text: str, cut: bool) -> tuple[str, ...] | Fault:
        if cut:
            return Fault("too_long", "", f"这一行超过 {MAX_LINE:,} 个字节")
        if '"' not in text:
            return tuple(text.split(self.delimiter))
        try:
            return tuple(next(csv.reader([text], delimiter=self.delimiter, strict=True)))
        except csv.Error:
            return Fault("quote", "", "引号没有成对，或引号后面还有字")


def open_delivery(path: Path, declared: str, delimiter: str) -> Opened:
    """Find the encoding that reads the file, and its header.

    Shapes: `declared` is the manifest's encoding; when the file is plainly in the other one of UTF-8 and GB 18030,
    that is used. Errors: DeliveryUnreadable (empty, NUL in the header, UTF-16, no known encoding), DeliveryHeader
    (another delimiter).
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    if not sample.strip():
        raise DeliveryUnreadable("文件是空的，连表头也没有")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DeliveryUnreadable("是 UTF-16 编码，请另存为 UTF-8")
    encoding = _encoding_of(sample, declared)
    header = sample.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf")
    if len(header) > MAX_LINE:
        raise DeliveryUnreadable("第一行太长，不像表头")
    if b"\0" in header:
        raise DeliveryUnreadable("表头里有空字节，文件可能损坏")
    text = header.decode(encoding, "replace").rstrip("\r")
    if delimiter not in _DELIMITERS:
        raise DeliveryHeader(f"不认识分隔符“{delimiter[:5]}”，请用逗号")
    try:
        names = tuple(next(csv.reader([text], delimiter=delimiter, strict=True)))
    except csv.Error:
        raise DeliveryHeader("引号没有成对，或行尾符号不是 LF、CRLF") from None
    if len(names) == 1:
        for other, word in _DELIMITERS.items():
            if other != delimiter and other in text:
                raise DeliveryHeader(
                    f"清单说用{_DELIMITERS.get(delimiter, delimiter)}分隔，文件里用的是{word}"
                )
    return Opened(encoding, names, path, delimiter)


def _encoding_of(sample: bytes, declared: str) -> str:
    wanted = _ENCODINGS.get(declared.lower())
    if wanted is None:
        raise DeliveryUnreadable(f"不认识编码“{declared[:20]}”，请用 UTF-8 或 GB 18030")
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    other = "gb18030" if wanted == "utf-8" else "utf-8"
    # The header decides: a stray byte in some row must not switch the whole file, and UTF-8 read as GB 18030
    # gives characters that are all legal and all wrong.
    header = sample.split(b"\n", 1)[0]
    if _reads(header, "utf-8"):
        return "utf-8" if not header.isascii() or wanted == "utf-8" else wanted
    for encoding in (wanted, other):
        if _reads(header, encoding):
            return encoding
    raise DeliveryUnreadable("表头不能按 UTF-8 或 GB 18030 读出来")


def _reads(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _physical_lines(file: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """(number, bytes, cut) of each line; of a line that is too long only the beginning is kept."""
    number = 0
    while True:
        line = file.readline(MAX_LINE)
        if not line:
            return
        number += 1
        cut = len(line) >= MAX_LINE and not line.endswith(b"\n")
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) >= MAX_LINE:
            rest = file.readline(MAX_LINE)
        yield number, line, cut
