"""Does a column look like what it is declared to be? Columns that moved one place pass every count of cells but not this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from dizuo.engines.lake.intake.arrow import Table, pa, pc
from dizuo.engines.lake.intake.parts import LINE
from dizuo.foundation.blueprint.model_source import Source, SourceColumn

SHAPES: Final = {
    "citizen_id": r"^\s*([0-9０-９]{14,19}[XxＸｘ]?|[A-Za-z]{1,3}[(（]?[0-9]{6,12}[)）]?[A-Za-z]?|[0-9A-HJ-NP-RT-UW-Y]{18})\s*$",
    "uscc": r"^[\s]*[0-9A-Za-z０-９Ａ-Ｚ][0-9A-Za-z０-９Ａ-Ｚ\s-]{8,22}$",
    "date": r"^[\s]*([12][0-9]{3}\D{0,2}[0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{5}$|长期)",
    "datetime": r"^[\s]*([12][0-9]{3}\D{0,2}[0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{5}(\.[0-9]+)?$)",
    "phone": r"^\s*[(（]?(\+?86[- ]?)?(1[0-9*０-９ -]{10,12}|0[0-9]{2,3}[-)） ]?[0-9]{7,8}|[2-9][0-9]{6,7})([-转][0-9]{1,5})?\s*$",
    "integer": r"^[\s]*[-+]?[0-9０-９][0-9０-９,，]*(\.0+)?\s*\D{0,4}$",
    "decimal": r"^[\s]*[-+]?[0-9０-９][0-9０-９,，]*([.．][0-9０-９]+)?\s*\D{0,6}$",
    "name": r"^[^0-9]*$",
}
_SAID: Final = {
    "citizen_id": "证件号码", "uscc": "统一社会信用代码", "date": "日期", "datetime": "时间", "phone": "电话", "integer": "整数",
    "decimal": "数字", "name": "姓名或名称",
}  # fmt: skip
_SAMPLE = 4_096
_ENOUGH = 20
_ENOUGH_HERE = 200
_MOST = 0.5
_NEARLY_ALL = 0.9


@dataclass(slots=True)
class _Seen:
    values: int = 0
    wrong: int = 0
    moved: int = 0
    """Line of the first part in which nearly everything was wrong."""


@dataclass(slots=True)
class Profile:
    """Counts, from a sample of every part, how many values have the shape of their declaration."""

    source: Source
    seen: dict[str, _Seen] = field(default_factory=dict[str, _Seen])

    def look(self, table: Table) -> None:
        """Take a sample of one part into account: every n-th row, about 4,000 of them."""
        if not table.num_rows:
            return
        step = max(1, table.num_rows // _SAMPLE)
        if step > 1:
            table = table.take(pa.array(range(0, table.num_rows, step), pa.int64()))
        for column in self.source.columns.values():
            if column.as_ in SHAPES:
                self._column(column, table[column.id], table[LINE], step)

    def _column(self, column: SourceColumn, values: Any, lines: Any, weight: int) -> None:
        count = len(values) - values.null_count
        if not count:
            return
        shaped = pc.sum(pc.match_substring_regex(values, SHAPES[column.as_])).as_py() or 0
        here = self.seen.setdefault(column.id, _Seen())
        here.values += count * weight
        here.wrong += (count - shaped) * weight
        if count >= _ENOUGH_HERE and count - shaped > _NEARLY_ALL * count and not here.moved:
            here.moved = lines[0].as_py()

    def moved(self) -> str:
        """One sentence about columns that do not hold what they should; '' when all is in order."""
        said: list[str] = []
        for id, seen in self.seen.items():
            column = self.source.columns[id]
            if seen.values >= _ENOUGH and seen.wrong > _MOST * seen.values:
                said.append(f"“{column.column}”里 {seen.wrong / seen.values:.0%} 不像{_SAID[column.as_]}")
            elif seen.moved:
                said.append(f"“{column.column}”从第 {seen.moved:,} 行起不像{_SAID[column.as_]}")
        if not said:
            return ""
        return f"栏目可能错位：{'；'.join(said[:5])}"
