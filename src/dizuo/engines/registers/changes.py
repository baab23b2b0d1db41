"""The feed of changes: which record got which version, in one order, for copies and indexes beside the registers.

Positions have no gaps and never appear out of order, however many writers commit at once (sql/0010_pre_changes.sql says how),
so a reader keeps one number, the last position it worked on, and asks for what comes after. Names of fields are told, values
never: those are released to a purpose, by request and release.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from dizuo.engines.registers.bulk_errors import ChangesGone
from dizuo.foundation.store import Connection

_AFTER = "SELECT position, kind, register, ref, version, fields, at FROM registers.changes_after($1, $2, $3)"
_REACH = "SELECT kept_from, last FROM registers.change_reach()"
_FORGET = "SELECT registers.forget_changes($1)"
MOST = 10_000


class Change(msgspec.Struct, frozen=True):
    """One change of one record, or of a whole register.

    ``kind``: new (a first version), changed, rekeyed (the record has a new key: a citizen number arrived), snapshot (the whole
    register was loaded anew: take a copy of it and go on from here; ``ref`` and ``version`` are None). ``ref`` is the record's
    number, the ``#reference`` of ledger entries; ``fields`` are those whose value differs from the version before, none
    named for a new record.
    """

    position: int
    kind: Literal["new", "changed", "rekeyed", "snapshot"]
    register: str
    ref: int | None
    version: int | None
    fields: tuple[str, ...]
    at: datetime


class Reach(msgspec.Struct, frozen=True):
    """From which position the feed is kept, and the last position given; an empty feed has last = kept_from - 1."""

    kept_from: int
    last: int


async def changes_after(
    conn: Connection, position: int, register: str | None = None, limit: int = 1000
) -> tuple[Change, ...]:
    """What changed after ``position`` (0: from the beginning), oldest first, at most ``limit`` (≤ 10,000) of it.

    ``conn`` is the loader's. Changes of transactions that are still open come later, with higher positions. Asked for one
    register the positions leave out the others'. Errors: ChangesGone when that far back is not kept any more, or the
    position was never given.
    """
    try:
        rows = await conn.fetch(_AFTER, position, register, max(0, min(limit, MOST)))
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") == "DZ311":
            raise ChangesGone(position=position, reason=str(getattr(error, "message", error))) from error
        raise
    return tuple(
        Change(
            row["position"],
            row["kind"],
            row["register"],
            row["ref"],
            row["version"],
            tuple(row["fields"]),
            row["at"],
        )
        for row in rows
    )


async def change_reach(conn: Connection) -> Reach:
    """How far the feed reaches; a copy that starts anew goes on from ``last``. ``conn`` is the loader's."""
    row = await conn.fetchrow(_REACH)
    assert row is not None
    return Reach(row["kept_from"], row["last"])


async def forget_changes(conn: Connection, before: datetime) -> int:
    """Drop what was noted before a moment, never less than thirty days of it; ``conn`` is the owner's. Gives how many."""
    return int(await conn.fetchval(_FORGET, before))
