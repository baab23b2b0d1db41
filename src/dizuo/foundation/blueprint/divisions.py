"""Questions about administrative divisions (行政区划): names, parents, both town-code systems, and whether a
six-digit code was in force on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache

from dizuo.foundation.blueprint.model import City, Division

# 省级行政区划代码 (GB/T 2260), with the three that the State Council keeps apart: 71, 81, 82.
PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
    ]
)
# Citizen numbers were first given out under the trial rules of 1984-04-06 (居民身份证试行条例): whoever was born
# earlier carries the code of that time, not of the birth.
_FIRST_NUMBERS = dt.date(1984, 4, 6)
# A birth is registered afterwards, so the code of a division founded within a year of the birth is plausible.
_REGISTRATION_LAG = dt.timedelta(days=366)


def valid_on(city: City, code6: str, day: dt.date) -> bool:
    """Whether a citizen number of someone born on ``day`` may begin with the code.

    Codes of the city are held against its declared history; a code elsewhere is accepted when its province exists,
    because the city does not declare other cities' history. Source: GB 11643-1999, GB/T 2260.
    """
    if len(code6) != 6 or not code6.isdigit():
        return False
    rows = [row for row in city.geography.history if row.code == code6]
    if not rows:
        # The city's own prefix without a declared code is a number that nobody ever gave out.
        return code6[:2] in PROVINCES and code6[:4] != city.code[:4]
    given = max(day, _FIRST_NUMBERS)
    return any(
        (row.valid_from is None or row.valid_from <= given + _REGISTRATION_LAG)
        and (row.valid_to is None or row.valid_to >= given)
        and row.level != "city"
        for row in rows
    )


def validity(city: City) -> Callable[[str, dt.date], bool]:
    """``valid_on`` of one city, in the form that ``CitizenId.parse`` takes; remembers its answers."""

    @lru_cache(maxsize=65_536)
    def check(code6: str, day: dt.date) -> bool:
        return valid_on(city, code6, day)

    return check


def chain(city: City, code: str) -> tuple[Division, ...]:
    """The division and its parents, innermost first, up to the city; empty when the code is not declared."""
    found: list[Division] = []
    current = find(city, code)
    while current is not None and current not in found:
        found.append(current)
        current = city.divisions.get(current.parent)
    return tuple(found)


def find(city: City, code: str) -> Division | None:
    """The division of a code of either system (民政部 or 国家统计局), or None."""
    found = city.divisions.get(code)
    if found is None and code in city.geography.crosswalk:
        found = city.divisions[city.geography.crosswalk[code]]
    return found


def name_of(city: City, code: str) -> str:
    """The name, or the code itself when it is not declared, so that a page never shows nothing."""
    division = find(city, code)
    return division.name if division is not None else code


def full_name(city: City, code: str) -> str:
    """The names from the city inwards, for example ``无锡市梁溪区崇安寺街道``; the code when it is not declared."""
    return "".join(division.name for division in reversed(chain(city, code))) or code


def at_level(city: City, code: str, level: str) -> Division | None:
    """The division at or above the code that stands at a level, or None when the code stands higher."""
    return next((division for division in chain(city, code) if division.level == level), None)


def mca_to_nbs(city: City, code: str) -> str | None:
    """The statistics code (国家统计局) of a civil-affairs code (民政部); None when there is none."""
    return next((d.nbs_code or None for d in city.divisions.values() if d.mca_code == code), None)


def nbs_to_mca(city: City, code: str) -> str | None:
    """The civil-affairs code (民政部) of a statistics code (国家统计局); None when there is none."""
    return next((d.mca_code or None for d in city.divisions.values() if d.nbs_code == code), None)


def children(city: City, code: str) -> tuple[Division, ...]:
    """The divisions directly below, in order of code."""
    return tuple(d for _, d in sorted(city.divisions.items()) if d.parent == code)
