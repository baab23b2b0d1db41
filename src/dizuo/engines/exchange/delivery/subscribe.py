"""Following the changes of a register under a grant: subscribe, the steps of one delivery, replay, end.

Values are released in the house's two steps: ``enter`` has everybody concerned entered in the ledger and commits;
``release`` gives the values of exactly those record versions. The database holds both to the grant as it stands at that
moment (sql/0061_pre_feed.sql), so a revoked right stops between the two.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec

from dizuo.engines.exchange.delivery.model import Caller
from dizuo.engines.exchange.delivery.subscribe_errors import (
    DeliveryRefused,
    FeedPositionInvalid,
    SubscriptionsTooMany,
    SubscriptionUnknown,
)
from dizuo.engines.exchange.delivery.subscribe_model import Channel, Entered, FeedEvent, Subscription
from dizuo.foundation.signing import ED25519, SKEW, Algorithm, RequestReplayed, SigningKeyEnded
from dizuo.foundation.store import Pool, Row

MOST_BATCH: Final = 200
_OPEN = 'SELECT id, "position" FROM exchange.feed_open($1, $2, $3, $4, $5, $6)'
_SHOWN = (
    "SELECT id, grant_id, consumer, resource, register, channel, target, batch, position, state, why, failures,"
    " last_error, retry_at, delivered, delivered_at, opened_at FROM exchange.subscription"
)
_REFUSE = "SELECT exchange.refuse_delivery($1, $2, $3, $4)"
_CLAIM = "SELECT id, failures FROM exchange.feed_claim($1, $2, $3, $4, $5)"
_ENTER = "SELECT exchange.feed_enter($1, $2, $3)"
_RELEASE = 'SELECT "position", kind, ref, version, fields, at, data FROM exchange.feed_release($1, $2, $3)'
_ACK = "SELECT exchange.feed_ack($1, $2, $3, $4)"
_LET_GO = "SELECT exchange.feed_let_go($1, $2, $3, $4, $5)"
_NONCE = "SELECT exchange.take_nonce($1, $2, $3, $4)"
_STANDING = "SELECT exchange.standing($1, 'subscribe')"
_SUITE = (
    "SELECT algorithm FROM exchange.signing_key WHERE consumer = $1 AND revoked_at IS NULL"
    " AND now() >= valid_from AND now() < valid_until ORDER BY made_at DESC, id DESC LIMIT 1"
)
_LOOK = "SELECT exchange.feed_look($1, $2, $3)"
_NAMES: Final[Mapping[str, str]] = {"grant_id": "grant"}


async def subscribe(
    pool: Pool,
    consumer: str,
    grant: int,
    channel: Channel,
    *,
    target: str = "",
    batch: int = 100,
    after: int | None = None,
) -> Subscription:
    """A new subscription of ``consumer`` (an organisation's id) under its own grant with the method ``subscribe``.

    From now on, or behind position ``after`` (0: everything that is kept). The caller has checked ``target`` (see
    ``Addresses.check``). A refusal is entered, too. Errors: DeliveryRefused, FeedPositionInvalid, SubscriptionsTooMany.
    """
    try:
        row = await pool.fetchrow(
            _OPEN, grant, consumer, channel, target, max(1, min(batch, MOST_BATCH)), after
        )
    except asyncpg.PostgresError as error:
        match getattr(error, "sqlstate", ""):
            case "DZ601":
                reason = str(getattr(error, "detail", "unknown"))
                await pool.execute(_REFUSE, grant, consumer, "subscribe", reason)
                raise DeliveryRefused(reason) from error
            case "DZ602":
                raise FeedPositionInvalid(why=str(getattr(error, "message", ""))) from error
            case "DZ603":
                raise SubscriptionsTooMany() from error
            case _:
                raise
    assert row is not None
    return await subscription(pool, consumer, row["id"])


async def subscription(pool: Pool, consumer: str, number: int) -> Subscription:
    """One of the consumer's own. Errors: SubscriptionUnknown."""
    row = await pool.fetchrow(f"{_SHOWN} WHERE id = $1 AND consumer = $2", number, consumer)
    if row is None:
        raise SubscriptionUnknown(subscription=number)
    return _subscription(row)


async def subscription_by_number(pool: Pool, number: int) -> Subscription | None:
    """Whosever it is, for the dispatcher."""
    row = await pool.fetchrow(f"{_SHOWN} WHERE id = $1", number)
    return None if row is None else _subscription(row)


async def subscriptions(pool: Pool, consumer: str) -> tuple[Subscription, ...]:
    """All of one consumer, the newest first."""
    rows = await pool.fetch(f"{_SHOWN} WHERE consumer = $1 ORDER BY id DESC LIMIT 1000", consumer)
    return tuple(_subscription(row) for row in rows)


async def unsubscribe(pool: Pool, consumer: str, number: int, reason: str = "asked") -> None:
    """End it; nothing leaves any more. Errors: SubscriptionUnknown."""
    if not await pool.fetchval("SELECT exchange.feed_end($1, $2, $3)", number, consumer, reason):
        raise SubscriptionUnknown(subscription=number)


async def replay(pool: Pool, consumer: str, number: int, after: int) -> Subscription:
    """Deliver again what lies behind an earlier position; entered again. Errors: SubscriptionUnknown, FeedPositionInvalid."""
    try:
        done = await pool.fetchval("SELECT exchange.feed_replay($1, $2, $3)", number, consumer, after)
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") == "DZ602":
            raise FeedPositionInvalid(why=str(getattr(error, "message", ""))) from error
        raise
    if not done:
        raise SubscriptionUnknown(subscription=number)
    return await subscription(pool, consumer, number)


async def algorithm_of(pool: Pool, consumer: str) -> Algorithm:
    """With which algorithm a department is written to: that of its newest key in use, Ed25519 where it has none."""
    return await pool.fetchval(_SUITE, consumer) or ED25519


async def once(pool: Pool, caller: Caller) -> None:
    """Use up the nonce of a signed call that asks about no subject. Errors: SigningKeyEnded, RequestReplayed."""
    signed = caller.signed
    until = signed.expires + 2 * SKEW
    match await pool.fetchval(_NONCE, signed.key.id, caller.consumer, signed.nonce, until):
        case "":
            return
        case "key":
            raise SigningKeyEnded(why="已经停用")
        case _:
            raise RequestReplayed()


# ------------------------------------------------------------------------------------- the steps of one delivery


async def claim(
    pool: Pool, holder: uuid.UUID, at: dt.datetime, until: dt.datetime, most: int, *, failing: bool
) -> tuple[int, ...]:
    """Pushed subscriptions that something may wait for, leased to ``holder`` until a moment; those failing, or the others."""
    rows = await pool.fetch(_CLAIM, holder, at, until, most, failing)
    return tuple(row["id"] for row in rows)


async def enter(pool: Pool, number: int, holder: uuid.UUID | None, most: int) -> Entered:
    """First step: entered in the ledger and committed when this returns; no value has left. Errors: DeliveryRefused."""
    told: dict[str, Any] = await pool.fetchval(_ENTER, number, holder, most)
    if "stopped" in told:
        raise DeliveryRefused(told["stopped"])
    return Entered(told["after"], told["to"], bool(told.get("more", False)), int(told.get("events", 0)))


async def release(pool: Pool, number: int, after: int, most: int) -> tuple[FeedEvent, ...]:
    """Second step: what was entered behind ``after``, in order, with its values; nothing where the right has ended."""
    return tuple(_event(row) for row in await pool.fetch(_RELEASE, number, after, most))


async def acknowledge(pool: Pool, number: int, holder: uuid.UUID | None, upto: int, events: int = 0) -> bool:
    """The consumer has everything up to a position."""
    return bool(await pool.fetchval(_ACK, number, holder, upto, events))


async def let_go(
    pool: Pool, number: int, holder: uuid.UUID, *, error: str = "", retry: dt.datetime | None = None
) -> None:
    """Give the lease back; with an ``error`` the attempt counts as failed."""
    await pool.execute(_LET_GO, number, holder, bool(error), error, retry)


async def may(pool: Pool, grant: int) -> bool:
    """Whether the right holds at this moment."""
    return await pool.fetchval(_STANDING, grant) == ""


async def waiting(pool: Pool, number: int, after: int, key: str) -> bool:
    """Whether something may wait for a stream that was opened with ``key``. Errors: DeliveryRefused when right or key ended."""
    told: dict[str, Any] = await pool.fetchval(_LOOK, number, after, key)
    if "stopped" in told:
        raise DeliveryRefused(told["stopped"])
    return bool(told["waiting"])


def _event(row: Row) -> FeedEvent:
    return FeedEvent(
        row["position"], row["kind"], row["ref"], row["version"], tuple(row["fields"]), row["at"], row["data"]
    )


def _subscription(row: Row) -> Subscription:
    return msgspec.convert({_NAMES.get(name, name): value for name, value in row.items()}, Subscription)
