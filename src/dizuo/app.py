"""The only place where everything meets: one city, its engines, its doors, one ASGI application."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from dizuo import __version__
from dizuo.doors import centre, citizen, data, desk
from dizuo.doors import open as open_data
from dizuo.engines import directory
from dizuo.engines.cases import Cases
from dizuo.engines.directory import Directory
from dizuo.engines.registers import Registers
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.ledger import Batcher, Entry, PublicKey, entry_batcher
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import Pool, open_pool
from dizuo.settings import Runtime, read_runtime
from dizuo.web import Shell, Site, build
from dizuo.web.signin import DemoSignIn, OidcSettings, OidcSignIn, SignIn


@dataclass(frozen=True)
class Dizuo:
    """What the doors work with: `request.app.state.dizuo`."""

    city: City
    pool: Pool
    policy: Policy
    registers: Registers
    directory: Directory
    cases: Cases
    sign_in: SignIn
    entries: Batcher[Entry, int]
    ledger_key: PublicKey
    ledger_origin: str
    data: Path
    folder: Path
    now: Now


async def open_dizuo(runtime: Runtime, city: City, now: Now | None = None) -> Dizuo:
    """Open every engine on the runtime's database. The pool is the caller's to close (`dizuo.pool.close()`)."""
    clock = now or SystemNow()
    pool = await open_pool(runtime.app_dsn, min_size=2, max_size=runtime.pool_size)
    policy = Policy.from_city(city)
    registers = Registers(pool, city, policy)
    async with pool.acquire() as connection:
        await directory.prepare(connection)
    rooms = Directory(pool, city, clock)
    return Dizuo(
        city=city,
        pool=pool,
        policy=policy,
        registers=registers,
        directory=rooms,
        cases=Cases(pool, city, registers, policy, clock),
        sign_in=sign_in_of(runtime, city, rooms, clock),
        entries=entry_batcher(pool),
        ledger_key=PublicKey.parse(runtime.ledger_key),
        ledger_origin=runtime.ledger_origin,
        data=Path(runtime.data),
        folder=Path(runtime.city),
        now=clock,
    )


def sign_in_of(runtime: Runtime, city: City, rooms: Directory, now: Now) -> SignIn:
    """The one way to sign in of this installation: OpenID Connect when configured, else the demonstration's."""
    if runtime.oidc:
        return OidcSignIn(OidcSettings.read(runtime.oidc), bytes.fromhex(runtime.web_secret), now=now)
    return DemoSignIn(rooms, city)


def site_of(city: City, runtime: Runtime) -> Site:
    """What every page says about the city and this installation."""
    return Site(
        name=city.name.zh,
        name_en=city.name.en,
        hotline=city.hotline,
        demonstration=city.demonstration,
        secure=runtime.public_url.startswith("https://"),
        version=f"{__version__} {city.version[:12]}",
    )


def make(runtime: Runtime, *, now: Now | None = None) -> Starlette:
    """The application of one process; engines open when it starts and close when it ends."""
    city = load_city(runtime.city)
    shell = Shell(
        (citizen.DOOR, desk.DOOR, centre.DOOR, data.DOOR, open_data.DOOR),
        site=site_of(city, runtime),
        secret=bytes.fromhex(runtime.web_secret),
        now=now,
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        dizuo = await open_dizuo(runtime, city, now)
        app.state.dizuo = dizuo
        shell.gate = dizuo.directory

        async def health() -> Mapping[str, object]:
            await dizuo.pool.fetchval("SELECT 1")
            return {"ready": True, "city": city.id, "declarations": city.version[:12]}

        shell.health = health
        try:
            yield
        finally:
            await dizuo.sign_in.close()
            await dizuo.entries.close()
            await dizuo.pool.close()

    return build(shell, lifespan=lifespan)


def application() -> Starlette:
    """Entry for ASGI servers; the runtime file is named by the environment variable DIZUO_RUNTIME."""
    made = make(read_runtime())
    # Declarations and templates stay for the life of the process: the collector need not look at them again, and a
    # page leaves few cycles behind, so that it may look less often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    return made
