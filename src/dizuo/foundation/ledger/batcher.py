"""Group commit: many callers, one transaction. Nobody waits on purpose: a flush starts when the one before returns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg

from dizuo.foundation.ledger.entry import Entry
from dizuo.foundation.store.connection import Pool
from dizuo.foundation.store.pool import CONNECTION_LOST

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Coalesces concurrent ``submit`` calls into calls of ``flush``, which answers every item in order.

    ``flush`` runs one transaction and returns after its commit. At most ``lanes`` flushes run at once, each with at most
    ``limit`` items. When a flush fails because of what is in it, its halves are tried again alone, so that one bad
    item fails only its own caller; a lost connection fails the whole flush, because nobody knows what was committed.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        limit: int = 500,
        lanes: int = 2,
    ) -> None:
        self._flush = flush
        self._limit = limit
        self._lanes = lanes
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._closed = False

    async def submit(self, item: Item) -> Result:
        """Have ``item`` flushed with the others; returns its result after the commit. Errors: those of ``flush``."""
        if self._closed:
            raise RuntimeError("this batcher was closed")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        # The first caller of an idle batcher starts a lane; it takes what others add in the same turn of the loop.
        if self._busy < self._lanes and (not self._busy or len(self._waiting) >= self._limit):
            self._busy += 1
            task = asyncio.create_task(self._lane())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def close(self) -> None:
        """Take nothing new and wait for what is under way."""
        self._closed = True
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _lane(self) -> None:
        try:
            while self._waiting:
                count = min(self._limit, len(self._waiting))
                await self._run([self._waiting.popleft() for _ in range(count)])
        finally:
            # In the same turn as the last look at the queue: a caller woken by the last flush must find no lane.
            self._busy -= 1

    async def _run(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._flush([item for item, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"flush answered {len(results)} of {len(batch)} items")
        except asyncpg.PostgresError as error:
            if len(batch) == 1 or isinstance(error, CONNECTION_LOST):
                _fail(batch, error)
                return
            middle = len(batch) // 2
            await self._run(batch[:middle])
            await self._run(batch[middle:])
        except BaseException as error:  # every caller must hear of it, whatever it is
            _fail(batch, error if isinstance(error, Exception) else RuntimeError("the flush was cancelled"))
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if (
                    not future.done()
                ):  # a caller that left is not waited for; its item was committed all the same
                    future.set_result(result)


def _fail(batch: Sequence[tuple[object, asyncio.Future[Result]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


def entry_batcher(pool: Pool, *, limit: int = 500, lanes: int = 2) -> Batcher[Entry, int]:
    """A batcher that appends entries and answers with their ids, which are on disk by then."""

    async def flush(entries: Sequence[Entry]) -> Sequence[int]:
        # One statement outside a transaction block is a transaction: its answer comes after the commit.
        return await pool.fetchval("SELECT ledger.append_batch($1)", entries)

    return Batcher(flush, limit=limit, lanes=lanes)
