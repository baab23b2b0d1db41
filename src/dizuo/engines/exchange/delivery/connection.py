"""A department's own connection to the exchange, as its officials see it and may stop it: keys, subscriptions, calls, use.

Everything here is about one department and about no person. Who may look is who asks for, checks or answers data requests there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg
import msgspec

from dizuo.engines.exchange.delivery.called import CallsSeen, calls_seen
from dizuo.engines.exchange.delivery.errors import (
    KeyWordsNeeded,
    NotYourConnection,
    SigningKeyNotInUse,
    SubscriptionStands,
)
from dizuo.engines.exchange.delivery.keys import QUERIES, SigningKey
from dizuo.engines.exchange.delivery.subscribe import subscription, subscriptions
from dizuo.engines.exchange.delivery.subscribe_errors import SubscriptionsTooMany, SubscriptionUnknown
from dizuo.engines.exchange.delivery.subscribe_model import Subscription
from dizuo.engines.exchange.requests.grants import signed
from dizuo.engines.exchange.requests.rules import ANSWER, ASK, CHECK
from dizuo.engines.registers import Actor
from dizuo.foundation.ledger import Entry
from dizuo.foundation.store import Pool

ROLES: Final = frozenset({ASK, CHECK, ANSWER})


__all__ = [
    "ROLES",
    "Actor",
    "CallsSeen",
    "GrantUsed",
    "OwnConnection",
    "SigningKey",
    "Subscription",
    "feed_of",
    "own_feed",
    "own_key",
    "pause_feed",
    "resume_feed",
    "seen",
    "stop_key",
    "tending",
]


class GrantUsed(msgspec.Struct, frozen=True):
    """A right with what it may and what it used: subjects asked about today and in the last seven days; ``calls`` today."""

    id: int
    resource: str
    title: str
    title_en: str
    methods: tuple[str, ...]
    state: str
    starts: dt.date
    expires: dt.date
    per_day: int
    request: str | None
    used: int
    calls: int
    week: int


class OwnConnection(msgspec.Struct, frozen=True):
    """Everything about one department's connection; ``last_used`` is by key."""

    unit: str
    keys: tuple[SigningKey, ...]
    last_used: dict[str, dt.datetime]
    feeds: tuple[Subscription, ...]
    behind: dict[int, int]
    rights: tuple[GrantUsed, ...]
    calls: tuple[CallsSeen, ...]


def tending(actors: Iterable[Actor], unit: str = "") -> Actor:
    """The official in the post that looks after a department's connection; the first of them when none is named.

    Errors: NotYourConnection.
    """
    for one in actors:
        if one.unit and ROLES & set(one.powers) and unit in ("", one.unit):
            return one
    raise NotYourConnection()


async def seen(pool: Pool, actor: Actor, *, refused: bool = False) -> OwnConnection:
    """The connection of the actor's department. That it was looked at is entered first. Errors: NotYourConnection, the pool's."""
    unit = tending([actor]).unit or ""
    looked = Entry(
        "exchange.connection_viewed",
        {"actor": {"kind": "official", "unit": unit, "post": actor.post}, "by": actor.official},
    )
    await pool.fetchval(QUERIES["enter"], [looked])
    keys = await pool.fetch(QUERIES["keys_of"], unit)
    rights = await pool.fetch(QUERIES["grants_used"], unit)
    used = await pool.fetch(QUERIES["keys_used"], unit)
    behind = await pool.fetch(QUERIES["feeds_behind"], unit)
    return OwnConnection(
        unit,
        tuple(msgspec.convert(dict(row), SigningKey) for row in keys),
        {row["key"]: row["last_at"] for row in used},
        await subscriptions(pool, unit),
        {row["id"]: row["behind"] for row in behind},
        tuple(msgspec.convert(dict(row), GrantUsed) for row in rights),
        await calls_seen(pool, unit, refused=refused),
    )  # fmt: skip


async def own_key(pool: Pool, actor: Actor, id: str) -> SigningKey:
    """A key of the actor's department. Errors: NotYourConnection, SigningKeyNotInUse for another's."""
    unit = tending([actor]).unit or ""
    for row in await pool.fetch(QUERIES["keys_of"], unit):
        if row["id"] == id:
            return msgspec.convert(dict(row), SigningKey)
    raise SigningKeyNotInUse(key=id)


async def stop_key(pool: Pool, actor: Actor, id: str, why: str) -> None:
    """Stop a key of the actor's department for good, at once. Errors: NotYourConnection, SigningKeyNotInUse, KeyWordsNeeded."""
    tending([actor])
    try:
        await pool.execute(QUERIES["stop_own_key"], id, " ".join(why.split())[:1000], signed(actor))
    except asyncpg.PostgresError as error:
        match str(getattr(error, "sqlstate", "")):
            case "DZ042":
                raise SigningKeyNotInUse(key=id) from None
            case "DZ069":
                raise KeyWordsNeeded({"why": "请写明为什么停用，至少两个字。"}) from None
            case _:
                raise


async def own_feed(pool: Pool, actor: Actor, number: int) -> Subscription:
    """A subscription of the actor's department. Errors: NotYourConnection, SubscriptionUnknown."""
    if number >= 2**62:
        raise SubscriptionUnknown(subscription=number)
    return await subscription(pool, tending([actor]).unit or "", number)


async def feed_of(pool: Pool, actors: Sequence[Actor], number: int) -> tuple[Actor, Subscription]:
    """A subscription of one of the actors' departments, with the actor there. Errors: NotYourConnection, SubscriptionUnknown."""
    tending(actors)
    for one in actors:
        if one.unit and ROLES & set(one.powers):
            try:
                return one, await own_feed(pool, one, number)
            except SubscriptionUnknown:
                continue
    raise SubscriptionUnknown(subscription=number)


async def pause_feed(pool: Pool, actor: Actor, number: int, why: str = "") -> None:
    """Nothing leaves any more; what is under way still arrives. Errors: NotYourConnection, SubscriptionUnknown, SubscriptionStands."""
    owner = await own_feed(pool, actor, number)
    said = " ".join(why.split())[:1000]
    if not await pool.fetchval(QUERIES["feed_pause"], owner.id, said, signed(actor)):
        raise SubscriptionStands(subscription=number)


async def resume_feed(pool: Pool, actor: Actor, number: int) -> None:
    """It goes on where it stood. Errors: NotYourConnection, SubscriptionUnknown, SubscriptionStands, SubscriptionsTooMany."""
    owner = await own_feed(pool, actor, number)
    try:
        done = await pool.fetchval(QUERIES["feed_resume"], owner.id, signed(actor))
    except asyncpg.PostgresError as error:
        if str(getattr(error, "sqlstate", "")) == "DZ603":
            raise SubscriptionsTooMany() from None
        raise
    if not done:
        raise SubscriptionStands(subscription=number)
