"""督办: a late case without the person, and pressing whoever holds it, with a reason."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import (
    CaseNotFound,
    NothingLate,
    ReasonMissing,
    SupervisedCase,
    note_refused_look,
    press,
    supervised_case,
)
from dizuo.foundation.kernel.errors import Invalid, Refused, Stale
from dizuo.web import WebRequest, answer, redirect

from .officers import actors_of, session_of
from .opening import number_of, version_of
from .pages_queue import rail_page, words_of
from .views_queue import rail_of
from .views_supervision import SupervisionMaker


async def supervised(request: WebRequest) -> Response:
    """What is late in a case, without anything about a person."""
    pressed = request.query_params.get("pressed") == "1"
    said = words_of(request)["supervision"]["pressed_done"] if pressed else ""
    return await _shown(request, said=said)


async def press_sent(request: WebRequest) -> Response:
    """Press (督办) one late item."""
    number, item = number_of(request), str(request.path_params["item"])[:60]
    reason = request.sent.text("reason")
    cases, actors = request.dizuo.cases, actors_of(session_of(request))
    try:
        await press(cases, actors, number, item, reason, version=version_of(request))
    except (ReasonMissing, Invalid) as error:
        wrong = error.fields.get("reason", error.message)
        return await _shown(request, status=422, item=item, typed=reason, error=wrong)
    except Stale as error:
        return await _shown(request, status=409, item=item, typed=reason, stale=error.message)
    return redirect(f"/desk/supervised/{number}?pressed=1")


async def _shown(request: WebRequest, status: int = 200, **more: str) -> Response:
    found = await _opened(request)
    rail = rail_of(await rail_page(request, "supervised", limit=1))
    maker = SupervisionMaker(request.dizuo.now(), request.lang, words_of(request))
    return answer(request, "supervised.html", maker.view(rail, found, **more), status=status)


async def _opened(request: WebRequest) -> SupervisedCase:
    """The late items of the case; a look that was refused is entered. Errors: CaseNotFound, Refused, NothingLate."""
    actors, number = actors_of(session_of(request)), number_of(request)
    try:
        return await supervised_case(request.dizuo.cases, actors, number)
    except (Refused, CaseNotFound, NothingLate):
        await note_refused_look(request.dizuo.cases, actors, number)
        raise
