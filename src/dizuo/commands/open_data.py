"""`dizuo open-data`: publish the declared datasets through the gate, or show what the gate found last."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dizuo.commands.database import opened
from dizuo.engines import opendata
from dizuo.engines.cases import Cases, figures
from dizuo.engines.lake import SourcesSeen, sources_seen
from dizuo.engines.registers import Registers
from dizuo.foundation.blueprint import City, check_city
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import OWNER, Database, connect, open_pool

Rows = Sequence[Mapping[str, object]]
_WORDS = {
    "released": "released", "same": "unchanged", "refused": "REFUSED by the gate", "spent": "out of privacy budget",
    "failed": "NOT MADE",
}  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Publish; 0 when every dataset is released or unchanged, 1 when the gate refused one or one could not be made."""
    report = check_city(arguments.city)
    if report.city is None:
        print(report.render(colour=sys.stderr.isatty()), file=sys.stderr)
        return 1
    with opened(arguments.data.absolute()) as database:
        told = asyncio.run(publish(database, report.city, arguments.city.absolute(), only=arguments.dataset))
    for one in told:
        print(
            f"{one.dataset:28} {_WORDS[one.outcome]}, version {one.version}{'  ' + one.why if one.why else ''}"
        )
        for finding in one.findings:
            print(f"  {'stops' if finding.stops else 'note '} {finding.code}: {finding.says}")
            for way in finding.ways[:3]:
                print(f"        {way.column}: {way.how} → {way.left}")
    return int(any(one.outcome in ("refused", "failed") for one in told))


async def publish(
    database: Database,
    city: City,
    folder: Path,
    *,
    now: Now | None = None,
    only: str = "",
    tell: Callable[[str, int, int], None] | None = None,
) -> tuple[opendata.Published, ...]:
    """Publish the declared datasets as the owner; what one of them lacks keeps no other from being published."""
    if tell is not None:
        tell("开放数据", 0, 0)
    clock = now or SystemNow()
    pool = await open_pool(database.dsn(OWNER), min_size=1, max_size=2)
    conn = await connect(database.dsn(OWNER))
    try:
        policy = Policy.from_city(city)
        cases = Cases(pool, city, Registers(pool, city, policy), policy, clock)

        async def work() -> Rows:
            return await _work(cases)

        async def quality() -> Rows:
            seen = await sources_seen(pool)
            return _quality(city, seen)

        async def ledger() -> Rows:
            return await opendata.ledger_by_day(conn, city.timezone)

        supplies = {"work": work, "data_quality": quality, "ledger": ledger}
        return await opendata.publish_datasets(conn, city, folder, clock().date(), supplies, only=only)
    finally:
        await conn.close()
        await pool.close()


async def _work(cases: Cases) -> Rows:
    names = ("open", "soon", "over", "ended", "in_time", "by_system")
    done = {one.id: one for one in (await figures(cases)).departments}
    serving = {item.department for matter in cases.city.matters.values() for item in matter.items}
    return [
        {
            "department": unit.name.zh,
            **{name: getattr(done[unit.id], name) if unit.id in done else 0 for name in names},
        }
        for unit in cases.city.organisations.values()
        if unit.id in serving or unit.id in done
    ]


def _quality(city: City, seen: SourcesSeen) -> Rows:
    rows: list[Mapping[str, object]] = []
    for source in city.sources.values():
        delivered = seen.published_to.get(source.id)
        held = {one.rule: one for one in seen.quality.get(source.id, ())}
        for rule in source.quality:
            one = held.get(rule.id)
            rows.append({
                "department": city.organisations[source.department].name.zh,
                "source": source.name.zh,
                "period": delivered.isoformat() if delivered else None,
                "dimension": rule.dimension,
                "rule": rule.says.zh,
                "checked": one.checked if one else None,
                "failed": one.failed if one else None,
                "share": round(one.share, 6) if one else None,
                "required": rule.at_least,
            })  # fmt: skip
    return rows
