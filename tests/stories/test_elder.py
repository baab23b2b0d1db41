"""赵玉珍, 76, in the elder view: one question a page, back and forth, and nothing lost on the way."""

from __future__ import annotations

from typing import Any

from town import Town


async def for_the_front_page(town: Town) -> list[tuple[dict[str, Any], str]]:
    """Every read that was entered for a front page: what it says openly, and its case."""
    entries = await town.entries("register.read")
    read = [(e["body"], e["payload"]["case"]) for e in entries if e["payload"]]
    return [(body, case) for body, case in read if case.startswith("home:")]


async def test_her_front_page_looks_only_for_what_a_matter_requires(town: Town) -> None:
    zhao = await town.signed_in("赵玉珍")
    assert zhao.page.h1.startswith("玉珍，上午好")
    entries = await for_the_front_page(town)
    # One look for the one matter with an occasion: her own record leads to a certificate that is not there.
    assert [(body["register"], body["state"]) for body, _ in entries] == [
        ("person", "found"),
        ("birth_certificate", "missing"),
    ]
    assert {case for _, case in entries} == {"home:newborn"}
    # Not one value was taken, and no other register was asked.
    assert all(not body.get("fields") and not body.get("uses") for body, _ in entries)
    # Coming back asks nothing again.
    await zhao.open("/")
    assert len(await for_the_front_page(town)) == len(entries)


async def test_she_is_told_why_her_front_page_looked(town: Town) -> None:
    zhao = await town.signed_in("赵玉珍")
    await zhao.open("/me/data")
    row = zhao.page.row("首页为您提前准备“新生儿出生一件事”")
    assert "查了出生医学证明、人口，没有取内容" in row
    assert "填“新生儿" not in row
    assert "出生医学证明：没有查到" in row
    await zhao.follow("English")
    english = zhao.page.row("prepared in advance for your front page, “A baby is born”")
    assert "nothing taken" in english


async def test_the_view_is_kept_and_says_whom_to_ask(town: Town) -> None:
    zhao = await town.signed_in("赵玉珍")
    await zhao.follow("长辈版")
    html = next(zhao.page.root.all("html"))
    assert html.get("data-view") == "elder"
    assert zhao.page.says("打电话 12345")
    assert zhao.page.says("请家人代办")
    await zhao.follow("老年人优待证")
    assert next(zhao.page.root.all("html")).get("data-view") == "elder"


async def test_one_question_a_page_from_search_to_card(town: Town) -> None:
    zhao = await town.signed_in("赵玉珍")
    await zhao.follow("长辈版")
    await zhao.fill({"搜索服务": "老年证"}, "搜索")
    await zhao.follow("老年人优待证和高龄津贴")
    await zhao.follow("开始办")
    # First what is known, and no question yet.
    assert zhao.page.facts()["姓名"] == "赵玉珍"
    assert not zhao.page.questions()
    await zhao.fill({}, "下一步")
    assert "第 1 个，一共 1 个" in zhao.page.text
    assert len(zhao.page.questions()) == 1
    # Not past an open question, and told so.
    await zhao.fill({}, "下一步")
    assert zhao.page.status == 422
    assert len(zhao.page.errors()) == 1
    await zhao.fill({"优待证怎么给您": "只要手机上的"}, "下一步")
    assert zhao.page.h1 == "最后看一遍"
    # Back, and what was answered is there.
    await zhao.press("上一步")
    assert [n.get("value") for n in zhao.page.main.all("input") if "checked" in n.attrs] == ["phone"]
    await zhao.press("下一步")
    await zhao.fill({"我确认信息属实": True}, "提交申请")
    assert zhao.page.h1 == "提交好了"
    await zhao.follow("看进度")
    # Aged 76: the card only, and why no allowance yet.
    assert "老年人优待证" in zhao.page.text


async def test_too_young_is_told_kindly(town: Town) -> None:
    young = await town.signed_in("许曼")
    await young.open("/matters/senior/apply")
    assert young.page.h1 == "现在还不能办"
    assert "满 60 周岁才能办，到时候灵锡会提醒您" in young.page.text
    assert not list(young.page.main.all("form"))
