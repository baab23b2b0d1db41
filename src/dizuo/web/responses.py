"""Answers: a page, its JSON twin, a redirect, a file to keep."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from starlette.responses import Response

from .preferences import local_path
from .request import WebRequest


def _plain(value: object) -> object:
    """A sentence in two languages is told in JSON as its Chinese one."""
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_json = msgspec.json.Encoder(enc_hook=_plain).encode


def page(request: WebRequest, template: str, *, status: int = 200, **context: object) -> Response:
    """Render a template of the request's door with what every page has, plus ``context``.

    In context: p (preferences), site, me (the signed-in account or None), path, back, guard(action), once(token),
    today, and what the door adds.
    """
    html = request.shell.render(request, template, context)
    return Response(html, status_code=status, media_type="text/html")


def answer(request: WebRequest, template: str, facts: object, *, status: int = 200) -> Response:
    """The page, or its facts as JSON when the address ended in ``.json``. The template sees them as ``v``."""
    if request.wants_json:
        return json(facts, status=status)
    return page(request, template, status=status, v=facts)


def json(value: object, *, status: int = 200) -> Response:
    """A value as JSON; msgspec structs become objects, dates ISO text."""
    return Response(_json(value), status_code=status, media_type="application/json")


def redirect(path: str, *, status: int = 303) -> Response:
    """See another page of this site (303 after a submit). Another host is never redirected to."""
    return Response(
        b"", status_code=status, headers={"location": quote(local_path(path), safe="/:?&=%#.,~+-_")}
    )


def attachment(body: bytes, name: str, media_type: str) -> Response:
    """A file for the person to keep; the name may be Chinese."""
    plain = "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign in "-_.")) or "file"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return Response(body, media_type=media_type, headers={"content-disposition": disposition})
