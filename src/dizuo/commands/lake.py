"""`dizuo lake`: what departments deliver, on its way into the registers."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from pathlib import Path
from typing import Any

from dizuo.commands import building, progress
from dizuo.commands.database import opened
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import APP, LOADER, Database, open_pool


def run(arguments: argparse.Namespace) -> int:
    """Receive a file or a simulated folder, pull a table, or take everything received as far as it can go."""
    city = load_city(arguments.city)
    data: Path = arguments.data.absolute()
    with progress.shown() as tell, opened(data, lambda step: tell(step, 0, 0)) as database:
        asyncio.run(building.publish(database, city, tell, data))
        return asyncio.run(_do(arguments, database, city, data, tell))


async def _do(
    arguments: argparse.Namespace, database: Database, city: City, data: Path, tell: building.Tell
) -> int:
    # Loaded by name, so that starting any other command does not load the columnar libraries.
    intake: Any = importlib.import_module("dizuo.engines.lake.intake")
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    try:
        mine = intake.Intake.of(pool, city, data)
        match arguments.action:
            case "receive":
                got = await intake.receive(
                    mine, arguments.source, arguments.path, arguments.period, mode=arguments.mode
                )
                _say([got.delivery], f"{'received' if got.new else 'known already'}")
            case "pull":
                address = intake.source_address(data, arguments.source)
                pulled = await intake.pull(mine, arguments.source, address)
                _say([] if pulled is None else [pulled.delivery], "pulled")
            case "take":
                taking: Any = importlib.import_module("dizuo.engines.lake.taking")
                door = await open_pool(database.dsn(APP), min_size=1, max_size=2)
                try:
                    _say(
                        await taking.take_folder(
                            mine, arguments.path, until=arguments.until, after=arguments.after, tables=arguments.tables,
                            door=intake.Intake.of(door, city, data), tell=tell,
                        ),
                        "taken",
                    )  # fmt: skip
                finally:
                    await door.close()
            case "release":
                _say(
                    [await intake.release_held(mine, arguments.delivery, by=arguments.by, why=arguments.why)],
                    "released",
                )
            case "refuse":
                _say(
                    [await intake.refuse(mine, arguments.delivery, by=arguments.by, why=arguments.why)],
                    "refused",
                )
            case _:
                return await _run(arguments, database, city, data, tell)
    finally:
        await pool.close()
    return 0


async def _run(
    arguments: argparse.Namespace, database: Database, city: City, data: Path, tell: building.Tell
) -> int:
    pipeline: Any = importlib.import_module("dizuo.engines.lake.pipeline")
    ran = await pipeline.run_lake(
        database,
        city,
        data,
        memory=arguments.memory,
        tell=tell,
        rebuild=arguments.rebuild,
        ready=arguments.ready,
    )
    await building.people(database, city, data, data / "deliveries")
    _say(list(ran.deliveries.values()), "now")
    for stage in ran.stages:
        rate = stage.rows / max(stage.seconds, 1e-9)
        print(f"{stage.name}　{stage.rows:,} rows in {stage.seconds:.1f} s, {rate:,.0f} rows/s")
    if ran.asked:
        print(f"{ran.asked:,} pairs of records wait for two officials each")
    waiting = pipeline.late(ran.deliveries.values())
    return 1 if waiting else 0


def _say(deliveries: list[Any], what: str) -> None:
    for one in deliveries:
        why = f"  {one.why_says}" if one.why_says else ""
        print(
            f"{one.id:>6} {one.source:20} up to {one.period} {what}: {one.state:12} {one.rows_in:>10,} rows,"
            f" {one.rows_published:,} published, {one.rows_merged:,} merged, {one.rows_held:,} held, {one.rows_rejected:,} rejected{why}"
        )
