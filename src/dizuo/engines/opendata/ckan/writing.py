"""Actions that load a catalogue from outside: packages, resources, organisations, groups. All need a key.

A package whose texts give away a person's number stays a draft; so does one whose rows the gate refuses. Declared datasets
are never touched.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from dizuo.engines.opendata.detect import found
from dizuo.engines.opendata.model import DatasetSeen
from dizuo.engines.opendata.reads import datasets
from dizuo.foundation.store import Connection, begin

from .asking import Asked
from .errors import CkanDeclared, CkanInvalid, CkanNotFound, CkanTaken
from .package import NAME, Cleaner, cleaned, facts, resource, stored, utc
from .portal import QUERIES, Portal, party
from .reading import resource_of

LOADED: Final = "loaded"


async def package_create(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Load a dataset. Errors: CkanKeyNeeded, CkanNotYours, CkanInvalid, CkanTaken."""
    portal.must_write()
    name = asked.needed("name").lower()
    if not NAME.fullmatch(name):
        raise CkanInvalid({"name": "用 2 到 100 个小写字母、数字、- 或 _，以字母或数字开头"})
    id = asked.text("id") or str(uuid.uuid4())
    if len(id) > 100 or not id.isprintable():
        raise CkanInvalid({"id": "最长 100 个字"})
    async with begin(portal.pool, portal.now) as tx:
        for told in {name, id}:
            if await tx.conn.fetchval(QUERIES["dataset_named"], told):
                raise CkanTaken(name=told)
        return await _write(portal, tx.conn, name, id, asked.told, utc(tx.now), utc(tx.now))


async def package_update(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Write a loaded dataset anew. Errors: as package_create; CkanNotFound, CkanDeclared."""
    portal.must_write()
    return await _change(portal, asked, whole=True)


async def package_patch(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Change some fields of a loaded dataset. Errors: as package_update."""
    portal.must_write()
    return await _change(portal, asked, whole=False)


async def package_delete(portal: Portal, asked: Asked) -> None:
    """Take a loaded dataset offline; it is kept. Errors: CkanKeyNeeded, CkanNotFound, CkanDeclared."""
    portal.must_write()
    seen = await _loaded(portal, asked.needed("id"))
    async with begin(portal.pool, portal.now) as tx:
        kept = seen.extras["ckan"]
        told = {**kept["package"], "state": "deleted", "groups": [{"name": one} for one in kept["groups"]]}
        told |= {"owner_org": kept["owner_org"], "tags": [{"name": one} for one in kept["package"]["tags"]]}
        await _write(portal, tx.conn, seen.id, kept["id"], told, kept["created"], utc(tx.now))


async def _change(portal: Portal, asked: Asked, *, whole: bool) -> dict[str, Any]:
    seen = await _loaded(portal, asked.text("id") or asked.needed("name"))
    kept = seen.extras["ckan"]
    told: dict[str, Any] = dict(asked.told)
    name = asked.text("name", seen.id).lower()
    if name != seen.id:
        raise CkanInvalid({"name": "名字是数据集的固定编号，不能改；请另建一个"})
    if not whole:
        before = {
            **kept["package"],
            "owner_org": kept["owner_org"],
            "groups": [{"name": one} for one in kept["groups"]],
            "tags": [{"name": one} for one in kept["package"]["tags"]],
            "state": kept.get("wanted", "active"),
        }
        told = {**before, **told}
    told.setdefault("owner_org", kept["owner_org"])
    async with begin(portal.pool, portal.now) as tx:
        return await _write(portal, tx.conn, seen.id, kept["id"], told, kept["created"], utc(tx.now))


async def _loaded(portal: Portal, told: str) -> DatasetSeen:
    """A loaded dataset in whatever state, that the key is good for. Errors: CkanNotFound, CkanDeclared, CkanNotYours."""
    name = await portal.pool.fetchval(QUERIES["dataset_named"], told)
    seen = await datasets(portal.pool, [name]) if name else ()
    if not seen:
        raise CkanNotFound(what=told[:100])
    if seen[0].origin != LOADED:
        raise CkanDeclared(name=seen[0].id)
    portal.must_write(seen[0].provider)
    return seen[0]


async def _write(
    portal: Portal, conn: Connection, name: str, id: str, told: Mapping[str, Any], created: str, modified: str
) -> dict[str, Any]:
    """Check, put through the gate for texts, and write one package; gives it as package_show does, with the gate's words."""
    package = cleaned(told)
    owner = Asked(told).text("owner_org")
    if not owner:
        raise CkanInvalid({"owner_org": "必填：哪个单位的数据"})
    organisation = await _organisation(portal, owner)
    writer = portal.must_write(organisation["id"])
    groups = [await _group(portal, one) for one in Cleaner().items(told, "groups", 100)]
    findings = gate_of(package)
    wanted = str(told.get("state") or "active")
    if wanted not in ("active", "draft", "deleted"):
        raise CkanInvalid({"state": "应为 active、draft 或 deleted"})
    refused = bool(findings) or package["private"] or await conn.fetchval(QUERIES["table_is_refused"], name)
    state = "withdrawn" if wanted == "deleted" else "refused" if refused or wanted == "draft" else "published"
    extras = stored(
        package, id=id, owner=organisation["id"], organisation=organisation["name"], groups=groups, created=created,
        modified=modified,
    )  # fmt: skip
    extras["ckan"]["wanted"] = wanted
    told_columns = facts(package, name, extras, provider=organisation["id"], state=state)
    try:
        await conn.fetchval(QUERIES["put_foreign"], LOADED, name, told_columns, f"key:{writer.id}")
    except asyncpg.UniqueViolationError:
        raise CkanTaken(name=id) from None
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") == "DZ075":
            raise CkanDeclared(name=name) from None
        raise
    seen = (await datasets(conn, [name]))[0]
    tables = frozenset(row["resource"] for row in await conn.fetch(QUERIES["tables_of"], [name]))
    shown = (await portal.shown([seen])).package(seen, tables=tables)
    return {**shown, "gate": {"passed": not findings, "findings": findings}}


async def _organisation(portal: Portal, told: str) -> dict[str, Any]:
    try:
        return await portal.find_party("organization", told)
    except CkanNotFound:
        raise CkanInvalid({"owner_org": f"没有这个单位：{told[:80]}；请先 organization_create"}) from None


async def _group(portal: Portal, told: Mapping[str, Any]) -> str:
    named = str(told.get("id") or told.get("name") or "")
    known = await portal.known("group")
    for wanted in (named, str(told.get("name") or "")):
        for one in known.values():
            if wanted in (one["id"], one["name"]):
                return str(one["name"])
    raise CkanInvalid({"groups": f"没有这个分组：{named[:80]}；请先 group_create"})


def gate_of(package: Mapping[str, Any]) -> list[str]:
    """Why the texts of a package may not be seen: they hold a citizen's number. An office's telephone may be there."""
    texts: list[str] = [
        package["title"],
        package["notes"],
        package["author"],
        package["maintainer"],
        *package["tags"],
    ]
    texts += [one["value"] for one in package["extras"]]
    for one in package["resources"]:
        texts += [one["name"], one["description"], one["url"]]
    return ["文字里有公民身份号码"] if "citizen_id" in found(texts) else []


async def resource_create(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Add a resource to a loaded dataset. Errors: as package_update."""
    seen = await _loaded(_writing(portal), asked.needed("package_id"))
    listed = [dict(one) for one in seen.extras["ckan"]["package"]["resources"]]
    cleaner = Cleaner()
    new = resource(cleaner, asked.told, len(listed))
    cleaner.done()
    return await _resources(portal, seen, [*listed, new], new["id"])


async def resource_update(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Write a resource anew. Errors: as package_update."""
    return await _resource(portal, asked, whole=True)


async def resource_patch(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Change some fields of a resource. Errors: as package_update."""
    return await _resource(portal, asked, whole=False)


async def resource_delete(portal: Portal, asked: Asked) -> None:
    """Take a resource out of a loaded dataset. Errors: as package_update."""
    seen, listed = await _resource_of(portal, asked.needed("id"))
    await _resources(portal, seen, [one for one in listed if one["id"] != asked.text("id")], "")


async def _resource(portal: Portal, asked: Asked, *, whole: bool) -> dict[str, Any]:
    id = asked.needed("id")
    seen, listed = await _resource_of(portal, id)
    place = next(n for n, one in enumerate(listed) if one["id"] == id)
    cleaner = Cleaner()
    listed[place] = resource(cleaner, asked.told if whole else {**listed[place], **asked.told}, place)
    cleaner.done()
    return await _resources(portal, seen, listed, id)


async def _resource_of(portal: Portal, id: str) -> tuple[DatasetSeen, list[dict[str, Any]]]:
    found_in, _ = await resource_of(_writing(portal), id)
    seen = await _loaded(portal, found_in.id)
    return seen, [dict(one) for one in seen.extras["ckan"]["package"]["resources"]]


async def _resources(
    portal: Portal, seen: DatasetSeen, listed: list[dict[str, Any]], wanted: str
) -> dict[str, Any]:
    patch = Asked({"id": seen.id, "resources": listed})
    shown = await _change(portal, patch, whole=False)
    left: list[dict[str, Any]] = shown["resources"]
    return next((one for one in left if one["id"] == wanted), {"id": wanted})


def _writing(portal: Portal) -> Portal:
    portal.must_write()
    return portal


async def organization_create(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Load an organisation; needs a key for it, or for all. Errors: CkanKeyNeeded, CkanNotYours, CkanInvalid, CkanTaken."""
    return await _party(portal, asked, "organization", new=True)


async def organization_update(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Write a loaded organisation anew. Errors: as organization_create; CkanNotFound, CkanDeclared."""
    return await _party(portal, asked, "organization", new=False)


async def organization_delete(portal: Portal, asked: Asked) -> None:
    """Take a loaded organisation off the list; its datasets stay. Errors: as organization_update."""
    await _party(portal, Asked({**asked.told, "state": "deleted"}), "organization", new=False, keep=True)


async def group_create(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Load a group; needs a key for all. Errors: as organization_create."""
    return await _party(portal, asked, "group", new=True)


async def group_update(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Write a group anew. Errors: as organization_update."""
    return await _party(portal, asked, "group", new=False)


async def group_delete(portal: Portal, asked: Asked) -> None:
    """Take a group off the list. Errors: as organization_update."""
    await _party(portal, Asked({**asked.told, "state": "deleted"}), "group", new=False, keep=True)


async def _party(portal: Portal, asked: Asked, kind: str, *, new: bool, keep: bool = False) -> dict[str, Any]:
    writer = portal.must_write()
    if new:
        name, id = asked.needed("name").lower(), asked.text("id") or str(uuid.uuid4())
        known = await portal.known(kind)
        if id in known or any(one["name"] == name for one in known.values()):
            raise CkanTaken(name=name)
        before: Mapping[str, Any] = {}
    else:
        before = await portal.find_party(kind, asked.text("id") or asked.needed("name"))
        id, name = str(before["id"]), asked.text("name") or str(before["name"])
        if kind == "organization" and id in portal.declared:
            raise CkanDeclared(name=id)
    portal.must_write(id if kind == "organization" else None if writer.organisation == "*" else "*")
    if not NAME.fullmatch(name) or len(id) > 100:
        raise CkanInvalid({"name": "用 2 到 100 个小写字母、数字、- 或 _，以字母或数字开头"})
    told = {**before, **asked.told} if keep else asked.told
    cleaner = Cleaner()
    title, says = cleaner.text(told, "title", 300), cleaner.text(told, "description", 5_000)
    image = cleaner.text(told, "image_url", 1_000)
    extras = [
        {"key": cleaner.text(one, "key", 200), "value": cleaner.text(one, "value", 5_000)}
        for one in cleaner.items(told, "extras", 100)
    ]
    cleaner.done()
    state = "deleted" if told.get("state") == "deleted" else "active"
    rest: dict[str, Any] = {"image_url": image, "extras": extras}
    columns = {"title": title, "says": says, "extras": rest, "state": state}
    try:
        async with begin(portal.pool, portal.now) as tx:
            await tx.conn.fetchval(QUERIES["put_party"], kind, id, name, columns, f"key:{writer.id}")
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") in ("DZ075", "23505"):
            raise CkanTaken(name=name) from None
        raise
    portal.parties.pop(kind, None)
    when = portal.now().replace(tzinfo=None).isoformat()
    return party(id, name, title, says, kind, state, rest, when)
