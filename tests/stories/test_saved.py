"""Save today, go on tomorrow: on another telephone, in another language, after signing out."""

from __future__ import annotations

from newborn import answers, begin, submit
from town import Town


async def test_saved_answers_are_there_tomorrow_on_another_telephone(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    await lin.fill(answers(delivery=None, agree=None), "先存着")
    assert lin.page.h1 == "存好了"
    await lin.sign_out()
    await town.settle(days=1)
    again = await town.signed_in("林晓晴")
    assert again.page.says("没办完：新生儿出生一件事")
    await again.follow("接着办", near="可以办")
    assert "上次存于 2026 年 11 月 23 日" in again.page.text
    kept = {n.get("value") for n in again.page.main.all("input") if n.get("name") == "a.given_name"}
    assert kept == {"沐言"}
    checked = [n.get("value") for n in again.page.main.all("input") if "checked" in n.attrs]
    assert {"father"} < set(checked)
    number = await submit(again, {"证件怎么给您": "自己去拿", "我确认信息属实": True})
    assert number
    # What was submitted is no draft any more.
    await again.open("/")
    assert not again.page.says("没办完")


async def test_consent_is_never_kept_ticked(town: Town) -> None:
    xu = await begin(town, "许曼")
    await xu.fill(answers(surname=None, household=None, clinic="旺庄街道", delivery=None), "先存着")
    await xu.follow("现在接着办")
    boxes = [n for n in xu.page.main.all("input") if n.get("type") == "checkbox"]
    assert boxes
    assert not [n for n in boxes if "checked" in n.attrs]


async def test_half_a_name_is_kept_as_typed_and_not_judged_before_submitting(town: Town) -> None:
    zhou = await begin(town, "周婷婷")
    await zhou.fill({"宝宝叫什么名字": "子"}, "先存着")
    assert zhou.page.status == 200
    await zhou.follow("现在接着办")
    assert "子" in {n.get("value") for n in zhou.page.main.all("input")}
