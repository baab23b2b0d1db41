"""Schemathesis over the document of subscriptions and downloads: made-up and broken requests, each signed, each answer checked."""

from __future__ import annotations

import time
from typing import Any

import httpx
import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dizuo.engines.exchange import delivery
from dizuo.engines.exchange.delivery.limits import Limits
from dizuo.foundation.signing import sign_request
from dizuo.node.client import PREFIX

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ONE = "/subscriptions/{subscription}"
OPERATIONS = (
    ("POST", "/subscriptions"), ("GET", "/subscriptions"), ("GET", ONE), ("POST", f"{ONE}/replay"), ("POST", f"{ONE}/end"),
    ("GET", f"{ONE}/events"), ("POST", "/bulk"), ("GET", "/bulk/{bulk}"), ("GET", "/bulk/{bulk}/parts/{part}"),
)  # fmt: skip


@pytest.fixture(scope="module")
def schema(base: Any) -> Any:
    told = httpx.get(f"{base.url}{PREFIX}/openapi-feeds", trust_env=False)
    assert told.status_code == 200
    return schemathesis.openapi.from_dict(told.json())


def cases_of(schema: Any, method: str, path: str, mode: schemathesis.GenerationMode, count: int) -> list[Any]:
    """So many cases of one operation, the same in every run."""
    found: list[Any] = []

    @given(case=schema[PREFIX + path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=count, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    return found


def sent(base: Any, node: Any, case: Any) -> httpx.Response:
    """A case as a department's system would send it, signed over the bytes that go out."""
    more = case.as_transport_kwargs(base_url=base.url)
    kept = {k: v for k, v in more.items() if k in {"method", "url", "headers", "json", "data", "params"}}
    prepared = requests.Request(**kept).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else (prepared.body or b"")
    kind = prepared.headers.get("content-type", "application/json")
    method, url = prepared.method or "", prepared.url or ""
    signed = sign_request(
        node.home.signing_key(), method, url, now=int(time.time()), body=body, content_type=kind
    )
    dizuo = base.dizuo
    delivery.Exchange.of(dizuo.pool, dizuo.city, dizuo.data, dizuo.now).limits = Limits()
    return httpx.request(method, url, content=body, headers=dict(signed.headers), trust_env=False, timeout=20)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_the_document_allows_is_answered_as_it_says(base, node, schema, method, path):
    cases = cases_of(schema, method, path, schemathesis.GenerationMode.POSITIVE, 8)
    assert cases
    for case in cases:
        if path.endswith("/events"):
            case.path_parameters["subscription"] += 1_000_000  # one that is there would stream for an hour
        case.validate_response(sent(base, node, case), checks=CHECKS)


@pytest.mark.parametrize(
    ("path", "name"), [("/subscriptions", "Subscribe"), ("/bulk", "Download"), (f"{ONE}/replay", "Back")]
)
def test_what_the_document_forbids_is_refused(base, node, schema, path, name):
    wanted = schema.raw_schema["components"]["schemas"][name]
    refused = 0
    for case in cases_of(schema, "POST", path, schemathesis.GenerationMode.NEGATIVE, 20):
        answer = sent(base, node, case)
        if answer.headers["content-type"].startswith("text/html"):
            continue  # not even an address of ours
        case.validate_response(answer, checks=CHECKS)
        fits = jsonschema.Draft202012Validator(wanted).is_valid(case.body)
        if not fits:
            assert answer.status_code >= 400, (case.body, answer.text)
            refused += 1
    assert refused > 5
