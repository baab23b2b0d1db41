"""Sealed entries: who may seal, and which seals are still closed (刑事诉讼法 152 条: 技术侦查的材料和侦查秘密应当保密)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.queries import Queries

_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


class SealGround(msgspec.Struct, frozen=True):
    """One post of one unit that may seal on one law (``basis``: law:article) for at most ``longest`` days.

    ``tells``: the person may know meanwhile that something is there. ``overseer``: the unit that sees over-long seals.
    """

    basis: str
    unit: str
    post: str
    longest: int
    tells: bool
    overseer: str


class Seal(msgspec.Struct, frozen=True):
    """A closed seal as its overseer sees it; nothing about anybody. ``overlong``: beyond the term, or due and not opened."""

    entry: int
    since: dt.date
    opens_on: dt.date
    unit: str
    post: str
    basis: str
    extended: int
    overlong: bool


async def declare_grounds(connection: Connection, grounds: Sequence[SealGround]) -> None:
    """Put the declared grounds in force and end all others, entered in the ledger; on a connection of the owner."""
    async with connection.transaction():
        await connection.execute("UPDATE ledger.seal_ground SET ended_at = now() WHERE ended_at IS NULL")
        for one in grounds:
            await connection.execute(
                "INSERT INTO ledger.seal_ground AS g (basis, unit, post, longest, tells, overseer) VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT (basis, unit, post) DO UPDATE SET longest = EXCLUDED.longest, tells = EXCLUDED.tells,"
                " overseer = EXCLUDED.overseer, declared_at = now(), ended_at = NULL",
                one.basis, one.unit, one.post, one.longest, one.tells, one.overseer,
            )  # fmt: skip
        body = {"grounds": [msgspec.to_builtins(one) for one in grounds]}
        await connection.execute("SELECT ledger.append('sealed.grounds', $1, NULL, NULL)", body)


async def closed_seals(connection: Connection, overseer: str) -> tuple[Seal, ...]:
    """The seals that one unit oversees and that are still closed, over-long ones first."""
    rows = await connection.fetch(_QUERIES["seals"], overseer)
    return tuple(Seal(*row.values()) for row in rows)
