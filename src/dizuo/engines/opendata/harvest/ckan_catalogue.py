"""A catalogue that speaks CKAN's Action API, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec

from .errors import CatalogueUnreadable
from .found import SECOND_HAND, Found, Page

ROWS: Final = 100
_FIELDS: Final = (
    "title", "notes", "author", "author_email", "maintainer", "maintainer_email", "license_id", "version", "url", "tags",
    "extras", "resources", "private",
)  # fmt: skip


def first_page(url: str) -> str:
    """Where a CKAN's first page is, from the address of the portal."""
    return f"{_api(url)}package_search?" + urlencode(
        {"q": "*:*", "rows": ROWS, "start": 0, "sort": "name asc"}
    )


def newest(url: str) -> str:
    """Where to see how many there are and what changed last."""
    return f"{_api(url)}package_search?" + urlencode(
        {"q": "*:*", "rows": 1, "sort": "metadata_modified desc"}
    )


def one(url: str, identifier: str) -> str:
    """Where one dataset is, to see whether it is really gone."""
    return f"{_api(url)}package_show?id={quote(identifier, safe='')}"


def _api(url: str) -> str:
    base = url.rstrip("/")
    for ending in ("/api/3/action", "/api/3", "/api"):
        base = base.removesuffix(ending)
    return f"{base}/api/3/action/"


def read_page(body: bytes, url: str) -> Page:
    """One page of package_search. Errors: CatalogueUnreadable."""
    result = _result(body)
    count, listed = result.get("count"), result.get("results")
    if not isinstance(count, int) or not isinstance(listed, list):
        raise CatalogueUnreadable(why="package_search 的回答里没有 count 和 results")
    found = [_record(one, url) for one in cast("list[Any]", listed)]
    asked = dict(parse_qsl(urlsplit(url).query))
    after = int(asked.get("start", "0")) + len(found)
    more = bool(found) and after < count
    return Page(tuple(found), _with_start(url, after) if more else "")


def read_newest(body: bytes) -> str:
    """How many there are and when the last of them changed, as one text."""
    result = _result(body)
    listed = cast("list[Mapping[str, Any]]", result.get("results") or [{}])
    last = listed[0].get("metadata_modified", "")
    return f"{result.get('count')} {last}"


def read_one(body: bytes, url: str) -> Found | None:
    """The dataset of package_show; None when the source says that it is deleted or a draft."""
    found = _result(body)
    return _record(found, url) if found.get("state", "active") == "active" else None


def _result(body: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CatalogueUnreadable(why="不是 JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("result"), dict):  # pyright: ignore[reportUnknownMemberType]
        raise CatalogueUnreadable(why="不是 CKAN 的回答")
    return cast("dict[str, Any]", told["result"])


def _with_start(url: str, start: int) -> str:
    parts = urlsplit(url)
    asked = {**dict(parse_qsl(parts.query)), "start": str(start)}
    return urlunsplit(parts._replace(query=urlencode(asked)))


def _record(told: Any, url: str) -> Found:
    if not isinstance(told, dict):
        return Found("?", fault="不是对象")
    package = cast("Mapping[str, Any]", told)
    identifier, name = package.get("id"), package.get("name")
    if not isinstance(identifier, str) or not identifier or len(identifier) > 500:
        return Found(str(name or "?")[:500], fault="没有 id")
    organisation = package.get("organization")
    publisher = ""
    if isinstance(organisation, dict):
        facts = cast("Mapping[str, Any]", organisation)
        publisher = str(facts.get("title") or facts.get("name") or "")
    parts = urlsplit(url)
    base = parts.path.partition("/api/")[0]
    link = f"{parts.scheme}://{parts.netloc}{base}/dataset/{quote(str(name or identifier), safe='')}"
    kept = {field: package[field] for field in _FIELDS if package.get(field) is not None}
    if package.get("private"):
        return Found(identifier, fault="来源标明不公开")
    extras = cast("list[Mapping[str, Any]]", package.get("extras") or [])
    if any(hasattr(one, "get") and one.get("key") == "harvest_source_url" for one in extras):
        return Found(identifier, fault=SECOND_HAND)
    groups = cast("list[Mapping[str, Any]]", package.get("groups") or [])
    named = tuple(str(one.get("title") or one.get("name") or "") for one in groups if hasattr(one, "get"))
    return Found(identifier, str(name or ""), publisher, link, kept, named)
