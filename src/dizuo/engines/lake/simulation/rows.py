"""What a source's rows are made of, and the part of the city (a quarter) they speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Dice, Flags, Ints
from dizuo.engines.lake.simulation.firms import Firms
from dizuo.engines.lake.simulation.pen import Pen
from dizuo.engines.lake.simulation.people import People, Plan
from dizuo.engines.lake.simulation.places import Places
from dizuo.engines.lake.simulation.rates import RATES
from dizuo.engines.lake.simulation.text import Column, Days

HORIZON = 60
"""Days for which arrivals are planned; later days bring no more of them."""
_AWAITED = 0.04


@dataclass(frozen=True, slots=True)
class Quarter:
    """One block of the city: its people, enterprises, and the dice that belong to it."""

    places: Places
    plan: Plan
    block: int
    people: People
    firms: Firms
    dice: Dice


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom the rows of a source are about, those of later days included.

    Shapes: arrays of one length; `row` numbers the rows through the whole city, `person` and `firm` are places in
    the block (-1 neither), `day` is the delivery that first holds the row (0 the first), `more` what a source needs.
    """

    row: Ints
    person: Ints
    firm: Ints
    day: Ints
    more: dict[str, Ints] = field(default_factory=dict[str, Ints])

    def at(self, rows: Ints) -> Subjects:
        return Subjects(
            self.row[rows], self.person[rows], self.firm[rows], self.day[rows],
            {name: values[rows] for name, values in self.more.items()},
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True)
class Said:
    """One mention in every row: which entity it is, what is wrong with it. `present` false: the row names nobody."""

    mention: str
    entity: Column
    errors: Ints
    traits: Ints
    present: Flags


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a source as its department writes them: columns by id, the row's own key, and the truth about them."""

    source: str
    columns: dict[str, Column]
    key: Column
    said: tuple[Said, ...]

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class Moment:
    """The delivery being written: day 0 is the first.

    `right` marks rows whose earlier slips have been corrected, `when` tells on which day each row last changed.
    """

    day: int
    right: Flags
    when: Ints


Subjecting = Callable[[Quarter], Subjects]
Writing = Callable[[Quarter, Subjects, Moment], Rows]


def plain_subjects(person: Ints, row: Ints, day: Ints, **more: Ints) -> Subjects:
    """Subjects that are persons."""
    return Subjects(row, person, np.full(len(row), -1, np.int64), day, more)


def pen(quarter: Quarter, source: str, mention: str, subjects: Subjects, moment: Moment) -> Pen:
    """The pen of one mention of a source."""
    dice = Dice(quarter.plan.seed, f"{source}/{mention}")
    return Pen(dice, RATES[source], subjects.row, moment.right)


def person_said(mention: str, quarter: Quarter, who: Ints, used: Pen, present: Flags | None = None) -> Said:
    """The truth of a mention of persons; a negative place mentions nobody."""
    there = who >= 0 if present is None else present & (who >= 0)
    return Said(mention, persons(quarter, who), used.errors.view(np.int64), used.traits.view(np.int64), there)


def firm_said(mention: str, quarter: Quarter, which: Ints, used: Pen) -> Said:
    """The truth of a mention of enterprises."""
    return Said(
        mention, firms(quarter, which), used.errors.view(np.int64), used.traits.view(np.int64), which >= 0
    )


def awaited(quarter: Quarter, salt: str, rows: Ints) -> Ints:
    """The day on which a row first appears: 0 for nearly all, one of the next HORIZON for the rest.

    Who is awaited does not depend on how many days are asked for, so the first delivery is always the same.
    """
    dice = quarter.dice.within("awaited")
    return np.where(dice.chance(salt, rows, _AWAITED), 1 + dice.below(f"{salt}-day", rows, HORIZON), 0)


def persons(quarter: Quarter, who: Ints) -> Column:
    """entity_id of persons: P and the person's number."""
    return text.join("P", text.padded(quarter.people.number[np.maximum(who, 0)], 10))


def firms(quarter: Quarter, which: Ints) -> Column:
    """entity_id of enterprises: E and the enterprise's number."""
    return text.join("E", text.padded(quarter.firms.number[np.maximum(which, 0)], 10))


def updated(
    quarter: Quarter,
    source: str,
    subjects: Subjects,
    moment: Moment,
    span: int,
    since: Days | None = None,
    *,
    within: bool = False,
) -> tuple[Column, Flags]:
    """更新时间 of rows, and which come late.

    A row of the first delivery was updated in the last `span` days, but not before `since`; with `within` in the
    `span` days after `since`. A row that changed later was updated on that day, a late one some weeks before.
    """
    dice = Dice(quarter.plan.seed, f"{source}/updated")
    seconds = 28_800 + dice.below("time", subjects.row, 34_000)
    throw = dice.unit("back", subjects.row)
    day = text.shifted(quarter.people.today, -1 - (throw**2 * span).astype(np.int64))
    if since is not None and within:
        day = text.later(since, 1 + (throw * span).astype(np.int64))
    changed = moment.when > 0
    stamp = subjects.row * 1_000 + moment.when
    late = changed & dice.chance("late", stamp, RATES[source].late)
    back = np.where(late, 5 + dice.below("late-days", stamp, 30), 0)
    day = np.where(changed, text.shifted(quarter.people.today, moment.when - back), day)
    if since is not None:
        day = np.maximum(day, since)
    day = np.minimum(day, text.shifted(quarter.people.today, moment.when))
    return text.moments(text.at_clock(day, seconds)), late
