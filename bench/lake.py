"""The whole data platform in one run: from departments' files to served registers, then one day's changes.

    .venv/bin/python bench/lake.py --people 200000 [--memory 4GB] [--keep DIR] [--deliveries DIR]

Prints wall time, rows/s and peak memory of every stage (this process, its children and the database together; the database's
shared memory is counted once, not once for each of its processes), the size on disk, how long a day's changes take until they
are served, and how well identities agree with the simulator's truth: pairwise precision and recall, also for each kind of error.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import duckdb
import psycopg
from ceilings import machine
from simulate import _family as family

from dizuo.commands import building
from dizuo.engines.lake.identity import identity_map
from dizuo.engines.lake.intake import Intake
from dizuo.engines.lake.pipeline import Ran, run_lake
from dizuo.engines.lake.simulation import read_sources, simulate_sources
from dizuo.engines.lake.taking import take_folder
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.store import APP, LOADER, OWNER, Database, Server, open_pool


class Memory:
    """Samples the memory of this process and all that it started: what is their own, and what they share once.

    ``peak`` in bytes, in all; ``stage`` since `next_stage`; ``shared`` is the size of the database's shared memory.
    """

    def __init__(self) -> None:
        self.peak = 0
        self.stage = 0
        self.shared = 1 << 62
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def next_stage(self) -> int:
        """The peak since this was asked last."""
        before, self.stage = self.stage, 0
        return before

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            own = shared = 0
            for pid in family(os.getpid()):
                mine, common = _resident(pid)
                own += mine
                shared += common
            now = own + min(shared, self.shared)
            self.peak, self.stage = max(self.peak, now), max(self.stage, now)


def _resident(pid: int) -> tuple[int, int]:
    """(own, shared) bytes of a process that are in memory; nothing when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss")}
    return sizes.get("RssAnon", 0) + sizes.get("RssFile", 0), sizes.get("RssShmem", 0)


ROOT = Path(__file__).resolve().parents[1]
DAY = dt.date(2026, 11, 19)


async def deliver(
    database: Database,
    city: City,
    data: Path,
    folder: Path,
    until: dt.date,
    after: dt.date | None,
    memory: str,
    watched: Memory,
    steps: bool,
) -> tuple[float, Ran]:
    """Take what has arrived, run, and say how long both took."""
    began = time.monotonic()
    peaks: dict[str, int] = {}
    used = [time.process_time()]
    last = [began, ""]

    def tell(what: str, _: int, __: int) -> None:
        stage = what.split(" ", 1)[0]
        peaks[stage] = max(peaks.get(stage, 0), watched.next_stage())
        now = time.monotonic()
        if steps and (what != last[1] or now - float(last[0]) > 5):
            busy = time.process_time()
            print(
                f"    {now - began:8.1f} s +{now - float(last[0]):6.1f}, processor {busy - used[0]:6.1f}  {what}",
                flush=True,
            )
            last[:], used[0] = (now, what), busy

    now = FrozenNow(dt.datetime.combine(until, dt.time(22), SHANGHAI))
    loader = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    door = await open_pool(database.dsn(APP), min_size=1, max_size=2)
    try:
        taken = await take_folder(
            Intake.of(loader, city, data, now), folder, until=until, after=after, tables=tables(database),
            door=Intake.of(door, city, data, now),
        )  # fmt: skip
    finally:
        await loader.close()
        await door.close()
    print(
        f"received  {sum(one.bytes for one in taken) / 1e6:,.0f} MB in {len(taken)} deliveries, {time.monotonic() - began:.1f} s"
    )
    ran = await run_lake(database, city, data, now=now, memory=memory, tell=tell, ready=after is None)
    seconds = time.monotonic() - began - sum(s.seconds for s in ran.stages if s.name == "备好")
    tell("", 0, 0)
    print(
        "peak memory by stage: " + ", ".join(f"{stage} {peak / 1e9:.2f} GB" for stage, peak in peaks.items())
    )
    return seconds, ran


def tables(database: Database) -> str:
    """A database of its own for the departments that are pulled."""
    owner = urlsplit(database.dsn(OWNER))
    with psycopg.connect(database.dsn(OWNER), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'department'").fetchone():
            connection.execute("CREATE DATABASE department")
    return urlunsplit(owner._replace(path="/department"))


def told(what: str, seconds: float, ran: Ran, memory: Memory) -> None:
    rows = sum(one.rows_in for one in ran.deliveries.values())
    print(
        f"\n{what}: {rows:,} rows in {seconds:,.1f} s, {rows / seconds:,.0f} rows/s; peak memory so far {memory.peak / 1e9:.2f} GB"
    )
    for stage in ran.stages:
        print(
            f"  {stage.name:8} {stage.rows:>12,} rows {stage.seconds:>9.1f} s {stage.rows / max(stage.seconds, 1e-9):>12,.0f} rows/s"
        )
    fates = {
        name: sum(getattr(one, f"rows_{name}") for one in ran.deliveries.values())
        for name in ("published", "merged", "held", "rejected")
    }
    print(
        "  " + ", ".join(f"{name} {count:,}" for name, count in fates.items()),
        f"records {sum(ran.records.values()):,}",
    )
    for one in ran.deliveries.values():
        if one.state != "published":
            print(f"  {one.source} {one.period}: {one.state} {one.why_says}")


def accuracy(mapped: Path, truth: list[Path]) -> None:
    """Pairs that belong together and are together, from group sizes alone: no pair is ever written down."""
    lake = duckdb.connect()
    files = ", ".join(f"'{one}'" for one in truth)
    now = identity_map(lake, mapped).everybody
    lake.execute(
        "CREATE TABLE m AS SELECT r.record_id, r.entity, r.cid, t.entity_id, t.errors"
        f" FROM {now} r JOIN (SELECT record_id, any_value(entity_id) AS entity_id, any_value(errors) AS errors"
        f" FROM read_parquet([{files}]) GROUP BY record_id) t USING (record_id)"
    )
    pairs = "sum(n * (n - 1) / 2)::DOUBLE"
    for (entity,) in lake.execute("SELECT DISTINCT entity FROM m ORDER BY 1 DESC").fetchall():
        found: list[float] = []
        for by in ("cid, entity_id", "cid", "entity_id"):
            query = f"SELECT {pairs} FROM (SELECT count(*) AS n FROM m WHERE entity = ? GROUP BY {by})"
            row = lake.execute(query, [entity]).fetchone()
            found.append(float(row[0]) if row and row[0] else 0.0)
        both, said, true = found
        precision, recall = both / said if said else 1.0, both / true if true else 1.0
        count = lake.execute(
            "SELECT count(*), count(DISTINCT cid), count(DISTINCT entity_id) FROM m WHERE entity = ?",
            [entity],
        ).fetchone()
        assert count is not None
        print(
            f"\nidentity of {entity}: {count[0]:,} mentions, {count[1]:,} identities, {count[2]:,} in truth;"
            f" precision {precision:.4f}, recall {recall:.4f}, F1 {2 * precision * recall / (precision + recall):.4f}"
        )
    # A mention with an error is found when it stands where most mentions of its entity stand.
    rows = lake.execute(
        "WITH main AS (SELECT entity_id, mode(cid) AS cid FROM m GROUP BY entity_id HAVING count(*) > 1)"
        " SELECT e, count(*), avg((m.cid = main.cid)::INT) FROM (SELECT *, unnest(errors) AS e FROM m) m JOIN main USING (entity_id)"
        " GROUP BY e ORDER BY 3"
    ).fetchall()
    print("recall of mentions by kind of error (of entities with several mentions):")
    for kind, count, share in rows:
        print(f"  {kind:24} {count:>10,} {share:.4f}")


def size_of(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink()) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--memory", default="4GB", help="DuckDB's limit in each stage")
    parser.add_argument("--deliveries", type=Path, help="a folder that was simulated for this day before")
    parser.add_argument("--steps", action="store_true", help="say what is being done, and since when")
    parser.add_argument("--keep", type=Path, help="keep everything in this folder")
    options = parser.parse_args()
    print(machine())
    folder: Path = options.keep or Path(tempfile.mkdtemp(prefix="dizuo-lake-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    city = load_city(ROOT / "cities" / "wuxi")
    try:
        with Memory() as memory:
            simulated: Path = options.deliveries or folder / "simulated"
            if options.deliveries is None:
                began = time.monotonic()
                made = simulate_sources(
                    city, simulated, people=options.people, seed=options.seed, day=DAY, days=1
                )
                seconds, rows = time.monotonic() - began, sum(one.rows for one in made.deliveries)
                print(
                    f"simulated {rows:,} rows of {options.people:,} people in {seconds:.1f} s, peak memory {memory.peak / 1e9:.2f} GB"
                )
            manifest = read_sources(simulated)
            measure(city, folder / "data", simulated, manifest.day, options.memory, memory, options.steps)
            truth = [simulated / one.path for one in manifest.truth]
            accuracy(folder / "data" / "lake" / "identity" / "map.parquet", truth)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def measure(
    city: City, data: Path, simulated: Path, day: dt.date, memory: str, watched: Memory, steps: bool
) -> None:
    """The first load and a day's changes on a database of their own."""
    data.mkdir(parents=True, exist_ok=True)
    with Server.start(data) as server:
        with psycopg.connect(server.dsn(OWNER)) as connection:
            row = connection.execute("SELECT pg_size_bytes(current_setting('shared_memory_size'))").fetchone()
            watched.shared = int(row[0]) if row else watched.shared
        asyncio.run(building.publish(server, city, lambda *_: None))
        seconds, ran = asyncio.run(deliver(server, city, data, simulated, day, None, memory, watched, steps))
        told("first load", seconds, ran, watched)
        print(
            f"  on disk: lake {size_of(data / 'lake'):.2f} GB, database {size_of(data / 'postgres'):.2f} GB"
        )
        seconds, ran = asyncio.run(
            deliver(server, city, data, simulated, day + dt.timedelta(days=1), day, memory, watched, steps)
        )
        told("a day's changes", seconds, ran, watched)
        print(f"  from delivery to served: {seconds:.1f} s")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore::DeprecationWarning")
    main()
