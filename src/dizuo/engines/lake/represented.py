"""Who represents which enterprise, from the golden records that stand in the registers.

Loaded by name, because it brings DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg.rows import TupleRow, tuple_row

from dizuo.engines.lake.after import Addressed, identities
from dizuo.engines.lake.golden import plan_of, records_of
from dizuo.engines.lake.golden.errors import GoldenMissing
from dizuo.engines.lake.pipeline import stands_in
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store.roles import LOADER

_BATCH = 10_000
_IN_BUSINESS = "1"


@dataclass(frozen=True, slots=True)
class Represents:
    """A legal representative (法定代表人) of an enterprise in business; both as identity ids."""

    enterprise: int
    person: int
    name: str
    as_of: date


def representatives(database: Addressed, city: City, data: Path) -> Iterator[Represents]:
    """Who represents which enterprise, as the last published run of the lake in ``data`` says, in batches.

    Enterprises out of business and those without a number, or whose representative has none, are passed over. Errors:
    psycopg.Error, duckdb.Error.
    """
    root = data / "lake"
    run = stands_in(root).last
    register = next((r for r in plan_of(city).registers if r.id == "enterprise"), None)
    fields = {field.id for field in register.fields} if register is not None else set[str]()
    if not run or register is None or not fields >= {"legal_citizen_id", "state", "name"}:
        return
    columns = "key, v_legal_citizen_id, v_name, v_state, valid_from"
    try:
        standing = records_of(root / "golden" / f"{run:06d}", register, columns=columns)
    except GoldenMissing:
        return  # nobody has delivered enterprises yet
    with duckdb.connect() as lake, psycopg.connect(database.dsn(LOADER), row_factory=tuple_row) as connection:
        rows = lake.execute(
            f"SELECT key, v_legal_citizen_id, coalesce(v_name, key), valid_from FROM {standing}"  # noqa: S608
            " WHERE v_state = ? AND v_legal_citizen_id IS NOT NULL AND NOT starts_with(key, 'T') ORDER BY key",
            [_IN_BUSINESS],
        )
        while batch := rows.fetchmany(_BATCH):
            yield from _resolved(connection, batch)


def _resolved(connection: psycopg.Connection[TupleRow], batch: list[Any]) -> Iterator[Represents]:
    enterprises = identities(connection, "uscc", [str(row[0]) for row in batch])
    people = identities(connection, "citizen_id", [str(row[1]) for row in batch])
    for enterprise, person, (_, _, name, day) in zip(enterprises, people, batch, strict=True):
        yield Represents(enterprise, person, str(name), day)
