"""窗口代办补正: a clerk completes a running case for the person present, with the same questions and the same files."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import (
    ByClerk,
    NewFile,
    StaleFix,
    answer_fix,
    fix_form,
    fixes_of,
    give_up_fix,
    keep_files,
)
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import Form, WebRequest, answer, redirect

from .officers import NobodyServed, clerk_of, client_of, served, session_of
from .opening import number_of
from .pages_queue import rail_page, words_of
from .views_queue import RailView, rail_of
from .views_window import ANSWER
from .views_window_fix import FILE, Asked, FixTyped, WindowFixMaker

LONGEST = 4000


async def to_complete(request: WebRequest, client: int, matter: str) -> list[Asked]:
    """What the person present is asked to complete in this matter; other matters are none of this clerk's business now."""
    actor = Actor(kind="resident", subject=client, channel="window")
    found = await fixes_of(request.dizuo.cases, actor)
    return [
        Asked(one.number, one.title, one.item, one.item_name, one.until)
        for one in found
        if one.matter == matter
    ]


async def _rail(request: WebRequest) -> RailView:
    return rail_of(await rail_page(request, "waiting", limit=1))


def _maker(request: WebRequest, rail: RailView) -> WindowFixMaker:
    client = served(session_of(request))
    if client is None:
        raise NobodyServed()
    return WindowFixMaker(request.dizuo.city, request.lang, words_of(request), rail, client.name)


async def window_fixes(request: WebRequest) -> Response:
    """What the person present may complete, or begin anew. Errors: NobodyServed."""
    client, matter = client_of(session_of(request)), request.query_params.get("matter", "")[:60]
    asked = await to_complete(request, client.subject or 0, matter)
    if not asked:
        return redirect(f"/desk/window/{matter}" if matter in request.dizuo.city.matters else "/desk/window")
    return answer(request, "window_fixes.html", _maker(request, await _rail(request)).list(asked, matter))


def _by(request: WebRequest) -> ByClerk:
    """The clerk, and the proof of identity that was seen when serving began. Errors: NobodyServed."""
    session = session_of(request)
    clerk, client = clerk_of(session), served(session)
    if client is None or not client.checked:
        raise NobodyServed()
    return ByClerk(clerk, client.checked)


async def window_fix(request: WebRequest) -> Response:
    """What is asked of the person present, or what was sent."""
    return await _shown(request)


async def _shown(request: WebRequest, typed: FixTyped | None = None, *, status: int = 200) -> Response:
    client, item = client_of(session_of(request)), str(request.path_params["item"])[:60]
    given = None if typed is None or typed.kept else typed.answers
    number = number_of(request)
    form = await fix_form(request.dizuo.cases, client, number, item, given, served_by=_by(request))
    view = _maker(request, await _rail(request)).page(form, typed)
    return answer(request, "window_fix.html", view, status=status)


async def window_fix_sent(request: WebRequest) -> Response:
    """Complete for the person present; or only keep files; or give it up as the person says."""
    sent, do = request.sent, request.sent.text("do") or "send"
    typed = FixTyped(
        {name: value[:LONGEST] for name, value in sent.under(ANSWER).items()},
        sent.text("answer"),
        agreed=sent.text("agree") == "yes",
        kept=do == "keep",
    )
    try:
        await _act(request, do, typed)
    except Invalid as error:
        return await _shown(request, typed.wrong(error.fields), status=422)
    except StaleFix as error:
        return await _shown(request, typed.wrong({}, str(error)), status=409)
    if do == "keep":
        return await _shown(request, typed)
    where = f"/desk/window/fix/{number_of(request)}/{request.path_params['item']}"
    return redirect("/desk/window" if do == "give_up" else where)


async def _act(request: WebRequest, do: str, typed: FixTyped) -> None:
    """Do what the button says. Errors: Invalid by field, StaleFix, and those of the engine."""
    cases, client, by = request.dizuo.cases, client_of(session_of(request)), _by(request)
    where, words = (
        (number_of(request), str(request.path_params["item"])[:60]),
        words_of(request)["window_fix"],
    )
    files, drop = _files(request.sent), _drop(request.sent)
    if do == "give_up":
        if request.sent.text("sure") != "yes":
            raise Invalid({"sure": words["give_up_missing"]})
        await give_up_fix(cases, client, *where, by)
    elif do == "keep" or not typed.agreed:
        await keep_files(cases, client, *where, files, drop, by)
        if do != "keep":
            raise Invalid({"agree": words["missing_agree"]})
    else:
        seen = request.sent.text("seen")[:60]
        await answer_fix(
            cases, client, *where, typed.words, typed.answers, seen=seen, files=files, drop=drop, served_by=by
        )


def _files(sent: Form) -> list[NewFile]:
    return [
        NewFile(_number(file.field.removeprefix(FILE)), file.name, file.declared, file.content, file.problem)
        for file in sent.files
    ]


def _drop(sent: Form) -> list[int]:
    return [_number(one) for one in sent.all("drop")][:99]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
