"""Group commit: whoever waits at the same moment shares one statement, one transaction, one flush to disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batch(Generic[Item, Result]):
    """Gathers items while the previous flush is under way and flushes them together.

    An idle batch flushes at once: nobody waits for company. ``flush`` takes the items and gives one result each, in
    order; when it raises, everybody in that flush gets the error.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        most: int = 256,
        lanes: int = 1,
    ) -> None:
        self._flush = flush
        self._most = most
        self._lanes = lanes
        self._busy = 0
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """The item's result, when the flush that carries it is done."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._busy < self._lanes:
            self._busy += 1
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                try:
                    results = await self._flush([item for item, _ in now])
                except Exception as error:
                    for _, future in now:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for (_, future), result in zip(now, results, strict=True):
                    if not future.done():  # a waiter may have gone away
                        future.set_result(result)
        finally:
            self._busy -= 1
