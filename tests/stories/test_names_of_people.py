"""Names as people have them: a dot inside, a rare character, a name without a surname of its own."""

from __future__ import annotations

from newborn import agree, answers, begin, submit
from town import Town

AYGUL = "阿依古丽·吐尔逊"
RARE = "沈𬭎"


async def test_a_dotted_name_is_whole_everywhere(town: Town) -> None:
    mother = await begin(town, AYGUL)
    assert mother.page.facts()["妈妈"] == AYGUL
    offered = mother.page.options("宝宝姓什么")
    # Such a name has no surname that could be cut off: the first character is not offered as one.
    assert "阿" not in offered
    assert "按民族习惯，不分姓和名" in offered


async def test_the_ethnic_group_is_asked_because_the_parents_differ(town: Town) -> None:
    mother = await begin(town, AYGUL)
    assert mother.page.options("宝宝的民族随谁") == ["随爸爸", "随妈妈"]


async def test_a_child_may_be_named_by_the_custom(town: Town) -> None:
    mother = await begin(town, AYGUL)
    given = {
        **answers(surname="按民族习惯", name="迪丽热巴·韩", household=None, clinic="荣巷街道"),
        "宝宝的民族随谁": "随妈妈",
    }
    number = await submit(mother, given)
    await mother.open(f"/cases/{number}")
    assert mother.page.h1.startswith("迪丽热巴·韩，")
    father = await agree(town, "韩磊", number) if await _offered(town, "韩磊") else None
    assert father is None or "迪丽热巴·韩" in father.page.text


async def _offered(town: Town, name: str) -> bool:
    visitor = town.visitor()
    await visitor.open("/sign-in")
    return name in visitor.page.text


async def test_a_rare_character_goes_through_unharmed(town: Town) -> None:
    shen = await begin(town, RARE)
    assert shen.page.facts()["爸爸"] == RARE
    number = await submit(shen, answers(surname="沈", name="\U0002cbbf", household=None, clinic="宜城街道"))
    await shen.open(f"/cases/{number}")
    assert shen.page.h1.startswith("沈\U0002cbbf，")
    kept = await town.owner.fetchval("SELECT title FROM cases.application WHERE number = $1", number)
    assert kept.startswith("沈\U0002cbbf")
    assert shen.page.root.text().count("\ufffd") == 0


async def test_the_greeting_never_cuts_a_name_that_it_cannot_part(town: Town) -> None:
    mother = await town.signed_in(AYGUL)
    assert mother.page.h1.startswith(f"{AYGUL}，")
