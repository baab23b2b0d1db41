"""OGC API – Features at /open/ogc: landing page, conformance, collections, items. JSON for machines; pages are the open door's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from dizuo.engines import opendata
from dizuo.engines.opendata import features
from dizuo.web import Route, WebRequest
from dizuo.web.errors import NoSuchPage

from .ckan import for_machines, origin
from .features_openapi import describe

PREFIX: Final = "/open/ogc"
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
CLASSES: Final = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
FRAME: Final = (
    "坐标按 CGCS2000（EPSG:4490）保存，原样作为 CRS84 提供，没有换算；两者相差厘米到分米级，小于这些数据本身的精度。"
    "不能当测绘成果用。Coordinates are kept in CGCS2000 (EPSG:4490) and given as CRS84 without transformation; the frames"
    " differ by centimetres to decimetres, less than these data are accurate to."
)
_json = msgspec.json.Encoder().encode


def _sent(value: object, media_type: str = JSON) -> Response:
    headers = {"access-control-allow-origin": "*", "cache-control": "public, max-age=60"}
    return Response(_json(value), media_type=media_type, headers=headers)


def _base(request: WebRequest) -> str:
    return origin(request) + PREFIX


def _link(href: str, rel: str, kind: str, title: str) -> dict[str, str]:
    return {"href": href, "rel": rel, "type": kind, "title": title}


@for_machines
async def landing(request: WebRequest) -> Response:
    """What there is."""
    base = _base(request)
    return _sent({
        "title": f"{request.dizuo.city.name.zh}开放空间数据",
        "description": FRAME,
        "links": [
            _link(base, "self", JSON, "这一页"),
            _link(f"{base}/api", "service-desc", OPENAPI, "接口说明 (OpenAPI)"),
            _link(f"{origin(request)}/open", "service-doc", "text/html", "开放数据"),
            _link(f"{base}/conformance", "conformance", JSON, "符合的标准"),
            _link(f"{base}/collections", "data", JSON, "数据集"),
        ],
    })  # fmt: skip


async def slash(request: WebRequest) -> Response:
    """The landing page with a slash behind, as some clients ask for it."""
    if request.path_params["rest"]:
        request.wants_json = True
        raise NoSuchPage()
    return await landing(request)


@for_machines
async def conformance(request: WebRequest) -> Response:
    """Which parts of the standard are kept."""
    return _sent({"conformsTo": list(CLASSES)})


@for_machines
async def interface(request: WebRequest) -> Response:
    """The interface for machines (OpenAPI 3.0)."""
    listed = await _listed(request)
    document = describe(
        request.dizuo.city.name.zh, request.shell.site.version, origin(request), PREFIX, listed
    )
    return _sent(document, OPENAPI)


@for_machines
async def collections(request: WebRequest) -> Response:
    """Every spatial set."""
    base = _base(request)
    told = [await _collection(request, seen) for seen in await _listed(request)]
    return _sent({"links": [_link(f"{base}/collections", "self", JSON, "这一页")], "collections": told})


@for_machines
async def collection(request: WebRequest) -> Response:
    """One spatial set."""
    return _sent(await _collection(request, await _found(request)))


@for_machines
async def items(request: WebRequest) -> Response:
    """A page of features."""
    seen = await _found(request)
    query = features.read_query(seen, list(request.query_params.multi_items()))
    found = await features.items(request.dizuo.pool, seen, query)
    links = _paging(request, seen, query, found)
    return _sent(
        {
            "type": "FeatureCollection",
            "features": found.features,
            "links": links,
            "timeStamp": request.dizuo.now().astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "numberMatched": found.matched,
            "numberReturned": len(found.features),
        },
        GEOJSON,
    )


def _paging(
    request: WebRequest, seen: opendata.DatasetSeen, query: features.ItemsQuery, found: features.Items
) -> list[dict[str, str]]:
    """The page itself, the one after and the one before it, and what they are pages of."""
    base = f"{_base(request)}/collections/{seen.id}"
    here = f"{base}/items"
    told = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("offset", "limit")
    ]
    links = [_link(_at(here, request.query_params.multi_items()), "self", GEOJSON, "这一页")]
    after = query.offset + len(found.features)
    if found.features and after < found.matched:
        links.append(
            _link(_at(here, [*told, ("limit", query.limit), ("offset", after)]), "next", GEOJSON, "下一页")
        )
    if query.offset > 0:
        before = max(0, query.offset - query.limit)
        links.append(
            _link(_at(here, [*told, ("limit", query.limit), ("offset", before)]), "prev", GEOJSON, "上一页")
        )
    links.append(_link(base, "collection", JSON, seen.title))
    return links


@for_machines
async def item(request: WebRequest) -> Response:
    """One feature."""
    seen = await _found(request)
    number = str(request.path_params["feature"])
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise features.FeatureUnknown()
    found = await features.item(request.dizuo.pool, seen, int(number))
    if found is None:
        raise features.FeatureUnknown()
    base = f"{_base(request)}/collections/{seen.id}"
    links = [
        _link(f"{base}/items/{number}", "self", GEOJSON, "这一条"),
        _link(base, "collection", JSON, seen.title),
    ]
    return _sent({**found, "links": links}, GEOJSON)


def _at(address: str, told: Any) -> str:
    query = urlencode(list(told))
    return f"{address}?{query}" if query else address


async def _listed(request: WebRequest) -> list[opendata.DatasetSeen]:
    pool = request.dizuo.pool
    ids = await opendata.spatial_ids(pool)
    return [one for one in await opendata.datasets(pool, ids) if one.state == "published"] if ids else []


async def _found(request: WebRequest) -> opendata.DatasetSeen:
    id = str(request.path_params["collection"])
    listed = await opendata.datasets(request.dizuo.pool, [id]) if id.isprintable() else ()
    if not listed or listed[0].state != "published" or not listed[0].shapes or not listed[0].version:
        raise features.CollectionUnknown()
    if listed[0].open_type != "unconditional":
        raise opendata.ConditionalOnly()
    return listed[0]


async def _collection(request: WebRequest, seen: opendata.DatasetSeen) -> Mapping[str, Any]:
    base = f"{_base(request)}/collections/{seen.id}"
    box = await features.extent(request.dizuo.pool, seen)
    told: dict[str, Any] = {
        "id": seen.id,
        "title": seen.title,
        "description": f"{seen.abstract} {FRAME}".strip(),
        "itemType": "feature",
        "crs": [features.CRS84],
        "links": [
            _link(f"{base}/items", "items", GEOJSON, "要素"),
            _link(base, "self", JSON, "这个数据集"),
            _link(f"{origin(request)}/open/data/{quote(seen.id)}", "describedby", "text/html", "说明"),
        ],
    }
    if seen.licence.startswith(("http://", "https://")):
        told["links"].append(_link(seen.licence, "license", "text/html", "许可"))
    if box:
        told["extent"] = {"spatial": {"bbox": [list(box)], "crs": features.CRS84}}
    return told


ROUTES: Final = (
    Route(
        "GET",
        PREFIX,
        landing,
        purpose="Find the interfaces to spatial data (OGC API – Features).",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/{{rest:path}}",
        slash,
        purpose="Find the interfaces to spatial data, with a slash behind as some clients ask.",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/api",
        interface,
        purpose="Describe the interface to spatial data (OpenAPI).",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/conformance",
        conformance,
        purpose="Tell which parts of the standard are kept.",
        who="public",
    ),
    Route("GET", f"{PREFIX}/collections", collections, purpose="List the spatial datasets.", who="public"),
    Route(
        "GET",
        f"{PREFIX}/collections/{{collection}}",
        collection,
        purpose="Describe one spatial dataset.",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/collections/{{collection}}/items",
        items,
        purpose="Read features by box, time and properties.",
        who="public",
    ),
    Route(
        "GET",
        f"{PREFIX}/collections/{{collection}}/items/{{feature}}",
        item,
        purpose="Read one feature.",
        who="public",
    ),
)
