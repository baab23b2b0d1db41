"""Calls that were not answered for a reason of ours, counted by resource: what the availability of an interface is measured by."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

import asyncpg

from dizuo.engines.exchange.delivery.keys import QUERIES
from dizuo.foundation.store import CONNECTION_LOST, Pool

FLUSH_AFTER: Final = 1.0
AGAIN: Final = 5.0
_KINDS: Final = 5000


class Failures:
    """Counts in the process, written a second later, or once the database is there again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._counts: Counter[tuple[str, str]] = Counter()
        self._task: asyncio.Task[None] | None = None

    def note(self, resource: str, why: str) -> None:
        """One call about this resource was not answered. What is no resource is not written."""
        if len(self._counts) < _KINDS:
            self._counts[resource[:100], why] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later())

    async def flush(self) -> None:
        """Write what was counted, now. What cannot be written is counted on."""
        counts, self._counts = self._counts, Counter()
        while counts:
            (resource, why), times = counts.popitem()
            try:
                await self._pool.fetchval(QUERIES["note_availability"], resource, 0, times, 0, 0, why)
            except BaseException:
                counts[resource, why] = times
                self._counts.update(counts)
                raise

    async def close(self) -> None:
        """Write what is left, if that is possible."""
        if self._task is not None:
            self._task.cancel()
        try:
            await self.flush()
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            return

    async def _later(self) -> None:
        wait = FLUSH_AFTER
        while self._counts:
            await asyncio.sleep(wait)
            try:
                await self.flush()
            except (*CONNECTION_LOST, asyncpg.PostgresError):
                wait = AGAIN
