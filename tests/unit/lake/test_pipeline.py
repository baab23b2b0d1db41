"""From deliveries to served registers in one run: every row accounted for, each delivery once, killed anywhere and started again."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from dizuo.engines import registers
from dizuo.engines.lake import delivery_in_detail, sources_seen
from dizuo.engines.lake.intake import Delivery, Intake
from dizuo.engines.lake.pipeline import Ran, run_lake
from dizuo.engines.lake.simulation import simulate_sources
from dizuo.engines.lake.taking import take_folder
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.store import LOADER, OWNER, connect, open_pool

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.date(2026, 11, 20)
SOURCES = ("hukou", "deaths", "residence_permits")
STAGES = ("读出", "规范和核验", "归人 person: 比对", "归人 写出", "黄金记录 gold person", "入库")
# Takes and runs in a process of its own, which kills itself at the first word of one stage.
KILLED = """
import asyncio, os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_pipeline as here
asyncio.run(here.deliver(sys.argv[2], sys.argv[3], sys.argv[4], at=sys.argv[5]))
"""


class Address:
    """A database by the addresses of its roles."""

    def __init__(self, loader: str) -> None:
        self.loader = loader

    def dsn(self, role: str) -> str:
        assert role == LOADER
        return self.loader


def small_city() -> City:
    """Wuxi with three of its sources: one full, one that sends changes, one that knows of deaths."""
    city = load_city(ROOT / "cities" / "wuxi")
    return msgspec.structs.replace(city, sources={name: city.sources[name] for name in SOURCES})


async def deliver(
    loader: str, folder: str, data: str, *, until: dt.date = DAY, after: dt.date | None = None, at: str = ""
) -> tuple[list[Delivery], Ran]:
    """Take what has arrived and run; with ``at`` die when that stage first speaks."""

    def tell(what: str, _: int, __: int) -> None:
        if at and what.startswith(at):
            os.kill(os.getpid(), signal.SIGKILL)

    city = small_city()
    now = FrozenNow(dt.datetime.combine(until, dt.time(22), SHANGHAI))
    pool = await open_pool(loader, min_size=1, max_size=2)
    try:
        intake = Intake.of(pool, city, Path(data), now)
        taken = await take_folder(intake, Path(folder), until=until, after=after)
    finally:
        await pool.close()
    return taken, await run_lake(Address(loader), city, Path(data), now=now, memory="1GB", tell=tell)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three sources of 4,000 residents, and of the day after."""
    folder = tmp_path_factory.mktemp("sources")
    simulate_sources(small_city(), folder, people=4000, seed=5, day=DAY, days=1, workers=1)
    return folder


@pytest.fixture(scope="module")
def declared(database: Any) -> Any:
    """The test database with the declarations of the city, which reads and loads are held against."""

    async def declare() -> None:
        connection = await connect(database.dsn(OWNER))
        try:
            await registers.publish(connection, small_city())
        finally:
            await connection.close()

    asyncio.run(declare())
    return database


def counts(database: Any) -> dict[str, int]:
    """Current records by register."""
    with psycopg.connect(database.dsn(OWNER)) as connection:
        rows = connection.execute(
            "SELECT register, count(*) FROM registers.record WHERE superseded_at IS NULL GROUP BY register"
        ).fetchall()
    return {str(register): int(count) for register, count in rows}


@pytest.mark.slow
def test_killed_at_every_stage_it_goes_on_and_nothing_is_lost_or_doubled(
    declared: Any, simulated: Path, tmp_path: Path
) -> None:
    loader, data = declared.dsn(LOADER), tmp_path / "data"
    for stage in STAGES:
        arguments = [str(Path(__file__).parent), loader, str(simulated), str(data), stage]
        done = subprocess.run([sys.executable, "-c", KILLED, *arguments], timeout=300, check=False)
        assert done.returncode == -signal.SIGKILL, stage
        if stage != STAGES[-1]:
            assert not counts(declared)
    taken, ran = asyncio.run(deliver(loader, str(simulated), str(data)))

    # Each delivery once, however often it was received; every row of it has a fate.
    assert len({one.sha256 for one in taken}) == len(taken) == len(SOURCES)
    for one in ran.deliveries.values():
        assert one.state == "published"
        assert one.rows_in == one.rows_published + one.rows_merged + one.rows_held + one.rows_rejected
    served = counts(declared)
    assert served == {name: count for name, count in ran.records.items() if count}
    assert served["person"] >= 3500

    # Nothing new arrived: nothing happens.
    _, again = asyncio.run(deliver(loader, str(simulated), str(data)))
    assert not again.deliveries
    assert counts(declared) == served

    # The next day's changes move only what they speak of.
    before = _versions(declared)
    _, next_day = asyncio.run(
        deliver(loader, str(simulated), str(data), until=DAY + dt.timedelta(days=1), after=DAY)
    )
    assert next_day.deliveries
    assert all(one.state == "published" for one in next_day.deliveries.values())
    after = _versions(declared)
    assert after.keys() >= before.keys()
    moved = sum(one.rows_in for one in next_day.deliveries.values())
    assert 0 < sum(after[key] != before.get(key) for key in after) <= 6 * moved

    # What pages say of it.
    seen, detail = asyncio.run(_seen(declared, next(iter(next_day.deliveries))))
    assert seen.published_to["hukou"] == DAY + dt.timedelta(days=1)
    assert {rule.rule for rule in seen.quality["hukou"]} == {
        rule.id for rule in small_city().sources["hukou"].quality
    }
    assert detail is not None
    assert [step.state for step in detail.steps][-1] == "published"


def _versions(database: Any) -> dict[tuple[str, str], int]:
    with psycopg.connect(database.dsn(OWNER)) as connection:
        rows = connection.execute(
            "SELECT register, key, version FROM registers.record WHERE superseded_at IS NULL"
        ).fetchall()
    return {(str(register), str(key)): int(version) for register, key, version in rows}


async def _seen(database: Any, delivery: int) -> Any:
    pool = await open_pool(database.dsn("dizuo_app"), min_size=1, max_size=1)
    try:
        return await sources_seen(pool), await delivery_in_detail(pool, delivery)
    finally:
        await pool.close()
