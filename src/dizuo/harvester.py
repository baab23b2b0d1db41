"""Harvests on their cycle beside a running base: every source whose time has come is taken by a process of its own.

The clerk only looks which are due; it has no right to harvest. `dizuo harvest run` does, as the loader, and ends with its source: one
that hangs, breaks or eats memory keeps no other from its turn. What is cut off goes on from its last page at the next look.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg

from dizuo.engines.opendata import harvest
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store import CONNECTION_LOST, Pool
from dizuo.settings import Runtime

AT_ONCE: Final = 3
LOOK: Final = 60.0
"""Seconds between two looks."""
REST: Final = 600.0
"""Seconds until a source is tried again whose process ended badly; a run that failed in order waits for its cycle."""
LONGEST: Final = 6 * 3600.0
_log = logging.getLogger(__name__)
Command = Callable[[str], Sequence[str]]


def command_of(runtime: Runtime) -> Command:
    """How a source is harvested in this installation."""

    def command(source: str) -> Sequence[str]:
        return (sys.executable, "-m", "dizuo.cli", "harvest", "run", source, "--city", runtime.city, "--data", runtime.data)  # fmt: skip

    return command


class Harvester:
    """Looks and starts. ``pool`` signs in as dizuo_app, which may see which sources are due and no more."""

    def __init__(self, pool: Pool, now: Now, command: Command, *, longest: float = LONGEST) -> None:
        self._pool = pool
        self._now = now
        self._command = command
        self._longest = longest
        self._running: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Look every minute until ``stop`` is set; then those under way are told to stop, and go on another time."""
        try:
            while not stop.is_set():
                try:
                    await self.look()
                except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
                    _log.warning("harvests wait for the database: %s", type(error).__name__)
                try:
                    await asyncio.wait_for(stop.wait(), LOOK)
                except TimeoutError:
                    continue
        finally:
            for task in self._running.values():
                task.cancel()
            await self.settled()

    async def look(self) -> tuple[str, ...]:
        """Start what is due and has a place; gives what was started. Errors: the pool's."""
        started: list[str] = []
        for source in await harvest.due(self._pool, self._now()):
            waits = self._not_before.get(source, 0.0) > time.monotonic()
            if source in self._running or waits or len(self._running) >= AT_ONCE:
                continue
            self._running[source] = asyncio.create_task(self._harvest(source))
            started.append(source)
        return tuple(started)

    async def settled(self) -> None:
        """Wait for those under way."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _harvest(self, source: str) -> None:
        process: asyncio.subprocess.Process | None = None
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(source),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            async with asyncio.timeout(self._longest):
                code = await process.wait()
            if code:
                self._not_before[source] = time.monotonic() + REST
                _log.warning("the harvest of %s ended with %s; dizuo harvest list says why", source, code)
        except (TimeoutError, OSError) as error:
            self._not_before[source] = time.monotonic() + REST
            _log.warning("the harvest of %s: %s", source, type(error).__name__)
        finally:
            if process is not None and process.returncode is None:
                await _ended(process)
            del self._running[source]


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Told to stop, and killed when it does not: its run goes on from the last page whatever happens."""
    process.terminate()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
