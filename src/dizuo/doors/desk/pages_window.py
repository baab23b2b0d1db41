"""窗口代办: a clerk serves somebody without a telephone, through the same plan, the same checks and the same case."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.cases import CaseNotFound, Form, MatterNotFound, open_form, progress, submit
from dizuo.foundation.blueprint.model import Matter
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import ONCE_FIELD, WebRequest, answer, page, redirect
from dizuo.web.tokens import once_token

from .officers import WINDOW, NobodyServed, clerk_of, client_of, served, session_of
from .opening import number_of
from .pages_queue import rail_page, words_of
from .pages_window_fix import to_complete
from .serving import identify, matters_for_window
from .telling import pick
from .views_queue import rail_of
from .views_window import ANSWER, GIVEN, OptionView, ServeView, WindowMaker

SEEN = ("id_card", "household_book", "other")


def _matter(request: WebRequest, name: str) -> Matter:
    found = next((m for m in matters_for_window(request.dizuo.city) if m.id == name), None)
    if found is None:
        raise MatterNotFound()
    return found


def _maker(request: WebRequest) -> WindowMaker:
    return WindowMaker(request.dizuo.city, request.lang, words_of(request))


async def window(request: WebRequest) -> Response:
    """Who is in front, and for what."""
    return await _serve_page(request, {}, {})


async def _serve_page(request: WebRequest, sent: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    session, lang = session_of(request), request.lang
    post = next(post for post in session.account.posts if WINDOW in post.powers)
    matters = [
        OptionView(m.id, pick(m.name, lang), pick(m.summary, lang))
        for m in matters_for_window(request.dizuo.city)
    ]
    view = ServeView(
        rail=rail_of(await rail_page(request, "waiting", limit=1)),
        here="window",
        matters=matters,
        matter=sent.get("matter") or "",
        number=sent.get("citizen_id") or "",
        name=sent.get("name") or "",
        seen=sent.get("seen") or "",
        place=post.unit_name,
        errors=list(errors.items()),
    )
    return page(request, "window.html", status=422 if errors else 200, v=view)


async def window_sent(request: WebRequest) -> Response:
    """Begin to serve: name and number agree, and what the clerk saw is on record."""
    sent, words = request.sent, words_of(request)["window"]
    missing = {
        name: words[f"missing_{name}"]
        for name in ("matter", "citizen_id", "name", "seen")
        if not sent.text(name)
    }
    if missing:
        return await _serve_page(request, sent, missing)
    session, matter = session_of(request), _matter(request, sent.text("matter"))
    try:
        who = await identify(request.dizuo, session, matter, sent.text("citizen_id"), sent.text("name"))
    except Invalid as error:
        return await _serve_page(request, sent, error.fields)
    seen = sent.text("seen") if sent.text("seen") in SEEN else "other"
    token = request.shell.session_token(request)
    await request.dizuo.directory.serve(token, who.subject, who.name, words[f"seen_{seen}"])
    if await to_complete(request, who.subject, matter.id):
        return redirect(f"/desk/window/fix?matter={matter.id}")
    return redirect(f"/desk/window/{matter.id}")


async def window_end(request: WebRequest) -> Response:
    """The person leaves."""
    await request.dizuo.directory.act_for_nobody(request.shell.session_token(request))
    return redirect("/desk/window")


async def window_form(request: WebRequest) -> Response:
    """The form of a matter for the person present."""
    matter = _matter(request, str(request.path_params["matter"]))
    form = await _opened(request, matter, {}, {})
    return await _form_page(request, matter, form, once_token(), {})


async def _opened(
    request: WebRequest, matter: Matter, answers: Mapping[str, str], given: Mapping[str, str]
) -> Form:
    clerk = clerk_of(session_of(request))
    return await open_form(request.dizuo.cases, clerk, matter.id, answers, given, case=f"window:{matter.id}")


async def _form_page(
    request: WebRequest,
    matter: Matter,
    form: Form,
    once: str,
    errors: Mapping[str, str],
    *,
    agreed: bool = False,
) -> Response:
    client = served(session_of(request))
    if client is None:
        raise NobodyServed()
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    view = _maker(request).form(rail, matter, form, client.name, once, errors, agreed=agreed)
    return answer(request, "window_form.html", view, status=422 if errors else 200)


async def window_form_sent(request: WebRequest) -> Response:
    """Plan again with the answers, or submit for the person present."""
    matter, sent = _matter(request, str(request.path_params["matter"])), request.sent
    session = session_of(request)
    clerk, client = clerk_of(session), client_of(session)
    answers, given, once = sent.under(ANSWER), sent.under(GIVEN), sent.text(ONCE_FIELD)[:60] or once_token()
    agreed = sent.text("agree") == "yes"
    if sent.text("do") != "submit":
        return await _form_page(
            request, matter, await _opened(request, matter, answers, given), once, {}, agreed=agreed
        )
    try:
        if not agreed:
            raise Invalid({"agree": words_of(request)["window"]["missing_agree"]})
        account = await request.dizuo.directory.resident(client.subject, client.name)
        made = await submit(
            request.dizuo.cases, client, account.id, matter.id, answers, given, once, served_by=clerk
        )
    except Invalid as error:
        form = await _opened(request, matter, answers, given)
        return await _form_page(request, matter, form, once, error.fields, agreed=agreed)
    return redirect(f"/desk/window/receipt/{made.number}")


async def window_receipt(request: WebRequest) -> Response:
    """The receipt to print, while the person is still here. Errors: NobodyServed, CaseNotFound."""
    session = session_of(request)
    clerk, client = clerk_of(session), client_of(session)
    made = await progress(request.dizuo.cases, client, number_of(request))
    if made.channel != "window":
        raise CaseNotFound()
    unit = next(post.unit_name for post in session.account.posts if post.post == clerk.post)
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    view = _maker(request).receipt(rail, made, client.name, clerk.name, unit)
    return answer(request, "receipt.html", view)
