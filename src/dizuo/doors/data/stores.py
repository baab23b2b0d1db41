"""What the stores hold, as far as other rooms publish it: counts, deliveries, the ledger's head."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from dizuo.engines.lake import DeliveryFolderUnusable, read_manifest
from dizuo.foundation.store import Pool, Queries

_QUERIES = Queries.load("dizuo.doors.data")
_MONTH = dt.timedelta(days=30)


class Holding(msgspec.Struct, frozen=True):
    """How much a register holds."""

    records: int
    last_at: dt.datetime | None


class Delivery(msgspec.Struct, frozen=True):
    """The last delivery of a department for a register. ``rejected`` is None when only the manifest is known."""

    register: str
    department: str
    period_from: dt.date
    period_to: dt.date
    rows: int
    rejected: int | None
    added: int | None
    changed: int | None
    faults: tuple[tuple[str, str, int], ...] = ()


class Head(msgspec.Struct, frozen=True):
    """The last signed head of the ledger (C2SP checkpoint)."""

    size: int
    root: str
    note: str
    at: dt.datetime


class Asked(msgspec.Struct, frozen=True):
    """How many fields the form of a matter asked and filled, on average of ``n`` applications."""

    n: int
    asked: float
    known: float


class Stores(msgspec.Struct, frozen=True):
    """Everything read for the door's pages; empty parts were not there or not readable."""

    holdings: dict[str, Holding]
    counted: bool
    deliveries: tuple[Delivery, ...]
    head: Head | None
    asked: dict[str, Asked]


async def look(pool: Pool, deliveries: Path, now: dt.datetime) -> Stores:
    """Look at the stores. Errors: the pool's."""
    readable = {row["name"] for row in await pool.fetch(_QUERIES["may_read"]) if row["readable"]}
    holdings: dict[str, Holding] = {}
    if "registers.holdings" in readable:
        rows = await pool.fetch(_QUERIES["holdings"])
        holdings = {row["register"]: Holding(row["records"], row["last_at"]) for row in rows}
    found = await _delivered(pool, readable) if "lake.delivered" in readable else from_manifest(deliveries)
    head = await pool.fetchrow(_QUERIES["checkpoint"])
    asked = await pool.fetch(_QUERIES["asked"], now - _MONTH)
    return Stores(
        holdings=holdings,
        counted="registers.holdings" in readable,
        deliveries=found,
        head=None if head is None else Head(head["size"], head["root"], head["note"], head["at"]),
        asked={row["matter"]: Asked(row["n"], row["asked"], row["known"]) for row in asked},
    )


async def _delivered(pool: Pool, readable: set[str]) -> tuple[Delivery, ...]:
    rows = await pool.fetch(_QUERIES["delivered"])
    faults: dict[int, list[tuple[str, str, int]]] = {}
    if "lake.rejected_kinds" in readable:
        for row in await pool.fetch(_QUERIES["rejected"], [row["delivery"] for row in rows]):
            faults.setdefault(row["delivery"], []).append((row["field"], row["code"], row["rows"]))
    return tuple(
        Delivery(
            row["register"], row["department"], row["period_from"], row["period_to"], row["accepted"] + row["rejected"],
            row["rejected"], row["added"], row["changed"], tuple(faults.get(row["delivery"], ())),
        )
        for row in rows
    )  # fmt: skip


def from_manifest(folder: Path) -> tuple[Delivery, ...]:
    """What the manifest of a folder of deliveries vouches for; () when there is none."""
    try:
        manifest = read_manifest(folder)
    except DeliveryFolderUnusable:
        return ()
    return tuple(
        Delivery(f.register, f.department, f.period_from, f.period_to, f.rows, None, None, None)
        for f in manifest.files
    )
