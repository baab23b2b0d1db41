"""Signed calls between departments: who calls is known by the signature alone, and every answer is signed for that very call.

A refusal is an answer too: problem details (RFC 9457) with code, what, why and the way out, signed like the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from dizuo.engines.exchange import delivery, feeds
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.kernel.errors import DizuoError, Unavailable
from dizuo.foundation.signing import (
    ED25519,
    LONGEST,
    SKEW,
    SM2,
    TAG_ANSWER,
    TAG_CALL,
    TAG_KEYS,
    Algorithm,
    RequestOutOfOrder,
    RequestReplayed,
    sign_response,
    signature_sent,
)
from dizuo.web import WebRequest, json
from dizuo.web.routes import AdmitKey

from .api_exchange_noted import Noted
from .api_exchange_openapi import describe

PREFIX: Final = "/data/exchange/v1"
CONFIGURATION: Final = "/data/.well-known/exchange-configuration"
_PROBLEM: Final = "application/problem+json"
_JSON: Final = "application/json"
_encode = msgspec.json.Encoder().encode
_Act = Callable[[delivery.Exchange, delivery.Caller, bytes], Awaitable[object]]


class _Stranger:
    """Somebody whose signature the handler has yet to look at: there is no bearer key here."""


class Whole(StreamingResponse):
    """A body sent exactly as it was signed: the shell compresses no stream, and a compressed one would miss its digest."""

    def __init__(self, content: bytes, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(iter(()), status, {**headers, "content-length": str(len(content))})
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = b"" if scope["method"] == "HEAD" else self._content
        await send({"type": "http.response.body", "body": body})


def admit_or(other: AdmitKey) -> AdmitKey:
    """No key opens the exchange: its callers go on to the handler, where their signature is looked at."""

    async def admit(request: WebRequest, key: str) -> object | None:
        if request.url.path.startswith(f"{PREFIX}/"):
            return _Stranger()
        return await other(request, key)

    return admit


def exchange_of(request: WebRequest) -> delivery.Exchange:
    """The exchange of this process."""
    app = request.dizuo
    return delivery.Exchange.of(app.pool, app.city, app.data, app.now)


async def query(request: WebRequest) -> Response:
    """The granted fields of the records about one subject."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, body: bytes) -> object:
        answer = await exchange.call(caller, delivery.read_call("query", _json_only(request, body)))
        return {**_head(answer), **_result(answer.results[0])}

    return await signed(request, act)


async def batch(request: WebRequest) -> Response:
    """The same about many subjects, each with its own result."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, body: bytes) -> object:
        answer = await exchange.call(caller, delivery.read_call("batch", _json_only(request, body)))
        return {**_head(answer), "results": [{"n": one.n, **_result(one)} for one in answer.results]}

    return await signed(request, act)


async def grants(request: WebRequest) -> Response:
    """What the caller's department may do, and how much of today is left."""

    async def act(exchange: delivery.Exchange, caller: delivery.Caller, _: bytes) -> object:
        await feeds.once(exchange.pool, caller)
        rights = await exchange.rights_of(caller.consumer, fresh=True)
        return {
            "ok": True,
            "consumer": caller.consumer,
            "grants": [_right(request, right) for right in rights],
        }

    return await signed(request, act)


async def keys(request: WebRequest) -> Response:
    """The public keys that answers are signed with (JWK Set), signed by each of them."""
    exchange = exchange_of(request)
    content, signs = exchange.server.key_set(exchange.now())
    return Whole(content, 200, signs)


async def configuration(request: WebRequest) -> Response:
    """Where everything is and how calls are signed, for whoever connects."""
    origin = _origin(request)
    return json(
        {
            "issuer": request.dizuo.city.id,
            "jwks_uri": f"{origin}{PREFIX}/keys",
            "openapi": f"{origin}{PREFIX}/openapi",
            "endpoints": {name: f"{origin}{PREFIX}/{name}" for name in ("query", "batch", "grants")},
            "signature": {
                "algorithms": [ED25519, SM2],
                "tag": TAG_CALL,
                "answer_tag": TAG_ANSWER,
                "keys_tag": TAG_KEYS,
                "digests": ["sha-256", "sha-512", "sm3"],
                "longest_seconds": LONGEST,
                "clock_skew_seconds": SKEW,
            },
        }
    )


async def interface(request: WebRequest) -> Response:
    """The interface, for machines (OpenAPI)."""
    return json(describe(request.dizuo.city, request.shell.site.version))


# ----------------------------------------------------------------------------------------------- the signed frame


async def signed(request: WebRequest, act: _Act) -> Response:
    """Admit a call by its signature, do it, and sign whatever the answer is.

    ``act`` uses the nonce up: ``Exchange.call`` in the transaction of its entry, ``feeds.once`` where no subject is asked about.
    """
    exchange, headers = exchange_of(request), _headers(request)
    status, kind, more = 200, _JSON, dict[str, str]()
    algorithm, consumer, key, sent = ED25519, "", "", None
    body, noted = b"", Noted()
    try:
        body = await request.content()
        caller = await exchange.admit(request.method, _url(request), headers, body)
        algorithm, consumer = caller.signed.key.algorithm, caller.consumer
        sent, key = (caller.signed.label, caller.signed.signature), caller.signed.key.id
        exchange.pace(caller)
        told = await act(exchange, caller, body)
        content, noted = _encode(told), Noted.answered(told)
    except DizuoError as error:
        if not isinstance(
            error, delivery.CallRefused | RequestReplayed | RequestOutOfOrder
        ):  # those have their own entry
            exchange.tally.note(error.code, consumer)
        status, kind, content = error.http, _PROBLEM, _encode(_problem(request, error))
        noted = Noted.refused(error, body)
        if isinstance(error, Unavailable):
            more["retry-after"] = str(error.retry_after)
    noted.keep(exchange, request.url.path.removeprefix(f"{PREFIX}/"), consumer, key, headers, status)
    return answered(request, status, kind, content, sent or signature_sent(headers), algorithm, more)


def answered(
    request: WebRequest,
    status: int,
    kind: str,
    content: bytes,
    sent: tuple[str, str] | None,
    algorithm: Algorithm,
    more: Mapping[str, str],
) -> Response:
    """Content as a signed answer, bound to the request's label and signature whether or not it held (None: there was none)."""
    exchange = exchange_of(request)
    now = exchange.now()
    key = exchange.server.signing(algorithm, now)
    signs = sign_response(key, status, content, sent, now=int(now.timestamp()), content_type=kind)
    return Whole(content, status, {**signs, **more})


def _headers(request: WebRequest) -> dict[str, str]:
    """Header fields by lower-case name; several lines of one are one list (RFC 9421 §2.1)."""
    found: dict[str, str] = {}
    for name, value in request.scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _origin(request: WebRequest) -> str:
    scheme = "https" if request.shell.site.secure else request.url.scheme
    return f"{scheme}://{request.headers.get('host', '')}"


def _url(request: WebRequest) -> str:
    sent = request.scope.get("query_string", b"")
    return f"{_origin(request)}{request.scope['path']}{'?' + sent.decode('latin-1') if sent else ''}"


def _json_only(request: WebRequest, body: bytes) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise delivery.CallUnreadable(why="content-type 要是 application/json")
    return body


def _problem(request: WebRequest, error: DizuoError) -> dict[str, object]:
    """Both forms in one: the members of RFC 9457 and those of every error of this site."""
    told: dict[str, Any] = error.as_json()
    city = request.dizuo.city
    if told.get("law"):
        told["law_text"] = law_text(city, str(told["law"]))
    return {
        "type": f"urn:dizuo:error:{error.code}",
        "title": error.message,
        "status": error.http,
        **told,
        "number": request.number,
    }


# ------------------------------------------------------------------------------------------------------- answers


def _head(answer: delivery.Answer) -> dict[str, object]:
    share, call = answer.right.share, answer.call
    return {
        "ok": True,
        "resource": call.resource,
        "grant": share.id,
        "version": share.version,
        "purpose": share.purpose,
        "matter": share.matter,
        "basis": share.basis,
        "case": call.case,
        "withheld": answer.withheld,
    }


def _result(result: delivery.Result) -> dict[str, object]:
    return {"state": result.state, "entry": result.entry, "records": result.records}


def _right(request: WebRequest, right: delivery.Right) -> dict[str, object]:
    share = right.share
    return {
        "grant": share.id,
        "version": share.version,
        "resource": share.resource,
        "title": right.title,
        "fields": sorted(share.fields),
        "purpose": share.purpose,
        "matter": share.matter,
        "basis": share.basis,
        "law_text": law_text(request.dizuo.city, share.basis),
        "methods": sorted(share.methods),
        "per_day": right.per_day,
        "used_today": right.used,
        "starts": share.starts,
        "expires": share.expires,
        "state": share.state,
    }
