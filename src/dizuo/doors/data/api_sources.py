"""The interface for departments' systems: records pushed with a key, answered row by row once they are on disk."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.lake import intake
from dizuo.foundation.kernel.errors import DizuoError
from dizuo.web import WebRequest, json

from .openapi import describe


def _intake(request: WebRequest) -> intake.Intake:
    app = request.dizuo
    return intake.Intake.of(app.pool, app.city, app.data, app.now)


def _named(request: WebRequest) -> str:
    return str(request.path_params["source"])


async def admit_key(request: WebRequest, key: str) -> object | None:
    """Whose key it is; one that is nobody's is counted, so that a steward sees who keeps knocking."""
    desk = _intake(request)
    found = await intake.find_key(desk, key)
    if found is None:
        await intake.note_refused(desk, _named(request), None, "key_needed", 0)
    return found


async def interface(request: WebRequest) -> Response:
    """What may be pushed and how, for machines."""
    return json(describe(request.dizuo.city, request.shell.site.version))


async def rows_pushed(request: WebRequest) -> Response:
    """Take one record or a batch: 202 with the delivery's number and what became of each record."""
    desk, size = _intake(request), 0
    try:
        body = await request.content()
        size = len(body)
        once = request.headers.get("idempotency-key", "")
        return json(await intake.push(desk, request.key, _named(request), body, once=once), status=202)
    except DizuoError as error:
        await intake.note_refused(desk, _named(request), request.key, error.code, size)
        raise
