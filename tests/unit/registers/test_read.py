"""Reading: what is released, from whom, of which date, and what the ledger then says to whom."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from small_city import FATHER, MOTHER, STRANGER, small_city

from dizuo.engines.registers import Actor, MatterUnknown, QuestionInvalid, ReadRequest, Registers


def request(town, number=MOTHER, **more):
    values = {"access": "newborn", "given": {"applicant": str(town.ids[number])}, "case": "draft-1",
              "actor": town.resident(number)}  # fmt: skip
    return ReadRequest(**{**values, **more})


async def entries(pg, ids):
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT id, kind, body, subject, payload FROM ledger.entry WHERE id = ANY ($1) ORDER BY id",
            list(ids),
        )
        return [dict(row) for row in rows]


async def test_a_parent_reads_what_the_items_need_and_nothing_else(town):
    result = await town.registers.read(request(town))
    assert set(result.facts) == {
        "certificate.child_sex", "certificate.born_on", "certificate.weight", "mother.name", "mother.citizen_id",
        "mother.phone", "father.name", "home.address", "marriage.state",
    }  # fmt: skip
    assert result.refusals == ()
    assert result.facts["mother.name"].value == "林晓晴"
    assert result.facts["certificate.weight"].value == 3200
    assert {p: s.state for p, s in result.parties.items()} == dict.fromkeys(
        ("applicant", "certificate", "mother", "father", "marriage", "home"), "found"
    )
    assert result.parties["marriage"].key == "M1"  # the latest by order_by


async def test_a_value_carries_its_source_and_that_source_s_date(town):
    facts = (await town.registers.read(request(town))).facts
    assert (facts["mother.phone"].source, facts["mother.phone"].as_of) == ("data", dt.date(2026, 11, 20))
    assert facts["mother.name"].source == "psb"
    assert facts["mother.name"].entry > 0


async def test_items_and_facts_narrow_a_read(town):
    result = await town.registers.read(request(town, items=("card",)))
    assert set(result.facts) == {"mother.phone", "mother.name"}
    assert set(result.parties) == {"applicant", "certificate", "mother"}  # the father is not even looked for
    result = await town.registers.read(request(town, items=("card",), facts=("mother.name",)))
    assert set(result.facts) == {"mother.name"}


async def test_every_person_concerned_gets_an_entry_with_purpose_fields_and_case(town, pg):
    result = await town.registers.read(request(town, items=("household",)))
    rows = await entries(pg, result.entries)
    assert {row["kind"] for row in rows} == {"register.read"}
    certificate = [row for row in rows if row["body"]["party"] == "certificate"]
    assert {row["subject"] for row in certificate} == {town.ids[MOTHER], town.ids[FATHER]}
    body = certificate[0]["body"]
    assert body["uses"] == [
        {"purpose": "birth.household", "basis": "hukou:7", "fields": ["born_on", "child_sex"]}
    ]
    assert body["used"] == ["father_id", "mother_id"]  # used to find others, not released
    assert body["actor"] == {"kind": "resident", "post": None, "unit": None, "place": "", "channel": "online"}
    assert certificate[0]["payload"]["case"] == "draft-1"
    assert certificate[0]["payload"]["key"].startswith("#")  # a reference, not the certificate's number
    everything = str([row["body"] for row in rows])
    for personal in (MOTHER, FATHER, "林晓晴", "C1", "draft-1"):
        assert personal not in everything
    fact = result.facts["mother.name"]
    assert [row["body"]["party"] for row in rows if row["id"] == fact.entry] == ["mother"]


async def test_somebody_else_is_refused_and_that_is_entered(town, pg):
    result = await town.registers.read(request(town, actor=town.resident(STRANGER)))
    assert (dict(result.facts), dict(result.parties)) == ({}, {})
    assert [r.reason for r in result.refusals] == ["not_yours"]
    (row,) = await entries(pg, result.entries)
    assert (row["kind"], row["subject"], row["body"]["reason"]) == (
        "register.refused", town.ids[MOTHER], "not_yours")  # fmt: skip
    assert row["payload"]["subject"] == town.ids[STRANGER]


async def test_the_record_key_of_another_is_refused_as_well(town):
    result = await town.registers.read(
        request(town, given={"applicant": MOTHER}, actor=town.resident(STRANGER))
    )
    assert [r.reason for r in result.refusals] == ["not_yours"]
    own = await town.registers.read(request(town, given={"applicant": MOTHER}))
    assert "mother.name" in own.facts


async def test_an_officer_reads_for_the_own_item_in_the_own_place_only(town, pg):
    officer = Actor("official", official="o1", post="household_officer", unit="psb", place="320213",
                    powers=("psb.household.decide",), name="民警")  # fmt: skip
    asked = {"actor": officer, "place": "320213001", "case": "WX1"}
    result = await town.registers.read(request(town, **asked))
    assert "mother.name" in result.facts
    assert "mother.phone" not in result.facts
    assert [(r.reason, r.items) for r in result.refusals] == [("policy", ("card",)), ("policy", ("cost",))]
    refusal = result.refusals[0]
    assert refusal.rule
    assert refusal.law
    assert "职权" in refusal.says
    rows = await entries(pg, [refusal.entry])
    assert (rows[0]["kind"], rows[0]["subject"], rows[0]["body"]["rule"]) == (
        "register.refused", town.ids[MOTHER], refusal.rule)  # fmt: skip
    elsewhere = await town.registers.read(request(town, **{**asked, "place": "320211002"}))
    assert elsewhere.facts == {}
    assert len(elsewhere.refusals) == 3


async def test_a_clerk_reads_for_the_person_in_front_and_for_nobody_else(town):
    clerk = Actor("official", official="w1", post="clerk", unit="service", powers=("window.serve",),
                  channel="window", acting_for=town.ids[MOTHER])  # fmt: skip
    assert "mother.name" in (await town.registers.read(request(town, actor=clerk))).facts
    other = await town.registers.read(request(town, FATHER, actor=clerk))
    assert other.facts == {}
    assert [r.reason for r in other.refusals] == ["not_yours"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"items": ("household", "nothing")}, "no_grant"),
        ({"facts": ("mother.illness",)}, "outside"),
        ({"facts": ("mother.name", "applicant.name")}, "outside"),
        ({"given": {"applicant": "1", "certificate": "C9"}}, "not_yours"),
    ],
)
async def test_what_is_not_declared_is_refused(town, change, reason):
    result = await town.registers.read(request(town, **change))
    assert result.facts == {}
    assert [r.reason for r in result.refusals] == [reason]
    assert result.refusals[0].says


async def test_a_choice_that_is_not_offered_is_refused(town):
    result = await town.registers.read(
        request(town, given={"applicant": str(town.ids[MOTHER]), "certificate": "C9"})
    )
    assert [r.reason for r in result.refusals] == ["not_candidate"]


async def test_a_read_without_a_case_is_refused(town):
    result = await town.registers.read(request(town, case=" "))
    assert result.facts == {}
    assert {r.reason for r in result.refusals} <= {"policy", "no_case"}


async def test_an_older_declaration_cannot_read(town, app_pool):
    old = Registers(app_pool, small_city("v0"), town.policy)
    assert [r.reason for r in (await old.read(request(town))).refusals] == ["no_access"]


async def test_an_unknown_matter_is_told_apart_from_a_refusal(town):
    with pytest.raises(MatterUnknown):
        await town.registers.read(request(town, access="nothing"))


async def test_a_poisoned_question_harms_only_its_own_caller(town):
    good, bad = await asyncio.gather(
        town.registers.read(request(town)),
        town.registers.read(request(town, case="a\x00b")),
        return_exceptions=True,
    )
    assert "mother.name" in good.facts
    assert isinstance(bad, QuestionInvalid)


async def test_a_missing_record_is_missing_and_entered_about_the_person_it_says_so_of(town, pg):
    result = await town.registers.read(request(town, STRANGER))
    assert result.parties["certificate"].state == "missing"
    assert result.parties["mother"].state == "missing"
    rows = await entries(pg, result.entries)
    (about,) = [row for row in rows if row["body"]["party"] == "certificate"]
    assert (about["subject"], about["body"]["state"]) == (town.ids[STRANGER], "missing")


async def test_twins_are_chosen_by_their_labels_then_read(town, pg):
    rows = [
        ("certificate", key, "health",
         {"number": key, "mother_id": STRANGER, "child_sex": sex, "born_on": "2026-11-01", "weight": 1, "state": "0"})
        for key, sex in (("T1", "1"), ("T2", "2"))
    ]  # fmt: skip
    await town.deliver(rows, "health")
    result = await town.registers.read(request(town, STRANGER))
    state = result.parties["certificate"]
    assert [(c.key, dict(c.labels)) for c in state.candidates] == [
        ("T1", {"child_sex": "1", "born_on": "2026-11-01"}), ("T2", {"child_sex": "2", "born_on": "2026-11-01"})
    ]  # fmt: skip
    assert result.parties["mother"].state == "waiting"
    assert not any(fact.startswith("certificate.") for fact in result.facts)
    assert len([r for r in await entries(pg, result.entries) if r["body"]["state"] == "choose"]) == 2
    chosen = await town.registers.read(
        request(town, STRANGER, given={"applicant": str(town.ids[STRANGER]), "certificate": "T2"})
    )
    assert chosen.facts["certificate.child_sex"].value == "2"
    assert chosen.parties["mother"].state == "found"
    assert chosen.parties["father"].state == "missing"


async def test_as_of_reads_what_was_known_then(town, pg):
    async with pg() as conn:
        before = await conn.fetchval("SELECT clock_timestamp()")
    await town.deliver([("person", MOTHER, "data", {"phone": "13900000009"})], "data", dt.date(2026, 11, 22))
    now = await town.registers.read(request(town))
    then = await town.registers.read(request(town, as_of=before))
    assert now.facts["mother.phone"].value == "13900000009"
    assert now.facts["mother.phone"].as_of == dt.date(2026, 11, 22)
    assert now.facts["mother.name"].as_of == dt.date(2026, 11, 20)
    assert then.facts["mother.phone"].value == "13800000001"


async def test_signing_in_asks_one_thing_and_is_entered(town, pg):
    assert await town.registers.identity_of("citizen_id", FATHER) == town.ids[FATHER]
    assert await town.registers.identity_of("citizen_id", "320213190001010000") is None
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT subject, body FROM ledger.entry WHERE kind = 'register.sign_in' ORDER BY id"
        )
    assert [(row["subject"], row["body"]["found"]) for row in rows] == [
        (town.ids[FATHER], True),
        (None, False),
    ]


async def test_many_reads_at_once_share_transactions_and_stay_apart(town, pg):
    people = [MOTHER, FATHER, STRANGER] * 20
    results = await asyncio.gather(*[town.registers.read(request(town, p, items=("card",))) for p in people])
    for person, result in zip(people, results, strict=True):
        assert result.parties["applicant"].key == person
    ids = [entry for result in results for entry in result.entries]
    assert len(ids) == len(set(ids))
    async with pg() as conn:
        used = await conn.fetchval("SELECT count(DISTINCT tx) FROM ledger.entry WHERE id = ANY ($1)", ids)
    assert used < len(people)
