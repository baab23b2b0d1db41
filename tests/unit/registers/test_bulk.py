"""The first load: served at once or not at all, whatever happens on the way, and never around the rules of a delivery."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import threading
import uuid
from pathlib import Path

import duckdb
import msgspec
import psycopg
import pytest
from small_city import FATHER, MOTHER, STRANGER, small_city

from dizuo.engines.registers import (
    Actor,
    BulkBusy,
    BulkRefused,
    BulkRows,
    BulkTooLate,
    ReadRequest,
    Registers,
    bulk_load,
    declare_fallbacks,
    holdings,
    publish,
)
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import LOADER

CHILD = "320213202001010014"


def the_city():
    city = small_city()
    person = city.registers["person"]
    fields = {**person.fields, "phone": msgspec.structs.replace(person.fields["phone"], fallback=("hrss",))}
    registers = {**city.registers, "person": msgspec.structs.replace(person, fields=fields)}
    return msgspec.structs.replace(city, registers=registers)


def relation(rows):
    """Rows (key, data, sources, numbers) as a relation of literals."""
    lines = []
    for key, data, sources, numbers in rows:
        said = [key, json.dumps(data, ensure_ascii=False), json.dumps(sources), *numbers]
        quoted = ["NULL" if s is None else "'" + s.replace("'", "''") + "'" for s in said]
        lines.append(f"({', '.join(quoted)}, DATE '2026-11-20', NULL::DATE)")
    width = len(rows[0][3])
    names = ", ".join(["key", "data", "sources", *(f"s{i}" for i in range(width)), "valid_from", "valid_to"])
    return f"SELECT * FROM (VALUES {', '.join(lines)}) AS r({names})"


def person(number, **data):
    return (number, {"citizen_id": number, **data}, {"psb": "2026-11-20"}, [number])


def people(*rows):
    return BulkRows("person", relation(rows), (("s0", "citizen_id"),))


def certificate(*numbers):
    mother, father = numbers
    data = {"number": "C1", "mother_id": mother, "father_id": father, "child_sex": "2", "state": "0",
            "born_on": "2026-11-16", "weight": 3200}  # fmt: skip
    rows = [("C1", data, {"health": "2026-11-20"}, [father, mother])]
    return BulkRows("certificate", relation(rows), (("s0", "citizen_id"), ("s1", "citizen_id")))


def load(database, rows, name="first", **more):
    digest = hashlib.sha256(name.encode()).hexdigest()
    return bulk_load(database, duckdb.connect(), rows, digest=digest, about={"deliveries": [name]}, **more)


@pytest.fixture(scope="module")
async def city(pg):
    city = the_city()
    async with pg() as owner:
        await publish(owner, city)
        await declare_fallbacks(owner, city)
    return city


@pytest.fixture
async def empty(pg, city):
    """A city whose registers hold nothing, and no load left open by another test."""
    async with pg() as owner:
        await owner.execute(
            "SELECT registers.bulk_clear();"
            "TRUNCATE registers.record, registers.lookup, registers.identity, registers.tally, registers.change_note"
        )
    return city


async def shape(pg):
    """Everything about the three tables that a reader or a later migration could stumble over."""
    async with pg() as owner:
        rows = await owner.fetch("""
            SELECT 'column' AS kind, c.table_name || '.' || c.column_name AS name,
                   concat_ws(' ', c.data_type, c.is_nullable, c.identity_generation, c.collation_name, c.column_default) AS says
            FROM information_schema.columns c
            WHERE table_schema = 'registers' AND table_name IN ('identity', 'record', 'lookup')
            UNION ALL SELECT 'index', i.indexname, i.indexdef FROM pg_indexes i
            WHERE i.schemaname = 'registers' AND i.tablename IN ('identity', 'record', 'lookup')
            UNION ALL SELECT 'constraint', k.conrelid::regclass || ' ' || k.conname, pg_get_constraintdef(k.oid)
            FROM pg_constraint k WHERE k.conrelid IN ('registers.identity'::regclass, 'registers.record'::regclass,
                                                     'registers.lookup'::regclass) AND k.contype <> 'n'
            UNION ALL SELECT 'trigger', t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
            WHERE t.tgrelid = 'registers.record'::regclass
            UNION ALL SELECT 'rights', r.relname, concat_ws(' ', r.relacl, r.relowner::regrole, r.reloptions)
            FROM pg_class r WHERE r.relnamespace = 'registers'::regnamespace AND r.relkind IN ('r', 'S')
            ORDER BY 1, 2, 3""")  # fmt: skip
        return [tuple(row) for row in rows]


async def test_a_load_is_served_as_if_it_had_been_absorbed(empty, pg, database, app_pool):
    before = await shape(pg)
    rows = [people(person(MOTHER, name="林\\晓\t晴", household_no="H1"), person(FATHER, name="王\"启'明\n")),
            certificate(MOTHER, FATHER)]  # fmt: skip
    loaded = await asyncio.to_thread(load, database, rows)
    assert (loaded.rows, dict(loaded.registers), loaded.changed) == (3, {"person": 2, "certificate": 1}, 0)
    assert await shape(pg) == before
    ids = {}
    async with pg(LOADER) as loader:
        for number in (MOTHER, FATHER):
            (ids[number],) = await loader.fetchval("SELECT registers.identities('citizen_id', $1)", [number])
    registers = Registers(app_pool, empty, Policy.from_city(empty))
    actor = Actor("resident", subject=ids[MOTHER])
    read = await registers.read(
        ReadRequest("newborn", {"applicant": str(ids[MOTHER])}, "draft-1", actor, items=("household",))
    )
    await registers.close()
    assert read.facts["mother.name"].value == "林\\晓\t晴"
    assert read.facts["father.name"].value == "王\"启'明\n"
    assert read.facts["mother.name"].as_of == dt.date(2026, 11, 20)
    async with pg() as owner:
        found = await owner.fetchrow(
            "SELECT subjects, version FROM registers.record WHERE register = 'certificate'"
        )
        assert list(found["subjects"]) == [ids[FATHER], ids[MOTHER]]
        entry = await owner.fetchrow("SELECT kind, body FROM ledger.entry WHERE id = $1", loaded.entry)
        assert entry["kind"] == "register.load"
        assert entry["body"]["registers"] == {"person": 2, "certificate": 1}
        assert entry["body"]["delivery"] == {"deliveries": ["first"]}
    assert {k: v.records for k, v in (await holdings(app_pool)).items()} == {"person": 2, "certificate": 1}


async def test_what_was_there_is_carried_over_with_its_people_and_its_past(
    empty, pg, database, town_rows, app_pool
):
    await town_rows(("person", MOTHER, "psb", {"citizen_id": MOTHER, "name": "林晓晴", "household_no": "H1"}))
    await town_rows(("person", MOTHER, "psb", {"name": "林晓"}))
    await town_rows(("person", FATHER, "psb", {"citizen_id": FATHER, "name": "王启明"}))
    await town_rows(("person", STRANGER, "psb", {"citizen_id": STRANGER, "name": "周晓"}))
    async with pg() as owner:
        ids = {r["number"]: r["id"] for r in await owner.fetch("SELECT id, number FROM registers.identity")}
        refs = {r["key"]: r["ref"] for r in await owner.fetch("SELECT key, ref FROM registers.record")}
    rows = [people(person(MOTHER, name="林晓晴", household_no="H2"), person(FATHER, name="王启明"),
                   person(CHILD, name="王小"))]  # fmt: skip
    loaded = await asyncio.to_thread(load, database, rows, "over")
    assert (loaded.rows, loaded.changed) == (3, 1)
    async with pg() as owner:
        after = {r["number"]: r["id"] for r in await owner.fetch("SELECT id, number FROM registers.identity")}
        assert {n: after[n] for n in ids} == ids
        assert after[CHILD] > max(ids.values())
        found = await owner.fetch("SELECT key, version, ref, data, subjects, superseded_at FROM registers.record"
                                  " ORDER BY key, version")  # fmt: skip
        versions = {(r["key"], r["version"]): r for r in found}
        assert set(versions) == {
            (MOTHER, 1),
            (MOTHER, 2),
            (MOTHER, 3),
            (FATHER, 1),
            (STRANGER, 1),
            (CHILD, 1),
        }
        assert [versions[MOTHER, v]["data"]["name"] for v in (1, 2, 3)] == ["林晓晴", "林晓", "林晓晴"]
        assert versions[MOTHER, 2]["superseded_at"] is not None
        assert {versions[MOTHER, v]["ref"] for v in (1, 2, 3)} == {refs[MOTHER]}
        assert list(versions[MOTHER, 3]["subjects"]) == [ids[MOTHER]]
        looked = await owner.fetch(
            "SELECT value, known_to FROM registers.lookup WHERE field = 'household_no' ORDER BY value"
        )
        assert [(r["value"], r["known_to"] is None) for r in looked] == [("H1", False), ("H2", True)]
    assert (await holdings(app_pool))["person"].records == 4
    # life goes on: a delivery finds what the load brought
    await town_rows(("person", CHILD, "psb", {"name": "王小小"}))
    async with pg() as owner:
        assert await owner.fetchval("SELECT max(version) FROM registers.record WHERE key = $1", CHILD) == 2


@pytest.fixture
def town_rows(pg):
    async def deliver(row):
        register, key, source, data = row
        number = uuid.uuid4()
        async with pg(LOADER) as loader:
            await loader.execute(
                "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
                " VALUES ($1, 1, $2, $3, $4, '2026-11-19', $5)", number, register, key, source, data)  # fmt: skip
            await loader.fetchval("SELECT registers.absorb($1, '{}')", number)

    return deliver


BAD = {
    "an undeclared field": (lambda: [people(person(MOTHER, shoe_size="42"))], "not declared"),
    "a field of another organisation": (lambda: [people(person(MOTHER, illness="x"))], "neither its source"),
    "an organisation from nowhere": (
        lambda: [people((MOTHER, {"citizen_id": MOTHER}, {"psb": "2026-11-20", "nsa": "2026-11-20"}, [MOTHER]))],
        "not declared",
    ),
    "a fallback that nobody declared": (
        lambda: [people((MOTHER, {"citizen_id": MOTHER, "phone": "1"},
                         {"psb": "2026-11-20", ".phone": ["health", "2026-11-20"]}, [MOTHER]))],
        "neither its source",
    ),
    "a key that is not in the data": (
        lambda: [people((MOTHER, {"citizen_id": FATHER}, {"psb": "2026-11-20"}, [FATHER]))], "the key of",
    ),
    "somebody else's record": (
        lambda: [people((MOTHER, {"citizen_id": MOTHER}, {"psb": "2026-11-20"}, [FATHER]))], "other people",
    ),
    "nobody's record": (
        lambda: [people((MOTHER, {"citizen_id": MOTHER}, {"psb": "2026-11-20"}, [None]))], "other people",
    ),
    "parents exchanged": (
        lambda: [BulkRows("certificate", certificate(MOTHER, FATHER).sql, (("s1", "citizen_id"), ("s0", "citizen_id")))],
        "other people",
    ),
    "a record twice": (lambda: [people(person(MOTHER), person(MOTHER, name="又"))], "twice"),
    "data that is no object": (
        lambda: [BulkRows("person", "SELECT 'K' AS key, '[1]' AS data, '{}' AS sources, NULL::DATE AS valid_from,"
                          " NULL::DATE AS valid_to", ())], "23514",
    ),
    "data that is no JSON": (
        lambda: [BulkRows("person", "SELECT 'K' AS key, '{' AS data, '{}' AS sources, NULL::DATE AS valid_from,"
                          " NULL::DATE AS valid_to", ())], "22P02",
    ),
    "a register that is none": (lambda: [BulkRows("pets", people(person(MOTHER)).sql, (("s0", "citizen_id"),))], "not declared"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
async def test_wrong_rows_publish_nothing(empty, pg, database, town_rows, what):
    await town_rows(("person", STRANGER, "psb", {"citizen_id": STRANGER, "name": "周晓"}))
    before = await shape(pg)
    rows, says = BAD[what]
    with pytest.raises(BulkRefused, match=says) as told:
        await asyncio.to_thread(load, database, rows(), what)
    assert MOTHER not in str(told.value)
    assert await shape(pg) == before
    async with pg() as owner:
        assert await owner.fetchval("SELECT array_agg(key) FROM registers.record") == [STRANGER]
    # the next load starts afresh
    loaded = await asyncio.to_thread(
        load, database, [people(person(MOTHER, name="林晓晴"))], f"{what} mended"
    )
    assert loaded.rows == 1


async def test_a_declared_fallback_may_speak(empty, pg, database):
    row = (
        MOTHER,
        {"citizen_id": MOTHER, "phone": "139"},
        {"psb": "2026-11-20", ".phone": ["hrss", "2026-10-31"]},
        [MOTHER],
    )
    assert (await asyncio.to_thread(load, database, [people(row)], "fallback")).rows == 1


async def test_a_person_without_a_number_has_a_number_of_their_own(empty, pg, database):
    key = "T00000000000000042"
    row = (key, {"name": "新生"}, {"psb": "2026-11-20"}, [key])
    rows = BulkRows("person", relation([row]), (("s0", "temp"),))
    assert (await asyncio.to_thread(load, database, [rows], "temp")).rows == 1
    async with pg() as owner:
        assert await owner.fetchval("SELECT number FROM registers.identity WHERE scheme = 'temp'") == key


async def test_the_same_load_again_changes_nothing(empty, pg, database):
    rows = [people(person(MOTHER, name="林晓晴"), person(FATHER, name="王启明"))]
    await asyncio.to_thread(load, database, rows, "twice")
    async with pg() as owner:
        before = await owner.fetch("SELECT key, version, ref, recorded_at FROM registers.record ORDER BY key")
    again = await asyncio.to_thread(load, database, rows, "twice")
    assert again.changed == 0
    async with pg() as owner:
        assert (
            await owner.fetch("SELECT key, version, ref, recorded_at FROM registers.record ORDER BY key")
            == before
        )


async def test_one_load_at_a_time(empty, database):
    with psycopg.connect(database.dsn(LOADER)) as other:
        other.execute("SELECT registers.bulk_begin(%s, '{}', 1, 1)", ("0" * 64,))
        other.commit()
        with pytest.raises(BulkBusy, match="under way"):
            await asyncio.to_thread(load, database, [people(person(MOTHER))], "second")


async def test_the_loader_can_bring_and_not_read_and_not_after_the_seal(empty, pg, database):
    with psycopg.connect(database.dsn(LOADER), autocommit=True) as loader:
        run = loader.execute("SELECT registers.bulk_begin(%s, '{}', 10, 10)", ("1" * 64,)).fetchone()[0][
            "run"
        ]
        for table in ("record_next", "identity_next", "lookup_next", "record", "identity", "bulk", "change"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                loader.execute(f"SELECT * FROM registers.{table}")
        for column in ("version", "recorded_at", "superseded_at"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                loader.execute(
                    f"INSERT INTO registers.record_next (register, key, {column}) VALUES ('person', 'x', NULL)"
                )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            loader.execute(
                "INSERT INTO registers.lookup_next (register, field, value, key) VALUES ('a', 'b', 'c', 'd')"
            )
        with pytest.raises(psycopg.Error, match="lacks"):
            loader.execute("SELECT registers.bulk_switch(%s)", (run,))
        with pytest.raises(psycopg.Error, match="seal"):
            loader.execute("SELECT registers.bulk_check(%s, 'person')", (run,))
        loader.execute("SELECT registers.bulk_known(%s)", (run,))
        loader.execute("SELECT registers.bulk_seal(%s)", (run,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            loader.execute(
                "INSERT INTO registers.identity_next (id, scheme, number) OVERRIDING SYSTEM VALUE VALUES (1, 'temp', 'x')"
            )
    async with pg("dizuo_app") as app:
        for call in ("bulk_begin('', '{}', 1, 1)", "bulk_switch(gen_random_uuid())", "bulk_clear()",
                     "changes_after(0, NULL, 1)", "subjects_of('', '', '{}', 'registers.record')"):  # fmt: skip
            with pytest.raises(Exception, match="permission denied"):
                await app.fetch(f"SELECT registers.{call}")


async def test_an_id_that_was_not_set_aside_is_refused(empty, database):
    with psycopg.connect(database.dsn(LOADER), autocommit=True) as loader:
        told = loader.execute("SELECT registers.bulk_begin(%s, '{}', 10, 10)", ("2" * 64,)).fetchone()[0]
        loader.execute("INSERT INTO registers.identity_next (id, scheme, number) OVERRIDING SYSTEM VALUE VALUES (%s, 'temp', 'x')",
                       (told["first_identity"] + 11,))  # fmt: skip
        with pytest.raises(psycopg.Error, match="set aside"):
            loader.execute("SELECT registers.bulk_seal(%s)", (told["run"],))


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


async def state(pg):
    """What a reader could come to know: records with their people by number, and what they are found by."""
    async with pg() as owner:
        records = await owner.fetch("""
            SELECT r.register, r.key, r.version, r.data, r.sources, r.superseded_at IS NULL AS stands, ARRAY(
                SELECT i.scheme || ':' || i.number FROM unnest(r.subjects) WITH ORDINALITY AS s(id, ord)
                JOIN registers.identity i ON i.id = s.id ORDER BY s.ord) AS people
            FROM registers.record r ORDER BY 1, 2, 3""")
        lookups = await owner.fetch("SELECT register, field, value, key, known_to IS NULL AS stands FROM registers.lookup"
                                    " ORDER BY 1, 2, 3, 4")  # fmt: skip
        return [dict(r) for r in records], [tuple(r) for r in lookups]


async def test_in_bulk_or_one_by_one_it_is_the_same(empty, pg, database, town_rows):
    told = {
        ("person", MOTHER): {"citizen_id": MOTHER, "name": "林晓晴", "sex": "2", "household_no": "H1"},
        ("person", FATHER): {"citizen_id": FATHER, "name": '王"启\\明', "household_no": "H1"},
        ("certificate", "C1"): {"number": "C1", "mother_id": MOTHER, "father_id": FATHER, "weight": 3200, "twin": False},
        ("certificate", "C2"): {"number": "C2", "mother_id": STRANGER, "state": "0"},
        ("household", "H1"): {"household_no": "H1", "address": "崇安寺街道 1 号"},
    }  # fmt: skip
    source = {"person": "psb", "certificate": "health", "household": "psb"}
    for (register, key), data in told.items():
        await town_rows((register, key, source[register], data))
    one_by_one = await state(pg)
    async with pg() as owner:
        await owner.execute(
            "TRUNCATE registers.record, registers.lookup, registers.identity, registers.tally"
        )

    def rows(register, *fields):
        said = [(key, data, {source[register]: "2026-11-19"}, [data.get(f) for f in fields])
                for (r, key), data in told.items() if r == register]  # fmt: skip
        return BulkRows(register, relation(said), tuple((f"s{i}", "citizen_id") for i in range(len(fields))))

    await asyncio.to_thread(load, database, [rows("person", "citizen_id"), rows("certificate", "father_id", "mother_id"),
                                             rows("household")], "same")  # fmt: skip
    assert await state(pg) == one_by_one


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
