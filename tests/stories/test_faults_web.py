"""The real web process and PostgreSQL are killed while people read their forms and submit them over HTTP.

Black box: what a browser received is held against the ledger and the cases after everything is up again. The steps
inside a read are killed one by one in test_faults_steps.py.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import psycopg
import pytest
from newborn import LIN
from test_faults_steps import FAULTS
from town import fill, runtime_of
from visitor import BROWSER, Visitor

from dizuo.foundation.blueprint import load_city
from dizuo.foundation.store import OWNER, Server, discover, migrate
from dizuo.settings import RUNTIME

CITY = Path(__file__).resolve().parents[2] / "cities" / "wuxi"
READERS = ("林晓晴", "王启明")
SERVE = """
import sys
from granian import Granian
from granian.constants import Interfaces, Loops
Granian("dizuo.app:application", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.ASGI, workers=1,
        factory=True, loop=Loops.uvloop, websockets=False, log_enabled=False).serve()
"""


@dataclass
class Received:
    """What browsers got: forms as (person, newest entry before asking), receipts as case numbers."""

    forms: list[tuple[str, int]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)


class City:
    """A city in a folder of its own, served by a real web process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(mode=0o755)
        self.server = Server.start(self.data, options=FAULTS.OPTIONS)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.web: subprocess.Popen[bytes] | None = None

    def dsn(self, role: str) -> str:
        return self.server.dsn(role)

    async def fill(self) -> None:
        await migrate(self, discover())
        await fill(self, self.folder / "deliveries")
        runtime = msgspec.structs.replace(runtime_of(self, load_city(CITY)), public_url=self.url)
        (self.folder / "runtime.json").write_bytes(msgspec.json.encode(runtime))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_web(self) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in {"PATH", "HOME", "LANG", "PYTHONPATH"}
        }
        self.web = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.port)],
            env={**kept, RUNTIME: str(self.folder / "runtime.json")},
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "web.log").open("ab"),
            start_new_session=True,
        )
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.url}/health", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise RuntimeError((self.folder / "web.log").read_text(errors="replace")[-3000:])

    def kill(self, victim: str) -> None:
        if victim in {"postgres", "both"}:
            FAULTS.kill_tree(self.server.pid)
        if victim in {"web", "both"} and self.web is not None:
            os.killpg(
                self.web.pid, signal.SIGKILL
            )  # its own session: the process and its workers, nobody else
            self.web.wait()

    def start_again(self, victim: str) -> None:
        if victim in {"postgres", "both"}:
            self.server.close()
            self.server = Server.start(self.data, options=FAULTS.OPTIONS)
        if victim in {"web", "both"}:
            self.start_web()
        else:
            self.wait_until_healthy()

    def owner(self) -> psycopg.Connection:
        return psycopg.connect(self.dsn(OWNER), autocommit=True)

    def close(self) -> None:
        if self.web is not None and self.web.poll() is None:
            self.kill("web")
        self.server.stop()
        self.server.close()
        Server.remove(self.data)
        shutil.rmtree(self.folder, ignore_errors=True)


async def live(city: City, name: str, received: Received, stop: asyncio.Event) -> None:
    """Read one's form again and again, and try to submit it now and then, whatever the city answers."""
    path, turns = "", 0
    with city.owner() as owner:
        while not stop.is_set():
            client = httpx.AsyncClient(base_url=city.url, headers=BROWSER, trust_env=False, timeout=10)
            visitor = Visitor(client)
            try:
                await visitor.sign_in(name)
                while not stop.is_set():
                    newest = owner.execute("SELECT coalesce(max(id), 0) FROM ledger.entry").fetchone()
                    page = await (visitor.open(path) if path else visitor.follow("开始确认"))
                    if page.status == 200 and "提交" in page.text:
                        path = visitor.here()
                        received.forms.append((name, newest[0]))
                    turns += 1
                    if turns % 3 == 0 and name == READERS[0]:
                        page = await visitor.fill(dict(LIN), "提交")
                        if page.status == 200 and (number := re.search(r"WX\d{14}", page.text)):
                            received.numbers.append(number[0])
            except (httpx.HTTPError, psycopg.Error, AssertionError, LookupError):
                # Something is down, or the page says so: try again like a person does.
                await asyncio.sleep(0.1)
                if owner.closed or owner.broken:
                    return
            finally:
                await client.aclose()


def look(city: City, received: Received) -> None:
    with city.owner() as owner:
        for name, newest in received.forms:
            entered = owner.execute(
                "SELECT count(*) FROM ledger.entry e JOIN directory.account a ON a.subject = e.subject"
                " WHERE a.name = %s AND e.id > %s AND e.kind = 'register.read' AND e.body ->> 'party' = 'applicant'"
                " AND jsonb_array_length(e.body -> 'fields') > 0",
                [name, newest],
            ).fetchone()
            assert entered[0] > 0, f"{name} was shown a form and no entry after {newest} says so"
        for number in received.numbers:
            kept = owner.execute("SELECT 1 FROM cases.application WHERE number = %s", [number]).fetchone()
            assert kept is not None, f"{number} was acknowledged and is gone"


@pytest.mark.slow
async def test_what_browsers_received_is_entered_and_kept_whatever_is_killed():
    city = City(Path(tempfile.mkdtemp(prefix="dizuo-web-faults-")))
    everything = Received()
    try:
        await city.fill()
        await asyncio.to_thread(city.start_web)
        for victim, after in (("web", 2.5), ("postgres", 1.5), ("both", 2.0)):
            received, stop = Received(), asyncio.Event()
            people = [asyncio.create_task(live(city, name, received, stop)) for name in READERS]
            await asyncio.sleep(after)
            await asyncio.to_thread(city.kill, victim)
            stop.set()
            await asyncio.gather(*people, return_exceptions=True)
            await asyncio.to_thread(city.start_again, victim)
            look(city, received)
            everything.forms += received.forms
            everything.numbers += received.numbers
        look(city, everything)
    finally:
        await asyncio.to_thread(city.close)
    assert len(everything.forms) > 5
    assert everything.numbers
