"""What was known on a day, and where each value is from: through the same doors, with the same entries."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import uuid

import duckdb
import msgspec
import pytest
from small_city import MOTHER, STRANGER, small_city

from dizuo.engines.registers import (
    Actor,
    BulkRows,
    DayNotOver,
    ReadRequest,
    Registers,
    bulk_load,
    declare_fallbacks,
    publish,
    read_as_known_on,
)
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import LOADER

ZONE = "Asia/Shanghai"
BABY, NUMBER = "T10000000000000005", "320213202611180017"


@pytest.fixture(scope="module")
async def city(pg):
    city = small_city()
    person = city.registers["person"]
    fields = {
        **person.fields,
        "phone": msgspec.structs.replace(person.fields["phone"], fallback=("hrss", "medical")),
    }
    registers = {**city.registers, "person": msgspec.structs.replace(person, fields=fields)}
    city = msgspec.structs.replace(city, registers=registers)
    async with pg() as owner:
        await publish(owner, city)
        await declare_fallbacks(owner, city)
    return city


@pytest.fixture(scope="module")
async def loaded(pg, city, database):
    """A mother whose telephone only social insurance knows, and a newborn without a number, loaded in bulk."""
    mother = f"""SELECT '{MOTHER}' AS key, '{{"citizen_id":"{MOTHER}","name":"林晓晴","phone":"138"}}' AS data,
        '{{"psb":"2026-11-20",".phone":["hrss","2026-10-31"]}}' AS sources, DATE '2020-01-01' AS valid_from,
        NULL::DATE AS valid_to, NULL AS st, '{MOTHER}' AS s0"""
    baby = f"""SELECT '{BABY}', '{{"name":"小宝"}}', '{{"psb":"2026-11-20"}}', DATE '2026-11-18', DATE '2027-11-18', '{BABY}', NULL"""
    rows = BulkRows("person", f"{mother} UNION ALL {baby}", (("st", "temp"), ("s0", "citizen_id")))
    certificate = f"""SELECT 'C1' AS key, '{{"number":"C1","mother_id":"{MOTHER}","state":"0","weight":3200}}' AS data,
        '{{"health":"2026-11-20"}}' AS sources, DATE '2026-11-20' AS valid_from, NULL::DATE AS valid_to, '{MOTHER}' AS s0"""
    await asyncio.to_thread(
        bulk_load, database, duckdb.connect(),
        [rows, BulkRows("certificate", certificate, (("s0", "citizen_id"),))],
        digest=hashlib.sha256(b"asof").hexdigest(), about={"deliveries": []})  # fmt: skip
    # As if it had been loaded in the past: the calendar is the only thing that is arranged here.
    async with pg() as owner:
        await owner.execute("UPDATE registers.record SET recorded_at = recorded_at - interval '30 days';"
                            "UPDATE registers.lookup SET known_from = known_from - interval '30 days'")  # fmt: skip
        return {r["number"]: r["id"] for r in await owner.fetch("SELECT id, number FROM registers.identity")}


@pytest.fixture(scope="module")
def registers(app_pool, city):
    return Registers(app_pool, city, Policy.from_city(city))


def request(ids, number=MOTHER, **more):
    asked = {"access": "newborn", "given": {"applicant": str(ids[number])}, "case": "draft-1", "items": ("card",),
             "actor": Actor("resident", subject=ids[number], name="本人")}  # fmt: skip
    return ReadRequest(**{**asked, **more})


async def daily(pg, key, data, sources, former=None):
    load = uuid.uuid4()
    async with pg(LOADER) as loader:
        await loader.execute(
            "INSERT INTO registers.golden_intake (load, line, register, key, former_key, data, sources)"
            " VALUES ($1, 1, 'person', $2, $3, $4, $5)", load, key, former, data, sources)  # fmt: skip
        return await loader.fetchval("SELECT registers.absorb_golden($1, '{}')", load)


async def test_a_value_says_whose_it_is_and_for_how_long(loaded, registers):
    facts = (await registers.read(request(loaded))).facts
    phone, name = facts["mother.phone"], facts["mother.name"]
    assert (phone.source, phone.as_of) == ("hrss", dt.date(2026, 10, 31))  # not `data`, whose field it is
    assert (name.source, name.as_of) == ("psb", dt.date(2026, 11, 20))
    assert (name.valid_from, name.valid_to) == (dt.date(2020, 1, 1), None)


async def test_what_was_known_on_a_day_is_read_through_the_same_door(loaded, registers, pg):
    now = dt.datetime.now(dt.UTC)
    await daily(pg, MOTHER, {"name": "林晓", "phone": "139"}, {"psb": "2026-11-23", "data": "2026-11-23"})
    today = (await registers.read(request(loaded))).facts
    assert (today["mother.name"].value, today["mother.phone"].value) == ("林晓", "139")
    assert (today["mother.phone"].source, today["mother.phone"].as_of) == ("data", dt.date(2026, 11, 23))
    then = await read_as_known_on(
        registers, request(loaded), now.date() - dt.timedelta(days=2), timezone=ZONE, now=now
    )
    assert (then.facts["mother.name"].value, then.facts["mother.phone"].value) == ("林晓晴", "138")
    assert (then.facts["mother.phone"].source, then.facts["mother.phone"].as_of) == (
        "hrss",
        dt.date(2026, 10, 31),
    )
    async with pg() as owner:
        entry = await owner.fetchrow("SELECT kind, subject, body, payload FROM ledger.entry WHERE id = $1",
                                     then.facts["mother.name"].entry)  # fmt: skip
    assert (entry["kind"], entry["subject"]) == ("register.read", loaded[MOTHER])
    assert entry["body"]["purpose"] == "birth.card"
    assert entry["payload"]["version"] == 1  # the entry names the version that was shown
    before_all = await read_as_known_on(
        registers, request(loaded), now.date() - dt.timedelta(days=60), timezone=ZONE, now=now
    )
    assert before_all.parties["applicant"].state == "missing"
    assert before_all.facts == {}


async def test_the_past_is_no_way_round(loaded, registers):
    now = dt.datetime.now(dt.UTC)
    asked = request(loaded, actor=Actor("resident", subject=loaded[BABY], name="别人"))
    result = await read_as_known_on(
        registers, asked, now.date() - dt.timedelta(days=2), timezone=ZONE, now=now
    )
    assert [r.reason for r in result.refusals] == ["not_yours"]
    assert result.facts == {}
    for day in (now.date() + dt.timedelta(days=1), now.date() + dt.timedelta(days=400)):
        with pytest.raises(DayNotOver):
            await read_as_known_on(registers, request(loaded), day, timezone=ZONE, now=now)


async def test_a_person_keeps_the_past_when_the_number_arrives(loaded, registers, pg, city):
    """The newborn's own entries and versions are found by the number, as of the days before it, too."""
    me = loaded[BABY]
    before = await registers.read(request(loaded, BABY, items=None, facts=("applicant",)))
    done = await daily(pg, NUMBER, {"citizen_id": NUMBER}, {"psb": "2026-11-23"}, former=BABY)
    assert (done["rekeyed"], done["changed"], done["new"]) == (1, 1, 0)
    assert await registers.identity_of("citizen_id", NUMBER) == me
    after = await registers.read(request(loaded, BABY, items=None, facts=("applicant",)))
    assert (after.parties["applicant"].state, after.parties["applicant"].key) == ("found", NUMBER)
    now = dt.datetime.now(dt.UTC)
    then = await read_as_known_on(
        registers, request(loaded, BABY, items=None, facts=("applicant",)), now.date() - dt.timedelta(days=2),
        timezone=ZONE, now=now)  # fmt: skip
    assert then.parties["applicant"].state == "found"
    async with pg() as owner:
        about = {r["id"] for r in await owner.fetch("SELECT id FROM ledger.entry WHERE subject = $1", me)}
        versions = await owner.fetch(
            "SELECT key, version, data FROM registers.record WHERE $1 = ANY (subjects) ORDER BY version", me
        )
    assert {*before.entries, *after.entries} <= about
    assert [(r["key"], r["version"], r["data"].get("citizen_id")) for r in versions] == [
        (NUMBER, 1, None),
        (NUMBER, 2, NUMBER),
    ]


async def test_a_day_s_difference_obeys_the_declarations(loaded, pg):
    for data, sources in (
        ({"illness": "x"}, {"psb": "2026-11-23"}),
        ({"phone": "1"}, {"psb": "2026-11-23", ".phone": ["health", "2026-11-23"]}),
        ({"shoe_size": "1"}, {"psb": "2026-11-23"}),
    ):
        with pytest.raises(Exception, match="declared"):
            await daily(pg, MOTHER, data, sources)
    with pytest.raises(Exception, match="key of a record"):
        await daily(pg, STRANGER, {"citizen_id": MOTHER}, {"psb": "2026-11-23"})
    async with pg() as owner:
        assert await owner.fetchval("SELECT count(*) FROM registers.record WHERE key = $1", STRANGER) == 0
    done = await daily(
        pg, MOTHER, {"phone": "137"}, {"psb": "2026-11-23", ".phone": ["medical", "2026-11-23"]}
    )
    assert done["changed"] == 1
    assert (
        await daily(pg, MOTHER, {"phone": "137"}, {"psb": "2026-11-23", ".phone": ["medical", "2026-11-23"]})
    )["same"] == 1
