"""Deliveries: one source per field, versions only where something is new, nothing twice."""

from __future__ import annotations

import datetime as dt
import uuid

import asyncpg
import pytest
from small_city import FATHER, MOTHER, small_city

from dizuo.engines.registers import publish
from dizuo.engines.registers.access import compile_city

NEW = "320213200001010018"


async def versions(pg, register, key):
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT version, data, sources, subjects, superseded_at FROM registers.record"
            " WHERE register = $1 AND key = $2 ORDER BY version", register, key)  # fmt: skip
        return [dict(row) for row in rows]


async def found_by(pg, field, value):
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT key FROM registers.lookup WHERE field = $1 AND value = $2 AND known_to IS NULL", field, value)  # fmt: skip
        return [row["key"] for row in rows]


async def test_the_same_delivery_twice_is_nothing_twice(town, pg):
    rows = [("person", NEW, "psb", {"citizen_id": NEW, "name": "新来", "household_no": "H9"})]
    first = await town.deliver(rows, "psb")
    assert (first["rows"], first["new"], first["changed"], first["same"]) == (1, 1, 0, 0)
    again = await town.deliver(rows, "psb")
    assert (again["new"], again["changed"], again["same"]) == (0, 0, 1)
    assert len(await versions(pg, "person", NEW)) == 1
    assert await found_by(pg, "household_no", "H9") == [NEW]


async def test_a_change_makes_a_version_and_moves_the_lookup(town, pg):
    rows = [("person", NEW, "psb", {"citizen_id": NEW, "name": "新来", "household_no": "H10"})]
    assert (await town.deliver(rows, "psb", dt.date(2026, 11, 21)))["changed"] == 1
    old, new = await versions(pg, "person", NEW)
    assert old["superseded_at"] is not None
    assert old["data"]["household_no"] == "H9"
    assert new["data"]["household_no"] == "H10"
    assert new["sources"] == {"psb": "2026-11-21"}
    assert await found_by(pg, "household_no", "H9") == []
    assert await found_by(pg, "household_no", "H10") == [NEW]


async def test_departments_add_up_and_confirm_without_a_new_version(town, pg):
    await town.deliver([("person", NEW, "data", {"phone": "1"})], "data", dt.date(2026, 11, 1))
    count = len(await versions(pg, "person", NEW))
    await town.deliver([("person", NEW, "data", {"phone": "1"})], "data", dt.date(2026, 11, 9))
    await town.deliver([("person", NEW, "data", {"phone": "1"})], "data", dt.date(2026, 11, 5))
    after = await versions(pg, "person", NEW)
    assert len(after) == count
    assert after[-1]["sources"] == {"psb": "2026-11-21", "data": "2026-11-09"}  # never back
    assert after[-1]["data"]["name"] == "新来"


async def test_null_takes_a_value_back(town, pg):
    await town.deliver([("person", NEW, "data", {"phone": None})], "data", dt.date(2026, 11, 10))
    assert "phone" not in (await versions(pg, "person", NEW))[-1]["data"]


@pytest.mark.parametrize(
    ("source", "data", "says"),
    [
        ("health", {"name": "别名"}, "health is not its source, psb is"),
        ("psb", {"shoe_size": "42"}, "nobody"),
    ],
)
async def test_only_the_source_may_say_it(town, pg, source, data, says):
    before = await versions(pg, "person", FATHER)
    with pytest.raises(asyncpg.PostgresError, match=says):
        await town.deliver(
            [("person", NEW, source, {"citizen_id": NEW} if source == "psb" else {}),
             ("person", FATHER, source, data)], source)  # fmt: skip
    assert await versions(pg, "person", FATHER) == before


async def test_a_record_twice_in_one_load_is_refused(town):
    with pytest.raises(asyncpg.PostgresError, match="repeats"):
        await town.deliver(
            [("person", NEW, "data", {"phone": "1"}), ("person", NEW, "data", {"phone": "2"})], "data"
        )


async def test_a_load_is_entered(town, pg):
    entry = (await town.deliver([("person", NEW, "data", {"phone": "7"})], "data"))["entry"]
    async with pg() as conn:
        body = await conn.fetchval("SELECT body FROM ledger.entry WHERE id = $1", entry)
    assert body == {"delivery": {"delivery": "data"}, "rows": 1, "new": 0, "changed": 1}


async def test_an_empty_load_wipes_nothing(town, pg):
    async with pg() as conn:
        before = await conn.fetchval("SELECT count(*) FROM registers.record WHERE superseded_at IS NULL")
        async with pg("dizuo_loader") as loader:
            result = await loader.fetchval("SELECT registers.absorb($1, '{}')", uuid.uuid4())
        after = await conn.fetchval("SELECT count(*) FROM registers.record WHERE superseded_at IS NULL")
    assert (result["rows"], before) == (0, after)


async def test_identities_are_made_once_and_in_order(pg):
    async with pg("dizuo_loader") as loader:
        one = await loader.fetchval("SELECT registers.identities('uscc', $1)", ["B", "A", "B"])
        two = await loader.fetchval("SELECT registers.identities('uscc', $1)", ["A", "B"])
    assert one == [two[1], two[0], two[1]]


async def test_whom_a_record_is_about_comes_from_its_subject_fields(town, pg):
    (certificate,) = await versions(pg, "certificate", "C1")
    assert certificate["subjects"] == [town.ids[FATHER], town.ids[MOTHER]]


async def test_publishing_again_changes_nothing_and_going_back_reopens(town, pg):
    async with pg() as owner:
        assert await publish(owner, town.city) is False
        assert await publish(owner, small_city("v2")) is True
        retired = await owner.fetch("SELECT version FROM registers.access WHERE retired_at IS NULL")
        assert [row["version"] for row in retired] == ["v2"]
        assert await publish(owner, town.city) is True
        current = await owner.fetch("SELECT version FROM registers.access WHERE retired_at IS NULL")
        assert [row["version"] for row in current] == ["v1"]


def test_the_chain_passes_only_where_it_must():
    _, (access,) = compile_city(small_city())
    card = {(g.party, g.fields) for g in access.grants if g.item == "card"}
    assert card == {("applicant", ()), ("certificate", ()), ("mother", ("name", "phone"))}
    assert {g.purpose for g in access.grants if g.item == "card"} == {"birth.card"}


def test_what_is_matched_on_is_looked_up_and_the_key_is_not():
    fields, _ = compile_city(small_city())
    looked_up = {(f.register, f.field) for f in fields if f.lookup}
    assert ("marriage", "husband_id") in looked_up  # not declared, but matched on
    assert ("person", "citizen_id") not in looked_up
