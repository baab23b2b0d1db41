"""What waits for officials: applications, tickets of their own organisation (all, for data stewards), showcases to review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from starlette.responses import Response

from dizuo.engines.directory import Session
from dizuo.engines.opendata import AskInvalid, StepNotOpen, people, stopped
from dizuo.web import WebRequest, page, redirect

from .pages_dataset import POWER
from .shelf import shelf_of
from .views import maker
from .views_people import PeopleMaker

_STEPS: Final = {"accept": "accepted", "approve": "approved", "refuse": "refused", "end": "ended"}


def _within(request: WebRequest) -> tuple[str, Sequence[str] | None]:
    """Who acts, and the organisations whose things are theirs (None: all, for data stewards)."""
    account = cast(Session, request.signed_in).account
    every = POWER in account.powers
    post = next(iter(account.posts), None)
    by = f"official:{account.id}" + (f":{post.organisation}:{post.post}" if post else "")
    return by, None if every else sorted({one.organisation for one in account.posts})


async def desk(request: WebRequest) -> Response:
    """Everything that waits."""
    return await _desk(request, {})


async def _desk(request: WebRequest, errors: dict[str, str], status: int = 200) -> Response:
    _, within = _within(request)
    pool = request.dizuo.pool
    titles = {one.id: one.called(request.lang) for one in await shelf_of(request).all(request)}
    view = PeopleMaker(maker(request)).desk(
        await people.applications(pool, within), await people.tickets(pool, within),
        await people.showcases(pool, "submitted") if within is None else (), await stopped(pool, within), titles, within is None, errors,
        request.sent.text("reason") or request.sent.text("answer"),
    )  # fmt: skip
    return page(request, "desk.html", status=status, v=view)


async def application_sent(request: WebRequest) -> Response:
    """One step of an application."""
    by, within = _within(request)
    number, step = _number(request), _STEPS.get(request.sent.text("step"), "")
    theirs = {one.id for one in await people.applications(request.dizuo.pool, within)}
    if number not in theirs:
        raise StepNotOpen()
    try:
        await people.decide_application(
            request.dizuo.pool, number, step, by=by, reason=request.sent.text("reason")
        )
    except AskInvalid as error:
        return await _desk(request, {f"a{number}": error.message}, 422)
    return redirect("/open/desk")


async def ticket_sent(request: WebRequest) -> Response:
    """The answer to a ticket."""
    by, within = _within(request)
    number, sent = _number(request), request.sent
    try:
        await people.answer_ticket(
            request.dizuo.pool, number, sent.text("verdict") == "agreed", sent.text("answer"), sent.text("shown") == "yes",
            by=by, within=within,
        )  # fmt: skip
    except AskInvalid as error:
        return await _desk(request, {f"t{number}": error.message}, 422)
    return redirect("/open/desk")


async def showcase_reviewed_sent(request: WebRequest) -> Response:
    """What the review of a showcase says."""
    by, within = _within(request)
    number, sent = _number(request), request.sent
    if within is not None:
        raise StepNotOpen()
    try:
        await people.review_showcase(
            request.dizuo.pool, number, sent.text("verdict") == "show", sent.text("reason"), by=by
        )
    except AskInvalid as error:
        return await _desk(request, {f"s{number}": error.message}, 422)
    return redirect("/open/desk")


def _number(request: WebRequest) -> int:
    number = str(request.path_params["which"])
    if not number.isdecimal() or len(number) > 15:
        raise StepNotOpen()
    return int(number)
