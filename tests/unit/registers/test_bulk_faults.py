"""A first load that is killed, overtaken or watched: the old state is served until the new one is whole."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psycopg
import pytest
from bulk_city import CHILD, clear, declared, deliver, load, people, person
from small_city import FATHER, MOTHER, STRANGER

from dizuo.engines.registers import BulkTooLate, Registers
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import LOADER


@pytest.fixture(scope="module")
async def city(pg):
    return await declared(pg)


@pytest.fixture
async def empty(pg, city):
    await clear(pg)
    return city


@pytest.fixture
def town_rows(pg):
    return lambda row: deliver(pg, row)


CRASHING = textwrap.dedent("""
    import hashlib, os, signal, sys
    sys.path.insert(0, sys.argv[3])
    import duckdb
    from dizuo.engines.registers import bulk
    bulk.PART = 1000
    stop = sys.argv[2]
    class Address:
        def dsn(self, role): return sys.argv[1]
    lake = duckdb.connect()
    rows = [bulk.BulkRows("person", '''SELECT n AS key, '{"citizen_id":"' || n || '","name":"演示","household_no":"H' || i || '"}'
        AS data, '{"psb":"2026-11-20"}' AS sources, DATE '2026-11-20' AS valid_from, NULL::DATE AS valid_to, n AS s0
        FROM (SELECT i, '320213' || lpad(i::VARCHAR, 12, '0') AS n FROM range(3500) AS t(i))''', (("s0", "citizen_id"),))]
    def tell(what, done, total):
        if stop == f"{what} {done}" or stop == what:
            os.kill(os.getpid(), signal.SIGKILL)
    loaded = bulk.bulk_load(Address(), lake, rows, digest=hashlib.sha256(b"crash").hexdigest(), about={}, progress=tell, workers=1)
    print(loaded.rows)
""")


async def test_killed_anywhere_it_goes_on_and_the_old_state_is_served_meanwhile(
    empty, pg, database, town_rows, tmp_path
):
    await town_rows(("person", STRANGER, "psb", {"citizen_id": STRANGER, "name": "周晓"}))
    script = tmp_path / "crashing.py"
    script.write_text(CRASHING, encoding="utf-8")

    def run(stop):
        command = [sys.executable, str(script), database.dsn(LOADER), stop, str(Path(__file__).parent)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    reached = []
    for stop in ("写入 身份 2000", "写入 person 1000", "写入 person 3000", "found_by/person", "index/record_pkey",
                 "index/lookup_pkey", "check/person", "切换"):  # fmt: skip
        done = await asyncio.to_thread(run, stop)
        assert done.returncode == -signal.SIGKILL, done.stderr
        async with pg() as owner:
            for _ in range(100):  # the killed process's sessions end by themselves
                if not await owner.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", LOADER
                ):
                    break
                await asyncio.sleep(0.05)
            assert await owner.fetchval("SELECT array_agg(key) FROM registers.record") == [STRANGER]
            assert await owner.fetchval("SELECT count(*) FROM registers.bulk WHERE state = 'open'") == 1
            reached.append(await owner.fetchval("SELECT count(*) FROM registers.bulk_part p JOIN registers.bulk b"
                                                " ON b.id = p.run AND b.state = 'open'"))  # fmt: skip
    assert reached == sorted(reached), "a load that is started again loses nothing of what was done"
    assert reached[0] < reached[-1]
    done = await asyncio.to_thread(run, "never")
    assert done.stdout.strip() == "3500", done.stderr
    async with pg() as owner:
        assert await owner.fetchval("SELECT count(*) FROM registers.record") == 3501
        assert await owner.fetchval("SELECT count(DISTINCT ref) FROM registers.record") == 3501
        assert await owner.fetchval("SELECT count(*) FROM registers.lookup") == 3500
        wrong = await owner.fetchval("SELECT count(*) FROM registers.record r LEFT JOIN registers.identity i"
                                     " ON i.id = r.subjects[1] WHERE i.number IS DISTINCT FROM r.key")  # fmt: skip
        assert wrong == 0


async def test_a_number_given_meanwhile_is_not_given_twice(empty, pg, database):
    """Somebody gets a number (a newborn at a window) while the load is made: it starts again and knows the number."""
    busy = []

    def tell(what, done, total):
        if what == "切换" and not busy:
            busy.append(1)
            with psycopg.connect(database.dsn(LOADER)) as other:
                other.execute("SELECT registers.identities('citizen_id', %s)", ([MOTHER],))

    rows = [people(person(MOTHER, name="林晓晴"))]
    with pytest.raises(BulkTooLate):
        await asyncio.to_thread(load, database, rows, "late", progress=tell)
    loaded = await asyncio.to_thread(load, database, rows, "late")
    assert loaded.rows == 1
    async with pg() as owner:
        assert await owner.fetchval("SELECT count(*) FROM registers.identity WHERE number = $1", MOTHER) == 1


async def test_what_is_written_meanwhile_is_carried_over_and_the_switch_waits_its_turn(
    empty, pg, database, town_rows
):
    """Life goes on during a load: what a window writes after it began is there afterwards, and an open write is waited for."""
    await town_rows(("person", MOTHER, "psb", {"citizen_id": MOTHER, "name": "林晓晴"}))
    loop = asyncio.get_running_loop()
    written = threading.Event()

    async def write():
        async with pg() as owner:
            await owner.execute(
                "SELECT version FROM registers.put('person', $1, '{\"name\": \"林改\"}', 'psb', '2026-11-22')",
                MOTHER,
            )
            change = owner.transaction()  # still open when the switch comes
            await change.start()
            await owner.execute("SELECT version FROM registers.put('person', $1, $2, 'psb', '2026-11-22')",
                                STRANGER, {"citizen_id": STRANGER, "name": "周新"})  # fmt: skip
            written.set()
            await asyncio.sleep(1)
            await change.commit()

    def tell(what, done, total):
        if what == "切换" and not written.is_set():
            asyncio.run_coroutine_threadsafe(write(), loop)
            assert written.wait(30)

    rows = [people(person(FATHER, name="王启明"), person(CHILD, name="王小"))]
    loaded = await asyncio.to_thread(load, database, rows, "meanwhile", progress=tell)
    assert loaded.rows == 2
    async with pg() as owner:
        found = await owner.fetch(
            "SELECT key, data ->> 'name' AS name FROM registers.record WHERE superseded_at IS NULL"
        )
    assert {r["key"]: r["name"] for r in found} == {
        MOTHER: "林改",
        STRANGER: "周新",
        FATHER: "王启明",
        CHILD: "王小",
    }


async def test_readers_go_on_while_the_tables_change_places(empty, pg, database, app_pool):
    """The same open sessions read before, during and after, without an error: no plan keeps an old table."""
    registers = Registers(app_pool, empty, Policy.from_city(empty))
    await asyncio.to_thread(load, database, [people(person(MOTHER, name="旧"))], "before")
    async with pg(LOADER) as loader:
        (me,) = await loader.fetchval("SELECT registers.identities('citizen_id', $1)", [MOTHER])
    over = asyncio.Event()
    seen = []

    async def read():
        while not over.is_set():
            seen.append(await registers.identity_of("citizen_id", MOTHER))
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read()) for _ in range(4)]
    for n in range(3):
        await asyncio.to_thread(load, database, [people(person(MOTHER, name=f"新{n}"))], f"swap {n}")
    over.set()
    await asyncio.gather(*readers)
    await registers.close()
    assert set(seen) == {me}
    assert len(seen) > 10
