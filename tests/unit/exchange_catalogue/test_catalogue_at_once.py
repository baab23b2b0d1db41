"""Two publications, two audits, two imports at once: one after the other, nothing double, no code twice."""

from __future__ import annotations

import asyncio
from datetime import datetime

from dizuo.engines.exchange import catalogue
from dizuo.foundation.blueprint import City
from dizuo.foundation.store import Pool

SHEET = "信息资源名称,信息资源提供方,信息资源摘要,信息资源格式,信息项名称,共享类型,更新周期\n{},市城管局,路灯,库表,编号,无条件共享,每月\n"


async def test_four_publications_at_once(app_pool: Pool, declared: City, now: datetime) -> None:
    done = await asyncio.gather(*(catalogue.publish_catalogue(app_pool, declared, now) for _ in range(4)))
    assert sorted(len(one.new) for one in done)[:3] == [0, 0, 0]
    assert len(await catalogue.resources(app_pool)) == len(declared.registers) + len(declared.sources)


async def test_four_audits_at_once(app_pool: Pool, declared: City, now: datetime) -> None:
    await catalogue.publish_catalogue(app_pool, declared, now)
    ran = await asyncio.gather(*(catalogue.audit_catalogue(app_pool, declared, now) for _ in range(4)))
    found = await catalogue.findings(app_pool)
    assert sum(one.opened for one in ran) == len(found) == len({(one.rule, one.about) for one in found})
    assert {(one.reopened, one.closed) for one in ran} == {(0, 0)}


async def test_imports_at_once_share_no_code(app_pool: Pool, declared: City, now: datetime) -> None:
    sheets = [SHEET.format(f"资源{place % 5}").encode() for place in range(10)]
    done = await asyncio.gather(
        *(catalogue.import_catalogue(app_pool, declared, sheet, "x.csv", "7", now) for sheet in sheets)
    )
    codes = [row.code for report in done for row in report.rows]
    assert len(set(codes)) == 5
    assert sorted(row.verdict for report in done for row in report.rows) == ["new"] * 5 + ["unchanged"] * 5
