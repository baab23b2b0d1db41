"""The publication gate (开放前审查): whatever could name or single out a person is found before a release, with a way out.

1. Direct identifiers: by declaration, and by what the values look like.
2. Uniqueness: rows that few others share their quasi-identifiers with (k-anonymity).
3. Small cells of counts, and hidden cells that the totals give away.

Pure: rows in, findings out. A finding that ``stops`` refuses the release; whoever publishes changes the declaration.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from dizuo.engines.opendata.counted import TOTAL, UNKNOWN, Table
from dizuo.engines.opendata.detect import KINDS, found, masked
from dizuo.engines.opendata.hiding import small_cells, worked_out
from dizuo.foundation.blueprint.model_dataset import Dataset

Code = Literal["declared_identifier", "identifier", "unique", "small_cell", "disclosed", "institution"]
_EXAMPLES: Final = 3
_DIGITS: Final = re.compile(r"[0-9]+")


class Coarser(msgspec.Struct, frozen=True):
    """One way to generalise: what is done to which column, and how many rows or cells are still too small afterwards."""

    column: str
    how: str
    how_en: str
    left: int


class Finding(msgspec.Struct, frozen=True):
    """One thing that the gate found. ``rows`` counts rows or cells; examples are masked; ``ways`` come best first."""

    code: Code
    column: str
    rows: int
    says: str
    says_en: str
    stops: bool = True
    examples: tuple[str, ...] = ()
    ways: tuple[Coarser, ...] = ()


def inspect(
    dataset: Dataset, rows: Sequence[Mapping[str, object]], made: Table | None = None
) -> tuple[Finding, ...]:
    """What is wrong with these rows of a dataset; ``made`` is the table that they show, when they are counts."""
    findings = [*_identifiers(dataset, rows)]
    quasi = [name for name, field in dataset.fields.items() if field.quasi]
    if quasi and dataset.gate.least > 1:
        findings += _unique(dataset, rows, quasi)
    if made is not None and dataset.gate.guard != "noise":
        findings += _cells(dataset, rows, made)
    return tuple(findings)


def passes(findings: Sequence[Finding]) -> bool:
    """Whether nothing found stops the release."""
    return not any(finding.stops for finding in findings)


def _identifiers(dataset: Dataset, rows: Sequence[Mapping[str, object]]) -> list[Finding]:
    told: list[Finding] = []
    for name, field in dataset.fields.items():
        if field.identifier != "none":
            what = KINDS[field.identifier]
            told.append(Finding("declared_identifier", name, len(rows), f"声明说“{field.name.zh}”是{what}。",
                                f"“{field.name.zh}” is declared to be a direct identifier ({field.identifier})."))  # fmt: skip
            continue
        for kind, values in found(row.get(name) for row in rows).items():
            examples = tuple(masked(kind, value) for value in values[:_EXAMPLES])
            if field.institution.zh and kind != "citizen_id":
                says = f"“{field.name.zh}”里有 {len(values)} 处像{KINDS[kind]}；声明说明：{field.institution.zh}。"
                says_en = f"{len(values)} values of “{field.name.en or name}” look like {kind}; declared to be of institutions."
                told.append(
                    Finding("institution", name, len(values), says, says_en, stops=False, examples=examples)
                )
            else:
                says = f"“{field.name.zh}”里有 {len(values)} 处像{KINDS[kind]}。去掉这一列，或换成不能认出个人的写法。"
                says_en = f"{len(values)} values of “{field.name.en or name}” look like {kind}. Leave the column out or generalise it."
                told.append(Finding("identifier", name, len(values), says, says_en, examples=examples))
    return told


def _unique(dataset: Dataset, rows: Sequence[Mapping[str, object]], quasi: Sequence[str]) -> list[Finding]:
    least = dataset.gate.least
    few = _few(rows, quasi, least, {})
    if not few:
        return []
    alone = _few(rows, quasi, 2, {})
    ways: list[Coarser] = []
    for name in quasi:
        for how, how_en, coarser in ways_for(row.get(name) for row in rows):
            ways.append(Coarser(name, how, how_en, _few(rows, quasi, least, {name: coarser})))
    ways.sort(key=lambda way: way.left)
    names = "、".join(dataset.fields[name].name.zh for name in quasi)
    says = f"按{names}分组，有 {few} 行所在的组不到 {least} 行，其中 {alone} 行独一无二，能认出个人。"
    says_en = f"{few} rows share {', '.join(quasi)} with fewer than {least} rows; {alone} of them are unique."
    return [Finding("unique", ",".join(quasi), few, says, says_en, ways=tuple(ways[:6]))]


def _few(
    rows: Sequence[Mapping[str, object]],
    names: Sequence[str],
    least: int,
    coarser: Mapping[str, Callable[[str], str]],
) -> int:
    """How many rows are in groups of fewer than ``least``, after some columns were made coarser."""
    groups = Counter(
        tuple(coarser[name](str(row.get(name))) if name in coarser else str(row.get(name)) for name in names)
        for row in rows
    )
    return sum(size for size in groups.values() if size < least)


def _cells(dataset: Dataset, rows: Sequence[Mapping[str, object]], made: Table) -> list[Finding]:
    told: list[Finding] = []
    count = dataset.made.count
    assert count is not None
    least = dataset.gate.least
    small = small_cells(made, least)
    if small:
        columns = [by.column for by in count.by]
        ways = _ways_for_cells(rows, columns, count.into, least)
        says = f"有 {len(small)} 个数在 1 到 {least - 1} 之间，能看出个别人的情况。"
        says_en = f"{len(small)} counts are between 1 and {least - 1} and tell about single people."
        told.append(Finding("small_cell", count.into, len(small), says, says_en, ways=ways))
    open_ = worked_out(made)
    if open_:
        says = f"有 {len(open_)} 个隐去的数能从合计减出来。再隐去同一合计下的另一个数，或不发布这个合计。"
        says_en = f"{len(open_)} hidden counts follow from the totals. Hide another count below the same total, or no total."
        told.append(Finding("disclosed", count.into, len(open_), says, says_en))
    return told


def _ways_for_cells(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], into: str, least: int
) -> tuple[Coarser, ...]:
    cells = [row for row in rows if TOTAL not in (row.get(name) for name in columns)]
    ways: list[Coarser] = []
    for name in columns:
        for how, how_en, coarser in ways_for(row.get(name) for row in cells):
            sums: Counter[tuple[str, ...]] = Counter()
            for row in cells:
                number = row.get(into)
                key = tuple(coarser(str(row.get(c))) if c == name else str(row.get(c)) for c in columns)
                sums[key] += number if isinstance(number, int) else 0
            ways.append(Coarser(name, how, how_en, sum(0 < total < least for total in sums.values())))
    return tuple(sorted(ways, key=lambda way: way.left)[:6])


def ways_for(values: Iterable[object]) -> list[tuple[str, str, Callable[[str], str]]]:
    """How values of a column can be made coarser, by what they are: numbers, bands, dates, divisions; always: left out."""
    texts = [str(v) for v in values if v is not None and str(v) not in (TOTAL, UNKNOWN)]
    ways: list[tuple[str, str, Callable[[str], str]]] = []
    if texts and all(re.fullmatch(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?.*", text) for text in texts):
        if any(len(text) > 7 for text in texts):
            ways.append(("日期归到月", "dates to months", lambda text: text[:7]))
        ways.append(("日期归到年", "dates to years", lambda text: text[:4]))
    elif texts and all(re.fullmatch(r"[0-9]{9}|[0-9]{12}", text) for text in texts):
        ways.append(("街镇、社区归到区县", "towns to districts", lambda text: text[:6]))
    elif texts and all(
        re.fullmatch(r"[0-9]{1,3}([–-][0-9]{1,3})?( ?岁)?(及以上)?( 岁及以上)?", text) for text in texts
    ):
        width = _width(texts)
        for wider in (5, 10, 20):
            if wider > width:
                ways.append(
                    (f"归成 {wider} 年一段", f"bands of {wider} years", lambda text, w=wider: _band(text, w))
                )
    ways.append(("去掉这一列", "leave the column out", lambda _: ""))
    return ways


def _width(texts: Sequence[str]) -> int:
    spans = [list(map(int, _DIGITS.findall(text)))[:2] for text in texts]
    return max((pair[1] - pair[0] + 1 for pair in spans if len(pair) == 2), default=1)


def _band(text: str, width: int) -> str:
    numbers = _DIGITS.findall(text)
    return f"{int(numbers[0]) // width * width}+{width}" if numbers else text
