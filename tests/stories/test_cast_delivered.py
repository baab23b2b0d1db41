"""The demonstration came through the lake like a real city: who is in its registers was linked from what departments wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from town import TODAY, Town

from dizuo.commands import building
from dizuo.engines.lake import read_demonstration

_CURRENT = "SELECT data, sources FROM registers.record WHERE register = $1 AND superseded_at IS NULL AND data ->> $2 = $3"


async def records(town: Town, register: str, field: str, value: str) -> list[Any]:
    return [row["data"] for row in await town.owner.fetch(_CURRENT, register, field, value)]


@pytest.fixture(scope="module")
def number(town: Town) -> dict[str, str]:
    folder = Path(town.database.data) / "story-deliveries"
    told = read_demonstration(folder)
    assert told.day == TODAY
    return {person.key: person.citizen_id for person in told.demo}


async def test_every_source_came_and_every_row_of_it_has_a_fate(town: Town) -> None:
    rows = await town.owner.fetch("SELECT * FROM lake.source_delivery")
    assert {row["source"] for row in rows} == set(town.city.sources)
    assert {row["state"] for row in rows} == {"published"}
    for row in rows:
        fates = sum(row[f"rows_{fate}"] for fate in ("published", "merged", "held", "rejected"))
        assert row["rows_in"] == fates > 0


async def test_everybody_offered_at_sign_in_is_one_person_with_one_account(
    town: Town, number: dict[str, str]
) -> None:
    accounts = await town.owner.fetch("SELECT name FROM directory.account WHERE kind = 'resident'")
    assert len(accounts) == len(number)
    for key, citizen_id in number.items():
        found = await records(town, "person", "citizen_id", citizen_id)
        assert len(found) == 1, key
        assert found[0]["name"] in {account["name"] for account in accounts}
        assert found[0]["state"] == "1"


async def test_slips_of_departments_are_mended(town: Town, number: dict[str, str]) -> None:
    (lin,) = await records(town, "person", "citizen_id", number["lin"])
    assert (lin["name"], lin["surname"], lin["given_name"]) == ("林晓晴", "林", "晓晴")
    # Heard wrongly by the insurance, whose telephone number stands in the register all the same.
    assert lin["phone"].startswith("1990000")
    (insured,) = await records(town, "medical_insurance", "citizen_id", number["lin"])
    assert insured["delivery_settled"] == "2"
    # Fifteen digits in the land registry; two digits exchanged in the register of vehicles.
    (home,) = await records(town, "real_estate", "owner_citizen_id", number["wang_head"])
    assert home["address"].endswith("3幢420室")
    (car,) = await records(town, "vehicle", "owner_citizen_id", number["restaurant"])
    assert car["owner_name"] == "周立新"


async def test_values_tell_whom_they_are_from(town: Town, number: dict[str, str]) -> None:
    row = await town.owner.fetchrow(_CURRENT, "person", "citizen_id", number["lin"])
    assert "psb" in row["sources"]
    assert row["sources"][".phone"][0] in ("medical", "hrss")


async def test_the_dotted_name_has_no_surname_and_the_rare_character_survives(
    town: Town, number: dict[str, str]
) -> None:
    (dotted,) = await records(town, "person", "citizen_id", number["dotted"])
    assert dotted["name"] == "阿依古丽·吐尔逊"
    assert "surname" not in dotted
    (rare,) = await records(town, "person", "citizen_id", number["rare"])
    assert (rare["surname"], rare["given_name"]) == ("沈", "𬭎")


async def test_the_owner_acts_for_the_shop_that_the_market_office_delivered(
    town: Town, number: dict[str, str]
) -> None:
    (shop,) = await records(town, "enterprise", "legal_citizen_id", number["restaurant"])
    assert shop["name"] == "无锡市梁味坊餐饮有限公司（演示）"
    assert await town.owner.fetchval("SELECT count(*) FROM directory.representation") > 20


async def test_a_first_start_that_was_stopped_before_the_accounts_is_made_good(town: Town) -> None:
    folder = Path(town.database.data) / "story-deliveries"
    assert await building.filled(town.database, folder)
    await town.owner.execute("UPDATE directory.account SET demo_key = NULL")
    assert not await building.filled(town.database, folder)
    # A city whose deliveries nobody invented has no such accounts.
    assert await building.filled(town.database, folder / "elsewhere")
