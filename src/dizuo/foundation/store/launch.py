"""How the server's programs are started, when PostgreSQL refuses to run as root and containers run everything as root.

As an ordinary user: directly. As root, in this order:

1. In a user namespace in which root's files belong to an ordinary user: nothing moves, no permission changes.
2. As a system user, with the database in the data folder when that user can reach it.
3. As a system user, with the database (and, if need be, the programs) under /var/lib/dizuo; the data folder keeps a
   link to it and the note says so. The permissions of parent folders are never opened.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from dizuo.foundation.store.binaries import Binaries
from dizuo.foundation.store.errors import DataFolderUnusable, ServerNotStarted

HOME = "postgres"
_NAMESPACE_USER = 1000
_SYSTEM_USERS = ("dizuo", "postgres", "nobody")
_SYSTEM_HOME = Path("/var/lib/dizuo")
# A clean environment: PG* variables, a missing HOME or a strange locale of the caller change nothing.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Launch:
    """One way to start programs: ``home`` holds the cluster, ``note`` tells the operator what was unusual."""

    binaries: Binaries
    home: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None
    note: str | None = None

    def command(self, program: str, *arguments: str) -> list[str]:
        return [*self.prefix, self.binaries.program(program), *arguments]

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            cwd="/",
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            umask=0o077,
        )

    def spawn(self, argv: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start in a session of its own, so that Ctrl-C in the terminal does not reach it before dizuo stops it."""
        return subprocess.Popen(  # noqa: S603
            argv,
            cwd="/",
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            umask=0o077,
        )

    def reaches(self) -> bool:
        """Whether the server's user can run its programs and write its folder."""
        test = 'test -x "$1" && test -w "$2" && test -x "$2"'
        argv = [*self.prefix, "/bin/sh", "-c", test, "sh", self.binaries.program("postgres"), str(self.home)]
        try:
            return self.run(argv, timeout=30).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False


def choose_launch(data: Path, binaries: Binaries) -> Launch:
    """The way to start the server whose data folder is ``data`` (made when missing).

    Errors: DataFolderUnusable when the folder belongs to another user; ServerNotStarted when root finds no way.
    """
    link = data / HOME
    if os.geteuid() != 0:
        link.mkdir(parents=True, exist_ok=True, mode=0o700)
        if link.stat().st_uid != os.geteuid():
            raise DataFolderUnusable(
                str(data), "它属于另一个用户", "请换一个 --data 目录，或用原来的用户运行。"
            )
        return Launch(binaries, link.resolve())
    return _as_root(data, link, binaries)


def _as_root(data: Path, link: Path, binaries: Binaries) -> Launch:
    data.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not link.is_symlink():
        link.mkdir(exist_ok=True, mode=0o700)
    home = link.resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    owner = home.stat().st_uid
    if owner == 0:
        launch = Launch(binaries, home, prefix=_namespace_prefix())
        if launch.prefix and launch.reaches():
            return launch
    for user in _system_users(owner):
        launch = _as_user(data, link, home, binaries, user)
        if launch is not None:
            return launch
    raise ServerNotStarted(
        "以 root 运行时，PostgreSQL 要用普通用户启动，而这里既不能建用户命名空间，也没有可用的系统用户",
        str(home / "server.log"),
        fix="请用普通用户运行 dizuo，或先建一个用户：useradd --system dizuo。",
    )


def _namespace_prefix() -> tuple[str, ...]:
    tool = shutil.which("unshare", path=_ENVIRONMENT["PATH"])
    if tool is None:
        return ()
    return (tool, "--user", f"--map-user={_NAMESPACE_USER}", f"--map-group={_NAMESPACE_USER}", "--")


def _system_users(owner: int) -> list[pwd.struct_passwd]:
    """Candidates, first the one that already owns the cluster."""
    found: list[pwd.struct_passwd] = []
    if owner != 0:
        try:
            return [pwd.getpwuid(owner)]
        except KeyError:
            return []
    for name in _SYSTEM_USERS:
        try:
            found.append(pwd.getpwnam(name))
        except KeyError:
            continue
    return found


def _as_user(
    data: Path, link: Path, home: Path, binaries: Binaries, user: pwd.struct_passwd
) -> Launch | None:
    launch = Launch(binaries, home, user=user.pw_uid, group=user.pw_gid)
    _give(home, user)
    if launch.reaches():
        return replace(launch, note=f"内置数据库以系统用户 {user.pw_name} 运行。")
    moved = _SYSTEM_HOME / hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
    _SYSTEM_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)
    launch = replace(launch, home=moved, binaries=_reachable_binaries(launch))
    if home != moved:
        if any(home.iterdir()):
            return None  # a cluster is there that this user cannot reach: never start an empty one beside it
        moved.mkdir(exist_ok=True, mode=0o700)
        _give(moved, user)
        if not launch.reaches():
            return None
        link.rmdir()
        link.symlink_to(moved)
    elif not launch.reaches():
        return None
    return replace(launch, note=f"内置数据库以系统用户 {user.pw_name} 运行，数据在 {moved}。")


def _give(folder: Path, user: pwd.struct_passwd) -> None:
    if folder.stat().st_uid == user.pw_uid:
        return
    for parent, _, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in files)):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _reachable_binaries(launch: Launch) -> Binaries:
    """The programs themselves when the user can run them, else a copy that it can run."""
    check = [launch.binaries.program("postgres"), "--version"]
    try:
        if launch.run(check, timeout=30).returncode == 0:
            return launch.binaries
    except OSError:
        pass
    copy = _SYSTEM_HOME / f"postgresql-{launch.binaries.version}"
    if not copy.exists():
        beside = copy.with_name(f".{copy.name}.{os.getpid()}")
        for part in ("bin", "lib", "share"):
            shutil.copytree(launch.binaries.root / part, beside / part, symlinks=True)
        for folder, _, _ in os.walk(beside):
            os.chmod(folder, 0o755)  # noqa: S103 - programs, readable by the server's user
        beside.rename(copy)
    return Binaries(copy, launch.binaries.version)
