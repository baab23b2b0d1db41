"""督办 and early warning: late work is seen without the person, pressed with a reason, and was warned of before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from family import MOTHER

from dizuo.engines import cases as engine
from dizuo.engines.cases.early import warn_at
from dizuo.engines.cases.supervision import without_persons
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.errors import Refused

HOUSEHOLD = "household"


def supervisor(bench: Any, *, place: str = "320213") -> Any:
    return bench.official("cases.supervise", place=place, post="district_supervisor", name="孙悦", who="o-9")


async def entries(bench: Any, kind: str, number: str) -> list[Any]:
    async with bench.pg() as conn:
        rows = await conn.fetch(
            "SELECT body, payload, subject FROM ledger.entry WHERE kind = $1 ORDER BY id", kind
        )
    return [row for row in rows if row["payload"] and row["payload"].get("case") == number]


async def late(bench: Any) -> Any:
    """An application whose household item is over its promise, on the desk."""
    receipt = await bench.agreed()
    item = await bench.item(receipt.number, HOUSEHOLD)
    bench.now.set(item["due_promise"] + timedelta(minutes=5))
    await bench.due()
    return receipt


async def test_late_work_is_seen_without_the_person(bench: Any) -> None:
    receipt = await late(bench)
    rail = await engine.desk_queue(bench.cases, supervisor(bench), rail="supervised", limit=200)
    row = next(row for row in rail.rows if row.number == receipt.number and row.item == HOUSEHOLD)
    assert (row.applicant, row.detail) == ("", {})
    found = await engine.supervised_case(bench.cases, supervisor(bench), receipt.number)
    item = next(item for item in found.items if item.id == HOUSEHOLD)
    assert [step.state for step in item.steps].count("now") == 1
    assert next(step for step in item.steps if step.state == "now").holder
    assert any(line.name == "promise_passed" for line in item.history)
    everything = msgspec.json.encode(found).decode() + msgspec.json.encode(row).decode()
    for personal in ("林晓晴", "王启明", "王建国", "沐言", MOTHER, "13812345678", "中山路"):
        assert personal not in everything
    (entry,) = await entries(bench, "case.supervise_view", receipt.number)
    assert entry["subject"] == bench.ids[MOTHER]
    assert HOUSEHOLD in entry["body"]["items"]


async def test_pressing_is_entered_and_shown_to_the_holder_until_it_is_done(bench: Any) -> None:
    receipt = await late(bench)
    await engine.press(bench.cases, supervisor(bench), receipt.number, HOUSEHOLD, "群众来电催办，请今天办结")
    police = bench.official()
    queue = await engine.desk_queue(bench.cases, police, limit=200)
    row = next(row for row in queue.rows if row.number == receipt.number and row.item == HOUSEHOLD)
    assert row.pressed
    page = await engine.case_page(bench.cases, police, receipt.number)
    item = next(item for item in page.items if item.id == HOUSEHOLD)
    (line,) = item.pressed
    assert line.reason == "群众来电催办，请今天办结"
    assert "孙悦" in line.who
    assert any(event.name == "pressed" for event in page.history)
    (entry,) = await entries(bench, "case.press", receipt.number)
    assert entry["payload"]["reason"] == "群众来电催办，请今天办结"
    assert "群众" not in str(entry["body"])
    # The applicant is not told what one official writes to another.
    seen = await engine.progress(bench.cases, bench.resident(), receipt.number)
    assert not any(event.name == "pressed" for event in seen.history)

    choices = {check.check: check.choices[0].id for check in item.exceptions if check.choices}
    await engine.decide(
        bench.cases,
        police,
        receipt.number,
        HOUSEHOLD,
        "grant",
        "已核实",
        choices=choices,
        version=item.version,
    )
    bench.now.advance(minutes=11)
    await bench.due()
    # Decided: handing the document over is late for nobody, though the promise to decide was.
    assert (await bench.item(receipt.number, HOUSEHOLD))["state"] in ("delivering", "done")
    rail = await engine.desk_queue(bench.cases, supervisor(bench), rail="supervised", limit=200)
    assert not any(row.number == receipt.number and row.item == HOUSEHOLD for row in rail.rows)
    with pytest.raises(engine.NothingLate):
        await engine.press(bench.cases, supervisor(bench), receipt.number, HOUSEHOLD, "再催一次")


async def test_a_reason_is_needed(bench: Any) -> None:
    receipt = await late(bench)
    with pytest.raises(engine.ReasonMissing):
        await engine.press(bench.cases, supervisor(bench), receipt.number, HOUSEHOLD, " ")


async def test_what_is_in_time_is_none_of_the_supervisors_business(bench: Any) -> None:
    receipt = await bench.agreed()
    with pytest.raises(engine.NothingLate):
        await engine.supervised_case(bench.cases, supervisor(bench), receipt.number)
    assert await entries(bench, "case.supervise_view", receipt.number) == []


async def test_only_the_post_and_only_its_place(bench: Any) -> None:
    receipt = await late(bench)
    for actors in (supervisor(bench, place="320281"), bench.official(), bench.official("window.serve")):
        with pytest.raises(Refused):
            await engine.supervised_case(bench.cases, actors, receipt.number)
        with pytest.raises(Refused):
            await engine.press(bench.cases, actors, receipt.number, HOUSEHOLD, "催办")
    # And seeing to late work is not seeing the case.
    with pytest.raises(Refused):
        await engine.case_page(bench.cases, supervisor(bench), receipt.number)


async def test_an_old_page_does_not_press(bench: Any) -> None:
    receipt = await late(bench)
    found = await engine.supervised_case(bench.cases, supervisor(bench), receipt.number)
    item = next(item for item in found.items if item.id == HOUSEHOLD)
    with pytest.raises(engine.ItemChanged):
        await engine.press(
            bench.cases, supervisor(bench), receipt.number, HOUSEHOLD, "催办", version=item.version - 1
        )


async def test_work_that_opens_late_is_supervised_too(bench: Any) -> None:
    receipt = await late(bench)
    police = bench.official()
    item = await bench.item(receipt.number, HOUSEHOLD)
    await engine.start_special(
        bench.cases,
        police,
        receipt.number,
        HOUSEHOLD,
        "鉴定",
        "需要鉴定",
        "5 个工作日",
        version=item["version"],
    )
    bench.now.advance(minutes=30)
    await engine.end_special(bench.cases, police, receipt.number, HOUSEHOLD, "鉴定完成")
    item = await bench.item(receipt.number, HOUSEHOLD)
    rail = await engine.desk_queue(bench.cases, supervisor(bench), rail="supervised", limit=200)
    shown = any(row.number == receipt.number and row.item == HOUSEHOLD for row in rail.rows)
    assert shown == (item["due_promise"] < bench.now())


def test_names_and_numbers_are_left_out_of_reasons() -> None:
    said = without_persons("林晓晴（320211199603151023）的材料要等公安 10 个工作日", ("林晓晴",))
    assert said == "…（…）的材料要等公安 10 个工作日"


@pytest.mark.parametrize(
    ("due", "warned"),
    [
        ("2026-11-25 17:30", "2026-11-24 17:30"),  # Wednesday ← Tuesday
        ("2026-11-23 17:30", "2026-11-20 17:30"),  # Monday ← Friday
        ("2026-10-08 17:30", "2026-09-30 17:30"),  # after the National Day holidays
    ],
)
def test_one_working_day_before(due: str, warned: str) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    assert warn_at(at(due), WorkCalendar()) == at(warned)


def test_an_unknown_year_is_not_guessed() -> None:
    assert warn_at(datetime(2031, 3, 3, 17, 30, tzinfo=SHANGHAI), WorkCalendar()) is None


async def outbox(bench: Any, number: str) -> list[Any]:
    async with bench.pg() as conn:
        rows = await conn.fetch("SELECT payload FROM store.outbox WHERE topic = 'early_warning' ORDER BY id")
    return [row["payload"] for row in rows if row["payload"]["number"] == number]


async def test_the_desk_is_warned_once_one_working_day_before(bench: Any) -> None:
    receipt = await bench.agreed()
    police = bench.official()
    queue = await engine.desk_queue(bench.cases, police, limit=200)
    row = next(row for row in queue.rows if row.number == receipt.number and row.item == HOUSEHOLD)
    assert row.due is not None
    warned = warn_at(row.due, bench.cases.calendar)
    assert warned is not None
    bench.now.set(warned - timedelta(minutes=1))
    await bench.due()
    assert await outbox(bench, receipt.number) == []
    bench.now.set(warned)
    await bench.due()
    told = await outbox(bench, receipt.number)
    assert [message["item"] for message in told].count(HOUSEHOLD) == 1
    message = next(message for message in told if message["item"] == HOUSEHOLD)
    assert message["power"] == "psb.household.decide"
    assert not {"name", "applicant", "title"} & message.keys()
    queue = await engine.desk_queue(bench.cases, police, limit=200)
    row = next(row for row in queue.rows if row.number == receipt.number and row.item == HOUSEHOLD)
    assert row.warned
    bench.now.advance(hours=1)
    await bench.due()
    assert len(await outbox(bench, receipt.number)) == len(told)


async def test_work_that_was_done_or_paused_is_not_warned_of(bench: Any) -> None:
    receipt = await bench.agreed()
    police = bench.official()
    item = await bench.item(receipt.number, HOUSEHOLD)
    await engine.start_special(
        bench.cases,
        police,
        receipt.number,
        HOUSEHOLD,
        "鉴定",
        "需要鉴定",
        "5 个工作日",
        version=item["version"],
    )
    bench.now.set(item["due_promise"] - timedelta(minutes=5))
    await bench.due()
    assert [m for m in await outbox(bench, receipt.number) if m["item"] == HOUSEHOLD] == []
