"""For whom I act: an enterprise that I represent, or a family member who gave me a mandate."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from dizuo.engines.directory import Mandate
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, local_path, redirect

from .form_facts import OptionView
from .forms import number
from .people import session_of, subject_of


class ActingView(msgspec.Struct, frozen=True):
    """Whom one may act for; '' is oneself."""

    options: list[OptionView]
    chosen: str
    next: str
    error: str
    none: str


async def _view(request: WebRequest, target: str, error: str = "") -> ActingView:
    app, subject = request.dizuo, subject_of(request)
    words = request.shell.templates(request.door).words[request.lang]["acting"]
    session = session_of(request)
    represented = await app.directory.represented_by(subject)
    mandates: tuple[Mandate, ...] = await app.directory.mandates_of(subject)
    today = app.now().date()
    held = [
        m
        for m in mandates
        if m.proxy == subject and m.revoked_at is None and m.valid_from <= today <= m.valid_to
    ]
    options = [OptionView("self", words["self"], session.account.name)]
    options += [OptionView(f"e{one.subject}", one.name, words["enterprise"]) for one in represented]
    options += [OptionView(f"m{one.id}", one.giver_name, words["mandate"]) for one in held]
    none = "" if represented or held else words["none"]
    return ActingView(options, "", target, error, none)


async def acting_page(request: WebRequest) -> Response:
    """Choose for whom to act."""
    target = local_path(request.query_params.get("next"))
    return answer(request, "acting.html", await _view(request, target))


async def acting_sent(request: WebRequest) -> Response:
    """Act for the chosen one from now on; the directory checks and enters it."""
    chosen, directory = request.sent.text("for"), request.dizuo.directory
    token, target = request.shell.session_token(request), local_path(request.sent.text("next"))
    try:
        if chosen.startswith("e"):
            await directory.act_for_enterprise(token, number(chosen[1:], 2**62))
        elif chosen.startswith("m"):
            await directory.act_on_mandate(token, number(chosen[1:], 2**62))
        elif chosen == "self":
            await directory.act_for_nobody(token)
        else:
            words = request.shell.templates(request.door).words[request.lang]["acting"]
            raise Invalid({"for": words["missing"]})
    except Invalid as error:
        return answer(request, "acting.html", await _view(request, target, error.message), status=422)
    return redirect(target)
