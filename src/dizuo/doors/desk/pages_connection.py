"""本部门的数据接口: what its system may call, how its calls went, and stopping a key or a subscription."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.exchange import connection
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, page, redirect

from .officers import actors_of, session_of
from .pages_queue import words_of
from .pages_requests import rail_of_mine
from .views_connection import ConnectionMaker, looked_after

_SAID = ("stopped", "paused", "resumed")


def _maker(request: WebRequest) -> ConnectionMaker:
    app = request.dizuo
    return ConnectionMaker(app.city, app.now(), request.lang, words_of(request))


async def shown(request: WebRequest) -> Response:
    """The connection of one of my departments. Looking at it is entered."""
    actors, asked = actors_of(session_of(request)), request.query_params
    actor = connection.tending(actors, asked.get("unit", "")[:64])
    refused = asked.get("refused") == "1"
    seen = await connection.seen(request.dizuo.pool, actor, refused=refused)
    units = looked_after([(one.unit, tuple(one.powers)) for one in actors])
    done = asked.get("done", "")
    said = words_of(request)["wire"][f"done_{done}"] if done in _SAID else ""
    view = _maker(request).page(await rail_of_mine(request), seen, units, refused=refused, said=said)
    return answer(request, "connection.html", view)


async def key(request: WebRequest) -> Response:
    """One key, and what stopping it means."""
    _, found = await _key(request)
    return page(request, "confirm.html", v=_maker(request).stopping(await rail_of_mine(request), found))


async def key_sent(request: WebRequest) -> Response:
    """Stop a key; confirmed, with words."""
    actor, found = await _key(request)
    why, words = request.sent.text("why"), words_of(request)["wire"]
    wrong = "" if request.sent.text("sure") == "yes" else words["sure_missing"]
    wrong_why = ""
    if not wrong:
        try:
            await connection.stop_key(request.dizuo.pool, actor, found.id, why)
            return redirect(f"/desk/connection?unit={found.consumer}&done=stopped")
        except Invalid as error:
            wrong_why = error.fields.get("why", "")
    view = _maker(request).stopping(await rail_of_mine(request), found, why, wrong, wrong_why)
    return page(request, "confirm.html", status=422, v=view)


async def _key(request: WebRequest) -> tuple[connection.Actor, connection.SigningKey]:
    """The key of the address, in the department of one of my posts."""
    id = str(request.path_params["key"])[:120]
    actors = actors_of(session_of(request))
    # A keyid is the department's id, a dot and a number.
    actor = connection.tending(actors, id.rpartition(".")[0])
    return actor, await connection.own_key(request.dizuo.pool, actor, id)


async def feed(request: WebRequest) -> Response:
    """One subscription, and what pausing it means."""
    _, found = await _feed(request)
    return page(request, "confirm.html", v=_maker(request).feed(await rail_of_mine(request), found))


async def feed_sent(request: WebRequest) -> Response:
    """Pause it, confirmed, or let it go on."""
    actor, found = await _feed(request)
    if request.sent.text("step") == "resume":
        await connection.resume_feed(request.dizuo.pool, actor, found.id)
        return redirect(f"/desk/connection?unit={found.consumer}&done=resumed")
    if request.sent.text("sure") != "yes":
        wrong = words_of(request)["wire"]["sure_missing"]
        view = _maker(request).feed(await rail_of_mine(request), found, wrong)
        return page(request, "confirm.html", status=422, v=view)
    await connection.pause_feed(request.dizuo.pool, actor, found.id, request.sent.text("why"))
    return redirect(f"/desk/connection?unit={found.consumer}&done=paused")


async def _feed(request: WebRequest) -> tuple[connection.Actor, connection.Subscription]:
    """The subscription of the address, whichever of my departments it is of. Errors: NotYourConnection, SubscriptionUnknown."""
    return await connection.feed_of(
        request.dizuo.pool, actors_of(session_of(request)), int(request.path_params["feed"])
    )
