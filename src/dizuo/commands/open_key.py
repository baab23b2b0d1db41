"""`dizuo open-key`: make, list and revoke the keys with which catalogues are loaded through the CKAN interface.

Works as the loader: the serving processes can check a key, not make one.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from collections.abc import Sequence

from dizuo.commands.database import opened
from dizuo.engines.opendata import ckan
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.store import LOADER, Database, open_pool


class OpenKeyWords(DizuoError):
    """命令不完整：{why}。"""

    fix = "dizuo open-key make 单位代号或* --by 经办人；dizuo open-key revoke 编号 --by 经办人 --why 原因；dizuo open-key list。"


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three; the key is printed once and kept nowhere. Errors: OpenKeyWords, OpenKeyUnknown."""
    city = load_city(arguments.city)
    check(arguments, city)
    with opened(arguments.data.absolute()) as database:
        print(asyncio.run(_act(database, arguments)))
    return 0


def check(arguments: argparse.Namespace, city: City) -> None:
    """Whether the words belong together, and the organisation is declared. Errors: OpenKeyWords."""
    if arguments.action == "list":
        return
    if not arguments.which:
        raise OpenKeyWords(why="没有写给哪个单位或哪把密钥")
    if not arguments.by:
        raise OpenKeyWords(why="没有写由谁经办（--by）")
    if arguments.action == "make" and arguments.which != "*" and arguments.which not in city.organisations:
        raise OpenKeyWords(why=f"城市里没有单位 {arguments.which}")
    if arguments.action == "revoke" and not (arguments.which.isdigit() and arguments.why):
        raise OpenKeyWords(why="停用要写密钥编号和原因（--why）")


async def _act(database: Database, arguments: argparse.Namespace) -> str:
    pool, now = await open_pool(database.dsn(LOADER), min_size=1, max_size=2), SystemNow()
    try:
        if arguments.action == "make":
            life = dt.timedelta(days=arguments.days)
            number, key = await ckan.make_key(pool, now, arguments.which, by=arguments.by, life=life)
            return f"{key}\nKey {number} of {arguments.which}. It is shown this once; only its hash is kept."
        if arguments.action == "revoke":
            whose = await ckan.revoke_key(pool, now, int(arguments.which), by=arguments.by, why=arguments.why)
            return f"Key {arguments.which} of {whose} is revoked."
        return _listed(await ckan.keys(pool))
    finally:
        await pool.close()


def _listed(keys: Sequence[ckan.OpenKey]) -> str:
    lines: list[str] = []
    for key in keys:
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d}"
        lines.append(f"{key.id:>4}  {key.organisation:20} {state:20} by {key.made_by}")
    return "\n".join(lines) or "No keys."
