"""Which places are near: the same town first, in whichever system its code is written."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dizuo.engines.cases import nearest_places

# 崇安寺街道: statistics code 320213021, civil-affairs code 320213001; one of its villages.
SAME = ["320213021", "320213001", "320213021003"]


@pytest.mark.parametrize("division", SAME)
@pytest.mark.parametrize("places", ["windows", "clinics"])
def test_the_same_town_comes_first_in_either_system_of_codes(wuxi: Any, division: str, places: str) -> None:
    found = nearest_places(wuxi, places, division, 4)
    assert "崇安寺" in found[0][0].name
    assert found[0][1] is not None
    assert found[0][1] < 2_000
    same = [place.division == "320213021" for place, _ in found]
    assert same == sorted(same, reverse=True)
    others = [distance for place, distance in found if place.division != "320213021" and distance is not None]
    assert all(one <= other for one, other in pairwise(others))


def test_every_town_with_a_window_finds_its_own(wuxi: Any) -> None:
    windows = {place.division for place in wuxi.places["windows"]}
    assert windows
    for division in windows:
        assert nearest_places(wuxi, "windows", division, 1)[0][0].division == division


def test_of_a_district_its_own_come_first(wuxi: Any) -> None:
    found = nearest_places(wuxi, "windows", "320213", 3)
    assert {place.division[:6] for place, _ in found} == {"320213"}


@pytest.mark.parametrize("division", [None, "", "341002001", "nonsense"])
def test_of_nowhere_near_one_of_each_district_and_no_distance(wuxi: Any, division: str | None) -> None:
    found = nearest_places(wuxi, "windows", division, 4)
    assert len({place.division[:6] for place, _ in found}) == 4
    assert {distance for _, distance in found} == {None}
