"""Looking at open datasets: the list, one, its releases, its rows in order; light enough for the serving processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from dizuo.engines.opendata.errors import DatasetUnknown
from dizuo.engines.opendata.model import Column, DatasetSeen, GateReport, Stopped, VersionSeen
from dizuo.engines.opendata.model import Row as DataRow
from dizuo.foundation.store import Connection, Pool, Queries, Row

QUERIES: Final = Queries.load("dizuo.engines.opendata")
BATCH: Final = 2_000
_MOST: Final = 100_000


async def datasets(
    pool: Pool | Connection, ids: Sequence[str] | None = None, *, after: str | None = None, limit: int = _MOST
) -> tuple[DatasetSeen, ...]:
    """Published datasets by id, or those of ``ids`` in whatever state; ``after`` goes on from an id. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["datasets"], None if ids is None else list(ids), after, limit)
    return tuple(_dataset(row) for row in rows)


async def dataset(pool: Pool | Connection, id: str, *, shown: bool = True) -> DatasetSeen:
    """One dataset; ``shown`` False takes those that are not published too. Errors: DatasetUnknown."""
    found = await datasets(pool, [id])
    if not found or (shown and found[0].state != "published"):
        raise DatasetUnknown()
    return found[0]


async def versions(pool: Pool, id: str) -> tuple[VersionSeen, ...]:
    """Every release of a dataset, newest first, at most a hundred. Errors: the pool's."""
    return tuple(VersionSeen(*row.values()) for row in await pool.fetch(QUERIES["versions"], id))


async def all_rows(pool: Pool | Connection, seen: DatasetSeen) -> AsyncIterator[tuple[DataRow, ...]]:
    """The rows of the version served, in order, batch by batch, so that no dataset is ever whole in memory.

    A release never changes, so batches of different transactions are of one piece. Errors: the pool's.
    """
    last = 0
    while True:
        rows = await pool.fetch(QUERIES["page_of_rows"], seen.id, seen.version, last, BATCH)
        if not rows:
            return
        yield tuple(DataRow(row["n"], row["data"], row["shape"]) for row in rows)
        last = int(rows[-1]["n"])


async def reports(pool: Pool, id: str) -> tuple[GateReport, ...]:
    """What the gate found of a dataset, newest first, at most twenty. Errors: the pool's."""
    return tuple(
        GateReport(
            row["id"], row["at"], row["by"], row["passed"], row["rows"], row["digest"], tuple(row["findings"]), row["entry"]
        )
        for row in await pool.fetch(QUERIES["reports"], id)
    )  # fmt: skip


async def stopped(pool: Pool, providers: Sequence[str] | None = None) -> tuple[Stopped, ...]:
    """Datasets whose last release the gate stopped, of these providers or of all, newest first. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["stopped"], None if providers is None else list(providers))
    return tuple(Stopped(*row.values()) for row in rows)


async def count_use(pool: Pool, id: str, kind: str, day: date) -> None:
    """Note one download, call or view of a dataset, without who. Errors: the pool's."""
    await pool.fetchval(QUERIES["count_use"], id, kind, day)


def _dataset(row: Row) -> DatasetSeen:
    told: Mapping[str, Any] = dict(row)
    columns = msgspec.convert(told["fields"], tuple[Column, ...])
    rest: dict[str, Any] = {name: value for name, value in told.items() if name != "fields"}
    for name in ("also", "formats"):
        rest[name] = tuple(rest[name])
    return DatasetSeen(columns=columns, **rest)
