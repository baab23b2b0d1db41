"""Settings of the embedded server, by the memory of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_MIB = 1024 * 1024
_UNKNOWN_MEMORY = 4 * 1024 * _MIB


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, or less when a container says so."""
    amounts = [amount for amount in (_machine(), _container()) if amount is not None]
    return min(amounts, default=_UNKNOWN_MEMORY)


def _machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def _container() -> int | None:
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return int(Path(file).read_text("ascii"))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return None


def settings(memory: int, socket_folder: Path, port: int, *, tcp: bool) -> dict[str, str]:
    """postgresql.conf as a mapping, for a machine that also runs dizuo itself.

    Shapes: ``memory`` in bytes. Durability is never traded: fsync, full_page_writes and synchronous_commit stay on.
    """
    shared = max(256, min(1024, memory // _MIB // 24))
    return {
        "listen_addresses": "127.0.0.1" if tcp else "",
        "port": str(port),
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "120",
        # A prepared transaction would outlive its session, and with it the check that a commit is durable.
        "max_prepared_transactions": "0",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(512, memory // _MIB // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{max(64, min(512, memory // _MIB // 32))}MB",
        "wal_buffers": "16MB",
        "min_wal_size": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum_max_workers": "2",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.02",
        "timezone": "Asia/Shanghai",
        "log_timezone": "Asia/Shanghai",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_checkpoints": "off",
        # Statements carry personal data in their parameters: the server's log must not become a register.
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def as_conf(values: Mapping[str, str]) -> str:
    """The mapping in the syntax of postgresql.conf, sorted."""
    lines = (f"{name} = '{_quoted(value)}'" for name, value in sorted(values.items()))
    return (
        "# Written by dizuo at every start; change it through dizuo's settings.\n" + "\n".join(lines) + "\n"
    )


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
