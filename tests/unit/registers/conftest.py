"""The small city in a database, delivered by its departments as the loader does it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from small_city import DELIVERED, FATHER, MOTHER, PEOPLE, STRANGER, small_city

from dizuo.engines.registers import Actor, Registers, publish
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.policy import Policy


@dataclass(frozen=True)
class Town:
    """The small city in a database: its declarations, its policy, its door, and ids by citizen number."""

    city: City
    policy: Policy
    registers: Registers
    ids: Mapping[str, int]
    deliver: Callable[..., Awaitable[dict[str, int]]]

    def resident(self, number: str = MOTHER, **more: Any) -> Actor:
        return Actor("resident", subject=self.ids[number], name="本人", **more)


@pytest.fixture(scope="module")
async def town(pg: Any, app_pool: Any) -> Town:
    """Declarations published, people delivered by their departments."""
    city = small_city()
    async with pg() as owner:
        await publish(owner, city)

    async def deliver(
        rows: list[tuple[str, str, str, dict[str, Any]]], source: str, on: dt.date = DELIVERED
    ) -> dict[str, int]:
        """Land and absorb the rows of one department as the loader does."""
        load = uuid.uuid4()
        columns = ["load", "line", "register", "key", "source", "source_date", "data"]
        async with pg("dizuo_loader") as loader:
            await loader.copy_records_to_table(
                "intake",
                schema_name="registers",
                columns=columns,
                records=[(load, n, r, key, source, on, data) for n, (r, key, _, data) in enumerate(rows)],
            )
            return await loader.fetchval("SELECT registers.absorb($1, $2)", load, {"delivery": source})

    for source in ("psb", "data", "health", "civil"):
        await deliver([row for row in PEOPLE if row[2] == source], source)
    async with pg("dizuo_loader") as loader:
        numbers = [MOTHER, FATHER, STRANGER]
        ids = await loader.fetchval("SELECT registers.identities('citizen_id', $1)", numbers)
    policy = Policy.from_city(city)
    return Town(
        city, policy, Registers(app_pool, city, policy), dict(zip(numbers, ids, strict=True)), deliver
    )
