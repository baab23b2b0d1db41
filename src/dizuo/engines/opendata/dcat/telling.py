"""Our datasets in the words of DCAT-AP: what is known is told, nothing is made up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dizuo.engines.opendata.model import DatasetSeen

from .model import Agent, Catalogue, Dataset, Distribution, Licence, Said, Service
from .nodes import Iri, Node, address
from .vocabulary import media_type_of

TAKEN: Final = "采集自"
"""How the provenance of a harvested dataset begins; who harvests us tells it by that from what is our own."""
_ACCESS: Final = {"unconditional": "public", "conditional": "restricted", "closed": "closed"}


class Place(msgspec.Struct, frozen=True):
    """Where the portal stands and who answers for it.

    ``base`` is the address of the open door, such as https://data.city.example/open; ``organisations`` id → name in
    both languages; ``themes`` id → Chinese name; ``laws`` the legal basis as (address, name).
    """

    base: str
    city: Said
    organisations: Mapping[str, tuple[str, str]]
    themes: Mapping[str, str]
    contact: str
    laws: tuple[tuple[str, str], ...] = ()
    west_south_east_north: tuple[float, float, float, float] | None = None


def told_catalogue(place: Place, modified: dt.datetime | None) -> Catalogue:
    """The catalogue with its interfaces."""
    return Catalogue(
        iri=f"{place.base}/catalog",
        title=Said(f"{place.city.zh}公共数据开放目录", f"Open data of {place.city.en or place.city.zh}"),
        notes=Said("向社会开放的公共数据集。", "Public data opened to everybody."),
        publisher=_publisher(place),
        homepage=place.base,
        contact=place.contact,
        licence=None,
        modified=modified,
        laws=place.laws,
        services=(_interface(place, "api/3", "api/openapi"), _features(place)),
    )


def _publisher(place: Place) -> Agent:
    return Agent(f"{place.base}/organisations/city", place.city)


def _features(place: Place) -> Service:
    return _interface(place, "ogc", "ogc/api", hvd="geospatial")


_TITLES: Final = {
    "api/3": Said("开放数据目录接口（CKAN Action API v3）", "Catalogue interface (CKAN Action API v3)"),
    "ogc": Said("空间数据接口（OGC API – Features）", "Spatial data (OGC API – Features)"),
}


def _interface(place: Place, path: str, described: str, hvd: str = "") -> Service:
    return Service(
        iri=f"{place.base}/{path}",
        title=_TITLES[path],
        endpoint=f"{place.base}/{path}",
        description=f"{place.base}/{described}",
        page=place.base,
        publisher=_publisher(place),
        contact=place.contact,
        laws=place.laws,
        hvd=hvd,
    )


def told_dataset(place: Place, seen: DatasetSeen) -> Dataset:
    """A dataset with its distributions."""
    kept: Mapping[str, Any] | None = seen.extras.get("ckan")
    home = f"{place.base}/data/{seen.id}"
    zh, en = place.organisations.get(seen.provider, (seen.provider, ""))
    agent = f"{place.base}/organisations/{seen.provider}"
    if seen.provider not in place.organisations:
        agent = address(f"{place.base}/publishers/{seen.provider}")
    source, told = "", place.themes.get(seen.theme, seen.theme)
    if kept and kept.get("source"):
        source = str(kept["source"].get("source_url") or "")
    distributions = _foreign(place, home, kept["package"], seen) if kept else _own(place, home, seen)
    return Dataset(
        iri=home,
        id=seen.id,
        title=Said(seen.title, seen.title_en),
        notes=Said(seen.abstract, seen.abstract_en),
        publisher=Agent(agent, Said(zh, en)),
        landing=home,
        contact=zh,
        contact_page=home,
        theme=seen.theme,
        keywords=(*seen.also, *([told] if told else [])),
        issued=seen.first_published,
        modified=seen.updated_at or seen.changed_at,
        cycle=seen.cycle,
        access=_ACCESS[seen.open_type],
        bbox=place.west_south_east_north if seen.shapes else None,
        version=str(seen.version) if seen.version else "",
        provenance=_origin(kept, seen),
        source=source,
        # A category, not a claim that the European regulation applies here.
        hvd="geospatial" if seen.shapes else "",
        laws=place.laws,
        distributions=distributions,
    )


def _origin(kept: Mapping[str, Any] | None, seen: DatasetSeen) -> str:
    if kept and kept.get("source"):
        source = kept["source"]
        return f"{TAKEN}“{source.get('source_title', '')}”，那里的编号是 {source.get('identifier', '')}"
    if kept:
        return "由提供单位从接口装载，开放前经过审查"
    return (
        f"第 {seen.version} 版，{seen.rows} 行，开放前经过审查（报告 {seen.report}）" if seen.version else ""
    )


def _own(place: Place, home: str, seen: DatasetSeen) -> tuple[Distribution, ...]:
    rights = seen.condition
    licence = licence_of(place, seen.licence)
    return tuple(
        Distribution(
            iri=f"{home}/download/{kind}",
            title=Said(f"{seen.title}（{kind.upper()}）"),
            access_url=home,
            download_url=f"{home}/download/{kind}" if seen.open_type == "unconditional" else "",
            format=kind,
            media_type=media_type_of(kind),
            issued=seen.first_published,
            modified=seen.updated_at,
            licence=licence,
            rights=rights,
            service=_features(place)
            if seen.shapes and kind == "geojson" and seen.open_type == "unconditional"
            else None,
        )
        for kind in seen.formats
    )


def _foreign(
    place: Place, home: str, package: Mapping[str, Any], seen: DatasetSeen
) -> tuple[Distribution, ...]:
    licence = licence_of(place, seen.licence)
    return tuple(
        Distribution(
            iri=f"{home}#{one['id']}",
            title=Said(one["name"] or one["format"] or seen.title),
            access_url=address(one["url"]) or home,
            download_url=address(one["url"]) if one["format"] else "",
            format=one["format"].lower(),
            media_type=one["mimetype"],
            bytes=one["size"] if isinstance(one.get("size"), int) else -1,
            licence=licence,
        )
        for one in package["resources"]
    )


_LICENCES: Final = {
    "cc-by": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "cc-zero": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "odc-odbl": "https://opendatacommons.org/licenses/odbl/1-0/",
    "odc-by": "https://opendatacommons.org/licenses/by/1-0/",
}


def licence_of(place: Place, code: str) -> Licence | None:
    """A licence by its code or address, None when none is told."""
    if not code:
        return None
    link = _LICENCES.get(code.lower()) or address(code) or address(f"{place.base}/licences/{code}")
    return Licence(link, code)


def view_of_page(base: str, page: int, last: int) -> Node:
    """How a page of the catalogue hangs together with the others (Hydra), so that it is harvested page by page."""
    found = [
        ("hydra:first", Iri(f"{base}?page=1")),
        ("hydra:last", Iri(f"{base}?page={last}")),
    ]
    if page < last:
        found.append(("hydra:next", Iri(f"{base}?page={page + 1}")))
    if page > 1:
        found.append(("hydra:previous", Iri(f"{base}?page={page - 1}")))
    return Node(f"{base}?page={page}", ("hydra:PartialCollectionView",), tuple(found))
