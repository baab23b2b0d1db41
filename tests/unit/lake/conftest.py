"""Fixtures for the lake: the declared city."""

from __future__ import annotations

from pathlib import Path

import pytest

from dizuo.engines.registers.publish import publish
from dizuo.foundation.blueprint import City, load_city

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
async def declared(pg, city: City) -> City:
    async with pg() as conn:
        await publish(conn, city)
    return city
