"""Corrections (校核纠错): the source department confirms and changes its record, or declines with a reason."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.cases import Correction, correction_page, decide_correction
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, redirect

from .officers import actors_of, session_of
from .opening import number_of
from .pages_queue import rail_page, words_of
from .views_corrections import correction_view
from .views_queue import rail_of


async def correction(request: WebRequest) -> Response:
    """One correction."""
    found = await correction_page(request.dizuo.cases, actors_of(session_of(request)), number_of(request))
    return await _shown(request, found, {}, {})


async def correction_sent(request: WebRequest) -> Response:
    """Confirm or decline."""
    app, actors, number = request.dizuo, actors_of(session_of(request)), number_of(request)
    sent = request.sent
    chosen = sent.text("answer")
    try:
        if chosen not in ("confirm", "decline"):
            raise Invalid({"answer": words_of(request)["correction"]["answer_missing"]})
        await decide_correction(
            app.cases,
            actors,
            number,
            confirm=chosen == "confirm",
            reason=sent.text("reason"),
            value=sent.text("value"),
        )
    except Invalid as error:
        found = await correction_page(app.cases, actors, number)
        return await _shown(request, found, sent, error.fields)
    return redirect(f"/desk/queue/waiting?of={number}")


async def _shown(
    request: WebRequest, found: Correction, sent: Mapping[str, str], errors: Mapping[str, str]
) -> Response:
    app = request.dizuo
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    view = correction_view(app.city, found, rail, sent, errors, app.now(), request.lang, words_of(request))
    return answer(request, "correction.html", view, status=422 if errors else 200)
