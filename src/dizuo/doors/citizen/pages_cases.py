"""My cases: list, receipt, progress, and what a person does with a case that runs."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import answer_consent, ask_consent_again, rate, withdraw
from dizuo.web import WebRequest, answer, page, redirect

from .forms import number
from .people import actor_now, session_of
from .views_case import CaseMaker


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
