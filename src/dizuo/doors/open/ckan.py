"""CKAN's Action API v3 at /open/api: one address an action, answers and errors in CKAN's own shape."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response

from dizuo.engines.opendata import ckan
from dizuo.foundation.kernel.errors import Conflict, DizuoError, Invalid, NotFound, Refused
from dizuo.web import Route, WebRequest, json
from dizuo.web.errors import BadForm
from dizuo.web.routes import Handler

from .ckan_openapi import describe

PREFIX: Final = "/open/api"
MAX_BODY: Final = 32 << 20
_MOST_ARGUMENTS: Final = 500
_ANSWER: Final = {"access-control-allow-origin": "*", "cache-control": "no-cache"}


class Stranger:
    """Somebody without a key: may read, and is told in CKAN's shape what needs one."""


async def admit_key(request: WebRequest, key: str) -> object:
    """Whose key a request shows. CKAN's clients send it bare, in Authorization or X-CKAN-API-Key, without `Bearer`."""
    return await _writer(request, key) or Stranger()


async def _writer(request: WebRequest, key: str = "") -> ckan.Writer | None:
    shown = key or request.headers.get("authorization", "") or request.headers.get("x-ckan-api-key", "")
    app = request.dizuo
    return await ckan.find_key(app.pool, shown.strip(), app.now()) if shown else None


def origin(request: WebRequest) -> str:
    """Where this portal stands, as the reader reached it."""
    return f"{'https' if request.shell.site.secure else request.url.scheme}://{request.url.netloc}"


def for_machines(handler: Handler) -> Handler:
    """A handler whose errors are told as JSON too, not as a page."""

    @wraps(handler)
    async def told(request: WebRequest) -> Response:
        request.wants_json = True
        return await handler(request)

    return told


def portal(request: WebRequest, writer: ckan.Writer | None = None) -> ckan.Portal:
    """The reader's view of the catalogue."""
    app = request.dizuo
    return ckan.Portal(
        pool=app.pool,
        base=f"{origin(request)}/open",
        title=f"{app.city.name.zh}公共数据开放",
        version=request.shell.site.version.partition(" ")[0],
        declared={one.id: (one.name.zh, one.name.en) for one in app.city.organisations.values()},
        now=app.now,
        writer=writer,
    )


@for_machines
async def get(request: WebRequest) -> Response:
    """An action whose arguments stand in the address; only those that read."""
    return await _answered(request, _query(request), await _writer(request), may_write=False)


async def post(request: WebRequest) -> Response:
    """An action whose arguments come as JSON or as a form."""
    writer = request.key if isinstance(request.key, ckan.Writer) else None
    try:
        told = _body(await request.content(), request.headers.get("content-type", ""))
    except DizuoError as error:
        return _problem(request, error)
    return await _answered(request, told, writer, may_write=True)


@for_machines
async def version(request: WebRequest) -> Response:
    """Which version of the API this is."""
    return _sent({"version": 3})


@for_machines
async def interface(request: WebRequest) -> Response:
    """The API described for machines (OpenAPI 3.1)."""
    return _sent(describe(request.dizuo.city, request.shell.site.version))


async def _answered(
    request: WebRequest, told: Mapping[str, Any], writer: ckan.Writer | None, *, may_write: bool
) -> Response:
    name = str(request.path_params["action"])
    try:
        found = ckan.action(name)
        if found.writes and not may_write:
            raise ckan.CkanInvalid({"method": "这个动作要用 POST"})
        result = await found.run(portal(request, writer), ckan.Asked(told))
    except DizuoError as error:
        return _problem(request, error)
    return _sent({"help": _help(request, name), "success": True, "result": result})


def _query(request: WebRequest) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in list(request.query_params.multi_items())[:_MOST_ARGUMENTS]:
        before = told.get(name)
        told[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return told


def _body(body: bytes, kind: str) -> dict[str, Any]:
    if not body.strip():
        return {}
    if kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded" and body[:1] != b"{":
        try:
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_ARGUMENTS))
        except ValueError:
            raise BadForm() from None
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ckan.CkanInvalid({"body": "不是能读的 JSON"}) from None
    if not isinstance(told, dict):
        raise ckan.CkanInvalid({"body": "应为 JSON 对象"})
    return cast("dict[str, Any]", told)


def _help(request: WebRequest, name: str) -> str:
    from urllib.parse import quote

    return f"{origin(request)}{PREFIX}/3/action/help_show?name={quote(name)}"


def _sent(value: object, status: int = 200) -> Response:
    response = json(value, status=status)
    response.headers.update(_ANSWER)
    return response


def _problem(request: WebRequest, error: DizuoError) -> Response:
    """The error as CKAN tells it, with our code and way out beside."""
    if isinstance(error, ckan.CkanActionUnknown):
        return _sent(f"Bad request - Action name not known: {request.path_params['action']}", 400)
    status, told = error.http, {"message": error.message}
    if isinstance(error, ckan.CkanQueryInvalid):
        status, kind = 400, "Search Query Error"
    elif isinstance(error, ckan.CkanTaken):
        status, kind, told = 409, "Validation Error", {"name": [error.message]}
    elif isinstance(error, Invalid):
        status, kind = 409, "Validation Error"
        told = {name: [says] for name, says in error.fields.items()}
    elif isinstance(error, NotFound):
        status, kind, told = 404, "Not Found Error", {"message": f"Not found: {error.message}"}
    elif isinstance(error, Refused | Conflict):
        status, kind, told = 403, "Authorization Error", {"message": f"Access denied: {error.message}"}
    else:
        kind = "Bad Request" if status < 500 else "Internal Server Error"
    body: dict[str, Any] = {"__type": kind, **told, "code": error.code, "fix": error.fix}
    name = str(request.path_params["action"])
    return _sent({"help": _help(request, name), "success": False, "error": body}, status)


ROUTES: Final = (
    Route(
        "GET", f"{PREFIX}/3", version, purpose="Tell clients of CKAN which version is spoken.", who="public"
    ),
    Route("GET", PREFIX, version, purpose="Tell clients of CKAN which version is spoken.", who="public"),
    Route(
        "GET",
        f"{PREFIX}/openapi",
        interface,
        purpose="Describe the CKAN interface to machines.",
        who="public",
    ),
    *(
        row
        for path in (f"{PREFIX}/3/action/{{action}}", f"{PREFIX}/action/{{action}}")
        for row in (
            Route(
                "GET",
                path,
                get,
                purpose="Read the catalogue and its rows as CKAN's clients do.",
                who="public",
            ),
            Route(
                "POST",
                path,
                post,
                purpose="Read the catalogue as CKAN's clients do, or load one with a key.",
                who="key",
                max_body=MAX_BODY,
            ),
        )
    ),
)
