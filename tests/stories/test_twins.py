"""陆思琪, mother of twins: she chooses one child first; the other still waits afterwards."""

from __future__ import annotations

from newborn import answers, begin, submit
from town import Town


async def test_she_must_choose_first(town: Town) -> None:
    lu = await town.signed_in("陆思琪")
    assert "有 2 份证明等着登记，先选一份" in lu.page.text
    await lu.follow("开始确认")
    assert lu.page.h1 == "先选一个"
    first, second = lu.page.options("出生医学证明")
    assert ("男" in first, "女" in second) == (True, True)
    assert not lu.page.questions()
    await lu.fill({}, "下一步")
    assert lu.page.status == 422
    assert lu.page.errors() == ["请先选一个"]
    # What the hint says is what happens: the other one is found on the front page afterwards.
    assert "提交好一个，再回首页办另一个" in lu.page.text


async def test_each_child_has_an_application_of_its_own(town: Town) -> None:
    lu = await begin(town, "陆思琪")
    await lu.fill({"出生医学证明": "宝宝性别 男"}, "下一步")
    assert lu.page.facts()["性别"] == "男"
    boy = await submit(lu, answers(surname="顾", name="嘉树", household=None, clinic="澄江街道"))
    await lu.open("/")
    # The boy's certificate is applied for, here or in another process; his sister's still waits.
    assert "还有 1 份证明等着登记" in lu.page.text
    await lu.follow("开始确认")
    await lu.fill({"出生医学证明": "宝宝性别 女"}, "下一步")
    assert lu.page.facts()["性别"] == "女"
    girl = await submit(lu, answers(surname="陆", name="嘉禾", household=None, clinic="澄江街道"))
    assert boy != girl
    await lu.open("/")
    assert "等着登记" not in lu.page.text
    await lu.follow("我的办件")
    assert {"顾嘉树" in lu.page.text, "陆嘉禾" in lu.page.text} == {True}
    assert boy in lu.page.text
    assert girl in lu.page.text


async def test_the_same_child_cannot_be_applied_for_twice(town: Town) -> None:
    """While an application for the boy runs, choosing him again leads there and makes no second one."""
    before = await town.owner.fetchval("SELECT count(*) FROM cases.application")
    lu = await town.signed_in("陆思琪")
    await lu.open("/matters/newborn/apply")
    await lu.fill({"出生医学证明": "宝宝性别 男"}, "下一步")
    if any(node.text().startswith("提交") for node in lu.page.root.all("button")):
        await lu.fill(answers(surname="顾", name="嘉树", household=None, clinic="澄江街道"), "提交 ")
        assert lu.page.status in (409, 422), (lu.page.status, lu.page.h1)
    assert await town.owner.fetchval("SELECT count(*) FROM cases.application") == before
