"""Lets the search find what was loaded and harvested. The owner's work, after a harvest and by command."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.engines.opendata import indexing
from dizuo.engines.opendata.reads import datasets
from dizuo.foundation.store import Connection

from .sources import QUERIES


async def index_foreign(conn: Connection, names: Mapping[str, str]) -> int:
    """Write the search's entries of every foreign dataset that changed since they were written; gives how many.

    ``conn`` is the owner's; ``names`` are what people call providers and themes.
    """
    count = 0
    while rows := await conn.fetch(QUERIES["unindexed"]):
        seen = {one.id: one for one in await datasets(conn, [row["id"] for row in rows])}
        for row in rows:
            async with conn.transaction():
                await indexing.index_dataset(conn, conn, seen[row["id"]], names)
                await conn.execute(QUERIES["indexed"], row["id"], row["changed_at"])
            count += 1
    return count
