"""The operations page and its JSON."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from dizuo.web import WebRequest, json, page

from .figures import Counting, Figures
from .views import CentreMaker

REFRESH = 30
_COUNTING = Counting()


async def _figures(request: WebRequest) -> Figures:
    return await _COUNTING.figures(request.dizuo.cases)


async def centre(request: WebRequest) -> Response:
    """What is open, what is late, who keeps time, how today compares."""
    figures = await _figures(request)
    if request.wants_json:
        return json(msgspec.to_builtins(figures))
    app, live = request.dizuo, request.query_params.get("refresh") != "off"
    words = request.shell.templates(request.door).words[request.lang]
    shapes = app.folder / app.city.geography.shapes
    seen = request.signed_in
    supervises = seen is not None and request.shell.gate.has_power(seen, "cases.supervise")
    maker = CentreMaker(app.city, request.lang, words, supervises=supervises)
    view = maker.view(figures, shapes, live=live)
    response = page(request, "centre.html", v=view, refresh=REFRESH)
    if live:  # without a script, and without a meta element that a reader could not stop
        response.headers["refresh"] = f"{REFRESH}; url=/centre"
    return response
