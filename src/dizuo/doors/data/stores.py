"""What the stores hold, as the engines publish it: counts, deliveries, the ledger's head, what forms asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from dizuo.engines.cases import Asked, Cases, asked_of
from dizuo.engines.lake import LastDelivery, last_deliveries
from dizuo.engines.registers import Holding, holdings
from dizuo.foundation.store import Pool, Queries

__all__ = ["Asked", "AskedLately", "Head", "Holding", "LastDelivery", "Stores", "look"]

_QUERIES = Queries.load("dizuo.doors.data")
_MONTH = dt.timedelta(days=30)
_KEPT = dt.timedelta(minutes=1)


class Head(msgspec.Struct, frozen=True):
    """The last signed head of the ledger (C2SP checkpoint)."""

    size: int
    root: str
    note: str
    at: dt.datetime


class Stores(msgspec.Struct, frozen=True):
    """Everything read for the door's pages, as of ``at``; ``head`` is None before the first seal."""

    at: dt.datetime
    holdings: Mapping[str, Holding]
    deliveries: tuple[LastDelivery, ...]
    head: Head | None
    asked: Mapping[str, Asked]


class AskedLately:
    """The means of a month's applications: the one figure here that takes counting, therefore kept for a minute."""

    def __init__(self) -> None:
        self._last: tuple[dt.datetime, Mapping[str, Asked]] | None = None

    async def asked(self, cases: Cases) -> Mapping[str, Asked]:
        """By matter, at most a minute old. Errors: the pool's."""
        last, now = self._last, cases.now()
        if last is None or not dt.timedelta(0) <= now - last[0] < _KEPT:
            last = self._last = (now, await asked_of(cases, now - _MONTH))
        return last[1]


async def look(pool: Pool, cases: Cases, lately: AskedLately) -> Stores:
    """Look at the stores. Errors: the pool's."""
    head = await pool.fetchrow(_QUERIES["checkpoint"])
    return Stores(
        at=cases.now(),
        holdings=await holdings(pool),
        deliveries=await last_deliveries(pool, cases.city),
        head=None if head is None else Head(head["size"], head["root"], head["note"], head["at"]),
        asked=await lately.asked(cases),
    )
