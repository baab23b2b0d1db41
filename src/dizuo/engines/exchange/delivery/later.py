"""What is counted in the process is written a second later, so that many calls cost one statement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from dizuo.foundation.store import CONNECTION_LOST

FLUSH_AFTER: Final = 1.0
AGAIN: Final = 5.0


class WrittenLater:
    """Calls ``flush`` a second after `stir`, while ``left`` says that something is; a database that is away is waited for."""

    def __init__(self, flush: Callable[[], Awaitable[None]], left: Callable[[], bool]) -> None:
        self._flush = flush
        self._left = left
        self._task: asyncio.Task[None] | None = None

    def stir(self) -> None:
        """Something was counted."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later())

    async def close(self) -> None:
        """Write what is left, if that is possible."""
        if self._task is not None:
            self._task.cancel()
        try:
            await self._flush()
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            return

    async def _later(self) -> None:
        wait = FLUSH_AFTER
        while self._left():
            await asyncio.sleep(wait)
            try:
                await self._flush()
            except (*CONNECTION_LOST, asyncpg.PostgresError):
                wait = AGAIN
