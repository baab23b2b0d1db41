"""Deliveries that wait for people: held ones, and refused ones that nothing newer has replaced; in counts, never a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from dizuo.foundation.store import Pool


class WaitingDelivery(msgspec.Struct, frozen=True):
    """A delivery that is held or refused, since when and why."""

    id: int
    source: str
    period: date
    state: str
    why_says: str
    rows_in: int
    rows_rejected: int
    since: datetime


class ToCorrect(msgspec.Struct, frozen=True):
    """A source's newest published delivery with rows that its department has to correct."""

    id: int
    source: str
    period: date
    rows_rejected: int
    rows_held: int


async def waiting_deliveries(
    pool: Pool, *, sources: Sequence[str] | None = None, limit: int = 100
) -> tuple[WaitingDelivery, ...]:
    """Held deliveries first, the longest waiting first; of all or of some sources. Errors: the pool's."""
    rows = await pool.fetch(
        """
        SELECT d.id, d.source, d.period, d.state, d.why_says, d.rows_in, d.rows_rejected, d.changed_at
        FROM lake.source_deliveries d
        WHERE ($1::text[] IS NULL OR d.source = ANY ($1))
          AND (d.state = 'held' OR (d.state = 'refused' AND NOT EXISTS (
               SELECT FROM lake.source_deliveries n WHERE n.source = d.source AND n.id > d.id AND n.state <> 'refused')))
        ORDER BY d.state, d.changed_at, d.id LIMIT $2
        """,
        sources,
        max(1, min(limit, 500)),
    )
    return tuple(WaitingDelivery(*row.values()) for row in rows)


async def rows_to_correct(pool: Pool, *, sources: Sequence[str] | None = None) -> tuple[ToCorrect, ...]:
    """Each source's newest published delivery, if rows of it were rejected or wait; most rows first. Errors: the pool's."""
    rows = await pool.fetch(
        """
        SELECT n.id, n.source, n.period, n.rows_rejected, n.rows_held FROM (
            SELECT DISTINCT ON (d.source) d.* FROM lake.source_deliveries d
            WHERE d.state = 'published' AND ($1::text[] IS NULL OR d.source = ANY ($1)) ORDER BY d.source, d.id DESC) AS n
        WHERE n.rows_rejected + n.rows_held > 0 ORDER BY n.rows_rejected + n.rows_held DESC, n.source
        """,
        sources,
    )
    return tuple(ToCorrect(*row.values()) for row in rows)
