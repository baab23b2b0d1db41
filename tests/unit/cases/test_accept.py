"""Items that an official accepts first (受理), two judges in a row, and acting for somebody else."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
from family import FATHER, MOTHER

from dizuo.engines import cases as engine
from dizuo.engines.cases import CaseNotFound, FixWant, NotPossibleNow
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.model import Length

KEEP = {"father_address": "keep"}


@pytest.fixture(scope="module")
def wuxi() -> City:
    """The demonstration city, but a person accepts the household registration and a second one approves it."""
    city = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
    matter = city.matters["newborn"]
    item = next(i for i in matter.items if i.id == "household")
    steps = []
    for step in item.steps:
        if step.id == "intake":
            step = msgspec.structs.replace(step, kind="judge")
        if step.id == "make":
            steps.append(
                msgspec.structs.replace(
                    step,
                    id="approve",
                    kind="judge",
                    power="psb.approve",
                    after=("review",),
                    promise=Length(1, "workday"),
                )
            )
            step = msgspec.structs.replace(step, after=("approve",))
        steps.append(step)
    changed = msgspec.structs.replace(item, steps=tuple(steps))
    items = tuple(changed if i.id == "household" else i for i in matter.items)
    newborn = msgspec.structs.replace(matter, items=items)
    return msgspec.structs.replace(
        city, matters={**city.matters, "newborn": newborn}, version=f"{city.version[:-4]}test"
    )


def head(bench: Any) -> Any:
    return bench.official(
        "psb.approve", unit="psb", post="station_head", place="320213001", who="h-1", name="所长"
    )


async def test_accept_then_review_then_approve(bench: Any) -> None:
    receipt = await bench.agreed()
    assert (await bench.states(receipt.number))["household"] == "received"
    with pytest.raises(NotPossibleNow):
        await engine.decide(bench.cases, bench.official(), receipt.number, "household", "grant", "")
    bench.now.advance(days=1)
    await engine.accept(bench.cases, bench.official(), receipt.number, "household")
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "reviewing"
    assert item["exceptions"] == ["father_address"]
    assert item["started_at"] == bench.now()
    passed = await engine.decide(
        bench.cases, bench.official(), receipt.number, "household", "grant", "核过", choices=KEEP
    )
    assert passed.verdict == "pass"
    assert (await bench.item(receipt.number, "household"))["steps_done"] == ["intake", "review"]
    queue = await engine.desk_queue(bench.cases, head(bench), limit=500)
    (row,) = [row for row in queue.rows if row.number == receipt.number]
    assert row.due is not None
    assert row.due.date().isoformat() == "2026-11-25"  # the step's own promise, before the item's
    await engine.decide(bench.cases, head(bench), receipt.number, "household", "grant", "同意")
    bench.now.advance(minutes=10)
    await bench.due()
    assert (await bench.states(receipt.number))["household"] == "done"


async def test_nobody_accepts_for_five_workdays(bench: Any) -> None:
    receipt = await bench.agreed()
    bench.now.advance(days=8)
    await bench.due()
    item = await bench.item(receipt.number, "household")
    assert item["state"] == "reviewing"
    assert item["started_at"] == item["received_at"]
    progress = await engine.progress(bench.cases, bench.resident(), receipt.number)
    assert any("视为受理" in line.what for line in progress.history)


async def test_not_accepting_needs_reason_law_and_remedy(bench: Any) -> None:
    receipt = await bench.agreed()
    await engine.reject_accept(
        bench.cases, bench.official(), receipt.number, "household", "不属于本机关职权", "hukou-1958:7"
    )
    states = await bench.states(receipt.number)
    assert states["household"] == "not_accepted"
    assert states["card"] == "sent_back"
    notices = await engine.notices_of(bench.cases, bench.resident())
    (told,) = [n for n in notices if n.kind == "not_accepted" and n.number == receipt.number]
    assert "行政复议" in told.says
    assert "人民法院" in told.says


async def test_a_fix_before_acceptance_is_accepted_after_it(bench: Any) -> None:
    receipt = await bench.agreed()
    await engine.request_fix(
        bench.cases,
        bench.official(),
        receipt.number,
        "household",
        [FixWant("门牌号", "", "hukou-1958:6")],
        "两处登记不一样",
    )
    await engine.answer_fix(bench.cases, bench.resident(), receipt.number, "household", "402")
    assert (await bench.states(receipt.number))["household"] == "fixed"
    await engine.accept(bench.cases, bench.official(), receipt.number, "household")
    assert (await bench.states(receipt.number))["household"] == "reviewing"


async def test_a_case_belongs_to_whom_it_is_for(bench: Any) -> None:
    certificate = await bench.child()
    proxy = bench.resident(FATHER, "王启明", acting_for=bench.ids[MOTHER])
    receipt = await engine.submit(
        bench.cases, proxy, 2, "newborn", bench.answers, {"certificate": certificate}, uuid.uuid4().hex
    )
    assert receipt.number in {line.number for line in await engine.my_cases(bench.cases, proxy)}
    assert receipt.number in {line.number for line in await engine.my_cases(bench.cases, bench.resident())}
    assert (await engine.progress(bench.cases, bench.resident(), receipt.number)).number == receipt.number
    assert (await engine.progress(bench.cases, proxy, receipt.number)).number == receipt.number
    with pytest.raises(CaseNotFound):
        await engine.progress(bench.cases, bench.resident(FATHER), receipt.number)
    mine = await engine.documents_of(bench.cases, bench.resident())
    page = await engine.document_page(
        bench.cases, bench.resident(), next(d.number for d in mine if d.application == receipt.number)
    )
    assert page.holder_name == "林晓晴"
