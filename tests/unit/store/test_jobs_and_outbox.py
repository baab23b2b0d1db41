"""Jobs are done once, at their time, whatever fails; facts of the outbox are read in order, none skipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.foundation.store import Pool, Tx, begin, jobs, outbox
from dizuo.foundation.store.jobs import ATTEMPTS, Job, JobRunner


@pytest.fixture(autouse=True)
async def _empty(owner_pool: Pool) -> AsyncIterator[None]:
    yield
    await owner_pool.execute("TRUNCATE store.job, store.outbox, store.outbox_reader")
    await owner_pool.execute("DROP TABLE IF EXISTS store.effect")


async def _effects(owner_pool: Pool) -> None:
    await owner_pool.execute("CREATE TABLE store.effect (n integer); GRANT ALL ON store.effect TO dizuo_app")


async def test_a_job_runs_once_at_its_time(app_pool: Pool, frozen_now: FrozenNow) -> None:
    seen: list[Job] = []

    async def handle(tx: Tx, job: Job) -> None:
        seen.append(job)

    runner = JobRunner(app_pool, {"warn": handle}, frozen_now)
    async with begin(app_pool, frozen_now) as tx:
        await jobs.put(tx, "warn", frozen_now() + timedelta(minutes=10), {"case": "甲"})
        await jobs.put(tx, "other", frozen_now(), {})
    assert await runner.run_due() == 0
    frozen_now.advance(minutes=10)
    assert await runner.run_due() == 1
    assert await runner.run_due() == 0
    assert [job.payload for job in seen] == [{"case": "甲"}]


async def test_a_key_keeps_one_job_and_moves_it(app_pool: Pool, frozen_now: FrozenNow) -> None:
    seen: list[object] = []

    async def handle(tx: Tx, job: Job) -> None:
        seen.append(job.payload)

    async with begin(app_pool, frozen_now) as tx:
        first = await jobs.put(tx, "effect", frozen_now(), 1, key="a")
        assert await jobs.put(tx, "effect", frozen_now() + timedelta(hours=1), 2, key="a") == first
        await jobs.put(tx, "effect", frozen_now(), 3, key="b")
        assert await jobs.drop(tx, "effect", "b")
        assert not await jobs.drop(tx, "effect", "b")
    runner = JobRunner(app_pool, {"effect": handle}, frozen_now)
    assert await runner.run_due() == 0
    frozen_now.advance(hours=1)
    assert await runner.run_due() == 1
    assert seen == [2]


async def test_a_failed_job_leaves_no_effect_is_tried_again_and_then_parked(
    app_pool: Pool, owner_pool: Pool, frozen_now: FrozenNow
) -> None:
    await _effects(owner_pool)
    healed = False

    async def handle(tx: Tx, job: Job) -> None:
        await tx.conn.execute("INSERT INTO store.effect VALUES (1)")
        if not healed:
            raise ValueError("张三's file is locked")

    runner = JobRunner(app_pool, {"deliver": handle}, frozen_now)
    async with begin(app_pool, frozen_now) as tx:
        await jobs.put(tx, "deliver", frozen_now(), {})
    assert await runner.run_due() == 1  # tried once, then due later
    for _ in range(ATTEMPTS - 1):
        frozen_now.advance(hours=1)
        assert await runner.run_due() == 1
    frozen_now.advance(hours=100)
    assert await runner.run_due() == 0
    async with app_pool.acquire() as connection:
        [(job, why)] = await jobs.parked(connection)
    assert (job.attempts, why) == (ATTEMPTS, "ValueError: 张三's file is locked")
    assert await owner_pool.fetchval("SELECT count(*) FROM store.effect") == 0
    healed = True
    await owner_pool.execute("UPDATE store.job SET parked = false")
    assert await runner.run_due() == 1
    assert await owner_pool.fetchval("SELECT count(*) FROM store.effect") == 1


async def test_several_runners_do_each_job_once(
    app_pool: Pool, owner_pool: Pool, frozen_now: FrozenNow
) -> None:
    await _effects(owner_pool)

    async def handle(tx: Tx, job: Job) -> None:
        await tx.conn.execute("INSERT INTO store.effect VALUES ($1)", job.payload)

    async with begin(app_pool, frozen_now) as tx:
        for n in range(60):
            await jobs.put(tx, "count", frozen_now(), n)
    runners = [JobRunner(app_pool, {"count": handle}, frozen_now) for _ in range(4)]
    taken = await asyncio.gather(*(runner.run_due() for runner in runners))
    assert sum(taken) == 60
    rows = await owner_pool.fetch("SELECT n FROM store.effect ORDER BY n")
    assert [row["n"] for row in rows] == list(range(60))


async def test_run_stops_when_told(app_pool: Pool, frozen_now: FrozenNow) -> None:
    stop = asyncio.Event()

    async def handle(tx: Tx, job: Job) -> None:
        stop.set()

    async with begin(app_pool, frozen_now) as tx:
        await jobs.put(tx, "last", frozen_now(), {})
    await asyncio.wait_for(JobRunner(app_pool, {"last": handle}, frozen_now, interval=0.01).run(stop), 10)


async def test_a_late_commit_is_not_skipped(app_pool: Pool, frozen_now: FrozenNow) -> None:
    async with app_pool.acquire() as slow:
        late = slow.transaction()
        await late.start()  # pyright: ignore[reportAttributeAccessIssue]
        await outbox.put(Tx(slow, frozen_now()), "cases", "first to start")
        async with begin(app_pool, frozen_now) as tx:
            await outbox.put(tx, "cases", "first to commit")
        async with outbox.take(app_pool, "events", "cases") as (_, messages):
            assert messages == []  # waits for the transaction that may still come before it
        await late.commit()  # pyright: ignore[reportAttributeAccessIssue]
    async with outbox.take(app_pool, "events", "cases") as (_, messages):
        assert [message.payload for message in messages] == ["first to start", "first to commit"]
    async with outbox.take(app_pool, "events", "cases") as (_, messages):
        assert messages == []
    async with outbox.take(app_pool, "another reader", "cases") as (_, messages):
        assert len(messages) == 2


async def test_a_reader_that_fails_reads_again(app_pool: Pool, frozen_now: FrozenNow) -> None:
    async with begin(app_pool, frozen_now) as tx:
        await outbox.put(tx, "cases", 1)
    with pytest.raises(ValueError, match="not yet"):
        async with outbox.take(app_pool, "events", "cases") as (_, messages):
            raise ValueError("not yet")
    async with outbox.take(app_pool, "events", "cases") as (_, messages):
        assert [message.payload for message in messages] == [1]
