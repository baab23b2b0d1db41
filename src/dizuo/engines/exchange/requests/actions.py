"""What officials do with a request: each step authorises, reads and locks, decides, writes with its ledger entry, in one transaction.

State, record, ledger and, where a right is opened, the right itself stand or fall together (exchange.move_request).
"""

from __future__ import annotations

import datetime as dt

import asyncpg
import msgspec

from dizuo.engines.exchange.requests import grants, rules
from dizuo.engines.exchange.requests.errors import (
    AnotherOfficial,
    NoLawfulReason,
    NoSuchStep,
    NotDrafter,
    NotYours,
    OnceOnly,
    RequestInvalid,
    RequestUnknown,
    RightExists,
    WordsNeeded,
)
from dizuo.engines.exchange.requests.grants import QUERIES, signed
from dizuo.engines.exchange.requests.model import STATES, Grant, Request, Wish
from dizuo.engines.exchange.requests.sharing import (
    Actors,
    Sharing,
    load,
    moved_meanwhile,
    offered,
    refusal_told,
)
from dizuo.engines.exchange.requests.timing import moved
from dizuo.engines.registers import Actor
from dizuo.foundation.store import Connection, Pool, Tx, begin

LONGEST_WORDS = 2000


async def new_request(sharing: Sharing, actors: Actors) -> str:
    """Begin a draft for the official's own department; returns its number. Errors: NotYours, NotADepartment."""
    actor = next((one for one in actors if rules.ASK in one.powers), None)
    if actor is None:
        raise NotYours(rules.ASK)
    try:
        return str(
            await sharing.pool.fetchval(
                QUERIES["draft_request"], sharing.city.number_prefix, sharing.now(), actor.unit, signed(actor)
            )
        )
    except asyncpg.PostgresError as error:
        raise grants.told(error, consumer=actor.unit or "") from error


async def save_request(sharing: Sharing, actors: Actors, number: str, wish: Wish, version: int) -> int:
    """Keep a draft, or what is being supplied, complete or not; returns the new version.

    Errors: RequestUnknown, NotYours, RequestMoved, BeyondResource, NoSuchStep once it is with others.
    """
    request = await load(sharing.pool, number)
    _must_ask(actors, request)
    known = await offered(sharing.pool, wish.resource)
    fields = {one[0] for one in known.fields} if known is not None else set[str]()
    # Another resource has other fields: what does not belong to it is dropped, not carried along.
    kept = msgspec.structs.replace(
        wish,
        resource=wish.resource if known is not None else "",
        fields=tuple(dict.fromkeys(one for one in wish.fields if one in fields)),
        per_day=wish.per_day if wish.per_day is not None and 0 < wish.per_day < 2**31 else None,
    )
    filled = {**msgspec.to_builtins(kept), "resource": kept.resource or None}
    try:
        return int(await sharing.pool.fetchval(QUERIES["save_request"], request.id, version, filled))
    except asyncpg.PostgresError as error:
        raise await refusal_told(sharing, number, error) from error


async def discard_draft(sharing: Sharing, actors: Actors, number: str, version: int) -> None:
    """Delete a draft for good; the ledger keeps its number and who deleted it. Errors: RequestUnknown, NotDrafter, RequestMoved."""
    request = await load(sharing.pool, number)
    if not any(rules.sees(one, request) for one in actors):
        raise RequestUnknown()
    actor = rules.drafter(actors, request)
    if actor is None:
        raise NotDrafter()
    try:
        await sharing.pool.fetchval(QUERIES["discard_draft"], request.id, version, signed(actor))
    except asyncpg.PostgresError as error:
        if str(getattr(error, "sqlstate", "")) == "DZ071":
            raise NotDrafter() from error
        raise await refusal_told(sharing, number, error) from error


async def take_step(
    sharing: Sharing, actors: Actors, number: str, event: str, version: int, words: str = "", reason: str = ""
) -> Request:
    """Take one step of a request; returns it as it stands then. What is unconditional is opened with the conformity check.

    ``reason`` is the id of a lawful reason, for refusals. Errors: RequestUnknown, NotYours, AnotherOfficial, NoSuchStep, RequestMoved,
    RequestInvalid with fields, RightExists, WordsNeeded, NoLawfulReason, NoSayForProvider, OnceOnly, DateGone, the kernel's of clocks.
    """
    said = "\n".join(" ".join(line.split()) for line in words.strip().splitlines())[:LONGEST_WORDS]
    request = await load(sharing.pool, number)
    actor = _authorised(actors, request, event, version)
    if actor is None:
        raise await moved_meanwhile(sharing, number)
    _worded(event, said, reason)
    if event in rules.RIGHT_MOVES:
        return await _move_right(sharing, actor, request, event, said)
    if event in ("submit", "supply"):
        await _complete(sharing, actor, request)
    try:
        async with begin(sharing.pool, sharing.now) as tx:
            await _step(sharing, tx, actor, request, event, said, reason)
            if event == "conform":
                # Nobody is asked: the right is opened in the same breath.
                await _step(sharing, tx, actor, await load(tx.conn, number), "provision", "", "")
            return await load(tx.conn, number)
    except asyncpg.PostgresError as error:
        raise await refusal_told(sharing, number, error) from error


async def right_to_same(conn: Pool | Connection, department: str, wish: Wish, day: dt.date) -> Grant | None:
    """A usable right of the department to at least these fields for the same matter (for a duty: on the same law), if there is one."""
    if not wish.resource or not wish.fields:
        return None
    row = await conn.fetchrow(
        QUERIES["right_to_same"], department, wish.resource, list(wish.fields), wish.matter, wish.basis, day
    )
    return None if row is None else msgspec.convert(dict(row), Grant)


# ------------------------------------------------------------------ authorise


def _must_ask(actors: Actors, request: Request) -> Actor:
    if not any(rules.sees(one, request) for one in actors):
        raise RequestUnknown()
    for one in actors:
        if one.unit == request.department and rules.ASK in one.powers:
            return one
    raise NotYours(rules.ASK)


def _authorised(actors: Actors, request: Request, event: str, version: int) -> Actor | None:
    """The official in the post that takes the step; None when the page was older than the request."""
    if not any(rules.sees(one, request) for one in actors):
        raise RequestUnknown()
    if request.version != version:
        return None
    actor = rules.acting(actors, request, event)
    if actor is not None:
        return actor
    if event == "pass" and any(
        one.official == request.drafted_by and one.unit == request.department and rules.CHECK in one.powers
        for one in actors
    ):
        raise AnotherOfficial()
    possible = (
        request.state in rules.RIGHT_MOVES[event][0]
        if event in rules.RIGHT_MOVES
        else rules.step_of(request, event)
    )
    if not possible:
        if (event == "ask_more" and request.supplemented) or (event == "extend" and request.extended):
            raise OnceOnly()
        raise NoSuchStep(state=STATES[request.state].zh)
    raise NotYours(rules.needed(event))


def _worded(event: str, said: str, reason: str) -> None:
    if event in rules.REASONS:
        wrong = {} if reason else {"reason": "请选一个法定理由。"}
        if len(said) < rules.LEAST_WORDS:
            wrong["words"] = "请写明具体情况，至少 5 个字，对方会看到。"
        if wrong:
            raise NoLawfulReason(wrong)
    elif event in rules.WORDS and len(said) < rules.LEAST_WORDS:
        raise WordsNeeded({"words": "请写清楚，至少 5 个字，对方会看到。"})


# --------------------------------------------------------------------- decide


async def _complete(sharing: Sharing, actor: Actor, request: Request) -> None:
    """A request goes out complete, and not for what the department may use already."""
    wish = request.wish
    resource = await offered(sharing.pool, wish.resource)
    wrong = rules.missing(wish, sharing.city, resource, request.department, sharing.today)
    if wrong:
        raise RequestInvalid(wrong)
    held = await right_to_same(sharing.pool, request.department, wish, sharing.today)
    if held is None:
        return
    despite = len(wish.despite) >= rules.LEAST_WORDS
    about = {
        "kind": "request", "department": request.department, "resource": wish.resource, "grant_id": held.id, "request": request.id,
        "matter": wish.matter, "despite": despite,
    }  # fmt: skip
    await sharing.pool.fetchval(QUERIES["note_interception"], about, signed(actor))
    if not despite:
        raise RightExists(held.id, f"{held.expires.year} 年 {held.expires.month} 月 {held.expires.day} 日")


async def _move_right(sharing: Sharing, actor: Actor, request: Request, event: str, said: str) -> Request:
    assert request.grant_id is not None
    match event:
        case "suspend":
            await grants.suspend(sharing.pool, request.grant_id, said, actor, day=sharing.today)
        case "resume":
            await grants.resume(sharing.pool, request.grant_id, said, actor, day=sharing.today)
        case "revoke":
            await grants.revoke(sharing.pool, request.grant_id, said, actor, day=sharing.today)
        case _:
            await grants.give_up(sharing.pool, request.grant_id, said, actor, day=sharing.today)
    return await load(sharing.pool, request.number)


# ---------------------------------------------------------------------- write


async def _step(
    sharing: Sharing, tx: Tx, actor: Actor, request: Request, event: str, said: str, reason: str
) -> None:
    """One step with its clocks; the database locks the request, holds the version against it, and refuses what may not be."""
    move = next(one for one in rules.MOVES if one.event == event and one.from_state == request.state)
    after = moved(
        request,
        event,
        move.to_state,
        sharing.city,
        sharing.calendar,
        tx.now,
        approver=actor.name or actor.official or "",
        words=said,
    )
    law = ""
    if reason:
        law = str(
            await tx.conn.fetchval(
                "SELECT coalesce((SELECT law FROM exchange.refusal_reason WHERE id = $1), '')", reason
            )
        )
    declared = sharing.city.clocks.get(after.left or request.clock)
    told = {
        "at": tx.now,
        "words": said,
        "reason": reason or None,
        "law": law
        or (request.wish.basis if event == "submit" else declared.law.key if declared is not None else ""),
        "clock": after.clock,
        "clocks": msgspec.to_builtins(after.clocks),
        "left": after.left,
        "used": after.used,
        "in_time": after.in_time,
    }
    if event == "provision":
        await tx.conn.fetchval(
            QUERIES["provision_request"], request.id, request.version, tx.now.date(), signed(actor), told
        )
    else:
        await tx.conn.fetchval(
            QUERIES["move_request"], request.id, request.version, event, move.to_state, signed(actor), told
        )
