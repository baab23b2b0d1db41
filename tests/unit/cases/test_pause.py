"""What stops and lengthens a clock: 补正 once, special procedures, one extension; each touches its item only."""

from __future__ import annotations

from typing import Any

import pytest

from dizuo.engines import cases as engine
from dizuo.engines.cases import FixOnlyOnce, FixTooLate, FixWant, NotPossibleNow, ReasonMissing
from dizuo.engines.cases.errors import SameApprover
from dizuo.foundation.kernel.clocks import AlreadyExtended, NotExtendable
from dizuo.foundation.kernel.errors import Invalid, Refused

WANTS = [FixWant("请确认门牌号是 402 还是 420", "两处登记不一样", "hukou-1958:6")]
KEEP = {"father_address": "keep"}


async def _fix(bench: Any, number: str, item: str = "household", **how: Any) -> Any:
    return await engine.request_fix(bench.cases, bench.official(), number, item, WANTS, "地址要确认", **how)


async def test_a_fix_stops_one_clock_and_the_others_go_on(bench: Any) -> None:
    receipt = await bench.agreed()
    before = await bench.item(receipt.number, "household")
    await _fix(bench, receipt.number)
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "fix_awaited"
    assert item["paused"]
    assert (await bench.states(receipt.number))["vaccination"] == "done"
    home = await engine.my_home(bench.cases, bench.resident())
    assert receipt.number in {fix.number for fix in home.fixes}
    queue = await engine.desk_queue(bench.cases, bench.official(), limit=500)
    assert receipt.number not in {row.number for row in queue.rows}
    bench.now.advance(days=2)
    await engine.answer_fix(bench.cases, bench.resident(), receipt.number, "household", "是 402 室")
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "reviewing"
    assert not item["paused"]
    assert (item["due_promise"] - before["due_promise"]).days == 4  # two workdays stood still, over a weekend
    queue = await engine.desk_queue(bench.cases, bench.official(), limit=500)
    assert receipt.number in {row.number for row in queue.rows}
    page = await engine.case_page(bench.cases, bench.official(), receipt.number)
    desk = next(i for i in page.items if i.id == "household")
    assert desk.fix is not None
    assert desk.fix.answer == "是 402 室"
    assert not desk.may_fix
    with pytest.raises(FixOnlyOnce):
        await _fix(bench, receipt.number)


async def test_after_five_workdays_it_counts_as_accepted(bench: Any) -> None:
    receipt = await bench.agreed()
    bench.now.advance(days=8)
    with pytest.raises(FixTooLate) as caught:
        await _fix(bench, receipt.number)
    assert "三十二" in str(caught.value)


async def test_a_fix_lists_everything_and_says_why(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(ReasonMissing):
        await engine.request_fix(bench.cases, bench.official(), receipt.number, "household", [], "缺")
    with pytest.raises(ReasonMissing):
        await engine.request_fix(bench.cases, bench.official(), receipt.number, "household", WANTS, " ")


async def test_nobody_answers_the_fix(bench: Any) -> None:
    receipt = await bench.agreed()
    await _fix(bench, receipt.number)
    bench.now.advance(days=31)
    await bench.due()
    states = await bench.states(receipt.number)
    assert states["household"] == states["card"] == "sent_back"
    notices = await engine.notices_of(bench.cases, bench.resident())
    assert any(n.kind == "fix_timeout" and n.number == receipt.number for n in notices)


async def test_a_special_procedure_stops_the_clock_and_the_time_needed_is_told(bench: Any) -> None:
    receipt = await bench.agreed()
    official = bench.official()
    with pytest.raises(Invalid):
        await engine.start_special(bench.cases, official, receipt.number, "household", "开会", "研究", "3 天")
    with pytest.raises(Invalid):
        await engine.start_special(bench.cases, official, receipt.number, "household", "补正", "研究", "3 天")
    with pytest.raises(ReasonMissing):
        await engine.start_special(bench.cases, official, receipt.number, "household", "鉴定", "亲子鉴定", "")
    await engine.start_special(
        bench.cases, official, receipt.number, "household", "鉴定", "亲子鉴定", "10 个工作日"
    )
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "special"
    assert item["paused"]
    notices = await engine.notices_of(bench.cases, bench.resident())
    assert any("10 个工作日" in n.says and n.number == receipt.number for n in notices)
    due = item["due_promise"]
    bench.now.advance(days=7)
    await engine.end_special(bench.cases, official, receipt.number, "household", "鉴定完成")
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "reviewing"
    assert (item["due_promise"] - due).days == 7


async def test_household_registration_cannot_be_extended(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(NotExtendable):
        await engine.ask_extension(bench.cases, bench.official(), receipt.number, "household", "人手不够")


async def test_one_extension_by_another_official(bench: Any) -> None:
    receipt = await _restaurant(bench)
    officer = bench.official(
        "market.visit.decide", place="320206", unit="market", post="inspector", who="m-1"
    )
    both = bench.official(
        "market.visit.decide",
        place="320206",
        unit="market",
        post="inspector",
        who="m-1",
        more=("market.approve",),
    )
    head = bench.official(
        "market.approve", place="320206", unit="market", post="market_head", who="m-2", name="陈局"
    )
    before = await bench.item(receipt.number, "visit")
    with pytest.raises(ReasonMissing):
        await engine.ask_extension(bench.cases, officer, receipt.number, "visit", "")
    await engine.ask_extension(bench.cases, officer, receipt.number, "visit", "需要联合踏勘")
    with pytest.raises(SameApprover):
        await engine.approve_extension(bench.cases, both, receipt.number, "visit", approve=True)
    with pytest.raises(Refused):
        await engine.approve_extension(bench.cases, officer, receipt.number, "visit", approve=True)
    await engine.approve_extension(bench.cases, head, receipt.number, "visit", approve=True)
    item = await bench.item(receipt.number, "visit")
    assert item["state"] == "extended"
    assert item["due_promise"] > before["due_promise"]
    notices = await engine.notices_of(bench.cases, bench.resident(_owner(), "周师傅"))
    assert any("需要联合踏勘" in n.says and "延长" in n.says for n in notices)
    with pytest.raises((AlreadyExtended, NotPossibleNow)):
        await engine.ask_extension(bench.cases, officer, receipt.number, "visit", "再延")


def _owner() -> str:
    from family import OWNER

    return OWNER


async def _restaurant(bench: Any, **answers: str) -> Any:
    import uuid

    from family import USCC

    given = {
        "same_place": "same",
        "food_kind": "hot",
        "area": "80",
        "sign": "true",
        "tobacco": "false",
        "phone": "13512345678",
        **answers,
    }
    owner = bench.resident(_owner(), "周师傅", acting_for=bench.ids[USCC])
    form = await engine.open_form(bench.cases, owner, "restaurant", given)
    for question in form.plan.questions:
        if question.value is None and question.options:
            given[question.id] = question.options[0].value
        elif question.value is None:
            given[question.id] = {"number": "80", "boolean": "false"}.get(question.type, "演示内容一二三四")
    return await engine.submit(bench.cases, owner, 9, "restaurant", given, {}, uuid.uuid4().hex)


async def test_an_enterprise_applies_through_its_legal_representative(bench: Any) -> None:
    from family import OWNER, USCC

    receipt = await _restaurant(bench)
    await bench.due()
    states = await bench.states(receipt.number)
    assert states["verify"] == "done"
    assert states["visit"] == "reviewing"
    assert states["food"] == "waiting"
    firm = bench.resident(OWNER, "周师傅", acting_for=bench.ids[USCC])
    assert receipt.number in {line.number for line in await engine.my_cases(bench.cases, firm)}
    assert receipt.number not in {
        line.number for line in await engine.my_cases(bench.cases, bench.resident(OWNER))
    }


async def test_a_colleague_is_asked_and_answers(bench: Any) -> None:
    receipt = await bench.agreed()
    asking = bench.official()
    station = bench.official(place="320213001", unit="psb", post="household_officer", who="p-1", name="民警")
    await engine.refer(bench.cases, asking, receipt.number, "household", "请上门核实门牌号")
    queue = await engine.desk_queue(bench.cases, station, rail="cooperating")
    assert receipt.number in {row.number for row in queue.rows}
    assert queue.counts.cooperating >= 1
    with pytest.raises(Refused):
        await engine.answer_referral(bench.cases, asking, receipt.number, "household", "是 402")
    await engine.answer_referral(bench.cases, station, receipt.number, "household", "上门看过，是 402 室")
    page = await engine.case_page(bench.cases, asking, receipt.number)
    assert any("402 室" in line.reason for line in page.history)
    item = await bench.item(receipt.number, "household")
    assert not item["paused"]


async def test_a_promise_that_passes_goes_to_supervision(bench: Any) -> None:
    receipt = await bench.agreed()
    bench.now.advance(days=5)
    await bench.due()
    supervisor = bench.official("cases.supervise", post="district_supervisor", who="s-1")
    queue = await engine.desk_queue(bench.cases, supervisor, rail="supervised", limit=500)
    assert receipt.number in {row.number for row in queue.rows}
    notices = await engine.notices_of(bench.cases, bench.resident())
    assert any(n.kind == "late" and n.number == receipt.number for n in notices)
