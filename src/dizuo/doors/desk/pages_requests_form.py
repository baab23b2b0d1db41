"""申请数据: the form of a request, kept as a draft whenever it is sent, complete or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.exchange import requests
from dizuo.foundation.kernel.errors import Conflict, Invalid
from dizuo.web import Form, WebRequest, page, redirect

from .officers import actors_of, session_of
from .opening import number_of, version_of
from .pages_queue import words_of
from .pages_requests import rail_of_mine, share_maker, sharing_of
from .views_requests_form import FormTyped

_TEXT = 2000


async def begin_sent(request: WebRequest) -> Response:
    """A new draft of my department; a resource may be named already."""
    sharing, actors = sharing_of(request), actors_of(session_of(request))
    number = await requests.new_request(sharing, actors)
    if resource := request.sent.text("resource")[:80]:
        await requests.save_request(sharing, actors, number, requests.Wish(resource=resource), 1)
    return redirect(f"/desk/shares/{number}/form")


async def form(request: WebRequest) -> Response:
    """The draft as it was kept."""
    said = words_of(request)["share"]["kept"] if request.query_params.get("kept") == "1" else ""
    return await _shown(request, None, {}, said=said)


async def form_sent(request: WebRequest) -> Response:
    """Keep what was filled in; with 送出, send it to be checked. What is wrong stands beside its field, and nothing is lost."""
    number, sent = number_of(request), request.sent
    sharing, actors = sharing_of(request), actors_of(session_of(request))
    wish, unreadable = read_wish(sent, words_of(request)["share"])
    try:
        version = await requests.save_request(sharing, actors, number, wish, version_of(request) or 0)
        if sent.text("do") not in ("send", "supply"):
            return redirect(f"/desk/shares/{number}/form?kept=1")
        event = "supply" if sent.text("do") == "supply" else "submit"
        await requests.take_step(sharing, actors, number, event, version)
    except Invalid as error:
        return await _shown(request, sent, {**error.fields, **unreadable}, status=422, wish=wish)
    except requests.RightExists as error:
        return await _shown(
            request, sent, {"despite": error.message}, status=409, wish=wish, held=error.grant
        )
    except Conflict as error:
        return await _shown(request, sent, {}, status=409, wish=wish, stale=str(error))
    return redirect(f"/desk/shares/{number}?done=1")


async def discard(request: WebRequest) -> Response:
    """What deleting means, and the button."""
    return await _discarding(request, "")


async def discard_sent(request: WebRequest) -> Response:
    """Delete the draft; it says so on the list."""
    if request.sent.text("sure") != "yes":
        return await _discarding(request, words_of(request)["share"]["sure_missing"], 422)
    actors = actors_of(session_of(request))
    await requests.discard_draft(sharing_of(request), actors, number_of(request), version_of(request) or 0)
    return redirect("/desk/shares?gone=1")


async def _discarding(request: WebRequest, wrong: str, status: int = 200) -> Response:
    actors = actors_of(session_of(request))
    found = await requests.request_page(sharing_of(request), actors, number_of(request))
    if requests.drafter(actors, found.request) is None:
        raise requests.NotDrafter()
    view = share_maker(request).discarding(await rail_of_mine(request), found.request, wrong)
    return page(request, "confirm.html", status=status, v=view)


def read_wish(sent: Form, words: Mapping[str, str]) -> tuple[requests.Wish, dict[str, str]]:
    """The form as a wish; what no day or number can be read from is told beside its field and kept empty."""
    wrong: dict[str, str] = {}
    until, many = sent.text("until"), sent.text("per_day")
    day: dt.date | None = None
    if until:
        try:
            day = dt.date.fromisoformat(until)
        except ValueError:
            wrong["until"] = words["until_wrong"]
    count = int(many) if many.isascii() and many.isdigit() and len(many) < 10 else None
    if many and count is None:
        wrong["per_day"] = words["per_day_wrong"]
    return requests.Wish(
        resource=sent.text("resource")[:80],
        fields=tuple(sent.all("fields")[:400]),
        purpose=sent.text("purpose")[:300],
        basis=sent.text("basis")[:120],
        matter=sent.text("matter")[:80],
        duty=sent.text("duty")[:300],
        scope=sent.text("scope")[:_TEXT],
        methods=tuple(method for method in dict.fromkeys(sent.all("methods")) if method in requests.METHODS),
        until=day,
        frequency=sent.text("frequency") if sent.text("frequency") in requests.FREQUENCIES else "",
        per_day=count,
        responsible=sent.text("responsible")[:120],
        committed=sent.text("committed") == "yes",
        despite=sent.text("despite")[:_TEXT],
    ), wrong


async def _shown(
    request: WebRequest,
    sent: Form | None,
    errors: Mapping[str, str],
    *,
    status: int = 200,
    wish: requests.Wish | None = None,
    held: int = 0,
    said: str = "",
    stale: str = "",
) -> Response:
    actors = actors_of(session_of(request))
    found = await requests.request_page(sharing_of(request), actors, number_of(request))
    if found.request.state not in ("draft", "supplement"):
        return redirect(f"/desk/shares/{found.request.number}")
    offers = await requests.offers(request.dizuo.pool)
    typed = FormTyped(None if sent is None else (sent.text("until"), sent.text("per_day")), dict(errors))
    shown = found.request.wish if wish is None else wish
    view = share_maker(request).form(
        await rail_of_mine(request), found, shown, offers, typed, held=held, said=said, stale=stale
    )
    return page(request, "share_form.html", status=status, v=view)
