"""Error pages: what happened, what was kept, what to do next, a number to quote. Never a stack."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from minijinja import escape
from starlette.responses import Response

from dizuo.foundation.kernel.errors import (
    Conflict,
    DizuoError,
    Invalid,
    NotFound,
    Refused,
    SignInNeeded,
    Stale,
    Unavailable,
)

from . import responses
from .errors import BadForm, ForgedForm, KeyNeeded, MethodNotAllowed, TooLarge, UnsupportedForm
from .request import WebRequest

_FAMILIES: tuple[tuple[type[DizuoError], str], ...] = (
    (ForgedForm, "form"),
    (TooLarge, "form"),
    (BadForm, "form"),
    (UnsupportedForm, "form"),
    (Invalid, "invalid"),
    (SignInNeeded, "sign_in"),
    (Refused, "refused"),
    (NotFound, "not_found"),
    (MethodNotAllowed, "not_found"),
    (Stale, "stale"),
    (Conflict, "conflict"),
    (Unavailable, "unavailable"),
)


class ErrorView(msgspec.Struct, frozen=True):
    """What the error page shows. ``title`` may hold phrase bars; ``kept`` says what became of the work."""

    title: str
    message: str
    kept: str
    fix: str
    fields: list[tuple[str, str]]
    law: str
    rule: str
    code: str
    number: str
    status: int
    sign_in: str


def family(error: DizuoError) -> str:
    """The family that words the page: form, invalid, sign_in, refused, not_found, stale, conflict, unavailable, broken."""
    for kind, name in _FAMILIES:
        if isinstance(error, kind):
            return name
    return "broken"


def sign_in_address(request: WebRequest) -> str:
    """Where to sign in, coming back to the page that was asked for."""
    return f"{request.door.sign_in}?next={quote(request.back, safe='/')}"


def view(request: WebRequest, error: DizuoError) -> ErrorView:
    """The facts of the page, worded in the reader's language."""
    words = request.shell.templates(request.door).words[request.lang]["error"]
    name = family(error)
    wrote = request.method not in ("GET", "HEAD")
    english = request.lang == "en"
    return ErrorView(
        title=words[f"{name}_title"],
        # The engines speak Chinese; an English reader gets the family's sentence, then the original.
        message=f"{words[f'{name}_message']} ({error.message})" if english else error.message,
        kept=words[f"{name}_kept"] if wrote else "",
        fix=words[f"{name}_fix"] if english else (error.fix or words[f"{name}_fix"]),
        fields=list(error.fields.items()) if isinstance(error, Invalid) else [],
        law=_law(request, error.law) if isinstance(error, Refused) else "",
        rule=error.rule if isinstance(error, Refused) else "",
        code=error.code,
        number=request.number,
        status=error.http,
        sign_in=sign_in_address(request) if isinstance(error, SignInNeeded) else "",
    )


def _law(request: WebRequest, law: str) -> str:
    return request.door.say_law(request, law) if law and request.door.say_law else law


def answer(request: WebRequest, error: DizuoError) -> Response:
    """The error as a page, or as JSON for a ``.json`` address."""
    if request.wants_json:
        response = responses.json({**error.as_json(), "number": request.number}, status=error.http)
    else:
        response = responses.page(request, "web/error.html", status=error.http, e=view(request, error))
    if isinstance(error, MethodNotAllowed):
        response.headers["allow"] = error.allowed
    if isinstance(error, KeyNeeded):
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        response.headers["retry-after"] = str(error.retry_after)
    return response


def last_resort(request: WebRequest, error: DizuoError) -> Response:
    """A page that needs no template: for when the error page itself cannot be made."""
    html = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>办不了</title>'
        f"<h1>{escape(error.message)}</h1><p>{escape(error.fix or '')}</p>"
        f"<p>{escape(request.shell.site.hotline)} · {escape(request.number)}</p></html>"
    )
    return Response(html, status_code=error.http, media_type="text/html")
