"""How fast golden records become served registers: the first load of a city, a day's change, and the way round by absorb.

    .venv/bin/python bench/publish.py --people 200000 --daily 50000 --absorb 50000

Makes an invented city of golden records in DuckDB (persons, households, marriages, insurance, licences, estate: about 2.6
records a person, 演示数据), loads it with ``registers.bulk_load``, prints seconds and rows/s of each stage, peak memory of this
process and of the server's processes, and the size on disk; then a daily change of ``--daily`` persons through
``registers.absorb_golden`` and the reading of their change feed; and for comparison ``--absorb`` persons through today's
``registers.absorb`` in chunks of 50,000 and as many rows through plain COPY (the ceiling).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import platform
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg

from dizuo.engines.registers import publish
from dizuo.engines.registers.bulk import BulkRows, bulk_load
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.store import LOADER, OWNER, Server, connect, discover, migrate

ROOT = Path(__file__).resolve().parents[1]
CHUNK = 50_000
# One part of each register's fields; every row is made from its number alone, so the same rows come again.
PERSON = """
SELECT key, '{"citizen_id":"' || key || '","name":"演示' || i || '","surname":"演","given_name":"示' || i
    || '","sex":"' || (1 + i % 2) || '","birth_date":"' || (DATE '1940-01-01' + (i % 30000)::INTEGER)
    || '","ethnicity":"01","native_place":"江苏无锡","birth_place":"江苏省无锡市","hukou_kind":"1","hukou_address":"'
    || '江苏省无锡市梁溪区崇安寺街道中山路' || (i % 900) || '号' || (i % 30) || '室","division":"320213001","household_no":"H'
    || (i // 3) || '","relation_to_head":"02","residence_address":"江苏省无锡市新吴区旺庄街道长江路' || (i % 700)
    || '号","residence_division":"320214001","id_valid_to":"2036-01-01","state":"1"'
    || CASE WHEN i % 4 = 0 THEN ',"mother_citizen_id":"' || num(i + 1) || '","father_citizen_id":"' || num(i + 2) || '"'
            ELSE '' END
    || CASE WHEN i % 3 > 0 THEN ',"phone":"1390000' || (i % 10000) || '"' ELSE '' END || '}' AS data,
    CASE WHEN i % 3 > 0 THEN '{"psb":"2026-11-20","data":"2026-11-01"}' ELSE '{"psb":"2026-11-20"}' END AS sources,
    DATE '2026-11-20' AS valid_from, NULL::DATE AS valid_to, key AS s0
FROM (SELECT i, num(i) AS key FROM range({n}) AS t(i))
"""
OTHERS: dict[str, tuple[float, str, str, tuple[tuple[str, str], ...]]] = {
    "household": (0.34, "'H' || i", """'{"household_no":"H' || i || '","head_citizen_id":"' || num(i * 3) || '","address":"中山路'
        || (i % 900) || '号"}'""", (("head_citizen_id", "num(i * 3)"),)),
    "marriage": (0.13, "'J320200-' || i", """'{"certificate_no":"J320200-' || i || '","husband_citizen_id":"' || num(i * 2)
        || '","wife_citizen_id":"' || num(i * 2 + 1) || '","state":"1","registered_on":"2015-05-20","office":"无锡市民政局"}'""",
        (("husband_citizen_id", "num(i * 2)"), ("wife_citizen_id", "num(i * 2 + 1)"))),
    "social_insurance": (0.40, "num(i)", """'{"citizen_id":"' || num(i) || '"}'""", (("citizen_id", "num(i)"),)),
    "medical_insurance": (0.48, "num(i)", """'{"citizen_id":"' || num(i) || '"}'""", (("citizen_id", "num(i)"),)),
    "e_licence": (0.13, "'L' || i", """'{"number":"L' || i || '","holder_citizen_id":"' || num(i * 5) || '"}'""",
        (("holder_citizen_id", "num(i * 5)"),)),
    "real_estate": (0.13, "'320200-' || i", """'{"unit_no":"320200-' || i || '","owner_citizen_id":"' || num(i * 7 % {n})
        || '"}'""", (("owner_citizen_id", "num(i * 7 % {n})"),)),
}  # fmt: skip
OWNERS = {
    "household": "psb",
    "marriage": "civil",
    "social_insurance": "hrss",
    "medical_insurance": "medical",
    "e_licence": "data",
    "real_estate": "land",
}


def the_city(lake: duckdb.DuckDBPyConnection, people: int) -> list[BulkRows]:
    """The relations of an invented city; numbers have 18 places and no right check digit."""
    lake.execute("CREATE MACRO num(i) AS '320213' || lpad((i)::BIGINT::VARCHAR, 12, '0')")
    found = [BulkRows("person", PERSON.replace("{n}", str(people)), (("s0", "citizen_id"),))]
    for register, (share, key, data, subjects) in OTHERS.items():
        count = max(1, int(people * share))
        columns = ", ".join(f"{of.replace('{n}', str(people))} AS s{k}" for k, (_, of) in enumerate(subjects))
        found.append(
            BulkRows(
                register,
                f"""SELECT {key} AS key, {data.replace("{n}", str(people))} AS data,
                '{{"{OWNERS[register]}":"2026-11-20"}}' AS sources, DATE '2026-11-20' AS valid_from,
                NULL::DATE AS valid_to, {columns} FROM range({count}) AS t(i)""",
                tuple((f"s{k}", "citizen_id") for k in range(len(subjects))),
            )
        )
    return found


class Watch:
    """Peak resident memory, in MB, of this process and of the server's processes (their shared buffers counted once)."""

    def __init__(self, server: Server) -> None:
        self.own = self.server = 0
        self._pid = server.pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            self.own = max(self.own, _memory(os.getpid(), "RssAnon") + _memory(os.getpid(), "RssFile"))
            try:
                children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
            except OSError:
                continue
            shared = max((_memory(int(c), "RssShmem") for c in children), default=0)
            self.server = max(self.server, shared + sum(_memory(int(c), "RssAnon") for c in children))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def _memory(pid: int, kind: str) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(kind):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return 0


def by_absorb(server: Server, lake: duckdb.DuckDBPyConnection, rows: BulkRows, count: int) -> float:
    """Seconds for ``count`` persons through intake and absorb in chunks of 50,000, as the loader does today."""
    began = time.monotonic()
    with psycopg.connect(server.dsn(LOADER)) as connection:
        for start in range(0, count, CHUNK):
            load = uuid.uuid4()
            lines = lake.sql(
                f"SELECT '{load}' || chr(9) || ({start} + row_number() OVER ()) || chr(9) || 'person' || chr(9) || key"
                " || chr(9) || 'psb' || chr(9) || '2026-11-20' || chr(9) || data || chr(10) AS line"
                f" FROM ({rows.sql}) LIMIT {CHUNK} OFFSET {start}"
            ).fetchall()
            with connection.cursor().copy(
                "COPY registers.intake (load, line, register, key, source, source_date, data) FROM STDIN"
            ) as copy:
                for (line,) in lines:
                    copy.write(line.replace(',"phone":"', ',"birth_certificate_no":"'))
            connection.execute("SELECT registers.absorb(%s, '{}')", (load,))
            connection.commit()
    return time.monotonic() - began


def by_copy(server: Server, lake: duckdb.DuckDBPyConnection, rows: BulkRows, count: int) -> float:
    """Seconds for plain COPY of the same persons into a table without index: the ceiling."""
    with psycopg.connect(server.dsn(OWNER)) as connection:
        connection.execute("CREATE TABLE bare (key text, data jsonb, sources jsonb)")
        began = time.monotonic()
        reader = lake.sql(
            "SELECT key || chr(9) || data || chr(9) || sources || chr(10) AS line"
            f" FROM ({rows.sql}) LIMIT {count}"
        ).to_arrow_reader(25_000)
        with connection.cursor().copy("COPY bare FROM STDIN") as copy:
            for batch in reader:
                copy.write("".join(batch.column(0).to_pylist()))
        connection.commit()
        took = time.monotonic() - began
        connection.execute("DROP TABLE bare")
        connection.commit()
    return took


async def prepare(server: Server, folder: Path) -> None:
    await migrate(server, discover())
    city = load_city(folder)
    connection = await connect(server.dsn(OWNER))
    try:
        await publish(connection, city)
    finally:
        await connection.close()


def on_disk(server: Server) -> dict[str, int]:
    with psycopg.connect(server.dsn(OWNER)) as connection:
        rows = connection.execute(
            "SELECT c.relname, pg_total_relation_size(c.oid), pg_indexes_size(c.oid) FROM pg_class c"
            " WHERE c.oid IN ('registers.record'::regclass, 'registers.lookup'::regclass, 'registers.identity'::regclass)"
        ).fetchall()
    return {name: total for name, total, _ in rows}


def told(name: str, rows: int, seconds: float) -> None:
    print(f"  {name:12} {rows:>12,} rows {seconds:8.1f} s {rows / max(seconds, 1e-9):>12,.0f} rows/s")


def main(say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--daily", type=int, default=50_000)
    parser.add_argument("--absorb", type=int, default=50_000)
    parser.add_argument("--memory", default="2GB", help="DuckDB's memory limit")
    parser.add_argument("--city", type=Path, default=ROOT / "cities" / "wuxi")
    parser.add_argument("--folder", type=Path, default=None, help="where the database may grow")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dizuo-publish-", dir=chosen.folder))
    say(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {chosen.people:,} people"
    )
    server = Server.start(folder)
    try:
        asyncio.run(prepare(server, chosen.city))
        lake = duckdb.connect(str(folder / "lake.duckdb"))
        lake.execute(f"SET memory_limit = '{chosen.memory}'")
        rows = the_city(lake, chosen.people)
        watch = Watch(server)
        began = time.monotonic()
        digest = hashlib.sha256(f"{chosen.people}".encode()).hexdigest()
        loaded = bulk_load(server, lake, rows, digest=digest, about={"bench": "publish"})
        wall = time.monotonic() - began
        watch.stop()
        say("first load:")
        for stage in loaded.stages:
            told(stage.name, stage.rows, stage.seconds)
        told("all of it", loaded.rows, wall)
        say(f"  peak memory: this process {watch.own:,} MB, PostgreSQL {watch.server:,} MB")
        sizes = on_disk(server)
        say("  on disk: " + ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in sizes.items()))
        if chosen.absorb:
            ceiling = by_copy(server, lake, rows[0], chosen.absorb)
            told("plain COPY", chosen.absorb, ceiling)
            fresh = BulkRows(
                "person",
                PERSON.replace("{n}", str(chosen.absorb))
                .replace("'演示'", "'另示'")
                .replace("num(i) AS key", "num(i + 900000000) AS key"),
                (),
            )
            told("absorb", chosen.absorb, by_absorb(server, lake, fresh, chosen.absorb))
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
