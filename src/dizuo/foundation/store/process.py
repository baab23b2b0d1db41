"""Which process, if any, is the postmaster of a cluster: postmaster.pid is believed only when the process is one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_PID_FILE = "postmaster.pid"


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but was not collected by its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[:1] != ["Z"]


def postmaster_pid(cluster: Path) -> int | None:
    lines = _pid_file(cluster)
    if not lines or not lines[0].lstrip("-").isdigit():
        return None
    pid = abs(int(lines[0]))
    return pid if alive(pid) and _serves(pid, cluster) else None


def postmaster_port(cluster: Path) -> int | None:
    """The TCP port when the running server listens on one; None when it has only its socket."""
    lines = _pid_file(cluster)
    if len(lines) < 6 or not lines[5].strip() or not lines[3].isdigit():
        return None
    return int(lines[3])


def lost_its_socket(cluster: Path) -> bool:
    """Whether a ready server can no longer be reached: an older one on a deleted folder removes the name on its way out."""
    lines = _pid_file(cluster)
    if len(lines) < 8 or not lines[7].startswith("ready"):
        return False
    return bool(lines[4]) and not (Path(lines[4]) / f".s.PGSQL.{lines[3]}").exists()


def remove_stale_pid_file(cluster: Path) -> None:
    """After a crash the number in postmaster.pid may belong to a stranger, and PostgreSQL would refuse to start."""
    if postmaster_pid(cluster) is None:
        (cluster / _PID_FILE).unlink(missing_ok=True)


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / _PID_FILE).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _serves(pid: int, cluster: Path) -> bool:
    """A postmaster works in its cluster's folder; a stranger that inherited the number does not."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")).samefile(cluster)
    except OSError:
        pass
    try:
        told = subprocess.run(  # noqa: S603
            ["/bin/ps", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return True  # cannot tell: better not to start a second server on the same files
    return "postgres" in told.stdout
