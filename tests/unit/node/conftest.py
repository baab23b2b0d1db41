"""A base that answers on a real port, and nodes of a department in folders of their own: everything invented (演示数据)."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import threading
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server as Granian

from dizuo.doors import data
from dizuo.engines.exchange import delivery
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import ED25519
from dizuo.foundation.store import APP, LOADER, OWNER, connect, open_pool
from dizuo.node import BaseClient, NodeHome
from dizuo.web import Shell, Site, build
from ports import free_port

CITY = Path(__file__).resolve().parents[3] / "cities" / "wuxi"
PEOPLE = {"320213199403151026": "林晓晴", "320211199201011015": "王启明", "320213198801010020": "周晓"}
PREPARE = """
INSERT INTO registers.field (register, field, source, type, is_key, lookup, subject) VALUES
 ('person', 'citizen_id', 'psb', 'citizen_id', true, true, 'citizen_id'), ('person', 'name', 'psb', 'text', false, false, NULL),
 ('person', 'phone', 'psb', 'text', false, false, NULL), ('person', 'illness', 'psb', 'text', false, false, NULL);
INSERT INTO exchange.department (id, name, uscc) SELECT d, d, d FROM unnest('{hrss,psb,civil}'::text[]) AS d;
INSERT INTO exchange.resource (code, title, provider, kind, register, share_type, update_cycle, fields)
SELECT 'R/person', '人口', 'psb', 'register', 'person', 2, 'realtime', jsonb_agg(jsonb_build_object('id', f.field))
FROM registers.field f;
"""
GRANT = """
INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires)
VALUES ('hrss', 'R/person', '{name,phone}', '为参保人员发放社会保障卡', 'newborn', 'social:58',
        '{query,batch,subscribe,bulk}', 1000, current_date - 1, current_date + 30) RETURNING id
"""


@functools.cache
def the_city() -> Any:
    """Loaded once for all modules: it is only read."""
    return load_city(CITY)


@dataclass
class LiveBase:
    """The base at ``url``; ``run`` does something in its loop and waits for it."""

    url: str
    database: Any
    loop: asyncio.AbstractEventLoop
    dizuo: Any
    grant: int = 0
    left: list[str] = field(default_factory=list)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    def sql(self, statement: str, *values: object, role: str = OWNER) -> list[Any]:
        """A statement behind the door."""

        async def done() -> list[Any]:
            conn = await connect(self.database.dsn(role))
            try:
                return list(await conn.fetch(statement, *values))
            finally:
                await conn.close()

        return self.run(done())

    def put(self, key: str, **values: Any) -> None:
        """One record's delivery."""
        load = uuid.uuid4()
        row = {"citizen_id": key, **values}
        self.sql(
            "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
            " VALUES ($1, 1, 'person', $2, 'psb', current_date, $3)",
            load, key, row, role=LOADER,
        )  # fmt: skip
        self.sql("SELECT registers.absorb($1, '{}')", load, role=LOADER)

    def register_key(self, home: NodeHome, consumer: str = "hrss") -> str:
        """What the base's operator does with the public key that a department hands in."""
        made = home.make_key(ED25519)

        async def added() -> str:
            conn = await connect(self.database.dsn(LOADER))
            try:
                now = SystemNow()()
                since, until = now - dt.timedelta(minutes=1), now + dt.timedelta(days=30)
                return await delivery.add_signing_key(
                    conn, consumer, made.public, since, until, "data.steward"
                )
            finally:
                await conn.close()

        id = self.run(added())
        delivery.Exchange.of(self.dizuo.pool, self.dizuo.city, self.dizuo.data, self.dizuo.now).keys.forget()
        home.adopt_key(made.id, id)
        return id

    def revoke_key(self, id: str) -> None:
        self.sql("SELECT exchange.revoke_key($1, 'data.steward', '演示')", id, role=LOADER)

    def new_grant(self) -> int:
        """A right of its own for one test."""
        return self.sql(GRANT)[0]["id"]

    def move_grant(self, state: str, grant: int) -> None:
        self.sql(
            "SELECT exchange.move_grant($1, $2, '演示原因', 'data-sharing-2025:25', $3, current_date)",
            grant, state, {"account": "steward", "unit": "data", "post": "steward"}, role=APP,
        )  # fmt: skip

    def node(self, folder: Path, consumer: str = "hrss") -> BaseClient:
        """A node of a department, set up as the guide says."""
        home = NodeHome.make(folder, consumer, self.url)
        self.register_key(home, consumer)
        client = BaseClient(home)
        home.trust(client.fetch_keys())
        return client


@pytest.fixture(scope="module")
def base(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBase]:
    """The data door on a free port, in a thread with a loop of its own."""
    port = free_port()
    ready: dict[str, Any] = {}
    up, stop = threading.Event(), threading.Event()
    folder = tmp_path_factory.mktemp("base")

    async def serve() -> None:
        pool = await open_pool(database.dsn(APP), min_size=1, max_size=6)
        dizuo = SimpleNamespace(pool=pool, city=the_city(), now=SystemNow(), data=folder)
        with open("/dev/null", "w") as log:
            site = Site("无锡", "Wuxi", "12345", demonstration=True)
            app = build(Shell([data.DOOR], site=site, secret=b"s" * 32, log=log))
            app.state.dizuo = dizuo
            server = Granian(
                app,
                address="127.0.0.1",
                port=port,
                interface=Interfaces.ASGINL,
                websockets=False,
                log_enabled=False,
            )
            serving = asyncio.ensure_future(server.serve())
            ready.update(loop=asyncio.get_running_loop(), dizuo=dizuo)
            await asyncio.sleep(0.2)
            up.set()
            while not stop.is_set():
                await asyncio.sleep(0.05)
            server.stop()
            await asyncio.wait([serving], timeout=5)
        pool.terminate()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert up.wait(20)
    made = LiveBase(f"http://127.0.0.1:{port}", database, ready["loop"], ready["dizuo"])
    for statement in PREPARE.split(";\n"):
        if statement.strip():
            made.sql(statement)
    for key, name in PEOPLE.items():
        made.put(key, name=name, phone="13800000001", illness="secret")
    made.grant = made.new_grant()
    try:
        yield made
    finally:
        stop.set()
        thread.join(15)


@pytest.fixture(scope="module")
def node(base: LiveBase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseClient]:
    """The social security department's node."""
    with base.node(tmp_path_factory.mktemp("node") / "hrss") as client:
        yield client
