"""Corrections (校核纠错): the source department confirms and changes its record, or declines with a reason."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from dizuo.engines.cases import Correction, correction_page, decide_correction
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, redirect

from .officers import actors_of, session_of
from .opening import number_of
from .pages_queue import rail_page, words_of
from .telling import full_day, pick, remaining, when
from .views_queue import RailView, rail_of


class CorrectionView(msgspec.Struct, frozen=True):
    """One reported error as the source department sees it."""

    rail: RailView
    here: str
    number: str
    title: str
    lines: list[tuple[str, str]]
    left: str
    until: str
    open: bool
    result: str
    wants: str
    reason: str
    answer: str
    errors: list[tuple[str, str]]


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
    app, words = request.dizuo, words_of(request)
    w, lang, now = words["correction"], request.lang, app.now()
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    city: City = app.city
    register, source = city.registers[found.register], city.organisations[found.source]
    lines = [
        (w["register"], pick(register.name, lang)),
        (w["field"], found.field_name),
        (w["says"], found.says or w["no_words"]),
        (w["wants"], found.wants),
        (w["reporter"], found.reporter),
        (w["opened"], when(found.opened_at, now, words["time"], lang)),
        (w["source"], pick(source.name, lang)),
    ]
    view = CorrectionView(
        rail=rail,
        here="waiting",
        number=found.number,
        title=f"{pick(register.name, lang)}，{found.field_name}",
        lines=lines,
        left=remaining(found.due, now, words["time"]),
        until=full_day(found.due, lang),
        open=found.state == "open",
        result=w[f"state_{found.state}"] + (f"：{found.reason}" if found.reason else ""),
        wants=sent.get("value") or found.wants,
        reason=sent.get("reason") or "",
        answer=sent.get("answer") or "",
        errors=list(errors.items()),
    )
    return answer(request, "correction.html", view, status=422 if errors else 200)
