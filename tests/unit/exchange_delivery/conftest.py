"""The exchange on a real database with a few invented people and their houses (演示数据)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from exchange_town import FATHER, MOTHER, PREPARE, STRANGER, ExchangeTown, tiny_city

from dizuo.engines.exchange.delivery import Exchange
from dizuo.foundation.kernel.clock_source import SystemNow

PEOPLE = [
    ("person", MOTHER, "psb", {"citizen_id": MOTHER, "name": "林晓晴"}),
    ("person", MOTHER, "data", {"phone": "13800000001"}),
    ("person", MOTHER, "health", {"illness": "secret"}),
    ("person", FATHER, "psb", {"citizen_id": FATHER, "name": "王启明"}),
    ("person", STRANGER, "psb", {"citizen_id": STRANGER, "name": "周晓"}),
    ("house", "H1", "land", {"number": "H1", "owner_id": MOTHER, "area": 89}),
    ("house", "H2", "land", {"number": "H2", "owner_id": MOTHER, "area": 120}),
    ("house", "H3", "land", {"number": "H3", "owner_id": FATHER, "area": 60}),
]


@pytest.fixture(scope="module")
async def town(
    pg: Any, app_pool: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ExchangeTown]:
    async with pg() as owner:
        await owner.execute(PREPARE)
    async with pg("dizuo_loader") as loader:
        for n, (register, key, source, data) in enumerate(PEOPLE):
            import uuid

            load = uuid.uuid4()
            await loader.execute(
                "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
                " VALUES ($1, $2, $3, $4, $5, current_date, $6)",
                load, n, register, key, source, data,
            )  # fmt: skip
            await loader.fetchval("SELECT registers.absorb($1, '{}')", load)
        numbers = [MOTHER, FATHER, STRANGER]
        ids = await loader.fetchval("SELECT registers.identities('citizen_id', $1)", numbers)
    data: Path = tmp_path_factory.mktemp("exchange")
    exchange = Exchange(app_pool, tiny_city(), data, SystemNow())
    made = ExchangeTown(pg, exchange, data, ids=dict(zip(numbers, ids, strict=True)))
    for consumer in ("hrss", "civil"):
        await made.add_key(consumer)
    await exchange.keys.fresh()
    yield made
    await exchange.close()
