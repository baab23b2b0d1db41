"""许曼, the only parent on the certificate: nothing about a father is asked, read or waited for."""

from __future__ import annotations

from newborn import answers, begin, states, submit
from town import Town


async def test_no_father_is_asked_for(town: Town) -> None:
    xu = await begin(town, "许曼")
    assert [q.split(". ")[1] for q in xu.page.questions()] == [
        "宝宝叫什么名字？",
        "在哪里打预防针？",
        "证件怎么给您？",
    ]
    assert "爸爸" not in xu.page.facts()
    assert "还要一位家人同意" not in xu.page.text


async def test_everything_begins_at_once(town: Town) -> None:
    xu = await begin(town, "许曼")
    number = await submit(xu, answers(surname=None, name="安然", household=None, clinic="旺庄街道"))
    assert "请要同意的家人" not in xu.page.text
    await town.settle(minutes=1)
    now = await states(xu, number)
    assert now["户口登记"] == "审查中"
    assert now["预防接种建档"] == "办好了"
    assert "许安然" in xu.page.h1  # the mother's surname, without asking


async def test_no_record_of_any_man_was_found_or_opened(town: Town) -> None:
    """Behind the door: whoever is looked for under 爸爸 is nobody, and the only people concerned are of her family."""
    looked = await town.owner.fetch(
        "SELECT body ->> 'party' AS party, body ->> 'state' AS state FROM ledger.entry WHERE kind = 'register.read'"
    )
    found = {row["party"] for row in looked if row["state"] == "found"}
    assert "mother" in found, "nothing was read: this test would prove nothing"
    assert not {party for party in found if party.startswith("father")}
