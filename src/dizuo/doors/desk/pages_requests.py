"""数据共享: the data requests of my department, one of them, and the step that it waits for."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.exchange import requests
from dizuo.foundation.kernel.errors import Conflict, Invalid
from dizuo.web import Form, WebRequest, answer, redirect

from .officers import actors_of, session_of
from .opening import number_of, version_of
from .pages_queue import rail_page, words_of
from .views_queue import RailView, rail_of
from .views_requests import ShareMaker
from .views_requests_form import Looked


def sharing_of(request: WebRequest) -> requests.Sharing:
    """What the engine's requests work with."""
    app = request.dizuo
    return requests.Sharing(app.pool, app.city, app.now)


def share_maker(request: WebRequest) -> ShareMaker:
    app = request.dizuo
    return ShareMaker(app.city, app.now(), request.lang, words_of(request))


async def rail_of_mine(request: WebRequest) -> RailView:
    """The counts beside the desk's rails."""
    return rail_of(await rail_page(request, "waiting", limit=1))


async def shares(request: WebRequest) -> Response:
    """What waits for me, and everything else that my department asks for or is asked for."""
    return await _listed(request, Looked())


async def lookup_sent(request: WebRequest) -> Response:
    """Before a form asks people: whether the city holds it, and whether my department may use it. Being told is counted."""
    actors, sent = actors_of(session_of(request)), request.sent
    mine = next(one for one in actors if requests.ASK in one.powers)
    datum, matter = sent.text("datum")[:120], sent.text("matter")[:80]
    if not datum:
        return await _listed(request, Looked(wrong=words_of(request)["share"]["lookup_missing"]), status=422)
    known = matter if matter in request.dizuo.city.matters else ""
    held = await requests.point_out(sharing_of(request), (mine,), mine.unit or "", datum, known)
    return await _listed(request, Looked(datum, matter, mine.unit or "", held, asked=True))


async def _listed(request: WebRequest, looked: Looked, status: int = 200) -> Response:
    actors = actors_of(session_of(request))
    lines = await requests.work_of(sharing_of(request), actors)
    said = words_of(request)["share"]["discarded"] if request.query_params.get("gone") == "1" else ""
    view = share_maker(request).list(await rail_of_mine(request), lines, actors, looked, said)
    return answer(request, "shares.html", view, status=status)


async def share(request: WebRequest) -> Response:
    """One request."""
    return await share_shown(request, Form(), {})


async def share_sent(request: WebRequest) -> Response:
    """The step that was chosen; what was typed comes back when it could not be taken."""
    number, sent = number_of(request), request.sent
    actors = actors_of(session_of(request))
    step, version = sent.text("step"), version_of(request)
    if not step:
        wrong = {"step": words_of(request)["share"]["step_missing"]}
        return await share_shown(request, sent, wrong, status=422)
    try:
        await requests.take_step(
            sharing_of(request),
            actors,
            number,
            step[:40],
            version or 0,
            sent.text("words"),
            sent.text("reason"),
        )
    except Invalid as error:
        return await share_shown(request, sent, error.fields, status=422)
    except Conflict as error:
        return await share_shown(request, sent, {}, status=409, stale=str(error))
    return redirect(f"/desk/shares/{number}?done=1")


async def share_shown(
    request: WebRequest, sent: Form, errors: Mapping[str, str], *, status: int = 200, stale: str = ""
) -> Response:
    """One request with what was typed and what was wrong with it."""
    actors = actors_of(session_of(request))
    found = await requests.request_page(sharing_of(request), actors, number_of(request))
    lawful = await requests.reasons(request.dizuo.pool)
    said = words_of(request)["share"]["done"] if request.query_params.get("done") == "1" else ""
    view = share_maker(request).one(
        await rail_of_mine(request), found, lawful, sent, errors, said=said, stale=stale, actors=actors
    )
    return answer(request, "share.html", view, status=status)
