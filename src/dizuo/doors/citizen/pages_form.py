"""The prefilled form: look, answer, save, resume, submit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from dizuo.engines.cases import (
    DraftNotFound,
    Form,
    StaleDraft,
    open_form,
    resume_form,
    save_draft,
    submit,
)
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Matter
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, page, redirect
from dizuo.web.tokens import once_token
from dizuo.web.words import fill

from .declared import pick, title_said
from .form_facts import GIVEN, FormState
from .forms import FormSent, draft_id, form_sent, number
from .pages_matters import matter_of
from .people import ActingNeeded, actor_for, session_of
from .views_form import FormMaker


async def form_page(request: WebRequest) -> Response:
    """The form as it stands: prefilled, with the saved draft's answers when there is one."""
    matter = matter_of(request)
    try:
        actor = actor_for(session_of(request), matter)
    except ActingNeeded:
        return redirect(f"/acting?next=/matters/{matter.id}/apply")
    wanted = draft_id(request.query_params.get("draft", ""))
    left = await resume_form(request.dizuo.cases, actor, matter.id, wanted)
    form = left.form
    state = FormState(
        errors=form.errors,
        answers=form.answers,
        given=form.given,
        draft=form.draft or "",
        version=form.version,
        saved_at=left.saved_at,
        step=number(request.query_params.get("step", "0"), 99),
        once=once_token(),
        running=_said(request, left.running),
    )
    return _shown(request, matter, form, state)


def _said(request: WebRequest, running: tuple[str, str] | None) -> tuple[str, str] | None:
    return running and (running[0], title_said(request.dizuo.city, running[1], request.lang))


async def form_sent_page(request: WebRequest) -> Response:
    """A button of the form: submit, save, or one step on or back."""
    matter, sent = matter_of(request), form_sent(request.sent)
    actor = actor_for(session_of(request), matter)
    try:
        if sent.do == "submit":
            return await _submit(request, matter, actor, sent)
        return await _keep(request, matter, actor, sent)
    except StaleDraft:
        return await _again(request, matter, actor, sent, {}, stale=True)


async def _submit(request: WebRequest, matter: Matter, actor: Actor, sent: FormSent) -> Response:
    if not sent.agreed:
        form = await _opened(request, matter, actor, sent)
        errors = {**_unanswered(request, form), "agree": _words(request)["consent_missing"]}
        return await _again(request, matter, actor, sent, errors, form=form)
    try:
        receipt = await submit(
            request.dizuo.cases,
            actor,
            session_of(request).account.id,
            matter.id,
            sent.answers,
            sent.given,
            sent.once or once_token(),
            draft=sent.draft or None,
            version=sent.version,
        )
    except Invalid as error:
        return await _again(request, matter, actor, sent, error.fields)
    return redirect(f"/cases/{receipt.number}/receipt")


async def _keep(request: WebRequest, matter: Matter, actor: Actor, sent: FormSent) -> Response:
    """Save the answers as typed, then go where the button leads; in steps, not past an open question."""
    if sent.do == "choose" or (sent.do == "next" and sent.step > 0):
        form = await _opened(request, matter, actor, sent)
        if missing := _missing_here(request, form, sent):
            return await _again(request, matter, actor, sent, missing, form=form)
    try:
        kept = await save_draft(
            request.dizuo.cases,
            actor,
            session_of(request).account.id,
            matter.id,
            sent.answers,
            sent.given,
            draft=sent.draft or None,
            version=sent.version,
        )
    except DraftNotFound:  # it was submitted or thrown away on another page: keep what was typed as a new one
        return await _keep(request, matter, actor, msgspec.structs.replace(sent, draft="", version=0))
    return _onward(request, f"/matters/{matter.id}/apply?draft={kept.id}", sent)


def _missing_here(request: WebRequest, form: Form, sent: FormSent) -> dict[str, str]:
    """What keeps this step from being left: a record to choose, an answer that is open or wrong."""
    if sent.do == "choose":
        return {party: _words(request)["choose_missing"] for party in form.plan.choose}
    here = {question.id for question in form.plan.questions if question.number == sent.step}
    wrong = {**_unanswered(request, form), **form.errors}
    return {name: says for name, says in wrong.items() if name in here}


def _onward(request: WebRequest, resume: str, sent: FormSent) -> Response:
    if sent.do == "save":
        return page(request, "saved.html", v={"resume": f"{resume}&step={sent.step}"})
    step = {"next": sent.step + 1, "back": max(0, sent.step - 1)}.get(sent.do, 0)
    return redirect(f"{resume}&step={step}")


async def _again(
    request: WebRequest,
    matter: Matter,
    actor: Actor,
    sent: FormSent,
    errors: Mapping[str, str],
    *,
    form: Form | None = None,
    stale: bool = False,
) -> Response:
    """The form once more, with everything that was typed and what to correct."""
    form = form or await _opened(request, matter, actor, sent)
    numbers = {question.id: question.number for question in form.plan.questions}
    wrong = [numbers[name] for name in errors if name in numbers]
    chosen = {GIVEN + party: says for party, says in errors.items() if party in form.plan.choose}
    state = FormState(
        errors={**form.errors, **errors, **chosen},
        answers=sent.answers,
        given=sent.given,
        agreed=sent.agreed,
        # After a stale page the older draft is left alone; what is here is saved as a new one.
        draft="" if stale else sent.draft,
        version=0 if stale else sent.version,
        step=min(wrong) if wrong else sent.step,
        once=sent.once or once_token(),
        stale=stale,
    )
    return _shown(request, matter, form, state, status=409 if stale else 422)


async def _opened(request: WebRequest, matter: Matter, actor: Actor, sent: FormSent) -> Form:
    return await open_form(request.dizuo.cases, actor, matter.id, sent.answers, sent.given, case=sent.draft)


def _unanswered(request: WebRequest, form: Form) -> dict[str, str]:
    """Every question still open: nobody should learn of them one by one."""
    sentence = _words(request)["answer_missing"]
    return {
        question.id: fill(sentence, asks=pick(question.asks, request.lang))
        for question in form.plan.questions
        if question.value is None and question.id not in form.errors
    }


def _words(request: WebRequest) -> dict[str, str]:
    return request.shell.templates(request.door).words[request.lang]["form"]


def _shown(
    request: WebRequest, matter: Matter, form: Form, state: FormState, *, status: int = 200
) -> Response:
    words = request.shell.templates(request.door).words[request.lang]
    maker = FormMaker(request.dizuo.city, matter, form.plan, form.known.parties, request.lang, words)
    return answer(request, "form.html", maker.view(state, stepwise=request.prefs.elder), status=status)
