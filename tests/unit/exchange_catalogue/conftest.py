"""Fixtures for the catalogue: the declared city, published."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from dizuo.engines import registers
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)


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
