"""Who lives with whom: households drawn from templates, ages from an anchor, twins, and parents in other homes.

The shares are chosen so that ages come near the seventh census (2020) for the city; see docs/know/simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dizuo.engines.lake.simulation.dice import Flags, Floats, Ints

HEAD, SPOUSE, CHILD, FATHER, MOTHER, LATE = range(6)
"""Roles; LATE is a member who has died: the spouse of someone old, or the father of the head."""
HUKOU, MIGRANT, FOREIGN = range(3)


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of household: roles, share among hukou and migrant households, ages of the head, sex of the head."""

    roles: tuple[int, ...]
    hukou: float
    migrant: float
    youngest: int
    oldest: int
    men: float


TEMPLATES = (
    Template((HEAD,), 0.09, 0.40, 20, 46, 0.55),
    Template((HEAD, LATE), 0.105, 0.02, 63, 93, 0.32),
    Template((HEAD, SPOUSE), 0.11, 0.25, 24, 46, 0.85),
    Template((HEAD, SPOUSE), 0.18, 0.05, 55, 84, 0.88),
    Template((HEAD, SPOUSE, CHILD), 0.15, 0.16, 26, 49, 0.80),
    Template((HEAD, SPOUSE, CHILD, CHILD), 0.055, 0.07, 28, 48, 0.82),
    Template((HEAD, CHILD), 0.05, 0.03, 26, 52, 0.45),
    Template((HEAD, SPOUSE, CHILD, FATHER, MOTHER), 0.06, 0.01, 27, 46, 0.85),
    Template((HEAD, SPOUSE, CHILD, MOTHER, LATE), 0.04, 0.0, 28, 48, 0.9),
    Template((HEAD, SPOUSE, CHILD), 0.16, 0.01, 52, 68, 0.85),
)
_GROWN = 9
"""The template whose child is grown up."""
_TWINS = 0.06
"""Share of two-child households whose children are twins (about 1.5 % of births)."""


@dataclass(slots=True)
class Homes:
    """People by household. Shapes: arrays over persons but `size` and `of_kind` over households; -1 means nobody."""

    household: Ints
    role: Ints
    age: Floats
    sex: Ints
    kind: Ints
    mother: Ints
    father: Ints
    spouse: Ints
    twin: Ints
    size: Ints
    first: Ints


def settle(rng: np.random.Generator, people: int, shares: tuple[float, float]) -> Homes:
    """Households until `people` living persons are settled.

    `shares` are those of hukou residents and of migrants; the rest are foreigners, who live alone or as couples.
    """
    parts = [
        _drawn(rng, round(people * shares[0]), HUKOU),
        _drawn(rng, round(people * shares[1]), MIGRANT),
        _drawn(rng, people - round(people * shares[0]) - round(people * shares[1]), FOREIGN),
    ]
    template = np.concatenate(parts)
    kinds = np.repeat(np.arange(3), [len(part) for part in parts])
    sizes = np.array([len(t.roles) for t in TEMPLATES])[template]
    first = np.cumsum(sizes) - sizes
    household = np.repeat(np.arange(len(sizes)), sizes)
    slot = np.arange(len(household)) - first[household]
    table = np.full((len(TEMPLATES), 5), -1, np.int64)
    for n, one in enumerate(TEMPLATES):
        table[n, : len(one.roles)] = one.roles
    role = table[template[household], slot]
    homes = _related(rng, household, role, first, sizes, template)
    homes.kind = kinds[household].astype(np.int64)
    return homes


def _drawn(rng: np.random.Generator, people: int, kind: int) -> Ints:
    """Templates of one kind's households until its people are settled; the last one is cut to fit."""
    if people <= 0:
        return np.zeros(0, np.int64)
    shares = np.array([t.hukou if kind == HUKOU else t.migrant for t in TEMPLATES])
    if kind == FOREIGN:
        shares = np.array([0.7, 0, 0.3] + [0.0] * 7)
    living = np.array([sum(r != LATE for r in t.roles) for t in TEMPLATES])
    template = rng.choice(len(TEMPLATES), people, p=shares / shares.sum())
    total = np.cumsum(living[template])
    count = int(np.searchsorted(total, people)) + 1
    template = template[:count].astype(np.int64)
    over = int(total[count - 1]) - people
    if over:
        # A household of the size still missing ends the row: singles fit any gap.
        template = np.concatenate([template[:-1], np.zeros(int(living[template[-1]]) - over, np.int64)])
    return template


def _related(
    rng: np.random.Generator, household: Ints, role: Ints, first: Ints, sizes: Ints, template: Ints
) -> Homes:
    count = len(household)
    low = np.array([t.youngest for t in TEMPLATES], float)[template]
    high = np.array([t.oldest for t in TEMPLATES], float)[template]
    anchor = (low + (high - low) * rng.random(len(template)))[household]
    men = np.array([t.men for t in TEMPLATES])[template]
    head_sex = np.where(rng.random(len(template)) < men, 1, 2)[household].astype(np.int64)
    sex = np.where(rng.random(count) < 0.512, 1, 2).astype(np.int64)
    sex = np.where(role == HEAD, head_sex, sex)
    sex = np.where(role == SPOUSE, 3 - head_sex, sex)
    sex = np.where(role == FATHER, 1, np.where(role == MOTHER, 2, sex))
    # The late one beside a lone old head was the spouse; beside a mother of the head, the father.
    beside_mother = sizes[household] > 2
    sex = np.where(role == LATE, np.where(beside_mother, 1, 3 - head_sex), sex)
    # The older the mother could be, the later the child; nobody has a child before twenty.
    childhood = np.maximum(anchor - 21.5, 0.5) * rng.random(count) ** 0.6
    grown = np.maximum(anchor - 22 - 10 * rng.random(count), 20.0)
    parental = 22 + 13 * rng.random(count)
    age = np.select(
        [role == HEAD, role == SPOUSE, role == CHILD],
        [
            anchor,
            np.maximum(anchor + np.where(head_sex == 1, -1.6, 1.6) + rng.normal(0, 2.4, count), 20.2),
            np.where(template[household] == _GROWN, grown, np.minimum(childhood, 21.0)),
        ],
        anchor + parental,
    )
    partner = np.where(beside_mother, anchor + parental, anchor + rng.normal(1.5, 3, count))
    age = np.where(role == LATE, partner, age)
    people = np.arange(count)
    where_of = _members(household, role, people, len(sizes))
    # The younger parent was at least nineteen, with room for brothers and sisters to be moved apart.
    partner_of = where_of[household, SPOUSE]
    younger = np.minimum(anchor, np.where(partner_of >= 0, age[np.maximum(partner_of, 0)], np.inf))
    age = np.where(role == CHILD, np.minimum(age, np.maximum(younger - 21.3, 0.05)), age)
    spouse = np.full(count, -1, np.int64)
    _wed(spouse, where_of[:, HEAD], where_of[:, SPOUSE])
    _wed(spouse, where_of[:, FATHER], where_of[:, MOTHER])
    _wed(spouse, where_of[:, HEAD], np.where(sizes == 2, where_of[:, LATE], -1))
    _wed(spouse, where_of[:, MOTHER], np.where(sizes == 5, where_of[:, LATE], -1))
    mother, father = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    head, wife = where_of[household, HEAD], where_of[household, SPOUSE]
    child = role == CHILD
    for parent in (head, wife):
        is_mother = (parent >= 0) & (sex[np.maximum(parent, 0)] == 2)
        mother = np.where(child & is_mother, parent, mother)
        father = np.where(child & (parent >= 0) & ~is_mother, parent, father)
    mother = np.where(role == HEAD, where_of[household, MOTHER], mother)
    late = np.where(beside_mother, where_of[household, LATE], -1)
    father = np.where(role == HEAD, np.maximum(where_of[household, FATHER], late), father)
    twin = _twins(rng, household, role, age, first)
    return Homes(household, role, age, sex, role, mother, father, spouse, twin, sizes, first)


def _members(household: Ints, role: Ints, people: Ints, count: int) -> Ints:
    """The first member in each role, (households, roles); -1 where there is none."""
    table = np.full((count, 6), -1, np.int64)
    backwards = people[::-1]
    table[household[backwards], role[backwards]] = backwards
    return table


def _wed(spouse: Ints, one: Ints, other: Ints) -> None:
    both = (one >= 0) & (other >= 0)
    spouse[one[both]], spouse[other[both]] = other[both], one[both]


def _twins(rng: np.random.Generator, household: Ints, role: Ints, age: Floats, first: Ints) -> Ints:
    """Make the two children of some households twins; the index of each one's twin, -1 for the others."""
    twin = np.full(len(age), -1, np.int64)
    child = np.flatnonzero(role == CHILD)
    pair = child[:-1][(household[child[:-1]] == household[child[1:]])]
    pair = pair[rng.random(len(pair)) < _TWINS]
    age[pair + 1] = age[pair]
    twin[pair], twin[pair + 1] = pair + 1, pair
    return twin


def elders(rng: np.random.Generator, homes: Homes, share: float) -> None:
    """Link heads of young households to old couples of other households as their parents, by plausible ages."""
    old_man = np.flatnonzero((homes.role == HEAD) & (homes.sex == 1) & (homes.spouse >= 0) & (homes.age > 50))
    young: Flags = (
        (homes.mother < 0) & (homes.father < 0) & (homes.age < 56)
        & ((homes.role == HEAD) | (homes.role == SPOUSE)) & (homes.kind == HUKOU)
    )  # fmt: skip
    chosen = np.flatnonzero(young & (rng.random(len(young)) < share))
    old_man = old_man[homes.kind[old_man] == HUKOU]
    old_man = old_man[homes.age[homes.spouse[old_man]] > 45]
    if not len(old_man) or not len(chosen):
        return
    order = old_man[np.argsort(homes.age[old_man], kind="stable")]
    wanted = homes.age[chosen] + 23 + 12 * rng.random(len(chosen))
    spot = np.searchsorted(homes.age[order], wanted) + rng.integers(-40, 41, len(chosen))
    fathers = order[np.clip(spot, 0, len(order) - 1)]
    mothers = homes.spouse[fathers]
    fits: NDArray[np.bool_] = (
        (homes.age[fathers] - homes.age[chosen] > 19)
        & (homes.age[mothers] - homes.age[chosen] > 18)
        & (homes.age[mothers] - homes.age[chosen] < 46)
        & (homes.household[fathers] != homes.household[chosen])
        # Two who are married to each other are not given the same parents.
        & (homes.role[chosen] == HEAD)
    )  # fmt: skip
    homes.father[chosen[fits]], homes.mother[chosen[fits]] = fathers[fits], mothers[fits]
