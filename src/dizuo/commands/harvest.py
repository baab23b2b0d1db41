"""`dizuo harvest`: from where catalogues of others are taken into ours, and taking them. Works as the loader.

A serving process can add no source: an address decides whom this installation calls.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from dizuo.commands.database import opened
from dizuo.engines.opendata import harvest
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.kinds_dataset import THEMES
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.store import LOADER, OWNER, Database, Pool, connect, open_pool


class HarvestWords(DizuoError):
    """命令不完整：{why}。"""

    fix = "dizuo harvest add 代号 --kind ckan --url https://… --title 名称 --by 经办人；dizuo harvest run [代号]；dizuo harvest list。"


def run(arguments: argparse.Namespace) -> int:
    """Do one of add, stop, start, list, show, run; 1 when a run failed. Errors: HarvestWords, SourceInvalid, HarvestSourceUnknown."""
    check(arguments)
    city = load_city(arguments.city)
    with opened(arguments.data.absolute()) as database:
        return asyncio.run(_act(database, city, arguments))


def check(arguments: argparse.Namespace) -> None:
    """Whether the words belong together. Errors: HarvestWords."""
    if arguments.action in ("add", "stop", "start", "show") and not arguments.source:
        raise HarvestWords(why="没有写哪个来源")
    if arguments.action in ("add", "stop", "start") and not arguments.by:
        raise HarvestWords(why="没有写由谁经办（--by）")
    if arguments.action == "add" and not (arguments.url and arguments.kind and arguments.title):
        raise HarvestWords(why="新来源要写 --kind、--url 和 --title")


async def _act(database: Database, city: City, arguments: argparse.Namespace) -> int:
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    try:
        if arguments.action == "run":
            return await _run(pool, database, city, arguments)
        print(await _tell(pool, arguments))
        return 0
    finally:
        await pool.close()


async def _tell(pool: Pool, arguments: argparse.Namespace) -> str:
    now, source = SystemNow(), str(arguments.source)
    if arguments.action == "add":
        await harvest.add_source(
            pool, now, source, kind=arguments.kind, url=arguments.url, title=arguments.title, by=arguments.by,
            licence=arguments.licence, allowed=arguments.allow, every_hours=arguments.every,
        )  # fmt: skip
        return f"{source} is there. dizuo harvest run {source} takes it."
    if arguments.action in ("stop", "start"):
        started = arguments.action == "start"
        await harvest.stop_source(pool, now, source, by=arguments.by, active=started)
        return (
            f"{source} is {'harvested again' if started else 'harvested no longer; what came of it stays'}."
        )
    if arguments.action == "show":
        await harvest.source(pool, source)
        return _fates(await harvest.fates(pool, source))
    return _listed(await harvest.sources(pool))


async def _run(pool: Pool, database: Database, city: City, arguments: argparse.Namespace) -> int:
    now = SystemNow()
    ids = [arguments.source] if arguments.source else list(await harvest.due(pool, now()))
    reports = await harvest.run_sources(
        pool, now, ids, full=arguments.full, accept_loss=arguments.accept_loss
    )
    for one in reports:
        fates = ", ".join(f"{count} {fate}" for fate, count in sorted(one.fates.items()))
        print(
            f"{one.source}: {one.state}{f' ({fates})' if fates else ''}{f' – {one.why}' if one.why else ''}"
        )
    if not reports:
        print("No source is due.")
    owner = await connect(database.dsn(OWNER))
    try:
        await harvest.index_foreign(owner, _names(city))
    finally:
        await owner.close()
    return int(any(one.state == "failed" for one in reports))


def _names(city: City) -> dict[str, str]:
    """What people call organisations and themes, for the search."""
    units = {one.id: f"{one.name.zh} {one.short.zh} {one.name.en}" for one in city.organisations.values()}
    return {**units, **{f"theme.{theme}": name for theme, name in THEMES.items()}}


def _listed(sources: Sequence[harvest.SourceSeen]) -> str:
    if not sources:
        return "No sources."
    lines: list[str] = []
    for one in sources:
        last = f"{one.state} {one.started_at:%Y-%m-%d %H:%M}" if one.started_at else "never run"
        stopped = "" if one.active else " (stopped)"
        counts = f"{one.shown} shown, {one.offline} offline, {one.refused} refused"
        lines.append(f"{one.id:24} {one.kind:5} {last:24} {counts}{stopped}  {one.title}  {one.url}")
        if one.why:
            lines.append(f"{'':24} {one.why}")
    return "\n".join(lines)


def _fates(fates: Sequence[harvest.Fate]) -> str:
    return (
        "\n".join(
            f"{one.fate:10} {one.dataset or '-':50} {one.identifier}  {one.why}".rstrip() for one in fates
        )
        or "Nothing yet."
    )
