"""The audit of the catalogue before officials: its tickets, one ticket, and the step that a steward takes."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from dizuo.engines.exchange import catalogue
from dizuo.foundation.kernel.errors import Refused
from dizuo.web import WebRequest, answer, redirect

from .stewards import LARGEST, as_steward, steward
from .views_catalogue_audit import FILTERS, AuditMaker

_LONGEST = 80


def _maker(request: WebRequest) -> AuditMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return AuditMaker(request.dizuo.city, request.lang, words)


async def audit(request: WebRequest) -> Response:
    """The tickets, narrowed by department, rule and state."""
    pool = request.dizuo.pool
    asked = {name: request.query_params.get(name, "").replace("\x00", "")[:_LONGEST] for name in FILTERS}
    wanted = {name: value or None for name, value in asked.items()}
    found = await catalogue.findings(
        pool, organisation=wanted["organisation"], rule=wanted["rule"], state=wanted["state"]
    )
    view = _maker(request).listed(
        found, await catalogue.finding_counts(pool), await catalogue.last_audit(pool), asked
    )
    return answer(request, "audit.html", view)


async def ticket(request: WebRequest) -> Response:
    """One ticket with its steps."""
    return await _shown(request)


async def ticket_sent(request: WebRequest) -> Response:
    """One step of a ticket; a page that was left open gets the ticket as it stands."""
    who, sent, app = steward(request), request.sent, request.dizuo
    id, version = _number(request), sent.text("version")
    told = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0
    maker = _maker(request)
    try:
        await catalogue.move_finding(
            app.pool, app.city, id, told, sent.text("to"), who, sent.text("note"), request.shell.now()
        )
    except catalogue.FindingNote:
        return await _shown(
            request, note=sent.text("note"), errors={"note": maker.w["note_missing"]}, status=422
        )
    except (catalogue.FindingMoved, catalogue.FindingStep):
        return await _shown(request, stale=maker.w["stale"], status=409)
    except catalogue.OwnFinding as error:
        return await _shown(
            request, stale=maker.w["own"] if request.lang == "en" else error.message, status=Refused.http
        )
    return redirect(f"/data/audit/{id}")


def _number(request: WebRequest) -> int:
    return min(int(request.path_params["finding"]), LARGEST)


async def _shown(request: WebRequest, *, status: int = 200, **said: Any) -> Response:
    one, steps = await catalogue.finding(request.dizuo.pool, _number(request))
    return answer(
        request,
        "finding.html",
        _maker(request).ticket(one, steps, as_steward(request), **said),
        status=status,
    )
