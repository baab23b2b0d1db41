"""What this machine can do at all, taken in the same run as the figure that is held against it.

Used by the other benches; alone it prints PostgreSQL's own ceilings: ``python bench/ceilings.py [--seconds 5]``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from dizuo.foundation.store import OWNER, Connection, Server, connect
from dizuo.foundation.store.roles import ADMIN
from dizuo.foundation.store.tuning import memory_bytes

BARE_RECORDS = """
SELECT json_agg(r.data ORDER BY k.n)::text FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k(register, key, n)
JOIN registers.record r ON r.register = k.register AND r.key = k.key AND r.superseded_at IS NULL
"""
"""The records of these keys, in their order, in one statement: no policy, no entry. Nobody may do so in production."""


@dataclass
class Figure:
    """One measured rate or time over several rounds; the median is what is reported."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def line(self, against: Figure | None = None) -> str:
        spread = f"{min(self.values):,.0f}–{max(self.values):,.0f}"
        if max(self.values) < 100:
            text = f"{self.name:<58}{self.median:>12.2f} {self.unit:<12}"
        else:
            text = f"{self.name:<58}{self.median:>12,.0f} {self.unit:<12}{spread:>22}"
        return text if against is None else f"{text}   {self.median / against.median:.2f} × {against.name}"


def machine() -> str:
    """Processor, cores, memory, load, versions: what a figure means nothing without."""
    processor = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{processor}, {os.cpu_count()} cores, {memory_bytes() / 2**30:.0f} GiB, load before {load}; "
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


@contextmanager
def own_server(**options: str) -> Iterator[Server]:
    """A server with production settings in a folder of its own, deleted afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dz-bench-"))
    folder.chmod(0o755)
    server = Server.start(folder, options=options)
    try:
        yield server
    finally:
        server.stop()
        Server.remove(folder)
        shutil.rmtree(folder)


async def rate(work: Callable[[], Awaitable[int]], seconds: float) -> float:
    """Things per second of ``work`` (which returns how many it did), repeated for about so long."""
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds or not done:
        done += await work()
    del passed
    return done / (time.perf_counter() - began)


def database_seconds(server: Server) -> float:
    """Processor time of the server and its present children so far, in seconds; NaN where /proc is missing."""
    if server.pid is None or not Path("/proc/self/stat").exists():
        return float("nan")
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == server.pid or int(fields[1]) == server.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def pgbench(server: Server, *arguments: str, seconds: int, clients: int = 16) -> float:
    """Transactions per second of PostgreSQL's own pgbench, prepared statements; 0 when it is not installed."""
    program = server.binaries.program("pgbench")
    if not Path(program).exists():
        return 0.0
    parts = psycopg.conninfo.conninfo_to_dict(server.dsn(ADMIN, "bench"))
    environment = {
        "PGHOST": str(parts["host"]),
        "PGPORT": str(parts["port"]),
        "PGUSER": ADMIN,
        "PGPASSWORD": str(parts["password"]),
        "PATH": os.environ.get("PATH", ""),
    }
    with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bench'").fetchone()
        if known is None:
            connection.execute("CREATE DATABASE bench")
            subprocess.run(
                [program, "-i", "-q", "-s", "10", "bench"], env=environment, check=True, capture_output=True
            )
    argv = [
        program,
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j",
        "2",
        "-T",
        str(seconds),
        *arguments,
        "bench",
    ]
    told = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout
    match = re.search(r"tps = ([\d.]+)", told)
    return float(match[1]) if match else 0.0


class PlainTable:
    """Rows like the ledger's, with the same indexes and nothing else: what writing them must cost."""

    def __init__(self, connection: Connection, row: Sequence[Any]) -> None:
        self._connection = connection
        self._row = tuple(row)

    @classmethod
    async def make(cls, server: Server, body: object, payload: object) -> PlainTable:
        connection = await connect(server.dsn(OWNER))
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS public.plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " tx xid8 NOT NULL DEFAULT pg_current_xact_id(), at timestamptz NOT NULL DEFAULT now(), subject bigint,"
            " kind text NOT NULL, body jsonb NOT NULL, commitment bytea NOT NULL, salt bytea, payload jsonb);"
            "CREATE INDEX IF NOT EXISTS plain_order ON public.plain (tx, id);"
            "CREATE INDEX IF NOT EXISTS plain_subject ON public.plain (subject, id)"
        )
        return cls(connection, (7, "read", body, bytes(32), bytes(16), payload))

    async def copy(self, rows: int = 10_000) -> int:
        """One durable COPY BINARY."""
        columns = ["subject", "kind", "body", "commitment", "salt", "payload"]
        await self._connection.copy_records_to_table(
            "plain", schema_name="public", columns=columns, records=[self._row] * rows
        )
        return rows

    async def insert(self, rows: int = 500) -> int:
        """One durable INSERT of a group, from arrays."""
        await self._connection.execute(
            "INSERT INTO public.plain (subject, kind, body, commitment, salt, payload)"
            " SELECT * FROM unnest($1::bigint[], $2::text[], $3::jsonb[], $4::bytea[], $5::bytea[], $6::jsonb[])",
            *([value] * rows for value in self._row),
        )
        return rows

    async def close(self) -> None:
        await self._connection.close()


async def _main(seconds: int) -> None:
    print(machine())
    with own_server() as server:
        print(f"PostgreSQL {server.binaries.version}, embedded, fsync on\n")
        plain = await PlainTable.make(
            server, {"purpose": "newborn.hukou", "fields": ["a", "b"]}, {"case": "WX"}
        )
        figures = [
            Figure("COPY BINARY of ledger-like rows, 3 indexes", "rows/s"),
            Figure("INSERT of 500 ledger-like rows a transaction", "rows/s"),
            Figure("pgbench -S (point reads, 16 clients)", "tps"),
            Figure("pgbench -N (3 writes a transaction, 16 clients)", "tps"),
        ]
        for _ in range(3):
            figures[0].values.append(await rate(plain.copy, seconds / 2))
            figures[1].values.append(await rate(plain.insert, seconds / 2))
            figures[2].values.append(await asyncio.to_thread(pgbench, server, "-S", seconds=seconds))
            figures[3].values.append(await asyncio.to_thread(pgbench, server, "-N", seconds=seconds))
        await plain.close()
        for figure in figures:
            print(figure.line())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    asyncio.run(_main(parser.parse_args().seconds))
