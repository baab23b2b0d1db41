"""How fast rows that are linked become golden records and served registers: a first load, a day's change, and by absorb.

    .venv/bin/python bench/publish.py --people 200000 --daily 50000 --absorb 50000

Invents standard rows of eight sources and their identity map in DuckDB (about 2.4 rows a person, 演示数据, no name or number is
anybody's), then: golden records and the fate of every row; ``publish_first``; a delivery of the police with ``--daily`` persons
changed, golden records of those, ``publish_changes``; the change feed read to its end; and beside it ``--absorb`` persons through today's
``registers.absorb`` in chunks of 50,000 and through plain COPY without index (the ceiling). Prints seconds and rows/s of each
stage, processor time (which a busy machine does not change much), peak memory of this process and of the server's, and the size on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import psycopg

from dizuo.engines.lake.golden import (
    Delivery,
    Plan,
    build,
    open_golden,
    plan_of,
    publish_changes,
    publish_first,
)
from dizuo.engines.lake.golden import prepare as prepare_next
from dizuo.engines.lake.golden.words import bulk_rows
from dizuo.engines.registers import changes_after, declare_fallbacks, publish
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.store import LOADER, OWNER, Server, connect, discover, migrate

ROOT = Path(__file__).resolve().parents[1]
CHUNK = 50_000
MAP = "SELECT '{source}:' || {key} || ':{mention}' AS record_id, {cid}::BIGINT AS cid, 1 AS since FROM range({count}) AS t(i)"
STREET = "'江苏省无锡市梁溪区崇安寺街道中山路' || (i % 900) || '号' || (i % 30) || '室'"
# source → rows per person, row key, {column: DuckDB expression of i}, {mention: (city identity, whether the row has it)}
SOURCES: dict[str, tuple[float, str, dict[str, str], dict[str, str]]] = {
    "hukou": (0.69, "'R' || i", {
        "household_no": "'H' || (i // 3)", "citizen_id": "CASE WHEN i % 200 > 0 THEN num(i) END", "name": "'演示' || i",
        "sex": "(1 + i % 2)::VARCHAR", "birth_date": "DATE '1940-01-01' + (i % 30000)::INTEGER", "ethnicity": "'01'",
        "native_place": "'江苏无锡'", "birth_place": "'江苏省无锡市'", "relation_to_head": "CASE WHEN i % 3 = 0 THEN '02' ELSE '20' END",
        "hukou_kind": "'1'", "address": STREET, "address_division": "'320213001000'",
        "mother_citizen_id": "CASE WHEN i % 4 = 0 THEN num(i + 1) END", "father_citizen_id": "CASE WHEN i % 4 = 0 THEN num(i + 2) END",
        "id_valid_to": "DATE '2036-01-01'", "state": "'1'"}, {"self": "i"}),
    "residence_permits": (0.32, "'P' || i", {
        "name": "'演示' || (i + {hukou})", "id_kind": "'1'", "id_number": "num(i + {hukou})", "sex": "(1 + i % 2)::VARCHAR",
        "birth_date": "DATE '1940-01-01' + (i % 30000)::INTEGER", "hukou_place": "'安徽省'", "address": STREET,
        "address_division": "'320214001000'", "phone": "'1390000' || (i % 10000)", "issued_on": "DATE '2024-01-01'",
        "valid_to": "DATE '2027-01-01'"}, {"self": "i + {hukou}"}),
    "medical_insurance": (0.48, "'M' || i", {
        "name": "'演示' || (i * 2)", "id_number": "num(i * 2)", "kind": "'1'", "state": "'1'", "phone": "'1380000' || (i % 10000)",
        "address": STREET, "address_division": "'320213001000'"}, {"self": "i * 2"}),
    "social_insurance": (0.40, "'S' || i", {
        "name": "'演示' || (i * 2 + 1)", "citizen_id": "num(i * 2 + 1)", "sex": "'1'", "employer": "'演示公司' || (i % 1000)",
        "kind": "'1'", "state": "'1'", "phone": "'1370000' || (i % 10000)"}, {"self": "i * 2 + 1"}),
    "marriage": (0.13, "'J' || i", {
        "husband_name": "'演示' || (i * 4)", "husband_id": "num(i * 4)", "wife_name": "'演示' || (i * 4 + 2)",
        "wife_id": "num(i * 4 + 2)", "kind": "'1'", "registered_on": "DATE '2015-05-20'", "office": "'梁溪区民政局'"},
        {"husband": "i * 4", "wife": "i * 4 + 2"}),
    "real_estate": (0.13, "'C' || i", {
        "unit_no": "lpad(i::VARCHAR, 28, '0')", "owner": "'演示' || (i * 5)", "owner_id": "num(i * 5)", "address": STREET,
        "address_division": "'320213001000'", "area": "89.5", "share": "'1'", "registered_on": "DATE '2015-05-20'"},
        {"owner": "i * 5"}),
    "vehicles": (0.08, "'苏B' || i", {
        "plate_kind": "'02'", "owner": "'演示' || (i * 7)", "owner_id": "num(i * 7)", "phone": "'1360000' || (i % 10000)",
        "brand": "'演示牌'", "registered_on": "DATE '2015-05-20'", "state": "'1'"}, {"owner": "i * 7"}),
    "enterprises": (0.147, "'91320200' || lpad(i::VARCHAR, 10, '0')", {
        "uscc": "'91320200' || lpad(i::VARCHAR, 10, '0')", "name": "'演示公司' || i", "kind": "'1'",
        "legal_representative": "'演示' || (i * 6)", "legal_representative_id": "num(i * 6)", "capital": "1000000.0",
        "founded_on": "DATE '2015-05-20'", "address": STREET, "address_division": "'320213001000'", "scope": "'演示经营范围'",
        "industry": "'5111'", "state": "'1'", "phone": "'0510' || (i % 10000)"}, {"self": "1000000000 + i", "legal": "i * 6"}),
}  # fmt: skip
_TYPES = {
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "integer": "BIGINT",
    "decimal": "DECIMAL(24,4)",
    "boolean": "BOOLEAN",
}


def deliver(
    lake: duckdb.DuckDBPyConnection, city: City, folder: Path, people: int, day: int, changed: int
) -> tuple[list[Delivery], Path]:
    """Standard rows of the city as Parquet and the identity map; with ``changed`` only so many of the police's, with another address."""
    lake.execute("CREATE OR REPLACE MACRO num(i) AS '320213' || lpad((i)::BIGINT::VARCHAR, 12, '0')")
    folder.mkdir(parents=True)
    found: list[Delivery] = []
    maps: list[str] = []
    hukou = str(int(people * SOURCES["hukou"][0]))
    for nth, (source, (share, key, said, mentions)) in enumerate(SOURCES.items(), 1):
        if source not in city.sources or (changed and source != "hukou"):
            continue
        spec, count = city.sources[source], max(1, int(people * share))
        cells = ["i + 2 AS line", f"{key} AS row_key"]
        for column in spec.columns.values():
            value = said.get(column.id, f"{key}" if column.id == spec.row_key else "NULL").replace(
                "{hukou}", hukou
            )
            if source == "hukou" and column.id == "address" and changed:
                value = "'无锡市新吴区旺庄街道长江路' || i"
            if column.id == spec.as_of:
                value = f"TIMESTAMP '2026-11-{day} 08:00:00'"
            cells.append(f"({value})::{_TYPES.get(column.as_, 'VARCHAR')} AS {column.id}")
            if column.as_ == "citizen_id":
                cells += [f"NULL::VARCHAR AS {column.id}_other", f"'ok' AS {column.id}_state"]
            if column.as_ == "address":
                cells.append(f"{said.get(column.id + '_division', 'NULL')}::VARCHAR AS {column.id}_division")
        path = folder / f"{source}.parquet"
        lake.execute(
            f"COPY (SELECT {', '.join(cells)} FROM range(0, {count}, {max(1, count // changed) if changed else 1}) AS t(i))"
            f" TO '{path}' (FORMAT parquet)"
        )
        mode = "changes" if changed else "full"
        found.append(Delivery(source, day * 100 + nth, path, date(2026, 11, day), mode=mode))
        maps += [
            MAP.format(
                source=source, key=key, mention=mention, cid=cid.replace("{hukou}", hukou), count=count
            )
            for mention, cid in mentions.items()
        ]
    identity = folder / "map.parquet"
    lake.execute(f"COPY ({' UNION ALL '.join(maps)}) TO '{identity}' (FORMAT parquet)")
    return found, identity


def processor(server: Server) -> tuple[float, float]:
    """Processor seconds so far: of this process, and of the server with the sessions that have ended."""
    own = os.times()
    tick = os.sysconf("SC_CLK_TCK")
    used = 0.0
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in [str(server.pid), *children]:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used += sum(int(n) for n in fields[11:15]) / tick  # own and reaped children's, user and system
    return own.user + own.system, used


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


def by_absorb(server: Server, lake: duckdb.DuckDBPyConnection, golden: Path, plan: Plan, count: int) -> float:
    """Seconds for ``count`` new persons through intake and absorb in chunks of 50,000, as the loader does with one file."""
    register = next(r for r in plan.registers if r.id == "person")
    rows = bulk_rows(register, f"(SELECT * REPLACE (replace(key, '320213', '320299') AS key,"
                               f" replace(key, '320213', '320299') AS v_citizen_id) FROM '{golden}' WHERE key[1] <> 'T')")  # fmt: skip
    owned = ", ".join(f"'{f.id}', data->>'{f.id}'" for f in register.fields if f.owner == "psb")
    began = time.monotonic()
    with psycopg.connect(server.dsn(LOADER)) as connection:
        for start in range(0, count, CHUNK):
            load = uuid.uuid4()
            lines = (
                lake.cursor()
                .sql(
                    f"SELECT '{load}' || chr(9) || ({start} + row_number() OVER ()) || chr(9) || 'person' || chr(9) || key"
                    " || chr(9) || 'psb' || chr(9) || '2026-11-20' || chr(9) ||"
                    f" json_object({owned})::VARCHAR || chr(10) AS line"
                    f" FROM ({rows.sql}) LIMIT {min(CHUNK, count - start)} OFFSET {start}"
                )
                .fetchall()
            )
            with connection.cursor().copy(
                "COPY registers.intake (load, line, register, key, source, source_date, data) FROM STDIN"
            ) as copy:
                for (line,) in lines:
                    copy.write(line)
            connection.execute("SELECT registers.absorb(%s, '{}')", (load,))
            connection.commit()
    return time.monotonic() - began


def by_copy(server: Server, lake: duckdb.DuckDBPyConnection, golden: Path, plan: Plan, count: int) -> float:
    """Seconds for plain COPY of the same persons into a table without index: the ceiling."""
    register = next(r for r in plan.registers if r.id == "person")
    relation = bulk_rows(register, f"'{golden}'").sql
    with psycopg.connect(server.dsn(OWNER)) as connection:
        connection.execute("CREATE TABLE bare (key text, data jsonb, sources jsonb)")
        began = time.monotonic()
        reader = (
            lake.cursor()
            .sql(
                "SELECT key || chr(9) || data || chr(9) || sources || chr(10) AS line"
                f" FROM ({relation}) LIMIT {count}"
            )
            .to_arrow_reader(25_000)
        )
        with connection.cursor().copy("COPY bare FROM STDIN") as copy:
            for batch in reader:
                copy.write("".join(batch.column(0).to_pylist()))
        connection.commit()
        took = time.monotonic() - began
        connection.execute("DROP TABLE bare")
        connection.commit()
    return took


async def followed(server: Server) -> tuple[int, float]:
    """How many changes the feed holds and the seconds to read them all."""
    connection = await connect(server.dsn(LOADER))
    try:
        began, position, count = time.monotonic(), 0, 0
        while got := await changes_after(connection, position, limit=10_000):
            position, count = got[-1].position, count + len(got)
        return count, time.monotonic() - began
    finally:
        await connection.close()


async def prepare(server: Server, city: City) -> None:
    await migrate(server, discover())
    connection = await connect(server.dsn(OWNER))
    try:
        await publish(connection, city)
        await declare_fallbacks(connection, city)
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
        city = load_city(chosen.city)
        asyncio.run(prepare(server, city))
        with duckdb.connect() as maker:
            first, identity = deliver(maker, city, folder / "day1", chosen.people, 20, 0)
            changes, _ = deliver(maker, city, folder / "day2", chosen.people, 21, chosen.daily)
        plan = plan_of(city, frozenset(d.source for d in first))
        watch = Watch(server)
        start = processor(server)
        began = time.monotonic()
        with open_golden(folder / "work", memory=chosen.memory) as lake:
            kept = folder / "kept.duckdb"
            one = build(lake, city, first, identity, folder / "golden1", date(2026, 11, 23), keep=kept)
            rows = sum(fate.rows for fate in one.fates)
            say("golden records:")
            for timing in one.timings:
                told(timing.name, timing.rows, timing.seconds)
            told("all of it", rows, time.monotonic() - began)
            made = processor(server)
            say(f"  processor: {made[0] - start[0]:.1f} s; peak memory: this process {watch.own:,} MB")
            began = time.monotonic()
            loaded = publish_first(lake, server, plan, one.folder, {"bench": "publish"})
            wall = time.monotonic() - began
            watch.stop()
            say("first load:")
            for stage in loaded.stages:
                told(stage.name, stage.rows, stage.seconds)
            told("all of it", loaded.rows, wall)
            after = processor(server)
            say(
                f"  processor: this process {after[0] - made[0]:.1f} s, PostgreSQL {after[1] - made[1]:.1f} s"
            )
            say(f"  peak memory: this process {watch.own:,} MB, PostgreSQL {watch.server:,} MB")
            say(
                "  on disk: "
                + ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in on_disk(server).items())
            )
            say("a day's change:")
            prepare_next(lake, plan, kept)
            began, start = time.monotonic(), processor(server)
            known = [Delivery(d.source, d.id, d.standard, d.period, told=True, mode=d.mode) for d in first]
            two = build(
                lake, city, [*known, *changes], identity, folder / "golden2", date(2026, 11, 23),
                follows=one.folder, keep=kept,
            )  # fmt: skip
            for timing in two.timings:
                told(timing.name, timing.rows, timing.seconds)
            told("golden", sum(fate.rows for fate in two.fates), time.monotonic() - began)
            after = processor(server)
            say(f"  processor: this process {after[0] - start[0]:.1f} s")
            began, start = time.monotonic(), after
            done = publish_changes(lake, server, plan, one.folder, two.folder, {"bench": "publish"})
            told("served", done.changed + done.new, time.monotonic() - began)
            after = processor(server)
            say(
                f"  processor: this process {after[0] - start[0]:.1f} s, PostgreSQL {after[1] - start[1]:.1f} s"
            )
            told("confirmed", done.rows - done.changed - done.new, 0)
            count, seconds = asyncio.run(followed(server))
            told("feed", count, seconds)
            if chosen.absorb:
                say("beside it:")
                golden = one.folder / "person.parquet"
                told("plain COPY", chosen.absorb, by_copy(server, lake, golden, plan, chosen.absorb))
                told("absorb", chosen.absorb, by_absorb(server, lake, golden, plan, chosen.absorb))
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
