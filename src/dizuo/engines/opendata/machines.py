"""What the interfaces for machines ask of the catalogue as a whole: how much, how new, which page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dizuo.foundation.store import Pool, Queries

QUERIES: Final = Queries.load("dizuo.engines.opendata", "machines.sql")


async def machine_state(pool: Pool) -> tuple[int, datetime | None]:
    """How many datasets are published, and when one was last added, changed or taken offline. Errors: the pool's."""
    row = await pool.fetchrow(QUERIES["state"])
    return (int(row["published"]), row["changed"]) if row else (0, None)


async def machine_page(pool: Pool, start: int, limit: int) -> list[str]:
    """Ids of published datasets, a page of them in their order. Errors: the pool's."""
    return [row["id"] for row in await pool.fetch(QUERIES["page"], start, limit)]


async def spatial_ids(pool: Pool) -> list[str]:
    """Published datasets with shapes that everybody may have. Errors: the pool's."""
    return [row["id"] for row in await pool.fetch(QUERIES["spatial"])]
