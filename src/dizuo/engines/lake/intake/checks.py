"""What is looked for in every row, whatever its format: cells that are no values, keys that are missing, clocks ahead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dizuo.engines.lake.intake.arrow import Table, np, pa, pc
from dizuo.engines.lake.intake.faults import Fault
from dizuo.engines.lake.intake.limits import MAX_CELL
from dizuo.engines.lake.intake.parts import LINE
from dizuo.foundation.blueprint.model_source import Source, SourceColumn
from dizuo.foundation.kernel.clock_source import SHANGHAI

_EXPONENT = r"^[+-]?\d(\.\d+)?[eE]\+\d+$"
_NUMBERS = ("citizen_id", "uscc", "phone", "text")
_WHEN = re.compile(
    r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:日)?(?:[T ]*(\d{1,2}):?(\d{2})(?::?(\d{2}))?)?"
    r"(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_SLACK = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of one source at one time; `separator` joins the cells of a row that is shown as rejected."""

    source: Source
    now: dt.datetime
    separator: str

    def apply(self, table: Table) -> tuple[Table, list[Fault]]:
        """The rows that may go on, and why the others may not; a row is reported once, for its first fault."""
        if not table.num_rows:
            return table, []
        found: dict[int, tuple[str, str, str]] = {}
        for column in self.source.columns.values():
            for at, code, says in self._column(column, table[column.id]):
                found.setdefault(at, (column.column, code, says))
        if not found:
            return table, []
        at = sorted(found)
        rows = table.take(pa.array(at, pa.int64())).to_pydict()
        ids = tuple(self.source.columns)
        faults = [
            Fault(rows[LINE][n], *found[place], self.separator.join(rows[id][n] or "" for id in ids))
            for n, place in enumerate(at)
        ]
        keep = np.ones(table.num_rows, bool)
        keep[at] = False
        return table.filter(pa.array(keep)), faults

    def _column(self, column: SourceColumn, values: Any) -> Iterator[tuple[int, str, str]]:
        required = column.required or column.id == self.source.row_key
        if required and values.null_count:
            for at in _where(pc.is_null(values)):
                yield at, "required", "这一格必填，却是空的"
        if values.null_count == len(values):
            return
        if (pc.max(pc.binary_length(values)).as_py() or 0) > MAX_CELL:
            sizes = pc.utf8_length(values)
            for at in _where(pc.greater(sizes, MAX_CELL)):
                yield at, "too_long", f"这一格有 {sizes[at].as_py():,} 个字，最多 {MAX_CELL:,} 个"
        if self.source.delivery.format != "csv":  # a line of text with NUL did not come this far
            for at in _where(pc.match_substring(values, "\0")):
                yield at, "nul", "这一格里有空字节（NUL），不是文本"
        for at in _where(pc.starts_with(values, "=")):
            yield at, "formula", "这一格是公式不是值，请在表格里“粘贴为值”后重新交付"
        if column.as_ in _NUMBERS and _any(shape := pc.match_substring(values, "E+", ignore_case=True)):
            for at in _where(pc.and_(shape, pc.match_substring_regex(values, _EXPONENT))):
                yield at, "exponent", EXPONENT_SAYS
        if column.id == self.source.as_of:
            yield from self._ahead(values)

    def _ahead(self, values: Any) -> Iterator[tuple[int, str, str]]:
        bound = self.now + _SLACK
        maybe = pc.greater(values, bound.strftime("%Y-%m-%d %H:%M"))
        for at in _where(maybe):
            when = moment(values[at].as_py())
            if when is not None and when > bound:
                yield at, "ahead", f"时间晚于收到的时间（{self.now:%Y-%m-%d %H:%M}），请检查对方系统的时钟"


EXPONENT_SAYS = "号码被存成了科学计数法，后几位已经丢失；请把这一栏设为文本格式，重新导出"


def moment(text: str) -> dt.datetime | None:
    """A date or time as departments write it (2026-11-23, 2026/1/3 08:00, 20261123083000, 2026年1月3日); None when it is none."""
    found = _WHEN.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    try:
        when = dt.datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=SHANGHAI,
        )
    except ValueError:
        return None
    if zone:
        offset = dt.timedelta() if zone == "Z" else _offset(zone)
        when = when.replace(tzinfo=dt.timezone(offset))
    return when


def _offset(zone: str) -> dt.timedelta:
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))


def _any(mask: Any) -> bool:
    return bool(pc.any(mask).as_py())


def _where(mask: Any) -> list[int]:
    """Positions at which a mask is true."""
    if not _any(mask):
        return []
    return pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()
