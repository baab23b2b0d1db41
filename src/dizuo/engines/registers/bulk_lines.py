"""The lines of a bulk load: a record as COPY's text has it, and lots of lines in the order of their numbers."""

# ruff: noqa: S608 - statements are put together from declared names and from relations that the lake itself wrote
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

SCHEMES = {"citizen_id": "c", "uscc": "u", "temp": "t"}
"""The letter by which a scheme of numbers stands before a number here."""


@dataclass(frozen=True, slots=True)
class BulkRows:
    """The records of one register as a DuckDB relation.

    ``sql`` is a SELECT without parameters, in a fixed order, with the columns key TEXT, data TEXT (a JSON object of field
    values, nothing null), sources TEXT (a JSON object {organisation: date, ".field": [organisation, date]}), valid_from
    DATE, valid_to DATE, and one TEXT column per entry of ``subjects``: the number of somebody whom the record is about, or
    NULL. ``subjects`` are (column, scheme) in the order of the declaration: the key first, then by field.
    """

    register: str
    sql: str
    subjects: tuple[tuple[str, str], ...]


def record_lines(part: BulkRows, first_ref: int) -> str:
    """COPY's text lines of a register's records: key, number, whom they are about, data, sources, validity."""
    joins = "".join(
        f" LEFT JOIN bulk_who AS w{i} ON w{i}.who = '{SCHEMES[scheme]}' || r.{column}"
        for i, (column, scheme) in enumerate(part.subjects)
    )
    ids = ", ".join(f"w{i}.id" for i in range(len(part.subjects)))
    whom = f"'{{' || concat_ws(',', {ids}) || '}}'" if ids else "'{}'"
    tab = " || chr(9) || "
    line = tab.join(
        (
            f"'{part.register}'",
            escaped("r.key"),
            f"({first_ref} + r.nth)::VARCHAR",
            whom,
            r"replace(r.data, '\', '\\')",
            r"replace(r.sources, '\', '\\')",
            r"coalesce(r.valid_from::VARCHAR, '\N')",
            r"coalesce(r.valid_to::VARCHAR, '\N')",
        )
    )
    return (
        f"SELECT {line} || chr(10) AS line, r.nth"
        f" FROM (SELECT *, row_number() OVER () - 1 AS nth FROM ({part.sql})) AS r{joins}"
    )


def escaped(column: str) -> str:
    r"""A text column as COPY's text format wants it."""
    return rf"replace(replace(replace(replace({column}, '\', '\\'), chr(9), '\t'), chr(10), '\n'), chr(13), '\r')"


MOST_EARLY = 40
"""Batches that may wait for one that they overtook; half a gigabyte with lines of 500 octets in batches of 25,000."""


class OrderLost(Exception):
    """The rows do not come by their numbers: a join that did not fit into memory gives them back in pieces."""


def parts(reader: Iterable[Any], done: int, size: int) -> Iterator[tuple[int, list[memoryview]]]:
    """Arrow batches (line, nth) as bytes in lots of ``size`` rows, with how many rows a lot has, in their numbers' order.

    Each batch is a run of consecutive numbers, but a batch may overtake another (DuckDB walks the sides of a UNION
    side by side): one that comes early waits until what goes before it is there.
    Errors: OrderLost when a batch is no such run or too many wait; what was given until then stands.
    """
    part: list[memoryview] = []
    rows = 0
    early: dict[int, tuple[memoryview, int]] = {}
    for batch in reader:
        count = int(batch.num_rows)
        if not count:
            continue
        nth = batch.column(1)
        order = memoryview(nth.buffers()[1]).cast("q")[nth.offset : nth.offset + count].tolist()
        first = order[0]
        if order != list(range(first, first + count)) or len(early) > MOST_EARLY:
            if part:
                yield rows, part
            raise OrderLost
        early[first] = (_bytes_of(batch.column(0), count), count)
        while done in early:
            lines, count = early.pop(done)
            done += count
            part.append(lines)
            rows += count
            if rows >= size:
                yield rows, part
                part, rows = [], 0
    if part:
        yield rows, part
    if early:
        raise OrderLost


def _bytes_of(column: Any, count: int) -> memoryview:
    """The lines of an Arrow text column without touching them: it keeps them as one run of bytes."""
    _, ends_at, data = column.buffers()
    ends = memoryview(ends_at).cast("q" if str(column.type).startswith("large") else "i")
    first = int(column.offset)
    return memoryview(data)[ends[first] : ends[first + count]]
