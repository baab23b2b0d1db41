"""My cases: list, receipt, progress, and what a person does with a case that runs."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import (
    StaleFix,
    answer_consent,
    answer_fix,
    ask_consent_again,
    fix_form,
    give_up_fix,
    rate,
    withdraw,
)
from dizuo.foundation.kernel.errors import Invalid
from dizuo.web import WebRequest, answer, page, redirect

from .form_facts import ANSWER
from .forms import LONGEST, number
from .people import actor_now, session_of
from .views_case import CaseMaker
from .views_fix import FixMaker, FixTyped


def _number(request: WebRequest) -> str:
    return str(request.path_params["number"])[:40]


def _maker(request: WebRequest) -> CaseMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return CaseMaker(request.dizuo, actor_now(session_of(request)), request.lang, words)


async def cases(request: WebRequest) -> Response:
    """All my cases, unfinished forms and requests for my consent."""
    return answer(request, "cases.html", await _maker(request).list())


async def case(request: WebRequest) -> Response:
    """One case: one number, one bar, every item."""
    return answer(request, "progress.html", await _maker(request).progress(_number(request)))


async def receipt(request: WebRequest) -> Response:
    """What was just submitted, with its number."""
    return page(request, "receipt.html", v=await _maker(request).receipt(_number(request)))


async def fix(request: WebRequest) -> Response:
    """What is missing (一次性补正告知), or what was sent."""
    return await _fix_shown(request)


async def _fix_shown(request: WebRequest, typed: FixTyped | None = None, *, status: int = 200) -> Response:
    actor = actor_now(session_of(request))
    item = str(request.path_params["item"])[:60]
    given = None if typed is None else typed.answers
    form = await fix_form(request.dizuo.cases, actor, _number(request), item, given)
    words = request.shell.templates(request.door).words[request.lang]
    view = FixMaker(request.dizuo.city, form, request.lang, words).page(typed)
    return answer(request, "fix.html", view, status=status)


async def fix_sent(request: WebRequest) -> Response:
    """The missing part: changed answers, words, or that one gives up."""
    sent, actor = request.sent, actor_now(session_of(request))
    case_number, item = _number(request), str(request.path_params["item"])[:60]
    answers = {name: value[:LONGEST] for name, value in sent.under(ANSWER).items()}
    words = sent.text("answer")
    try:
        if sent.text("do") == "give_up":
            if sent.text("sure") != "yes":
                raise Invalid({"sure": request.words("fix", "give_up_missing")})
            await give_up_fix(request.dizuo.cases, actor, case_number, item)
        else:
            await answer_fix(
                request.dizuo.cases, actor, case_number, item, words, answers, seen=sent.text("seen")[:60]
            )
    except Invalid as error:
        return await _fix_shown(request, FixTyped(answers, words, error.fields), status=422)
    except StaleFix as error:
        return await _fix_shown(request, FixTyped(answers, words, {}, stale=str(error)), status=409)
    return redirect(f"/cases/{case_number}")


async def withdraw_page(request: WebRequest) -> Response:
    """What can still be withdrawn."""
    return answer(request, "withdraw.html", await _maker(request).withdraw(_number(request)))


async def withdraw_sent(request: WebRequest) -> Response:
    """Withdraw one item or everything that is not decided."""
    case_number, item, reason = _number(request), request.sent.text("item"), request.sent.text("reason")
    if not item:
        view = await _maker(request).withdraw(case_number, missing=True)
        return answer(request, "withdraw.html", view, status=422)
    chosen = None if item == "all" else item
    await withdraw(request.dizuo.cases, _maker(request).actor, case_number, chosen, reason)
    return redirect(f"/cases/{case_number}")


async def consent(request: WebRequest) -> Response:
    """What somebody else asks me to agree to."""
    view = await _maker(request).consent(_number(request), request.path_params["consent"])
    return answer(request, "consent.html", view)


async def consent_sent(request: WebRequest) -> Response:
    """Yes or no."""
    case_number, name, said = _number(request), request.path_params["consent"], request.sent.text("answer")
    if said not in ("yes", "no"):
        view = await _maker(request).consent(case_number, name, missing=True)
        return answer(request, "consent.html", view, status=422)
    maker = _maker(request)
    await answer_consent(request.dizuo.cases, maker.actor, case_number, name, agrees=said == "yes")
    return redirect(f"/cases/{case_number}/consents/{name}")


async def consent_again(request: WebRequest) -> Response:
    """Ask once more for a consent that was refused or lapsed."""
    case_number, name = _number(request), request.path_params["consent"]
    await ask_consent_again(request.dizuo.cases, _maker(request).actor, case_number, name)
    return redirect(f"/cases/{case_number}")


async def rating_sent(request: WebRequest) -> Response:
    """好差评, once."""
    case_number = _number(request)
    level = number(request.sent.text("level"), 9)
    await rate(request.dizuo.cases, _maker(request).actor, case_number, level, request.sent.text("says"))
    return redirect(f"/cases/{case_number}")
