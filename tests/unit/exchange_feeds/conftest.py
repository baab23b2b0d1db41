"""A small register in a database, a grant of one department on it, and a consumer that listens: everything invented."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from feed_consumer import Consumer

FIELDS = """
INSERT INTO registers.field (register, field, source, type, is_key, lookup, subject) VALUES
 ('person', 'citizen_id', 'psb', 'citizen_id', true, true, 'citizen_id'), ('person', 'name', 'psb', 'text', false, false, NULL),
 ('person', 'phone', 'psb', 'text', false, false, NULL), ('person', 'illness', 'psb', 'text', false, false, NULL),
 ('person', 'born_on', 'psb', 'date', false, false, NULL), ('person', 'height', 'psb', 'number', false, false, NULL),
 ('person', 'alive', 'psb', 'boolean', false, false, NULL),
 ('street', 'code', 'psb', 'text', true, true, NULL), ('street', 'title', 'psb', 'text', false, false, NULL)
"""
RESOURCE = """
INSERT INTO exchange.resource (code, title, provider, kind, register, share_type, update_cycle, fields)
SELECT $1, $1, 'psb', 'register', $2, 2, 'realtime', jsonb_agg(jsonb_build_object('id', f.field))
FROM registers.field f WHERE f.register = $2
"""
GRANT = """
INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, basis, methods, per_day, starts, expires)
VALUES ($1, $2, $3, '为老年人发放补贴', 'elderly-2018:33', ARRAY['subscribe', 'bulk', 'query', 'batch'], 1000, current_date - 30,
        current_date + 30) RETURNING id
"""


@dataclass
class Base:
    """A base with one register of people and one of streets."""

    pg: Any
    pool: Any
    number: int = 0
    people: list[str] = field(default_factory=list)

    def new_number(self) -> str:
        self.number += 1
        stem = f"32021319{50 + self.number // 1000 % 50:02d}0101{self.number % 1000:03d}"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        total = sum(w * int(d) for w, d in zip(weights, stem, strict=True))
        return stem + "10X98765432"[total % 11]

    async def put(self, key: str, register: str = "person", **values: Any) -> None:
        """One record's delivery, absorbed as the loader does it."""
        load = uuid.uuid4()
        own = {"citizen_id": key} if register == "person" else {"code": key}
        async with self.pg("dizuo_loader") as loader:
            await loader.execute(
                "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
                " VALUES ($1, 1, $2, $3, 'psb', current_date, $4)",
                load, register, key, {**own, **values},
            )  # fmt: skip
            await loader.fetchval("SELECT registers.absorb($1, '{}')", load)

    async def people_in(self, count: int, **values: Any) -> list[str]:
        """New people, each a change of its own."""
        keys = [self.new_number() for _ in range(count)]
        load = uuid.uuid4()
        rows = [
            (load, n, "person", key, "psb", {"citizen_id": key, "name": f"演示{n}", **values})
            for n, key in enumerate(keys, 1)
        ]
        async with self.pg("dizuo_loader") as loader:
            await loader.executemany(
                "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
                " VALUES ($1, $2, $3, $4, $5, current_date, $6)",
                rows,
            )
            await loader.fetchval("SELECT registers.absorb($1, '{}')", load)
        return keys

    async def grant(
        self, consumer: str = "civil", fields: tuple[str, ...] = ("name", "phone"), resource: str = "R/person"
    ) -> int:
        async with self.pg() as owner:
            return await owner.fetchval(GRANT, consumer, resource, list(fields))

    async def change_grant(self, grant: int, what: str) -> None:
        # As an accident would have it: the rules of the right are the requests' own, tested there.
        async with self.pg() as owner, owner.transaction():
            await owner.execute("ALTER TABLE exchange.data_grant DISABLE TRIGGER rules")
            await owner.execute(
                f"UPDATE exchange.data_grant SET {what}, version = version + 1 WHERE id = $1", grant
            )
            await owner.execute("ALTER TABLE exchange.data_grant ENABLE TRIGGER rules")

    async def entries(self, kind: str = "register.read", **body: Any) -> list[dict[str, Any]]:
        """Ledger entries of a kind whose body has these values, oldest first."""
        async with self.pg() as owner:
            rows = await owner.fetch(
                "SELECT subject, body, payload FROM ledger.entry WHERE kind = $1 AND body @> $2 ORDER BY id",
                kind,
                body,
            )
        return [dict(row) for row in rows]


@pytest.fixture(scope="module")
async def base(pg: Any, app_pool: Any) -> Base:
    """Registers and resources declared; nobody in them yet."""
    async with pg() as owner:
        await owner.execute(FIELDS)
        await owner.execute(
            "INSERT INTO exchange.department (id, name, uscc) SELECT d, d, d FROM unnest('{civil,health,psb}'::text[]) AS d"
        )
        for code, register in (("R/person", "person"), ("R/street", "street")):
            await owner.execute(RESOURCE, code, register)
    return Base(pg, app_pool)


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    """A consumer's server that writes down what it is sent."""
    one = Consumer()
    await one.open()
    try:
        yield one
    finally:
        await one.close()


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    async def wait(true: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)

    return wait
