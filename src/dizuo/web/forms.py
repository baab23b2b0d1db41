"""Reading a submitted form: limits first, then text in one normal form, never a guess.

Names are kept as people write them: ``·`` and rare characters of GB 18030-2022 pass untouched.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import Receive

from .errors import BadForm, TooLarge, UnsupportedForm

MAX_FIELDS = 400
MAX_NAME = 120
MAX_BODY = 256 * 1024
MAX_DRAIN = 64 * 1024 * 1024
_REFUSED = {"\x00", "\x08", "\x0b", "\x0c", "\x1b", "\x7f"}


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file of a form: its field, a harmless name, the type that the browser says, and its bytes.

    ``problem`` is '' or why there are no bytes: too_large, too_many, empty. ``size`` is in bytes as sent.
    """

    field: str
    name: str
    declared: str
    content: bytes
    size: int
    problem: str = ""


class Form(Mapping[str, str]):
    """The fields of one submitted form. Reading a field that was not sent gives ''. ``files`` only where a row takes some."""

    __slots__ = ("_fields", "files")

    def __init__(self, pairs: list[tuple[str, str]] | None = None, files: Sequence[SentFile] = ()) -> None:
        self.files = tuple(files)
        self._fields: dict[str, list[str]] = {}
        for name, value in pairs or []:
            self._fields.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._fields[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def text(self, name: str) -> str:
        """The last value of a field, '' when it was not sent."""
        values = self._fields.get(name)
        return values[-1] if values else ""

    def all(self, name: str) -> list[str]:
        """Every value of a field, in the order sent (check boxes)."""
        return list(self._fields.get(name, ()))

    def under(self, prefix: str) -> dict[str, str]:
        """The fields whose name begins with the prefix, without it: ``answer.clinic`` → ``clinic``."""
        cut = len(prefix)
        return {name[cut:]: values[-1] for name, values in self._fields.items() if name.startswith(prefix)}


def human_size(count: int) -> str:
    """256 KB, 10 MB: a size as people read it."""
    if count >= 1024 * 1024:
        return f"{count / (1024 * 1024):.0f} MB"
    return f"{max(1, count // 1024)} KB"


async def read_body(receive: Receive, declared: str | None, limit: int) -> bytes:
    """The request's body, at most ``limit`` bytes.

    A body that is too large is read to its end and thrown away (up to 64 MB), so that the browser is still there
    to show the page that says so. Errors: TooLarge.
    """
    too_large = declared is not None and declared.isdigit() and int(declared) > limit
    parts: list[bytes] = []
    seen = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadForm()
        chunk: bytes = message.get("body", b"")
        seen += len(chunk)
        if seen > limit:
            too_large = True
            parts.clear()
        if too_large:
            if seen > MAX_DRAIN:
                break
        elif chunk:
            parts.append(chunk)
        if not message.get("more_body", False):
            break
    if too_large:
        raise TooLarge(limit=human_size(limit))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def parse(body: bytes, content_type: str) -> Form:
    """The fields of a urlencoded body.

    Text becomes NFC with line feeds for line ends and no spaces around it. Errors: UnsupportedForm for another
    content type; BadForm for bytes that are not UTF-8, too many fields, or control characters.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return Form()
    if kind != "application/x-www-form-urlencoded":
        raise UnsupportedForm()
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:  # also UnicodeDecodeError: neither can be read as a form
        raise BadForm() from error
    return Form([(field_name(name), field_text(value)) for name, value in pairs])


def field_name(name: str) -> str:
    """A field's name. Errors: BadForm when it is too long or holds control characters."""
    if len(name) > MAX_NAME or not name.isprintable():
        raise BadForm()
    return name


def field_text(value: str) -> str:
    """What was typed, in NFC, with line feeds for line ends and no spaces around it. Errors: BadForm."""
    if value.isascii() and value.isprintable():
        return value.strip()
    if any(sign in value for sign in _REFUSED):
        raise BadForm()
    return unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()
