"""Officials at work: the queue, the one exception, the decision, the next; two at once; one who may not look."""

from __future__ import annotations

import pytest
from desk_work import at_desk, decide, pick_up, to_queue
from newborn import LIN, agree, begin, states, submit
from town import Town
from visitor import Visitor

KEEP = {"怎么处理": "以户籍登记为准"}


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


async def test_two_at_once_one_wins_and_the_other_is_told_kindly(
    town: Town, two_cases: tuple[str, str]
) -> None:
    """The joint reviewer and the household officer both have it open."""
    first, second = await at_desk(town, "周敏"), await at_desk(town, "陈志刚")
    await pick_up(first, "王沐言")
    await pick_up(second, "王沐言")
    await decide(first, "准予", "以户籍登记为准", **KEEP)
    assert "10 分钟内可以撤回" in first.page.text
    # 确定，下一件: the next piece of work stands there already.
    assert "梁味坊" in first.page.h1
    await decide(second, "不予", "我写了很久的理由", **KEEP)
    assert second.page.status == 409
    assert "周敏" in second.page.text
    assert "我写了很久的理由" in second.page.text
    verdicts = await town.owner.fetch(
        "SELECT d.verdict FROM cases.decision d JOIN cases.application a ON a.id = d.application"
        " WHERE a.number = $1 AND d.item = 'household'",
        two_cases[0],
    )
    assert [row["verdict"] for row in verdicts] == ["grant"]
    # The other may not take back what is not his.
    await first.open(f"/desk/cases/{two_cases[0]}?item=household")
    undo = first.page.filled("撤回这个决定", {})
    assert (await second.post(undo.action, undo.pairs)).status_code == 403  # another session's token


async def test_the_work_done_is_found_again(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await officer.follow("我经手的")
    assert "王沐言" in officer.page.text


async def test_after_ten_minutes_it_cannot_be_taken_back(town: Town, two_cases: tuple[str, str]) -> None:
    officer = await at_desk(town, "周敏")
    await officer.open(f"/desk/cases/{two_cases[0]}?item=household")
    undo = officer.page.filled("撤回这个决定", {})
    await town.settle(minutes=11)
    answer = await officer.post(undo.action, undo.pairs)
    assert answer.status_code == 409
    assert "已经生效" in answer.text
    lin = await town.signed_in("林晓晴")
    assert (await states(lin, two_cases[0]))["户口登记"] in ("送达中", "办好了")


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
    assert "有人想看您的信息，没有给" in lin.page.text or "没有给" in lin.page.text


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
