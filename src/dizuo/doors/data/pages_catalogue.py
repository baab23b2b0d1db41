"""The catalogue of data resources: the list with filters and search, and one resource. Each is JSON with ``.json``."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.exchange import catalogue
from dizuo.web import WebRequest, answer

from .views_catalogue import FILTERS, CatalogueMaker

_LONGEST = 80


def _maker(request: WebRequest) -> CatalogueMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return CatalogueMaker(request.dizuo.city, request.lang, words, request.shell.now().date())


async def catalogue_list(request: WebRequest) -> Response:
    """Every resource, those found, or those of a filter."""
    asked = {name: request.query_params.get(name, "")[:_LONGEST] for name in (*FILTERS, "q", "page")}
    asked["q"] = " ".join(asked["q"].replace("\x00", "").split())
    maker, app = _maker(request), request.dizuo
    found, items = await catalogue.resource_lines(app.pool, asked["q"], maker.providers_meant(asked["q"]))
    standing = await catalogue.standings(app.pool, app.city, found, request.shell.now())
    waiting = sum(one.findings for one in await catalogue.finding_counts(app.pool) if one.state != "closed")
    return answer(request, "resources.html", maker.listed(found, items, standing, asked, waiting))


async def resource(request: WebRequest) -> Response:
    """One resource; officials see what the audit found of it."""
    # A code has one slash: what stands before it, and the sequence.
    app, code = request.dizuo, f"{request.path_params['prefix']}/{request.path_params['sequence']}"
    one = await catalogue.resource(app.pool, code) if len(code) <= _LONGEST and "\x00" not in code else None
    if one is None:
        raise catalogue.NoSuchResource()
    every, _ = await catalogue.resource_lines(app.pool)
    standing = await catalogue.standings(app.pool, app.city, (one,), request.shell.now())
    official = request.signed_in is not None and request.signed_in.account.kind == "official"
    found = await catalogue.findings(app.pool, resource=one.code) if official else ()
    past = await catalogue.history(app.pool, one.code)
    return answer(
        request, "resource.html", _maker(request).resource(one, standing.get(one.code), past, every, found)
    )
