"""Two records of which the machine is not sure: a purpose first, then both side by side, and two opinions that do not know of each other."""

from __future__ import annotations

from typing import Any

import pytest
from pairs import LEFT, OTHER, RIGHT, STEWARD, ask
from town import Town
from visitor import Visitor

VALUES = (LEFT["citizen_id"], RIGHT["citizen_id"], LEFT["name"], RIGHT["name"], LEFT["phone"], "演示路")
JUDGE = "核定是不是同一个"


@pytest.fixture
async def pair(town: Town) -> int:
    await town.owner.execute("TRUNCATE lake.identity_vote, lake.identity_pair RESTART IDENTITY CASCADE")
    return await ask(town)


async def opened(town: Town, name: str, pair: int) -> Visitor:
    """Somebody who said what for, and has the two records before them."""
    visitor = await town.signed_in(name)
    await visitor.open("/data/review")
    await visitor.follow(f"第 {pair} 对")
    await visitor.fill({"看它做什么": JUDGE}, "记入账本，看记录")
    assert visitor.page.status == 200, visitor.page.text
    return visitor


async def test_the_queue_has_no_value_and_a_pair_none_before_its_purpose(town: Town, pair: int) -> None:
    steward = await town.signed_in(STEWARD)
    await steward.open("/data/review")
    assert "很像，但证件号码不同" in steward.page.text
    assert "待第一人核" in steward.page.text
    queue = steward.page.html + (await steward.client.get("/data/review.json")).text
    await steward.follow(f"第 {pair} 对")
    assert not any(value in queue + steward.page.html for value in VALUES)
    looked = len(await town.entries("identity.look"))

    await steward.press("记入账本，看记录")
    assert steward.page.status == 422
    assert "请选择看它做什么" in steward.page.errors()
    assert not any(value in steward.page.html for value in VALUES)
    assert len(await town.entries("identity.look")) == looked


async def test_both_records_with_what_differs_and_the_evidence_in_words(town: Town, pair: int) -> None:
    steward = await opened(town, STEWARD, pair)
    page = steward.page
    marked = [node.text() for node in page.root.all("mark")]
    assert {"国", "囯", "33", "50"} <= set(marked) | {m[-2:] for m in marked}, marked
    rows = {row.text().split()[0]: row.text() for row in page.root.all("tr")}
    assert "相同" in rows["出生日期"]
    assert "男 男 相同" in rows["性别"]
    assert "有不同" in rows["公民身份号码"]
    assert "只有左边有" in rows["电话"]
    assert "−4.0 反对" in rows["证件号码"]
    assert "合起来：约 58.6% 的可能是同一人" in page.text
    bars = [node.get("aria-label") for node in page.root.all("svg") if "fall" in node.get("class")]
    assert bars == ["从 0 到 −22.8", "从 −22.8 到 −13.7", "从 −13.7 到 −17.7", "从 −17.7 到 +0.5"]
    look = (await town.entries("identity.look"))[-1]
    assert (look["payload"]["pair"], look["body"]["purpose"]) == (pair, "核定两条记录是不是同一主体")
    assert look["body"]["actor"] == {"kind": "official", "unit": "data", "post": "steward"}
    assert f"第 {look['id']} 条" in page.text
    assert not any(value in str(look["body"]) for value in VALUES)


async def test_two_officials_agree_and_the_second_did_not_know(town: Town, pair: int) -> None:
    first = await opened(town, STEWARD, pair)
    second = await opened(town, OTHER, pair)
    await first.fill({"意见": "是同一人", "理由": "户口本有更正记录"}, "提交意见")
    assert first.here() == f"/data/review/{pair}"
    assert "待第二人核" in first.page.text
    assert "户口本有更正记录" in first.page.text
    assert "看两条记录" not in first.page.text
    await first.open("/data/review")
    assert "您核过" in first.page.text

    again = await town.signed_in(OTHER)
    await again.open(f"/data/review/{pair}")
    assert "户口本有更正记录" not in again.page.html
    await again.fill({"看它做什么": JUDGE}, "记入账本，看记录")
    assert "户口本有更正记录" not in again.page.html
    assert "已有的意见" not in again.page.text

    await second.fill({"意见": "是同一人", "理由": "档案一致"}, "提交意见")
    assert "已定：同一个" in second.page.text
    cells = [cell.text() for cell in second.page.root.all("td")]
    assert {"户口本有更正记录", "档案一致", "是同一人"} <= set(cells)
    state = await town.owner.fetchval("SELECT state FROM lake.identity_pair WHERE id = $1", pair)
    assert state == "same"


async def test_sent_twice_and_sent_late(town: Town, pair: int) -> None:
    first = await opened(town, STEWARD, pair)
    form = first.page.filled("提交意见", {"意见": "不是同一人", "理由": "两个人"})
    await first.send(form)
    await first.send(form)
    assert first.page.status == 409
    assert "第一次的意见有效" in first.page.text
    votes = await town.owner.fetchval("SELECT count(*) FROM lake.identity_vote WHERE pair = $1", pair)
    assert votes == 1

    second = await opened(town, OTHER, pair)
    stale = await opened(town, OTHER, pair)
    await second.fill({"意见": "不是同一人", "理由": "号码都有效"}, "提交意见")
    assert "已定：不是同一个" in second.page.text
    await stale.fill({"意见": "是同一人", "理由": "换个想法"}, "提交意见")
    assert stale.page.status == 409
    assert "已经核完" in stale.page.text
    await stale.open("/data/review")
    assert "现在没有要核的" in stale.page.text


async def test_without_opinion_or_reason_what_was_written_stays(town: Town, pair: int) -> None:
    steward = await opened(town, STEWARD, pair)
    await steward.fill({"理由": "字形相近"}, "提交意见")
    assert steward.page.status == 422
    assert steward.page.errors() == ["请选择您的意见"]
    assert "字形相近" in steward.page.text
    await steward.fill({"意见": "看不清", "理由": ""}, "提交意见")
    assert "请写理由，2 到 500 字" in steward.page.errors()
    await steward.fill({"理由": "要看档案"}, "提交意见")
    assert "待第二人核" in steward.page.text


async def test_only_those_who_look_after_a_source(town: Town, pair: int) -> None:
    other = await ask(town, "births:1:mother", "vehicles:2:owner")
    police = await town.signed_in(OTHER)
    await police.open("/data/review")
    assert f"第 {pair} 对" in police.page.text
    assert f"第 {other} 对" not in police.page.text
    await police.open(f"/data/review/{other}")
    assert police.page.status == 403
    assert "质量负责岗位" in police.page.root.text()
    clerk = await town.signed_in("许蕾")
    await clerk.open("/data/review")
    assert clerk.page.status == 403
    resident: Any = await town.signed_in("林晓晴")
    for path in ("/data/review", f"/data/review/{pair}", "/data/desk"):
        await resident.open(path)
        assert resident.page.status == 403
    somebody = await town.visitor().client.get("/data/review.json")
    assert somebody.status_code == 401


async def test_whoever_is_looked_at_reads_who_looked_and_why(town: Town) -> None:
    subject = await town.owner.fetchval("SELECT subject FROM directory.account WHERE name = '林晓晴'")
    steward = await opened(town, STEWARD, await ask(town, "deaths:1:self", "hukou:8:self", subject))
    assert steward.page.status == 200
    lin = await town.signed_in("林晓晴")
    await lin.open("/me/data")
    assert "市数据局 · 数据专员" in lin.page.text
    assert "核定两条记录是不是同一主体" in lin.page.text


async def test_in_english(town: Town, pair: int) -> None:
    steward = await town.signed_in(STEWARD)
    await steward.open("/data/desk")
    await steward.prefer(language="en")
    await steward.follow("See the pairs")
    await steward.follow(f"Pair {pair}")
    await steward.fill({"What for": "To judge whether they are one"}, "Enter it and show the records")
    assert "only left" in steward.page.text
    assert "Date of birth" in steward.page.text
    look = (await town.entries("identity.look"))[-1]
    assert look["body"]["purpose"] == "核定两条记录是不是同一主体"


@pytest.mark.parametrize("path", ["/data/review/999999", "/data/review/99999999999999999999"])
async def test_what_is_not_there_is_said(town: Town, path: str) -> None:
    steward = await town.signed_in(STEWARD)
    await steward.open(path)
    assert steward.page.status == 404
