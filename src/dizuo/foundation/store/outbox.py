"""Outbox: facts that other rooms learn after the transaction that made them, in order, none skipped.

Each reader keeps its own place per topic. It reads only up to the oldest transaction that is still running: a fact that
commits late can therefore not appear behind a reader's back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dizuo.foundation.store.connection import Connection, Pool
from dizuo.foundation.store.transaction import Tx


@dataclass(frozen=True)
class Message:
    """One fact; ``id`` is unique, the order of a topic is that of the transactions."""

    id: int
    topic: str
    payload: Any
    created_at: datetime


_PLACE = """
INSERT INTO store.outbox_reader (reader, topic) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
_LOCK = "SELECT tx::text AS tx, id FROM store.outbox_reader WHERE reader = $1 AND topic = $2 FOR UPDATE"
_NEXT = """
SELECT id, tx::text AS tx, topic, payload, created_at FROM store.outbox
WHERE topic = $1 AND (tx, id) > ($2::text::xid8, $3::bigint) AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, id LIMIT $4
"""
_MOVE = "UPDATE store.outbox_reader SET tx = $3::text::xid8, id = $4 WHERE reader = $1 AND topic = $2"


async def put(tx: Tx, topic: str, payload: object) -> int:
    """Add a fact to the transaction; returns its id. Readers see it after the commit."""
    return await tx.conn.fetchval(
        "INSERT INTO store.outbox (topic, payload) VALUES ($1, $2) RETURNING id", topic, payload
    )


@asynccontextmanager
async def take(
    pool: Pool, reader: str, topic: str, limit: int = 100
) -> AsyncIterator[tuple[Connection, list[Message]]]:
    """The next facts for a reader, with the connection of the transaction in which its place moves on.

    What the block writes through that connection happens once per fact; raising leaves the place where it was. Readers
    of the same name wait for each other.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_PLACE, reader, topic)
        place = await connection.fetchrow(_LOCK, reader, topic)
        assert place is not None
        rows = await connection.fetch(_NEXT, topic, place["tx"], place["id"], limit)
        yield (
            connection,
            [Message(row["id"], row["topic"], row["payload"], row["created_at"]) for row in rows],
        )
        if rows:
            await connection.execute(_MOVE, reader, topic, rows[-1]["tx"], rows[-1]["id"])
