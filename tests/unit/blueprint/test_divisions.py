"""Administrative divisions: names, parents, two systems of codes, and codes that were in force on a day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from dizuo.foundation.blueprint import City, divisions, load_city

CITIES = Path(__file__).parents[3] / "cities"


@pytest.fixture(scope="module")
def wuxi() -> City:
    return load_city(CITIES / "wuxi")


@pytest.mark.parametrize(
    ("code", "day", "valid", "why"),
    [
        ("320213", "2020-05-01", True, "梁溪区, in force"),
        ("320213", "1995-05-01", False, "梁溪区 did not exist"),
        ("320202", "1995-05-01", True, "崇安区, merged in 2015"),
        ("320202", "2016-06-01", False, "崇安区 no longer exists"),
        ("320203", "1950-02-03", True, "born before numbers were given out in 1984"),
        ("320222", "1990-01-01", True, "无锡县, until 1995"),
        ("320222", "1999-01-01", False, "无锡县 no longer exists"),
        ("320211", "1990-01-01", True, "郊区 had the code before 滨湖区"),
        ("320211", "2010-01-01", True, "滨湖区"),
        ("320205", "1990-01-01", True, "马山区 had the code before 锡山区"),
        ("320213", "2014-06-01", True, "founded within a year of the birth, registered afterwards"),
        ("320299", "2020-01-01", False, "Wuxi's prefix, but no such district"),
        ("320200", "2020-01-01", False, "the city itself gives out no numbers"),
        ("110101", "2020-01-01", True, "elsewhere: the province exists"),
        ("990101", "2020-01-01", False, "no such province"),
        ("3202", "2020-01-01", False, "too short"),
        ("32020X", "2020-01-01", False, "not digits"),
    ],
)
def test_valid_on(wuxi: City, code: str, day: str, valid: bool, why: str) -> None:
    assert divisions.valid_on(wuxi, code, dt.date.fromisoformat(day)) is valid, why
    assert divisions.validity(wuxi)(code, dt.date.fromisoformat(day)) is valid


def test_chain_and_names(wuxi: City) -> None:
    village = next(d for d in wuxi.divisions.values() if d.level == "village")
    chain = divisions.chain(wuxi, village.code)
    assert [d.level for d in chain] == ["village", "town", "district", "city"]
    assert divisions.full_name(wuxi, village.code) == "".join(d.name for d in reversed(chain))
    assert divisions.full_name(wuxi, village.code).startswith("无锡市")
    assert divisions.at_level(wuxi, village.code, "district") == chain[2]
    assert divisions.at_level(wuxi, "320200", "town") is None
    assert divisions.name_of(wuxi, "000000") == "000000"
    assert divisions.chain(wuxi, "000000") == ()
    assert chain[0] in divisions.children(wuxi, chain[1].code)


def test_every_division_leads_to_the_city(wuxi: City) -> None:
    for code in wuxi.divisions:
        assert divisions.chain(wuxi, code)[-1].code == "320200"


def test_crosswalk_there_and_back(wuxi: City) -> None:
    both = [d for d in wuxi.divisions.values() if d.level == "town" and d.mca_code and d.nbs_code]
    differ = [d for d in both if d.mca_code != d.nbs_code]
    assert len(differ) > 30, "the two systems differ for most towns of Wuxi"
    for town in both:
        assert divisions.mca_to_nbs(wuxi, town.mca_code) == town.nbs_code
        assert divisions.nbs_to_mca(wuxi, town.nbs_code) == town.mca_code
    assert divisions.mca_to_nbs(wuxi, "000000000") is None


def test_codes_of_the_other_system_find_the_town(wuxi: City) -> None:
    for other, key in wuxi.geography.crosswalk.items():
        assert other not in wuxi.divisions
        assert divisions.find(wuxi, other) is wuxi.divisions[key]
