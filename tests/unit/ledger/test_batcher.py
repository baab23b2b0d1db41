"""Group commit without a database: no delay when idle, one flush for many, errors to the right callers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from dizuo.foundation.ledger import Batcher


async def test_an_idle_batcher_flushes_at_once_and_a_busy_one_coalesces() -> None:
    flushes: list[int] = []
    release = asyncio.Event()

    async def flush(items: Sequence[int]) -> Sequence[int]:
        flushes.append(len(items))
        await release.wait()
        return [item * 2 for item in items]

    batcher = Batcher(flush, limit=100, lanes=1)
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert flushes == [1]
    others = [asyncio.create_task(batcher.submit(n)) for n in range(2, 150)]
    await asyncio.sleep(0)
    release.set()
    assert await asyncio.gather(first, *others) == [n * 2 for n in range(1, 150)]
    assert flushes == [1, 100, 48]


async def test_a_caller_that_submits_again_the_moment_it_is_answered_is_served() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int]:
        return items

    batcher = Batcher(flush)

    async def caller() -> int:
        return sum([await batcher.submit(1) for _ in range(200)])

    assert await asyncio.wait_for(asyncio.gather(*(caller() for _ in range(3))), 10) == [200] * 3
    await batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        await batcher.submit(1)


async def test_a_lost_connection_fails_the_whole_flush_and_is_not_repeated() -> None:
    calls = 0

    async def flush(items: Sequence[int]) -> Sequence[int]:
        nonlocal calls
        calls += 1
        raise asyncpg.ConnectionDoesNotExistError("gone")

    batcher = Batcher(flush)
    results = await asyncio.gather(*(batcher.submit(n) for n in range(5)), return_exceptions=True)
    assert all(isinstance(result, asyncpg.ConnectionDoesNotExistError) for result in results)
    assert calls == 1


async def test_a_caller_that_leaves_does_not_disturb_the_others() -> None:
    release = asyncio.Event()

    async def flush(items: Sequence[int]) -> Sequence[int]:
        await release.wait()
        return items

    batcher = Batcher(flush)
    tasks = [asyncio.create_task(batcher.submit(n)) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.sleep(0)
    release.set()
    assert await tasks[0] == 0
    assert await tasks[2] == 2


async def test_a_flush_that_answers_too_little_is_told_to_everyone() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int]:
        return items[1:]

    batcher = Batcher(flush)
    with pytest.raises(RuntimeError, match="answered 0 of 1"):
        await batcher.submit(1)
