"""Wuxi's datasets published into an empty city's database; ``another_release`` of datasets made up for a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from open_datasets import CITY, DAY, STATISTICS

from dizuo.engines.opendata import DatasetSeen, Published, dataset, publish_datasets
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.model_dataset import Dataset

Release = Callable[..., Awaitable[Published]]


@pytest.fixture(scope="session")
def wuxi() -> City:
    return load_city(CITY)


@pytest.fixture(scope="module")
async def published(pg: Any, wuxi: City) -> dict[str, Published]:
    """Every declared dataset, published."""
    async with pg() as owner:
        told = await publish_datasets(owner, wuxi, CITY, DAY, STATISTICS)
    return {one.dataset: one for one in told}


@pytest.fixture
async def another_release(pg: Any, wuxi: City) -> Release:
    """Publish rows as one made-up dataset: ``await another_release(dataset, rows, day)``."""

    async def publish(one: Dataset, rows: Sequence[Mapping[str, object]], day: dt.date = DAY) -> Published:
        async def supply() -> Sequence[Mapping[str, object]]:
            return rows

        city = msgspec.structs.replace(wuxi, datasets={one.id: one})
        async with pg() as owner:
            (told,) = await publish_datasets(owner, city, CITY, day, {"work": supply}, only=one.id)
        return told

    return publish


@pytest.fixture
def seen(app_pool: Any) -> Callable[[str], Awaitable[DatasetSeen]]:
    """A dataset as the web's role sees it."""

    async def look(id: str) -> DatasetSeen:
        return await dataset(app_pool, id)

    return look
