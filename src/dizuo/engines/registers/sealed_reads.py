"""Sealed reads (封存调取): on a declared ground, an order with its number, and a second official's approval.

The entries are made and on disk before a value is here, as for every read; the person concerned is told of them on the order's day
(个人信息保护法 18、35 条). Officials are known by the number of their account; pages say who that is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Literal

import asyncpg
import msgspec

from dizuo.engines.registers.errors import SEALED_SAYS, ReadNotReleased, SealedReadRefused
from dizuo.engines.registers.model import Scalar
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.identity import CitizenId, UnifiedCode
from dizuo.foundation.ledger import SealRule
from dizuo.foundation.store import Pool, Queries

_QUERIES = Queries.load("dizuo.engines.registers")
_LAW = "pipl-2021:18"
_REFUSED = "DZ120"
_TRY_AGAIN = 2


class SealedAsk(msgspec.Struct, frozen=True):
    """What an official orders: ``number`` is the order's own (文号), ``whom`` a number of the scheme, ``why`` is read by the approver."""

    token: str
    ground: str
    number: str
    register: str
    fields: tuple[str, ...]
    scheme: Literal["citizen_id", "uscc", "key"]
    whom: str
    opens_on: dt.date
    why: str


class SealOrder(msgspec.Struct, frozen=True):
    """An order as the one who asked and those who may decide see it. ``usable``: the asker may read on it now."""

    id: int
    ground: str
    unit: str
    number: str
    register: str
    fields: tuple[str, ...]
    whom: str
    opens_on: dt.date
    why: str
    asked_post: str
    asked_at: dt.datetime
    state: Literal["asked", "approved", "declined"]
    decided_post: str
    decided_at: dt.datetime | None
    said: str
    reads: int
    own: bool
    decides: bool
    usable: bool


class SealedRecord(msgspec.Struct, frozen=True):
    """One record that was read: (field, value, source organisation) of each; ``entry`` is the sealed entry that allowed it."""

    key: str
    entry: int
    values: tuple[tuple[str, Scalar, str], ...]


class _Party(msgspec.Struct):
    state: str
    key: str | None = None
    entry: int | None = None
    facts: dict[str, tuple[Scalar, str, dt.date | None]] | None = None


class _Answer(msgspec.Struct):
    closed: str | None = None
    parties: list[_Party] = []


_decode = msgspec.json.Decoder(list[_Answer]).decode


def seal_rules(city: City) -> tuple[SealRule, ...]:
    """The city's grounds as the ledger enforces them."""
    return tuple(
        SealRule(one.id, one.basis.key, one.organisation, one.orders, one.approves, one.longest, one.tells, one.overseer, one.reads)
        for one in city.seal_grounds.values()
    )  # fmt: skip


async def ask_sealed(
    pool: Pool, city: City, ask: SealedAsk, today: dt.date, *, unit: str, post: str, official: int
) -> int:
    """Enter an order to read sealed; gives its number. The same token twice is the same order. Errors: SealedReadRefused, Invalid."""
    whom = ask.whom.strip()
    if ask.scheme == "citizen_id":
        whom = CitizenId.parse(whom, today, field="whom").value
    elif ask.scheme == "uscc":
        whom = UnifiedCode.parse(whom, "whom").value
    ground = city.seal_grounds.get(ask.ground)
    asked: dict[str, object] = {
        "token": ask.token, "ground": ask.ground, "number": ask.number, "register": ask.register, "fields": ask.fields,
        "scheme": ask.scheme, "value": whom, "opens_on": ask.opens_on, "why": ask.why, "says": ground.name.zh if ground else "",
    }  # fmt: skip
    actor = _actor(unit, post, official)
    return int(str(await _act(pool, "ask_sealed", actor, ask.ground, _json(asked), _json(actor))))


async def decide_sealed(
    pool: Pool, order: int, approve: bool, says: str, *, unit: str, post: str, official: int
) -> None:
    """Approve or decline an order, with a reason when declined. Errors: SealedReadRefused, also for one's own order."""
    actor = _actor(unit, post, official)
    await _act(pool, "decide_sealed", actor, "", order, approve, says, _json(actor))


async def read_sealed(
    pool: Pool, order: int, *, unit: str, post: str, official: int
) -> tuple[SealedRecord, ...]:
    """What an approved order allows its asker to read; sealed entries are on disk before a value is here.

    Nothing when the register holds no such record. Errors: SealedReadRefused, ReadNotReleased.
    """
    actor, secret = _actor(unit, post, official), os.urandom(32)
    ticket = await _act(
        pool, "request_sealed", actor, "", order, _json(actor), hashlib.sha256(secret).digest()
    )
    (answer,) = _decode(await pool.fetchval(_QUERIES["release"], [ticket], [secret]))
    if answer.closed is not None:
        raise ReadNotReleased(_TRY_AGAIN, reason=answer.closed)
    return tuple(
        SealedRecord(
            one.key or "",
            one.entry or 0,
            tuple((name, value, source) for name, (value, source, _) in (one.facts or {}).items()),
        )
        for one in answer.parties
        if one.state == "found"
    )


async def seal_orders(pool: Pool, official: int, posts: Mapping[str, str]) -> Sequence[SealOrder]:
    """An official's own orders and those that the official may decide (post by organisation), waiting ones first."""
    held = [{"unit": unit, "post": post} for unit, post in posts.items()]
    rows = await pool.fetch(_QUERIES["seal_orders"], official, _json(held))
    return [msgspec.convert(dict(row) | {"whom": row["value"], "decided_post": row["decided_post"] or ""}, SealOrder) for row in rows]  # fmt: skip


def _actor(unit: str, post: str, official: int) -> dict[str, object]:
    return {"unit": unit, "post": post, "official": str(official)}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _act(pool: Pool, what: str, actor: Mapping[str, object], ground: str, *given: object) -> object:
    """One step; a refusal is entered too, about nobody."""
    try:
        return await pool.fetchval(_QUERIES[what], *given)
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") != _REFUSED:
            raise
        reason = str(error)
        body = {
            "step": what, "reason": reason, "ground": ground,
            "actor": {"kind": "official", "unit": actor["unit"], "post": actor["post"]},
        }  # fmt: skip
        hidden = {"official": actor["official"]}
        await pool.fetchval("SELECT ledger.append('sealed.refused', $1, NULL, $2)", body, hidden)
        if reason in ("order", "whom", "term", "fields"):
            field = {"order": "number", "whom": "whom", "term": "opens_on", "fields": "fields"}[reason]
            raise Invalid({field: SEALED_SAYS[reason]}) from error
        raise SealedReadRefused("registers.sealed", _LAW, reason=SEALED_SAYS[reason]) from error
