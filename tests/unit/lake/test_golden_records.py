"""Golden records: who may say what, in which order, where it is from, and what becomes of every row."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest
from golden_desk import LIN, SUN, TODAY, WANG, ZHOU, Desk, hukou, insured, permit

from dizuo.engines.lake.golden import (
    build,
    lineage,
    open_golden,
    plan_of,
    publish_changes,
    publish_first,
)
from dizuo.engines.lake.golden import records as putting
from dizuo.engines.lake.golden.errors import GoldenShrinks
from dizuo.engines.registers import changes_after, declare_fallbacks, publish
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.store import LOADER

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def city() -> Any:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture
def desk(city: Any, tmp_path: Path) -> Desk:
    return Desk(city, tmp_path)


def test_one_source_speaks_and_the_declared_order_where_it_is_silent(desk: Desk) -> None:
    desk.deliver(
        "hukou", [hukou("1", LIN, "林晓晴"), hukou("2", WANG, "王启明", sex=None)], who={"self": [1, 2]}
    )
    desk.deliver("medical_insurance",
                 [insured("M1", LIN, "林小晴", phone="13800000001", address="中山路1号"), insured("M2", WANG, "王起明"),
                  insured("M3", ZHOU, "周晓", phone="13900000003")], who={"self": [1, 2, 3]})  # fmt: skip
    desk.deliver(
        "residence_permits", [permit("P1", LIN, "林晓情", phone="13700000001", sex="1")], who={"self": [1]}
    )
    run = desk.run("one")
    people = desk.gold(run, "person")
    assert people[LIN]["name"] == "林晓晴"  # the police say so, whatever insurance and permits write
    assert people[LIN]["phone"] == "13700000001"  # declared order: permits before insurance
    assert people[LIN]["residence_address"] == "中山路1号"  # the permit has none
    assert people[WANG]["sex"] is None
    assert people[ZHOU]["name"] == "周晓"  # nobody but insurance knows her
    assert (people[LIN]["surname"], people[LIN]["given_name"]) == ("林", "晓晴")
    assert people[ZHOU]["surname"] is None  # insurance is not asked for it
    plan = plan_of(desk.city, frozenset(d.source for d in desk.deliveries))
    told = lineage(plan, run.folder, "person", LIN)
    assert (told["name"].source, told["name"].delivery, told["name"].line, told["name"].fallback) == (
        "hukou",
        1,
        2,
        False,
    )
    assert (told["phone"].source, told["phone"].as_of) == ("residence_permits", dt.date(2026, 9, 1))
    assert told["phone"].fallback  # the telephone's own organisation delivers nothing here
    assert (lineage(plan, run.folder, "person", ZHOU)["name"].organisation) == "medical"
    assert lineage(plan, run.folder, "person", "nobody") == {}


def test_a_delivery_from_before_a_column_was_declared_is_silent_about_it(desk: Desk) -> None:
    old = desk.deliver("hukou", [hukou("1", LIN, "林晓晴")], who={"self": [1]})
    wed = desk.deliver("marriage", [{"registration_no": "J1", "husband_name": "王启明", "husband_id": WANG, "wife_name": "林晓晴",
                                     "wife_id": LIN, "kind": "1", "registered_on": "2024-05-20", "updated_at": "2024-05-20 10:00:00"}],
                       who={"husband": [2], "wife": [1]})  # fmt: skip
    with duckdb.connect() as lake:
        for path, gone in (
            (old.standard, "name_surname, name_given, household_since"),
            (wed.standard, "ends, earlier"),
        ):
            lake.execute(f"COPY (SELECT * EXCLUDE ({gone}) FROM '{path}') TO '{path}.new' (FORMAT parquet)")
            Path(f"{path}.new").replace(path)
    run = desk.run("one")
    assert desk.gold(run, "person")[LIN]["name"] == "林晓晴"
    assert desk.gold(run, "person")[LIN]["surname"] is None
    assert desk.gold(run, "marriage")["J1"]["state"] == "1"


def test_a_divorce_ends_the_marriage_that_it_names(desk: Desk) -> None:
    pair = {"husband_name": "王启明", "husband_id": WANG, "wife_name": "林晓晴", "wife_id": LIN}
    desk.deliver("hukou", [hukou("1", LIN, "林晓晴"), hukou("2", WANG, "王启明")], who={"self": [1, 2]})
    desk.deliver("marriage", [
        {"registration_no": "J1", **pair, "kind": "1", "registered_on": "2014-05-20", "updated_at": "2014-05-20 10:00:00"},
        {"registration_no": "J2", **pair, "kind": "2", "registered_on": "2024-05-20", "ends": "J1", "updated_at": "2024-05-20 10:00:00"},
        {"registration_no": "J3", **pair, "kind": "2", "registered_on": "2025-05-20", "updated_at": "2025-05-20 10:00:00"},
    ], who={"husband": [2, 2, 2], "wife": [1, 1, 1]})  # fmt: skip
    found = desk.gold(desk.run("one"), "marriage")
    assert sorted(found) == ["J1", "J3"]
    assert (found["J1"]["state"], found["J1"]["registered_on"], found["J1"]["ended_on"]) == (
        "2",
        "2014-05-20",
        "2024-05-20",
    )
    assert (found["J3"]["state"], found["J3"]["registered_on"], found["J3"]["ended_on"]) == (
        "2",
        None,
        "2025-05-20",
    )


def test_the_newest_row_of_a_source_speaks_and_older_ones_fill_it_up(desk: Desk) -> None:
    desk.deliver("medical_insurance",
                 [insured("M1", LIN, "旧名", phone="13800000001", updated_at="2026-01-01 00:00:00"),
                  insured("M2", LIN, "新名", updated_at="2026-06-01 00:00:00")], who={"self": [1, 1]})  # fmt: skip
    run = desk.run("one")
    record = desk.gold(run, "person")[LIN]
    assert (record["name"], record["phone"]) == ("新名", "13800000001")
    told = lineage(plan_of(desk.city, frozenset({"medical_insurance"})), run.folder, "person", LIN)
    assert (told["name"].line, told["phone"].line) == (3, 2)
    assert told["phone"].as_of == dt.date(2026, 1, 1)


def test_every_row_has_one_fate_and_the_sum_is_checked(desk: Desk) -> None:
    police = desk.deliver(
        "hukou",
        [hukou("1", LIN, "林晓晴"), hukou("2", None, "新生", updated_at="2026-11-19 10:00:00"), hukou("3", WANG, "王启明"),
         hukou("4", LIN, "另一个林")], who={"self": [1, 2, None, 4]})  # fmt: skip
    rest = desk.deliver("medical_insurance",
                        [insured("M1", LIN, "林晓晴"), insured("M1", LIN, "林晓晴", updated_at="2026-11-01 08:00:00")],
                        who={"self": [1, 1]})  # fmt: skip
    cars = desk.deliver("vehicles",
                        [{"plate": "苏B00001", "plate_kind": "1", "owner": "孙", "owner_id": SUN, "phone": "13600000000",
                          "updated_at": "2026-11-01 00:00:00", "state": "1"}], who={"owner": [9]})  # fmt: skip
    run = desk.run("one")
    assert desk.fate(run, police) == {
        2: ("published", "used"), 3: ("published", "used"), 4: ("held", "no_identity"), 5: ("held", "number_taken")}  # fmt: skip
    told = desk.fate(run, rest)
    assert told[2] == ("merged", "superseded")
    assert told[3][0] == "published"  # the insurance register, and nothing of it in the person's record
    assert desk.fate(run, cars) == {2: ("published", "used")}
    assert SUN not in desk.gold(run, "person")  # a car and a telephone make nobody a registered person
    for fate in run.fates:
        assert fate.rows == fate.published + fate.merged + fate.held + fate.rejected


def test_many_records_are_put_together_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More records than fit into memory side by side: the parts together are the records of one piece."""
    people = [hukou(str(n), number, f"某{n}") for n, number in enumerate((LIN, WANG, ZHOU, None), 1)]
    desk.deliver("hukou", people, who={"self": [1, 2, 3, 4]})
    desk.deliver(
        "medical_insurance", [insured("M1", LIN, "林"), insured("M2", SUN, "孙")], who={"self": [1, 5]}
    )
    whole = desk.run("whole")
    monkeypatch.setattr(putting, "PART", 2)
    parts = desk.run("parts")
    assert parts.records == whole.records
    assert {f.delivery: (f.published, f.merged, f.held) for f in parts.fates} == {
        f.delivery: (f.published, f.merged, f.held) for f in whole.fates
    }
    for register in whole.records:
        assert desk.gold(parts, register) == desk.gold(whole, register)
    assert len(desk.gold(parts, "person")) == 5
    assert not list(parts.folder.glob("*.part"))


def test_identity_mends_a_slip_in_another_register_s_number(desk: Desk) -> None:
    desk.deliver("hukou", [hukou("1", LIN, "林晓晴"), hukou("2", WANG, "王启明")], who={"self": [1, 2]})
    desk.deliver("marriage",
                 [{"registration_no": "J1", "husband_name": "王启明", "husband_id": SUN, "wife_name": "林晓晴", "wife_id": None,
                   "kind": "1", "registered_on": "2019-05-20", "office": "梁溪区民政局", "updated_at": "2026-11-01 00:00:00"}],
                 who={"husband": [2], "wife": [1]})  # fmt: skip
    (marriage,) = desk.gold(desk.run("one"), "marriage").values()
    assert (marriage["husband_citizen_id"], marriage["wife_citizen_id"]) == (WANG, LIN)


def test_a_full_delivery_replaces_the_one_before_and_changes_add_up(desk: Desk) -> None:
    old = desk.deliver(
        "hukou", [hukou("1", LIN, "旧"), hukou("2", WANG, "王启明")], day=19, who={"self": [1, 2]}
    )
    desk.deliver("hukou", [hukou("1", LIN, "新")], day=20, who={"self": [1]})
    desk.deliver("medical_insurance", [insured("M1", ZHOU, "周晓")], day=19, who={"self": [3]})
    desk.deliver("medical_insurance", [insured("M2", SUN, "孙")], day=20, who={"self": [4]})
    run = desk.run("one")
    people = desk.gold(run, "person")
    assert people[LIN]["name"] == "新"
    assert set(people) == {LIN, ZHOU, SUN}
    assert set(desk.fate(run, old).values()) == {("merged", "superseded")}


def test_a_finished_run_is_not_made_again_from_the_same(desk: Desk, city: Any) -> None:
    """An interrupted first load is known by the hashes of the run's files: they must not be written anew."""
    desk.deliver("hukou", [hukou("1", LIN, "林晓晴")], who={"self": [1]})
    first = desk.run("one")
    written = first.file("person").stat().st_mtime_ns
    identity = desk.folder / "identity-one.parquet"

    def again() -> Any:
        with open_golden(desk.folder / "work", memory="512MB", threads=1) as lake:
            return build(lake, city, desk.deliveries, identity, first.folder, TODAY)

    assert again() == first
    assert first.file("person").stat().st_mtime_ns == written
    desk.deliver("medical_insurance", [insured("M1", ZHOU, "周晓")], who={"self": [3]})
    assert again().records["medical_insurance"] == 0  # made anew: her identity is not in this map
    assert first.file("person").stat().st_mtime_ns != written


def test_a_source_of_snapshots_may_send_changes_in_between(desk: Desk) -> None:
    desk.deliver("hukou", [hukou("1", LIN, "林"), hukou("2", WANG, "王")], day=19, who={"self": [1, 2]})
    later = desk.deliver("hukou", [hukou("1", LIN, "林改", updated_at="2026-11-20 09:00:00"), hukou("3", ZHOU, "周")],
                         day=20, who={"self": [1, 3]}, mode="changes")  # fmt: skip
    run = desk.run("one")
    assert {key: record["name"] for key, record in desk.gold(run, "person").items()} == {
        LIN: "林改",
        WANG: "王",
        ZHOU: "周",
    }
    assert set(desk.fate(run, later).values()) == {("published", "used")}
    desk.deliver("hukou", [hukou("1", LIN, "林又改")], day=21, who={"self": [1]}, mode="full")
    assert set(desk.gold(desk.run("two"), "person")) == {LIN}


async def test_a_run_that_lost_a_third_of_the_people_is_not_published(
    declared: Any, desk: Desk, database: Any
) -> None:
    """A part of a delivery taken for the whole would take everybody else's values back."""
    rows = [hukou(str(n), None, f"演示{n}") for n in range(150)]
    desk.deliver("hukou", rows, day=19, who={"self": list(range(150))})
    plan = plan_of(desk.city, frozenset({"hukou"}))
    first = desk.run("first")
    desk.deliver("hukou", rows[:50], day=20, who={"self": list(range(50))})
    second = desk.run("second")
    with duckdb.connect() as lake, pytest.raises(GoldenShrinks, match="100"):
        await asyncio.to_thread(
            publish_changes, lake, database, plan, first.folder, second.folder, {"run": 2}
        )


@pytest.fixture(scope="module")
async def declared(pg: Any, city: Any) -> Any:
    async with pg() as owner:
        await publish(owner, city)
        await declare_fallbacks(owner, city)
    return city


async def test_from_files_to_served_registers_and_day_after_day(
    declared: Any, desk: Desk, pg: Any, database: Any
) -> None:
    """First load in bulk; then a change, a new person, a number that arrives, a value taken back; nothing wiped, no duplicate."""
    rows = [
        hukou("1", LIN, "林晓晴", mother_citizen_id=ZHOU),
        hukou("2", None, "新生儿", birth_date="2026-11-18"),
        hukou("3", WANG, "王启明"),
    ]
    desk.deliver("hukou", rows, day=19, who={"self": [1, 2, 3]})
    desk.deliver(
        "medical_insurance", [insured("M1", LIN, "林小晴", phone="13800000001")], day=19, who={"self": [1]}
    )
    plan = plan_of(desk.city, frozenset(d.source for d in desk.deliveries))
    first = desk.run("first")
    with duckdb.connect() as lake:
        loaded = await asyncio.to_thread(publish_first, lake, database, plan, first.folder, {"run": 1})
    assert loaded.registers == {"person": 3, "medical_insurance": 1, "household": 0}
    temporary = "T10000000000000002"
    async with pg() as owner:
        found = {
            r["key"]: r for r in await owner.fetch("SELECT * FROM registers.record WHERE register = 'person'")
        }
        assert set(found) == {LIN, WANG, temporary}
        assert found[LIN]["data"]["phone"] == "13800000001"
        assert found[LIN]["sources"] == {"psb": "2026-11-19", ".phone": ["medical", "2026-10-01"]}
        baby = found[temporary]["subjects"]
        who = await owner.fetchrow("SELECT id, scheme FROM registers.identity WHERE number = $1", temporary)
        assert (list(baby), who["scheme"]) == ([who["id"]], "temp")
        ref = found[temporary]["ref"]

    number = "320213202611180017"
    rows[0] |= {"name": "林晓", "updated_at": "2026-11-20 09:00:00"}
    rows[1] |= {"citizen_id": number, "updated_at": "2026-11-20 09:00:00"}
    desk.deliver("hukou", [*rows[:2], hukou("4", SUN, "孙")], day=20, who={"self": [1, 2, 4]})
    desk.deliver(
        "medical_insurance",
        [insured("M1", LIN, "林小晴", updated_at="2026-11-20 09:00:00")],
        day=20,
        who={"self": [1]},
    )
    second = desk.run("second")
    with duckdb.connect() as lake:
        done = await asyncio.to_thread(
            publish_changes, lake, database, plan, first.folder, second.folder, {"run": 2}
        )
        assert (done.new, done.rekeyed, done.gone["person"]) == (1, 1, 1)
        again = await asyncio.to_thread(
            publish_changes, lake, database, plan, first.folder, second.folder, {"run": 2}
        )
        assert (again.new, again.changed, again.rekeyed) == (0, 0, 0)  # brought twice, done once
    async with pg() as owner:
        rows_now = await owner.fetch(
            "SELECT * FROM registers.record WHERE register = 'person' AND superseded_at IS NULL"
        )
        now = {r["key"]: r for r in rows_now}
        assert set(now) == {LIN, WANG, number, SUN}  # Wang is in no delivery any more, and stays
        assert now[LIN]["data"]["name"] == "林晓"
        assert "phone" not in now[LIN]["data"]
        assert now[LIN]["sources"] == {"psb": "2026-11-20"}
        assert (now[number]["ref"], list(now[number]["subjects"])) == (ref, list(baby))
        assert (
            await owner.fetchval("SELECT scheme FROM registers.identity WHERE id = $1", baby[0])
            == "citizen_id"
        )
        told = await owner.fetchrow("SELECT subject, body FROM ledger.entry WHERE kind = 'register.rekeyed'")
        assert (told["subject"], told["body"]["identity"], told["body"]["record"]) == (
            baby[0],
            "kept",
            "kept",
        )
    async with pg(LOADER) as loader:
        kinds = [c.kind for c in await changes_after(loader, 0)]
    assert kinds.count("snapshot") == 3
    assert kinds.count("rekeyed") == 1
    assert kinds.count("new") == 1


async def test_two_identities_that_become_one_leave_one_record(
    declared: Any, desk: Desk, pg: Any, database: Any
) -> None:
    """A permit without a usable number was a person of its own until identity saw whose it is."""
    number = "320213198501010013"
    desk.deliver("residence_permits", [permit("P8", None, "赵来")], day=19, who={"self": [80]})
    desk.deliver("hukou", [hukou("8", number, "赵来")], day=19, who={"self": [81]})
    plan = plan_of(desk.city, frozenset(d.source for d in desk.deliveries))
    first = desk.run("first")
    async with pg() as owner:
        await owner.execute("SELECT registers.bulk_clear()")
    with duckdb.connect() as lake:
        await asyncio.to_thread(publish_first, lake, database, plan, first.folder, {"run": 10})
        desk.identity["residence_permits:P8:self"] = 81
        events = desk.folder / "events.parquet"
        lake.execute(
            f"COPY (SELECT 'person' AS entity, 'merge' AS kind, 81::BIGINT AS cid, 80::BIGINT AS other) TO '{events}' (FORMAT parquet)"
        )
        second = desk.run("second")
        done = await asyncio.to_thread(
            publish_changes, lake, database, plan, first.folder, second.folder, {"run": 11}, merges=[events]
        )
    assert done.rekeyed == 1
    async with pg() as owner:
        rows = await owner.fetch(
            "SELECT key, superseded_at IS NULL AS stands FROM registers.record WHERE key = ANY ($1)",
            [number, "T10000000000000080"],
        )
        assert {r["key"]: r["stands"] for r in rows} == {number: True, "T10000000000000080": False}
        links = await owner.fetch(
            "SELECT f.number AS former, i.number FROM registers.identity_link l JOIN registers.identity f ON f.id = l.former"
            " JOIN registers.identity i ON i.id = l.id WHERE f.number = 'T10000000000000080'"
        )
        assert [(r["former"], r["number"]) for r in links] == [("T10000000000000080", number)]
        before = await owner.fetchval("SELECT ref FROM registers.record WHERE key = 'T10000000000000080'")
        counted = await owner.fetchval("SELECT sum(records) FROM registers.tally WHERE register = 'person'")

    # People take them apart again: the record that ended comes back as a further version of itself.
    desk.identity["residence_permits:P8:self"] = 80
    third = desk.run("third")
    with duckdb.connect() as lake:
        again = await asyncio.to_thread(
            publish_changes, lake, database, plan, second.folder, third.folder, {"run": 12}
        )
    assert (again.new, again.rekeyed) == (1, 0)
    async with pg() as owner:
        back = await owner.fetchrow(
            "SELECT version, ref FROM registers.record WHERE key = 'T10000000000000080' AND superseded_at IS NULL"
        )
        assert (back["version"], back["ref"]) == (2, before)
        assert (
            await owner.fetchval("SELECT sum(records) FROM registers.tally WHERE register = 'person'")
            == counted + 1
        )
        assert not await owner.fetchval(
            "SELECT count(*) FROM registers.identity_link l JOIN registers.identity f ON f.id = l.former WHERE f.number = 'T10000000000000080'"
        ), "what was entered about them is theirs again"


async def test_a_number_that_had_a_record_already_ends_the_temporary_one(declared: Any, pg: Any) -> None:
    """A window gave the newborn a number before the police's delivery did: one person afterwards, both pasts kept."""
    temporary, number = "T10000000000000077", "320213202611190012"
    async with pg() as owner:
        for key, data in (
            (temporary, '{"name": "小宝"}'),
            (number, f'{{"citizen_id": "{number}", "name": "王小宝"}}'),
        ):
            await owner.execute(
                "SELECT version FROM registers.put('person', $1, $2::text::jsonb, 'psb', '2026-11-20')",
                key,
                data,
            )
        old, new = [
            await owner.fetchval("SELECT id FROM registers.identity WHERE number = $1", n)
            for n in (temporary, number)
        ]
        assert list(
            await owner.fetchval("SELECT subjects FROM registers.record WHERE key = $1", temporary)
        ) == [old]
    load = uuid.uuid4()
    async with pg(LOADER) as loader:
        await loader.execute(
            "INSERT INTO registers.golden_intake (load, line, register, key, former_key, data, sources)"
            " VALUES ($1, 1, 'person', $2, $3, $4, $5)",
            load, number, temporary, {"citizen_id": number, "sex": "1"}, {"psb": "2026-11-21"})  # fmt: skip
        done = await loader.fetchval("SELECT registers.absorb_golden($1, '{}')", load)
    assert (done["rekeyed"], done["changed"], done["new"]) == (1, 1, 0)
    async with pg() as owner:
        keys = await owner.fetch(
            "SELECT key FROM registers.record WHERE superseded_at IS NULL AND key = ANY ($1)",
            [temporary, number],
        )
        assert [r["key"] for r in keys] == [number]
        assert await owner.fetchval("SELECT id FROM registers.identity_link WHERE former = $1", old) == new
