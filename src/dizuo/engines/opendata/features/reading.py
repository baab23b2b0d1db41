"""Features of a dataset from its rows: by box, time and properties, in pages. Names and values are parameters throughout."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec

from dizuo.engines.opendata.errors import RowsQuerySlow
from dizuo.engines.opendata.model import Column, DatasetSeen
from dizuo.foundation.store import Pool, Queries, Row

from .asking import ItemsQuery

QUERIES: Final = Queries.load("dizuo.engines.opendata", "features.sql")
BUDGET_MS: Final = 5_000


class Items(msgspec.Struct, frozen=True):
    """A page of features (GeoJSON), how many match in all."""

    features: tuple[Mapping[str, Any], ...]
    matched: int


def time_column(seen: DatasetSeen) -> Column | None:
    """The column that tells when: the first date."""
    return next((one for one in seen.columns if one.type == "date"), None)


async def extent(pool: Pool, seen: DatasetSeen) -> tuple[float, float, float, float] | None:
    """West, south, east, north of all shapes; None when there is none. Errors: the pool's."""
    row = await pool.fetchrow(QUERIES["extent"], seen.id, seen.version)
    if row is None or row["west"] is None:
        return None
    return (row["west"], row["south"], row["east"], row["north"])


async def item(pool: Pool, seen: DatasetSeen, n: int) -> Mapping[str, Any] | None:
    """One feature by its number. Errors: the pool's."""
    row = await pool.fetchrow(QUERIES["one"], seen.id, seen.version, n)
    return _feature(row) if row else None


async def items(pool: Pool, seen: DatasetSeen, query: ItemsQuery) -> Items:
    """A page of the features that match. A feature matches a box when its own box meets it. Errors: RowsQuerySlow, the pool's."""
    column = time_column(seen)
    low, high = query.span or (None, None)
    boxes = [list(box) for box in query.boxes]
    arguments = (
        seen.id,
        seen.version,
        dict(query.equals) or None,
        boxes or None,
        column.id if column and query.span else None,
        _day(low),
        _day(high),
    )
    try:
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(f"SET LOCAL statement_timeout = {BUDGET_MS}")
            rows = await connection.fetch(QUERIES["items"], *arguments, query.limit, query.offset)
            matched = await connection.fetchval(QUERIES["matched"], *arguments)
    except asyncpg.QueryCanceledError:
        raise RowsQuerySlow() from None
    return Items(tuple(_feature(row) for row in rows), int(matched))


def _day(when: dt.datetime | None) -> str | None:
    """Columns hold days of Shanghai; an instant is asked for by its day there."""
    if when is None:
        return None
    try:
        return when.astimezone(_SHANGHAI).date().isoformat()
    except OverflowError:
        return when.date().isoformat()


_SHANGHAI: Final = dt.timezone(dt.timedelta(hours=8))


def _feature(row: Row) -> dict[str, Any]:
    return {"type": "Feature", "id": row["n"], "geometry": row["shape"], "properties": row["data"]}
