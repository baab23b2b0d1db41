"""Opening a case for an official, from whichever page."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import CaseNotFound, CasePage, case_page, note_refused_look
from dizuo.foundation.kernel.errors import Refused, Stale
from dizuo.web import WebRequest, page

from .officers import actors_of, session_of


def number_of(request: WebRequest) -> str:
    return str(request.path_params["number"])[:40]


def version_of(request: WebRequest) -> int | None:
    """The item's version that the official saw, from the form; None when it is none."""
    text = request.sent.text("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def opened(request: WebRequest, number: str) -> CasePage:
    """The case for this official; a look that was refused is entered. Errors: CaseNotFound, Refused."""
    actors = actors_of(session_of(request))
    try:
        return await case_page(request.dizuo.cases, actors, number)
    except (Refused, CaseNotFound):
        await note_refused_look(request.dizuo.cases, actors, number)
        raise


def was_faster(
    request: WebRequest, error: Stale, number: str, item: str, wrote: list[tuple[str, str]]
) -> Response:
    """Somebody was faster: who and when, and everything that was typed, to copy."""
    return page(
        request, "stale.html", status=409, e=error, number=number, item=item, wrote=[w for w in wrote if w[1]]
    )
