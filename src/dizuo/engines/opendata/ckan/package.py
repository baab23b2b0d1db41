"""A dataset as CKAN tells it (a package), and a package from outside as we keep it.

A declared dataset's package is made from its facts. A loaded or harvested one is kept in ``extras.ckan``::

    {"id", "owner_org", "organization", "groups": [name], "created", "modified", "search", "package": {…}, "source": {…}}

where ``package`` holds the fields below, checked and cut to length, and nothing else.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from dizuo.engines.opendata.dcat import address, media_type_of
from dizuo.engines.opendata.model import DatasetSeen

from .errors import CkanInvalid

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{1,99}")
TEXTS: Final = {
    "title": 500, "notes": 20_000, "author": 200, "author_email": 200, "maintainer": 200, "maintainer_email": 200,
    "license_id": 100, "version": 100, "url": 2_000,
}  # fmt: skip
RESOURCE_TEXTS: Final = {
    "name": 500, "description": 5_000, "format": 60, "mimetype": 120, "hash": 200, "url": 2_000, "url_type": 40,
    "resource_type": 60, "created": 40, "last_modified": 40, "mimetype_inner": 120, "cache_url": 2_000,
}  # fmt: skip
MOST_RESOURCES: Final = 1_000
MOST_TAGS: Final = 500
MOST_EXTRAS: Final = 500
_UNSPOKEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LICENCES: Final = {
    "cc-by": ("知识共享 署名 4.0", "https://creativecommons.org/licenses/by/4.0/", True),
    "cc-by-4.0": ("知识共享 署名 4.0", "https://creativecommons.org/licenses/by/4.0/", True),
    "cc-zero": ("知识共享 CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", True),
    "cc0-1.0": ("知识共享 CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", True),
    "odc-odbl": ("开放数据库许可 1.0", "https://opendatacommons.org/licenses/odbl/1-0/", True),
    "odc-by": ("开放数据署名许可 1.0", "https://opendatacommons.org/licenses/by/1-0/", True),
    "notspecified": ("没有写明", "", False),
    "other-open": ("其他开放许可", "", True),
    "other-closed": ("其他不开放的许可", "", False),
}


class Cleaner:
    """Reads untrusted JSON field by field and collects what is wrong."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    def text(self, told: Mapping[str, Any], name: str, most: int) -> str:
        """One text, without signs that no page can show."""
        value = told.get(name)
        if value is None:
            return ""
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            self.wrong[name] = "应为文字"
            return ""
        text = _UNSPOKEN.sub("", str(value)).strip()
        if len(text) > most:
            self.wrong[name] = f"最长 {most} 个字"
        return text[:most]

    def items(self, told: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
        """A list of objects."""
        value = told.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong[name] = "应为列表"
            return []
        found = cast("list[Any]", value)
        if len(found) > most:
            self.wrong[name] = f"最多 {most} 个"
        if not all(isinstance(one, dict) for one in found):
            self.wrong[name] = "列表里应为对象"
            return []
        return cast("list[Mapping[str, Any]]", found[:most])

    def done(self) -> None:
        """Errors: CkanInvalid with everything that is wrong."""
        if self.wrong:
            raise CkanInvalid(self.wrong)


def cleaned(told: Mapping[str, Any]) -> dict[str, Any]:
    """A package's own fields, checked. Errors: CkanInvalid with every field that is wrong."""
    cleaner = Cleaner()
    package: dict[str, Any] = {name: cleaner.text(told, name, most) for name, most in TEXTS.items()}
    package["url"] = address(package["url"]) if package["url"] else ""
    package["private"] = bool(told.get("private"))
    package["tags"] = _tags(cleaner, told)
    package["extras"] = [
        {"key": cleaner.text(one, "key", 200), "value": _scalar(one.get("value"))}
        for one in cleaner.items(told, "extras", MOST_EXTRAS)
    ]
    keys = [one["key"] for one in package["extras"]]
    if len(keys) != len(set(keys)) or "" in keys:
        cleaner.wrong["extras"] = "名字不能为空，也不能重复"
    package["resources"] = [
        resource(cleaner, one, place)
        for place, one in enumerate(cleaner.items(told, "resources", MOST_RESOURCES))
    ]
    ids = [one["id"] for one in package["resources"]]
    if len(ids) != len(set(ids)):
        cleaner.wrong["resources"] = "资源的 id 重复"
    cleaner.done()
    return package


def resource(cleaner: Cleaner, told: Mapping[str, Any], place: int) -> dict[str, Any]:
    """A resource's fields; other scalars that a portal adds are kept under their names."""
    found: dict[str, Any] = {name: cleaner.text(told, name, most) for name, most in RESOURCE_TEXTS.items()}
    if found["url"]:
        # The name of a file is allowed there, another scheme than the web's is not.
        found["url"] = address(found["url"]) or (found["url"] if ":" not in found["url"] else "")
    given = cleaner.text(told, "id", 100)
    found["id"] = given if re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", given) else str(uuid.uuid4())
    size = told.get("size")
    found["size"] = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    found["position"] = place
    for name, value in list(told.items())[:60]:
        if name not in found and re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name) and name not in _OURS:
            kept = _scalar(value)
            if kept != "" or value == "":
                found[name] = kept
    return found


_OURS: Final = frozenset(
    {"package_id", "state", "datastore_active", "metadata_modified", "upload", "revision_id"}
)


def _tags(cleaner: Cleaner, told: Mapping[str, Any]) -> list[str]:
    given = told.get("tag_string")
    if isinstance(given, str):
        names = [one.strip() for one in given.split(",")]
    else:
        names = [cleaner.text(one, "name", 100) for one in cleaner.items(told, "tags", MOST_TAGS)]
    return sorted({_UNSPOKEN.sub("", one)[:100] for one in names if one})


def _scalar(value: object) -> str:
    """CKAN keeps extras as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNSPOKEN.sub("", str(value))[:10_000] if isinstance(value, str | int | float) else ""


def name_for(told: str, taken: str) -> str:
    """A dataset's id from a name of outside; ``taken`` tells it apart when nothing of the name can be used."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", told.lower()).strip("-_")[:90]
    return plain if len(plain) >= 2 else f"set-{taken}"[:100]


def stored(
    package: Mapping[str, Any],
    *,
    id: str,
    owner: str,
    organisation: str,
    groups: Sequence[str],
    created: str,
    modified: str,
    source: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What goes into ``extras``."""
    search = " ".join(f"{one['name']} {one['description']}" for one in package["resources"])
    kept: dict[str, Any] = {
        "id": id, "owner_org": owner, "organization": organisation, "groups": list(groups), "created": created,
        "modified": modified, "search": search[:20_000], "package": dict(package),
    }  # fmt: skip
    if source:
        kept["source"] = dict(source)
    return {"ckan": kept}


def facts(
    package: Mapping[str, Any], name: str, extras: Mapping[str, Any], *, provider: str, state: str
) -> dict[str, Any]:
    """The columns of opendata.dataset for a package, as ``opendata.put_foreign`` takes them."""
    told = {one["key"]: one["value"] for one in package["extras"]}
    return {
        "title": package["title"] or name,
        "abstract": package["notes"],
        "provider": provider or "unknown",
        "theme": told.get("theme", ""),
        "open_type": "closed" if package["private"] else "unconditional",
        "cycle": told.get("update_cycle") or told.get("frequency") or "irregular",
        "licence": package["license_id"],
        "also": package["tags"],
        "formats": sorted({one["format"].lower() for one in package["resources"] if one["format"]}),
        "state": state,
        "extras": dict(extras),
    }


STATES: Final = {"published": "active", "refused": "draft", "withdrawn": "deleted"}


class Shown:
    """Makes packages for one reader: where we are, how organisations and groups are called."""

    def __init__(
        self,
        base: str,
        site: str,
        organisations: Mapping[str, Mapping[str, Any]],
        groups: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._base = base.rstrip("/")
        self._site = site
        self._organisations = organisations
        self._groups = groups

    def package(self, seen: DatasetSeen, *, tables: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The package of a dataset. ``tables``: resources of loaded datasets that have rows here."""
        kept: Mapping[str, Any] | None = seen.extras.get("ckan")
        if kept is None:
            return self._declared(seen)
        package = kept["package"]
        organisation = self._organisations.get(kept["owner_org"])
        extras = [dict(one) for one in package["extras"]]
        if source := kept.get("source"):
            extras += [
                {"key": f"harvest_{name}", "value": str(source.get(name, ""))}
                for name in ("source_id", "source_title", "source_url", "identifier")
            ]
        resources = [
            {
                **one,
                "package_id": kept["id"],
                "state": "active",
                "datastore_active": one["id"] in tables,
                "metadata_modified": kept["modified"],
            }
            for one in package["resources"]
        ]
        return self._whole(
            seen,
            {name: package[name] for name in TEXTS},
            id=kept["id"],
            created=kept["created"],
            modified=kept["modified"],
            organisation=organisation,
            owner=kept["owner_org"],
            private=package["private"],
            tags=package["tags"],
            groups=kept["groups"],
            extras=extras,
            resources=resources,
        )

    def _declared(self, seen: DatasetSeen) -> dict[str, Any]:
        home = f"{self._base}/data/{seen.id}"
        when = utc(seen.updated_at or seen.changed_at)
        resources: list[dict[str, Any]] = []
        for place, kind in enumerate(seen.formats):
            resources.append(
                {
                    "id": f"{seen.id}.{kind}", "package_id": seen.id, "name": f"{seen.title}（{kind.upper()}）",
                    "description": "", "format": kind.upper(), "mimetype": media_type_of(kind), "mimetype_inner": "",
                    "hash": seen.digest if kind == "jsonl" else "", "url": f"{home}/download/{kind}", "url_type": "", "size": None,
                    "resource_type": "file", "created": utc(seen.first_published) if seen.first_published else when,
                    "last_modified": when, "metadata_modified": when, "cache_url": "", "position": place,
                    "state": "active", "datastore_active": seen.open_type == "unconditional",
                }
            )  # fmt: skip
        told = {
            "theme": seen.theme, "update_cycle": seen.cycle, "open_type": seen.open_type, "condition": seen.condition,
            "title_en": seen.title_en, "notes_en": seen.abstract_en, "spatial_text": seen.spatial,
            "temporal_text": seen.temporal, "rows": str(seen.rows), "release": str(seen.version),
        }  # fmt: skip
        texts = dict.fromkeys(TEXTS, "")
        texts |= {
            "title": seen.title, "notes": seen.abstract, "license_id": seen.licence, "url": home, "version": str(seen.version),
        }  # fmt: skip
        organisation = self._organisations.get(seen.provider)
        return self._whole(
            seen,
            texts,
            id=seen.id,
            created=utc(seen.first_published or seen.changed_at),
            modified=when,
            organisation=organisation,
            owner=seen.provider,
            private=False,
            tags=sorted({*seen.also, *([seen.theme] if seen.theme else [])}),
            groups=[],
            extras=[{"key": key, "value": value} for key, value in told.items() if value],
            resources=resources,
        )

    def _whole(
        self,
        seen: DatasetSeen,
        texts: Mapping[str, str],
        *,
        id: str,
        created: str,
        modified: str,
        organisation: Mapping[str, Any] | None,
        owner: str,
        private: bool,
        tags: Sequence[str],
        groups: Sequence[str],
        extras: Sequence[Mapping[str, str]],
        resources: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        title, link, free = licence(texts["license_id"], self._base)
        return {
            **texts,
            "id": id,
            "name": seen.id,
            "type": "dataset",
            "state": STATES[seen.state],
            "private": private,
            "isopen": free,
            "license_title": title,
            "license_url": link,
            "creator_user_id": None,
            "owner_org": owner or None,
            "organization": dict(organisation) if organisation else None,
            "metadata_created": created,
            "metadata_modified": modified,
            "num_resources": len(resources),
            "num_tags": len(tags),
            "tags": [
                {"id": tag, "name": tag, "display_name": tag, "state": "active", "vocabulary_id": None}
                for tag in tags
            ],
            "groups": [dict(self._groups[name]) for name in groups if name in self._groups],
            "extras": sorted((dict(one) for one in extras), key=lambda one: one["key"]),
            "resources": [dict(one) for one in resources],
            "relationships_as_subject": [],
            "relationships_as_object": [],
        }


def licence(code: str, base: str) -> tuple[str, str, bool]:
    """Title, address and whether it is open, of a licence's code; what is unknown is told as it is."""
    found = _LICENCES.get(code.lower())
    if found:
        return found
    if not code:
        return "", "", False
    return (
        (code, code, False) if code.startswith(("http://", "https://")) else (code, f"{base}/licence", True)
    )


def licences(codes: Sequence[str], base: str) -> list[dict[str, Any]]:
    """What license_list tells: the known ones and those in use."""
    names = dict.fromkeys([*_LICENCES, *(code for code in codes if code and code.lower() not in _LICENCES)])
    listed: list[dict[str, Any]] = []
    for code in names:
        title, link, free = licence(code, base)
        listed.append({"id": code, "title": title, "url": link, "is_okd_compliant": free, "status": "active"})
    return listed


def utc(when: dt.datetime) -> str:
    """A moment as CKAN writes it: UTC, microseconds, no zone."""
    return when.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
