"""Reading the catalogue: one resource, a filtered list, what became of a resource over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.exchange.catalogue.model import Resource, resource_of
from dizuo.engines.exchange.catalogue.publishing import QUERIES
from dizuo.foundation.store import Pool


class ResourceChange(msgspec.Struct, frozen=True):
    """One change of a resource: ``kind`` new, changed, offline or online; ``before`` and ``after`` hold what differs."""

    at: datetime
    kind: str
    by: str
    why: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    entry: int


async def resource(pool: Pool, code: str) -> Resource | None:
    """The resource of this code, offline ones too, or None. Errors: the pool's."""
    row = await pool.fetchrow(QUERIES["one"], code)
    return None if row is None else resource_of(row)


async def resources(
    pool: Pool,
    *,
    provider: str | None = None,
    kind: str | None = None,
    register: str | None = None,
    source: str | None = None,
    share_type: int | None = None,
    open_type: int | None = None,
    cycle: str | None = None,
    state: str | None = None,
    search: str = "",
    also: Sequence[str] = (),
) -> tuple[Resource, ...]:
    """The resources that meet every filter given, by code; offline ones too unless ``state`` says which.

    ``search`` is any part of a title, abstract, code or item's name; ``also`` are providers that a search means besides
    (a department's short or former name). Errors: the pool's.
    """
    rows = await pool.fetch(
        QUERIES["list"], provider, kind, register, source, share_type, open_type, cycle, state, search.strip().lower(), list(also)
    )  # fmt: skip
    return tuple(resource_of(row) for row in rows)


async def resource_lines(
    pool: Pool, search: str = "", also: Sequence[str] = ()
) -> tuple[tuple[Resource, ...], int]:
    """The resources that a search finds (see ``resources``), without items and abstracts, for long lists; and how many items
    those in force have together. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["lines"], search.strip().lower(), list(also))
    items = sum(int(row["items"]) for row in rows if row["state"] != "offline")
    return tuple(resource_of(row) for row in rows), items


async def history(pool: Pool, code: str, limit: int = 50) -> tuple[ResourceChange, ...]:
    """What became of a resource, newest first. Errors: the pool's."""
    rows = await pool.fetch(QUERIES["changes_of"], code, limit)
    return tuple(msgspec.convert(dict(row), ResourceChange) for row in rows)
