"""`dizuo doctor`: what is installed, what runs, what is wrong and the way out."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
from pathlib import Path

from dizuo import __version__
from dizuo.commands.database import opened
from dizuo.foundation.blueprint import City, check_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.ledger import SigningKey
from dizuo.foundation.store import OWNER, Database, connect, discover, pending
from dizuo.foundation.store.jobs import parked
from dizuo.settings import DATABASE_URL


def run(arguments: argparse.Namespace) -> int:
    """Print one line a finding; 0 when everything is well, 1 otherwise."""
    data: Path = arguments.data.absolute()
    wrong = 0
    print(f"dizuo {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    free = shutil.disk_usage(data if data.exists() else data.parent).free / 1e9
    print(f"data in {data}, {free:.0f} GB free")
    report = check_city(arguments.city)
    if report.city is None:
        print(f"WRONG  {arguments.city}: {len(report.errors)} errors. Run: dizuo check {arguments.city}")
        return 1
    print(f"city {report.city.id}, declarations {report.city.version[:12]}, {len(report.warnings)} warnings")
    wrong += _calendar(report.city)
    if not data.exists():
        print("nothing is built here yet. Run: ./run")
        return 0
    print("database:", "DIZUO_DATABASE_URL" if os.environ.get(DATABASE_URL) else "embedded")
    try:
        with opened(data) as database:
            wrong += asyncio.run(_database(database))
    except DizuoError as error:
        print(f"WRONG  {error}")
        return 1
    print("ledger key:", SigningKey.load(data, f"{report.city.id}.dizuo").public)
    return 1 if wrong else 0


def _calendar(city: City) -> int:
    """Warn in the last quarter when next year's working days are not known: promised dates would be unknown."""
    today = SystemNow()().date()
    following = today.year + 1
    if today.month < 10 or following in city.calendar_overrides:
        return 0
    print(
        f"NOTE   the working days of {following} are not published in this city: dates in {following} are shown as unknown."
    )
    print(
        f"       fix: add calendar/{following}.yaml when the State Council's notice is out, or update chinesecalendar."
    )
    return 0


async def _database(database: Database) -> int:
    conn = await connect(database.dsn(OWNER))
    try:
        version = await conn.fetchval("SHOW server_version")
        print(f"PostgreSQL {version}")
        waiting = await pending(conn, discover())
        if waiting:
            print(f"WRONG  {len(waiting)} migrations are not applied. Run: dizuo up")
            return 1
        row = await conn.fetchrow(
            "SELECT (SELECT count(*) FROM registers.record WHERE superseded_at IS NULL) AS records,"
            " (SELECT count(*) FROM ledger.entry) AS entries, (SELECT max(size) FROM ledger.checkpoint) AS sealed"
        )
        if row is not None:
            print(
                f"{row['records']:,} records, {row['entries']:,} ledger entries, {row['sealed'] or 0:,} sealed"
            )
        stuck = await parked(conn)
        for job, why in stuck:
            print(f"WRONG  a job waits for a person: {job.kind} {job.key or job.id}: {why}")
        return len(stuck)
    finally:
        await conn.close()
