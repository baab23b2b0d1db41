"""The stewards' desk: what waits for people, rows to correct as a file, and what is decided about a delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.responses import Response, StreamingResponse

from dizuo.engines.lake import DeliveryInDetail, delivery_in_detail, intake, review
from dizuo.foundation.blueprint.model_source import Source
from dizuo.web import WebRequest, answer, attachment, redirect

from .pages_sources import NoSuchDelivery, delivery_number, delivery_shown
from .stewards import steward
from .views_desk import PURPOSES, DeskMaker

_ACTS: Final = ("hold", "release", "refuse")
_SHORTEST, _LONGEST = 4, 200


def _maker(request: WebRequest) -> DeskMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return DeskMaker(request.dizuo.city, request.lang, words)


async def desk(request: WebRequest) -> Response:
    """What waits for people, of the sources that the official looks after."""
    who, pool = steward(request), request.dizuo.pool
    view = _maker(request).desk(
        await review.waiting_deliveries(pool, sources=who.within),
        await review.rows_to_correct(pool, sources=who.within),
        await review.waiting_pairs(pool, who.account, sources=who.within),
    )
    return answer(request, "desk.html", view)


async def rejected(request: WebRequest) -> Response:
    """What has to be corrected, in counts; and for what one takes the rows."""
    _, source, seen = await _minded(request)
    return answer(request, "rejected.html", _maker(request).rejected(source, seen))


async def rejected_sent(request: WebRequest) -> Response:
    """The rows as a file, once it is entered who takes them for what."""
    who, source, seen = await _minded(request)
    maker, purpose = _maker(request), request.sent.text("purpose")
    if purpose not in PURPOSES:
        view = maker.rejected(source, seen, errors={"purpose": maker.w["purpose_missing"]})
        return answer(request, "rejected.html", view, status=422)
    what = "held" if request.sent.text("what") == "held" else "rejected"
    take = review.take_held if what == "held" else review.take_rejected
    rows = await take(_intake(request), seen.delivery.id, who, maker.purpose(purpose))
    return _file(rows, maker.file_name(source, seen, what))


async def decided_sent(request: WebRequest) -> Response:
    """Hold a delivery, let it go on, or refuse it, with a reason that everybody can read."""
    who, sent = steward(request), request.sent
    seen = await _seen(request)
    act, reason, id = sent.text("act"), " ".join(sent.text("reason").split()), seen.delivery.id
    words = request.shell.templates(request.door).words[request.lang]["desk"]
    errors: dict[str, str] = {}
    if act not in _ACTS:
        errors["act"] = words["act_missing"]
    if not _SHORTEST <= len(reason) <= _LONGEST:
        errors["reason"] = words["reason_missing"]
    if sent.text("was") != seen.delivery.state:
        return await delivery_shown(request, seen, sent=sent, stale=words["stale"], status=409)
    if errors:
        return await delivery_shown(request, seen, sent=sent, errors=errors, status=422)
    take = {"hold": intake.hold, "release": intake.release_held, "refuse": intake.refuse}[act]
    await take(_intake(request), id, by=who.account, why=reason)
    return redirect(f"/data/deliveries/{id}")


async def _seen(request: WebRequest) -> DeliveryInDetail:
    seen = await delivery_in_detail(request.dizuo.pool, delivery_number(request))
    if seen is None or seen.delivery.source not in request.dizuo.city.sources:
        raise NoSuchDelivery()
    return seen


async def _minded(request: WebRequest) -> tuple[review.Steward, Source, DeliveryInDetail]:
    """A delivery of a source that the official looks after. Errors: NotSteward, NoSuchDelivery."""
    who, seen = steward(request), await _seen(request)
    who.must_mind(seen.delivery.source)
    return who, request.dizuo.city.sources[seen.delivery.source], seen


def _intake(request: WebRequest) -> intake.Intake:
    app = request.dizuo
    return intake.Intake.of(app.pool, app.city, app.data, app.now)


def _file(rows: Iterator[bytes], name: str) -> Response:
    """A file that is sent while it is read, so that its size does not matter here."""
    kind = "text/csv; charset=utf-8"
    headers: Mapping[str, str] = {
        "content-disposition": attachment(b"", name, kind).headers["content-disposition"]
    }
    return StreamingResponse(rows, media_type=kind, headers=headers)
