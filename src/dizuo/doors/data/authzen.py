"""Policy as a decision point (PDP) for other systems: OpenID AuthZEN Authorization API 1.0, with keys of its own.

Base address: ``<origin>/data``. Every evaluation is entered in the ledger before its answer leaves, in counts: action,
resource, decision and rule; no subject, no case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from dizuo.foundation.blueprint import City
from dizuo.foundation.kernel.errors import DizuoError, Unavailable
from dizuo.foundation.ledger import Entry
from dizuo.foundation.policy import AuthzenInvalid, Evaluated, Policy, evaluate, evaluate_many
from dizuo.web import Route, WebRequest, json
from dizuo.web.errors import KeyNeeded
from dizuo.web.routes import AdmitKey

from .authzen_keys import Keys, PolicyKey

_BASE: Final = "/data"
PREFIX: Final = f"{_BASE}/access/v1"
_WELL_KNOWN: Final = f"{_BASE}/.well-known/authzen-configuration"
_MAX_BODY: Final = 1 << 20
_LONGEST_ID: Final = 200
_Evaluate = Callable[[City, Policy, object], Evaluated]


class _Stranger:
    """Somebody without a key, let as far as the handler so that the refusal too carries the request's id."""


def admit_or(other: AdmitKey) -> AdmitKey:
    """Whose a key is: a policy key at these addresses, the other kind everywhere else; neither opens the other's."""

    async def admit(request: WebRequest, key: str) -> object | None:
        if not request.url.path.startswith(f"{PREFIX}/"):
            return await other(request, key)
        app = request.dizuo
        return Keys.of(app.data).find(key, app.now()) or _Stranger()

    return admit


async def evaluation(request: WebRequest) -> Response:
    """One decision with its reasons."""
    return await _answered(request, evaluate)


async def evaluations(request: WebRequest) -> Response:
    """Several decisions in one call, all or until the first no or yes."""
    return await _answered(request, evaluate_many)


async def configuration(request: WebRequest) -> Response:
    """Where the decision point is (§9), under its base address; every address below the root belongs to the front door."""
    origin = f"{'https' if request.shell.site.secure else request.url.scheme}://{request.url.netloc}"
    return json(
        {
            "policy_decision_point": origin + _BASE,
            "access_evaluation_endpoint": f"{origin}{PREFIX}/evaluation",
            "access_evaluations_endpoint": f"{origin}{PREFIX}/evaluations",
        }
    )


async def _answered(request: WebRequest, evaluated: _Evaluate) -> Response:
    try:
        response = await _decided(request, evaluated)
    except (
        DizuoError
    ) as error:  # told here and not by the shell, so that the refusal too carries the request's id
        response = _problem(request, error)
    number = request.headers.get("x-request-id", "")
    if number and len(number) <= _LONGEST_ID and number.isascii() and number.isprintable():
        response.headers["x-request-id"] = number
    return response


async def _decided(request: WebRequest, evaluated: _Evaluate) -> Response:
    key, app = request.key, request.dizuo
    if not isinstance(key, PolicyKey):
        raise KeyNeeded()
    try:
        done = evaluated(app.city, app.policy, await _asked(request))
    except AuthzenInvalid:
        await app.entries.submit(_entry(key, app.city.version, {("invalid", "", False, ""): 1}))
        raise
    await app.entries.submit(_entry(key, app.city.version, done.counts))
    return json(done.answer)


async def _asked(request: WebRequest) -> object:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise AuthzenInvalid(place="content-type", why="要是 application/json")
    try:
        return msgspec.json.decode(await request.content())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AuthzenInvalid(place="请求", why="不是能读的 JSON") from None


def _entry(key: PolicyKey, version: str, counts: Mapping[tuple[str, str, bool, str], int]) -> Entry:
    """Nothing personal: what was asked is told by declared names only."""
    asked = [
        {"action": action, "resource": resource, "allowed": allowed, "rule": rule, "times": times}
        for (action, resource, allowed, rule), times in counts.items()
    ]
    return Entry("policy.evaluated", {"key": key.id, "version": version, "asked": asked})


def _problem(request: WebRequest, error: DizuoError) -> Response:
    response = json({**error.as_json(), "number": request.number}, status=error.http)
    if isinstance(error, KeyNeeded):
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        response.headers["retry-after"] = str(error.retry_after)
    return response


ROUTES: Final = (
    Route(
        "POST",
        f"{PREFIX}/evaluation",
        evaluation,
        purpose="Decide one question of another system by the city's policy (AuthZEN).",
        who="key",
        max_body=_MAX_BODY,
    ),
    Route(
        "POST",
        f"{PREFIX}/evaluations",
        evaluations,
        purpose="Decide several questions of another system in one call (AuthZEN).",
        who="key",
        max_body=_MAX_BODY,
    ),
    Route(
        "GET",
        _WELL_KNOWN,
        configuration,
        purpose="Tell other systems where policy is asked (AuthZEN).",
        who="public",
    ),
)
