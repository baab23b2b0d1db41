"""The two commands and their sisters, as somebody at a terminal meets them: up, Ctrl-C, up again, verify, reset."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from html_page import HtmlPage
from psycopg import sql

from dizuo.foundation.store import OWNER, Server
from dizuo.foundation.store.roles import ADMIN, SERVICE_ROLES
from ports import free_port

pytestmark = pytest.mark.slow
PATIENCE = 180


def dizuo(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "dizuo.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, **(env or {})},
    )


@dataclass
class Up:
    """A running `dizuo up`: the process, its address, and what it printed into ``log``."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, follow_redirects=True, timeout=30, trust_env=False)

    def ctrl_c(self) -> int:
        """As a terminal does it; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def up(data: Path, *, env: Mapping[str, str] | None = None, people: int = 200) -> Iterator[Up]:
    """`dizuo up` until /health answers; killed afterwards if the test did not stop it."""
    port, log = free_port(), data.parent / f"{data.name}.log"
    arguments = [
        "--data",
        str(data),
        "--people",
        str(people),
        "--port",
        str(port),
        "--workers",
        "1",
        "--quiet",
    ]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dizuo.cli", "up", *arguments],
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
    running = Up(process, f"http://127.0.0.1:{port}", log)
    try:
        _wait(running)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait(running: Up) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if running.process.poll() is not None:
            break
        try:
            if httpx.get(running.url + "/health", timeout=5, trust_env=False).json()["ok"]:
                return
        except (httpx.HTTPError, ValueError):
            time.sleep(0.1)
    raise AssertionError(f"it did not come up: {running.log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path that the database's own user can reach."""
    made = Path(tempfile.mkdtemp(prefix="dizuo-up-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    return folder / "data"


def read(client: httpx.Client, address: str) -> HtmlPage:
    answer = client.get(address)
    return HtmlPage(str(answer.url), answer.status_code, answer.text)


def send(client: httpx.Client, page: HtmlPage, button: str, answers: dict[str, str | bool]) -> HtmlPage:
    form = page.filled(button, answers)
    answer = client.post(form.action, data=dict(form.pairs), headers={"sec-fetch-site": "same-origin"})
    return HtmlPage(str(answer.url), answer.status_code, answer.text)


def test_first_start_serves_and_ctrl_c_stops_cleanly(data: Path) -> None:
    with up(data) as running:
        with running.client() as client:
            health = client.get("/health").json()
            assert health["ready"] is True
            assert health["city"] == "wuxi"
            home = send(client, read(client, "/sign-in"), "林晓晴", {})
            assert home.status == 200
            form = read(client, home.link("开始确认"))
            saved = send(client, form, "先存着", {"宝宝叫什么名字": "沐言"})
            assert saved.h1 == "存好了"
        assert running.ctrl_c() == 0, running.log.read_text()[-2000:]
        said = running.log.read_text()
        for words in ("is up", "/desk", "林晓晴", "Ctrl-C"):
            assert words in said, words
        assert "Traceback" not in said
        with pytest.raises(httpx.ConnectError):
            httpx.get(running.url + "/health", trust_env=False)
    # The database stopped with it: nothing of ours is left behind.
    assert not list(data.rglob("postmaster.pid"))


def test_second_start_has_everything_that_was_saved(data: Path) -> None:
    with up(data) as running:
        with running.client() as client:
            home = send(client, read(client, "/sign-in"), "林晓晴", {})
            assert home.says("没办完：新生儿出生一件事")
            form = read(client, home.link("接着办", near="可以办"))
            assert "沐言" in {n.get("value") for n in form.main.all("input")}
        # A port that is taken is told, and the running city goes on.
        port = running.url.rpartition(":")[2]
        second = dizuo("up", "--data", str(data), "--port", port, "--quiet")
        assert second.returncode == 2
        assert "--port" in second.stderr
        assert httpx.get(running.url + "/health", trust_env=False).json()["ok"]
        assert running.ctrl_c() == 0


def test_verify_finds_nothing_and_then_one_altered_row(data: Path) -> None:
    clean = dizuo("verify", "--data", str(data))
    assert clean.returncode == 0, clean.stderr + clean.stdout
    assert "Nothing was altered" in clean.stdout
    with Server.start(data) as server, psycopg.connect(server.dsn(OWNER), autocommit=True) as owner:
        entry = owner.execute("SELECT entry FROM ledger.leaf ORDER BY seq LIMIT 1 OFFSET 3").fetchone()
        assert entry is not None
        owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER USER")
        owner.execute(
            'UPDATE ledger.entry SET body = body || \'{"purpose": "curiosity"}\' WHERE id = %s', (entry[0],)
        )
        owner.execute("ALTER TABLE ledger.entry ENABLE TRIGGER USER")
    found = dizuo("verify", "--data", str(data))
    assert found.returncode == 1, found.stdout
    assert str(entry[0]) in found.stdout
    assert "Nothing was altered" not in found.stdout


def test_reset_asks_first_and_then_leaves_nothing(data: Path) -> None:
    asked = dizuo("reset", "--data", str(data))
    assert asked.returncode == 2  # nobody at a terminal to ask
    assert data.exists()
    done = dizuo("reset", "--data", str(data), "--yes")
    assert done.returncode == 0, done.stderr
    assert not data.exists()


def test_reset_deletes_nothing_that_is_not_ours(folder: Path) -> None:
    other = folder / "photos"
    other.mkdir()
    (other / "holiday.jpg").write_bytes(b"x")
    refused = dizuo("reset", "--data", str(other), "--yes")
    assert refused.returncode == 2
    assert "fix:" in refused.stderr
    assert (other / "holiday.jpg").exists()


def test_an_existing_postgresql_by_its_address(folder: Path) -> None:
    """A server of somebody else, entered by its address alone; our own data folder holds secrets only."""
    theirs, ours = folder / "theirs", folder / "ours"
    with Server.start(theirs, options={"shared_buffers": "64MB"}) as server:
        with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute("CREATE ROLE city LOGIN CREATEROLE PASSWORD 'city-of-tests'")
            admin.execute("CREATE DATABASE city OWNER city")
            for role in SERVICE_ROLES:
                admin.execute(sql.SQL("GRANT {} TO city WITH ADMIN OPTION").format(sql.Identifier(role)))
        host = psycopg.conninfo.conninfo_to_dict(server.dsn(ADMIN))["host"].replace("/", "%2F")
        url = f"postgresql://city:city-of-tests@/city?host={host}"
        with up(ours, env={"DIZUO_DATABASE_URL": url}) as running:
            with running.client() as client:
                home = send(client, read(client, "/sign-in"), "林晓晴", {})
                assert home.says("开始确认")
            assert running.ctrl_c() == 0, running.log.read_text()[-2000:]
        assert server.running()
        assert not list(ours.rglob("PG_VERSION"))
        kept = dizuo("reset", "--data", str(ours), "--yes", env={"DIZUO_DATABASE_URL": url})
        assert kept.returncode == 2
        assert "DIZUO_DATABASE_URL" in kept.stderr
        server.stop()
