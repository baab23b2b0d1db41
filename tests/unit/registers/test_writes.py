"""Writing: what a granted item declares, by the source of the field, entered in the same transaction."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from small_city import MOTHER, small_city

from dizuo.engines.registers import Actor, RecordGone, RegisterChange, Registers, WriteRefused
from dizuo.foundation.kernel.identity import CitizenId
from dizuo.foundation.store import begin

CHILD = {"name": "王沐言", "sex": "2", "birth_date": "2026-11-16", "division": "320213001001"}
POLICE = Actor("system", unit="psb", channel="system", name="户口登记")


def change(**more):
    values = {"register": "person", "key": None, "values": CHILD, "source": "psb", "date": dt.date(2026, 11, 23),
              "matter": "newborn", "item": "household", "case": "WX20261123000017", "actor": POLICE}  # fmt: skip
    return RegisterChange(**{**values, **more})


async def write(town, app_pool, frozen_now, *changes):
    async with begin(app_pool, frozen_now) as tx:
        return await town.registers.apply_writes(tx, changes)


async def test_a_new_person_gets_a_demonstration_number(town, app_pool, frozen_now, pg):
    one, two = await write(town, app_pool, frozen_now, change(), change(values={**CHILD, "name": "王沐语"}))
    number = CitizenId.parse(one.key, dt.date(2026, 11, 23), None)
    assert one.key.startswith("32021320261116")
    assert int(one.key[14:17]) >= 900
    assert int(one.key[14:17]) % 2 == 0
    assert number is not None
    assert one.key != two.key
    async with pg() as conn:
        row = await conn.fetchrow(
            "SELECT kind, body, subject, payload FROM ledger.entry WHERE id = $1", one.entry
        )
        record = await conn.fetchrow(
            "SELECT * FROM registers.record WHERE register = 'person' AND key = $1", one.key
        )
    assert (row["kind"], row["subject"]) == ("register.write", one.subject)
    assert row["body"]["fields"] == ["birth_date", "citizen_id", "division", "name", "sex"]
    assert (row["body"]["purpose"], row["body"]["basis"]) == ("birth.household", "hukou:7")
    assert row["payload"]["case"] == "WX20261123000017"
    assert (record["version"], record["sources"], record["data"]["name"]) == (
        1,
        {"psb": "2026-11-23"},
        "王沐言",
    )


async def test_outside_a_demonstration_no_number_is_made_up(town, app_pool, frozen_now, pg):
    from dizuo.engines.registers import publish

    real = small_city("real", demonstration=False)
    async with pg() as owner:
        await publish(owner, real)
    registers = Registers(app_pool, real, town.policy)
    try:
        with pytest.raises(WriteRefused, match="police"):
            async with begin(app_pool, frozen_now) as tx:
                await registers.apply_writes(tx, [change()])
    finally:
        async with pg() as owner:
            await publish(owner, town.city)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"values": {**CHILD, "phone": "1"}}, "may not write person.phone"),
        ({"item": "card", "actor": Actor("system", unit="hrss")}, "may not write"),
        ({"actor": Actor("system", unit="hrss")}, "本部门"),
        ({"actor": Actor("resident", subject=1)}, "由工作人员办理"),
        ({"source": "health"}, "is not the source"),
        ({"values": {}}, "needs a case and values"),
    ],
)
async def test_what_is_not_declared_is_not_written(town, app_pool, frozen_now, pg, more, says):
    async with pg() as conn:
        before = await conn.fetchval("SELECT count(*) FROM registers.record")
    with pytest.raises(WriteRefused, match=says):
        await write(town, app_pool, frozen_now, change(), change(**more))
    async with pg() as conn:
        assert (
            await conn.fetchval("SELECT count(*) FROM registers.record") == before
        )  # the first one is undone too


async def test_a_correction_by_the_source_makes_a_version_that_everybody_concerned_sees(
    town, app_pool, frozen_now, pg
):
    officer = Actor(
        "official", official="o9", post="health_officer", unit="health", powers=("health.correct",)
    )
    correction = change(register="certificate", key="C1", values={"weight": 3250}, source="health", item="",
                        actor=officer, basis="pipl:46", reason="录入错误")  # fmt: skip
    (done,) = await write(town, app_pool, frozen_now, correction)
    assert done.version == 2
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT subject, body, payload FROM ledger.entry WHERE kind = 'register.write'"
            " AND body ->> 'register' = 'certificate'")  # fmt: skip
        data = await conn.fetchval("SELECT data FROM registers.record WHERE register = 'certificate' AND key = 'C1'"
                                   " AND superseded_at IS NULL")  # fmt: skip
    assert data["weight"] == 3250
    assert data["state"] == "0"
    assert {row["subject"] for row in rows} == {town.ids[MOTHER], town.ids["320211199201011015"]}
    assert (rows[0]["body"]["purpose"], rows[0]["payload"]["reason"]) == ("correction", "录入错误")


async def test_a_correction_may_name_the_record_as_the_entry_does(town, app_pool, frozen_now, pg):
    async with pg() as conn:
        key = await conn.fetchval(
            "SELECT '#' || ref FROM registers.record WHERE register = 'certificate' AND key = 'C1'"
        )
    officer = Actor("official", official="o9", unit="health", powers=("health.correct",))
    named = change(
        register="certificate", key=key, values={"weight": 3300}, source="health", item="", actor=officer
    )
    (done,) = await write(town, app_pool, frozen_now, named)
    assert done.key == "C1"
    for unknown in ("#999999", "#x", "#"):
        with pytest.raises((RecordGone, WriteRefused)):
            await write(town, app_pool, frozen_now, change(register="certificate", key=unknown, values={"weight": 1},
                                                           source="health", item="", actor=officer))  # fmt: skip


async def test_two_corrections_at_once_become_two_versions_one_after_the_other(
    town, app_pool, frozen_now, pg
):
    officer = Actor("official", official="o9", unit="health", powers=("health.correct",))

    def weight(grams):
        return change(register="certificate", key="C1", values={"weight": grams}, source="health", item="",
                      actor=officer)  # fmt: skip

    async with begin(app_pool, frozen_now) as tx:
        (first,) = await town.registers.apply_writes(tx, [weight(3400)])
        waiting = asyncio.create_task(write(town, app_pool, frozen_now, weight(3500)))
        async with pg() as conn:
            while not await conn.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                assert not waiting.done()
                await asyncio.sleep(0.01)
    (second,) = await waiting
    assert second.version == first.version + 1
    async with pg() as conn:
        weights = await conn.fetch(
            "SELECT (data ->> 'weight')::int AS weight FROM registers.record"
            " WHERE register = 'certificate' AND key = 'C1' AND version >= $1 ORDER BY version",
            first.version,
        )
    assert [row["weight"] for row in weights] == [3400, 3500]


async def test_a_correction_needs_the_power_of_the_source(town, app_pool, frozen_now):
    other = Actor("official", official="o9", unit="psb", powers=("psb.correct",))
    with pytest.raises(WriteRefused):
        await write(town, app_pool, frozen_now,
                    change(register="certificate", key="C1", values={"weight": 1}, source="health", item="", actor=other))  # fmt: skip


async def test_a_record_that_is_gone_is_said_so(town, app_pool, frozen_now):
    officer = Actor("official", official="o9", unit="psb", powers=("psb.correct",))
    with pytest.raises(RecordGone):
        await write(
            town, app_pool, frozen_now, change(key="nobody", values={"name": "x"}, item="", actor=officer)
        )


async def test_a_rolled_back_decision_leaves_no_record_and_no_entry(town, app_pool, frozen_now, pg):
    async with pg() as conn:
        before = await conn.fetchval("SELECT count(*) FROM ledger.entry")

    async def fail():
        async with begin(app_pool, frozen_now) as tx:
            await town.registers.apply_writes(tx, [change()])
            raise RuntimeError("the decision was not made after all")

    with pytest.raises(RuntimeError):
        await fail()
    async with pg() as conn:
        assert await conn.fetchval("SELECT count(*) FROM ledger.entry") == before
