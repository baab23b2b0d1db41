"""Pairs that the machine may not decide: the queue, one pair, the look for a purpose, the opinion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from dizuo.engines.lake import review
from dizuo.foundation.kernel.errors import Conflict
from dizuo.web import WebRequest, answer, redirect

from .stewards import LARGEST, steward
from .views_review import PURPOSES, ReviewMaker

_PAGE: Final = 50
_SHORTEST, _LONGEST = 2, 500


def _maker(request: WebRequest) -> ReviewMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return ReviewMaker(request.dizuo.city, request.lang, words)


async def queue(request: WebRequest) -> Response:
    """What waits, without any value."""
    who, pool = steward(request), request.dizuo.pool
    asked = request.query_params.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 0
    found = await review.review_queue(pool, who.account, limit=_PAGE + 1, after=after, sources=who.within)
    waiting = await review.waiting_pairs(pool, who.account, sources=who.within)
    return answer(request, "review.html", _maker(request).queue(found, waiting, after, _PAGE))


async def pair(request: WebRequest) -> Response:
    """One pair without any value: what one asks for first, and what came of it afterwards."""
    who, face = await _faced(request)
    return answer(request, "pair.html", _maker(request).face(face, who))


async def pair_open(request: WebRequest) -> Response:
    """The two records for a purpose; the look is entered before a value leaves the database."""
    who, face = await _faced(request)
    return await _opened(request, who, face, request.sent, {})


async def pair_sent(request: WebRequest) -> Response:
    """One's opinion; a form that is not right comes back with the records, which is another look."""
    who, face = await _faced(request)
    sent = request.sent
    errors = _wrong(request, sent)
    if errors:
        return await _opened(request, who, face, sent, errors)
    try:
        verdict: Any = sent.text("verdict")
        await review.decide_pair(request.dizuo.pool, face.about.id, who.account, verdict, sent.text("reason"))
    except (review.SamePerson, review.PairDecided) as error:
        return await _late(request, error)
    return redirect(f"/data/review/{face.about.id}")


async def _faced(request: WebRequest) -> tuple[review.Steward, review.PairFace]:
    """The pair without values, for a steward of one of its sources. Errors: NotSteward, PairUnknown."""
    who = steward(request)
    face = await review.pair_face(request.dizuo.pool, min(request.path_params["pair"], LARGEST), who.account)
    who.must_mind(face.about.left_source, face.about.right_source)
    return who, face


async def _opened(
    request: WebRequest,
    who: review.Steward,
    face: review.PairFace,
    sent: Mapping[str, str],
    errors: Mapping[str, str],
) -> Response:
    """The pair with its values, or why not: decided meanwhile, judged already, no purpose."""
    maker, purpose = _maker(request), sent.get("purpose", "")
    if face.about.state in ("same", "different") or face.about.mine:
        return await _late(
            request,
            review.PairDecided() if face.about.state in ("same", "different") else review.SamePerson(),
        )
    if purpose not in PURPOSES:
        missing = {"purpose": maker.w["purpose_missing"]}
        return answer(request, "pair.html", maker.face(face, who, errors=missing), status=422)
    seen = await review.review_pair(
        request.dizuo.pool, face.about.id, who.account, maker.purpose(purpose), who.post
    )
    return answer(
        request, "pair.html", maker.opened(face, who, seen, sent, errors), status=422 if errors else 200
    )


async def _late(request: WebRequest, error: Conflict) -> Response:
    """Sent twice, or from a page that was left open: nothing changed, and this is how it stands."""
    who, face = await _faced(request)
    maker = _maker(request)
    said = maker.w["twice" if isinstance(error, review.SamePerson) else "decided_meanwhile"]
    return answer(request, "pair.html", maker.face(face, who, said=said), status=409)


def _wrong(request: WebRequest, sent: Mapping[str, str]) -> dict[str, str]:
    w = request.shell.templates(request.door).words[request.lang]["review"]
    reason = " ".join(sent.get("reason", "").split())
    wrong = {} if sent.get("verdict", "") in review.VERDICTS else {"verdict": w["verdict_missing"]}
    if not _SHORTEST <= len(reason) <= _LONGEST:
        wrong["reason"] = w["reason_missing"]
    return wrong
