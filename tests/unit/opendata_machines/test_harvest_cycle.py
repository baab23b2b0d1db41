"""Harvests on their cycle: a process for every source that is due; what hangs or breaks keeps no other from its turn."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from elsewhere import Elsewhere, elsewhere

from dizuo import harvester
from dizuo.cli import parser
from dizuo.engines.opendata import harvest
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import LOADER, Pool, open_pool
from dizuo.settings import Runtime

NOW = SystemNow()
SHEET = "标识,名称,摘要\n{0}-1,外市数据一,说明\n{0}-2,外市数据二,说明\n"
# As `dizuo harvest run` does it, on the test's database.
ONE = """
import asyncio, sys
from dizuo.engines.opendata import harvest
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import open_pool
async def main():
    pool = await open_pool(sys.argv[1], min_size=1, max_size=2)
    (report,) = await harvest.run_sources(pool, SystemNow(), [sys.argv[2]])
    await pool.close()
    sys.exit(report.state == "failed")
asyncio.run(main())
"""


@pytest.fixture(scope="module")
async def loader(database: Any) -> AsyncIterator[Pool]:
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    yield pool
    pool.terminate()


@pytest.fixture
def world() -> Iterator[Elsewhere]:
    with elsewhere() as found:
        yield found


async def add(pool: Pool, world: Elsewhere, id: str) -> None:
    await harvest.add_source(
        pool,
        NOW,
        id,
        kind="csv",
        url=f"{world.base}/{id}.csv",
        title=f"来源 {id}",
        by="test",
        allowed=["127.0.0.1/32"],
    )


async def ended(pool: Pool) -> dict[str, str]:
    return {one.id: one.state or "never" for one in await harvest.sources(pool)}


def test_each_source_is_taken_by_the_installation_s_own_command() -> None:
    runtime = Runtime("city", "data", "", "", "", "", "", "")
    words = list(harvester.command_of(runtime)("birds"))
    assert words[:3] == [sys.executable, "-m", "dizuo.cli"]
    read = parser().parse_args(words[3:])
    assert (read.action, read.source, str(read.city), str(read.data)) == ("run", "birds", "city", "data")


async def test_what_is_due_is_taken_side_by_side_and_once(
    loader: Pool, app_pool: Pool, world: Elsewhere, database: Any
) -> None:
    def hangs(query: dict[str, str], headers: Any) -> Any:
        time.sleep(60)
        return 200, {}, b""

    for id in ("good", "other"):
        world.answers[f"/{id}.csv"] = SHEET.format(id).encode()
    world.answers["/hangs.csv"] = hangs
    for id in ("broken", "good", "hangs", "other"):
        await add(loader, world, id)

    def command(source: str) -> Sequence[str]:
        return sys.executable, "-c", textwrap.dedent(ONE), database.dsn(LOADER), source

    clerk = harvester.Harvester(app_pool, NOW, command)
    stop = asyncio.Event()
    assert await clerk.look() == ("broken", "good", "hangs"), "so many at once; the serving role may look"
    assert await clerk.look() == ()
    until = time.monotonic() + 30
    while "other" not in clerk._running and time.monotonic() < until:
        await asyncio.sleep(0.1)
        await clerk.look()
    while (await ended(loader)).get("other") != "done" and time.monotonic() < until:
        await asyncio.sleep(0.1)
    states = await ended(loader)
    assert (states["good"], states["other"], states["broken"]) == ("done", "done", "failed")
    assert states["hangs"] == "running", "and kept nobody from their turn"
    assert await harvest.due(app_pool, NOW()) == ("hangs",)
    # Told to stop: the one under way is ended and goes on at the next look of anybody.
    running = asyncio.create_task(clerk.run(stop))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(running, 15)
    assert clerk._running == {}
    world.answers["/hangs.csv"] = SHEET.format("hangs").encode()
    again = harvester.Harvester(app_pool, NOW, command)
    assert await again.look() == ("hangs",)
    await again.settled()
    assert (await ended(loader))["hangs"] == "done"
    assert await harvest.due(app_pool, NOW()) == ()


async def test_a_process_that_ends_badly_rests_and_one_that_stays_is_ended(
    loader: Pool, app_pool: Pool, world: Elsewhere
) -> None:
    for id in ("rests", "stays"):
        await add(loader, world, id)

    def command(source: str) -> Sequence[str]:
        return (
            sys.executable,
            "-c",
            "import time; time.sleep(60)" if source == "stays" else "raise SystemExit(2)",
        )

    clerk = harvester.Harvester(app_pool, NOW, command, longest=0.5)
    assert set(await clerk.look()) >= {"rests", "stays"}
    began = time.monotonic()
    await asyncio.wait_for(clerk.settled(), 20)
    assert time.monotonic() - began < 15
    assert await clerk.look() == (), "not again at once"
