"""A small city that is up: its application, its clock, and the hands that do the clerk's work when told to."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from visitor import BROWSER, Visitor

from dizuo.app import make
from dizuo.commands import building
from dizuo.doors.citizen import home
from dizuo.doors.citizen.prepared import PreparedShelf
from dizuo.engines import cases
from dizuo.engines.lake.demonstrate import demonstrate
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.ledger import Sealer, SigningKey
from dizuo.foundation.store import APP, OWNER, SEALER, Pool, connect, open_pool
from dizuo.foundation.store.jobs import JobRunner
from dizuo.settings import Runtime

CITY = Path(__file__).resolve().parents[2] / "cities" / "wuxi"
TODAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
PEOPLE = 600
SEED = 2026
BASE = "http://dizuo.test"
SECRET = "5a" * 32


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one worker of the test run at a time."""
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def fill(database: Any, folder: Path) -> None:
    """Make the running city of the declarations, with its invented people (演示数据), as ``dizuo up`` does."""
    city = load_city(CITY)
    await building.publish(database, city, _silent)
    night = FrozenNow(datetime(2026, 11, 23, 5, tzinfo=SHANGHAI))
    await demonstrate(
        database, city, database.data, folder, people=PEOPLE, seed=SEED, day=TODAY, now=night, workers=1
    )
    await building.people(database, city, database.data, folder)
    owner = await connect(database.dsn(OWNER))
    try:
        # The stories' clock stands still on a day of their own: what was delivered was known the day before.
        known = datetime(2026, 11, 22, tzinfo=SHANGHAI)
        await owner.execute("UPDATE registers.record SET recorded_at = $1", known)
        await owner.execute("UPDATE registers.lookup SET known_from = $1", known)
    finally:
        await owner.close()


def _silent(_: str, __: int, ___: int) -> None:
    return None


def runtime_of(database: Any, city: City) -> Runtime:
    """What the application must know to serve this database."""
    origin = f"{city.id}.dizuo"
    return Runtime(
        city=str(CITY),
        data=str(database.data),
        app_dsn=database.dsn(APP),
        sealer_dsn=database.dsn(SEALER),
        web_secret=SECRET,
        ledger_key=str(SigningKey.load(database.data, origin).public),
        ledger_origin=origin,
        public_url=BASE,
        pool_size=8,
    )


@dataclass
class Town:
    """A city that is up. ``now`` stands still until told to move; ``settle`` does what is due."""

    app: Starlette
    now: FrozenNow
    city: City
    database: Any
    runtime: Runtime
    owner: Pool
    sealer: Sealer
    runner: JobRunner
    _clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def dizuo(self) -> Any:
        return self.app.state.dizuo

    def visitor(self, **headers: str) -> Visitor:
        """Somebody new, with an empty browser."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=BASE,
            headers={**BROWSER, **headers},
        )
        self._clients.append(client)
        return Visitor(client)

    async def signed_in(self, name: str) -> Visitor:
        """Somebody who chose that name (or those words) at the demonstration's sign-in."""
        visitor = self.visitor()
        await visitor.sign_in(name)
        return visitor

    async def settle(self, *, minutes: float = 0, hours: float = 0, days: float = 0) -> int:
        """Let time pass, do everything that is due then, seal the ledger. No job may have failed."""
        self.now.advance(minutes=minutes, hours=hours, days=days)
        done = await self.runner.run_due()
        failed = await self.owner.fetch("SELECT kind, last_error, payload FROM store.job WHERE attempts > 0")
        assert not failed, [tuple(row.values()) for row in failed]
        await self.sealer.seal_once()
        return done

    async def entries(self, kind: str) -> list[Any]:
        """Ledger entries of a kind with body and payload, oldest first, seen by the owner from behind."""
        return await self.owner.fetch(
            "SELECT e.id, e.kind, e.body, e.subject, e.payload FROM ledger.entry e WHERE e.kind = $1 ORDER BY e.id",
            kind,
        )

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def town_up(database: Any) -> AsyncIterator[Town]:
    """Serve the database in this process, with the clerk's tools at hand."""
    city = load_city(CITY)
    now = FrozenNow(MORNING)
    runtime = runtime_of(database, city)
    home._PREPARED, home._COUNTS = (
        PreparedShelf(),
        home._Counts(),
    )  # one memory a process; here several cities share one
    app = make(runtime, now=now)
    owner = await open_pool(database.dsn(OWNER), min_size=1, max_size=2)
    sealer_pool = await open_pool(database.dsn(SEALER), min_size=1, max_size=2)
    async with app.router.lifespan_context(app):
        dizuo = app.state.dizuo
        town = Town(
            app,
            now,
            city,
            database,
            runtime,
            owner,
            Sealer(sealer_pool, SigningKey.load(database.data, runtime.ledger_origin), runtime.ledger_origin),
            JobRunner(dizuo.pool, cases.handlers(dizuo.cases), now),
        )
        try:
            yield town
        finally:
            await town.close()
            sealer_pool.terminate()
            owner.terminate()
