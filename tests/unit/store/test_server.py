"""The embedded server: made, joined, left, killed, moved, refused."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dizuo.foundation.store import OWNER, Server, launch
from dizuo.foundation.store import server as server_module
from dizuo.foundation.store.binaries import find_binaries
from dizuo.foundation.store.errors import (
    DataFolderUnusable,
    ServerBinariesMissing,
    ServerNotStarted,
    UnknownRole,
)
from dizuo.foundation.store.process import alive, postmaster_pid
from dizuo.foundation.store.roles import ADMIN, ROLES
from dizuo.foundation.store.tuning import as_conf, settings

SMALL = {"shared_buffers": "32MB", "wal_buffers": "1MB", "min_wal_size": "32MB"}


def fresh() -> Path:
    path = Path(tempfile.mkdtemp(prefix="dz-"))
    path.chmod(0o755)
    return path


def clear(path: Path) -> None:
    """Stop what still runs there and delete it."""
    if postmaster_pid(path / "postgres" / "cluster") is not None:
        Server.start(path, options=SMALL).stop()
    Server.remove(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A stopped installation, to be copied: initdb is the slow part."""
    path = fresh()
    Server.start(path, options=SMALL).close()
    yield path
    clear(path)


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """An installation that has run before."""
    path = fresh()
    shutil.copytree(made, path, dirs_exist_ok=True)
    yield path
    clear(path)


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder where nothing has run yet."""
    path = fresh()
    yield path
    clear(path)


def one(server: Server, role: str, query: str) -> object:
    with psycopg.connect(server.dsn(role)) as connection:
        row = connection.execute(query).fetchone()  # pyright: ignore[reportArgumentType]
        return row[0] if row else None


def test_a_server_is_made_joined_and_stopped_by_the_last_to_leave(empty: Path) -> None:
    with Server.start(empty, options=SMALL) as first:
        pid = first.pid
        for role in ROLES:
            assert one(first, role, "SELECT current_user") == role
        second = Server.start(empty)
        assert second.pid == pid
        first.close()
        assert second.running()
        assert one(second, OWNER, "SELECT 1") == 1
        second.close()
        assert not second.running()
    with Server.start(empty, options=SMALL) as again:
        assert again.pid not in {None, pid}
        assert one(again, OWNER, "SHOW fsync") == "on"
        assert one(again, OWNER, "SHOW max_prepared_transactions") == "0"


def test_nobody_enters_without_a_password_and_secrets_are_private(folder: Path) -> None:
    with Server.start(folder, options=SMALL) as server:
        for file in (folder / "secrets").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
        address = psycopg.conninfo.conninfo_to_dict(server.dsn(OWNER))
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(**{**address, "password": password}, connect_timeout=5)
        assert (
            one(
                server,
                ADMIN,
                "SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') FROM pg_authid WHERE rolcanlogin",
            )
            is True
        )
        assert one(server, ADMIN, "SHOW listen_addresses") == ""
        with pytest.raises(UnknownRole):
            server.dsn("somebody")


def test_service_roles_are_nothing_but_themselves(folder: Path) -> None:
    with Server.start(folder, options=SMALL) as server:
        for role in ("dizuo_app", "dizuo_loader", "dizuo_sealer", "dizuo_eraser"):
            assert (
                one(
                    server,
                    role,
                    "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = current_user",
                )
                is False
            )
            for other in ("dizuo_owner", "dizuo_admin"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    one(server, role, f"SET ROLE {other}")
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(server.dsn(role, "postgres"), connect_timeout=5)


def test_it_also_listens_on_the_machine_itself_when_asked(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Server.start(folder, port=port, options=SMALL) as server:
        address = psycopg.conninfo.conninfo_to_dict(server.dsn(OWNER))
        with psycopg.connect(**{**address, "host": "127.0.0.1", "port": str(port)}) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        joined = Server.start(folder)
        assert one(joined, OWNER, "SELECT 2") == 2
        joined.close()


def test_what_was_committed_survives_kill_9_and_recovery_is_waited_for(folder: Path) -> None:
    told: list[str] = []
    with Server.start(folder, options=SMALL) as server:
        with psycopg.connect(server.dsn(OWNER)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 20000) AS n")
        server.kill()
        assert not server.running()
        again = Server.start(folder, options=SMALL, progress=told.append)
        assert one(again, OWNER, "SELECT count(*) FROM kept") == 20000
        again.close()


def test_a_pid_that_belongs_to_a_stranger_does_not_stop_a_start(folder: Path) -> None:
    server = Server.start(folder, options=SMALL)
    server.kill()
    pid_file = folder / "postgres" / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert server.pid is None
        again = Server.start(folder, options=SMALL)
        assert again.pid != stranger.pid
        assert one(again, OWNER, "SELECT 1") == 1
        assert stranger.poll() is None
        again.stop()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_whose_socket_was_removed_is_started_again(folder: Path) -> None:
    server = Server.start(folder, options=SMALL)
    next((folder / "postgres" / "socket").glob(".s.PGSQL.*[0-9]")).unlink()
    again = Server.start(folder, options=SMALL)
    assert one(again, OWNER, "SELECT 1") == 1
    again.stop()
    server.close()


def test_a_long_path_gets_a_short_socket(empty: Path) -> None:
    deep = empty / ("很长的目录名" * 8)
    deep.mkdir()
    with Server.start(deep, options=SMALL) as server:
        assert one(server, OWNER, "SELECT 1") == 1
        assert len(os.fsencode(psycopg.conninfo.conninfo_to_dict(server.dsn(OWNER))["host"])) < 80
    Server.remove(deep)


def test_an_interrupted_initdb_is_never_taken_for_a_cluster(empty: Path) -> None:
    half = empty / "postgres" / "cluster.new"
    half.mkdir(parents=True, mode=0o700)
    (half / "PG_VERSION").write_text("18\n")
    with Server.start(empty, options=SMALL) as server:
        assert one(server, OWNER, "SELECT 1") == 1
        assert not half.exists()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(ServerNotStarted, match="invalid value for parameter"):
        Server.start(folder, options={**SMALL, "shared_buffers": "plenty"})


def test_a_cluster_of_another_version_is_refused(folder: Path) -> None:
    Server.start(folder, options=SMALL).close()
    version = folder / "postgres" / "cluster" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(DataFolderUnusable, match="PostgreSQL 9"):
        Server.start(folder, options=SMALL)
    version.write_text(f"{find_binaries().major}\n")


def test_it_survives_the_terminals_ctrl_c_and_needs_no_home(folder: Path) -> None:
    """The whole process group gets SIGINT, as from a terminal; only dizuo may end the server, after its own work."""
    program = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from dizuo.foundation.store import Server\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell hands it down ignored
        f"server = Server.start(Path({str(folder)!r}), options={SMALL!r})\n"
        "try:\n"
        "    print(server.pid, flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    print(server.running(), flush=True); server.close(); print(server.running(), flush=True)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "HOME"} | {"HOME": ""}
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    os.killpg(child.pid, signal.SIGINT)
    assert child.communicate(timeout=60)[0].split() == ["True", "False"]
    assert not alive(pid)


def test_a_killed_parent_leaves_a_server_that_is_joined(folder: Path) -> None:
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom dizuo.foundation.store import Server\n"
        f"print(Server.start(Path({str(folder)!r}), options={SMALL!r}).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    with Server.start(folder, options=SMALL) as server:
        assert server.pid == int(done.stdout)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another way to start PostgreSQL")
def test_root_without_namespaces_uses_a_system_user(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_namespace_prefix", lambda: ())
    try:
        with Server.start(empty, options=SMALL) as server:
            assert server.note is not None
            assert "系统用户" in server.note
            assert one(server, OWNER, "SELECT 1") == 1
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        with Server.start(empty, options=SMALL) as server:
            assert one(server, OWNER, "SELECT 1") == 1
    finally:
        Server.remove(empty)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another way to start PostgreSQL")
def test_root_moves_a_cluster_that_no_system_user_could_reach(
    empty: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("var")
    for parent in (elsewhere, *elsewhere.parents[:2]):
        parent.chmod(0o755)
    monkeypatch.setattr(launch, "_namespace_prefix", lambda: ())
    monkeypatch.setattr(launch, "_SYSTEM_HOME", elsewhere / "dizuo")
    closed = empty / "closed"
    closed.mkdir(mode=0o700)
    with Server.start(closed, options=SMALL) as server:
        assert one(server, OWNER, "SELECT 1") == 1
        assert (closed / "postgres").is_symlink()
        assert str(elsewhere) in (server.note or "")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700  # nobody's permissions were opened
    with Server.start(closed, options=SMALL) as server:
        assert one(server, OWNER, "SELECT 1") == 1
    Server.remove(closed)
    assert not (closed / "postgres").exists()
    assert not list((elsewhere / "dizuo").glob("[0-9a-f]" * 16))


def test_missing_programs_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIZUO_POSTGRES_BIN", str(tmp_path / "bin"))
    with pytest.raises(ServerBinariesMissing, match="DIZUO_POSTGRES_BIN"):
        find_binaries()


def test_remove_refuses_while_it_runs(folder: Path) -> None:
    with Server.start(folder, options=SMALL), pytest.raises(DataFolderUnusable, match="还在运行"):
        Server.remove(folder)


@pytest.mark.parametrize(
    ("memory", "shared"), [(2 << 30, "256MB"), (12 << 30, "512MB"), (256 << 30, "1024MB")]
)
def test_settings_follow_memory_and_never_trade_durability(memory: int, shared: str, tmp_path: Path) -> None:
    values = settings(memory, tmp_path, 5432, tcp=False)
    assert values["shared_buffers"] == shared
    assert {values[name] for name in ("fsync", "full_page_writes", "synchronous_commit")} == {"on"}


def test_a_quote_in_a_path_stays_inside_its_value() -> None:
    assert "a = 'it''s \\\\ here'\n" in as_conf({"a": "it's \\ here"})


def test_lost_passwords_are_told_at_once(folder: Path) -> None:
    with Server.start(folder, options=SMALL):
        secret = folder / "secrets" / f"database-{ADMIN}"
        kept = secret.read_text()
        secret.write_text("another\n")
        with pytest.raises(DataFolderUnusable, match="不一致"):
            Server.start(folder, options=SMALL)
        secret.write_text(kept)


def test_waiting_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module.Server, "_answers", lambda self: False)
    began = time.monotonic()
    with pytest.raises(ServerNotStarted, match="等了"):
        Server.start(folder, options=SMALL, patience=0.3)
    assert time.monotonic() - began < 30
    monkeypatch.undo()
