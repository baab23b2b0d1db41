"""Publishing the catalogue from the declarations: idempotent, codes for ever, nothing vanishes, every change kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from dizuo.engines.exchange.catalogue.coding import code_of, prefix
from dizuo.engines.exchange.catalogue.deriving import Draft, drafts
from dizuo.engines.exchange.catalogue.model import COLUMNS, OWN, Resource, plain, resource_of
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import Connection, Pool, Queries

QUERIES: Final[Mapping[str, str]] = Queries.load("dizuo.engines.exchange", "catalogue.sql")
DECLARATIONS: Final = "declarations"
"""Who changed a resource when the city's declarations did."""
_LISTS: Final = {"fields", "share_methods", "related", "derived"}


class Published(msgspec.Struct, frozen=True):
    """What a publication changed: codes by what happened to them. ``entry`` is the ledger's entry, None when nothing changed."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    offline: tuple[str, ...] = ()
    online: tuple[str, ...] = ()
    entry: int | None = None


class Change(msgspec.Struct, frozen=True):
    """What is to be written of one resource: ``kind`` new, changed, offline or online; before and after hold what differs."""

    kind: str
    resource: Resource
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str = ""


async def publish_catalogue(pool: Pool, city: City, now: datetime) -> Published:
    """Make the catalogue's registers and sources those of the declarations; imported rows are left alone.

    Twice the same city changes nothing the second time. A resource whose declaration is gone goes offline, with the
    reason; it comes back under its old code. Errors: the pool's.
    """
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(QUERIES["one_publisher"])
        known = [resource_of(row) for row in await conn.fetch(QUERIES["declared"])]
        wanted = drafts(city)
        numbers = await _numbers(conn, [draft.resource.provider for draft in wanted])
        codes = await coded(conn, city, numbers, [draft for draft in wanted if _same(draft, known) is None])
        changes = list(_changes(wanted, known, codes, now))
        return await write(conn, changes, now, by=DECLARATIONS, what="catalogue.publish", about={"version": city.version})  # fmt: skip


def _same(draft: Draft, known: Iterable[Resource]) -> Resource | None:
    """The resource of the same declaration."""
    mine = draft.resource
    for one in known:
        if (one.kind, one.register, one.source) == (mine.kind, mine.register, mine.source):
            return one
    return None


async def _numbers(conn: Connection, organisations: Iterable[str]) -> dict[str, int]:
    """The organisations' numbers in codes; who has none yet gets the next one."""
    numbers = {str(row["organisation"]): int(row["number"]) for row in await conn.fetch(QUERIES["numbers"])}
    for name in organisations:
        if name not in numbers:
            numbers[name] = max(numbers.values(), default=0) + 1
            await conn.execute(QUERIES["number"], name, numbers[name])
    return numbers


async def coded(
    conn: Connection, city: City, numbers: Mapping[str, int], new: Sequence[Draft]
) -> dict[int, str]:
    """A code for each new draft, by its place in memory; sequences go on where the prefix's last one stands."""
    last = {
        str(row["prefix"]): int(row["last"])
        for row in await conn.fetch(QUERIES["last_sequences"])
    }  # fmt: skip
    codes: dict[int, str] = {}
    for draft in new:
        start = prefix(draft.group[0], draft.group[1:], numbers[draft.resource.provider], city.code)
        last[start] = last.get(start, 0) + 1
        codes[id(draft)] = code_of(start, last[start])
    return codes


async def numbered(conn: Connection, city: City, new: Sequence[Draft]) -> list[Resource]:
    """New drafts with their numbers and codes, in the same order; inside the caller's transaction."""
    await conn.execute(QUERIES["one_publisher"])
    numbers = await _numbers(conn, [draft.resource.provider for draft in new])
    codes = await coded(conn, city, numbers, new)
    return [msgspec.structs.replace(draft.resource, code=codes[id(draft)]) for draft in new]


def _changes(
    wanted: Sequence[Draft], known: Sequence[Resource], codes: Mapping[int, str], now: datetime
) -> Iterable[Change]:
    seen: set[str] = set()
    for draft in wanted:
        old = _same(draft, known)
        if old is None:
            yield created(draft.resource, codes[id(draft)], now)
            continue
        seen.add(old.code)
        new = msgspec.structs.replace(
            draft.resource,
            code=old.code,
            state="published",
            published_on=old.published_on,
            related=old.related,
        )
        before, after = difference(old, new)
        if old.state == "offline":
            yield Change(
                "online", new, {**before, "state": old.state}, {**after, "state": new.state}, "重新声明"
            )
        elif after:
            yield Change("changed", new, before, after)
    for old in known:
        if old.code not in seen and old.state != "offline":
            what = "登记簿" if old.kind == "register" else "数据源"
            why = f"声明里不再有{what} {old.register or old.source}"
            new = msgspec.structs.replace(old, state="offline", state_why=why)
            yield Change("offline", new, {"state": old.state}, {"state": "offline"}, why)


def created(resource: Resource, code: str, now: datetime) -> Change:
    """A resource that was not there before."""
    day = resource.published_on or (now.date() if resource.state == "published" else None)
    made = msgspec.structs.replace(resource, code=code, published_on=day)
    return Change("new", made, {}, {name: plain(getattr(made, name)) for name in ("title", "provider", "share_type", "open_type")})  # fmt: skip


def difference(old: Resource, new: Resource) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs in what is said of a resource: before and after, by attribute."""
    names = [name for name in OWN if getattr(old, name) != getattr(new, name)]
    return (
        {name: plain(getattr(old, name)) for name in names},
        {name: plain(getattr(new, name)) for name in names},
    )


async def write(
    conn: Connection,
    changes: Sequence[Change],
    now: datetime,
    *,
    by: str,
    what: str,
    about: Mapping[str, Any],
) -> Published:
    """Write resources and their history with one ledger entry, inside the caller's transaction."""
    if not changes:
        return Published()
    kinds = {kind: [one.resource.code for one in changes if one.kind == kind] for kind in ("new", "changed", "offline", "online")}  # fmt: skip
    body = {**about, "actor": by, **{kind: codes for kind, codes in kinds.items() if codes}}
    entry = int(await conn.fetchval(QUERIES["entry"], what, body))
    for one in changes:
        made = msgspec.structs.replace(one.resource, changed_at=now)
        values = [_value(made, name) for name in COLUMNS]
        await conn.execute(QUERIES["keep"], *values)
        await conn.execute(
            QUERIES["history"],
            made.code,
            now,
            one.kind,
            by,
            one.why,
            dict(one.before),
            dict(one.after),
            entry,
        )
    return Published(**{kind: tuple(codes) for kind, codes in kinds.items()}, entry=entry)


def _value(resource: Resource, name: str) -> Any:
    """An attribute as the database takes it: lists, not tuples; structures as JSON."""
    value: object = getattr(resource, name)
    return plain(value) if name in _LISTS else value
