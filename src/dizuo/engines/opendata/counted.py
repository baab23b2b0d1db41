"""Counts of a register as a table: every combination of the known domains, totals, small cells hidden or noise added."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from dizuo.engines.opendata.errors import DomainUnknown
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_dataset import CountBy, Dataset

Key = tuple[str, ...]
TOTAL: Final = "合计"
UNKNOWN: Final = "不详"


class Table(msgspec.Struct, frozen=True):
    """Counts by key; a total has ``TOTAL`` in the dimensions that it sums over. None: hidden. ``small`` are hidden because
    they are small themselves, the other hidden ones so that the small ones cannot be worked out."""

    cells: Mapping[Key, int | None]
    totals: Mapping[Key, int | None]
    small: frozenset[Key] = frozenset()

    def groups(self) -> Iterator[tuple[Key, tuple[Key, ...]]]:
        """Every total with the cells that it sums."""
        for total in self.totals:
            yield (
                total,
                tuple(
                    key for key in self.cells if all(t in (TOTAL, k) for t, k in zip(total, key, strict=True))
                ),
            )


def domain(city: City, register: str, by: CountBy) -> tuple[str, ...] | None:
    """Every value that a dimension can have, as declared; None where only the records tell."""
    field = city.registers[register].fields[by.of]
    if by.as_ == "age_band":
        return tuple(
            str(low) for low in range(0, by.top + 1, by.width) if low <= by.top // by.width * by.width
        )
    if by.as_ == "district":
        return tuple(
            sorted(d.code for d in city.divisions.values() if d.level == "district" and d.parent == city.code)
        )
    if by.as_ == "town":
        return tuple(sorted(d.code for d in city.divisions.values() if d.level == "town"))
    if by.as_ == "value" and field.codes:
        return tuple(field.codes)
    return None


def table(
    city: City,
    dataset: Dataset,
    counted: Sequence[tuple[tuple[str | None, ...], int]],
    *,
    closed: bool = False,
) -> Table:
    """The counts in every combination of the known domains, without totals yet.

    Records outside a domain (of another city, of a field that nobody filled) count as ``UNKNOWN``. ``closed`` wants every
    domain declared, because which combinations occur would tell something that noise does not hide. Errors: DomainUnknown.
    """
    count = dataset.made.count
    assert count is not None
    domains: list[tuple[str, ...]] = []
    for at, by in enumerate(count.by):
        known = domain(city, count.register, by)
        if known is None and closed:
            raise DomainUnknown(dataset=dataset.id, column=by.column)
        seen = sorted({key[at] or UNKNOWN for key, _ in counted})
        domains.append(known if known is not None else tuple(seen))
    cells: dict[Key, int | None] = dict.fromkeys(itertools.product(*domains), 0)
    for key, number in counted:
        placed = tuple(
            value if value is not None and value in values else UNKNOWN
            for value, values in zip(key, domains, strict=True)
        )
        if not closed or placed in cells:
            cells[placed] = (cells.get(placed) or 0) + number
    return Table(cells, {})


def with_totals(made: Table, dimensions: Sequence[str], over: Sequence[str]) -> Table:
    """The table with its totals over each dimension of ``over``, and over all of them at once when there are several."""
    totals: dict[Key, int | None] = {}
    sums = [(name,) for name in over] + ([tuple(over)] if len(over) > 1 else [])
    for names in sums:
        summed = [dimension in names for dimension in dimensions]
        for key, number in made.cells.items():
            total = tuple(TOTAL if gone else part for gone, part in zip(summed, key, strict=True))
            totals[total] = (totals.get(total) or 0) + (number or 0)
    return Table(made.cells, totals)


def rows_of(city: City, dataset: Dataset, made: Table) -> list[dict[str, object]]:
    """The table as rows of the dataset, codes as words, cells before totals."""
    count = dataset.made.count
    assert count is not None
    rows: list[dict[str, object]] = []
    for key, number in [*_in_order(made.cells), *_in_order(made.totals)]:
        row: dict[str, object] = {
            by.column: said(city, count.register, by, part) for by, part in zip(count.by, key, strict=True)
        }
        for by, part in zip(count.by, key, strict=True):
            if by.as_ in ("district", "town") and f"{by.column}_code" in dataset.fields:
                row[f"{by.column}_code"] = part
        row[count.into] = number
        if "note" in dataset.fields:
            row["note"] = None if number is not None else _why(dataset, made, key)
        rows.append(row)
    return rows


def _in_order(some: Mapping[Key, int | None]) -> list[tuple[Key, int | None]]:
    """By key, numbers as numbers: the band from 5 comes before the one from 10."""

    def place(part: str) -> tuple[int, str]:
        return (int(part), "") if part.isdecimal() and len(part) < 4 else (10_000, part)

    return sorted(some.items(), key=lambda pair: tuple(place(part) for part in pair[0]))


def _why(dataset: Dataset, made: Table, key: Key) -> str:
    if key in made.small:
        return f"1 至 {dataset.gate.least - 1}，为保护个人隐去"
    return "为使别的数推不出来，一并隐去"


def said(city: City, register: str, by: CountBy, part: str) -> str:
    """A dimension's value in words: a district's name, an age band, a code's name."""
    if part in (TOTAL, UNKNOWN):
        return part
    if by.as_ == "age_band":
        low = int(part)
        last = low >= by.top // by.width * by.width
        return f"{low} 岁及以上" if last else f"{low}–{low + by.width - 1} 岁"
    if by.as_ in ("district", "town"):
        known = city.divisions.get(part)
        return part if known is None else known.name
    codes = city.registers[register].fields[by.of].codes
    return codes[part].zh if by.as_ == "value" and part in codes else part
