"""Sealed entries: who may order and approve a seal, which are still closed (刑事诉讼法 152 条: 侦查中知悉的情况应当保密)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import msgspec

from dizuo.foundation.ledger.errors import SealKept
from dizuo.foundation.store.connection import Connection, Pool
from dizuo.foundation.store.queries import Queries

_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_REFUSED: Final = ("DZ007", "DZ008")


class SealRule(msgspec.Struct, frozen=True):
    """On one ground, posts of one unit may seal what they read, on one law (``basis``: law:article), at most ``longest`` days a time.

    One of ``orders`` orders, one of ``approves`` approves, extends and lifts. ``reads``: register → fields. ``tells``: the person may
    know meanwhile that something is there. ``overseer``: the unit that sees every seal without the person.
    """

    id: str
    basis: str
    unit: str
    orders: tuple[str, ...]
    approves: tuple[str, ...]
    longest: int
    tells: bool
    overseer: str
    reads: Mapping[str, tuple[str, ...]]


class Seal(msgspec.Struct, frozen=True):
    """A closed seal; nothing about anybody. ``overlong``: beyond the term, or due and not opened. ``overseen``: by the one who asks."""

    entry: int
    since: dt.date
    opens_on: dt.date
    unit: str
    post: str
    basis: str
    extended: int
    overlong: bool
    ground: str
    overseen: bool


class SealsInForce(msgspec.Struct, frozen=True):
    """How many seals are closed on one ground, how many of them were extended, how many are beyond their term."""

    ground: str
    unit: str
    closed: int
    extended: int
    overlong: int


async def declare_grounds(connection: Connection, rules: Sequence[SealRule]) -> bool:
    """Put the declared grounds in force and end all others, entered in the ledger; on a connection of the owner.

    Nothing is entered when they are in force already; returns whether something changed.
    """
    async with connection.transaction():
        wanted = {
            (one.id, post): (role, one.unit, one.basis, one.longest, one.tells, one.overseer, {register: list(fields) for register, fields in one.reads.items()})
            for one in rules for role, posts in (("order", one.orders), ("approve", one.approves)) for post in posts
        }  # fmt: skip
        rows = await connection.fetch(
            "SELECT id, post, role, unit, basis, longest, tells, overseer, reads FROM ledger.seal_ground WHERE ended_at IS NULL"
        )
        if {(row["id"], row["post"]): tuple(row.values())[2:] for row in rows} == wanted:
            return False
        await connection.execute("UPDATE ledger.seal_ground SET ended_at = now() WHERE ended_at IS NULL")
        for (ground, post), rest in wanted.items():
            await connection.execute(
                "INSERT INTO ledger.seal_ground (id, post, role, unit, basis, longest, tells, overseer, reads)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id, post) DO UPDATE SET role = EXCLUDED.role,"
                " unit = EXCLUDED.unit, basis = EXCLUDED.basis, longest = EXCLUDED.longest, tells = EXCLUDED.tells,"
                " overseer = EXCLUDED.overseer, reads = EXCLUDED.reads, declared_at = now(), ended_at = NULL",
                ground, post, *rest,
            )  # fmt: skip
        body = {"grounds": [msgspec.to_builtins(one) for one in rules]}
        await connection.execute("SELECT ledger.append('sealed.grounds', $1, NULL, NULL)", body)
        return True


async def closed_seals(connection: Connection, posts: Mapping[str, str]) -> tuple[Seal, ...]:
    """The closed seals that these posts (post by organisation) oversee or may extend and lift, over-long ones first."""
    held = [{"unit": unit, "post": post} for unit, post in posts.items()]
    return tuple(Seal(*row.values()) for row in await connection.fetch(_QUERIES["seals"], held))


async def seals_in_force(connection: Connection) -> tuple[SealsInForce, ...]:
    """How many seals are closed, by ground; for everybody."""
    return tuple(SealsInForce(*row.values()) for row in await connection.fetch(_QUERIES["seals_counted"]))


async def extend_seal(
    pool: Pool, entry: int, until: dt.date, why: str, *, unit: str, post: str, official: int
) -> None:
    """Keep a seal for longer, on the approving post's word. Errors: SealKept when post, day or reason do not allow it."""
    await _act(pool, "extend_seal", entry, until, why, _actor(unit, post, official))


async def lift_seal(pool: Pool, entry: int, why: str, *, unit: str, post: str, official: int) -> None:
    """Open a seal before its day; the next sealing tells the person. Errors: SealKept when post or reason do not allow it."""
    await _act(pool, "lift_seal", entry, why, _actor(unit, post, official))


def _actor(unit: str, post: str, official: int) -> dict[str, object]:
    return {"unit": unit, "post": post, "official": official}


async def _act(pool: Pool, what: str, *given: object) -> None:
    try:
        await pool.fetchval(_QUERIES[what], *given)
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") in _REFUSED:
            raise SealKept() from error
        raise
