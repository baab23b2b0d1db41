"""A block of the invented city's people: everybody in it is kin of nobody outside, so blocks are made apart.

The same seed, day and number of people give the same block, whoever makes it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Dice, Flags, Ints
from dizuo.engines.lake.simulation.elsewhere import elsewhere
from dizuo.engines.lake.simulation.households import (
    CHILD,
    FOREIGN,
    HUKOU,
    LATE,
    MIGRANT,
    Homes,
    elders,
    settle,
)
from dizuo.engines.lake.simulation.naming import Names, named
from dizuo.engines.lake.simulation.numbers import citizen_numbers, sequences, telephones
from dizuo.engines.lake.simulation.places import Addresses, Places
from dizuo.engines.lake.simulation.text import Days, Digits

BLOCK = 100_000
"""Living people in a block; memory is bounded by it."""
STRIDE = 200_000
"""Persons and enterprises of a block are numbered from block times this: 497 blocks stay below the 100 million that
eight digits of a telephone can tell apart."""
HUKOU_SHARE, MIGRANT_SHARE = 0.662, 0.334
NEVER = np.datetime64("NaT", "D")
_DEATH_YEARS = 6.0
_BIRTHS_A_DAY = 24 / 1_000_000
_OLD_DEATHS_A_DAY = 0.00005
"""Chance of dying on a day at 62; it grows by a tenth with each year of age."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for: `people` living residents of a city on `day`, and `days` more days.

    With `snapshots` daily full sources deliver everything every day, else their later deliveries hold changes only.
    `block` bounds the people made at once, and so the memory; another bound is another city. With `cast` the named
    characters are among the people, as a block more.
    """

    people: int
    seed: int
    day: dt.date
    days: int
    snapshots: bool = False
    block: int = BLOCK
    cast: bool = False

    @property
    def parts(self) -> int:
        """Of how many blocks' parts a delivery is put together."""
        return self.blocks + self.cast

    @property
    def blocks(self) -> int:
        return max(1, -(-self.people // self.block))

    def size(self, block: int) -> int:
        """Living people of one block: all within one of each other."""
        return self.people // self.blocks + (block < self.people % self.blocks)


@dataclass(slots=True)
class People:
    """Persons of a block. Shapes: arrays of one length; relations are places in the block, -1 nobody.

    `born_day` is 0 for whoever lives when the first delivery is made, d for who is born on the d-th day after it.
    `address` and `hukou_address` are rows of `addresses`; the days' events change them and `phone`.
    """

    number: Ints
    sex: Ints
    birth: Days
    kind: Ints
    ethnic: Ints
    names: Names
    former: Names
    has_former: Flags
    citizen: Digits
    fifteen: Flags
    region: Ints
    county: Ints
    household: Ints
    role: Ints
    mother: Ints
    father: Ints
    spouse: Ints
    married: Days
    twin: Ints
    died: Days
    born_day: Ints
    address: Ints
    hukou_address: Ints
    old_address: Ints
    phone: Ints
    old_phone: Ints
    addresses: Addresses
    today: np.datetime64
    households: int

    def __len__(self) -> int:
        return len(self.number)

    def ages(self) -> Ints:
        """Whole years on the day of the first delivery; -1 for who is not born yet."""
        return np.floor((self.today - self.birth).astype(np.int64) / 365.2425).astype(np.int64)

    def dead(self, day: int) -> Flags:
        """Who has died by the end of a day (0: the day of the first delivery)."""
        return self.died <= self.today + np.timedelta64(day, "D")

    def alive(self) -> Flags:
        """Who lives on the day of the first delivery."""
        return ~self.dead(0) & (self.born_day == 0)


def populate(places: Places, plan: Plan, block: int) -> People:
    """The people of one block, those included who will be born within the plan's days."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, block, 1])))
    dice = Dice(plan.seed, f"people/{block}")
    today = np.datetime64(plan.day, "D")
    homes = settle(rng, plan.size(block), (HUKOU_SHARE, MIGRANT_SHARE))
    elders(rng, homes, 0.45)
    born_day = np.zeros(len(homes.role), np.int64)
    birth = text.shifted(today, -np.maximum(homes.age * 365.2425, 0).astype(np.int64))
    _unlike_days(rng, birth, homes)
    died = _deaths(rng, dice, homes, birth, today, plan)
    born_day = _expect(plan, block, homes, dice, born_day)
    birth = np.concatenate([birth, text.shifted(today, born_day[len(birth) :])])
    died = np.concatenate([died, np.full(len(birth) - len(died), NEVER)])
    people = np.arange(len(birth), dtype=np.int64)
    households = len(homes.size)
    assert len(people) < STRIDE, "a block has more people than numbers"
    base = places.draw(rng, households)
    district = places.district_of[base.community[homes.household]]
    region, county = _regions(dice, people, birth, district, homes, places)
    order, birth = sequences(region, birth, homes.sex, homes.twin, block, plan.blocks)
    citizen = citizen_numbers(region, birth, order)
    names, former, has_former, ethnic = named(dice, homes, birth)
    addresses, current, hukou, old = _dwellings(rng, dice, homes, base, places)
    years = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    number = people + block * STRIDE
    phone = _phones(dice, number, homes, birth, today)
    return People(
        number, homes.sex, birth, homes.kind, ethnic, names, former, has_former, citizen,
        (years < 1999) & dice.chance("fifteen", people, 0.7), region, county, homes.household, homes.role,
        homes.mother, homes.father, homes.spouse, _weddings(rng, homes, birth, born_day, today), homes.twin, died,
        born_day, current, hukou, old, phone, np.where(dice.chance("new-phone", people, 0.25), telephones(number, 168), phone),
        addresses, today, households,
    )  # fmt: skip


def _unlike_days(rng: np.random.Generator, birth: Days, homes: Homes) -> None:
    """Twins share a birthday; other brothers and sisters are at least ten months apart."""
    child = np.flatnonzero((homes.role[:-1] == CHILD) & (homes.role[1:] == CHILD))
    child = child[homes.household[child] == homes.household[child + 1]]
    child = child[homes.twin[child] < 0]
    gap = np.abs((birth[child] - birth[child + 1]).astype(np.int64))
    close = child[gap < 300]
    birth[close] = text.later(birth[close], -(300 + rng.integers(0, 500, len(close))))


def _deaths(
    rng: np.random.Generator, dice: Dice, homes: Homes, birth: Days, today: np.datetime64, plan: Plan
) -> Days:
    died = np.full(len(birth), NEVER)
    late = np.flatnonzero(homes.role == LATE)
    ago = (_DEATH_YEARS * 365 * rng.random(len(late))).astype(np.int64) + 1
    died[late] = text.shifted(today, -ago)
    old = np.flatnonzero((homes.role != LATE) & (homes.age > 62) & (homes.kind == HUKOU))
    when = 1 + (dice.unit("dies", old) / (_OLD_DEATHS_A_DAY * np.exp((homes.age[old] - 62) / 11))).astype(
        np.int64
    )
    soon = when <= plan.days
    died[old[soon]] = text.shifted(today, when[soon])
    return died


def _expect(plan: Plan, block: int, homes: Homes, dice: Dice, born_day: Ints) -> Ints:
    """Add to `homes` the children who will be born on the days after the first; their days."""
    if not plan.days:
        return born_day
    wife = np.flatnonzero(
        (homes.sex == 2) & (homes.spouse >= 0) & (homes.age > 21) & (homes.age < 43) & (homes.kind != FOREIGN)
    )
    order = wife[np.argsort(dice.bits("expecting", wife), kind="stable")]
    wanted = [
        int(_BIRTHS_A_DAY * plan.size(block) + float(dice.unit("births", np.array([day]))[0]))
        for day in range(1, plan.days + 1)
    ]
    day = np.repeat(np.arange(1, plan.days + 1), wanted)[: len(order)]
    mothers = order[: len(day)]
    count = len(mothers)
    fresh = np.arange(len(homes.role), len(homes.role) + count)
    homes.household = np.concatenate([homes.household, homes.household[mothers]])
    homes.role = np.concatenate([homes.role, np.full(count, CHILD)])
    homes.age = np.concatenate([homes.age, -day / 365.2425])
    homes.sex = np.concatenate([homes.sex, np.where(dice.chance("boy", fresh, 0.52), 1, 2)])
    homes.kind = np.concatenate([homes.kind, homes.kind[mothers]])
    homes.mother = np.concatenate([homes.mother, mothers])
    homes.father = np.concatenate([homes.father, homes.spouse[mothers]])
    homes.spouse = np.concatenate([homes.spouse, np.full(count, -1)])
    homes.twin = np.concatenate([homes.twin, np.full(count, -1)])
    return np.concatenate([born_day, day])


def _regions(
    dice: Dice, people: Ints, birth: Days, district: Ints, homes: Homes, places: Places
) -> tuple[Ints, Ints]:
    """The code each number begins with, and the county of who was born elsewhere (-1: born in the city)."""
    away = elsewhere()
    years = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    county = dice.pick("county", homes.household, away.weights)
    own = dice.pick("own-county", people, away.weights)
    # A migrant family comes from one county; a third of married people met away from home.
    county = np.where((homes.role != CHILD) & dice.chance("other-county", people, 0.35), own, county)
    # Twins are born in one place.
    birth_of = np.where(homes.twin >= 0, np.minimum(people, homes.twin), people)
    outside = (homes.kind == MIGRANT) & ~((homes.role == CHILD) & dice.chance("child-here", birth_of, 0.1))
    outside |= (homes.kind == HUKOU) & (homes.role != CHILD) & dice.chance("came", people, 0.17)
    local = places.births.region(dice, birth_of, np.maximum(years, 1984), district)
    return np.where(outside, away.region(county, years), local), np.where(outside, county, -1)


def _dwellings(
    rng: np.random.Generator, dice: Dice, homes: Homes, base: Addresses, places: Places
) -> tuple[Addresses, Ints, Ints, Ints]:
    """All addresses: each household's, another for registers left behind, an earlier one; and who uses which."""
    count = len(base)
    home = np.arange(count, dtype=np.int64)
    registered = places.near(rng, base.community, rng.random(count) < 0.4)
    earlier = places.near(rng, base.community, rng.random(count) < 0.5)
    away = dice.chance("lives-elsewhere", home, 0.24)
    hukou = np.where(away, home + count, home)
    return (
        base.plus(registered).plus(earlier),
        homes.household,
        hukou[homes.household],
        homes.household + 2 * count,
    )


def _phones(dice: Dice, number: Ints, homes: Homes, birth: Days, today: np.datetime64) -> Ints:
    """Everybody over eleven has a number; some couples share one, and some of the old use their child's or none."""
    people = np.arange(len(number), dtype=np.int64)
    phone = telephones(number, 161)
    age = (today - birth).astype(np.int64) / 365.2425
    shares = (homes.spouse >= 0) & (homes.spouse < people) & dice.chance("one-phone", people, 0.05)
    phone = np.where(shares, phone[np.maximum(homes.spouse, 0)], phone)
    parent = np.where(homes.mother >= 0, homes.mother, homes.father)
    young = (age < 12) & (parent >= 0)
    phone = np.where(young, phone[np.maximum(parent, 0)], phone)
    without = (age > 75) & dice.chance("no-phone", people, 0.3)
    return np.where(without, 0, phone)


def _weddings(
    rng: np.random.Generator, homes: Homes, birth: Days, born_day: Ints, today: np.datetime64
) -> Days:
    """When the couples married; missing for who never did."""
    count = len(birth)
    married = np.full(count, NEVER)
    one = np.flatnonzero((homes.spouse > np.arange(count)) & (homes.role != LATE))
    other = homes.spouse[one]
    late = np.maximum(birth[one], birth[other])
    child = np.full(count, np.datetime64("2200-01-01", "D"))
    born = np.flatnonzero((homes.mother >= 0) & (born_day == 0))
    np.minimum.at(child, homes.mother[born], birth[born])
    first = np.minimum(child[one], child[other])
    on = text.later(late, (365.2425 * (20.5 + 8 * rng.random(len(one)))).astype(np.int64))
    on = np.minimum(on, first - np.timedelta64(120, "D"))
    lawful = late + np.timedelta64(7_306, "D")
    recent = text.shifted(today, -rng.integers(1, 400, len(one)))
    married[one] = married[other] = np.minimum(np.maximum(on, lawful), np.maximum(recent, lawful))
    return married
