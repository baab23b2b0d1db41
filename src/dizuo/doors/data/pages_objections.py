"""异议 at the department that used the data: what has to be answered by when, and the answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import msgspec
from starlette.responses import Response

from dizuo.engines.directory import Session
from dizuo.foundation.kernel.errors import SignInNeeded
from dizuo.foundation.ledger import (
    Objection,
    answer_objection,
    objections_at,
    open_objection,
)
from dizuo.foundation.ledger.errors import ObjectionInvalid
from dizuo.web import Route, WebRequest, answer, redirect
from dizuo.web.format import moment
from dizuo.web.words import fill

_TONES: Final = {"open": "info", "upheld": "ok", "declined": ""}


class ObjectionLine(msgspec.Struct, frozen=True):
    """One objection; ``late`` past its clock. Nothing says who objected."""

    number: str
    unit: str
    says: str
    when: str
    due: str
    late: bool
    state: str
    tone: str
    answer: str
    open: bool


class ObjectionsView(msgspec.Struct, frozen=True):
    """The page 异议, and one of them when it is to be answered."""

    lines: list[ObjectionLine]
    one: ObjectionLine | None
    states: list[dict[str, str]]
    state: str
    answer: str
    errors: list[tuple[str, str]]
    error_state: str
    error_answer: str
    about: list[tuple[str, str]]


def posts_of(request: WebRequest) -> tuple[int, Mapping[str, str]]:
    """(the official's account, post by organisation). Errors: SignInNeeded."""
    if request.signed_in is None:
        raise SignInNeeded()
    account = cast(Session, request.signed_in).account
    return account.id, {post.organisation: post.post for post in account.posts}


async def objections(request: WebRequest) -> Response:
    """What one's departments have to answer."""
    return answer(request, "objections.html", _view(request, await _lines(request), None, {}))


async def objection(request: WebRequest) -> Response:
    """One objection, to be answered."""
    one, about = await _opened(request)
    return answer(request, "objections.html", _view(request, [], one, {}, about=about))


async def objection_sent(request: WebRequest) -> Response:
    """The answer; the person reads it in 我的数据."""
    account, posts = posts_of(request)
    sent, number = request.sent, request.path_params["number"]
    state = cast(Literal["upheld", "declined"], sent.text("state"))
    try:
        now = request.dizuo.cases.now()
        await answer_objection(request.dizuo.pool, number, posts, account, state, sent.text("answer"), now)
    except ObjectionInvalid as error:
        one, about = await _opened(request)
        view = _view(request, [], one, error.fields, sent.text("state"), sent.text("answer"), about)
        return answer(request, "objections.html", view, status=422)
    return redirect("/data/objections")


async def _lines(request: WebRequest) -> list[ObjectionLine]:
    _, posts = posts_of(request)
    async with request.dizuo.pool.acquire() as connection:
        found = await objections_at(connection, posts.keys())
    return [_line(request, one) for one in found]


def _line(request: WebRequest, one: Objection) -> ObjectionLine:
    words = _words(request)
    known = request.dizuo.city.organisations.get(one.unit.partition(":")[0])
    name = (
        one.unit
        if known is None
        else known.short.en
        if request.lang == "en" and known.short.en
        else known.short.zh
    )
    now: dt.datetime = request.dizuo.cases.now()
    return ObjectionLine(
        one.number, name, one.says, fill(words["when"], entry=one.entry, when=moment(one.opened_at, request.lang)),
        moment(one.due, request.lang) if one.due else "", one.state == "open" and one.due is not None and one.due < now,
        words[f"state_{one.state}"], _TONES[one.state], one.answer, one.state == "open",
    )  # fmt: skip


async def _opened(request: WebRequest) -> tuple[ObjectionLine, list[tuple[str, str]]]:
    """One objection and what the use was, which is entered about the person. Errors: ObjectionUnknown."""
    account, posts = posts_of(request)
    found, body = await open_objection(request.dizuo.pool, request.path_params["number"], posts, account)
    words, city, lang = _words(request), request.dizuo.city, request.lang
    register, purpose = city.registers.get(str(body.get("register", ""))), str(body.get("purpose", ""))
    known = city.purposes.get(purpose)
    fields = [str(one) for one in cast("list[object]", body.get("fields") or [])]
    names = [register.fields[one].name for one in fields if one in register.fields] if register else []
    told = {
        "use_what": _named(register.name, lang) if register else "",
        "use_fields": "、".join(_named(name, lang) for name in names) or "、".join(fields),
        "use_why": _named(known.name, lang) if known else purpose,
        "use_law": str(body.get("basis") or body.get("law") or ""),
        "use_post": str(cast("Mapping[str, object]", body.get("actor") or {}).get("post") or ""),
    }
    return _line(request, found), [(words[name], value) for name, value in told.items() if value]


def _named(words: Any, lang: str) -> str:
    return words.en if lang == "en" and words.en else words.zh


def _view(
    request: WebRequest, lines: list[ObjectionLine], one: ObjectionLine | None, errors: Mapping[str, str], state: str = "", said: str = "",
    about: list[tuple[str, str]] | None = None,
) -> ObjectionsView:  # fmt: skip
    words = _words(request)
    states = [
        {"value": value, "label": words[f"state_{value}"], "detail": words[f"says_{value}"]}
        for value in ("upheld", "declined")
    ]
    return ObjectionsView(
        lines,
        one,
        states,
        state,
        said,
        list(errors.items()),
        errors.get("state", ""),
        errors.get("answer", ""),
        about or [],
    )


def _words(request: WebRequest) -> Mapping[str, Any]:
    return request.shell.templates(request.door).words[request.lang]["objections"]


ROUTES: Final = (
    Route(
        "GET",
        "/data/objections",
        objections,
        purpose="See which objections to uses of data my department has to answer.",
        who="official",
    ),
    Route(
        "GET",
        "/data/objections/{number}",
        objection,
        purpose="Read one objection.",
        who="official",
    ),
    Route(
        "POST",
        "/data/objections/{number}",
        objection_sent,
        purpose="Answer an objection (个人信息保护法 50).",
        who="official",
    ),
)
