"""`dizuo export`: the history of cases as XES or OCEL 2.0, for process mining. No personal data is in it."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt

from dizuo.commands.database import opened
from dizuo.engines.cases import Cases, LogEvent, log_of, ocel2, xes
from dizuo.engines.registers import Registers
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import APP, Database, open_pool


def run(arguments: argparse.Namespace) -> int:
    """Write every event from `--since` until now into `--out`."""
    city = load_city(arguments.city)
    with opened(arguments.data.absolute()) as database:
        events = asyncio.run(_events(database, city, arguments.since))
    arguments.out.write_text(xes(events) if arguments.format == "xes" else ocel2(events), encoding="utf-8")
    print(f"{len(events):,} events in {arguments.out}")
    return 0


async def _events(database: Database, city: City, since: dt.datetime) -> tuple[LogEvent, ...]:
    pool = await open_pool(database.dsn(APP), min_size=1, max_size=2)
    try:
        now, policy = SystemNow(), Policy.from_city(city)
        return await log_of(Cases(pool, city, Registers(pool, city, policy), policy, now), since, now())
    finally:
        await pool.close()
