"""Where is harvested from: sources are added by an operator's command only, because an address decides whom we call."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store import Pool, Queries, begin

from .errors import HarvestSourceUnknown, SourceInvalid
from .fetching import split

QUERIES: Final = Queries.load("dizuo.engines.opendata", "harvest.sql")
Kind = Literal["ckan", "dcat", "csv"]
KINDS: Final = ("ckan", "dcat", "csv")


class Source(msgspec.Struct, frozen=True):
    """A source and what its server said when it was taken last."""

    id: str
    kind: Kind
    title: str
    url: str
    licence: str
    allowed: tuple[str, ...]
    every_hours: int
    active: bool
    etag: str
    last_modified: str
    mark: str


class SourceSeen(msgspec.Struct, frozen=True):
    """A source as everybody may see it: its last run, and how many of its datasets are shown, offline, refused."""

    id: str
    kind: Kind
    title: str
    url: str
    licence: str
    every_hours: int
    active: bool
    run: int | None
    state: str | None
    why: str | None
    pages: int | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    shown: int
    offline: int
    refused: int


class Fate(msgspec.Struct, frozen=True):
    """What became of one record of a source, and why."""

    identifier: str
    dataset: str | None
    fate: str
    why: str
    changed_at: dt.datetime


async def add_source(
    pool: Pool,
    now: Now,
    id: str,
    *,
    kind: str,
    url: str,
    title: str,
    by: str,
    licence: str = "",
    allowed: Sequence[str] = (),
    every_hours: int = 24,
) -> None:
    """Add a source or change one; its next run takes everything. Entered in the ledger. Errors: SourceInvalid."""
    wrong: dict[str, str] = {}
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", id):
        wrong["id"] = "代号用小写字母、数字、- 或 _，最长 40"
    if kind not in KINDS:
        wrong["kind"] = f"种类是 {'、'.join(KINDS)} 之一"
    if not title.strip():
        wrong["title"] = "要有名称"
    if not 1 <= every_hours <= 8784:
        wrong["every"] = "间隔是 1 到 8784 小时"
    try:
        split(url)
    except Exception:
        wrong["url"] = "地址写成 https://…"
    for network in allowed:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            wrong["allow"] = f"“{network}”不是网段，写成 10.1.0.0/16"
    if wrong:
        raise SourceInvalid(wrong)
    async with begin(pool, now) as tx:
        await tx.conn.execute(
            QUERIES["source_put"], id, kind, title.strip(), url, licence, list(allowed), every_hours, by
        )
        body = {"source": id, "kind": kind, "url": url, "allowed": list(allowed), "by": by}
        await tx.conn.fetchval(QUERIES["ledger"], "opendata.source", body)


async def stop_source(pool: Pool, now: Now, id: str, *, by: str, active: bool = False) -> None:
    """Harvest a source no longer, or again; what was harvested stays. Entered in the ledger. Errors: HarvestSourceUnknown."""
    async with begin(pool, now) as tx:
        if await tx.conn.fetchval(QUERIES["source_active"], id, active) is None:
            raise HarvestSourceUnknown(source=id)
        await tx.conn.fetchval(
            QUERIES["ledger"], "opendata.source", {"source": id, "active": active, "by": by}
        )


async def source(pool: Pool, id: str) -> Source:
    """One source. Errors: HarvestSourceUnknown."""
    row = await pool.fetchrow(QUERIES["source"], id)
    if row is None:
        raise HarvestSourceUnknown(source=id)
    told: dict[str, Any] = dict(row)
    return msgspec.convert(told, Source)


async def sources(pool: Pool) -> tuple[SourceSeen, ...]:
    """Every source with how it fares."""
    return tuple(msgspec.convert(dict(row), SourceSeen) for row in await pool.fetch(QUERIES["sources"]))


async def due(pool: Pool, now: dt.datetime) -> tuple[str, ...]:
    """Sources whose time has come, or whose run was cut off."""
    return tuple(row["id"] for row in await pool.fetch(QUERIES["due"], now))


async def fates(pool: Pool, id: str, limit: int = 1_000) -> tuple[Fate, ...]:
    """What became of a source's records, those with a reason first."""
    return tuple(msgspec.convert(dict(row), Fate) for row in await pool.fetch(QUERIES["fates"], id, limit))
