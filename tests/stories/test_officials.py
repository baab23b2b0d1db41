"""Officials at work: the queue, the one exception, what is needed to decide, one who may not look. Each test stands alone."""

from __future__ import annotations

import pytest
from desk_work import at_desk, decide, pick_up, to_queue
from newborn import LIN, agree, begin, submit
from town import Town
from visitor import Visitor


@pytest.fixture(scope="module")
async def two_cases(town: Town) -> tuple[str, str]:
    """A newborn's registration and a restaurant's sign wait at the same desk."""
    lin = await begin(town, "林晓晴")
    first = await submit(lin, LIN)
    await agree(town, "王启明", first)
    await agree(town, "王建国", first)
    await town.settle(hours=2)
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting?next=/matters/restaurant/apply")
    await zhou.fill({"替谁办": "无锡市梁味坊"}, "就这样办")
    shop: dict[str, str | bool] = {
        "店开在哪里": "就在执照上的地址",
        "主要做什么": "奶茶",
        "店有多少平方米": "60",
        "要在店外挂招牌": "是",
        "店里要卖香烟": "否",
        "我确认信息属实": True,
    }
    second = await submit(zhou, shop)
    await town.settle(minutes=1)
    return first, second


async def test_the_queue_is_by_time_left_and_counts_truly(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await to_queue(officer)
    rows = [n.text() for n in officer.page.main.all("li") if "WX2026" in n.text()]
    assert len(rows) == 2
    assert officer.page.link("待我办2")  # the rail counts what the queue shows
    assert "王沐言" in rows[0]  # three working days from ten o'clock come before three from noon
    assert any("王沐言" in row and "还剩" in row and "要判断 1 处" in row for row in rows)


async def test_the_case_opens_with_the_one_thing_to_judge(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    assert "有 1 处要您判断" in officer.page.text
    # The two spellings side by side, only what differs is marked.
    marked = [n.text() for n in officer.page.main.all("mark")]
    assert marked == ["402", "420"]
    # Nothing is chosen beforehand; numbers are hidden; the words that the parent will read stand there.
    assert not [n for n in officer.page.main.all("input") if "checked" in n.attrs]
    assert "********" in officer.page.text
    assert "准予后，申请人会收到" in officer.page.text
    assert "这一件用了哪些数据" in officer.page.text


async def test_the_look_itself_is_on_the_parents_page(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await town.settle()
    lin = await town.signed_in("林晓晴")
    await lin.open("/me/data")
    assert "综合审查岗" in lin.page.text


async def test_a_full_number_needs_a_reason_and_is_entered(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    before = len(await town.entries("case.reveal"))
    await officer.fill({"为什么要看完整号码": "看"}, "显示")
    assert officer.page.status == 422
    assert len(await town.entries("case.reveal")) == before
    await officer.fill({"为什么要看完整号码": "与纸质证明核对"}, "显示")
    number = await town.owner.fetchval(
        "SELECT i.number FROM registers.identity i JOIN directory.account a ON a.subject = i.id WHERE a.name = '林晓晴'"
    )
    assert number in officer.page.text
    assert (await town.entries("case.reveal"))[-1]["payload"]["reason"] == "与纸质证明核对"


async def test_without_the_judgement_there_is_no_decision(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await decide(officer, "准予", "没有看那一处")
    assert officer.page.status == 422
    assert officer.page.errors()
    kept = next(n.text() for n in officer.page.main.all("textarea") if n.get("name") == "reason")
    assert kept == "没有看那一处"


async def looks(town: Town, name: str, number: str) -> Visitor:
    who = await at_desk(town, name)
    await who.open(f"/desk/cases/{number}")
    return who


async def test_outside_ones_place_is_refused_with_rule_and_who_can_grant(
    town: Town, two_cases: tuple[str, str]
) -> None:
    """The tobacco officer has nothing to do with a newborn; the attempt is entered for the parent to see."""
    before = len(await town.entries("case.refused"))
    who = await looks(town, "华俊", two_cases[0])
    assert who.page.status == 403
    assert "依据的规则" in who.page.text
    assert "岗位" in who.page.text
    assert "王沐言" not in who.page.html
    assert "林晓晴" not in who.page.html
    assert len(await town.entries("case.refused")) == before + 1
    await town.settle()
    lin = await town.signed_in("林晓晴")
    await lin.open("/me/data")
    assert "没有给" in lin.page.text


async def test_a_number_that_does_not_exist_is_not_told_from_one_that_may_not_be_seen(
    town: Town, two_cases: tuple[str, str]
) -> None:
    who = await looks(town, "华俊", "WX20261123999991")
    assert who.page.status in (403, 404)


async def test_searching_by_a_persons_name_finds_no_case(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await officer.open("/desk/search?q=林晓晴")
    assert "WX2026" not in officer.page.text
    assert "不能按人名找办件" in officer.page.text


async def test_residents_have_no_desk_and_officials_no_residents_pages(town: Town) -> None:
    lin = await town.signed_in("林晓晴")
    for path in ("/desk", "/desk/queue/waiting", "/desk/window", "/desk/search?q=x"):
        await lin.open(path)
        assert lin.page.status == 403, path
        assert "依据的规则" in lin.page.text
    officer = await at_desk(town, "周敏")
    for path in ("/me", "/me/data", "/cases", "/matters/newborn/apply"):
        await officer.open(path)
        assert officer.page.status == 403, path
    nobody = town.visitor()
    await nobody.open("/desk")
    assert nobody.page.path == "/sign-in"


async def test_a_clerk_without_a_post_sees_nothing(town: Town) -> None:
    """The post is taken away while the session lives: the next page already knows."""
    officer = await at_desk(town, "孙丽")
    account = await town.owner.fetchval(
        "SELECT id FROM directory.account WHERE name = '孙丽' AND demo_key IS NOT NULL"
    )
    await town.owner.execute("DELETE FROM directory.posting WHERE account = $1", account)
    town.now.advance(seconds=3)  # a process remembers a session for two
    await officer.open("/desk")
    assert "您现在没有岗位，所以看不到办件" in officer.page.text
    assert "岗位管理员" in officer.page.text
    await to_queue(officer)
    assert "现在没有待办" in officer.page.text
