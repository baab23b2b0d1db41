"""What changes from one day to the next: people move and change telephones, clerks correct what they got wrong.

Births, deaths, marriages, arrivals and new enterprises are planned when the block is made; here they only fall due.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dizuo.engines.lake.simulation.dice import Flags
from dizuo.engines.lake.simulation.numbers import telephones
from dizuo.engines.lake.simulation.rows import Quarter, Subjects

MOVES = 0.0009
"""Share of households that move on a day."""
PHONES = 0.0011
"""Share of people who change their telephone on a day."""
CORRECTED = 0.004
"""Share of rows with slips that are put right on a day."""
REFRESHED = {
    "hukou": 0.0006, "residence_permits": 0.0018, "medical_insurance": 0.0016, "enterprises": 0.005,
    "real_estate": 0.0005, "licences": 0.002, "marriage": 0.0001, "credit": 0.001,
}  # fmt: skip
"""Share of rows delivered again on a day for reasons of the department's own."""

DAILY = frozenset(
    ("hukou", "residence_permits", "marriage", "births", "deaths", "medical_insurance", "real_estate", "enterprises",
     "licences", "credit")
)  # fmt: skip
"""Sources that deliver on the days after the first."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Whom a day's events concern. Shapes: flags over the block's people."""

    moved: Flags
    phoned: Flags
    died: Flags


def befall(quarter: Quarter, day: int) -> Touched:
    """Let the day's events happen to the block's people."""
    people, dice = quarter.people, quarter.dice.within(f"day/{day}")
    rng = np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([quarter.plan.seed, quarter.block, 4, day]))
    )
    here = ~people.dead(day) & (people.born_day < day)
    goes = dice.chance("moves", np.arange(people.households, dtype=np.int64), MOVES)
    homes = np.flatnonzero(goes)
    moved = goes[people.household] & here
    if len(homes):
        fresh = np.full(people.households, -1, np.int64)
        fresh[homes] = len(people.addresses) + np.arange(len(homes))
        first = np.zeros(people.households, np.int64)
        first[people.household[::-1]] = people.address[::-1]
        before = people.addresses.community[first[homes]]
        new = quarter.places.near(rng, before, rng.random(len(homes)) < 0.5)
        people.addresses = people.addresses.plus(new)
        with_hukou = dice.chance("hukou-too", people.household, 0.25)
        people.old_address = np.where(moved, people.address, people.old_address)
        people.address = np.where(moved, fresh[people.household], people.address)
        people.hukou_address = np.where(moved & with_hukou, people.address, people.hukou_address)
    numbers = np.arange(len(people), dtype=np.int64)
    phoned = here & dice.chance("phones", numbers, PHONES) & (people.phone > 0)
    people.old_phone = np.where(phoned, people.phone, people.old_phone)
    people.phone = np.where(phoned, telephones(people.number, 164 if day % 2 else 169), people.phone)
    return Touched(moved, phoned, people.dead(day) & ~people.dead(day - 1))


def due(
    quarter: Quarter, source: str, subjects: Subjects, day: int, touched: Touched, wrong: Flags, right: Flags
) -> tuple[Flags, Flags]:
    """Which rows of a source are delivered on a day, and which of them because they were corrected.

    `wrong` marks rows that were written with a slip, `right` those corrected on earlier days.
    """
    dice = quarter.dice.within(f"{source}/{day}")
    known = subjects.day < day
    fixed = known & wrong & ~right & dice.chance("fixed", subjects.row, CORRECTED)
    again = known & dice.chance("again", subjects.row, REFRESHED.get(source, 0.0))
    place = np.maximum(subjects.person, 0)
    person = (subjects.person >= 0) & known
    changed = np.zeros(len(subjects), np.bool_)
    if source in ("residence_permits", "medical_insurance"):
        changed = person & (touched.moved[place] | touched.phoned[place])
    if source == "hukou":
        changed = (
            person
            & touched.moved[place]
            & (quarter.people.hukou_address[place] == quarter.people.address[place])
        )
    if source in ("hukou", "medical_insurance"):
        changed |= person & touched.died[place]
    return (subjects.day == day) | fixed | again | changed, fixed
