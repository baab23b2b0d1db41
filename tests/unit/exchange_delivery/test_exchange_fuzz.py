"""Schemathesis over the exchange's OpenAPI: made-up and broken requests, each signed as a department signs it, each answer checked."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import requests
import schemathesis
from exchange_town import BASE, ExchangeTown
from exchange_web import ExchangeWeb, make_app
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from dizuo.doors.data.api_exchange_openapi import describe
from dizuo.engines.exchange.delivery import Exchange
from dizuo.engines.exchange.delivery.limits import Limits
from dizuo.foundation.signing import follow_key_set, sign_request

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = (("POST", "query"), ("POST", "batch"), ("GET", "grants"), ("GET", "keys"))


@pytest.fixture(scope="module")
async def web(town: ExchangeTown, app_pool: Any) -> ExchangeWeb:
    Exchange._opened[id(app_pool)] = town.exchange
    await town.grant()
    return ExchangeWeb(town, make_app(town.exchange.city, app_pool, town.data))


def cases_of(schema: Any, method: str, name: str, mode: schemathesis.GenerationMode, count: int) -> list[Any]:
    """So many cases of one operation, the same in every run."""
    operation = schema[f"/data/exchange/v1/{name}"][method]
    found: list[Any] = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    return found


async def sent(web: ExchangeWeb, case: Any) -> httpx.Response:
    """A case as a department's system would send it, signed over the bytes that go out."""
    more = case.as_transport_kwargs(base_url=BASE)
    prepared = requests.Request(
        **{k: v for k, v in more.items() if k in {"method", "url", "headers", "json", "data", "params"}}
    ).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else (prepared.body or b"")
    kind = prepared.headers.get("content-type", "application/json")
    signed = sign_request(
        web.town.keys["hrss"],
        prepared.method or "",
        prepared.url or "",
        now=web.town.now(),
        body=body,
        content_type=kind,
    )
    web.town.exchange.limits = Limits()
    answer = await web.client.request(
        prepared.method or "", prepared.url or "", content=body, headers=dict(signed.headers)
    )
    if (prepared.url or "").endswith("/keys"):
        # Anybody's to ask, so bound to no call: signed by the keys themselves.
        known = await web.keys()
        follow_key_set(dict(answer.headers), answer.content, known.__getitem__, now=web.town.now())
    elif "signature" in answer.headers:
        await web.check(answer, signed)
    return answer


@pytest.mark.parametrize(("method", "name"), OPERATIONS)
async def test_what_the_document_allows_is_answered_as_it_says(
    web: ExchangeWeb, method: str, name: str
) -> None:
    schema = schemathesis.openapi.from_dict(dict(describe(web.town.exchange.city, "1")))
    cases = cases_of(schema, method, name, schemathesis.GenerationMode.POSITIVE, 25)
    statuses: set[int] = set()
    for case in cases:
        answer = await sent(web, case)
        statuses.add(answer.status_code)
        assert answer.status_code != 422, answer.text
        case.validate_response(answer, checks=CHECKS)
    assert cases
    assert statuses <= ({403, 429} if method == "POST" else {200}), "well-formed, and outside every grant"


@pytest.mark.parametrize("name", ["query", "batch"])
async def test_what_the_document_forbids_is_refused(web: ExchangeWeb, name: str) -> None:
    schema = schemathesis.openapi.from_dict(dict(describe(web.town.exchange.city, "1")))
    for case in cases_of(schema, "POST", name, schemathesis.GenerationMode.NEGATIVE, 40):
        answer = await sent(web, case)
        case.validate_response(answer, checks=[*CHECKS, negative_data_rejection])
        assert answer.status_code < 500
