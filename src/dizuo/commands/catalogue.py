"""`dizuo catalogue`: publish the catalogue of data resources, audit it, import a department's sheet."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from dizuo.commands.database import opened
from dizuo.engines.exchange import catalogue
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import APP, Database, Pool, discover, migrate, open_pool


class CatalogueWords(Invalid):
    """命令不完整：导入要写文件和经办人。"""

    fix = "dizuo catalogue import 目录.xlsx --by 经办人 [--department 部门] [--report 报告.csv]。"


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three. Exit code 1 when findings stand or rows were rejected. Errors: CatalogueWords, SheetUnreadable."""
    if arguments.action == "import" and not (arguments.file and arguments.by):
        raise CatalogueWords({"file": "导入要写文件和经办人。"})
    content = b"" if arguments.action != "import" else _content(arguments.file)
    city = load_city(arguments.city)
    with opened(arguments.data.absolute()) as database:
        code, told = asyncio.run(_act(database, city, arguments, content))
    if told is not None and arguments.report is not None:
        arguments.report.write_bytes(catalogue.report_csv(told))
    return code


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogueWords({"file": f"读不了文件 {path}。"}) from error


async def _act(
    database: Database, city: City, arguments: argparse.Namespace, content: bytes
) -> tuple[int, catalogue.ImportReport | None]:
    await migrate(database, discover())
    pool = await open_pool(database.dsn(APP), min_size=1, max_size=2)
    try:
        match arguments.action:
            case "publish":
                return await _publish(pool, city), None
            case "audit":
                return await _audit(pool, city, arguments.data.absolute()), None
            case _:
                return await _import(pool, city, arguments, content)
    finally:
        await pool.close()


async def _publish(pool: Pool, city: City) -> int:
    done = await catalogue.publish_catalogue(pool, city, SystemNow()())
    counts = ", ".join(
        f"{len(getattr(done, what))} {what}" for what in ("new", "changed", "offline", "online")
    )
    print(f"{counts}; {len(await catalogue.resources(pool))} resources")
    return 0


async def _audit(pool: Pool, city: City, data: Path) -> int:
    ran = await catalogue.audit_catalogue(pool, city, SystemNow()(), "command", data=data)
    for one in await catalogue.findings(pool):
        whose = (
            city.organisations[one.organisation].short.zh
            if one.organisation in city.organisations
            else one.organisation
        )
        print(f"{one.rule:4} {one.severity:5} {catalogue.FINDING_STATES[one.state]}  {whose}  {one.says()}")
    print(f"{ran.found} stand: {ran.opened} new, {ran.reopened} back; {ran.closed} gone")
    return 1 if ran.found else 0


async def _import(
    pool: Pool, city: City, arguments: argparse.Namespace, content: bytes
) -> tuple[int, catalogue.ImportReport]:
    name, default = arguments.file.name, arguments.department or None
    report = await catalogue.import_catalogue(
        pool, city, content, name, arguments.by, SystemNow()(), default=default
    )
    for row in report.rows:
        why = "；".join([*(f"{fault.why}，{fault.fix}" for fault in row.faults), *row.notes])
        print(f"{row.line:>6} {catalogue.VERDICTS[row.verdict]}  {row.title}  {row.code}  {why}".rstrip())
    print(f"{report.taken} of {len(report.rows)} rows are in the catalogue; report {report.id}")
    return (1 if report.count("rejected") else 0), report
