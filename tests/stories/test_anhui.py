"""周婷婷, whose child's father is registered in Anhui: this city's registers are silent, so she is asked, with the reason."""

from __future__ import annotations

from newborn import answers, begin, states, submit
from town import Town

PLACE = "爸爸的户口在哪个省、市、县（区）？"


async def test_only_what_the_registers_do_not_hold_is_asked_and_why(town: Town) -> None:
    zhou = await begin(town, "周婷婷")
    asked = [q.split(". ")[1] for q in zhou.page.questions()]
    assert asked[-1] == PLACE
    # His name and number stand on the certificate: they are shown, not asked.
    assert zhou.page.facts()["证明上的爸爸"] == "程亮"
    assert not [q for q in asked if "叫什么名字" in q and "爸爸" in q]
    assert "为什么要问：爸爸的户口不在本市。一个孩子只能在一个地方登记" in zhou.page.text
    # Nobody here can ask him for consent in this city's system, so nothing waits for it.
    assert "还要一位家人同意" not in zhou.page.text


async def test_an_unanswered_place_is_told(town: Town) -> None:
    zhou = await begin(town, "周婷婷")
    await zhou.fill(answers(surname="周", name="子涵", household=None, clinic="东亭街道"), "提交 ")
    assert zhou.page.status == 422
    assert any("爸爸的户口在哪个省" in line for line in zhou.page.errors())


async def test_the_police_judge_whether_the_child_is_registered_there(town: Town) -> None:
    zhou = await begin(town, "周婷婷")
    number = await submit(
        zhou,
        {
            **answers(surname="程", name="子墨", household=None, clinic="东亭街道"),
            PLACE: "安徽省安庆市迎江区",
        },
    )
    await town.settle(minutes=1)
    assert (await states(zhou, number))["户口登记"] == "审查中"
    detail = await town.owner.fetchval(
        "SELECT i.exceptions FROM cases.item i JOIN cases.application a ON a.id = i.application"
        " WHERE a.number = $1 AND i.id = 'household'",
        number,
    )
    assert "elsewhere_place" in str(detail)
