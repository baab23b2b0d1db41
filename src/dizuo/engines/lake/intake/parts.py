"""What every reader hands over: parts of a delivery as vectors of text, and the rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dizuo.engines.lake.intake.arrow import Schema, Table, pa
from dizuo.engines.lake.intake.faults import Fault
from dizuo.engines.lake.intake.heading import Heading, Note
from dizuo.engines.lake.intake.limits import Limits
from dizuo.foundation.blueprint.model_source import Source

LINE = "line"


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a delivery. `rows`: `line` int64 and one string column per declared column id; `faults` are not in it."""

    rows: Table
    faults: Sequence[Fault] = ()
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A delivery whose header was understood. `parts` may be walked once; `separator` joins cells of a row for showing."""

    heading: Heading
    parts: Iterator[Part]
    separator: str = "\t"


class Reader(Protocol):
    """Reads one format.

    Errors: kinds of DeliveryRefused on entering or while the parts are walked; then nothing of the delivery counts.
    """

    def __call__(self, path: Path, source: Source, limits: Limits) -> AbstractContextManager[Opened]: ...


def schema_of(source: Source) -> Schema:
    """The shape of raw rows: `line`, then every declared column as text."""
    return pa.schema([(LINE, pa.int64()), *((id, pa.string()) for id in source.columns)])


def table_of(source: Source, lines: Any, columns: dict[str, Any]) -> Table:
    """Raw rows from vectors (or lists) by column id; a column that did not come is null."""
    count = len(lines)
    arrays: list[Any] = [lines if isinstance(lines, pa.Array) else pa.array(lines, pa.int64())]
    for id in source.columns:
        found = columns.get(id)
        if found is None:
            found = pa.nulls(count, pa.string())
        arrays.append(found if not isinstance(found, list) else pa.array(found, pa.string()))
    return pa.table(arrays, schema=schema_of(source))


def rows_of(source: Source, lines: list[int], rows: list[list[str | None]]) -> Table:
    """Raw rows from lists of cells in the order of the source's columns; '' counts as nothing."""
    if not rows:
        return schema_of(source).empty_table()
    columns = zip(*rows, strict=True)
    return table_of(
        source, lines, {id: [cell or None for cell in column] for id, column in zip(source.columns, columns, strict=True)}
    )  # fmt: skip
