"""Being told to stop in the first moments of a start: everything ends, and nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dizuo.foundation.store import Server
from ports import free_port

PATIENCE = 120
# Signals noted where nobody looks, as the web server's own process has it; then a worker that does not serve yet.
UNREADY = """
import os, signal, sys
from dizuo.serve import stop_unready_workers
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
stop_unready_workers()
worker = os.fork()
if worker == 0:
    while True:
        signal.pause()
os.kill(worker, int(sys.argv[1]))
_, status = os.waitpid(worker, 0)
assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL, "the server keeps its own handlers"
assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()), "the server hears signals again"
raise SystemExit(0 if os.WIFSIGNALED(status) and os.WTERMSIG(status) == int(sys.argv[1]) else 3)
"""
# A grace that no test would sit out: a worker that swallowed the signal would hold the server up for ever.
SERVE = """
import sys
from dizuo import serve
serve.GRACE = 10**6
serve.main("127.0.0.1", int(sys.argv[1]), 2)
"""
# The signal comes while a destructor runs, where Python drops what is raised.
DROPPED = """
import os, signal, time
from dizuo.commands import interrupts

class Closing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)

interrupts.until_serving()
try:
    closing = Closing()
    del closing
    time.sleep(60)
    raise SystemExit(4)
except KeyboardInterrupt:
    raise SystemExit(0)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that the database's own user can reach."""
    made = Path(tempfile.mkdtemp(prefix="dizuo-stop-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_an_interrupt_that_falls_into_a_destructor_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DROPPED], timeout=PATIENCE, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_does_not_serve_yet_ends_at_once(number: int) -> None:
    done = subprocess.run([sys.executable, "-c", UNREADY, str(int(number))], timeout=PATIENCE, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_stops_while_its_workers_still_begin(folder: Path, number: int) -> None:
    """The workers are held where they read the runtime file, which is a pipe that nobody has written into."""
    runtime = folder / "runtime"
    os.mkfifo(runtime)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(free_port())],
        env={**os.environ, "DIZUO_RUNTIME": str(runtime)},
        start_new_session=True,
    )
    try:
        with runtime.open("wb"):  # opens when a worker stands there, reading
            server.send_signal(number)
            assert server.wait(timeout=PATIENCE) == 0
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def test_a_start_that_is_interrupted_leaves_no_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []

    def interrupted(server: Server) -> None:
        seen.append(server.pid)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Server, "_create_roles_and_database", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Server.start(folder, options={"shared_buffers": "16MB"})
    assert seen[0] is not None
    assert not list(folder.rglob("postmaster.pid"))
    with Server.start(folder, options={"shared_buffers": "16MB"}) as again:
        assert again.running()


@pytest.mark.slow
def test_up_that_is_told_to_stop_while_it_builds_leaves_nothing_running(folder: Path) -> None:
    data, log = folder / "data", folder / "up.log"
    arguments = ["up", "--data", str(data), "--port", str(free_port()), "--people", "2000", "--quiet"]
    with log.open("wb") as out:
        up = subprocess.Popen(
            [sys.executable, "-m", "dizuo.cli", *arguments], stdout=out, stderr=out, start_new_session=True
        )
    try:
        until = time.monotonic() + PATIENCE
        while not (data / "deliveries").exists() and up.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert list(data.rglob("postmaster.pid")), log.read_text()
        up.send_signal(signal.SIGTERM)
        assert up.wait(timeout=PATIENCE) == 130, log.read_text()
        assert not list(data.rglob("postmaster.pid"))
        assert "Traceback" not in log.read_text()
    finally:
        if up.poll() is None:
            os.killpg(up.pid, signal.SIGKILL)
            up.wait()
