"""What came from the departments, for everybody to see: when, how many rows, how many not taken and why; never a row."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from dizuo.foundation.store import Pool

# The last delivery of each department for each register; refused ones too, because they are news as well.
_LAST = """
SELECT DISTINCT ON (register, department) delivery, register, department, period_from, period_to, state, refused_code,
       rows, rejected, added, changed, landed_at
FROM lake.delivered ORDER BY register, department, landed_at DESC, delivery DESC
"""
_KINDS = """
SELECT delivery, field, code, rows FROM lake.rejected_kinds WHERE delivery = ANY ($1::bigint[])
ORDER BY rows DESC, field, code
"""


class RejectedKind(msgspec.Struct, frozen=True):
    """One kind of fault in a delivery: the column as declared, the code of the check, how many rows."""

    field: str
    code: str
    rows: int


class LastDelivery(msgspec.Struct, frozen=True):
    """A department's last delivery for a register. ``state``: landed (being read), published, refused (whole)."""

    delivery: int
    register: str
    department: str
    period_from: date
    period_to: date
    state: str
    refused: str
    rows: int
    rejected: int
    added: int
    changed: int
    landed_at: datetime
    faults: tuple[RejectedKind, ...]


async def last_deliveries(pool: Pool) -> tuple[LastDelivery, ...]:
    """The last delivery of every department for every register. Errors: the pool's."""
    rows = await pool.fetch(_LAST)
    faults: dict[int, list[RejectedKind]] = {}
    for row in await pool.fetch(_KINDS, [row["delivery"] for row in rows if row["rejected"]]):
        faults.setdefault(row["delivery"], []).append(RejectedKind(row["field"], row["code"], row["rows"]))
    return tuple(
        LastDelivery(
            delivery=row["delivery"],
            register=row["register"],
            department=row["department"],
            period_from=row["period_from"],
            period_to=row["period_to"],
            state=row["state"],
            refused=row["refused_code"] or "",
            rows=row["rows"],
            rejected=row["rejected"],
            added=row["added"],
            changed=row["changed"],
            landed_at=row["landed_at"],
            faults=tuple(faults.get(row["delivery"], ())),
        )
        for row in rows
    )
