"""The catalogue for harvesters: DCAT-AP 3.0.1 as Turtle, JSON-LD and RDF/XML, whole, in pages, or one dataset."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from dizuo.engines import opendata
from dizuo.engines.opendata import dcat
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.kinds_dataset import THEMES
from dizuo.web import Route, WebRequest
from dizuo.web.errors import NoSuchPage

from .ckan import for_machines, origin

PREFIX: Final = "/open/catalog"
PAGE: Final = 100
_BATCH: Final = 100
_ACCEPTED: Final = {
    "text/turtle": "ttl",
    "application/x-turtle": "ttl",
    "application/ld+json": "jsonld",
    "application/json": "jsonld",
    "application/rdf+xml": "rdf",
    "application/xml": "rdf",
    "text/xml": "rdf",
}


def place(request: WebRequest) -> dcat.Place:
    """Where this portal stands, as the reader reached it."""
    return place_of(request.dizuo.city, f"{origin(request)}/open")


def place_of(city: City, base: str) -> dcat.Place:
    """The portal of a city at an address."""
    return dcat.Place(
        base=base,
        city=dcat.Said(city.name.zh, city.name.en),
        organisations={one.id: (one.name.zh, one.name.en) for one in city.organisations.values()},
        themes=THEMES,
        contact=f"{city.name.zh} {city.hotline}",
        laws=tuple(
            (f"{base}/laws/{law.id}", f"{law.title.zh}（{law.number}）" if law.number else law.title.zh)
            for law in city.laws.values()
            if "公共数据" in law.title.zh
        ),
    )


def negotiated(accept: str) -> str:
    """The form that a reader prefers, Turtle where it does not say: media types with q, the first of the best."""
    best, chosen = 0.0, "ttl"
    for piece in accept.split(",")[:40]:
        kind, _, rest = piece.partition(";")
        form = _ACCEPTED.get(kind.strip().lower())
        weight = _weight(rest)
        if form and weight > best:
            best, chosen = weight, form
    return chosen


def _weight(rest: str) -> float:
    for one in rest.split(";"):
        name, _, value = one.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0


@for_machines
async def catalogue(request: WebRequest) -> Response:
    """The catalogue in the form that the reader prefers."""
    return await _catalogue(request, negotiated(request.headers.get("accept", "")))


@for_machines
async def turtle(request: WebRequest) -> Response:
    """The catalogue as Turtle."""
    return await _catalogue(request, "ttl")


@for_machines
async def jsonld(request: WebRequest) -> Response:
    """The catalogue as JSON-LD."""
    return await _catalogue(request, "jsonld")


@for_machines
async def rdfxml(request: WebRequest) -> Response:
    """The catalogue as RDF/XML."""
    return await _catalogue(request, "rdf")


@for_machines
async def dataset(request: WebRequest) -> Response:
    """One dataset: in the form of its ending, else in the one that the reader prefers."""
    name, _, ending = str(request.path_params["dataset"]).partition(".")
    kind = ending or negotiated(request.headers.get("accept", ""))
    if kind not in dcat.FORMS:
        raise NoSuchPage()
    seen = await opendata.dataset(request.dizuo.pool, name)
    form, here = dcat.FORMS[kind], place(request)
    body = "".join(dcat.written(form, dcat.Teller().dataset(dcat.told_dataset(here, seen)))).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "etag": etag}
    if _knows(request, etag):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=form.media_type, headers=headers)


_HEADERS: Final = {
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=60",
    "vary": "accept",
}


async def _catalogue(request: WebRequest, kind: str) -> Response:
    form, here, pool = dcat.FORMS[kind], place(request), request.dizuo.pool
    page = _page(request)
    count, changed = await opendata.machine_state(pool)
    etag = f'W/"{hashlib.sha256(f"{here.base}|{kind}|{page}|{count}|{changed}|{request.shell.site.version}".encode()).hexdigest()[:32]}"'
    headers = {**_HEADERS, "etag": etag}
    if _knows(request, etag):
        return Response(b"", status_code=304, headers=headers)
    last = max(1, -(-count // PAGE))
    if page > last:
        raise NoSuchPage()
    told = dcat.told_catalogue(here, changed)
    after = [dcat.view_of_page(str(request.url.replace(query="")), page, last)] if page else []
    flowing = dcat.streamed(form, told, _batches(request, here, page), after)
    return StreamingResponse(flowing, media_type=form.media_type, headers=headers)


def _page(request: WebRequest) -> int:
    """The page asked for, 0 for the whole."""
    told = request.query_params.get("page", "")
    if not told:
        return 0
    if not (told.isascii() and told.isdigit() and int(told[:9]) >= 1 and len(told) < 9):
        raise NoSuchPage()
    return int(told)


def _knows(request: WebRequest, etag: str) -> bool:
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return etag.removeprefix("W/") in known


async def _batches(request: WebRequest, here: dcat.Place, page: int) -> AsyncIterator[list[dcat.Dataset]]:
    pool, after = request.dizuo.pool, None
    if page:
        ids = await opendata.machine_page(pool, (page - 1) * PAGE, PAGE)
        listed = await opendata.datasets(pool, ids) if ids else ()
        yield [dcat.told_dataset(here, one) for one in listed if one.state == "published"]
        return
    while True:
        listed = await opendata.datasets(pool, after=after, limit=_BATCH)
        if not listed:
            return
        yield [dcat.told_dataset(here, one) for one in listed]
        after = listed[-1].id


ROUTES: Final = (
    Route(
        "GET",
        PREFIX,
        catalogue,
        purpose="Harvest the catalogue (DCAT-AP), in the form preferred.",
        who="public",
    ),
    Route("GET", f"{PREFIX}.ttl", turtle, purpose="Harvest the catalogue as Turtle.", who="public"),
    Route("GET", f"{PREFIX}.jsonld", jsonld, purpose="Harvest the catalogue as JSON-LD.", who="public"),
    Route("GET", f"{PREFIX}.rdf", rdfxml, purpose="Harvest the catalogue as RDF/XML.", who="public"),
    Route(
        "GET",
        "/open/dcat/{dataset}",
        dataset,
        purpose="Read what is said of one dataset (DCAT-AP).",
        who="public",
    ),
)
