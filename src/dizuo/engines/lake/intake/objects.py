"""One JSON object → one raw row; the same judgement for a pushed record and for a line of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec

from dizuo.engines.lake.intake.checks import EXPONENT_SAYS
from dizuo.engines.lake.intake.heading import plain
from dizuo.foundation.blueprint.model_source import Source

_decode: Final = msgspec.json.Decoder().decode
LOSSY: Final = 10**15
"""A binary floating-point number holds every whole number below this, and not all above."""
_AS_TEXT = frozenset({"text", "name", "citizen_id", "uscc", "phone", "address", "division", "code"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why an object is no row: the column's header ('' for the whole), a code, one sentence."""

    column: str
    code: str
    says: str


class Judge:
    """Turns objects of one source into rows in the order of its columns; remembers names that nobody declared."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ids = tuple(source.columns)
        self._at = {id: place for place, id in enumerate(self._ids)}
        self._by_name = {plain(column.column): id for id, column in source.columns.items()}
        self._known: dict[str, int] = {}
        self.undeclared: dict[str, int] = {}

    def row(self, text: bytes) -> list[str | None] | Wrong:
        """The cells of an object written as JSON, in the order of the declared columns; an absent name, null and '' are
        nothing."""
        try:
            value: object = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Wrong("", "json", f"这一行不是完整的 JSON（{_where(error)}）")
        if not isinstance(value, dict):
            return Wrong("", "not_object", "这一行不是一个 JSON 对象")
        named = cast("Mapping[str, Any]", value)
        if text.count(b'":') > len(named) and (name := _named_twice(text)):
            return Wrong(name[:40], "column_twice", "这一栏在同一条里出现了两次")
        cells: list[str | None] = [None] * len(self._ids)
        for name, found in named.items():
            place = self._known.get(name)
            if place is None:
                place = self._place(name)
            if place < 0:
                self.undeclared[name] = self.undeclared.get(name, 0) + 1
            elif isinstance(found, str):
                if cells[place] is not None:
                    return self._twice(place)
                cells[place] = found or None
            elif found is not None:
                if cells[place] is not None:
                    return self._twice(place)
                cell = self._text(place, found)
                if isinstance(cell, Wrong):
                    return cell
                cells[place] = cell
        return cells

    def _place(self, name: str) -> int:
        id = self._by_name.get(plain(name))
        place = self._at[id] if id is not None else -1
        if len(self._known) < 1_000:  # a flood of invented names is not remembered
            self._known[name] = place
        return place

    def _twice(self, place: int) -> Wrong:
        header = self._source.columns[self._ids[place]].column
        return Wrong(header, "column_twice", "这一栏在同一条里出现了两次")

    def _text(self, place: int, value: object) -> str | Wrong:
        column = self._source.columns[self._ids[place]]
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            text = number_text(value)
            if text is None and column.as_ in _AS_TEXT:
                return Wrong(column.column, "exponent", EXPONENT_SAYS)
            return text or repr(value)
        return Wrong(column.column, "nested", "这一格是对象或数组，应当是一个值")


def _named_twice(text: bytes) -> str:
    """A name that stands twice in the object; decoding keeps the last of them and says nothing."""
    twice: list[str] = []

    def pairs(found: list[tuple[str, object]]) -> None:
        names = [name for name, _ in found]
        twice.extend(name for name in names if names.count(name) > 1)

    try:
        json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return ""
    return twice[0] if twice else ""


def _where(error: Exception) -> str:
    """Where in the line, without a word of what stands there."""
    text = str(error)
    at = text.rpartition("byte ")[2].rstrip(")")
    return f"第 {int(at) + 1} 个字节起读不懂" if at.isdigit() else "读不懂"


def number_text(value: float) -> str | None:
    """A number as people write it, without exponent and without `.0`; None when digits may have been lost."""
    if value != value or value in (float("inf"), float("-inf")) or abs(value) >= LOSSY:
        return None
    if value == int(value):
        return str(int(value))
    text = repr(value)
    return text if "e" not in text else f"{value:.15f}".rstrip("0").rstrip(".")
