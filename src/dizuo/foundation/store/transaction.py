"""One unit of work: raising rolls back, returning commits, and its time is the only clock inside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store.connection import Connection, Pool


@dataclass(frozen=True)
class Tx:
    """An open transaction and the instant (Asia/Shanghai) that everything in it happens at."""

    conn: Connection
    now: datetime


@asynccontextmanager
async def begin(pool: Pool, now: Now) -> AsyncIterator[Tx]:
    """Open a transaction on a connection of the pool; it commits when the block returns, and is durable then."""
    async with pool.acquire() as connection, connection.transaction():
        yield Tx(connection, now())
