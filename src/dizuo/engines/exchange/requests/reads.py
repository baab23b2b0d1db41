"""What pages ask about requests and rights: one question each."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from dizuo.engines.exchange.requests import rules
from dizuo.engines.exchange.requests.errors import RequestUnknown
from dizuo.engines.exchange.requests.grants import QUERIES, signed
from dizuo.engines.exchange.requests.grants import grant as read_grant
from dizuo.engines.exchange.requests.model import Grant, Reason, Request, Resource, Step, fields_read
from dizuo.engines.exchange.requests.sharing import (
    Actors,
    Sharing,
    load,
    offered,
    request_of,
    resource_of,
    steps_of,
)
from dizuo.engines.exchange.requests.timing import Timing, timing
from dizuo.engines.exchange.requests.wording import sentences
from dizuo.foundation.store import Connection, Pool


class RequestPage(msgspec.Struct, frozen=True):
    """One request for one official: `can` are the steps that may be taken now in one of the posts held."""

    request: Request
    steps: tuple[Step, ...]
    resource: Resource | None
    grant: Grant | None
    timing: Timing | None
    can: tuple[str, ...]


class WorkLine(msgspec.Struct, frozen=True):
    """One request in a list; `mine`: the official may take a step other than withdrawing or what becomes of a right."""

    request: Request
    timing: Timing | None
    mine: bool
    can: tuple[str, ...]


class Right(msgspec.Struct, frozen=True):
    """A right with what it is to: for the public list, without anybody's name."""

    grant: Grant
    title: str
    title_en: str
    provider: str
    share_type: int
    fields: tuple[tuple[str, str, str, str, bool], ...]


class Need(msgspec.Struct, frozen=True):
    """One line of the list of needs (需求清单)."""

    number: str
    department: str
    resource: str
    title: str
    title_en: str
    provider: str
    share_type: int
    fields: tuple[str, ...]
    purpose: str
    basis: str
    matter: str
    frequency: str
    until: dt.date
    state: str
    sent_at: dt.datetime
    refusal: str | None


class Duty(msgspec.Struct, frozen=True):
    """One line of the list of duties (责任清单): what a provider is bound to provide; requests waiting, provided, refused."""

    code: str
    title: str
    title_en: str
    provider: str
    share_type: int
    share_condition: str
    update_cycle: str
    fields: tuple[tuple[str, str, str, str, bool], ...]
    waiting: int
    provided: int
    refused: int


class KeptBack(msgspec.Struct, frozen=True):
    """One line of the negative list (负面清单): what is not shared, on which law ('' is a fault that the audit finds)."""

    code: str
    title: str
    title_en: str
    provider: str
    share_basis: str
    fields: tuple[tuple[str, str, str, str, bool], ...]


class Held(msgspec.Struct, frozen=True):
    """What the city holds of a datum already: the resource, its field, and the department's right to it, None when it has to ask."""

    resource: str
    title: str
    provider: str
    field: str
    share_type: int
    grant: int | None


async def request_page(sharing: Sharing, actors: Actors, number: str) -> RequestPage:
    """One request with its record, clock, right, and what the official may do. Errors: RequestUnknown, also for whoever may not see it."""
    request = await load(sharing.pool, number)
    if not any(rules.sees(one, request) for one in actors):
        raise RequestUnknown()
    return RequestPage(
        request,
        await steps_of(sharing.pool, request.id),
        await offered(sharing.pool, request.wish.resource),
        None if request.grant_id is None else await read_grant(sharing.pool, request.grant_id),
        timing(request, sharing.city, sharing.calendar, sharing.now()),
        rules.steps_for(actors, request),
    )


async def work_of(sharing: Sharing, actors: Actors, limit: int = 500) -> tuple[WorkLine, ...]:
    """Every request that the official may see; those that wait for this official first, by what is due first."""
    units = sorted({one.unit for one in actors if one.unit and set(one.powers) & set(rules.POWERS)})
    authority = any({rules.REVIEW, rules.SETTLE} & set(one.powers) for one in actors)
    if not units:
        return ()
    now = sharing.now()
    lines: list[WorkLine] = []
    for row in await sharing.pool.fetch(QUERIES["work"], units, authority, limit):
        request = request_of(row)
        if not any(rules.sees(one, request) for one in actors):
            continue
        can = rules.steps_for(actors, request)
        mine = any(step != "withdraw" and step not in rules.RIGHT_MOVES for step in can)
        lines.append(WorkLine(request, timing(request, sharing.city, sharing.calendar, now), mine, can))
    lines.sort(key=lambda line: (not line.mine, line.timing is None or line.timing.due is None, _due(line)))
    return tuple(lines)


def _due(line: WorkLine) -> dt.date:
    return dt.date.max if line.timing is None or line.timing.due is None else line.timing.due


async def reasons(pool: Pool | Connection, by: str = "") -> tuple[Reason, ...]:
    """The lawful reasons for refusing, in order; only those that `by` (authority, provider) may give when it is named."""
    rows = await pool.fetch(QUERIES["reasons"])
    words = sentences("reasons")
    return tuple(
        Reason(row["id"], row["by"], words[row["id"]], row["law"], row["verified"])
        for row in rows
        if not by or row["by"] in (by, "both")
    )


async def offers(pool: Pool | Connection) -> tuple[Resource, ...]:
    """Every resource that may be asked for."""
    return tuple(resource_of(row) for row in await pool.fetch(QUERIES["all_offered"]))


async def rights(pool: Pool | Connection) -> tuple[Right, ...]:
    """Every right, running ones first: who may use what for what."""
    found: list[Right] = []
    for row in await pool.fetch(QUERIES["rights"]):
        values: dict[str, Any] = dict(row)
        title, title_en, provider, kind = (
            values.pop(name) for name in ("title", "title_en", "provider", "share_type")
        )
        fields = fields_read(values.pop("of_resource"))
        found.append(Right(msgspec.convert(values, Grant), title, title_en, provider, kind, fields))
    return tuple(found)


async def needs(pool: Pool | Connection) -> tuple[Need, ...]:
    """The list of needs (需求清单), newest first."""
    return tuple(msgspec.convert(dict(row), Need) for row in await pool.fetch(QUERIES["needs"]))


async def duties(pool: Pool | Connection) -> tuple[Duty, ...]:
    """The list of duties (责任清单), by provider."""
    rows = await pool.fetch(QUERIES["duties"])
    return tuple(msgspec.convert({**dict(row), "fields": fields_read(row["fields"])}, Duty) for row in rows)


async def kept_back(pool: Pool | Connection) -> tuple[KeptBack, ...]:
    """The negative list (负面清单), by provider."""
    rows = await pool.fetch(QUERIES["kept_back"])
    return tuple(
        msgspec.convert({**dict(row), "fields": fields_read(row["fields"])}, KeptBack) for row in rows
    )


async def point_out(
    sharing: Sharing, actors: Actors, department: str, datum: str, matter: str = ""
) -> Held | None:
    """Before a matter asks people for a datum: what the city holds of it already. That somebody was told is counted, once per question.

    ``datum`` is the declared concept, ``matter`` the matter that would ask. None when nobody holds it.
    """
    row = await sharing.pool.fetchrow(QUERIES["holding_datum"], datum, department, sharing.today)
    if row is None:
        return None
    held = Held(row["code"], row["title"], row["provider"], row["field"], row["share_type"], row["held"])
    if held.provider != department:
        about = {"kind": "question", "department": department, "resource": held.resource, "grant_id": held.grant, "request": None,
                 "matter": matter, "datum": datum, "despite": False}  # fmt: skip
        await sharing.pool.fetchval(QUERIES["note_interception"], about, signed(actors[0]))
    return held
