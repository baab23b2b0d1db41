"""How much a lawful read costs: a parent's whole chain, entered, durable, released, beside the same look-ups bare.

    .venv/bin/python bench/reads.py --seconds 5

Prints reads per second and latency at 1, 16 and 64 callers in one process, processor time of the database and of the
process per read, ledger entries and bytes of log per read, and ratios against two ceilings measured in the same run:
``bare`` fetches the same records by key in one statement with no policy, entry or second step (nobody may in
production); ``entries`` appends as many ledger entries through the ledger's own batcher.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

from ceilings import BARE_RECORDS

from dizuo.engines.lake import demo_subjects
from dizuo.engines.lake.demonstrate import demonstrate
from dizuo.engines.registers import Actor, ReadRequest, Registers, publish
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.ledger import Batcher
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import APP, OWNER, Server, connect, discover, migrate, open_pool

ROOT = Path(__file__).resolve().parents[1]


def database_seconds(server: Server) -> float:
    """Processor time of the postmaster's children so far."""
    pid = server.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in children) / 1e9


class Measured:
    """What one pass showed, per operation."""

    def __init__(
        self, name: str, callers: int, took: list[float], wall: float, db: float, own: float
    ) -> None:
        self.name, self.callers, self.count = name, callers, len(took)
        self.rate = len(took) / wall
        self.p50 = statistics.median(took) * 1000
        self.p95 = sorted(took)[int(len(took) * 0.95)] * 1000
        self.db, self.own = db / len(took) * 1000, own / len(took) * 1000

    def __str__(self) -> str:
        return (
            f"{self.name:8} {self.callers:3} callers {self.rate:8.0f}/s  p50 {self.p50:6.2f} ms  p95 {self.p95:6.2f} ms"
            f"  CPU per op: database {self.db:5.2f} ms, process {self.own:5.2f} ms"
        )


async def measure(
    server: Server, name: str, work: Callable[[int], Awaitable[Any]], callers: int, seconds: float
) -> Measured:
    took: list[float] = []
    end = time.monotonic() + seconds

    async def caller(number: int) -> None:
        turn = number
        while time.monotonic() < end:
            before = time.perf_counter()
            await work(turn)
            took.append(time.perf_counter() - before)
            turn += callers

    db, own, wall = database_seconds(server), time.process_time(), time.monotonic()
    await asyncio.gather(*[caller(number) for number in range(callers)])
    return Measured(
        name,
        callers,
        took,
        time.monotonic() - wall,
        database_seconds(server) - db,
        time.process_time() - own,
    )


async def run(server: Server, folder: Path, people: int, seconds: float) -> None:
    city = load_city(ROOT / "cities" / "wuxi")
    await migrate(server, discover())
    owner = await connect(server.dsn(OWNER))
    await publish(owner, city)
    manifest, _ = await demonstrate(
        server, city, folder, folder / "deliveries", people=people, seed=2026, day=date(2026, 11, 23)
    )
    ids = demo_subjects(server, manifest.demo)
    parents = [ids[p.citizen_id] for p in manifest.demo if p.key in {"lin", "wang", "single"}]
    await owner.execute("VACUUM ANALYZE")
    pool = await open_pool(server.dsn(APP), min_size=4, max_size=8)
    bare_pool = await open_pool(server.dsn(OWNER), min_size=4, max_size=8)
    registers = Registers(pool, city, Policy.from_city(city))

    def request(turn: int) -> ReadRequest:
        person = parents[turn % len(parents)]
        return ReadRequest(
            "newborn", {"applicant": str(person)}, f"bench-{turn}", Actor("resident", subject=person)
        )

    shown = [await registers.read(request(turn)) for turn in range(len(parents))]
    keys = [
        [
            (fact.register, result.parties[fact.party].key)
            for fact in {f.party: f for f in result.facts.values()}.values()
        ]
        for result in shown
    ]
    entries = statistics.mean(len(result.entries) for result in shown)
    facts = statistics.mean(len(result.facts) for result in shown)
    sample = await owner.fetchrow("SELECT body, payload FROM ledger.entry WHERE id = $1", shown[0].entries[1])
    assert sample is not None
    entry = {
        "kind": "bench.entry",
        "body": sample["body"],
        "payload": sample["payload"],
        "subject": parents[0],
    }

    async def bare(turn: int) -> None:
        pairs = keys[turn % len(keys)]
        await bare_pool.fetchval(BARE_RECORDS, [register for register, _ in pairs], [key for _, key in pairs])

    async def append(batch: Any) -> Any:
        await pool.fetchval("SELECT ledger.append_batch($1)", [e for several in batch for e in several])
        return [None] * len(batch)

    appender = Batcher[Any, None](append, limit=128)
    several = [entry] * round(entries)
    passes: list[tuple[str, Callable[[int], Awaitable[Any]]]] = [
        ("read", lambda turn: registers.read(request(turn))),
        ("bare", bare),
        ("entries", lambda _: appender.submit(several)),
    ]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, {people} residents")
    print(f"one read: {facts:.0f} facts, {entries:.0f} ledger entries")
    for callers in (1, 16, 64):
        results = {}
        before = await owner.fetchval("SELECT pg_current_wal_insert_lsn()::text")
        for name, work in passes:
            results[name] = await measure(server, name, work, callers, seconds)
            print(results[name], flush=True)
            if name == "read":
                log = await owner.fetchval(
                    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)::float8", before
                )
                print(f"         {log / results[name].count / 1024:.1f} KiB of log per read")
        print(
            f"         read / bare {results['read'].rate / results['bare'].rate:.2f}"
            f"   read / entries {results['read'].rate / results['entries'].rate:.2f}"
        )
    for closing in (pool, bare_pool):
        closing.terminate()
    await owner.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4.0, help="per pass")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dizuo-reads-"))
    (folder / "data").mkdir()
    server = Server.start(folder / "data")
    try:
        asyncio.run(run(server, folder, options.people, options.seconds))
    finally:
        server.stop()
        server.close()
        Server.remove(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
