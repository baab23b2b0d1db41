"""Fix requests, special procedures, extensions, referrals, visits, hand-over: one page and one handler for all."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from dizuo.engines.cases import fix_choices
from dizuo.foundation.kernel.errors import Invalid, NotFound, Stale
from dizuo.web import Form, WebRequest, page

from .measures import MEASURES, NO_CHOICES, WANTS, Measure
from .officers import actors_of, session_of
from .opening import number_of, opened, version_of, was_faster
from .pages_queue import onward, rail_page, words_of
from .views_measures import measure_view
from .views_queue import rail_of


def _measure(request: WebRequest) -> Measure:
    found = MEASURES.get(str(request.path_params["measure"]))
    if found is None:
        raise NotFound()
    return found


async def measure_page(request: WebRequest) -> Response:
    """What a lawful step needs to be told."""
    measure = _measure(request)
    return await measure_shown(request, number_of(request), str(request.path_params["item"]), measure.id, {})


async def measure_sent(request: WebRequest) -> Response:
    """Take the step."""
    measure, number, item = _measure(request), number_of(request), str(request.path_params["item"])
    sent = request.sent
    actors = actors_of(session_of(request))
    try:
        await measure.act(request.dizuo.cases, actors, number, item, sent, version_of(request))
    except Invalid as error:
        return await measure_shown(request, number, item, measure.id, sent, errors=error.fields)
    except Stale as error:
        words = words_of(request)["measure"]
        wrote = [(words[f"field_{f.name}"], sent.text(f.name)) for f in measure.fields if f.kind != "wants"]
        wrote += [(words["field_wants"], sent.text(f"want_{i}")) for i in range(1, WANTS + 1)]
        return was_faster(request, error, number, item, wrote)
    return await onward(request, number, item, f"of={number}")


async def measure_shown(
    request: WebRequest,
    number: str,
    item: str,
    name: str,
    sent: Form | Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
) -> Response:
    """The page of a step with what was typed."""
    found = await opened(request, number)
    at = next((i for i, one in enumerate(found.items) if one.id == item), None)
    if at is None:
        raise NotFound()
    rail = rail_of(await rail_page(request, "waiting", limit=1))
    said = await _said(request, number, item, MEASURES[name])
    words = words_of(request)["measure"]
    choices = NO_CHOICES
    if name == "fix":
        choices = await fix_choices(request.dizuo.cases, actors_of(session_of(request)), number, item)
    view = measure_view(
        found, at, MEASURES[name], rail, said, sent, errors or {}, request.lang, words, choices
    )
    return page(request, "measure.html", status=422 if errors else 200, v=view)


async def _said(request: WebRequest, number: str, item: str, measure: Measure) -> str:
    """What the colleague asked who made this work: the question, or the reason for an extension."""
    if not measure.task:
        return ""
    for rail in ("waiting", "cooperating"):
        for row in (await rail_page(request, rail, limit=200)).rows:
            if (row.number, row.item, row.kind) == (number, item, measure.task):
                text = str(row.detail.get("question") or row.detail.get("reason") or "")
                who = str(row.detail.get("asked_name") or "")
                return f"{who}：{text}" if who and text else text
    return ""
