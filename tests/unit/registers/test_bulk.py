"""The first load: served at once or not at all, and never around the rules of a delivery."""

from __future__ import annotations

import asyncio
import datetime as dt

import psycopg
import pyarrow as pa
import pytest
from bulk_city import (
    CHILD,
    certificate,
    clear,
    declared,
    deliver,
    load,
    people,
    person,
    relation,
    shape,
    state,
)
from small_city import FATHER, MOTHER, STRANGER

from dizuo.engines.registers import (
    Actor,
    BulkBusy,
    BulkRefused,
    BulkRows,
    ReadRequest,
    Registers,
    bulk,
    holdings,
)
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
    assert (again.rows, again.changed, again.stages) == (2, 0, ())
    async with pg() as owner:
        assert (
            await owner.fetch("SELECT key, version, ref, recorded_at FROM registers.record ORDER BY key")
            == before
        )


async def test_rows_that_lose_their_order_on_the_way_are_all_loaded(empty, pg, database, monkeypatch):
    """A join that does not fit into memory hands its rows back in pieces: the rest is asked for in order."""
    rows = [person(f"3202131985{n:04}0010", name=f"演示{n}") for n in range(9)]
    real, asked = bulk.parts, []

    def torn(reader, done, size):
        asked.append(done)
        if len(asked) == 2:  # the first reading of the records; the first of all is of people
            table = pa.Table.from_batches(list(reader)).take([0, 1, 2, 3, 8, 4, 7, 5, 6])
            reader = table.to_batches(max_chunksize=4)
        return real(reader, done, size)

    monkeypatch.setattr(bulk, "PART", 3)
    monkeypatch.setattr(bulk, "parts", lambda reader, done, size: torn(reader, done, size))
    loaded = await asyncio.to_thread(load, database, [people(*rows)], workers=1)
    assert (loaded.rows, asked) == (9, [0, 0, 4])
    async with pg() as owner:
        held = await owner.fetch(
            "SELECT key, ref, data ->> 'name' AS name FROM registers.record ORDER BY ref"
        )
    assert [(row["key"], row["name"]) for row in held] == [(one[0], one[1]["name"]) for one in rows]
    assert len({row["ref"] for row in held}) == 9


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
        for call in ("bulk_check", "bulk_found_by"):
            with pytest.raises(psycopg.Error, match="seal"):
                loader.execute(f"SELECT registers.{call}(%s, 'person')", (run,))
        for part in ("check/person", "sealed", "record/person/1; x", "index/record_pkey"):
            with pytest.raises(psycopg.Error, match="no part of rows"):
                loader.execute("SELECT registers.bulk_copied(%s, %s, 1)", (run, part))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            loader.execute("SELECT registers.bulk_did(%s, 'check/person', 1)", (run,))
        loader.execute("SELECT registers.bulk_known(%s)", (run,))
        loader.execute("SELECT registers.bulk_seal(%s)", (run,))
        with pytest.raises(psycopg.Error, match="no part of rows"):
            loader.execute("SELECT registers.bulk_copied(%s, 'record/person/000001', 1)", (run,))
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
