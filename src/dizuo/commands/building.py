"""Builds a running city from its declarations: structure, rules, and in a demonstration its invented people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from dizuo.engines import directory, lake, registers
from dizuo.engines.directory import Representation, SeedPerson
from dizuo.engines.lake import Manifest
from dizuo.foundation.blueprint import City
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import OWNER, Connection, Database, connect, discover, migrate
from dizuo.settings import Settings

Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is (0: unknown)."""

# Who may act for an enterprise is the enterprise register's word; the owner copies it for signing in.
_REPRESENTATIVES = """
SELECT e.id AS enterprise, p.id AS person, r.data ->> 'name' AS name, r.valid_from AS as_of
FROM registers.record r
JOIN registers.identity e ON e.scheme = 'uscc' AND e.number = r.data ->> 'uscc'
JOIN registers.identity p ON p.scheme = 'citizen_id' AND p.number = r.data ->> 'legal_citizen_id'
WHERE r.register = 'enterprise' AND r.superseded_at IS NULL
"""


async def publish(database: Database, city: City, tell: Tell) -> None:
    """Bring the structure up to date and make this version of the declarations the one in force."""
    tell("数据库结构", 0, 0)
    await migrate(database, discover())
    conn = await connect(database.dsn(OWNER))
    try:
        tell("登记簿和调取规则", 0, 0)
        await registers.publish(conn, city)
        tell("机构和岗位", 0, 0)
        await directory.publish_units(conn, city)
    finally:
        await conn.close()


async def filled(database: Database) -> bool:
    """Whether any record is there already."""
    conn = await connect(database.dsn(OWNER))
    try:
        return bool(await conn.fetchval("SELECT EXISTS (SELECT 1 FROM registers.record)"))
    finally:
        await conn.close()


def fill(database: Database, city: City, settings: Settings, tell: Tell) -> Manifest:
    """Invent the departments' deliveries and load them (演示数据)."""
    today = SystemNow()().date()
    lake.simulate(city, settings.deliveries, settings.people, settings.seed, today, tell)
    return lake.load(database, city, settings.deliveries, tell).manifest


async def people(database: Database, city: City, folder: Path) -> None:
    """Say who represents which enterprise; in a demonstration give the named characters and officials accounts."""
    conn = await connect(database.dsn(OWNER))
    try:
        if "enterprise" in city.registers:
            rows = await conn.fetch(_REPRESENTATIVES)
            found = [Representation(r["enterprise"], r["person"], r["name"], _date(r["as_of"])) for r in rows]
            await directory.publish_representations(conn, found)
        if city.demonstration and (folder / "manifest.json").exists():
            await _accounts(conn, city, lake.read_manifest(folder))
    finally:
        await conn.close()


async def _accounts(conn: Connection, city: City, manifest: Manifest) -> None:
    numbers = [person.citizen_id for person in manifest.demo]
    rows = await conn.fetch(
        "SELECT number, id FROM registers.identity WHERE scheme = 'citizen_id' AND number = ANY ($1::text[])",
        numbers,
    )
    known = {row["number"]: row["id"] for row in rows}
    seeds = [
        SeedPerson(p.key, known[p.citizen_id], p.name, p.note_zh, p.note_en)
        for p in manifest.demo
        if p.citizen_id in known
    ]
    await directory.seed_demo(conn, city, seeds, manifest.today)


def _date(value: object) -> dt.date:
    return (
        value.date()
        if isinstance(value, dt.datetime)
        else value
        if isinstance(value, dt.date)
        else dt.date.min
    )
