"""Forms and submissions on the real database."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from family import FATHER, MOTHER, STRANGER

from dizuo.engines import cases as engine
from dizuo.engines.cases import AlreadyRunning, DraftNotFound, NotEligible, StaleDraft, read_number
from dizuo.foundation.kernel.errors import Invalid, Refused


async def test_the_form_is_prefilled_and_asks_five_things(bench: Any) -> None:
    certificate = await bench.child()
    form = await engine.open_form(bench.cases, bench.resident(), "newborn", {}, {"certificate": certificate})
    assert [q.id for q in form.plan.questions] == [
        "surname",
        "given_name",
        "household_with",
        "clinic",
        "delivery",
    ]
    assert form.plan.facts["mother.name"].value == "林晓晴"
    assert form.plan.facts["mother.name"].source == "psb"
    assert form.plan.facts["certificate.child_sex"].entry > 0
    assert not form.refusals


async def test_submit_starts_everything_that_can_start(bench: Any) -> None:
    receipt = await bench.submitted()
    assert read_number(receipt.number) == receipt.number
    assert receipt.title.startswith("王沐言")
    states = await bench.states(receipt.number)
    assert states["household"] == "consent"
    assert states["enrol"] == states["card"] == states["subsidy"] == "waiting"
    assert states["vaccination"] == states["cost"] == states["allowance"] == "done"
    assert receipt.promised is not None


async def test_what_happens_by_itself_is_not_said_to_be_the_parents_doing(bench: Any) -> None:
    receipt = await bench.submitted()
    async with bench.pg() as conn:
        rows = await conn.fetch(
            "SELECT e.name, e.actor_kind, e.unit FROM cases.event e"
            " JOIN cases.application a ON a.id = e.application WHERE a.number = $1",
            receipt.number,
        )
    by_name = {row["name"]: (row["actor_kind"], row["unit"]) for row in rows}
    assert by_name["submit"][0] == "resident"
    assert by_name["auto_grant"][0] == by_name["issue"][0] == by_name["wait"][0] == "system"
    assert {row["unit"] for row in rows if row["name"] == "auto_grant"} == {"cdc", "medical"}


async def test_the_same_form_twice_is_one_application(bench: Any) -> None:
    certificate, token = await bench.child(), uuid.uuid4().hex
    arguments = (
        bench.cases,
        bench.resident(),
        1,
        "newborn",
        bench.answers,
        {"certificate": certificate},
        token,
    )
    first, second = await asyncio.gather(engine.submit(*arguments), engine.submit(*arguments))
    assert first.number == second.number
    assert {first.again, second.again} == {False, True}
    third = await engine.submit(*arguments)
    assert (third.number, third.again) == (first.number, True)
    async with bench.pg() as conn:
        assert await conn.fetchval("SELECT count(*) FROM cases.application WHERE form_token = $1", token) == 1


async def test_a_token_of_another_account_is_refused(bench: Any) -> None:
    certificate, token = await bench.child(), uuid.uuid4().hex
    await engine.submit(
        bench.cases, bench.resident(), 1, "newborn", bench.answers, {"certificate": certificate}, token
    )
    with pytest.raises(Refused):
        await engine.submit(bench.cases, bench.resident(STRANGER), 2, "newborn", bench.answers, {}, token)


async def test_missing_and_bad_answers_are_named(bench: Any) -> None:
    certificate = await bench.child()
    answers = {**bench.answers, "given_name": "<script>alert(1)</script>", "clinic": ""}
    with pytest.raises(Invalid) as caught:
        await engine.submit(
            bench.cases, bench.resident(), 1, "newborn", answers, {"certificate": certificate}, "t-bad"
        )
    assert set(caught.value.fields) == {"given_name", "clinic"}


@pytest.mark.parametrize("name", ["👶", "'; DROP TABLE cases.item;--", "沐" * 31, "沐‮言", "沐1"])
async def test_no_such_name_is_accepted(bench: Any, name: str) -> None:
    certificate = await bench.child()
    with pytest.raises(Invalid) as caught:
        await engine.submit(
            bench.cases, bench.resident(), 1, "newborn", {**bench.answers, "given_name": name},
            {"certificate": certificate}, uuid.uuid4().hex,
        )  # fmt: skip
    assert list(caught.value.fields) == ["given_name"]


@pytest.mark.parametrize("name", ["买买提·艾力", "𬱖", "一" * 30])
async def test_rare_names_are_accepted(bench: Any, name: str) -> None:
    receipt = await bench.submitted(given_name=name)
    assert name in receipt.title


async def test_twins_are_chosen_first(bench: Any) -> None:
    await bench.child()
    await bench.child()
    form = await engine.open_form(bench.cases, bench.resident(), "newborn", {}, {})
    assert form.plan.choose == ("certificate",)
    assert len(form.known.parties["certificate"].candidates) >= 2
    with pytest.raises(Invalid) as caught:
        await engine.submit(bench.cases, bench.resident(), 1, "newborn", bench.answers, {}, uuid.uuid4().hex)
    assert "certificate" in caught.value.fields


async def test_somebody_without_a_child_is_told_so(bench: Any) -> None:
    form = await engine.open_form(bench.cases, bench.resident(STRANGER, "赵一"), "newborn", {}, {})
    assert form.plan.eligible
    assert not form.plan.questions
    with pytest.raises(NotEligible):
        await engine.submit(
            bench.cases, bench.resident(STRANGER), 3, "newborn", bench.answers, {}, uuid.uuid4().hex
        )


async def test_another_familys_certificate_cannot_be_chosen(bench: Any) -> None:
    certificate = await bench.child()
    with pytest.raises(Refused):
        await engine.open_form(
            bench.cases, bench.resident(STRANGER, "赵一"), "newborn", {}, {"certificate": certificate}
        )


async def test_a_draft_resumes_and_a_stale_tab_is_told(bench: Any) -> None:
    me = bench.resident()
    certificate = await bench.child()
    saved = await engine.save_draft(
        bench.cases, me, 1, "newborn", {"given_name": "沐"}, {"certificate": certificate}
    )
    kept = await engine.resume_form(bench.cases, me, "newborn", saved.id)
    assert kept.saved_at is not None
    assert kept.form.answers == {"given_name": "沐"}
    assert kept.form.draft == saved.id
    newer = await engine.save_draft(
        bench.cases, me, 1, "newborn", bench.answers, {"certificate": certificate}, draft=saved.id, version=1
    )
    assert newer.version == 2
    with pytest.raises(StaleDraft):
        await engine.save_draft(bench.cases, me, 1, "newborn", {}, {}, draft=saved.id, version=1)
    with pytest.raises(StaleDraft):
        await engine.submit(
            bench.cases, me, 1, "newborn", bench.answers, {"certificate": certificate}, uuid.uuid4().hex,
            draft=saved.id, version=1,
        )  # fmt: skip
    await engine.submit(
        bench.cases, me, 1, "newborn", bench.answers, {"certificate": certificate}, uuid.uuid4().hex,
        draft=saved.id, version=2,
    )  # fmt: skip
    gone = await engine.resume_form(bench.cases, me, "newborn", saved.id)
    assert gone.saved_at is None
    assert gone.form.answers == {}


async def test_a_draft_of_somebody_else_does_not_exist(bench: Any) -> None:
    saved = await engine.save_draft(bench.cases, bench.resident(), 1, "newborn", {"given_name": "沐"})
    fresh = await engine.resume_form(bench.cases, bench.resident(STRANGER), "newborn", saved.id)
    assert fresh.saved_at is None
    assert fresh.form.answers == {}
    with pytest.raises(DraftNotFound):
        await engine.resume_form(bench.cases, bench.resident(STRANGER), "newborn", "no-uuid")


async def test_at_the_window_the_clerk_is_recorded(bench: Any) -> None:
    certificate = await bench.child()
    (clerk,) = bench.official(
        "window.serve", place="320213001", unit="town_service", post="town_clerk", who="o-9"
    )
    receipt = await engine.submit(
        bench.cases, bench.resident(MOTHER), 1, "newborn", bench.answers, {"certificate": certificate},
        uuid.uuid4().hex, served_by=clerk,
    )  # fmt: skip
    async with bench.pg() as conn:
        row = await conn.fetchrow(
            "SELECT channel, served_by FROM cases.application WHERE number = $1", receipt.number
        )
    assert tuple(row.values()) == ("window", "o-9")


async def test_a_clerk_without_the_power_is_refused(bench: Any) -> None:
    certificate = await bench.child()
    (clerk,) = bench.official("village.visit", place="320213001", unit="village", post="grid_worker")
    with pytest.raises(Refused):
        await engine.submit(
            bench.cases, bench.resident(MOTHER), 1, "newborn", bench.answers, {"certificate": certificate},
            uuid.uuid4().hex, served_by=clerk,
        )  # fmt: skip


async def test_the_submission_is_in_the_ledger_without_anything_personal(bench: Any) -> None:
    receipt = await bench.submitted()
    async with bench.pg() as conn:
        body = await conn.fetchval(
            "SELECT body::text FROM ledger.entry WHERE kind = 'case.submit' ORDER BY id DESC LIMIT 1"
        )
    assert '"matter": "newborn"' in body
    for personal in (receipt.number, "林晓晴", "王沐言", MOTHER):
        assert personal not in body


async def test_nobody_applies_twice_for_one_child_until_the_first_has_ended(bench: Any) -> None:
    certificate = await bench.child()
    choice = {"certificate": certificate}
    mother, father = bench.resident(), bench.resident(FATHER, "王启明")
    first = await engine.submit(bench.cases, mother, 1, "newborn", bench.answers, choice, uuid.uuid4().hex)
    with pytest.raises(AlreadyRunning) as own:
        await engine.submit(bench.cases, mother, 1, "newborn", bench.answers, choice, uuid.uuid4().hex)
    assert first.number in own.value.message
    with pytest.raises(AlreadyRunning) as theirs:
        await engine.submit(bench.cases, father, 2, "newborn", bench.answers, choice, uuid.uuid4().hex)
    assert first.number not in theirs.value.message
    await engine.withdraw(bench.cases, mother, first.number)
    again = await engine.submit(bench.cases, father, 2, "newborn", bench.answers, choice, uuid.uuid4().hex)
    assert again.number != first.number
