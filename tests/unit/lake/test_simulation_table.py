"""The medical insurance's own table: filled from the delivery, twice the same, pulled by watermark."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dizuo.engines.lake.simulation import SourcesManifest, fill_table, simulate_sources
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.store import OWNER

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
def delivered(city: City, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SourcesManifest]:
    out = tmp_path_factory.mktemp("medical")
    return out, simulate_sources(city, out, people=6_000, seed=9, day=DAY, days=1, workers=1)


async def test_the_table_holds_each_row_once_and_takes_the_days_changes(
    database: Any, pg: Any, city: City, delivered: tuple[Path, SourcesManifest]
) -> None:
    folder, manifest = delivered
    source = city.sources["medical_insurance"]
    first, second = (f for f in manifest.deliveries if f.source == source.id)
    assert first.table == "share.insured_person"
    dsn = database.dsn(OWNER)
    assert fill_table(dsn, source, folder / first.path) == first.rows
    async with pg() as conn:
        count, before = await conn.fetchrow("select count(*), max(更新时间) from share.insured_person")
        assert first.rows - 30 < count <= first.rows
        assert before.date() <= DAY
    assert fill_table(dsn, source, folder / first.path) == first.rows
    async with pg() as conn:
        assert await conn.fetchval("select count(*) from share.insured_person") == count
    fill_table(dsn, source, folder / second.path)
    async with pg() as conn:
        query = "select count(*) from share.insured_person where 更新时间 > $1"
        assert 0 < await conn.fetchval(query, before) <= second.rows
