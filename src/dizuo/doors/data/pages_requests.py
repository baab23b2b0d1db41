"""Sharing between departments for everybody: figures, who may use what for what, and the three lists. Nobody's name is in them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence

from starlette.responses import Response

from dizuo.engines.exchange import requests
from dizuo.foundation.kernel.cells import harmless
from dizuo.foundation.kernel.errors import NotFound
from dizuo.web import WebRequest, answer, attachment, json

from .views_requests import LISTS, Listed, SharingMaker

_PERIOD = dt.timedelta(days=365)
_BOM = "\ufeff"


def _maker(request: WebRequest) -> SharingMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return SharingMaker(request.dizuo.city, request.lang, words, request.dizuo.now().date())


async def sharing(request: WebRequest) -> Response:
    """Figures of the last year, by provider and by reason; ways to the lists."""
    app = request.dizuo
    now = app.now()
    found = await requests.figures(app.pool, app.city, now - _PERIOD, now.date())
    return answer(request, "sharing.html", _maker(request).overview(found, await requests.reasons(app.pool)))


async def listed(request: WebRequest) -> Response:
    """One of the lists as a table."""
    made = await _listed(request)
    if request.wants_json:
        return json({"list": made.id, "title": made.title, "as_of": made.as_of, "rows": made.facts})
    return answer(request, "sharing_list.html", made)


async def listed_csv(request: WebRequest) -> Response:
    """The same as a file: UTF-8 with the mark that spreadsheets look for, and no cell that they would run."""
    made = await _listed(request)
    name = f"{made.title}-{made.as_of}.csv"
    return attachment(as_csv(made.columns, made.rows), name, "text/csv; charset=utf-8")


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Comma separated with CRLF ends (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return (_BOM + text.getvalue()).encode("utf-8")


async def _listed(request: WebRequest) -> Listed:
    which, pool, maker = str(request.path_params["listed"]), request.dizuo.pool, _maker(request)
    if which not in LISTS:
        raise NotFound()
    match which:
        case "rights":
            return maker.rights(await requests.rights(pool))
        case "needs":
            return maker.needs(await requests.needs(pool))
        case "duties":
            return maker.duties(await requests.duties(pool))
        case _:
            return maker.negative(await requests.kept_back(pool))
