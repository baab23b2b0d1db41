"""Schemathesis over the OpenAPI of the features interface and of the CKAN interface: made-up requests, every answer checked."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from machines_world import Portal
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOTH = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def portal(machines: Portal) -> Portal:
    machines.arrange("parks", "停车场", 20)
    return machines


def tried(document: dict[str, Any], base: str, headers: dict[str, str], count: int) -> set[int]:
    """A few requests for every operation, sound and broken, the same in every run; gives the statuses that came."""
    statuses: set[int] = set()
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        for mode in BOTH:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=count, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            def probe(case: Any) -> None:
                case.headers = {**(case.headers or {}), **headers}
                answer = case.call(base_url=base)
                statuses.add(answer.status_code)
                # Another method than the document has, or an address with signs that no address of ours has.
                if answer.status_code not in (405, 501) and unquote(str(answer.request.url)).isprintable():
                    case.validate_response(answer, checks=CHECKS)

            try:
                probe()
            except Exception as error:
                if type(error).__name__ not in ("Unsatisfiable", "SkipTest", "Skipped"):
                    raise
    return statuses


def test_the_features_interface_answers_as_it_says(portal: Portal) -> None:
    document = httpx.get(f"{portal.open}/ogc/api").json()
    assert len(document["paths"]) == 6
    assert {200, 400} <= tried(document, portal.base, {}, 3)


def test_the_ckan_interface_answers_as_it_says(portal: Portal) -> None:
    document = httpx.get(f"{portal.open}/api/openapi").json()
    assert len(document["paths"]) > 35
    statuses = tried(document, portal.base, {}, 1)
    assert {200, 403, 409} <= statuses


def test_the_ckan_interface_with_a_key_answers_as_it_says(portal: Portal) -> None:
    document = httpx.get(f"{portal.open}/api/openapi").json()
    writing = {path: told for path, told in document["paths"].items() if "get" not in told}
    statuses = tried({**document, "paths": writing}, portal.base, {"authorization": portal.key()}, 2)
    assert {404, 409} <= statuses
    assert portal.owner("SELECT count(*) AS n FROM opendata.row WHERE dataset = 'parks'")[0]["n"] == 20
