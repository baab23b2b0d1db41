"""How much each register holds, for everybody to see: counts that the writers keep, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from dizuo.foundation.store import Pool

_HOLDINGS = "SELECT register, records, last_at FROM registers.holdings"


class Holding(msgspec.Struct, frozen=True):
    """How many records of a register stand now, and when one was last written."""

    records: int
    last_at: datetime


async def holdings(pool: Pool) -> Mapping[str, Holding]:
    """Every register that holds or ever held something, by id. Errors: the pool's.

    A few dozen counters are read, whatever the number of records.
    """
    rows = await pool.fetch(_HOLDINGS)
    return {row["register"]: Holding(row["records"], row["last_at"]) for row in rows}
