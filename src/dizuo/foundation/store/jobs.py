"""Jobs: work that is due at a time, done exactly once.

A job is a row. The runner takes it, runs its handler and deletes it in one transaction, so its effect in the database
happens once or not at all; what a handler does outside the database (a message to a telephone) must be repeatable.
A failed job is tried again after a growing pause and after ten attempts waits, parked, for a person.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store.connection import Connection, Pool
from dizuo.foundation.store.errors import JobUnknown
from dizuo.foundation.store.pool import CONNECTION_LOST
from dizuo.foundation.store.transaction import Tx

ATTEMPTS: Final = 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One piece of work; ``attempts`` counts the failures so far."""

    id: int
    kind: str
    run_at: datetime
    payload: Any
    key: str | None
    attempts: int


Handler = Callable[[Tx, Job], Awaitable[None]]

_PUT = """
INSERT INTO store.job (kind, run_at, payload, key) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, key) WHERE key IS NOT NULL
DO UPDATE SET run_at = EXCLUDED.run_at, payload = EXCLUDED.payload, attempts = 0, last_error = NULL, parked = false
RETURNING id
"""
_TAKE = """
SELECT id, kind, run_at, payload, key, attempts FROM store.job
WHERE NOT parked AND run_at <= $1 AND kind = ANY($2::text[])
ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_FAILED = """
UPDATE store.job SET attempts = attempts + 1, last_error = left($2, 500), run_at = $3, parked = attempts + 1 >= $4
WHERE id = $1
"""


async def put(tx: Tx, kind: str, run_at: datetime, payload: object, key: str | None = None) -> int:
    """Add a job to the transaction; returns its id.

    With a ``key`` there is at most one such job of the kind: putting it again moves it to the new time and payload.
    """
    return await tx.conn.fetchval(_PUT, kind, run_at, payload, key)


async def drop(tx: Tx, kind: str, key: str) -> bool:
    """Take back a job that has not run; False when there is none."""
    return bool(
        await tx.conn.fetchval("DELETE FROM store.job WHERE kind = $1 AND key = $2 RETURNING true", kind, key)
    )


async def parked(connection: Connection, limit: int = 100) -> list[tuple[Job, str]]:
    """Jobs that wait for a person, with their last error; for ``dizuo doctor``."""
    rows = await connection.fetch(
        "SELECT id, kind, run_at, payload, key, attempts, last_error FROM store.job"
        " WHERE parked ORDER BY run_at LIMIT $1",
        limit,
    )
    return [(_job(row), row["last_error"] or "") for row in rows]


class JobRunner:
    """Runs due jobs; any number of processes may run one.

    ``handlers`` by kind; jobs of other kinds are left alone. ``interval`` is the pause in seconds when nothing is due.
    """

    def __init__(
        self, pool: Pool, handlers: Mapping[str, Handler], now: Now, *, interval: float = 1.0
    ) -> None:
        self._pool = pool
        self._handlers = dict(handlers)
        self._kinds = sorted(handlers)
        self._now = now
        self._interval = interval

    async def run(self, stop: asyncio.Event) -> None:
        """Run due jobs until ``stop`` is set; a job under way is finished first. A lost database is waited for."""
        while not stop.is_set():
            try:
                while not stop.is_set() and await self.run_one():
                    pass
            except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
                _log.warning("jobs wait for the database: %s", error)
            try:
                await asyncio.wait_for(stop.wait(), self._interval)
            except TimeoutError:
                continue

    async def run_due(self, limit: int = 10_000) -> int:
        """Run everything that is due now, for tests and commands; returns how many were taken."""
        count = 0
        while count < limit and await self.run_one():
            count += 1
        return count

    async def run_one(self) -> bool:
        """Take and run the job that has been due longest; False when none is."""
        job: Job | None = None
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                now = self._now()
                row = await connection.fetchrow(_TAKE, now, self._kinds)
                if row is None:
                    return False
                job = _job(row)
                await self._handler(job)(Tx(connection, now), job)
                await connection.execute("DELETE FROM store.job WHERE id = $1", job.id)
        except CONNECTION_LOST:
            raise  # the database went away: the job is where it was
        except Exception as error:  # whatever a handler raises, the other jobs go on
            if job is None:
                raise
            await self._note(job, error)
        return True

    def _handler(self, job: Job) -> Handler:
        try:
            return self._handlers[job.kind]
        except KeyError:
            raise JobUnknown(job.kind) from None

    async def _note(self, job: Job, error: Exception) -> None:
        pause = timedelta(seconds=min(3600, 5 * 2**job.attempts))
        # The type alone goes to the log: a message may hold personal data, the row is protected as data is.
        _log.warning(
            "job %s (%s) failed, attempt %s: %s", job.id, job.kind, job.attempts + 1, type(error).__name__
        )
        told = f"{type(error).__name__}: {error}"
        await self._pool.execute(_FAILED, job.id, told, self._now() + pause, ATTEMPTS)


def _job(row: Any) -> Job:
    return Job(row["id"], row["kind"], row["run_at"], row["payload"], row["key"], row["attempts"])
