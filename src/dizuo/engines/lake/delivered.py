"""What came last from the departments for each register, for everybody to see: when, how many rows, how many not taken and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec

from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import Pool, Queries

_SEEN: Final = Queries.load("dizuo.engines.lake", "seen.sql")


class RejectedKind(msgspec.Struct, frozen=True):
    """One kind of fault in a delivery: the column's header, the code of the check, how many rows."""

    field: str
    code: str
    rows: int


class LastDelivery(msgspec.Struct, frozen=True):
    """A source's last delivery, for a register that it feeds. ``state`` is a stage of the lake, held or refused."""

    delivery: int
    source: str
    register: str
    department: str
    period_to: date
    state: str
    rows: int
    rejected: int
    landed_at: datetime
    faults: tuple[RejectedKind, ...]


async def last_deliveries(pool: Pool, city: City) -> tuple[LastDelivery, ...]:
    """The last delivery of every source for every register that it feeds. Errors: the pool's."""
    rows = {str(row["source"]): row for row in await pool.fetch(_SEEN["latest"])}
    faults: dict[int, list[RejectedKind]] = {}
    for row in await pool.fetch(
        _SEEN["kinds_of"], [one["id"] for one in rows.values() if one["rows_rejected"]]
    ):
        faults.setdefault(row["delivery"], []).append(RejectedKind(row["column"], row["code"], row["rows"]))
    return tuple(
        LastDelivery(
            delivery=row["id"], source=source.id, register=register, department=source.department, period_to=row["period"],
            state=row["state"], rows=row["rows_in"], rejected=row["rows_rejected"], landed_at=row["landed_at"],
            faults=tuple(faults.get(row["id"], ())),
        )
        for source in city.sources.values()
        if (row := rows.get(source.id)) is not None
        for register in dict.fromkeys(feed.register for feed in source.feeds)
    )  # fmt: skip
