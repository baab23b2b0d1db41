"""The invented people of a block: kin that can be kin, numbers that check, names and ages as documented."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.alphabet import alphabet
from dizuo.engines.lake.simulation.dice import Dice, scattered
from dizuo.engines.lake.simulation.elsewhere import elsewhere
from dizuo.engines.lake.simulation.firms import Firms, establish
from dizuo.engines.lake.simulation.households import CHILD, HUKOU, MIGRANT
from dizuo.engines.lake.simulation.numbers import check_digits, sequences, telephones, unified_codes
from dizuo.engines.lake.simulation.people import People, Plan, populate
from dizuo.engines.lake.simulation.places import FULL, ROAD, Places
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.kernel.identity import CitizenId, UnifiedCode, citizen_check_digit
from dizuo.foundation.kernel.names import PersonName

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.date(2026, 11, 23)
PLAN = Plan(60_000, 11, DAY, 4)


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
def places(city: City) -> Places:
    return Places(city)


@pytest.fixture(scope="module")
def people(places: Places) -> People:
    return populate(places, PLAN, 0)


@pytest.fixture(scope="module")
def firms(places: Places, people: People) -> Firms:
    return establish(places, PLAN, 0, people)


def test_every_number_is_right_for_birth_sex_and_the_regions_of_that_time(city: City, people: People) -> None:
    known = validity(city)
    last = DAY + dt.timedelta(days=PLAN.days)
    numbers = text.listed(text.ascii_rows(people.citizen))
    assert len(set(numbers)) == len(people)
    for place in range(0, len(people), 7):
        parsed = CitizenId.parse(str(numbers[place]), last, known)
        assert parsed.birth == people.birth[place].astype(dt.date)
        assert parsed.sex.code == str(people.sex[place])


def test_check_digits_are_the_kernels() -> None:
    bodies = ["11010519491231002", "32021119990101123", "32028120240229456"]
    digits = np.array([[ord(c) for c in body + "0"] for body in bodies], np.uint8)
    assert bytes(check_digits(digits)).decode() == "".join(citizen_check_digit(b) for b in bodies)


def test_blocks_never_share_a_number() -> None:
    rng = np.random.default_rng(3)
    seen: set[tuple[int, int, int]] = set()
    for block in range(6):
        region = np.full(800, 320211, np.int64)
        birth = text.shifted(np.datetime64("1990-05-01", "D"), rng.integers(0, 3, 800))
        sex = rng.integers(1, 3, 800)
        order, days = sequences(region, birth, sex, np.full(800, -1), block, 6)
        assert set(order % 2 == 1) == {True, False}
        assert np.array_equal(order % 2, sex % 2)
        assert order.min() >= 1
        assert order.max() <= 995
        fresh = {(int(a), int(b), 0) for a, b in zip(order, days.astype(np.int64), strict=True)}
        assert len(fresh) == 800
        assert seen.isdisjoint(fresh)
        seen |= fresh


def test_ages_come_near_the_census(people: People) -> None:
    ages = people.ages()[people.alive()]
    assert len(ages) == PLAN.people
    assert abs(float((ages < 15).mean()) - 0.13) < 0.02
    assert abs(float((ages >= 60).mean()) - 0.20) < 0.02
    assert ages.max() < 115


def test_kin_can_be_kin(people: People) -> None:
    for parent in (people.mother, people.father):
        child = np.flatnonzero(parent >= 0)
        gap = (people.birth[child] - people.birth[parent[child]]).astype(np.int64) / 365.2425
        assert gap.min() > 15
        assert gap.max() < 62
    married = np.flatnonzero(people.spouse >= 0)
    assert np.array_equal(people.spouse[people.spouse[married]], married)
    assert np.all(people.sex[married] != people.sex[people.spouse[married]])
    known = married[~np.isnat(people.married[married])]
    assert ((people.married[known] - people.birth[known]).astype(np.int64) / 365.2425).min() > 19.9
    assert np.all(people.sex[people.mother[people.mother >= 0]] == 2)
    assert np.all(people.sex[people.father[people.father >= 0]] == 1)


def test_children_have_their_fathers_surname(people: People) -> None:
    table = alphabet()
    han = people.ethnic == 1
    child = np.flatnonzero((people.role == CHILD) & (people.father >= 0) & han)
    child = child[han[people.father[child]]]
    same = people.names.a[child] == people.names.a[people.father[child]]
    assert same.mean() > 0.999
    assert np.all(people.names.a[child] < table.given.start)


def test_twins_share_birthday_and_parents_but_no_number(people: People) -> None:
    twin = np.flatnonzero(people.twin >= 0)
    assert len(twin) > 50
    other = people.twin[twin]
    assert np.array_equal(people.birth[twin], people.birth[other])
    assert np.array_equal(people.mother[twin], people.mother[other])
    assert np.array_equal(people.region[twin], people.region[other])
    names = text.listed(people.names.written())
    same = sum(names[a] == names[b] for a, b in zip(twin, other, strict=True))
    assert same <= 2
    assert sum(str(names[a])[:2] == str(names[b])[:2] for a, b in zip(twin, other, strict=True)) > 0.9 * len(
        twin
    )


def test_names_are_names_and_some_are_rare_or_dotted(people: People) -> None:
    names = text.listed(people.names.written())
    native = [str(n) for n, kind in zip(names, people.kind, strict=True) if kind in (HUKOU, MIGRANT)]
    for name in native[::5]:
        assert PersonName.check(name) == name
    assert sum("·" in name for name in native) > 50
    assert sum(any(len(c.encode("gb18030")) == 4 for c in name) for name in native) > 30
    top = [word for word, _ in Counter(name[0] for name in native).most_common(6)]
    assert {"王", "李", "张"} <= set(top)


def test_newborns_and_deaths_of_the_days_are_planned(people: People) -> None:
    for day in range(1, PLAN.days + 1):
        born = people.born_day == day
        assert born.any()
        assert np.all(people.birth[born] <= np.datetime64(DAY, "D") + np.timedelta64(day, "D"))
    assert (people.dead(PLAN.days) & ~people.dead(0)).any()
    assert people.alive().sum() == PLAN.people


def test_firms_have_valid_codes_that_nobody_real_has(firms: Firms) -> None:
    codes = [str(code) for code in text.listed(text.ascii_rows(firms.code))]
    assert len(set(codes)) == len(codes)
    for code in codes[::11]:
        assert UnifiedCode.parse(code).org_code.startswith("DEM")
    none = np.zeros(len(firms), np.bool_)
    names = [str(n) for n in text.listed(firms.names(np.arange(len(firms)), none, none, none, none))]
    assert all(name.endswith("（演示）") for name in names)
    assert len(set(names)) > 0.99 * len(names)
    serial = np.arange(200_000, dtype=np.int64)
    many = unified_codes(np.full(200_000, 91), np.full(200_000, 320211), serial)
    assert len(np.unique(many[:, 8:16], axis=0)) == 200_000


def test_telephones_are_nobodys(people: People) -> None:
    numbers = people.phone[people.phone > 0]
    assert set((numbers // 10**8).tolist()) == {161, 168} or set((numbers // 10**8).tolist()) == {161}
    assert len(np.unique(telephones(np.arange(100_000), 161))) == 100_000


def test_addresses_name_real_towns_in_every_style(city: City, places: Places, people: People) -> None:
    towns = {d.name for d in city.divisions.values() if d.level == "town"}
    rows = np.arange(2_000, dtype=np.int64)
    for style in range(FULL, ROAD + 1):
        for line in text.listed(places.written(people.addresses, rows, np.full(len(rows), style))):
            assert line is not None
            assert not line.startswith("无锡市江阴市")
            if style == FULL:
                assert line.startswith("江苏省无锡市")
    full = text.listed(places.written(people.addresses, rows, np.zeros(len(rows), np.int64)))
    assert sum(any(town in str(line) for town in towns) for line in full) > 0.85 * len(full)


def test_counties_elsewhere_changed_their_codes() -> None:
    away = elsewhere()
    county = np.flatnonzero(away.since > 1985)[:5]
    before = away.region(county, away.since[county] - 1)
    after = away.region(county, away.since[county])
    assert np.all(before != after)
    assert np.all(away.region(county, np.full(5, 1950)) == before)


def test_dice_belong_to_rows() -> None:
    dice = Dice(1, "here")
    rows = np.arange(100_000, dtype=np.int64)
    assert np.array_equal(dice.unit("a", rows)[500:600], dice.unit("a", rows[500:600]))
    assert abs(dice.chance("a", rows, 0.2).mean() - 0.2) < 0.01
    assert abs(np.corrcoef(dice.unit("a", rows), dice.unit("b", rows))[0, 1]) < 0.02
    assert abs(np.corrcoef(dice.unit("a", rows), Dice(2, "here").unit("a", rows))[0, 1]) < 0.02
    for digits in (4, 7, 10):
        numbers = rows[: 10 ** min(digits, 5)]
        assert len(np.unique(scattered(numbers, digits, 5))) == len(numbers)
