"""Rights (共享授权): read, open, suspend, resume, revoke, expire. Each change is one statement in the database, with its ledger entry.

The day decides at use (`Grant.usable`); the sweep only tells it. Whoever keeps a right in memory compares `version`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import Any, Final

import asyncpg
import msgspec

from dizuo.engines.exchange.requests.errors import (
    BeyondResource,
    DateGone,
    GrantFixed,
    GrantOver,
    GrantUnknown,
    NotADepartment,
    NotShared,
    ResourceNotOffered,
    WordsNeeded,
)
from dizuo.engines.exchange.requests.model import GRANT_STATES, Grant, NewGrant
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store import CONNECTION_LOST, Connection, Pool, Queries

_log = logging.getLogger(__name__)
_LOOK: Final = 300.0
"""Seconds between two sweeps: the day decides at use anyway, this only tells it."""
QUERIES: Final = Queries.load("dizuo.engines.exchange", "requests.sql")


def signed(actor: Actor) -> dict[str, str | None]:
    """The actor as the database's functions take it: account, name, unit, post; a system's account is ``system``."""
    return {
        "account": actor.official or "system",
        "name": actor.name,
        "unit": actor.unit or "",
        "post": actor.post or "",
    }


async def grants_of(pool: Pool | Connection, consumer: str, resource: str | None = None) -> tuple[Grant, ...]:
    """Every right of a department, newest first, ended ones too; only those to one resource when it is named."""
    rows = await pool.fetch(QUERIES["grants_of"], consumer, resource)
    return tuple(_grant(row) for row in rows)


async def grant(pool: Pool | Connection, number: int) -> Grant:
    """One right. Errors: GrantUnknown."""
    row = await pool.fetchrow(QUERIES["grant"], number) if 0 < number < 2**62 else None
    if row is None:
        raise GrantUnknown(grant=number)
    return _grant(row)


async def open_grant(pool: Pool | Connection, wanted: NewGrant, actor: Actor) -> int:
    """Open a right that was agreed outside a request; returns its id. One that is asked for comes from the request.

    Errors: NotADepartment, ResourceNotOffered, BeyondResource, NotShared (only a settled dispute opens what is not shared).
    """
    try:
        return int(await pool.fetchval(QUERIES["open_grant"], msgspec.to_builtins(wanted), signed(actor)))
    except asyncpg.PostgresError as error:
        raise told(error, consumer=wanted.consumer, resource=wanted.resource) from error


async def suspend(
    pool: Pool | Connection, number: int, why: str, actor: Actor, *, law: str = "", day: dt.date | None = None
) -> int:
    """Stop a right for now, at once; returns its new version. Errors: GrantUnknown, GrantOver, WordsNeeded."""
    return await _move(pool, number, "suspended", why, actor, law, day)


async def resume(
    pool: Pool | Connection, number: int, why: str, actor: Actor, *, law: str = "", day: dt.date | None = None
) -> int:
    """Let a suspended right be used again, unless its last day has passed. Errors: GrantUnknown, GrantOver."""
    return await _move(pool, number, "open", why, actor, law, day)


async def revoke(
    pool: Pool | Connection, number: int, why: str, actor: Actor, *, law: str = "", day: dt.date | None = None
) -> int:
    """Take a right back for good, at once; returns its new version. Errors: GrantUnknown, GrantOver, WordsNeeded."""
    return await _move(pool, number, "revoked", why, actor, law, day)


async def give_up(
    pool: Pool | Connection, number: int, why: str, actor: Actor, *, day: dt.date | None = None
) -> int:
    """The consumer needs it no longer; returns its new version. Errors: GrantUnknown, GrantOver."""
    return await _move(pool, number, "ended", why, actor, "", day)


async def sweep_expired(pool: Pool | Connection, day: dt.date, limit: int = 500) -> tuple[int, ...]:
    """Mark the rights whose last day is before `day` as expired, each with its entry; returns their ids. Safe to repeat.

    One that somebody else ends at the same moment is passed over.
    """
    swept: list[int] = []
    for row in await pool.fetch(QUERIES["over"], day, limit):
        try:
            await _move(pool, row["id"], "expired", "", Actor("system", channel="system"), "", day)
        except GrantOver:
            continue
        swept.append(row["id"])
    return tuple(swept)


async def swept_by_the_clock(pool: Pool, now: Now, stop: asyncio.Event) -> None:
    """Sweep every few minutes until ``stop`` is set; a lost database is waited for."""
    while not stop.is_set():
        try:
            await sweep_expired(pool, now.today())
        except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
            _log.warning("the sweep of expired rights waits: %s", type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), _LOOK)
        except TimeoutError:
            continue


async def note_use(pool: Pool | Connection, number: int) -> bool:
    """Tell that a right was used: the first time its request goes from 已开通 to 使用中; later calls only look. True for the first."""
    return bool(await pool.fetchval(QUERIES["note_use"], number))


async def _move(
    pool: Pool | Connection, number: int, state: str, why: str, actor: Actor, law: str, day: dt.date | None
) -> int:
    said = " ".join(why.split())[:1000]
    try:
        return int(await pool.fetchval(QUERIES["move_grant"], number, state, said, law, signed(actor), day))
    except asyncpg.PostgresError as error:
        raise told(error, grant=number) from error


def _grant(row: Any) -> Grant:
    return msgspec.convert(dict(row), Grant)


def told(error: asyncpg.PostgresError, **about: Any) -> Exception:
    """The database's refusal in the product's words; anything else as it is."""
    code, detail = str(getattr(error, "sqlstate", "")), str(getattr(error, "detail", "") or "")
    if code in ("DZ061", "DZ067"):
        state = GRANT_STATES.get(detail)
        return GrantOver(state=state.zh if state else detail, **about)
    if code == "23503" and "department" in f"{detail}{error}":
        return NotADepartment({"consumer": f"{about.get('consumer', '')} 不是本市声明的部门。"}, **about)
    kinds = {
        "DZ060": GrantFixed,
        "DZ062": ResourceNotOffered,
        "DZ064": NotShared,
        "DZ066": GrantUnknown,
        "DZ068": DateGone,
    }
    if code in kinds:
        return kinds[code](**about)
    if code == "DZ063":
        return BeyondResource({"fields": "有的数据项不在这个资源里。"}, **about)
    if code == "DZ065":
        return NotADepartment({"consumer": "这个部门已经撤销。"}, **about)
    if code == "DZ069":
        return WordsNeeded({"why": "请写明为什么，对方会看到。"})
    return ResourceNotOffered(**about) if code == "23503" else error
