"""The demonstration city comes as a real one would: departments deliver, the lake takes, the registers serve (演示数据).

Loaded by name, because it brings the columnar libraries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from dizuo.engines.lake.intake import Intake
from dizuo.engines.lake.pipeline import Ran, run_lake
from dizuo.engines.lake.simulation import SourcesManifest, simulate_sources
from dizuo.engines.lake.taking import take_folder
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.store import APP, LOADER, OWNER, Database, open_pool

Tell = Callable[[str, int, int], None]


async def demonstrate(
    database: Database,
    city: City,
    data: Path,
    folder: Path,
    *,
    people: int,
    seed: int,
    day: dt.date,
    now: Now | None = None,
    workers: int = 2,
    tell: Tell | None = None,
) -> tuple[SourcesManifest, Ran]:
    """Invent the deliveries of a city of ``people`` residents and the cast, and take them into the registers.

    Shapes: ``data`` is the installation's folder, ``folder`` gets the deliveries. May be repeated after it was killed: bytes
    that were received are known, stages that were done stay done. Errors: those of simulating, of taking and of the stages.
    """
    made = simulate_sources(
        city, folder, people=people, seed=seed, day=day, workers=workers, cast=city.demonstration, tell=tell
    )
    return made, await taken(database, city, data, folder, now=now, workers=workers, tell=tell)


async def taken(
    database: Database,
    city: City,
    data: Path,
    folder: Path,
    *,
    now: Now | None = None,
    workers: int = 2,
    tell: Tell | None = None,
) -> Ran:
    """Take a simulated folder into the registers. Errors: those of taking and of the stages."""
    clock = now or SystemNow()
    loader = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    door = await open_pool(database.dsn(APP), min_size=1, max_size=2)
    try:
        with _department(database, city) as tables:
            await take_folder(
                Intake.of(loader, city, data, clock), folder,
                tables=tables, door=Intake.of(door, city, data, clock), tell=tell,
            )  # fmt: skip
    finally:
        await loader.close()
        await door.close()
    return await run_lake(database, city, data, now=clock, memory="2GB", threads=workers, tell=tell)


@contextmanager
def _department(database: Database, city: City) -> Iterator[str]:
    """A place that stands for the PostgreSQL of departments that are pulled; it goes when it was."""
    address = database.dsn(OWNER)
    schemas = {one.delivery.table.schema for one in city.sources.values() if one.delivery.table is not None}
    try:
        yield address
    finally:
        with psycopg.connect(address) as connection:
            for schema in sorted(schemas):
                connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
