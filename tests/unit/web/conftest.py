"""The test door, served."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest
from web_world import FOLDER, ROUTES, KnownGate, World

from dizuo.web import Door, Shell, Site, build


@pytest.fixture
async def world() -> AsyncIterator[World]:
    log = io.StringIO()
    door = Door("test", FOLDER, ROUTES, css=("door.css",), sign_in="/sign-in")
    shell = Shell(
        [door],
        site=Site("灵锡", "Lingxi", "12345", demonstration=True),
        secret=b"s" * 32,
        gate=KnownGate(),
        log=log,
    )
    transport = httpx.ASGITransport(app=build(shell))
    async with httpx.AsyncClient(transport=transport, base_url="http://dizuo.test") as client:
        yield World(shell, client, log)
