"""`dizuo source-key`: make, list and revoke the keys with which departments' systems push records.

Works as the loader: the serving processes can check a key, not make one.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from pathlib import Path

from dizuo.commands.database import opened
from dizuo.engines.lake import intake
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.store import LOADER, Database, open_pool


class SourceKeyWords(DizuoError):
    """命令不完整：{why}。"""

    fix = "dizuo source-key make 数据源 --by 经办人；dizuo source-key revoke 编号 --by 经办人 --why 原因；dizuo source-key list [数据源]。"


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three; the key is printed once and kept nowhere. Errors: SourceKeyWords, SourceUnknown, SourceKeyUnknown."""
    check(arguments)
    city = load_city(arguments.city)
    data = arguments.data.absolute()
    with opened(data) as database:
        print(asyncio.run(_act(database, city, data, arguments)))
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Whether the words belong together. Errors: SourceKeyWords."""
    if arguments.action == "list":
        return
    if not arguments.which:
        raise SourceKeyWords(why="没有写是哪个数据源或哪把密钥")
    if not arguments.by:
        raise SourceKeyWords(why="没有写由谁经办（--by）")
    if arguments.action == "revoke" and not (arguments.which.isdigit() and arguments.why):
        raise SourceKeyWords(why="停用要写密钥编号和原因（--why）")


async def _act(database: Database, city: City, data: Path, arguments: argparse.Namespace) -> str:
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=2)
    try:
        desk = intake.Intake.of(pool, city, data)
        if arguments.action == "make":
            life = dt.timedelta(days=arguments.days)
            number, key = await intake.make_key(
                desk, arguments.which, by=arguments.by, note=arguments.note, life=life
            )
            return f"{key}\nKey {number} of {arguments.which}. It is shown this once; only its hash is kept."
        if arguments.action == "revoke":
            source = await intake.revoke_key(desk, int(arguments.which), by=arguments.by, why=arguments.why)
            return f"Key {arguments.which} of {source} is revoked."
        return _listed(await intake.source_keys(desk, arguments.which or None))
    finally:
        await pool.close()


def _listed(keys: tuple[intake.SourceKey, ...]) -> str:
    if not keys:
        return "No keys."
    lines: list[str] = []
    for key in keys:
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d}"
        used = f"{key.used_at:%Y-%m-%d %H:%M}" if key.used_at else "never"
        lines.append(
            f"{key.id:>4}  {key.source:20} {state:20} used {used:17} by {key.made_by}  {key.note}".rstrip()
        )
    return "\n".join(lines)
