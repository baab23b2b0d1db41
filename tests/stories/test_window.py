"""Somebody without a telephone comes to the town's service centre: a clerk does it with her, through the same case."""

from __future__ import annotations

import pytest
from desk_work import at_desk
from newborn import number_on, states
from town import Town
from visitor import Visitor


async def number_of(town: Town, name: str) -> str:
    """The number on somebody's identity card, as the clerk reads it there."""
    return await town.owner.fetchval(
        "SELECT i.number FROM registers.identity i JOIN directory.account a ON a.subject = i.id WHERE a.name = $1",
        name,
    )


async def identify(clerk: Visitor, name: str, number: str) -> None:
    await clerk.open("/desk")
    await clerk.follow("窗口代办")
    await clerk.fill(
        {"来办什么": "老年人优待证", "身份证号码": number, "姓名": name, "您看过什么证件": "居民身份证"},
        "核对，开始办",
    )


async def test_name_and_number_must_agree(town: Town) -> None:
    clerk = await at_desk(town, "许蕾")
    number = await number_of(town, "赵玉珍")
    await identify(clerk, "赵玉珠", number)
    assert clerk.page.status == 422
    told = clerk.page.errors()
    assert told == ["姓名和身份证号码对不上，请看着证件再核对一遍。"]
    # A number of nobody is answered in the same words: nothing can be learnt by trying.
    await identify(clerk, "赵玉珍", "320203195010149862")
    assert clerk.page.status == 422


@pytest.mark.parametrize("number", ["32020319501014142", "320203195010141420", "320203209910141424", "abc"])
async def test_numbers_that_cannot_be(town: Town, number: str) -> None:
    clerk = await at_desk(town, "许蕾")
    await identify(clerk, "赵玉珍", number)
    assert clerk.page.status == 422
    assert clerk.page.errors()


async def test_served_to_the_printed_receipt(town: Town) -> None:
    clerk = await at_desk(town, "许蕾")
    await identify(clerk, "赵玉珍", await number_of(town, "赵玉珍"))
    assert clerk.page.says("正在为 赵玉珍 办理")
    assert "只要问 1 个问题" in clerk.page.text
    await clerk.fill({"优待证怎么给您": "自己去拿"}, "提交")
    assert clerk.page.status == 422  # her consent is not taken for granted
    await clerk.fill({"优待证怎么给您": "自己去拿", "确认信息属实": True}, "提交")
    assert clerk.page.h1 == "受理回执"
    number = number_on(clerk)
    assert "崇安寺街道为民服务中心，许蕾" in clerk.page.text
    await clerk.press("办完了，结束服务")
    assert not clerk.page.says("正在为 赵玉珍 办理")
    # After she left, her pages are closed to the clerk.
    gone = await clerk.client.get(f"/desk/window/receipt/{number}")
    assert gone.status_code == 409

    zhao = await town.signed_in("赵玉珍")
    assert set(await states(zhao, number)) == {"老年人优待证"}
    await zhao.open("/me/data")
    assert "为民服务中心 · 综合窗口" in zhao.page.text


async def test_the_ledger_knows_the_channel_and_the_clerk(town: Town) -> None:
    submitted = (await town.entries("case.submit"))[-1]
    assert submitted["body"]["actor"]["channel"] == "window"
    assert submitted["body"]["actor"]["unit"] == "town_service"
    assert submitted["payload"]["name"] == "许蕾"
    served = await town.owner.fetchrow("SELECT channel, served_by, served_unit FROM cases.application")
    assert (served["channel"], served["served_unit"]) == ("window", "town_service")


async def test_a_villages_helper_serves_only_her_village(town: Town) -> None:
    helper = await at_desk(town, "朱玉兰")
    await identify(helper, "赵玉珍", await number_of(town, "赵玉珍"))
    assert helper.page.status == 403
    assert "不住在您服务的村（社区）" in helper.page.text
    assert "请到街道（镇）为民服务中心办" in helper.page.text


async def test_an_official_without_a_window_has_no_window(town: Town) -> None:
    officer = await at_desk(town, "周敏")
    assert "窗口代办" not in [text for text, _ in officer.page.links()]
    await officer.open("/desk/window")
    assert officer.page.status == 403
    assert "window.serve" in officer.page.text


async def test_one_person_at_a_time(town: Town) -> None:
    """Another person's form does not open while one is served, and cannot be sent with the old page."""
    clerk = await at_desk(town, "许蕾")
    await identify(clerk, "赵玉珍", await number_of(town, "赵玉珍"))
    form = clerk.page.filled("提交", {"确认信息属实": True})
    await clerk.press("办完了，结束服务")
    answer = await clerk.post(form.action, form.pairs)
    assert answer.status_code == 409
