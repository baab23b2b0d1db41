"""A portal behind a real port, on the real database, with the machines' routes of the open door only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server as Granian

from dizuo.doors.open import machine_rows
from dizuo.engines.opendata import ckan
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import APP, LOADER, OWNER, Connection, connect, open_pool
from dizuo.web import Door, Shell, Site, build
from ports import free_port

CITY = Path(__file__).resolve().parents[3] / "cities" / "wuxi"
# Pages of nobody: machines get none, and the real doors are others' work.
DOOR = Path(__file__).resolve().parents[1] / "web" / "door"
ROUTES = machine_rows.ROUTES
COLUMNS = [
    {
        "id": "name",
        "zh": "名称",
        "en": "Name",
        "type": "text",
        "says": "",
        "says_en": "",
        "unit": "",
        "facet": False,
    },
    {
        "id": "district",
        "zh": "区",
        "en": "",
        "type": "text",
        "says": "",
        "says_en": "",
        "unit": "",
        "facet": True,
    },
    {
        "id": "places",
        "zh": "车位",
        "en": "",
        "type": "integer",
        "says": "",
        "says_en": "",
        "unit": "个",
        "facet": False,
    },
    {
        "id": "opened",
        "zh": "启用",
        "en": "",
        "type": "date",
        "says": "",
        "says_en": "",
        "unit": "",
        "facet": False,
    },
]


def park(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """One invented car park and where it is (演示数据)."""
    lon, lat = 120.0 + number % 20 / 40, 31.4 + number // 20 / 40
    row = {
        "name": f"第{number}公共停车场" if number % 7 else "南长街'; DROP TABLE opendata.row; --",
        "district": ("梁溪区", "滨湖区", "锡山区")[number % 3],
        "places": number * 10,
        "opened": f"20{10 + number % 15}-0{1 + number % 9}-01",
    }
    return row, {"type": "Point", "coordinates": [lon, lat]}


async def add_dataset(
    conn: Connection,
    id: str,
    title: str,
    rows: int = 0,
    *,
    open_type: str = "unconditional",
    theme: str = "transport",
) -> None:
    """A released dataset as the city's own publishing leaves it, with car parks for rows. ``conn`` is the owner's."""
    await conn.execute(
        "INSERT INTO opendata.dataset (id, title, title_en, abstract, provider, theme, open_type, cycle, licence, also, fields,"
        " formats, shapes) VALUES ($1, $2, 'Car parks', '每处停车场的位置、车位。', 'data', $3, $4, 'monthly',"
        " 'wuxi-open', $5, $6, $7, true)",
        id, title, theme, open_type, ["停车", "车位"], COLUMNS, ["csv", "xlsx", "json", "jsonl", "parquet", "geojson"],
    )  # fmt: skip
    digest = b"d" * 32
    report = await conn.fetchval(
        "INSERT INTO opendata.gate_report (dataset, by, passed, rows, digest, findings, entry) VALUES ($1, 'test', true, $2,"
        " $3, '[]', 1) RETURNING id", id, rows, digest,
    )  # fmt: skip
    version = await conn.fetchval(
        "SELECT opendata.release($1, $2, $3, $4, $4, 0, 0, NULL)", id, report, rows, digest
    )
    await conn.executemany(
        "INSERT INTO opendata.row (dataset, version, n, data, shape) VALUES ($1, $2, $3, $4, $5)",
        [(id, version, n, *park(n)) for n in range(1, rows + 1)],
    )


@dataclass
class Portal:
    """A portal that answers at ``base``. ``run`` does something in its loop and waits for it."""

    base: str
    database: Any
    loop: asyncio.AbstractEventLoop
    dizuo: Any

    @property
    def open(self) -> str:
        return f"{self.base}/open"

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    def owner(self, sql: str, *values: object) -> list[Any]:
        """A statement as the owner, to arrange or to look behind the door."""

        async def done() -> list[Any]:
            conn = await connect(self.database.dsn(OWNER))
            try:
                return list(await conn.fetch(sql, *values))
            finally:
                await conn.close()

        return self.run(done())

    def arrange(self, *args: Any, **named: Any) -> None:
        """Add a dataset as the city would."""

        async def done() -> None:
            conn = await connect(self.database.dsn(OWNER))
            try:
                await add_dataset(conn, *args, **named)
            finally:
                await conn.close()

        self.run(done())

    def arrange_many(self, titles: dict[str, str]) -> None:
        """Add datasets without rows."""

        async def done() -> None:
            conn = await connect(self.database.dsn(OWNER))
            try:
                for id, title in titles.items():
                    await add_dataset(conn, id, title)
            finally:
                await conn.close()

        self.run(done())

    def key(self, organisation: str = "*") -> str:
        """A key to load catalogues with."""

        async def made() -> str:
            pool = await open_pool(self.database.dsn(LOADER), min_size=1, max_size=1)
            try:
                return (await ckan.make_key(pool, SystemNow(), organisation, by="test"))[1]
            finally:
                await pool.close()

        return self.run(made())


@contextmanager
def portal_up(database: Any, routes: Any = ROUTES) -> Iterator[Portal]:
    """Serve the database on a free port of 127.0.0.1, in a thread with a loop of its own."""
    port = free_port()
    ready: dict[str, Any] = {}
    up, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        pool = await open_pool(database.dsn(APP), min_size=1, max_size=6)
        dizuo = SimpleNamespace(pool=pool, city=load_city(CITY), now=SystemNow(), data=database.data)
        door = Door(
            "open", DOOR, routes, css=(), sign_in="/sign-in", prefix="/",
            admit_key=machine_rows.admit_key,
        )  # fmt: skip
        with open("/dev/null", "w") as log:
            shell = Shell(
                [door], site=Site("无锡", "Wuxi", "12345", demonstration=True), secret=b"s" * 32, log=log
            )
            app = build(shell)
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
            await asyncio.wait([serving], timeout=0.5)
        await pool.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert up.wait(20)
    try:
        yield Portal(f"http://127.0.0.1:{port}", database, ready["loop"], ready["dizuo"])
    finally:
        stop.set()
        thread.join(15)
