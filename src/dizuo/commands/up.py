"""`dizuo up`: check the city, start the database, build what is not there yet, serve the four doors."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import time

import httpx
from rich.console import Console
from rich.table import Table

from dizuo.commands import building, interrupts, open_data, progress
from dizuo.commands.children import Children
from dizuo.commands.database import opened
from dizuo.engines.lake import MANIFEST, read_demonstration
from dizuo.foundation.blueprint import City, check_city
from dizuo.foundation.kernel.errors import Conflict
from dizuo.foundation.ledger import SigningKey
from dizuo.foundation.store import APP, SEALER, Database
from dizuo.settings import RUNTIME, Runtime, Settings, private_folder, secret, write_runtime

DOORS = (
    ("灵锡", "/", "residents and enterprises"),
    ("锡心办", "/desk", "officials"),
    ("城市运行", "/centre", "duty officers"),
    ("数据中心", "/data", "stewards, developers, the public"),
    ("开放数据", "/open", "everybody"),
)


OIDC = "DIZUO_OIDC_"


class PortTaken(Conflict):
    """{host}:{port} 已经被别的程序占用。"""

    fix = "请换一个端口，例如 ./run --port 8010。"


def run(arguments: argparse.Namespace) -> int:
    """Build what is missing and serve until Ctrl-C; data is kept."""
    started = time.monotonic()
    interrupts.until_serving()
    settings = Settings(
        city=arguments.city.absolute(), data=arguments.data.absolute(), host=arguments.host, port=arguments.port,
        people=arguments.people, seed=arguments.seed, workers=arguments.workers, public_url=arguments.public_url,
    )  # fmt: skip
    report = check_city(settings.city)
    if report.city is None:
        print(report.render(colour=sys.stderr.isatty()), file=sys.stderr)
        return 1
    _free(settings)
    private_folder(settings.data)
    with contextlib.ExitStack() as until_end:
        with progress.shown(quiet=arguments.quiet) as tell:
            database = until_end.enter_context(opened(settings.data, lambda step: tell(step, 0, 0)))
            _build(settings, report.city, database, tell)
            runtime = _runtime(settings, report.city, database)
            os.environ[RUNTIME] = str(write_runtime(settings, runtime))
            tell("打开四个门", 0, 0)
            children = Children()
            until_end.callback(children.stop)
            children.start("web", ["dizuo.serve", settings.host, str(settings.port), str(settings.workers)])
            children.start("clerk", ["dizuo.clerk"])
            _wait_until_ready(settings, children)
        if not children.told:
            _say(settings, report.city, time.monotonic() - started)
        children.watch()
        print("Stopping; data is kept.")
    return 0


def _build(settings: Settings, city: City, database: Database, tell: building.Tell) -> None:
    asyncio.run(building.publish(database, city, tell, settings.data))
    if city.demonstration and not asyncio.run(building.filled(database, settings.deliveries)):
        asyncio.run(building.fill(database, city, settings, tell))
        tell("账号和代表关系", 0, 0)
        asyncio.run(building.people(database, city, settings.data, settings.deliveries))
    asyncio.run(open_data.publish(database, city, settings.city, tell=tell))


def _runtime(settings: Settings, city: City, database: Database) -> Runtime:
    origin = f"{city.id}.dizuo"
    return Runtime(
        city=str(settings.city), data=str(settings.data), app_dsn=database.dsn(APP), sealer_dsn=database.dsn(SEALER),
        web_secret=secret(settings, "web").hex(), ledger_key=str(SigningKey.load(settings.data, origin).public),
        ledger_origin=origin, public_url=settings.url, oidc=_oidc(),
    )  # fmt: skip


def _oidc() -> dict[str, str]:
    """Settings of OpenID Connect from DIZUO_OIDC_ISSUER, DIZUO_OIDC_CLIENT_ID and so on; empty when there are none."""
    return {
        name.removeprefix(OIDC).lower(): value
        for name, value in os.environ.items()
        if name.startswith(OIDC) and value
    }


def _free(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(host=settings.host, port=settings.port) from error


def _wait_until_ready(settings: Settings, children: Children) -> None:
    """Wait until /health answers; when a child ended meanwhile, or after two minutes, `watch` tells."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    until = time.monotonic() + 120
    while children.alive() and time.monotonic() < until:
        try:
            if (
                httpx.get(f"http://{host}:{settings.port}/health", timeout=60, trust_env=False).status_code
                == 200
            ):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)


def _say(settings: Settings, city: City, seconds: float) -> None:
    """The four doors, and in a demonstration whom one may be."""
    console = Console()
    console.print(
        f"\n[bold]{city.name.zh} is up[/bold] after {seconds:.1f} s. Ctrl-C stops; data stays in {settings.data}"
    )
    doors = Table(show_header=False, box=None, padding=(0, 2))
    for name, path, who in DOORS:
        doors.add_row(name, settings.url + path, who)
    console.print(doors)
    if city.demonstration and (settings.deliveries / MANIFEST).exists():
        console.print("演示账号（均为虚构，登录页可选，无须口令）:")
        accounts = Table(show_header=False, box=None, padding=(0, 2))
        for person in read_demonstration(settings.deliveries).demo[:8]:
            accounts.add_row(person.name, person.note_zh)
        console.print(accounts)
        console.print(f"  officials: {settings.url}/desk/sign-in")
