"""补正 with changed answers: the official marks what is wrong, the applicant changes just that, once; others run on."""

from __future__ import annotations

import pytest
from desk_work import at_desk, decide, pick_up
from newborn import LIN, agree, begin, states, submit
from test_restaurant import ANSWERS, SHOP, owner_of
from town import Town
from visitor import Visitor

OWN_NAME = "宝宝叫什么名字"


@pytest.fixture(scope="module")
async def child(town: Town) -> str:
    """Lin's application, agreed to by father and head, on the police's desk."""
    lin = await begin(town, "林晓晴")
    number = await submit(lin, LIN)
    await agree(town, "王启明", number)
    await agree(town, "王建国", number)
    await town.settle(minutes=1)
    return number


@pytest.fixture(scope="module")
async def shop(town: Town) -> str:
    """The restaurant's application; the site visit and the tobacco licence are being worked on."""
    zhou = await owner_of(town)
    await zhou.fill({**ANSWERS, "消防检查用哪种办法": "先上门检查"} if _asks_fire(zhou) else ANSWERS, "提交")
    if zhou.page.errors():
        await zhou.fill({"消防检查用哪种办法": "先上门检查", "我确认信息属实": True}, "提交")
    await town.settle(minutes=1)
    return (
        await town.owner.fetchval("SELECT number FROM cases.application WHERE matter = 'restaurant'")
    ) or ""


def _asks_fire(visitor: Visitor) -> bool:
    return any("消防检查用哪种办法" in question for question in visitor.page.questions())


async def _owner(town: Town) -> Visitor:
    zhou = await town.signed_in("周立新")
    await zhou.open("/acting")
    await zhou.fill({"替谁办": SHOP}, "就这样办")
    return zhou


async def test_the_official_marks_an_answer_and_sees_what_was_answered(town: Town, child: str) -> None:
    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐言")
    await officer.follow("告知补正")
    assert "现在填的：沐言" in officer.page.text
    assert "在哪里打预防针" not in officer.page.text  # another item's question
    await officer.fill({OWN_NAME: True, "落户地址在两个系统里不一样": False}, "一次告知申请人")
    assert officer.page.status == 422  # no reason
    kept = officer.page.filled("一次告知申请人", {})
    assert ("mark", "given_name") in kept.pairs
    await officer.fill(
        {
            OWN_NAME: True,
            f"“{OWN_NAME}？”为什么要改": "和您交的姓名申报不一样",
            "落户地址在两个系统里不一样": False,
            "理由": "名字要核对",
        },
        "一次告知申请人",
    )
    assert officer.page.status == 200
    await officer.open(f"/desk/cases/{child}?item=household")
    assert "等申请人补正" in officer.page.text


async def test_just_that_question_comes_back_filled_in(town: Town, child: str) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open(f"/cases/{child}")
    await lin.follow("现在补")
    page = lin.page
    assert [question.split(". ")[1] for question in page.questions()] == ["宝宝叫什么名字？"]
    assert "原来填的：沐言" in page.text
    assert "和您交的姓名申报不一样" in page.text
    assert "《户口登记条例》" in page.text
    assert "预防接种建档" in page.text  # done already: it stays as it was
    field = next(n for n in page.main.all("input") if n.get("name") == "a.given_name")
    assert field.get("value") == "沐言"
    # Nothing changed, nothing said; then something that is no name: told beside the field, typed text kept.
    await lin.fill({}, "提交补正")
    assert lin.page.status == 422
    await lin.fill({OWN_NAME: "沐<b>", "还有要说明的吗": "写错了"}, "提交补正")
    assert lin.page.status == 422
    assert len(lin.page.errors()) == 1
    field = next(n for n in lin.page.main.all("input") if n.get("name") == "a.given_name")
    assert field.get("value") == "沐<b>"
    assert "写错了" in next(lin.page.main.all("textarea")).text()


async def test_who_agreed_is_asked_again_and_old_and_new_stand_side_by_side(town: Town, child: str) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open(f"/cases/{child}/fix/household")
    await lin.fill({OWN_NAME: "沐妍"}, "提交补正")
    assert lin.page.status == 200
    found = await states(lin, child)
    assert found["户口登记"] == "等家人同意"
    assert found["预防接种建档"] == "办好了"
    father = await town.signed_in("王启明")
    await father.follow("请您确认")
    assert "沐妍" in father.page.text
    await father.fill({"您同意吗": "我同意"}, "提交答复")
    await agree(town, "王建国", child)
    assert (await states(lin, child))["户口登记"] == "审查中"

    officer = await at_desk(town, "周敏")
    await pick_up(officer, "王沐妍")
    row = next(n.text() for n in officer.page.main.all("tr") if OWN_NAME in n.text())
    assert "沐言" in row
    assert "沐妍" in row
    assert "预防接种建档已经决定，仍按原来的" in row
    assert "告知补正" not in [text for text, _ in officer.page.links()]
    await decide(officer, "准予", "以户籍登记为准", 怎么处理="以户籍登记为准")
    await town.settle(minutes=11)
    await lin.open("/me/documents")
    await lin.follow("户口簿内页")
    assert "王沐妍" in lin.page.text
    assert "王沐言" not in lin.page.text
    named = await town.owner.fetchval(
        "SELECT count(*) FROM registers.record WHERE register = 'person' AND data::text LIKE '%沐妍%'"
    )
    assert named == 1


async def test_what_was_sent_can_be_looked_at_and_the_ledger_tells_no_name(town: Town, child: str) -> None:
    lin = await town.signed_in("林晓晴")
    await lin.open(f"/cases/{child}")
    await lin.follow("看看您补了什么")
    assert lin.page.h1 == "您的补正"
    assert lin.page.facts()["宝宝叫什么名字"] == "沐妍"
    assert "原来填的：沐言" in lin.page.text
    assert not list(lin.page.main.all("textarea"))
    entry = (await town.entries("case.fixed"))[-1]
    assert list(entry["body"]["changed"]) == ["given_name"]
    assert "沐" not in str(entry["body"])
    detail = await town.owner.fetchval("SELECT detail FROM cases.event WHERE name = 'fix' LIMIT 1")
    assert "沐" not in str(detail)
    other = await town.signed_in("许曼")
    await other.open(f"/cases/{child}/fix/household")
    assert other.page.status == 404


async def test_two_tabs_a_forged_question_and_too_much(town: Town, shop: str) -> None:
    officer = await at_desk(town, "尤勇")
    await pick_up(officer, SHOP)
    await officer.follow("告知补正")
    await officer.fill({"店有多少平方米": True, "理由": "和租赁合同不一样"}, "一次告知申请人")
    assert officer.page.status == 200
    one, two, three = await _owner(town), await _owner(town), await _owner(town)
    for tab in (one, two, three):
        await tab.open(f"/cases/{shop}/fix/fire")
    forged = two.page.filled("提交补正", {"店有多少平方米": "330"}, extra=(("a.sign", "false"),))
    assert (await two.post(forged.action, forged.pairs)).status_code == 422
    huge = two.page.filled("提交补正", {"店有多少平方米": "3" * 300_000})
    assert (await two.post(huge.action, huge.pairs)).status_code == 413
    no_token = tuple(pair for pair in forged.pairs if pair[0] != "csrf")
    assert (await two.post(forged.action, no_token)).status_code == 403
    old = two.page.filled("提交补正", {"店有多少平方米": "330"})
    stale = tuple((name, "0" * 24 if name == "seen" else value) for name, value in old.pairs)
    told = await two.post(old.action, stale)
    assert told.status_code == 409
    assert "330" in told.text

    # Smaller than the fire check begins: that would drop an item, so it is no correction.
    await one.fill({"店有多少平方米": "80"}, "提交补正")
    assert one.page.status == 422
    assert "增减要办的事项" in " ".join(one.page.errors())
    same = one.page.filled("提交补正", {"店有多少平方米": "335"})
    assert (await one.post(same.action, same.pairs)).status_code == 303
    assert (await one.post(same.action, same.pairs)).status_code == 303  # pressed twice: once
    late = three.page.filled("提交补正", {"店有多少平方米": "350"})
    refused = await three.post(late.action, late.pairs)
    assert refused.status_code == 409
    area = await town.owner.fetchval(
        "SELECT w.value FROM cases.answer w JOIN cases.application a ON a.id = w.application"
        " WHERE a.number = $1 AND w.question = 'area'",
        shop,
    )
    assert area == "335"
    # Whoever works on another item that uses the area is told that it changed.
    told_of = await town.owner.fetchval(
        "SELECT count(*) FROM cases.event e JOIN cases.application a ON a.id = e.application"
        " WHERE a.number = $1 AND e.name = 'answers_changed' AND e.item = 'visit'",
        shop,
    )
    assert told_of == 1
    assert (await states(one, shop))["公众聚集场所消防安全检查"] == "审查中"


async def test_in_english_in_elder_view_and_giving_up(town: Town, shop: str) -> None:
    officer = await at_desk(town, "华俊")
    await pick_up(officer, SHOP)
    await officer.follow("告知补正")
    await officer.fill(
        {"店里要卖香烟": True, "第 1 条要补什么": "店面照片", "理由": "要确认"}, "一次告知申请人"
    )
    assert officer.page.status == 200
    zhou = await _owner(town)
    await zhou.open(f"/cases/{shop}/fix/tobacco")
    await zhou.prefer(view="elder")
    assert "原来填的：是" in zhou.page.text
    await zhou.prefer(lang="en")
    assert zhou.page.title.startswith("Please complete")
    for words in ("Please change these answers", "You answered:", "At the latest", "Legal basis"):
        assert words in zhou.page.text, words
    await zhou.press("Give up")
    assert zhou.page.status == 422
    assert "Please tick" in " ".join(zhou.page.errors())
    await zhou.fill({"I am sure": True}, "Give up")
    assert zhou.page.status == 200
    assert zhou.here() == f"/cases/{shop}"
    await zhou.open("/-/prefer?lang=zh&back=/")
    found = await states(zhou, shop)
    assert found["烟草专卖零售许可"] == "已退件"
    assert found["户外招牌设施"] == "审查中"
    await zhou.open(f"/cases/{shop}/fix/tobacco")
    assert "现在不能补正了" in zhou.page.text


async def test_too_late_is_said_and_nothing_is_taken(town: Town, shop: str) -> None:
    officer = await at_desk(town, "蒋鹏")
    await pick_up(officer, SHOP)
    await officer.follow("告知补正")
    await officer.fill(
        {"要在店外挂招牌": True, "给申请人多少天": "5", "理由": "要确认招牌"}, "一次告知申请人"
    )
    assert officer.page.status == 200
    town.now.advance(days=5, minutes=-1)
    zhou = await _owner(town)
    await zhou.open(f"/cases/{shop}/fix/sign")
    form = zhou.page.filled("提交补正", {"还有要说明的吗": "要挂"})
    town.now.advance(minutes=2)
    sent = await zhou.post(form.action, form.pairs)
    assert sent.status_code == 409
    assert "期限" in sent.text
    await town.settle(minutes=1)
    assert (await states(zhou, shop))["户外招牌设施"] == "已退件"
