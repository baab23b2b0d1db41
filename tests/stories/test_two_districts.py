"""The parents' households are in two districts: where the child is registered decides who works on it."""

from __future__ import annotations

from desk_work import at_desk, to_queue
from newborn import agree, answers, begin, states, submit
from town import Town


async def test_registered_with_the_mother_the_other_district_works(town: Town) -> None:
    lin = await begin(town, "林晓晴")
    number = await submit(lin, answers(household="跟妈妈"))
    # Her own household: its head is she, so only the father is asked.
    father = await agree(town, "王启明", number)
    assert "户口落在谁那里 跟妈妈" in father.page.text
    await town.settle(minutes=1)
    assert (await states(lin, number))["户口登记"] == "审查中"
    unit = await town.owner.fetchval(
        "SELECT t.unit FROM cases.task t JOIN cases.application a ON a.id = t.application"
        " WHERE a.number = $1 AND t.item = 'household'",
        number,
    )
    assert unit.split("@")[-1].split(":")[-1].startswith("320211") or "320211" in unit, unit


async def test_officials_of_the_fathers_district_do_not_see_it(town: Town) -> None:
    """周敏 works in 梁溪; the mother's household is in 滨湖."""
    officer = await at_desk(town, "周敏")
    await to_queue(officer)
    assert "王沐言" not in officer.page.text
