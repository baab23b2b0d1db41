"""Builds a running city from its declarations: structure, rules, and in a demonstration its invented people."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dizuo.engines import directory, exchange, lake, registers
from dizuo.engines.directory import Representation, SeedPerson
from dizuo.foundation.blueprint import City
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import APP, OWNER, Database, connect, discover, migrate, open_pool
from dizuo.settings import Settings

Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is (0: unknown)."""

KEEP_SESSIONS = dt.timedelta(days=7)


async def publish(database: Database, city: City, tell: Tell, data: Path | None = None) -> None:
    """Bring the structure up to date and make this version of the declarations the one in force.

    ``data`` is the installation's folder, for the audit of what the lake holds.
    """
    tell("数据库结构", 0, 0)
    await migrate(database, discover())
    conn = await connect(database.dsn(OWNER))
    try:
        tell("登记簿和调取规则", 0, 0)
        await registers.publish(conn, city)
        tell("机构和岗位", 0, 0)
        await directory.publish_units(conn, city)
        await exchange.publish_departments(conn, city)
        await directory.forget_sessions(conn, SystemNow()() - KEEP_SESSIONS)
    finally:
        await conn.close()
    tell("资源目录", 0, 0)
    pool = await open_pool(database.dsn(APP), min_size=1, max_size=2)
    try:
        done = await exchange.publish_catalogue(pool, city, SystemNow()())
        # An empty city is audited by the clerk, once it is filled.
        if done.entry is not None and await registers.holdings(pool):
            await exchange.catalogue.audit_catalogue(pool, city, SystemNow()(), "publish", data=data)
    finally:
        await pool.close()


async def filled(database: Database, folder: Path) -> bool:
    """Whether records are there, and the demonstration whose deliveries are in ``folder``, if one was begun, has its accounts."""
    conn = await connect(database.dsn(OWNER))
    try:
        if not await conn.fetchval("SELECT EXISTS (SELECT 1 FROM registers.record)"):
            return False
        begun = (folder / lake.MANIFEST).exists()
        # Accounts are the last step: a start that was stopped before them is made good by the next one.
        return not begun or bool(
            await conn.fetchval("SELECT EXISTS (SELECT 1 FROM directory.account WHERE demo_key IS NOT NULL)")
        )
    finally:
        await conn.close()


async def fill(database: Database, city: City, settings: Settings, tell: Tell) -> None:
    """Invent the departments' deliveries and take them through the lake into the registers (演示数据)."""
    # Loaded by name, so that a later start does not load the columnar libraries.
    demonstrate: Any = importlib.import_module("dizuo.engines.lake.demonstrate")
    await demonstrate.demonstrate(
        database, city, settings.data, settings.deliveries,
        people=settings.people, seed=settings.seed, day=SystemNow()().date(), workers=settings.workers, tell=tell,
    )  # fmt: skip


async def people(database: Database, city: City, data: Path, folder: Path) -> None:
    """After a run of the lake in ``data``: who represents which enterprise; in a demonstration, accounts for the named
    characters of the deliveries in ``folder`` and for officials."""
    represented: Any = importlib.import_module("dizuo.engines.lake.represented")
    found = [
        Representation(r.enterprise, r.person, r.name, r.as_of)
        for r in represented.representatives(database, city, data)
    ]
    conn = await connect(database.dsn(OWNER))
    try:
        await directory.publish_representations(conn, found)
        if city.demonstration and (folder / lake.MANIFEST).exists():
            told = lake.read_demonstration(folder)
            known = lake.demo_subjects(database, told.demo)
            seeds = [SeedPerson(p.key, known[p.citizen_id], p.name, p.note_zh, p.note_en) for p in told.demo]
            await directory.seed_demo(conn, city, seeds, told.day)
    finally:
        await conn.close()
    await shares(database, city)


async def shares(database: Database, city: City) -> int:
    """In a demonstration: invented requests for data between departments (演示数据), by the officials whom the sign-in offers.

    Returns how many there are; none where requests exist already, or nobody may make one.
    """
    if not city.demonstration:
        return 0
    now = SystemNow()
    pool = await open_pool(database.dsn(APP), min_size=1, max_size=2)
    try:
        rooms = directory.Directory(pool, city, now)
        officials: dict[tuple[str, str], registers.Actor] = {}
        for one in await rooms.demo_people():
            if one.kind != "official":
                continue
            account = await rooms.account(one.account)
            for post in account.posts:
                actor = registers.Actor(
                    "official", official=str(account.id), post=post.post, unit=post.organisation, place=post.division,
                    name=account.name, powers=post.powers,
                )  # fmt: skip
                for power in post.powers:
                    officials.setdefault((post.organisation, power), actor)
        return await exchange.requests.demonstrate(pool, city, officials, now())
    finally:
        await pool.close()
