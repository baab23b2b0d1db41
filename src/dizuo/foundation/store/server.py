"""PostgreSQL inside dizuo: made once, started, waited for, shared by the processes of one installation, stopped.

It listens on a Unix socket in the data folder (and on 127.0.0.1 when a port is asked for), and everybody signs in
with SCRAM-SHA-256. The processes that use it hold a lease; the last one to leave stops it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql

from dizuo.foundation.store import process, roles
from dizuo.foundation.store.binaries import Binaries, find_binaries
from dizuo.foundation.store.errors import DataFolderUnusable, ServerNotStarted, UnknownRole
from dizuo.foundation.store.launch import HOME, Launch, choose_launch
from dizuo.foundation.store.secrets import secret_text
from dizuo.foundation.store.tuning import as_conf, memory_bytes, settings

Progress = Callable[[str], None]

_SOCKET_NAME_LIMIT = 100  # bytes; Linux allows 107, macOS 103
_SOCKET_PORT = 5432  # only names the socket file when there is no TCP port
_LOG_LIMIT = 16 * 1024 * 1024
_READY = "ready"  # exists once roles and database are made


class Server:
    """A running embedded server. Use ``Server.start``; leave with ``close`` (or ``with``), end it with ``stop``."""

    def __init__(self, data: Path, launch: Launch, lease: IO[bytes]) -> None:
        self.data = data
        self.note = launch.note
        self._launch = launch
        self._cluster = launch.home / "cluster"
        self._lease: IO[bytes] | None = lease
        self._child: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    @classmethod
    def start(
        cls,
        data: Path,
        *,
        port: int | None = None,
        options: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        patience: float = 900,
    ) -> Server:
        """Start the server of the installation in ``data``, or join it when it runs already.

        Shapes: ``port`` also opens 127.0.0.1:port; ``options`` override postgresql.conf; ``patience`` is in seconds
        and covers recovery after a crash, during which ``progress`` is told every second. Errors: ServerNotStarted
        with the end of the server's own log, ServerBinariesMissing, DataFolderUnusable.
        """
        data = data.absolute()
        launch = choose_launch(data, find_binaries())
        tell = progress or _silent
        with _exclusive(data / f"{HOME}.start"):
            lease = _private(data / f"{HOME}.lease")
            fcntl.flock(lease, fcntl.LOCK_SH)
            server = cls(data, launch, lease)
            try:
                server._bring_up(port, options or {}, tell, time.monotonic() + patience)
            except KeyboardInterrupt:
                server._leave()
                raise
            except BaseException:
                lease.close()
                raise
        return server

    # ------------------------------------------------------------------ facts

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster, or None when it does not run."""
        return process.postmaster_pid(self._cluster)

    @property
    def binaries(self) -> Binaries:
        return self._launch.binaries

    @property
    def log(self) -> Path:
        return self._launch.home / "server.log"

    def running(self) -> bool:
        return self.pid is not None

    def dsn(self, role: str, database: str = roles.DATABASE) -> str:
        """The address for ``role`` as a libpq URI that asyncpg and psycopg both read. It holds the password."""
        if role not in (*roles.ROLES, roles.ADMIN):
            raise UnknownRole(role, ", ".join(roles.ROLES))
        password = secret_text(self.data, f"database-{role}")
        where = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={where}&port={self._port or _SOCKET_PORT}"

    # ------------------------------------------------------------------ ending

    def close(self) -> None:
        """Leave: the server stops when nobody else of this installation uses it."""
        if self._lease is None:
            return
        with _exclusive(self.data / f"{HOME}.start"):
            self._leave()

    def _leave(self) -> None:
        """Give the lease back, under the installation's start lock; the last one to leave stops the server."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        if alone:
            self.stop()
        lease.close()

    def stop(self) -> None:
        """Fast shutdown, for everybody: sessions end, what was committed is on disk. Immediate after one minute."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        if not self._gone(pid, 60):
            os.kill(pid, signal.SIGQUIT)
            self._gone(pid, 30)

    def kill(self) -> None:
        """kill -9 of the postmaster, for fault injection: what was acknowledged must still be there afterwards."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self._gone(pid, 30)

    def _gone(self, pid: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child is not None and self._child.pid == pid and self._child.poll() is not None:
                return True
            if not process.alive(pid):
                return True
            time.sleep(0.02)
        return False

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def remove(data: Path) -> None:
        """Delete the cluster of a stopped installation (for ``dizuo reset``); secrets stay."""
        link = data.absolute() / HOME
        target = link.resolve()
        if process.postmaster_pid(target / "cluster") is not None:
            raise DataFolderUnusable(str(data), "数据库还在运行", "请先停下 dizuo up。")
        shutil.rmtree(target, ignore_errors=True)
        if link.is_symlink():
            link.unlink()

    # ------------------------------------------------------------------ starting

    def _bring_up(
        self, port: int | None, options: Mapping[str, str], tell: Progress, deadline: float
    ) -> None:
        if self.running() and process.lost_its_socket(self._cluster):
            self.stop()
        if self.running():
            self._port = process.postmaster_port(self._cluster)
            self._wait_ready(tell, deadline)
            return
        self._port = port
        if not (self._cluster / "PG_VERSION").exists():
            tell("正在建立内置数据库")
            self._initialise()
        self._check_version()
        self._write_settings(port, options)
        self._spawn_until_ready(tell, deadline)
        if not (self._launch.home / _READY).exists():
            self._create_roles_and_database()

    def _initialise(self) -> None:
        """initdb beside, then rename: a folder that was interrupted half-way is never mistaken for a cluster."""
        beside = self._launch.home / "cluster.new"
        shutil.rmtree(beside, ignore_errors=True)
        (self._launch.home / _READY).unlink(missing_ok=True)
        password = self._launch.home / "initdb.password"
        password.write_text(secret_text(self.data, f"database-{roles.ADMIN}") + "\n", "utf-8")
        os.chmod(password, 0o600)
        if self._launch.user is not None:
            os.chown(password, self._launch.user, self._launch.group or -1)
        locale = ["--locale=C"]
        if self.binaries.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            done = self._launch.run(
                self._launch.command(
                    "initdb",
                    f"--pgdata={beside}",
                    f"--username={roles.ADMIN}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--data-checksums",
                    *locale,
                )
            )
        finally:
            password.unlink(missing_ok=True)
        if done.returncode != 0:
            raise ServerNotStarted(_last_lines(done.stderr or done.stdout), str(self.log))
        beside.rename(self._cluster)

    def _check_version(self) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text("ascii").strip()
        if made_by != str(self.binaries.major):
            raise DataFolderUnusable(
                str(self.data),
                f"里面的数据库是 PostgreSQL {made_by} 建的，现在的程序是 {self.binaries.major}",
                f"请装回 PostgreSQL {made_by} 的程序，用 dizuo export 导出后再导入新的数据目录。",
            )

    def _write_settings(self, port: int | None, options: Mapping[str, str]) -> None:
        folder = self._socket_folder()
        self._own_folder(folder)
        values = settings(memory_bytes(), folder, port or _SOCKET_PORT, tcp=port is not None)
        self._put("postgresql.conf", as_conf({**values, **options}))
        self._put(
            "pg_hba.conf",
            "# Written by dizuo at every start.\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )

    def _put(self, name: str, text: str) -> None:
        """Rewrite a file that initdb made (owner and mode stay); never through a link that the server's user planted."""
        handle = os.open(self._cluster / name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def _socket_folder(self) -> Path:
        """Inside the cluster's home, or a private folder with a short name when that path is too long for a socket."""
        folder = self._launch.home / "socket"
        if len(os.fsencode(folder)) + len("/.s.PGSQL.65535.lock") <= _SOCKET_NAME_LIMIT:
            return folder
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"dizuo-{digest}"

    def _own_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._launch.user is not None:
            os.chown(folder, self._launch.user, self._launch.group or -1)
        found = folder.stat()
        if found.st_uid not in {os.geteuid(), self._launch.user} or found.st_mode & 0o077:
            raise DataFolderUnusable(str(folder), "它属于别人或别人能进入", f"请删除 {folder} 后再启动。")

    def _spawn_until_ready(self, tell: Progress, deadline: float) -> None:
        while True:
            process.remove_stale_pid_file(self._cluster)
            since = self._rotate_log()
            handle = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "ab") as log:
                argv = self._launch.command("postgres", "-D", str(self._cluster))
                self._child = self._launch.spawn(argv, log)
            try:
                self._wait_ready(tell, deadline)
                return
            except ServerNotStarted:
                # After kill -9 of the postmaster its backends need a moment to notice and let go of the memory.
                busy = "shared memory block" in self._log_since(since)
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _rotate_log(self) -> int:
        if not self.log.exists():
            return 0
        size = self.log.stat().st_size
        if size <= _LOG_LIMIT:
            return size
        self.log.replace(self.log.with_suffix(".log.1"))
        return 0

    def _log_since(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read(64 * 1024).decode("utf-8", "replace")

    def _wait_ready(self, tell: Progress, deadline: float) -> None:
        began = time.monotonic()
        told = 0
        while True:
            exited = self._child is not None and self._child.poll() is not None
            if exited:
                raise ServerNotStarted(
                    _last_lines(self._log_since(max(0, self.log.stat().st_size - 8192))), str(self.log)
                )
            if self._answers():
                return
            now = time.monotonic()
            if now > deadline:
                raise ServerNotStarted(f"等了 {now - began:.0f} 秒还没有准备好", str(self.log))
            if int(now - began) > told:
                told = int(now - began)
                tell(f"内置数据库正在启动或恢复，已等 {told} 秒")
            time.sleep(0.03)

    def _answers(self) -> bool:
        try:
            with self._admin("postgres"):
                return True
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise DataFolderUnusable(
                    str(self.data),
                    "secrets 里的口令和数据库的不一致",
                    "请从备份恢复 secrets 目录；演示数据可以用 dizuo reset 重新开始。",
                ) from error
            return False

    def _admin(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.dsn(roles.ADMIN, database), autocommit=True, connect_timeout=10)

    def _create_roles_and_database(self) -> None:
        def password_of(role: str) -> str:
            return secret_text(self.data, f"database-{role}")

        with self._admin("postgres") as connection:
            roles.ensure_role(connection, roles.OWNER, password_of(roles.OWNER), owner=True)
            roles.ensure_service_roles(connection, password_of)
            for database in ("postgres", "template1"):
                connection.execute(
                    sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
                )
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE postgres TO {}").format(sql.Identifier(roles.OWNER))
            )
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [roles.DATABASE]
            ).fetchone()
            if known is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(roles.DATABASE), sql.Identifier(roles.OWNER)
                    )
                )
        (self._launch.home / _READY).touch(mode=0o600)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with _private(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _private(path: Path) -> IO[bytes]:
    """A lock file that only its owner can open, because whoever opens it can hold it."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")


def _last_lines(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "没有留下日志"


def _silent(_: str) -> None:
    return None
