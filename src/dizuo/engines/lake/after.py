"""What the directory asks after the registers were filled: the identity ids of the demonstration's characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import psycopg
from psycopg.rows import TupleRow, tuple_row

from dizuo.engines.lake.demonstration import DemoPerson
from dizuo.foundation.store.roles import LOADER


class Addressed(Protocol):
    """A database by the addresses of its roles."""

    def dsn(self, role: str) -> str: ...


def demo_subjects(database: Addressed, people: Sequence[DemoPerson]) -> dict[str, int]:
    """Identity ids of the demonstration's characters, by citizen number. Errors: psycopg.Error."""
    numbers = [person.citizen_id for person in people]
    with psycopg.connect(database.dsn(LOADER), row_factory=tuple_row) as connection:
        return dict(zip(numbers, identities(connection, "citizen_id", numbers), strict=True))


def identities(connection: psycopg.Connection[TupleRow], scheme: str, numbers: Sequence[str]) -> list[int]:
    """The identity ids of numbers of one scheme, in their order. Errors: psycopg.Error."""
    if not numbers:
        return []
    row = connection.execute(
        "SELECT registers.identities(%s, %s::text[])", (scheme, list(numbers))
    ).fetchone()
    connection.commit()
    assert row is not None
    return list(row[0])
