"""Reads JSON lines: one object a line, names as declared; and what was pushed, which is kept in the same form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dizuo.engines.lake.intake.errors import HeaderDiffers
from dizuo.engines.lake.intake.faults import Fault
from dizuo.engines.lake.intake.heading import Heading, Note, match
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.lines import Block, Lines
from dizuo.engines.lake.intake.objects import Judge, Wrong
from dizuo.engines.lake.intake.parts import Opened, Part, rows_of
from dizuo.engines.lake.intake.wrapping import unfolded
from dizuo.foundation.blueprint.model_source import Source

_decode = msgspec.json.Decoder().decode
_LOOKED_AT = 1_000
_FLUSH = 50_000
_Take = Callable[[bytes], tuple[bytes, Wrong | None]]


class PushedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record as pushed: the request's number, its place in the request, the record as it came (or its text when it
    was no JSON), and why it was rejected, if it was: the sender was told so, and it stays so. A line of a landed push
    delivery."""

    push: int
    row: int
    record: msgspec.Raw = msgspec.Raw(b"null")
    text: str = ""
    column: str = ""
    code: str = ""
    says: str = ""


_pushed = msgspec.json.Decoder(PushedLine).decode


@contextmanager
def read_json(path: Path, source: Source, limits: Limits) -> Iterator[Opened]:
    """Open a delivery of JSON lines. Lines are numbered from 1; a blank one is passed over.

    A column counts as missing when none of the first 1,000 records has it. Errors: HeaderDiffers when a required one
    is missing there; ContentUnreadable; those of wrappers.
    """
    with unfolded(path, source.delivery.format, limits) as stream:
        lines = Lines(stream)
        take = unwrapped if source.delivery.format == "push" else _itself
        names = _names(lines.head, take)
        heading = _heading(source, names)
        encoding = "gb18030" if source.delivery.encoding == "gb18030" else "utf-8"
        yield Opened(heading, _Walk(source, take).parts(lines, encoding))


def _itself(line: bytes) -> tuple[bytes, Wrong | None]:
    return line, None


def unwrapped(line: bytes) -> tuple[bytes, Wrong | None]:
    """The record of a landed push line, as it was pushed, and what the sender was told; a line that is no such is itself the
    record (a first load may come as a file)."""
    try:
        pushed = _pushed(line)
    except msgspec.DecodeError:
        return line, None
    told = Wrong(pushed.column, pushed.code, pushed.says) if pushed.code else None
    return pushed.text.encode() if pushed.text else bytes(pushed.record), told


def _names(head: bytes, take: _Take) -> list[str]:
    seen: dict[str, None] = {}
    for line in head.split(b"\n", _LOOKED_AT)[:_LOOKED_AT]:
        try:
            value: Any = _decode(take(line)[0])
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(value, dict):
            seen.update(dict.fromkeys(str(name) for name in value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return list(seen)


def _heading(source: Source, names: list[str]) -> Heading:
    if not names:
        return Heading(0, {}, (), ())
    try:
        heading = match(source, names)
    except HeaderDiffers:
        if source.delivery.format == "push":  # each record was judged by itself when it was pushed
            return Heading(len(names), {}, (), ())
        raise
    # A name that is absent says "nothing here" in JSON; only one that looks renamed is worth a word.
    notes = tuple(note for note in heading.notes if note.code != "column_missing" or "改了名" in note.says)
    return Heading(heading.width, heading.places, (), notes)


@dataclass(slots=True)
class _Walk:
    source: Source
    take: _Take

    def parts(self, lines: Lines, encoding: str) -> Iterator[Part]:
        judge = Judge(self.source)
        for block in lines.blocks(encoding):
            yield from self._block(block, judge)
        if judge.undeclared:
            yield Part(rows_of(self.source, [], []), (), tuple(_undeclared(judge)))

    def _block(self, block: Block, judge: Judge) -> Iterator[Part]:
        faults = list(block.faults)
        numbers: list[int] = []
        rows: list[list[str | None]] = []
        for number, line in enumerate(block.text.split(b"\n")[:-1], block.first):
            if not line.strip():
                continue
            text, told = self.take(line)
            found = told or judge.row(text)
            if isinstance(found, Wrong):
                raw = text.decode("utf-8", "surrogateescape").rstrip("\r")
                faults.append(Fault(number, found.column, found.code, found.says, raw))
                continue
            numbers.append(number)
            rows.append(found)
            if len(rows) >= _FLUSH:
                yield Part(rows_of(self.source, numbers, rows), faults)
                numbers, rows, faults = [], [], []
        yield Part(rows_of(self.source, numbers, rows), faults)


def _undeclared(judge: Judge) -> Iterator[Note]:
    for name, count in list(judge.undeclared.items())[:20]:
        yield Note("column_extra", f"多了没有申报的“{name[:40]}”，没有读", count)
