"""The sources' pages: every source's health, one source's contract, one delivery's way."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.lake import deliveries_of_source, delivery_in_detail, sources_seen
from dizuo.foundation.kernel.errors import NotFound
from dizuo.web import WebRequest, answer

from .views_sources import SourceMaker


class NoSuchSource(NotFound):
    """没有这个数源。"""

    fix = "请从数源列表里选。"


class NoSuchDelivery(NotFound):
    """没有这一批交付。"""

    fix = "请从数源的页面里选。"


def _maker(request: WebRequest) -> SourceMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return SourceMaker(request.dizuo.city, request.lang, words, request.shell.now().date())


async def sources(request: WebRequest) -> Response:
    """Every source with its health."""
    return answer(request, "sources.html", _maker(request).list(await sources_seen(request.dizuo.pool)))


async def source(request: WebRequest) -> Response:
    """One source: contract, lineage, quality, deliveries."""
    found = request.dizuo.city.sources.get(str(request.path_params["source"]))
    if found is None:
        raise NoSuchSource()
    pool = request.dizuo.pool
    came = await deliveries_of_source(pool, found.id)
    return answer(request, "source.html", _maker(request).source(found, await sources_seen(pool), came))


async def delivery(request: WebRequest) -> Response:
    """One delivery; with ``?live=1`` the page asks for itself again every five seconds until it has ended."""
    number = str(request.path_params["delivery"])
    seen = None
    if number.isascii() and number.isdigit() and len(number) < 16:
        seen = await delivery_in_detail(request.dizuo.pool, int(number))
    found = None if seen is None else request.dizuo.city.sources.get(seen.delivery.source)
    if seen is None or found is None:
        raise NoSuchDelivery()
    response = answer(request, "delivery.html", _maker(request).delivery(found, seen))
    if request.query_params.get("live") == "1" and not seen.delivery.ended:
        response.headers["refresh"] = "5"
    return response
