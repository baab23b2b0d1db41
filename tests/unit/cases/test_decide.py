"""Deciding, undoing, taking effect, and what follows: the newborn story behind the desk."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from dizuo.engines import cases as engine
from dizuo.engines.cases import (
    CannotSee,
    CaseNotFound,
    DecidedByOther,
    ExceptionsOpen,
    ItemChanged,
    NotPossibleNow,
    NotYourDecision,
    ReasonMissing,
    UndoTooLate,
)
from dizuo.foundation.kernel.errors import Invalid, Stale

KEEP = {"father_address": "keep"}


async def test_consent_releases_only_its_items_and_the_exception_waits_for_a_judge(bench: Any) -> None:
    receipt = await bench.agreed()
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "reviewing"
    assert item["exceptions"] == ["father_address"]
    assert "marriage" in item["passed"]
    assert item["due_promise"].date().isoformat() == "2026-11-26"
    page = await engine.case_page(bench.cases, bench.official(), receipt.number)
    (desk,) = [i for i in page.items if i.id == "household"]
    (exception,) = desk.exceptions
    assert [("".join(t for t, _ in side.marks)) for side in exception.compare] == [
        "中山路 158 号 3 幢 402 室",
        "中山路 158 号 3 幢 420 室",
    ]
    assert [t for side in exception.compare for t, differs in side.marks if differs] == ["402", "420"]
    assert [c.id for c in exception.choices] == ["keep", "ask", "refer"]
    assert desk.may_decide
    assert desk.may_fix
    assert page.entries


async def test_granting_takes_effect_after_ten_minutes_and_releases_the_rest(bench: Any) -> None:
    receipt = await bench.agreed()
    decided = await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "grant", "以户籍登记为准", choices=KEEP
    )
    assert decided.final_at - decided.at == timedelta(minutes=10)
    assert (await bench.states(receipt.number))["household"] == "decided_yes"
    progress = await engine.progress(bench.cases, bench.resident(), receipt.number)
    assert next(i for i in progress.items if i.id == "household").word == "审查"  # not effective, so not told
    await bench.due()
    assert (await bench.states(receipt.number))["enrol"] == "waiting"
    bench.now.advance(minutes=10)
    await bench.due()
    states = await bench.states(receipt.number)
    assert states["household"] == states["enrol"] == states["card"] == "done"
    assert states["premium"] == "done"
    documents = await engine.documents_of(bench.cases, bench.resident())
    mine = [d for d in documents if d.application == receipt.number]
    assert {d.licence_type for d in mine} >= {"household_page", "medical_enrolment", "social_card"}
    page = await engine.document_page(
        bench.cases, bench.resident(), next(d.number for d in mine if d.licence_type == "household_page")
    )
    assert ("姓名", "王沐言") in page.fields
    assert ("性别", "女") in page.fields
    assert page.intact
    assert page.trust_level == "A"
    async with bench.pg() as conn:
        child = await conn.fetchval(
            "SELECT data FROM registers.record WHERE register = 'person' AND superseded_at IS NULL"
            " AND data ->> 'name' = '王沐言' ORDER BY recorded_at DESC LIMIT 1"
        )
    assert child["household_no"] == "H1"
    enrolment = next(d.number for d in mine if d.licence_type == "medical_enrolment")
    shown = dict((await engine.document_page(bench.cases, bench.resident(), enrolment)).fields)
    assert len(shown["公民身份号码"]) == 18


async def test_an_undone_decision_has_no_effect(bench: Any) -> None:
    receipt = await bench.agreed()
    decided = await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "grant", "", choices=KEEP
    )
    bench.now.advance(minutes=9)
    with pytest.raises(NotYourDecision):
        await engine.undo(bench.cases, bench.official(who="o-2"), decided.id)
    assert await engine.undo(bench.cases, bench.official(), decided.id) == receipt.number
    bench.now.advance(minutes=30)
    await bench.due()
    assert (await bench.states(receipt.number))["household"] == "reviewing"
    again = await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "grant", "", choices=KEEP
    )
    bench.now.advance(minutes=10)
    with pytest.raises(UndoTooLate):
        await engine.undo(bench.cases, bench.official(), again.id)
    await bench.due()
    assert (await bench.states(receipt.number))["household"] == "done"


async def test_two_officials_at_once_one_wins_and_the_other_is_told_kindly(bench: Any) -> None:
    receipt = await bench.agreed()
    version = (await bench.item(receipt.number, "household"))["version"]

    async def by(who: str, name: str) -> Any:
        return await engine.decide(
            bench.cases, bench.official(who=who, name=name), receipt.number, "household", "grant", "核对无误",
            choices=KEEP, version=version,
        )  # fmt: skip

    results = await asyncio.gather(by("o-1", "周敏"), by("o-2", "李强"), return_exceptions=True)
    lost = [r for r in results if isinstance(r, BaseException)]
    assert len(lost) == 1
    assert isinstance(lost[0], DecidedByOther)
    assert isinstance(lost[0], Stale)
    winner = {0: "周敏", 1: "李强"}[
        next(i for i, r in enumerate(results) if not isinstance(r, BaseException))
    ]
    assert winner in lost[0].message
    async with bench.pg() as conn:
        assert await conn.fetchval(
            "SELECT count(*) FROM cases.decision d JOIN cases.application a ON a.id = d.application"
            " WHERE a.number = $1",
            receipt.number,
        ) == 1  # fmt: skip


async def test_a_double_press_is_one_decision(bench: Any) -> None:
    receipt = await bench.agreed()
    first = await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "grant", "x", choices=KEEP
    )
    second = await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "grant", "x", choices=KEEP
    )
    assert first.id == second.id


async def test_an_old_page_is_stale(bench: Any) -> None:
    receipt = await bench.agreed()
    version = (await bench.item(receipt.number, "household"))["version"]
    await engine.request_fix(
        bench.cases, bench.official(), receipt.number, "household",
        [engine.FixWant("请说明门牌号", "两处登记不一样", "hukou-1958:6")], "地址要确认",
    )  # fmt: skip
    with pytest.raises(ItemChanged) as caught:
        await engine.decide(
            bench.cases, bench.official(who="o-2"), receipt.number, "household", "grant", "", choices=KEEP,
            version=version,
        )  # fmt: skip
    assert "周敏" in caught.value.message


async def test_an_exception_must_be_judged(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(ExceptionsOpen) as caught:
        await engine.decide(bench.cases, bench.official(), receipt.number, "household", "grant", "行")
    assert list(caught.value.fields) == ["choice_father_address"]
    with pytest.raises(ExceptionsOpen):
        await engine.decide(
            bench.cases, bench.official(), receipt.number, "household", "grant", "行",
            choices={"father_address": "ask"},
        )  # fmt: skip


async def test_a_refusal_needs_reason_and_law_and_names_the_remedy(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(ReasonMissing) as caught:
        await engine.decide(bench.cases, bench.official(), receipt.number, "household", "refuse", "")
    assert set(caught.value.fields) == {"reason", "law"}
    with pytest.raises(Invalid):
        await engine.decide(
            bench.cases, bench.official(), receipt.number, "household", "refuse", "不符合规定", law="no-law:1"
        )
    await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "refuse", "户主没有同意落户",
        law="hukou-1958:7",
    )  # fmt: skip
    bench.now.advance(minutes=10)
    await bench.due()
    states = await bench.states(receipt.number)
    assert states["household"] == "refused"
    assert states["enrol"] == states["card"] == states["premium"] == "sent_back"
    assert states["vaccination"] == "done"
    progress = await engine.progress(bench.cases, bench.resident(), receipt.number)
    decision = next(i for i in progress.items if i.id == "household").decision
    assert decision is not None
    assert "60 日" in decision.remedy
    assert "6 个月" in decision.remedy
    assert "人民法院" in decision.remedy
    assert progress.state.value == "partly_refused"


async def test_only_the_right_post_at_the_right_place_sees_and_decides(bench: Any) -> None:
    receipt = await bench.agreed()
    elsewhere = bench.official(place="320211")
    other_power = bench.official("market.food.decide", post="food_officer", unit="market")
    for actors in (elsewhere, other_power, ()):
        with pytest.raises(CannotSee):
            await engine.decide(bench.cases, actors, receipt.number, "household", "grant", "", choices=KEEP)
        with pytest.raises(CannotSee):
            await engine.case_page(bench.cases, actors, receipt.number)
    station = bench.official(place="320213001", unit="psb", post="household_officer")
    page = await engine.case_page(bench.cases, station, receipt.number)
    assert [item.id for item in page.items] == ["household"]


async def test_another_familys_number_looks_like_none_and_is_entered(bench: Any) -> None:
    receipt = await bench.submitted()
    from family import STRANGER

    with pytest.raises(CaseNotFound) as theirs:
        await engine.progress(bench.cases, bench.resident(STRANGER, "赵一"), receipt.number)
    with pytest.raises(CaseNotFound) as none:
        await engine.progress(bench.cases, bench.resident(STRANGER, "赵一"), "WX20261123000000")
    assert theirs.value.as_json() == none.value.as_json()
    async with bench.pg() as conn:
        assert await conn.fetchval("SELECT count(*) FROM ledger.entry WHERE kind = 'case.refused'") >= 2


async def test_the_history_cannot_be_changed(bench: Any) -> None:
    receipt = await bench.submitted()
    for role in ("dizuo_app", "dizuo_owner"):
        async with bench.pg(role) as conn:
            for statement in (
                "UPDATE cases.event SET reason = 'x'",
                "DELETE FROM cases.event",
                "TRUNCATE cases.event",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await conn.execute(statement)
    assert receipt.number


async def test_a_decided_item_takes_no_more_actions(bench: Any) -> None:
    receipt = await bench.agreed()
    await engine.decide(bench.cases, bench.official(), receipt.number, "household", "grant", "", choices=KEEP)
    with pytest.raises((DecidedByOther, NotPossibleNow)):
        await engine.start_special(
            bench.cases, bench.official(), receipt.number, "household", "鉴定", "亲子鉴定", "20 天"
        )
    with pytest.raises(NotPossibleNow):
        await engine.withdraw(bench.cases, bench.resident(), receipt.number, "household")


async def test_the_losing_register_is_told(bench: Any) -> None:
    receipt = await bench.agreed()
    await engine.decide(bench.cases, bench.official(), receipt.number, "household", "grant", "", choices=KEEP)
    bench.now.advance(minutes=10)
    await bench.due()
    async with bench.pg() as conn:
        row = await conn.fetchrow(
            "SELECT c.source, c.register, c.field FROM cases.correction c"
            " JOIN cases.application a ON a.id = c.application WHERE a.number = $1",
            receipt.number,
        )
    assert tuple(row.values()) == ("land", "real_estate", "address")
