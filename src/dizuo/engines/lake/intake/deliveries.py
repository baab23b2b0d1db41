"""A delivery of a source as the database knows it, and what intake works with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from dizuo.engines.lake.intake.errors import DeliveryUnknown, SourceUnknown
from dizuo.engines.lake.intake.heading import Note
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.places import Places
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.store import Pool, Queries, Row

QUERIES: Final = Queries.load("dizuo.engines.lake", "intake.sql")
STATES: Final[Mapping[str, str]] = {
    "open": "正在接收推送",
    "landed": "已落地",
    "read": "已读取",
    "standardised": "已标准化",
    "checked": "已检查",
    "linked": "已关联",
    "published": "已发布",
    "held": "暂挂",
    "refused": "退回",
}


class Delivery(msgspec.Struct, frozen=True):
    """One delivery. `state` is one of STATES; `rows_read` are rows that still go on; `previous` is the delivery before it
    that went on; `why_code`, `why_says` tell why it is held or refused."""

    id: int
    source: str
    name: str
    sha256: str
    bytes: int
    format: str
    mode: str
    period: dt.date
    state: str
    why_code: str
    why_says: str
    rows_in: int
    rows_read: int
    rows_rejected: int
    rows_published: int
    rows_merged: int
    rows_held: int
    notes: tuple[Note, ...]
    watermark: str
    previous: int | None
    seen: int
    landed_at: dt.datetime
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Intake:
    """What the actions of intake work with: the database, the folders, the declared sources and their version, the clock."""

    pool: Pool
    places: Places
    sources: Mapping[str, Source]
    declaration: str
    now: Now = field(default_factory=SystemNow)
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, pool: Pool, city: City, data: Path, now: Now | None = None) -> Intake:
        """Intake for a city on the installation's data folder."""
        return cls(pool, Places.of(data), city.sources, city.version, now or SystemNow())

    def source(self, id: str) -> Source:
        """A declared source. Errors: SourceUnknown."""
        try:
            return self.sources[id]
        except KeyError:
            raise SourceUnknown(source=id[:40]) from None


def delivery_of(row: Row) -> Delivery:
    """The delivery that a row of lake.source_delivery describes."""
    values = {name: row[name] for name in _PLAIN}
    return Delivery(
        **values,
        sha256=row["sha256"] or "",
        why_code=row["why_code"] or "",
        why_says=row["why_says"] or "",
        watermark=row["watermark"] or "",
        notes=msgspec.convert(row["notes"], tuple[Note, ...]),
    )


_PLAIN: Final = tuple(
    name for name in Delivery.__struct_fields__ if name not in ("sha256", "why_code", "why_says", "watermark", "notes")
)  # fmt: skip


async def delivery(pool: Pool, id: int) -> Delivery:
    """The delivery with this number. Errors: DeliveryUnknown, the pool's."""
    row = await pool.fetchrow(QUERIES["one"], id)
    if row is None:
        raise DeliveryUnknown(delivery=id)
    return delivery_of(row)


async def deliveries(pool: Pool, source: str, states: Iterable[str]) -> tuple[Delivery, ...]:
    """A source's deliveries in one of some states, oldest first. Errors: the pool's."""
    return tuple(delivery_of(row) for row in await pool.fetch(QUERIES["of_source"], source, list(states)))
