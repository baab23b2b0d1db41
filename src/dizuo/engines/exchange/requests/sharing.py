"""What requests work with, and how a stored one is read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from dizuo.engines.exchange.requests.errors import (
    AnotherOfficial,
    BeyondResource,
    NoLawfulReason,
    NoSayForProvider,
    NoSuchStep,
    OnceOnly,
    OwnData,
    RequestMoved,
    RequestUnknown,
)
from dizuo.engines.exchange.requests.grants import QUERIES, told
from dizuo.engines.exchange.requests.model import STATES, Request, Resource, Step, Wish, fields_read
from dizuo.engines.exchange.requests.timing import calendar_of
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import Now, to_shanghai
from dizuo.foundation.kernel.clocks import ClockState
from dizuo.foundation.store import Connection, Pool

Actors = tuple[Actor, ...]
"""An official in each of the posts held."""


@dataclass(frozen=True)
class Sharing:
    """Opened once per process: the pool, the declared city, the clock, and the calendar that both give."""

    pool: Pool
    city: City
    now: Now
    calendar: WorkCalendar = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "calendar", calendar_of(self.city))

    @property
    def today(self) -> dt.date:
        return self.now().date()


async def load(conn: Pool | Connection, number: str) -> Request:
    """One request by its number. Errors: RequestUnknown."""
    row = await conn.fetchrow(QUERIES["request"], number[:40])
    if row is None:
        raise RequestUnknown()
    return request_of(row)


def request_of(row: Any) -> Request:
    """A row of the database as a request."""
    wish = Wish(
        resource=row["resource"] or "",
        fields=tuple(row["fields"]),
        purpose=row["purpose"],
        basis=row["basis"],
        matter=row["matter"],
        duty=row["duty"],
        scope=row["scope"],
        methods=tuple(row["methods"]),
        until=row["until"],
        frequency=row["frequency"],
        per_day=row["per_day"],
        responsible=row["responsible"],
        committed=row["committed"],
        despite=row["despite"],
    )
    return Request(
        id=row["id"], number=row["number"], department=row["department"], wish=wish, share_type=row["share_type"], state=row["state"],
        clock=row["clock"], clocks=msgspec.convert(row["clocks"], dict[str, ClockState]), drafted_by=row["drafted_by"],
        refusal=row["refusal"], refusal_words=row["refusal_words"], supplemented=row["supplemented"], extended=row["extended"],
        settled_at=row["settled_at"], grant_id=row["grant_id"], version=row["version"], created_at=row["created_at"],
        changed_at=row["changed_at"], sent_at=row["sent_at"], title=row["title"], provider=row["provider"],
    )  # fmt: skip


async def offered(conn: Pool | Connection, code: str) -> Resource | None:
    """One resource of the catalogue as a request needs to know it, None when there is none."""
    row = await conn.fetchrow(QUERIES["offered"], code) if code else None
    return None if row is None else resource_of(row)


def resource_of(row: Any) -> Resource:
    return Resource(
        row["code"], row["title"], row["provider"], row["share_type"], row["share_condition"], row["share_basis"],
        fields_read(row["fields"]), row["state"], row["update_cycle"], row["title_en"],
    )  # fmt: skip


async def steps_of(conn: Pool | Connection, request: int) -> tuple[Step, ...]:
    """What happened to a request, in order."""
    return tuple(Step(*row.values()) for row in await conn.fetch(QUERIES["steps"], request))


async def refusal_told(sharing: Sharing, number: str, error: asyncpg.PostgresError) -> Exception:
    """The database's refusal of a step in the product's words; who was faster is named."""
    code, detail = str(getattr(error, "sqlstate", "")), str(getattr(error, "detail", "") or "")
    if code == "DZ051":
        return await moved_meanwhile(sharing, number)
    if code == "DZ052":
        return NoSuchStep(state=STATES[detail].zh if detail in STATES else detail)
    if code == "DZ057":
        return NoSuchStep(state="已送出，内容不能再改")
    if code == "DZ059":
        return NoLawfulReason({"words": "请选一个法定理由，并用至少 5 个字写明情况。"})
    if code == "DZ063":
        return BeyondResource({"fields": "有的数据项不在这个资源里，请重新选。"})
    plain = {
        "DZ050": RequestUnknown,
        "DZ053": NoSayForProvider,
        "DZ054": AnotherOfficial,
        "DZ055": OnceOnly,
        "DZ056": OwnData,
    }
    return plain[code]() if code in plain else told(error, resource="")


async def moved_meanwhile(sharing: Sharing, number: str) -> RequestMoved:
    """Who was faster, when, and where the request stands now."""
    now = await load(sharing.pool, number)
    steps = await steps_of(sharing.pool, now.id)
    last = steps[-1]
    at = to_shanghai(last.at)
    return RequestMoved(
        name=f" {last.name} " if last.name else "另一位同事",
        time=f"{at.month} 月 {at.day} 日 {at:%H:%M}",
        state=STATES[now.state].zh,
    )
