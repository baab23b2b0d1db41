"""Applications go their way and no other; tickets are answered once, by those they are addressed to; nothing appears unreviewed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dizuo.engines.opendata import ApplicationRunning, AskInvalid, DatasetSeen, StepNotOpen, dataset, people

TODAY = dt.date(2026, 11, 23)
PURPOSE = "研究各街镇人口和学校布局的关系"


@pytest.fixture
async def towns(app_pool: Any, published: Any) -> DatasetSeen:
    return await dataset(app_pool, "population_by_town")


async def applied(pool: Any, seen: DatasetSeen, subject: int) -> int:
    return await people.apply_for(
        pool, seen, subject, "某人", "某大学", PURPOSE, "2027-06-30", TODAY, dt.date(2026, 12, 21)
    )


async def test_the_whole_way_of_an_application(app_pool: Any, pg: Any, towns: DatasetSeen) -> None:
    number = await applied(app_pool, towns, 901)
    with pytest.raises(ApplicationRunning):
        await applied(app_pool, towns, 901)
    assert not await people.may_take(app_pool, towns, 901, TODAY)
    for to in ("accepted", "approved"):
        await people.decide_application(app_pool, number, to, by="official:1:psb:household_officer")
        assert not await people.may_take(app_pool, towns, 901, TODAY)
    await people.decide_application(app_pool, number, "open", by="applicant", subject=901)
    assert await people.may_take(app_pool, towns, 901, TODAY)
    assert not await people.may_take(app_pool, towns, 902, TODAY)
    assert not await people.may_take(app_pool, towns, None, TODAY)
    assert await people.may_take(app_pool, towns, 901, dt.date(2027, 6, 30))
    assert not await people.may_take(app_pool, towns, 901, dt.date(2027, 7, 1))
    await people.decide_application(
        app_pool, number, "reported", by="applicant", reason="写成一篇文章", subject=901
    )
    assert await people.may_take(app_pool, towns, 901, TODAY)
    await people.decide_application(app_pool, number, "ended", by="official:1", reason="用途已经完成")
    assert not await people.may_take(app_pool, towns, 901, TODAY)
    async with pg() as owner:
        steps = await owner.fetch(
            "SELECT body FROM ledger.entry WHERE kind = 'opendata.application' ORDER BY id"
        )
    assert [one["body"]["to"] for one in steps if one["body"]["application"] == number] == [
        "accepted", "approved", "open", "reported", "ended",
    ]  # fmt: skip
    assert steps[0]["body"]["by"] == "official:1"
    assert steps[0]["body"]["actor"] == {"kind": "official", "unit": "psb", "post": "household_officer"}
    assert steps[2]["body"]["actor"] == {"kind": "resident"}
    assert PURPOSE not in str([dict(one) for one in steps])


@pytest.mark.parametrize(
    ("to", "by"),
    [
        ("approved", None),
        ("open", 911),
        ("reported", 911),
        ("ended", None),
        ("nonsense", None),
        ("accepted", 911),
    ],
)
async def test_no_step_out_of_turn(app_pool: Any, towns: DatasetSeen, to: str, by: int | None) -> None:
    number = next((o.id for o in await people.own_asks(app_pool, 911)), 0) or await applied(
        app_pool, towns, 911
    )
    with pytest.raises(StepNotOpen):
        await people.decide_application(app_pool, number, to, by="x", reason="一个理由", subject=by)


async def test_nobody_signs_for_another(app_pool: Any, towns: DatasetSeen) -> None:
    number = await applied(app_pool, towns, 921)
    for to in ("accepted", "approved"):
        await people.decide_application(app_pool, number, to, by="official:1")
    for subject in (922, None):
        with pytest.raises(StepNotOpen):
            await people.decide_application(app_pool, number, "open", by="x", subject=subject)


async def test_a_refusal_needs_a_reason_that_the_applicant_reads(app_pool: Any, towns: DatasetSeen) -> None:
    number = await applied(app_pool, towns, 931)
    with pytest.raises(AskInvalid):
        await people.decide_application(app_pool, number, "refused", by="official:1")
    await people.decide_application(app_pool, number, "refused", by="official:1", reason="用途不在条件之内")
    (own,) = await people.own_asks(app_pool, 931)
    assert (own.state, own.reply) == ("refused", "用途不在条件之内")
    assert await applied(app_pool, towns, 931) > number  # one may apply again


@pytest.mark.parametrize(
    ("purpose", "until", "wrong"),
    [
        ("短", "2027-01-01", "purpose"),
        (PURPOSE, "2026-11-23", "until"),
        (PURPOSE, "2031-01-01", "until"),
        (PURPOSE, "soon", "until"),
    ],
)
async def test_what_is_missing_is_told_by_field(
    app_pool: Any, towns: DatasetSeen, purpose: str, until: str, wrong: str
) -> None:
    with pytest.raises(AskInvalid) as caught:
        await people.apply_for(app_pool, towns, 941, "某人", "", purpose, until, TODAY, None)
    assert set(caught.value.fields) == {wrong}


async def test_a_correction_is_answered_once_by_its_own_organisation_and_shown_only_when_said_so(
    app_pool: Any, published: Any
) -> None:
    seen = await dataset(app_pool, "villages")
    number = await people.ask(
        app_pool, "correction", seen, "civil", 951, "第三行的名称已经改了", "第 3 行 名称", TODAY
    )
    assert number in {one.id for one in await people.tickets(app_pool, ["civil"])}
    assert number not in {one.id for one in await people.tickets(app_pool, ["psb"])}
    with pytest.raises(StepNotOpen):
        await people.answer_ticket(app_pool, number, True, "已经改了", True, by="official:1", within=["psb"])
    with pytest.raises(AskInvalid):
        await people.answer_ticket(app_pool, number, True, "改", True, by="official:1", within=["civil"])
    await people.answer_ticket(
        app_pool, number, True, "已经更正，下期发布", False, by="official:1", within=["civil"]
    )
    with pytest.raises(StepNotOpen):
        await people.answer_ticket(app_pool, number, False, "再答一次", True, by="official:1", within=None)
    assert await people.answered(app_pool, "villages") == ()
    (own,) = await people.own_asks(app_pool, 951)
    assert (own.state, own.reply) == ("agreed", "已经更正，下期发布")
    second = await people.ask(app_pool, "advice", seen, "civil", 951, "希望有英文名", "", TODAY)
    await people.answer_ticket(
        app_pool, second, False, "暂时没有官方译名", True, by="official:1", within=None
    )
    assert [one.id for one in await people.answered(app_pool, "villages")] == [second]


async def test_a_correction_says_of_what(app_pool: Any, published: Any) -> None:
    with pytest.raises(AskInvalid):
        await people.ask(app_pool, "correction", None, "data", 951, "哪里都错了吧", "", None)
    with pytest.raises(AskInvalid):
        await people.ask(app_pool, "order", None, "data", 951, "这不是一种", "", None)


async def test_a_showcase_appears_after_its_review(app_pool: Any, published: Any) -> None:
    given = (
        "找接种点",
        "https://example.org/map",
        "学生小组",
        "在地图上找最近的接种门诊",
        ["vaccination_clinics"],
        961,
    )
    shown = await people.submit_showcase(app_pool, *given)
    refused = await people.submit_showcase(app_pool, *given)
    assert await people.showcases(app_pool) == ()
    await people.review_showcase(app_pool, shown, True, "", by="official:1")
    with pytest.raises(AskInvalid):
        await people.review_showcase(app_pool, refused, False, "", by="official:1")
    await people.review_showcase(app_pool, refused, False, "和另一件重复", by="official:1")
    with pytest.raises(StepNotOpen):
        await people.review_showcase(app_pool, refused, True, "", by="official:1")
    assert [one.id for one in await people.showcases(app_pool, dataset="vaccination_clinics")] == [shown]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "http://a b",
        "//example.org",
        "ftp://x.org",
        "https://[",
        "https://x\nnx.org",
    ],
)
async def test_only_links_that_lead_to_a_page(app_pool: Any, published: Any, url: str) -> None:
    with pytest.raises(AskInvalid) as caught:
        await people.submit_showcase(
            app_pool, "名称", url, "作者", "十个字以上的一句说明文字", ["villages"], 971
        )
    assert set(caught.value.fields) == {"url"}


async def test_the_last_mark_of_a_person_counts(app_pool: Any, published: Any) -> None:
    for subject, mark in ((981, "1"), (981, "5"), (982, "4")):
        await people.rate(app_pool, "villages", subject, mark)
    with pytest.raises(AskInvalid):
        await people.rate(app_pool, "villages", 983, "6")
    seen = await dataset(app_pool, "villages")
    assert (seen.rating, seen.ratings) == (4.5, 2)
