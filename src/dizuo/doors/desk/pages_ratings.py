"""差评回访: the bad ratings of a place, one of them from contacting the rater to the archive, and what a department mends."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.cases import (
    CaseNotFound,
    FollowUpPage,
    FollowUpStep,
    answer_mend,
    follow_up_page,
    follow_ups,
    mend_page,
    note_refused_look,
    take_follow_up_step,
)
from dizuo.foundation.kernel.errors import Invalid, Refused, Stale
from dizuo.web import WebRequest, answer, redirect

from .officers import actors_of, session_of
from .opening import number_of, version_of
from .pages_queue import rail_page, words_of
from .views_queue import rail_of
from .views_ratings import RatingMaker

NOTHING = FollowUpStep("", "")


async def ratings(request: WebRequest) -> Response:
    """What is to be verified, mended or asked about, soonest due first; and what ended last."""
    found, ended = await follow_ups(request.dizuo.cases, actors_of(session_of(request)))
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    return answer(request, "ratings.html", _maker(request).list(rail, found, ended))


async def rating(request: WebRequest) -> Response:
    """One bad rating."""
    said = words_of(request)["rating"]["done"] if request.query_params.get("done") == "1" else ""
    return await _shown(request, NOTHING, {}, said=said)


async def rating_sent(request: WebRequest) -> Response:
    """What was done about it."""
    number, sent = number_of(request), request.sent
    step = FollowUpStep(sent.text("choice"), sent.text("says"), sent.text("department"), version_of(request))
    try:
        await take_follow_up_step(request.dizuo.cases, actors_of(session_of(request)), number, step)
    except Invalid as error:
        return await _shown(request, step, error.fields, status=422)
    except Stale as error:
        return await _shown(request, step, {}, status=409, stale=error.message)
    return redirect(f"/desk/ratings/{number}?done=1")


async def _shown(
    request: WebRequest, step: FollowUpStep, errors: Mapping[str, str], status: int = 200, **more: str
) -> Response:
    found = await _opened(request)
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    return answer(
        request, "rating.html", _maker(request).view(rail, found, step, errors, **more), status=status
    )


async def _opened(request: WebRequest) -> FollowUpPage:
    """The rating; a look that was refused is entered. Errors: CaseNotFound, Refused."""
    actors, number = actors_of(session_of(request)), number_of(request)
    try:
        return await follow_up_page(request.dizuo.cases, actors, number)
    except (Refused, CaseNotFound):
        await note_refused_look(request.dizuo.cases, actors, number)
        raise


async def mending(request: WebRequest) -> Response:
    """What a department is to mend."""
    return await _mending(request, "", {})


async def mending_sent(request: WebRequest) -> Response:
    """What it mended."""
    says = request.sent.text("says")
    actors, number = actors_of(session_of(request)), number_of(request)
    try:
        await answer_mend(request.dizuo.cases, actors, number, says, version=version_of(request))
    except Invalid as error:
        return await _mending(request, says, error.fields, status=422)
    except Stale as error:
        return await _mending(request, says, {}, status=409, stale=error.message)
    return redirect(f"/desk/mends/{number}")


async def _mending(
    request: WebRequest, typed: str, errors: Mapping[str, str], status: int = 200, stale: str = ""
) -> Response:
    found = await mend_page(request.dizuo.cases, actors_of(session_of(request)), number_of(request))
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    view = _maker(request).mending(rail, found, typed, errors, stale)
    return answer(request, "mend.html", view, status=status)


def _maker(request: WebRequest) -> RatingMaker:
    app = request.dizuo
    return RatingMaker(app.city, app.now(), request.lang, words_of(request))
