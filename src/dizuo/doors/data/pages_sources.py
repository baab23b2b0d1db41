"""The sources' pages: every source's health, one source's contract, one delivery's way."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.lake import DeliveryInDetail, deliveries_of_source, delivery_in_detail, sources_seen
from dizuo.foundation.kernel.errors import NotFound
from dizuo.web import WebRequest, answer

from .stewards import as_steward
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


def delivery_number(request: WebRequest) -> int:
    """The delivery's number in the address. Errors: NoSuchDelivery."""
    number = str(request.path_params["delivery"])
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise NoSuchDelivery()
    return int(number)


async def delivery(request: WebRequest) -> Response:
    """One delivery; with ``?live=1`` the page asks for itself again every five seconds until it has ended."""
    seen = await delivery_in_detail(request.dizuo.pool, delivery_number(request))
    if seen is None or seen.delivery.source not in request.dizuo.city.sources:
        raise NoSuchDelivery()
    response = await delivery_shown(request, seen)
    if request.query_params.get("live") == "1" and not seen.delivery.ended:
        response.headers["refresh"] = "5"
    return response


async def delivery_shown(
    request: WebRequest,
    seen: DeliveryInDetail,
    *,
    sent: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    stale: str = "",
    status: int = 200,
) -> Response:
    """The page of a delivery, for a steward with what may be decided; ``sent`` comes back with ``errors``."""
    source, who = request.dizuo.city.sources[seen.delivery.source], as_steward(request)
    maker = _maker(request)
    view = maker.delivery(source, seen)
    if who is not None and who.minds(source.id) and not request.wants_json:
        view = maker.for_steward(view, seen, who.every, sent or {}, errors or {}, stale)
    return answer(request, "delivery.html", view, status=status)
