"""The audit of the catalogue (目录核查): look at everything, judge by the rules, enter tickets; at every publication, by the clock, on demand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from dizuo.engines.exchange.catalogue.available import availability
from dizuo.engines.exchange.catalogue.binding import Standing
from dizuo.engines.exchange.catalogue.lake_content import contents_found
from dizuo.engines.exchange.catalogue.model import Resource
from dizuo.engines.exchange.catalogue.publishing import QUERIES
from dizuo.engines.exchange.catalogue.reads import resources
from dizuo.engines.exchange.catalogue.rules import RULES, Found, Seen, audit
from dizuo.engines.lake import LastDelivery, freshness, last_deliveries, sources_seen
from dizuo.engines.registers import FormatsFound, formats_found, holdings
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store import CONNECTION_LOST, Pool

EVERY: Final = timedelta(hours=6)
"""How old the last audit may become before the clock sets off the next one."""
REST: Final = timedelta(minutes=15)
"""How long it rests at least between two audits that deliveries set off."""
_LOOK: Final = 60.0
_log = logging.getLogger(__name__)


class AuditRun(msgspec.Struct, frozen=True):
    """An audit: when, what set it off, and how many tickets stand (``found``), are new, came back, or were closed by it."""

    id: int
    at: datetime
    cause: str
    rules: tuple[str, ...]
    found: int
    opened: int
    reopened: int
    closed: int


async def audit_catalogue(
    pool: Pool,
    city: City,
    now: datetime,
    cause: str = "command",
    *,
    sample: int = 300,
    data: Path | None = None,
) -> AuditRun:
    """Run every rule and enter what they find; what is gone is closed, what came back reopened, nothing is doubled.

    ``cause``: publish, lake, clock or command; ``sample``: how many records of a register are looked at for their form, twice.
    ``data``: the installation's folder, where the lake keeps what departments delivered; None: that is not looked at. Errors: the pool's.
    """
    found = list(audit(await look(pool, city, now, sample, data)))
    rules = list(RULES)
    row = await pool.fetchrow(QUERIES["enter_audit"], now, cause, rules, [_entered(one) for one in found])
    assert row is not None
    return AuditRun(
        row["run"], now, cause, tuple(rules), row["found"], row["opened"], row["reopened"], row["closed"]
    )


async def last_audit(pool: Pool) -> AuditRun | None:
    """The last audit, or None before the first. Errors: the pool's."""
    row = await pool.fetchrow(QUERIES["last_audit"])
    return None if row is None else msgspec.convert(dict(row), AuditRun)


async def audited_by_the_clock(
    pool: Pool, city: City, now: Now, stop: asyncio.Event, data: Path | None = None
) -> None:
    """Audit whenever it is due, until ``stop`` is set; a lost database is waited for. ``data`` as for ``audit_catalogue``."""
    while not stop.is_set():
        try:
            if cause := await audit_due(pool, now()):
                await audit_catalogue(pool, city, now(), cause, data=data)
        except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
            _log.warning("the catalogue's audit waits: %s", type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), _LOOK)
        except TimeoutError:
            continue


async def audit_due(pool: Pool, now: datetime) -> str:
    """Why an audit is due now: the last one is older than EVERY (clock), or departments delivered since (lake); '' when none is."""
    last = await last_audit(pool)
    if last is None or now - last.at >= EVERY:
        return "clock"
    came = [one.changed_at for one in (await sources_seen(pool)).latest.values()]
    # While deliveries come in, one look in a while is enough.
    return "lake" if came and max(came) > last.at and now - last.at >= REST else ""


async def look(pool: Pool, city: City, now: datetime, sample: int = 300, data: Path | None = None) -> Seen:
    """Everything that the rules need to know; ``sample`` and ``data`` as for ``audit_catalogue``. Errors: the pool's."""
    known = await resources(pool)
    counted = await holdings(pool)
    delivered = frozenset((await sources_seen(pool)).latest)
    came = await last_deliveries(pool, city)
    # A department that delivers for the register itself has delivered what its source would feed.
    delivered |= {source.id for source in city.sources.values() if _delivered_for(source, came)}
    calls: dict[str, int] = {}
    for row in await pool.fetch(QUERIES["idle_grants"], now.date()):
        calls[row["resource"]] = calls.get(row["resource"], 0) + int(row["calls"])
    formats = {name: await formats_found(pool, name, sample) for name, one in counted.items() if one.records}
    # Files are read beside the loop: others are answered meanwhile.
    contents: Mapping[str, tuple[FormatsFound, ...]] = {}
    if data is not None:
        contents = await asyncio.to_thread(contents_found, data, city.sources, 2 * sample)
    return Seen(
        city=city, today=now.date(), resources=known, standing=await standings(pool, city, known, now),
        records={name: one.records for name, one in counted.items()}, delivered=delivered, formats=formats, calls=calls,
        contents=contents,
    )  # fmt: skip


async def standings(
    pool: Pool, city: City, known: tuple[Resource, ...], now: datetime
) -> Mapping[str, Standing]:
    """What is really there behind each resource, by code: how many records, when they came, whether they are late. Errors: the pool's."""
    counted, seen, came = await holdings(pool), await sources_seen(pool), await last_deliveries(pool, city)
    calendar = WorkCalendar(city.calendar_overrides, city.working_hours, city.after_hours)
    found: dict[str, Standing] = {}
    for one in known:
        source = city.sources.get(one.source or "")
        if one.register is not None and one.register in counted:
            held = counted[one.register]
            found[one.code] = Standing(held.records, held.last_at)
        elif source is not None and source.id in seen.latest:
            last = seen.latest[source.id]
            fresh = freshness(source, seen.published_to.get(source.id), now.date(), calendar)
            found[one.code] = Standing(
                last.rows_published, last.changed_at, fresh.period, fresh.due, fresh.late
            )
        elif source is not None and (mine := _delivered_for(source, came)):
            # Delivered for the register itself, which the declared source would feed.
            period = max(last.period_to for last in mine)
            fresh = freshness(source, period, now.date(), calendar)
            landed = max(last.landed_at for last in mine)
            found[one.code] = Standing(
                sum(last.rows for last in mine), landed, fresh.period, fresh.due, fresh.late
            )
    nodes = {row["resource"]: row["organisation"] for row in await pool.fetch(QUERIES["at_nodes"])}
    answered = await availability(pool, now.date())
    for code in (nodes.keys() | answered.keys()) & {one.code for one in known}:
        plain = found.get(code, Standing(None, None))
        found[code] = msgspec.structs.replace(plain, node=nodes.get(code, ""), available=answered.get(code))
    return found


def _delivered_for(source: Source, came: Sequence[LastDelivery]) -> list[LastDelivery]:
    """The department's last published deliveries for the registers that its source feeds."""
    fed = {feed.register for feed in source.feeds}
    return [
        one
        for one in came
        if one.state == "published" and one.department == source.department and one.register in fed
    ]


def _entered(found: Found) -> dict[str, object]:
    return {
        "rule": found.rule, "about": found.about, "resource": found.resource, "organisation": found.organisation,
        "post": found.post, "severity": found.severity, "params": dict(found.params),
    }  # fmt: skip
