"""The declared departments and four resources: unconditional, conditional, not shared, and one that is a draft (演示数据)."""

from __future__ import annotations

from pathlib import Path

import pytest
from share_people import RESOURCES

from dizuo.engines.exchange import requests
from dizuo.foundation.blueprint import City, load_city

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
async def offered(pg, city: City) -> None:
    """Departments published, and the four resources in the catalogue."""
    async with pg() as conn:
        await requests.publish_departments(conn, city)
        for one in RESOURCES:
            await conn.execute(
                "INSERT INTO exchange.resource (code, title, provider, kind, register, fields, share_type, share_condition, share_basis,"
                " update_cycle, state) VALUES ($1, $2, $3, 'register', $4, $5, $6, $7, $8, 'daily', $9)",
                *one,
            )


@pytest.fixture
async def sharing(app_pool, owner_pool, city: City, frozen_now, offered) -> requests.Sharing:
    """Requests on the serving role's pool, at the frozen Monday; rights of earlier tests have ended."""
    await owner_pool.execute(
        "UPDATE exchange.data_grant SET state = 'ended' WHERE state IN ('open', 'suspended')"
    )
    return requests.Sharing(app_pool, city, frozen_now)
