"""What people do with a running case: consent, withdraw, rate, report errors; and what they see."""

from __future__ import annotations

import json
import uuid
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from typing import Any

import pytest
from family import FATHER, GRANDFATHER, MOTHER, STRANGER

from dizuo.engines import cases as engine
from dizuo.engines.cases import AlreadyRated, CannotSee, CaseNotFound, ConsentClosed
from dizuo.engines.cases.errors import CorrectionClosed, NotFinished
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.errors import Invalid

KEEP = {"father_address": "keep"}


def father(bench: Any) -> Any:
    return bench.resident(FATHER, "王启明")


async def test_only_whoever_is_asked_sees_a_consent_and_only_what_it_is_about(bench: Any) -> None:
    receipt = await bench.submitted()
    page = await engine.consent_page(bench.cases, father(bench), receipt.number, "other_parent")
    assert page.applicant == "林晓晴"
    assert [w.zh for w in page.items] == ["户口登记"]
    shown = {asks.zh: value for asks, value in page.shows}
    assert "沐言" in shown.values()
    assert not any("怎么给您" in asks for asks in shown)  # how it is delivered is none of his business
    for other in (MOTHER, STRANGER):
        with pytest.raises(CaseNotFound):
            await engine.consent_page(bench.cases, bench.resident(other), receipt.number, "other_parent")
        with pytest.raises(CaseNotFound):
            await engine.answer_consent(
                bench.cases, bench.resident(other), receipt.number, "other_parent", agrees=True
            )
    with pytest.raises(CaseNotFound):  # the father was asked, yet the case is the mother's
        await engine.progress(bench.cases, father(bench), receipt.number)


async def test_a_consent_is_answered_once(bench: Any) -> None:
    receipt = await bench.submitted()
    await engine.answer_consent(bench.cases, father(bench), receipt.number, "other_parent", agrees=True)
    with pytest.raises(ConsentClosed):
        await engine.answer_consent(bench.cases, father(bench), receipt.number, "other_parent", agrees=False)
    assert (await bench.states(receipt.number))[
        "household"
    ] == "consent"  # the head of household is still asked


async def test_a_lapsed_consent_returns_kindly_and_can_be_asked_again(bench: Any) -> None:
    receipt = await bench.submitted()
    bench.now.advance(days=9)
    await bench.due()
    states = await bench.states(receipt.number)
    assert states["household"] == "returned"
    assert states["enrol"] == "waiting"
    assert (await engine.progress(bench.cases, bench.resident(), receipt.number)).state.value == (
        "waiting_for_applicant"
    )
    for consent, person in (("other_parent", FATHER), ("father_side_head", GRANDFATHER)):
        await engine.ask_consent_again(bench.cases, bench.resident(), receipt.number, consent)
        await engine.answer_consent(bench.cases, bench.resident(person), receipt.number, consent, agrees=True)
    await bench.due()
    assert (await bench.states(receipt.number))["household"] == "reviewing"


async def test_a_refused_consent_holds_up_only_its_items(bench: Any) -> None:
    receipt = await bench.submitted()
    await engine.answer_consent(bench.cases, father(bench), receipt.number, "other_parent", agrees=False)
    states = await bench.states(receipt.number)
    assert states["household"] == "returned"
    assert states["vaccination"] == "done"


async def test_withdrawing_one_item_ends_what_waits_for_it(bench: Any) -> None:
    receipt = await bench.agreed()
    assert await engine.withdraw(bench.cases, bench.resident(), receipt.number, "household") == ("household",)
    states = await bench.states(receipt.number)
    assert states["household"] == "withdrawn"
    assert states["enrol"] == states["premium"] == "sent_back"
    queue = await engine.desk_queue(bench.cases, bench.official(), limit=500)
    assert receipt.number not in {row.number for row in queue.rows}


async def test_withdrawing_everything(bench: Any) -> None:
    receipt = await bench.submitted()
    gone = await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    assert "household" in gone
    with pytest.raises(ConsentClosed):
        await engine.answer_consent(bench.cases, father(bench), receipt.number, "other_parent", agrees=True)
    with pytest.raises(CaseNotFound):
        await engine.withdraw(bench.cases, bench.resident(STRANGER), receipt.number)


async def test_a_rating_comes_once_and_after_the_end(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(NotFinished):
        await engine.rate(bench.cases, bench.resident(), receipt.number, 5)
    await engine.decide(bench.cases, bench.official(), receipt.number, "household", "grant", "", choices=KEEP)
    bench.now.advance(minutes=10)
    await bench.due()
    page = await engine.progress(bench.cases, bench.resident(), receipt.number)
    if not page.may_rate:  # an item with a sleeping account waits for a person: settle it first
        await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    with pytest.raises(Invalid):
        await engine.rate(bench.cases, bench.resident(), receipt.number, 6)
    await engine.rate(bench.cases, bench.resident(), receipt.number, 4, "很快")
    with pytest.raises(AlreadyRated):
        await engine.rate(bench.cases, bench.resident(), receipt.number, 1)
    assert (await engine.progress(bench.cases, bench.resident(), receipt.number)).rating == 4


async def test_a_reported_error_goes_to_the_source_with_a_clock(bench: Any) -> None:
    token = uuid.uuid4().hex
    arguments = (bench.cases, bench.resident(), "person", MOTHER, "residence_address", "中山路 160 号", token)
    number, due = await engine.report_error(*arguments)
    assert due is not None
    assert due.date().isoformat() == "2026-12-07"  # ten workdays
    again, _ = await engine.report_error(*arguments)
    assert again == number
    source = bench.cases.city.registers["person"].fields["residence_address"].source
    elsewhere = bench.official("medical.correct", unit="medical", post="insurance_officer", place="")
    officer = bench.official(f"{source}.correct", unit=source, post="household_officer", place="")
    with pytest.raises(CannotSee):
        await engine.decide_correction(bench.cases, elsewhere, number, confirm=True, reason="核实")
    page = await engine.correction_page(bench.cases, officer, number)
    assert page.wants == "中山路 160 号"
    queue = await engine.desk_queue(bench.cases, officer, limit=500)
    assert number in {row.number for row in queue.rows}
    await engine.decide_correction(bench.cases, officer, number, confirm=True, reason="上门核实过")
    with pytest.raises(CorrectionClosed):
        await engine.decide_correction(bench.cases, officer, number, confirm=False, reason="不对")
    async with bench.pg() as conn:
        assert await conn.fetchval(
            "SELECT data ->> 'residence_address' FROM registers.record"
            " WHERE register = 'person' AND key = $1 AND superseded_at IS NULL",
            MOTHER,
        ) == "中山路 160 号"  # fmt: skip
    mine = await engine.corrections_of(bench.cases, bench.resident())
    assert next(c for c in mine if c.number == number).state == "confirmed"


async def test_a_document_is_checked_by_code_without_its_content(bench: Any) -> None:
    receipt = await bench.submitted()
    mine = [
        d for d in await engine.documents_of(bench.cases, bench.resident()) if d.application == receipt.number
    ]
    page = await engine.document_page(bench.cases, bench.resident(), mine[0].number)
    public = await engine.check_document(bench.cases, page.number, page.check_code.lower().replace("-", " "))
    assert public.intact
    assert public.fields == ()
    assert public.holder_name == "林**"
    for number, code in ((page.number, "0000-0000-0000"), ("NO-SUCH", page.check_code)):
        with pytest.raises(CaseNotFound):
            await engine.check_document(bench.cases, number, code)
    with pytest.raises(CaseNotFound):
        await engine.document_page(bench.cases, bench.resident(STRANGER), page.number)
    async with bench.pg() as conn:
        await conn.execute("UPDATE cases.document SET holder_name = '别人' WHERE number = $1", page.number)
    assert not (await engine.document_page(bench.cases, bench.resident(), page.number)).intact


async def test_the_home_page_knows_what_waits(bench: Any) -> None:
    receipt = await bench.submitted()
    mine = await engine.my_home(bench.cases, bench.resident())
    his = await engine.my_home(bench.cases, father(bench))
    assert receipt.number in {line.number for line in mine.running}
    assert receipt.number in {c.number for c in his.consents}
    assert receipt.number not in {line.number for line in his.running}
    assert mine.unread > 0
    await engine.mark_read(bench.cases, bench.resident(), 2**62)
    assert (await engine.my_home(bench.cases, bench.resident())).unread == 0


async def _log(bench: Any) -> Any:
    start = datetime(2026, 11, 1, tzinfo=SHANGHAI)
    return await engine.log_of(bench.cases, start, start + timedelta(days=60), "newborn")


async def test_xes_is_a_log_with_a_trace_for_each_application(bench: Any) -> None:
    receipt = await bench.submitted()
    events = await _log(bench)
    root = ET.fromstring(engine.xes(events))
    space = {"x": "http://www.xes-standard.org/"}
    traces = root.findall("x:trace", space)
    names = [t.find("x:string[@key='concept:name']", space).get("value") for t in traces]  # type: ignore[union-attr]
    assert receipt.number in names
    assert len(names) == len(set(names))
    for event in root.iterfind("x:trace/x:event", space):
        keys = {child.get("key") for child in event}
        assert {"concept:name", "time:timestamp", "lifecycle:transition"} <= keys
        datetime.fromisoformat(event.find("x:date", space).get("value"))  # type: ignore[union-attr, arg-type]
    assert "林晓晴" not in engine.xes(events)


async def test_ocel_holds_together(bench: Any) -> None:
    receipt = await bench.submitted()
    text = engine.ocel2(await _log(bench))
    log = json.loads(text)
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    types = {t["name"]: {a["name"] for a in t["attributes"]} for t in log["objectTypes"]}
    events = {t["name"]: {a["name"] for a in t["attributes"]} for t in log["eventTypes"]}
    objects = {o["id"]: o for o in log["objects"]}
    assert len(objects) == len(log["objects"])
    assert receipt.number in objects
    for thing in log["objects"]:
        assert {a["name"] for a in thing["attributes"]} <= types[thing["type"]]
        assert all("time" in a for a in thing["attributes"])
        assert all(r["objectId"] in objects for r in thing["relationships"])
    for event in log["events"]:
        assert {a["name"] for a in event["attributes"]} <= events[event["type"]]
        assert event["relationships"]
        assert all(r["objectId"] in objects and r["qualifier"] for r in event["relationships"])
        datetime.fromisoformat(event["time"])
    assert "林晓晴" not in text


async def test_what_was_delivered_is_counted_from_the_work(bench: Any) -> None:
    since = datetime(2026, 11, 1, tzinfo=SHANGHAI)
    before = await engine.delivered(bench.cases, since)
    receipt = await bench.submitted()
    await engine.withdraw(bench.cases, bench.resident(), receipt.number)
    page = await engine.progress(bench.cases, bench.resident(), receipt.number)
    after = await engine.delivered(bench.cases, since)
    assert after.ended - before.ended == (1 if page.state.ended else 0)
