"""Lines → records of cells: vectorised where quoting is in order, line by line around a record where it is not."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dizuo.engines.lake.intake.arrow import arrow_csv, np, pa
from dizuo.engines.lake.intake.faults import Fault

_QUOTE, _LF, _CR = 34, 10, 13
_JOIN = 64
"""Lines that one record may span through quoted line breaks."""
_OPEN = 1 << 20
"""Bytes that may stand between an opening quote and its end."""
_WINDOW = 2_000
"""Lines read one by one around a broken quote before vectors are tried again."""


@dataclass(frozen=True, slots=True)
class Records:
    """Records in the order of the file: `lines` where each begins, `columns` the wanted cells by position (null where empty)."""

    lines: Any
    columns: dict[int, Any]
    faults: list[Fault]


class Cutter:
    """Cuts blocks of lines into records of `width` cells, of which the cells at `wanted` are kept."""

    def __init__(self, width: int, delimiter: str, wanted: tuple[int, ...]) -> None:
        self._width = width
        self._delimiter = delimiter
        self._wanted = wanted
        self._rest = b""
        self._names = [str(place) for place in range(width)]
        self._convert = arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in self._names}, include_columns=[str(place) for place in wanted],
            null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True, check_utf8=False,
        )  # fmt: skip

    def cut(self, first: int, text: bytes, last: bool) -> Iterator[Records]:
        """The records of a block whose first line has the number `first`.

        A record that the block does not end is kept for the next call; `last` says that there is none. Blank lines
        are no records.
        """
        first -= self._rest.count(b"\n")
        text = self._rest + text
        self._rest = b""
        while text:
            taken, records = self._vectors(first, text)
            if records is not None:
                yield records
            first += text.count(b"\n", 0, taken)
            text = text[taken:]
            if not text:
                return
            if not last and len(text) <= _OPEN and self._open(text):
                self._rest = text
                return
            taken, records = self._one_by_one(first, text, last)
            yield records
            first += text.count(b"\n", 0, taken)
            text = text[taken:]
            if not taken:
                self._rest = text
                return

    def _open(self, text: bytes) -> bool:
        """Whether this is one record that only waits for its closing quote."""
        _, ends, fault = self._ends(text)
        return not ends.size and fault < 0

    def _ends(self, text: bytes) -> tuple[Any, Any, int]:
        """(positions of line feeds, indexes of those that end a record, first misplaced quote or -1)."""
        raw = np.frombuffer(text, np.uint8)
        feeds = np.flatnonzero(raw == _LF)
        quotes = np.flatnonzero(raw == _QUOTE)
        if not quotes.size:
            return feeds, np.arange(feeds.size), -1
        ends = np.flatnonzero(np.searchsorted(quotes, feeds) & 1 == 0)
        padded = np.concatenate(([np.uint8(_LF)], raw, [np.uint8(_LF)]))
        separator = ord(self._delimiter)
        before = padded[quotes[0::2]]
        after = padded[quotes[1::2] + 2]
        opens = (before == separator) | (before == _LF) | (before == _QUOTE)
        closes = (after == separator) | (after == _LF) | (after == _CR) | (after == _QUOTE)
        wrong = np.concatenate((quotes[0::2][~opens], quotes[1::2][~closes]))
        return feeds, ends, int(wrong.min()) if wrong.size else -1

    def _vectors(self, first: int, text: bytes) -> tuple[int, Records | None]:
        """The records before the first misplaced quote; (bytes taken, records)."""
        feeds, ends, wrong = self._ends(text)
        if wrong >= 0:
            ends = ends[: np.searchsorted(feeds[ends], wrong)]
        if not ends.size:
            return 0, None
        taken = int(feeds[ends[-1]]) + 1
        starts = np.concatenate(([0], ends[:-1] + 1))
        found = self._parse(text[:taken], first + starts, ends.size, bool(ends[-1] + 1 != ends.size))
        return (taken, found) if found is not None else (0, None)

    def _parse(self, text: bytes, lines: Any, count: int, breaks: bool) -> Records | None:
        bad: list[tuple[int, int, str]] = []

        def skip(row: Any) -> str:
            bad.append((row.number - 1, row.actual_columns, row.text))
            return "skip"

        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(text),
                arrow_csv.ReadOptions(
                    use_threads=False, block_size=len(text) + 1, column_names=self._names
                ),
                arrow_csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=breaks, ignore_empty_lines=False,
                    invalid_row_handler=skip,
                ),
                self._convert,
            )  # fmt: skip
        except pa.ArrowInvalid:
            return None
        if table.num_rows + len(bad) != count:  # something here is a line end for one and none for the other
            return None
        faults = [
            self._cells(int(lines[at]), actual, raw) for at, actual, raw in bad if raw.strip() or self._width > 1
        ]  # fmt: skip
        if bad:
            keep = np.ones(count, bool)
            keep[[at for at, _, _ in bad]] = False
            lines = lines[keep]
        columns = {place: table[str(place)].combine_chunks() for place in self._wanted}
        return Records(pa.array(lines, pa.int64()), columns, faults)

    def _cells(self, line: int, actual: int, raw: str) -> Fault:
        few = "少了" if actual < self._width else "多了"
        says = f"这一行有 {actual} 格，表头有 {self._width} 格，{few} {abs(actual - self._width)} 格"
        return Fault(line, "", "cells", says, raw.rstrip("\r\n"))

    def _one_by_one(self, first: int, text: bytes, last: bool) -> tuple[int, Records]:
        """Up to _WINDOW lines with care; (bytes taken, records)."""
        lines = text.split(b"\n")
        lines.pop()
        faults: list[Fault] = []
        numbers: list[int] = []
        rows: list[list[str]] = []
        at = 0
        while at < min(len(lines), _WINDOW):
            found = self._record(lines, at, first + at)
            if found is None and not last and len(lines) - at < _JOIN and len(text) <= _OPEN:
                break
            if isinstance(found, Fault):
                faults.append(found)
                at += 1
            elif found is None:
                raw = lines[at].decode("utf-8")
                faults.append(Fault(first + at, "", "quote", "引号打开后没有合上", raw.rstrip("\r")))
                at += 1
            else:
                cells, used = found
                if cells:
                    numbers.append(first + at)
                    rows.append(cells)
                at += used
        taken = sum(len(line) + 1 for line in lines[:at])
        columns = {
            place: pa.array([row[place] or None for row in rows], pa.string()) for place in self._wanted
        }
        return taken, Records(pa.array(numbers, pa.int64()), columns, faults)

    def _record(self, lines: list[bytes], at: int, number: int) -> tuple[list[str], int] | Fault | None:
        """The record that begins at a line and how many lines it takes; its fault; None when its quote stays open."""
        quotes = 0
        for used in range(1, min(_JOIN, len(lines) - at) + 1):
            quotes += lines[at + used - 1].count(b'"')
            if quotes % 2:
                continue
            text = b"\n".join(lines[at : at + used]).decode("utf-8")
            if used == 1 and not text.strip():
                return [], 1
            try:
                cells = next(csv.reader(text.split("\n") if used == 1 else [line + "\n" for line in text.split("\n")],
                                        delimiter=self._delimiter, strict=True))  # fmt: skip
            except (csv.Error, StopIteration) as error:
                return self._broken(number, lines[at], used, str(error))
            if len(cells) == self._width:
                return cells, used
            if used == 1:
                return self._cells(number, len(cells), text)
            return self._broken(number, lines[at], used, "")
        return None

    def _broken(self, number: int, line: bytes, used: int, why: str) -> Fault:
        raw = line.decode("utf-8").rstrip("\r")
        if "field larger" in why:
            return Fault(number, "", "too_long", "有一格超过 131,072 个字", raw)
        if "new-line" in why:
            return Fault(number, "", "line_end", "一行当中有单独的回车符", raw)
        return Fault(number, "", "quote", "引号没有成对，或引号后面还有字", raw)
