"""Connections: who they are, how they map jsonb, what a transaction is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.foundation.store import Pool, begin, connect, open_pool
from dizuo.foundation.store.errors import DatabaseUnavailable


async def test_each_pool_is_its_role(app_pool: Pool, owner_pool: Pool, sealer_pool: Pool) -> None:
    names = [await pool.fetchval("SELECT current_user") for pool in (app_pool, owner_pool, sealer_pool)]
    assert names == ["dizuo_app", "dizuo_owner", "dizuo_sealer"]


@pytest.mark.parametrize(
    "value", [{"a": [1, "ü龘𠮷", None, True, 1.5]}, [], "text", 0, False, {"deep": {"er": [{}]}}]
)
async def test_jsonb_is_python(app_pool: Pool, value: object) -> None:
    assert await app_pool.fetchval("SELECT $1::jsonb", value) == value


async def test_sessions_speak_the_citys_time(app_pool: Pool) -> None:
    assert await app_pool.fetchval("SELECT '2026-11-23 00:30+08'::timestamptz::date::text") == "2026-11-23"


async def test_raising_rolls_back_and_returning_commits(
    app_pool: Pool, frozen_now: FrozenNow, owner_pool: Pool
) -> None:
    async with begin(app_pool, frozen_now) as tx:
        assert tx.now == frozen_now()
        await tx.conn.execute("INSERT INTO store.outbox (topic, payload) VALUES ('kept', '{}')")

    async def fail() -> None:
        async with begin(app_pool, frozen_now) as tx:
            await tx.conn.execute("INSERT INTO store.outbox (topic, payload) VALUES ('lost', '{}')")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await fail()
    rows = await owner_pool.fetch("SELECT topic FROM store.outbox")
    assert [row["topic"] for row in rows] == ["kept"]


async def test_a_failed_statement_does_not_poison_the_pool(database: Any) -> None:
    pool = await open_pool(database.dsn("dizuo_app"), min_size=1, max_size=1)
    try:
        with pytest.raises(asyncpg.PostgresError):
            await pool.fetchval("SELECT 1/0")
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")  # left open by mistake
            await connection.execute("INSERT INTO store.outbox (topic, payload) VALUES ('open', '{}')")
        assert await pool.fetchval("SELECT count(*) FROM store.outbox WHERE topic = 'open'") == 0
    finally:
        await pool.close()


async def test_an_unreachable_database_is_told(database: Any) -> None:
    wrong: Callable[[str], str] = lambda dsn: dsn.replace("port=5432", "port=5433")  # noqa: E731
    with pytest.raises(DatabaseUnavailable):
        await open_pool(wrong(database.dsn("dizuo_app")))
    with pytest.raises(DatabaseUnavailable):
        await connect(wrong(database.dsn("dizuo_app")))
