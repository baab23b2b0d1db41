"""What people do here: apply, sign, report, ask, correct, show, mark. Who sends something has signed in; names are never shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import cast

from starlette.responses import Response

from dizuo.engines.directory import Session
from dizuo.engines.opendata import AskInvalid, DatasetSeen, DatasetUnknown, StepNotOpen, people
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.clocks import Deadline, due, start
from dizuo.foundation.kernel.errors import Refused
from dizuo.foundation.kernel.terms import Duration, Term, Unit
from dizuo.web import WebRequest, answer, page, redirect

from .asked_as import as_asked
from .pace import keep_pace
from .pages_dataset import found
from .shelf import shelf_of
from .views import maker
from .views_people import FormView, PeopleMaker

CORRECTION, REPLY = "data.correct", "information.reply"


class NoPerson(Refused):
    """这里由本人来办。"""

    fix = "请用您本人的账号登录。"

    def __init__(self) -> None:
        super().__init__("opendata.person", "无锡市公共数据管理办法")


def person(request: WebRequest) -> tuple[int, str]:
    """The identity and name of whoever signed in. Errors: NoPerson."""
    account = cast(Session, request.signed_in).account
    if account.subject is None:
        raise NoPerson()
    return account.subject, account.name


def due_day(request: WebRequest, clock: str) -> dt.date | None:
    """The last day of a declared clock that starts now; None when the city has no such clock or the year is unknown."""
    declared = request.dizuo.city.clocks.get(clock)
    if declared is None:
        return None
    length = Duration(declared.length.n, Unit(declared.length.unit))
    term = Term(
        id=clock, duration=length, law=declared.law.key, verified=declared.verified, starts_on=declared.starts_on
    )  # fmt: skip
    end = due(start(term, request.shell.now()), request.dizuo.cases.calendar)
    return end.date if isinstance(end, Deadline) else None


def _people(request: WebRequest) -> PeopleMaker:
    return PeopleMaker(maker(request))


def _form(request: WebRequest, template: str, view: FormView, status: int = 200) -> Response:
    return page(request, template, status=status, v=view)


async def apply_form(request: WebRequest) -> Response:
    """The form for a conditional dataset."""
    seen = await _conditional(request)
    return _form(request, "apply.html", _people(request).apply(seen, {}, {}))


async def apply_sent(request: WebRequest) -> Response:
    """Take an application."""
    seen, sent = await _conditional(request), request.sent
    subject, name = person(request)
    today = to_shanghai(request.shell.now()).date()
    try:
        await people.apply_for(
            request.dizuo.pool, seen, subject, name, sent.text("unit"), sent.text("purpose"), sent.text("until"), today,
            due_day(request, REPLY),
        )  # fmt: skip
    except AskInvalid as error:
        return _form(request, "apply.html", _people(request).apply(seen, dict(sent), error.fields), 422)
    return redirect("/open/mine?done=apply")


async def _conditional(request: WebRequest) -> DatasetSeen:
    seen = await found(request)
    if seen.open_type != "conditional":
        raise DatasetUnknown()
    return seen


async def ask_form(request: WebRequest) -> Response:
    """The form for a request, advice, a correction or an objection."""
    seen, asked = await _about(request, request.query_params.get("dataset", "")), request.query_params
    given = {"kind": asked.get("kind", ""), "place": asked.get("place", "")[:200]}
    return _form(request, "ask.html", _people(request).ask(seen, given, {}))


async def ask_sent(request: WebRequest) -> Response:
    """Take it, for the provider, with its clock."""
    sent, (subject, _) = request.sent, person(request)
    seen = await _about(request, sent.text("dataset"))
    provider = seen.provider if seen and seen.provider in request.dizuo.city.organisations else "data"
    clock = CORRECTION if sent.text("kind") == "correction" else REPLY
    try:
        await people.ask(
            request.dizuo.pool, sent.text("kind"), seen, provider, subject, sent.text("text"), sent.text("place"),
            due_day(request, clock),
        )  # fmt: skip
    except AskInvalid as error:
        return _form(request, "ask.html", _people(request).ask(seen, dict(sent), error.fields), 422)
    return redirect("/open/mine?done=ask")


async def _about(request: WebRequest, id: str) -> DatasetSeen | None:
    if not id:
        return None
    everything = await shelf_of(request).all(request)
    return next((one for one in everything if one.id == id), None)


async def asks(request: WebRequest) -> Response:
    """What was asked and answered."""
    keep_pace(request)
    as_asked(request)
    view = _people(request).asks(await people.answered(request.dizuo.pool, limit=100), await _titles(request))
    return answer(request, "asks.html", view)


async def _titles(request: WebRequest) -> Mapping[str, str]:
    lang = request.lang
    return {one.id: one.called(lang) for one in await shelf_of(request).all(request)}


async def showcases(request: WebRequest) -> Response:
    """What people made of the data."""
    keep_pace(request)
    as_asked(request)
    view = _people(request).showcases(await people.showcases(request.dizuo.pool), await _titles(request))
    return answer(request, "showcases.html", view)


async def showcase_form(request: WebRequest) -> Response:
    """The form for something made of the data."""
    chosen = request.query_params.get("dataset", "")
    return _form(
        request, "showcase.html", _people(request).showcase(await _titles(request), {"url": "https://"}, [chosen], {})
    )  # fmt: skip


async def showcase_sent(request: WebRequest) -> Response:
    """Take it for review."""
    sent, (subject, _) = request.sent, person(request)
    titles = await _titles(request)
    used = [one for one in sent.all("datasets") if one in titles]
    try:
        await people.submit_showcase(
            request.dizuo.pool, sent.text("title"), sent.text("url"), sent.text("maker"), sent.text("text"), used, subject
        )  # fmt: skip
    except AskInvalid as error:
        view = _people(request).showcase(titles, dict(sent), used, error.fields)
        return _form(request, "showcase.html", view, 422)
    return redirect("/open/mine?done=showcase")


async def rate_sent(request: WebRequest) -> Response:
    """Mark a dataset."""
    seen, (subject, _) = await found(request), person(request)
    await people.rate(request.dizuo.pool, seen.id, subject, request.sent.text("mark"))
    return redirect(f"/open/data/{seen.id}#rate")


async def mine(request: WebRequest) -> Response:
    """What one asked for oneself."""
    subject, _ = person(request)
    own = await people.own_asks(request.dizuo.pool, subject)
    done = request.query_params.get("done", "")
    today = to_shanghai(request.shell.now()).date()
    return page(request, "mine.html", v=_people(request).mine(own, await _titles(request), done, today))


async def sign_sent(request: WebRequest) -> Response:
    """Sign the agreement; from then on the data are open to this person."""
    subject, _ = person(request)
    if request.sent.text("agree") != "yes":
        raise AskInvalid({"agree": "请先勾选同意利用协议。"})
    await people.decide_application(
        request.dizuo.pool, _number(request), "open", by="applicant", subject=subject
    )
    return redirect("/open/mine?done=sign")


async def report_sent(request: WebRequest) -> Response:
    """Tell what was made with the data (使用反馈)."""
    subject, _ = person(request)
    await people.decide_application(
        request.dizuo.pool, _number(request), "reported", by="applicant", reason=request.sent.text("report"), subject=subject
    )  # fmt: skip
    return redirect("/open/mine?done=report")


def _number(request: WebRequest) -> int:
    number = str(request.path_params["application"])
    if not number.isdecimal() or len(number) > 15:
        raise StepNotOpen()
    return int(number)
