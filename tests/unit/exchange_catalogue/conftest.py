"""Fixtures for the catalogue: the declared city, published."""

from __future__ import annotations

from datetime import datetime

import pytest
from catalogue_records import NOW, ROOT

from dizuo.engines import registers
from dizuo.foundation.blueprint import City, load_city


@pytest.fixture(scope="session")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
async def declared(pg, city: City) -> City:
    async with pg() as conn:
        await registers.publish(conn, city)
    return city


@pytest.fixture
def now() -> datetime:
    return NOW
