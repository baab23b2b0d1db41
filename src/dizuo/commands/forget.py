"""`dizuo forget`: erase what is personal about one person in old ledger entries and ended cases (个人信息保护法 47 条).

The only command that opens a connection of the role `dizuo_eraser`; entries and proofs stay, and so does a document that
is valid.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt

from dizuo.commands.database import opened
from dizuo.engines.cases import Forgotten, forget_cases
from dizuo.engines.registers import forget
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.store import ERASER, Database, begin, open_pool

KEEP_YEARS = 3
"""记录至少保存三年 (网络数据安全管理条例第十二条)."""


class BasisUnknown(DizuoError):
    """城市的法规里没有 {basis}。"""

    fix = "写成“法规:条”；还没有这一条时，先写进城市文件夹的 laws。"


class KeptLonger(DizuoError):
    """{before} 之后的记录还要保存：法律要求至少 {years} 年。"""

    fix = "--before 最晚写 {latest}。"


def run(arguments: argparse.Namespace) -> int:
    """Erase, in one transaction, and say how many entries it was. Errors: BasisUnknown, KeptLonger."""
    city = load_city(arguments.city)
    check_basis(city, arguments.basis)
    latest = latest_before(SystemNow()())
    if arguments.before > latest:
        raise KeptLonger(before=arguments.before.date(), years=KEEP_YEARS, latest=latest.date())
    with opened(arguments.data.absolute()) as database:
        count, cases = asyncio.run(_forget(database, arguments))
    print(
        f"{count:,} entries about identity {arguments.subject} made before {arguments.before.date()} hold nothing "
        "personal any more. The entries themselves and every proof of them stay."
    )
    print(
        f"{cases.own:,} cases of this person that ended before that day hold no name, answer, file or message any more "
        f"({cases.files:,} files went), and {cases.others:,} cases of others nothing of this person."
    )
    if cases.kept:
        print(f"{cases.kept:,} documents stay, because they are valid: they are the person's titles.")
    return 0


def check_basis(city: City, basis: str) -> None:
    """Whether the city knows that article. Errors: BasisUnknown."""
    law, _, article = basis.partition(":")
    if law not in city.laws or article not in city.laws[law].articles:
        raise BasisUnknown(basis=basis)


def latest_before(now: dt.datetime) -> dt.datetime:
    """The first moment that must still be kept; 29 February counts as 28."""
    day = now.date()
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return dt.datetime.combine(day.replace(year=day.year - KEEP_YEARS), dt.time(), now.tzinfo)


async def _forget(database: Database, arguments: argparse.Namespace) -> tuple[int, Forgotten]:
    pool = await open_pool(database.dsn(ERASER), min_size=1, max_size=1)
    before, basis, case = arguments.before, arguments.basis, arguments.case
    try:
        async with begin(pool, SystemNow()) as tx:
            cases = await forget_cases(tx, arguments.subject, before=before, basis=basis, case=case)
            entries = await forget(tx, arguments.subject, before=before, basis=basis, case=case)
            return entries, cases
    finally:
        await pool.close()
