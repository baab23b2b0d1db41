"""What may be seen of the sources' deliveries by everybody: when, how far, how many rows of each fate, how good; never a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from dizuo.foundation.store import Pool, Queries, Row

_SEEN: Final[Mapping[str, str]] = Queries.load("dizuo.engines.lake", "seen.sql")
_ALL = 2**62


class SourceDeliverySeen(msgspec.Struct, frozen=True):
    """One delivery of a source. ``state`` is a stage, held or refused; ``why_*`` says why. ``seen``: how often these bytes came."""

    id: int
    source: str
    name: str
    format: str
    mode: str
    period: date
    state: str
    why_code: str
    why_says: str
    bytes: int
    seen: int
    rows_in: int
    rows_read: int
    rows_published: int
    rows_merged: int
    rows_held: int
    rows_rejected: int
    landed_at: datetime
    changed_at: datetime

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ("published", "held", "refused")


class StepSeen(msgspec.Struct, frozen=True):
    """A stage that a delivery reached, and when."""

    at: datetime
    state: str


class FaultSeen(msgspec.Struct, frozen=True):
    """One kind of fault: the stage that found it, the column's header ('' for the whole row), the check, how many rows."""

    stage: str
    column: str
    code: str
    rows: int


class QualitySeen(msgspec.Struct, frozen=True):
    """How one declared rule held in a delivery (GB/T 36344-2018)."""

    delivery: int
    rule: str
    dimension: str
    checked: int
    failed: int
    at_least: float

    @property
    def share(self) -> float:
        """The share of rows that kept the rule, 0..1; 1 when there was none to check."""
        return 1.0 if not self.checked else (self.checked - self.failed) / self.checked

    @property
    def holds(self) -> bool:
        return self.share >= self.at_least


class DeliveryInDetail(msgspec.Struct, frozen=True):
    """A delivery with its steps, what was wrong in it, and how good it was."""

    delivery: SourceDeliverySeen
    steps: tuple[StepSeen, ...]
    faults: tuple[FaultSeen, ...]
    quality: tuple[QualitySeen, ...]


class SourcesSeen(msgspec.Struct, frozen=True):
    """Every source's latest delivery, the last period published, and the newest verdicts on quality; by source id."""

    latest: Mapping[str, SourceDeliverySeen]
    published_to: Mapping[str, date]
    quality: Mapping[str, tuple[QualitySeen, ...]]


async def sources_seen(pool: Pool) -> SourcesSeen:
    """Where every source stands. Errors: the pool's."""
    latest = [_delivery(row) for row in await pool.fetch(_SEEN["latest"])]
    newest = {int(row["id"]): str(row["source"]) for row in await pool.fetch(_SEEN["newest_checked"])}
    found: dict[str, list[QualitySeen]] = {}
    for one in await _quality(pool, newest):
        found.setdefault(newest[one.delivery], []).append(one)
    return SourcesSeen(
        latest={one.source: one for one in latest},
        published_to={str(row["source"]): row["period"] for row in await pool.fetch(_SEEN["published"])},
        quality={source: tuple(several) for source, several in found.items()},
    )


async def deliveries_of_source(
    pool: Pool, source: str, *, before: int = _ALL, limit: int = 30
) -> tuple[SourceDeliverySeen, ...]:
    """A source's deliveries, newest first, older than delivery ``before``. Errors: the pool's."""
    return tuple(_delivery(row) for row in await pool.fetch(_SEEN["of_source"], source, before, limit))


async def delivery_in_detail(pool: Pool, delivery: int) -> DeliveryInDetail | None:
    """One delivery, or None when there is none of that number. Errors: the pool's."""
    row = await pool.fetchrow(_SEEN["one"], delivery)
    if row is None:
        return None
    return DeliveryInDetail(
        delivery=_delivery(row),
        steps=tuple(
            StepSeen(step["at"], step["state"]) for step in await pool.fetch(_SEEN["steps"], delivery)
        ),
        faults=tuple(
            FaultSeen(kind["stage"], kind["column"], kind["code"], kind["rows"])
            for kind in await pool.fetch(_SEEN["kinds"], delivery)
        ),
        quality=tuple(await _quality(pool, [delivery])),
    )


async def _quality(pool: Pool, deliveries: Iterable[int]) -> list[QualitySeen]:
    rows = await pool.fetch(_SEEN["quality"], list(deliveries))
    return [msgspec.convert(dict(row), QualitySeen) for row in rows]


def _delivery(row: Row) -> SourceDeliverySeen:
    return msgspec.convert(dict(row), SourceDeliverySeen)
