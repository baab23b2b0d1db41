"""The uses of one person's data: filtered entries, kinds of use, and which of those are new to the person."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from dizuo.foundation.ledger.entry import EntryView
from dizuo.foundation.ledger.proofs import entries_of
from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.queries import Queries

_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


class Use(msgspec.Struct, frozen=True):
    """One kind of use: ``unit`` (organisation id) in a capacity (``actor``: official, system, resident) for a purpose.

    ``first`` is the number of its first entry; ``count`` how many there are.
    """

    unit: str
    actor: str
    purpose: str
    first: int
    first_at: datetime
    last_at: datetime
    count: int


class Filter(msgspec.Struct, frozen=True):
    """Which entries: of one organisation, for one purpose or matter, from (inclusive) until (exclusive)."""

    unit: str | None = None
    purpose: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def entries_where(
    connection: Connection, subject: int, chosen: Filter, *, before: int | None = None, limit: int = 200
) -> list[EntryView]:
    """Entries about one person that pass a filter, newest first. The caller enters this reading in the ledger as well."""
    if chosen == Filter():
        # Without a filter the database knows that it need not look at the whole list.
        return await entries_of(connection, subject, before=before, limit=limit)
    rows = await connection.fetch(
        _QUERIES["entries_where"],
        subject, before, chosen.since, chosen.until, chosen.unit, chosen.purpose, limit,
    )  # fmt: skip
    return [
        EntryView(row["id"], row["at"], row["kind"], row["body"], row["payload"], row["seq"]) for row in rows
    ]


async def looked(connection: Connection, subject: int) -> tuple[int | None, bool]:
    """(the last entry seen by the person, or None at the first visit; whether new kinds of use are pointed out)."""
    row = await connection.fetchrow(_QUERIES["looked"], subject)
    return (None, True) if row is None else (row["entry"] or None, row["tells"])


async def look(connection: Connection, subject: int, entry: int) -> None:
    """The person has seen their list up to this entry."""
    await connection.execute(_QUERIES["look"], subject, entry)


async def choose_telling(connection: Connection, subject: int, tells: bool) -> None:
    """Whether new kinds of use are pointed out."""
    await connection.execute(_QUERIES["choose_telling"], subject, tells)
