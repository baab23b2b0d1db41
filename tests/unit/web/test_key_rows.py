"""Rows for machines: a bearer key that the door knows, and nothing that a browser carries."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import Response
from web_world import FOLDER, KnownGate

from dizuo.web import Door, Route, RouteTableError, Shell, Site, WebRequest, build, check_routes, json


async def taken(request: WebRequest) -> Response:
    body = await request.content()
    return json({"key": request.key, "size": len(body), "signed_in": request.signed_in is not None})


async def knows(_: WebRequest, key: str) -> object | None:
    return "machine" if key == "right" else None


ROW = Route("POST", "/api/rows", taken, purpose="Take rows.", who="key", max_body=100)


@pytest.fixture
async def machine() -> AsyncIterator[tuple[httpx.AsyncClient, io.StringIO]]:
    log = io.StringIO()
    door = Door("test", FOLDER, (ROW,), css=("door.css",), sign_in="/sign-in", admit_key=knows)
    site = Site("灵锡", "Lingxi", "12345", demonstration=True)
    shell = Shell([door], site=site, secret=b"s" * 32, gate=KnownGate(), log=log)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=build(shell)), base_url="http://dizuo.test"
    ) as client:
        yield client, log


async def test_a_known_key_passes_without_a_form_and_is_logged_as_a_key(
    machine: tuple[httpx.AsyncClient, io.StringIO],
) -> None:
    client, log = machine
    answer = await client.post("/api/rows", content=b"{}", headers={"authorization": "bearer right"})
    assert answer.json() == {"key": "machine", "size": 2, "signed_in": False}
    assert log.getvalue().split()[-1] == "key"


@pytest.mark.parametrize("shown", ["", "Bearer wrong", "Basic right", "right"])
async def test_anything_else_is_refused_even_with_a_session(
    machine: tuple[httpx.AsyncClient, io.StringIO], shown: str
) -> None:
    client, log = machine
    client.cookies.set("dz_session", "official-token")
    answer = await client.post("/api/rows", content=b"{}", headers={"authorization": shown})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_needed")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert log.getvalue().split()[-1] == "-"


async def test_the_body_is_limited_by_the_row(machine: tuple[httpx.AsyncClient, io.StringIO]) -> None:
    client, _ = machine
    answer = await client.post("/api/rows", content=b"x" * 101, headers={"authorization": "Bearer right"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_door_that_knows_no_keys_has_no_row_for_them() -> None:
    with pytest.raises(RouteTableError, match="admit_key"):
        check_routes([Door("test", FOLDER, (ROW,), css=(), sign_in="/")])
