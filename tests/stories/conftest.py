"""A small filled city on the test server, made once a run; every module of stories gets its own fresh copy.

``town``       the city of this module, served in this process, its clock at Monday 2026-11-23 10:00
``city_copy``  the database below it
``served``     the same behind a real port, for the browser; ``browser`` is its Chromium
``look``       a window in the view of the test (parametrize ``view``), which must have done nothing wrong at its end
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser
from psycopg import sql
from served import CHROMIUM, Seat, Served, browser_up, chromium, seat, served_city
from town import Town, fill, locked, town_up

from dizuo.foundation.store import OWNER, Server
from dizuo.foundation.store.roles import ADMIN, SERVICE_ROLES

_FILLED = "dizuo_filled"


class CityDatabase:
    """A database of the test server with the filled city in it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.data = server.data

    def dsn(self, role: str) -> str:
        return self.server.dsn(role, self.name)


def _make(connection: psycopg.Connection, name: str, template: str) -> None:
    """A copy that belongs to the owner and is closed to PUBLIC, as the server makes its own."""
    one, owner = sql.Identifier(name), sql.Identifier(OWNER)
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(one, owner, sql.Identifier(template))
    )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(one))
    roles = sql.SQL(", ").join(map(sql.Identifier, SERVICE_ROLES))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(one, roles))


@pytest.fixture(scope="session")
def filled(server: Server, template: str) -> str:
    """The template database that holds the filled city, made by the first worker that asks."""
    with locked(server.data / "filled.lock"):
        if not (server.data / "filled.made").exists():
            with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as connection:
                _make(connection, _FILLED, template)
            folder = server.data / "story-deliveries"
            with ThreadPoolExecutor(1) as executor:  # a loop of its own: the session's may be running
                executor.submit(lambda: asyncio.run(fill(CityDatabase(server, _FILLED), folder))).result()
            (server.data / "filled.made").touch()
    return _FILLED


@contextmanager
def _copied(server: Server, filled: str) -> Iterator[CityDatabase]:
    name = f"s_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as connection:
        with locked(server.data / "filled.lock"):
            _make(connection, name, filled)
        yield CityDatabase(server, name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def city_copy(server: Server, filled: str) -> Iterator[CityDatabase]:
    """A fresh copy of the filled city for this test module."""
    with _copied(server, filled) as database:
        yield database


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a module, because its event loop counts as running until it stops and asyncio tests of other
    modules need that place; skipped where there is none."""
    path = chromium()
    if path is None:
        pytest.skip(f"no Chromium on this machine: install one, or name it with {CHROMIUM}=/path/to/chromium")
    with browser_up(path) as up:
        yield up


@pytest.fixture(scope="module")
def served(city_copy: CityDatabase, browser: Browser) -> Iterator[Served]:
    """The city of this module behind a real port."""
    with served_city(city_copy) as city:
        yield city


@pytest.fixture
def look(browser: Browser, served: Served, view: str) -> Iterator[Seat]:
    """A window in the view of this test."""
    made = seat(browser, served.base, view=view)
    yield made
    made.context.close()
    assert not made.wrong


@pytest.fixture(scope="module")
async def town(city_copy: Any) -> AsyncIterator[Town]:
    """The city of this module, up and running."""
    async with town_up(city_copy) as up:
        yield up
