"""Fixtures on the real embedded PostgreSQL. Clock, SMS and identity are the only fakes of the test suite.

``server``      one server per pytest-xdist worker, deleted afterwards: another worker's open transaction would hold up
                sealing and outbox, as it would in production
``database``    a fresh database per test module, copied from a template that holds every engine's structure
``pg``          ``async with pg() as conn`` / ``pg("dizuo_app")``: one connection to it, the owner's by default
``app_pool``    pool of dizuo_app, ``owner_pool`` of the owner, ``sealer_pool`` and ``eraser_pool`` alike, per test module
``frozen_now``  a clock that stands at 2026-11-23 09:00 (a Monday) until told to move
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.store import (
    APP,
    ERASER,
    OWNER,
    SEALER,
    Connection,
    Pool,
    Server,
    connect,
    discover,
    migrate,
    open_pool,
)
from dizuo.foundation.store.roles import ADMIN, SERVICE_ROLES

Connect = Callable[..., AbstractAsyncContextManager[Connection]]

_TEMPLATE = "dizuo_template"
# Small, so that several test runs fit on one machine; durability stays as in production.
_OPTIONS = {
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "min_wal_size": "80MB",
    "wal_buffers": "4MB",
    "autovacuum": "off",  # it comes at its own times, and tests would see it
}


@dataclass(frozen=True)
class TestDatabase:
    """One database of the test server; ``data`` is the installation's folder (secrets live there)."""

    __test__ = False

    server: Server
    name: str

    @property
    def data(self) -> Path:
        return self.server.data

    def dsn(self, role: str) -> str:
        return self.server.dsn(role, self.name)


@pytest.fixture(scope="session")
def server(testrun_uid: str, worker_id: str) -> Iterator[Server]:
    """The embedded server of this worker."""
    data = Path(tempfile.gettempdir()) / f"dizuo-test-{testrun_uid[:12]}-{worker_id}"
    data.mkdir(mode=0o755, exist_ok=True)
    started = Server.start(data, options=_OPTIONS)
    try:
        yield started
    finally:
        started.close()
        if not started.running():
            Server.remove(data)
            shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """A database with every engine's structure."""
    with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as connection:
        _create(connection, _TEMPLATE, None)
    # A loop of its own, in a thread: a session's loop may be running already.
    _in_thread(lambda: asyncio.run(_fill(TestDatabase(server, _TEMPLATE))))
    return _TEMPLATE


@pytest.fixture(scope="module")
def database(server: Server, template: str) -> Iterator[TestDatabase]:
    """A fresh database for this test module."""
    name = f"t_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as connection:
        _create(connection, name, template)
        yield TestDatabase(server, name)
        if server.running():
            try:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            except psycopg.OperationalError:  # the test killed the server meanwhile; its folder goes anyway
                pass


@pytest.fixture(scope="module")
def pg(database: TestDatabase) -> Connect:
    """``async with pg(role) as conn``: one connection, the owner's by default."""

    @asynccontextmanager
    async def opened(role: str = OWNER) -> AsyncIterator[Connection]:
        connection = await connect(database.dsn(role))
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    return opened


@pytest.fixture(scope="module")
async def app_pool(database: TestDatabase) -> AsyncIterator[Pool]:
    """Pool of dizuo_app, the role of the web processes."""
    async with _pool(database, APP) as pool:
        yield pool


@pytest.fixture(scope="module")
async def owner_pool(database: TestDatabase) -> AsyncIterator[Pool]:
    """Pool of the owner, who may read and change everything: for arranging and for looking behind the doors."""
    async with _pool(database, OWNER) as pool:
        yield pool


@pytest.fixture(scope="module")
async def sealer_pool(database: TestDatabase) -> AsyncIterator[Pool]:
    """Pool of the role that sequences the ledger."""
    async with _pool(database, SEALER) as pool:
        yield pool


@pytest.fixture(scope="module")
async def eraser_pool(database: TestDatabase) -> AsyncIterator[Pool]:
    """Pool of the one role that may erase what is personal in the ledger."""
    async with _pool(database, ERASER) as pool:
        yield pool


@pytest.fixture
def frozen_now() -> FrozenNow:
    """Monday 2026-11-23, 09:00 in Shanghai."""
    return FrozenNow(datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI))


@asynccontextmanager
async def _pool(database: TestDatabase, role: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database.dsn(role), min_size=1, max_size=8)
    try:
        yield pool
    finally:
        pool.terminate()


def _create(connection: psycopg.Connection, name: str, template: str | None) -> None:
    """As the server makes its own database: the owner's, and closed to PUBLIC (a copy does not copy rights)."""
    copy = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    database = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(OWNER)) + copy)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    roles = sql.SQL(", ").join(map(sql.Identifier, SERVICE_ROLES))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, roles))


async def _fill(database: TestDatabase) -> None:
    await migrate(database, discover())


def _in_thread(work: Callable[[], None]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        executor.submit(work).result()
