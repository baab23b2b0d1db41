"""Actions that read the catalogue: packages, resources, organisations, groups, tags, licences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dizuo.engines.opendata.model import DatasetSeen
from dizuo.foundation.store import Connection

from .asking import Asked
from .errors import CkanInvalid, CkanNotFound, CkanQueryInvalid
from .package import licences
from .portal import ALL, QUERIES, Portal
from .query import All, Part, Term, parse, parse_sort
from .where import FACETS, SORTS, Condition

MOST_ROWS: Final = 1_000
MOST_NAMES: Final = 100_000
BUDGET_MS: Final = 5_000
_STATE: Final = "d.state = 'published'"


async def site_read(portal: Portal, asked: Asked) -> bool:
    """Everybody may read."""
    return True


async def status_show(portal: Portal, asked: Asked) -> dict[str, Any]:
    """What answers here. It is no CKAN: it speaks CKAN's Action API, version 3, as of 2.11."""
    counts = await portal.pool.fetchrow(QUERIES["counts"])
    return {
        "ckan_version": "2.11.0",
        "site_url": portal.base,
        "site_title": portal.title,
        "site_description": "",
        "error_emails_to": None,
        "locale_default": "zh_Hans_CN",
        "extensions": ["datastore"],
        "implementation": f"dizuo {portal.version}",
        "packages": counts["packages"] if counts else 0,
    }


async def package_list(portal: Portal, asked: Asked) -> list[str]:
    """Names of the published datasets; with ``include_drafts`` and a key the drafts too."""
    drafts = portal.writer.organisation if portal.writer and asked.flag("include_drafts") else None
    limit, start = asked.whole("limit", MOST_NAMES, most=MOST_NAMES), asked.whole("offset", 0)
    return [row["id"] for row in await portal.pool.fetch(QUERIES["names"], drafts, limit, start)]


async def package_show(portal: Portal, asked: Asked) -> dict[str, Any]:
    """One dataset by id or name. Errors: CkanNotFound."""
    told = asked.text("id") or asked.needed("name_or_id")
    return (await portal.told([await portal.find(told)]))[0]


async def current_package_list_with_resources(portal: Portal, asked: Asked) -> list[dict[str, Any]]:
    """Packages with their resources, newest first."""
    limit, start = asked.whole("limit", 100, most=MOST_ROWS), asked.whole("offset", 0)
    if (page := asked.whole("page", 0)) > 1:
        start = min((page - 1) * limit, 2**31 - 1)
    ids = [row["id"] for row in await portal.pool.fetch(QUERIES["recent"], limit, start)]
    return await portal.packages(ids)


async def package_search(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Packages found by ``q`` and ``fq``, with counts by ``facet.field``. Errors: CkanQueryInvalid."""
    q = parse(asked.text("q"))
    filters = [asked.text("fq"), *asked.words("fq_list")]
    condition = Condition()
    wanted = condition.of(All((q, *(parse(one) for one in filters if one.strip()))))
    if not (portal.writer and portal.writer.organisation == ALL and asked.flag("include_drafts")):
        wanted = f"{_STATE} AND {wanted}"
    given = tuple(condition.values)
    rows = asked.whole("rows", 10, most=MOST_ROWS)
    start = asked.whole("start", 0)
    sort = asked.text("sort") or "score desc, metadata_modified desc"
    order = _order(condition, q, sort)
    facets = _facets(asked)
    facet_limit = asked.whole("facet.limit", 50, most=10_000)
    page = (
        f"SELECT d.id, count(*) OVER () AS found FROM opendata.dataset d WHERE {wanted}"  # noqa: S608
        f" ORDER BY {order} LIMIT {int(rows)} OFFSET {int(start)}"
    )
    async with portal.pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = {BUDGET_MS}")
        found = await connection.fetch(page, *condition.values)
        total = found[0]["found"] if found else await _count(connection, wanted, given)
        counted = {
            name: await _counted(connection, FACETS[name], wanted, given, facet_limit) for name in facets
        }
    names = {**await portal.known("organization")}
    return {
        "count": total,
        "sort": sort,
        "facets": {name: dict(values) for name, values in counted.items()},
        "results": await portal.packages([row["id"] for row in found]),
        "search_facets": {
            name: {
                "title": name,
                "items": [
                    {
                        "name": value,
                        "display_name": names[value]["title"] if value in names else value,
                        "count": n,
                    }
                    for value, n in values
                ],
            }
            for name, values in counted.items()
        },
    }


async def _count(connection: Connection, wanted: str, given: Sequence[object]) -> int:
    """How many there are when the page asked for is beyond them, or empty."""
    return int(await connection.fetchval(f"SELECT count(*) FROM opendata.dataset d WHERE {wanted}", *given))  # noqa: S608


async def _counted(
    connection: Connection, expression: str, wanted: str, given: Sequence[object], limit: int
) -> list[tuple[str, int]]:
    grouped = (
        f"SELECT value, count(*) AS n FROM (SELECT {expression} AS value FROM opendata.dataset d WHERE {wanted}) one"  # noqa: S608
        f" WHERE value <> '' GROUP BY value ORDER BY n DESC, value LIMIT {int(limit) or 10_000}"
    )
    rows = await connection.fetch(grouped, *given)
    return [(row["value"], row["n"]) for row in rows]


def _facets(asked: Asked) -> tuple[str, ...]:
    wanted = asked.words("facet.field")
    if asked.text("facet").lower() == "false":
        return ()
    unknown = [name for name in wanted if name not in FACETS]
    if unknown:
        raise CkanQueryInvalid(why=f"不能按“{unknown[0][:40]}”统计；可用：{'、'.join(FACETS)}")
    return tuple(dict.fromkeys(wanted))


def _order(condition: Condition, q: Part, sort: str) -> str:
    """``score``: how many of the words stand in the title, then how many stand at its beginning."""
    pieces: list[str] = []
    for name, descending in parse_sort(sort, ("score", "relevance", "views_recent", *SORTS)):
        if name in ("score", "relevance"):
            scores = [
                f"(strpos(lower(d.title), lower({condition.value(word)}::text)) > 0)::int"
                for word in _words(q)
            ]
            if scores:
                pieces.append(f"({' + '.join(scores)}) {'DESC' if descending else 'ASC'}")
        elif name != "views_recent":
            pieces.append(f"{SORTS[name]} {'DESC' if descending else 'ASC'}")
    return ", ".join([*pieces, "d.id"])


def _words(part: Part) -> list[str]:
    if isinstance(part, Term):
        return [part.text] if part.field in ("", "text", "title") else []
    parts: Sequence[Part] = getattr(part, "parts", ())
    return [word for one in parts for word in _words(one)][:10]


async def resource_show(portal: Portal, asked: Asked) -> dict[str, Any]:
    """One resource. Errors: CkanNotFound."""
    return (await resource_of(portal, asked.needed("id")))[1]


async def resource_of(portal: Portal, told: str) -> tuple[DatasetSeen, dict[str, Any]]:
    """A resource with its dataset. Errors: CkanNotFound."""
    name = await portal.pool.fetchval(QUERIES["resource_named"], told)
    candidates = [name] if name else [told.rpartition(".")[0]] if "." in told else []
    for candidate in candidates:
        seen = await portal.find(candidate)
        package = (await portal.told([seen]))[0]
        for one in package["resources"]:
            if one["id"] == told:
                return seen, one
    raise CkanNotFound(what=told[:100])


async def resource_search(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Resources whose field holds a text: ``query`` is ``name:停车`` or several such. Errors: CkanInvalid."""
    given = asked.loose("query")
    queries = [given] if isinstance(given, str) else list(asked.words("query"))
    pairs = [one.partition(":") for one in queries if one]
    if not pairs or any(not sign or name not in _SEARCHED for name, sign, _ in pairs):
        raise CkanInvalid({"query": f"写成 字段:文字；字段可用 {'、'.join(_SEARCHED)}"})
    limit, start = asked.whole("limit", 100, most=MOST_ROWS), asked.whole("offset", 0)
    found: list[dict[str, Any]] = []
    names = [row["id"] for row in await portal.pool.fetch(QUERIES["names"], None, MOST_NAMES, 0)]
    for place in range(0, len(names), 500):
        for package in await portal.packages(names[place : place + 500]):
            found += [
                one
                for one in package["resources"]
                if all(text.lower() in str(one.get(name) or "").lower() for name, _, text in pairs)
            ]
    return {"count": len(found), "results": found[start : start + limit]}


_SEARCHED: Final = ("name", "description", "format", "url", "mimetype", "hash", "id")


async def organization_list(portal: Portal, asked: Asked) -> list[Any]:
    """Names of the organisations, or all of each with ``all_fields``."""
    return await _parties(portal, asked, "organization", "by_owner", "id")


async def group_list(portal: Portal, asked: Asked) -> list[Any]:
    """Names of the groups, or all of each with ``all_fields``."""
    return await _parties(portal, asked, "group", "by_group", "name")


async def _parties(portal: Portal, asked: Asked, kind: str, counts: str, by: str) -> list[Any]:
    wanted = asked.words("organizations" if kind == "organization" else "groups")
    listed = [
        one
        for one in (await portal.known(kind)).values()
        if one["state"] == "active" and (not wanted or one["name"] in wanted or one["id"] in wanted)
    ]
    listed.sort(key=lambda one: one["name"])
    start, limit = asked.whole("offset", 0), asked.whole("limit", MOST_NAMES, most=MOST_NAMES)
    listed = listed[start : start + limit]
    if not asked.flag("all_fields"):
        return [one["name"] for one in listed]
    packages = {row["owner"]: row["packages"] for row in await portal.pool.fetch(QUERIES[counts])}
    return [{**one, "package_count": packages.get(one[by], 0)} for one in listed]


async def organization_show(portal: Portal, asked: Asked) -> dict[str, Any]:
    """One organisation, with its datasets on request. Errors: CkanNotFound."""
    return await _party(portal, asked, "organization", "by_owner", "owner_org", "id")


async def group_show(portal: Portal, asked: Asked) -> dict[str, Any]:
    """One group, with its datasets on request. Errors: CkanNotFound."""
    return await _party(portal, asked, "group", "by_group", "groups", "name")


async def _party(portal: Portal, asked: Asked, kind: str, counts: str, field: str, by: str) -> dict[str, Any]:
    found = await portal.find_party(kind, asked.needed("id"))
    packages = {row["owner"]: row["packages"] for row in await portal.pool.fetch(QUERIES[counts])}
    shown: dict[str, Any] = {
        **found, "package_count": packages.get(found[by], 0), "users": [], "groups": [], "tags": [],
        "num_followers": 0,
    }  # fmt: skip
    if asked.flag("include_datasets"):
        condition = Condition()
        wanted = condition.of(Term(field, found[by]))
        named = (
            f"SELECT d.id FROM opendata.dataset d WHERE {_STATE} AND {wanted} ORDER BY d.id LIMIT {MOST_ROWS}"  # noqa: S608
        )
        rows = await portal.pool.fetch(named, *condition.values)
        shown["packages"] = await portal.packages([row["id"] for row in rows])
    return shown


async def tag_list(portal: Portal, asked: Asked) -> list[Any]:
    """Tags in use, all or those that hold ``query``."""
    rows = await portal.pool.fetch(QUERIES["tags"], asked.text("query"), MOST_NAMES)
    if asked.flag("all_fields"):
        return [
            {"id": row["tag"], "name": row["tag"], "display_name": row["tag"], "vocabulary_id": None}
            for row in rows
        ]
    return [row["tag"] for row in rows]


async def tag_show(portal: Portal, asked: Asked) -> dict[str, Any]:
    """One tag, with its datasets on request. Errors: CkanNotFound."""
    told = asked.needed("id")
    ids = [row["id"] for row in await portal.pool.fetch(QUERIES["with_tag"], told)]
    if not ids:
        raise CkanNotFound(what=told[:100])
    found: dict[str, Any] = {"id": told, "name": told, "display_name": told, "vocabulary_id": None}
    if asked.flag("include_datasets"):
        found["packages"] = await portal.packages(ids)
    return found


async def license_list(portal: Portal, asked: Asked) -> list[dict[str, Any]]:
    """Licences: the usual ones and those in use."""
    codes = [row["code"] for row in await portal.pool.fetch(QUERIES["licences"])]
    return licences(codes, portal.base)
