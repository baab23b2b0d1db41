"""Reading a form with files (multipart/form-data): limits while it arrives, names made harmless, nothing on disk.

What a row of the route table allows is held while the body comes in: a file that is too large is told at its field and
its bytes are thrown away as they arrive, so that everything else on the page is kept. What a file *is* says the engine
that takes it; here a name is only a name and a content only bytes.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.types import Receive

from dizuo.foundation.kernel.errors import DizuoError

from .errors import BadForm, TooLarge, TooManyUploads, TooSlow
from .forms import MAX_FIELDS, Form, SentFile, field_name, field_text, human_size

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

STALL = 60
"""Seconds without a byte after which a body counts as given up."""
LONGEST = 900
"""Seconds that a whole body may take: sixty megabytes at half a megabit."""
MAX_DRAIN = 256 * 1024 * 1024
_LONGEST_NAME = 100
_PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary"}
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')


@dataclass(frozen=True)
class Files:
    """What a row that takes files allows: so many at once, so many bytes each."""

    most: int = 6
    each: int = 10 * 1024 * 1024


class UploadSpace:
    """The bytes of files that this process holds at one moment, and no more: many at once must not fill its memory."""

    def __init__(self, limit: int = 256 * 1024 * 1024) -> None:
        self._limit = limit
        self.held = 0

    def take(self, count: int) -> None:
        """Room for more bytes. Errors: TooManyUploads."""
        if self.held + count > self._limit:
            raise TooManyUploads(15)
        self.held += count

    def give(self, count: int) -> None:
        self.held -= count


def safe_name(raw: str) -> str:
    """A file's name as it may be shown and saved: no folder, no control or direction signs, at most 100 characters.

    ``C:\\\\事\\\\租赁合同.pdf`` and ``../../租赁合同.pdf`` become ``租赁合同.pdf``; what is left empty becomes ``文件``. The ending
    is kept when a long name is cut.
    """
    name = unicodedata.normalize("NFC", raw.replace("\\", "/").rpartition("/")[2])
    name = _INVISIBLE.sub("", "".join(sign for sign in name if sign.isprintable()))
    name = " ".join(_NOT_IN_NAMES.sub("_", name).split()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 8:
        name = f"{stem[: _LONGEST_NAME - len(ending) - 1].rstrip('. ')}.{ending}" if stem else ending
    return name[:_LONGEST_NAME] or "文件"


async def read_form_with_files(
    receive: Receive, content_type: str, limits: Files, max_text: int, space: UploadSpace
) -> tuple[Form, int]:
    """The form and how many bytes of ``space`` its files hold (the caller gives them back).

    Errors: BadForm for a body that is no form, is cut off or has too many parts; TooLarge when its texts are longer than
    ``max_text`` bytes or the whole is beyond everything; TooSlow; TooManyUploads.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise BadForm()
    reading = _Reading(limits, max_text, space)
    try:
        parser = MultipartParser(boundary, reading.callbacks())
        async with asyncio.timeout(LONGEST):
            await _feed(parser, receive)
        if (
            reading.failed is not None
        ):  # told only now: a browser that is still sending would not see the answer
            raise reading.failed
        if not reading.ended:
            raise BadForm()
        return Form(reading.pairs, reading.files), reading.held
    except TimeoutError as error:
        space.give(reading.held)
        raise TooSlow() from error
    except FormParserError as error:
        space.give(reading.held)
        raise BadForm() from error
    except BaseException:
        space.give(reading.held)
        raise


async def _feed(parser: MultipartParser, receive: Receive) -> None:
    seen = 0
    while True:
        async with asyncio.timeout(STALL):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise BadForm()
        chunk: bytes = message.get("body", b"")
        seen += len(chunk)
        if seen > MAX_DRAIN:
            raise TooLarge(limit=human_size(MAX_DRAIN))
        if chunk:
            parser.write(chunk)
        if not message.get("more_body", False):
            return


class _Reading:
    """The parts of one body as they arrive."""

    def __init__(self, limits: Files, max_text: int, space: UploadSpace) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.files: list[SentFile] = []
        self.held = 0
        self.ended = False
        self.failed: DizuoError | None = None
        self._limits = limits
        self._max_text = max_text
        self._space = space
        self._text = 0
        self._parts = 0
        self._begin()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin_part,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._head: dict[str, bytes] = {}
        self._name = self._value = b""
        self._field = ""
        self._file: str | None = None
        self._declared = ""
        self._problem = ""

    def _begin_part(self) -> None:
        self._begin()
        self._parts += 1
        if self._parts > MAX_FIELDS:
            raise BadForm()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name = self._name.decode("latin-1").strip().lower()
        if (
            name in self._head
        ):  # two names for one part: whoever reads the first and whoever the last would differ
            raise BadForm()
        self._head[name] = self._value
        self._name = self._value = b""

    def _headers(self) -> None:
        kind, options = _options(self._head.get("content-disposition", b""))
        encoding = self._head.get("content-transfer-encoding", b"").decode("latin-1").strip().lower()
        if kind != "form-data" or "name" not in options or encoding not in _PLAIN_ENCODINGS:
            raise BadForm()
        try:
            self._field = field_name(options["name"].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadForm() from error
        if "filename" in options:
            raw = options["filename"].decode("utf-8", "replace").replace("%22", '"')
            self._file = safe_name(raw) if raw else ""
            self._declared = self._head.get("content-type", b"").decode("latin-1").partition(";")[0]
            self._declared = self._declared.strip().lower()[:80]
            if sum(1 for file in self.files if file.content) >= self._limits.most:
                self._problem = "too_many"

    def _data(self, data: bytes, start: int, end: int) -> None:
        count = end - start
        self._size += count
        if self._file is None:
            self._text += count
            if self._text > self._max_text:
                self.failed = self.failed or TooLarge(limit=human_size(self._max_text))
        elif self._size > self._limits.each:
            self._problem = self._problem or "too_large"
        if self.failed is not None or self._problem:
            self._drop()
            return
        if self._file is not None:
            try:
                self._space.take(count)
            except TooManyUploads as error:
                self.failed = error
                self._drop()
                return
            self.held += count
        self._pieces.append(data[start:end])

    def _drop(self) -> None:
        """Throw away what was kept of a part that is not wanted."""
        if self._file is not None:
            count = sum(map(len, self._pieces))
            self._space.give(count)
            self.held -= count
        self._pieces.clear()

    def _end(self) -> None:
        if self.failed is not None:
            pass  # nothing of this body is used
        elif self._file is None:
            try:
                self.pairs.append((self._field, field_text(b"".join(self._pieces).decode("utf-8"))))
            except UnicodeDecodeError as error:
                raise BadForm() from error
        elif (
            self._file or self._size
        ):  # a file field that was left alone sends a part without name and content
            problem = self._problem or ("" if self._size else "empty")
            content = b"".join(self._pieces)
            self.files.append(
                SentFile(self._field, self._file or "文件", self._declared, content, self._size, problem)
            )
        self._begin()

    def _finish(self) -> None:
        self.ended = True


def _options(header: bytes) -> tuple[str, Mapping[str, bytes]]:
    kind, options = parse_options_header(header.decode("latin-1"))
    return kind.decode("latin-1").strip(), {
        key.decode("latin-1").lower(): value for key, value in options.items()
    }
