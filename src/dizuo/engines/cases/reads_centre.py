"""The city's work in figures, counted from the cases themselves: for the operations page and the data catalogue.

Nothing personal is in any of it: no name, no title, no value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dizuo.engines.cases.context import Cases
from dizuo.engines.cases.states import ItemState
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.store import Queries

CENTRE: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "centre.sql")
DAYS: Final = 7
WEEKS: Final = 8
"""“Usual” is what the same weekdays of the last eight weeks were."""
URGENT: Final = 8
_RATED: Final = dt.timedelta(days=30)
_OPEN: Final = [
    state.value
    for state in ItemState
    if state.at_desk or state is ItemState.SPECIAL or state is ItemState.FIX_AWAITED
]
_COUNTED: Final = [
    state.value
    for state in ItemState
    if state.succeeded or state in (ItemState.REFUSED, ItemState.NOT_ACCEPTED)
]


class DepartmentWork(msgspec.Struct, frozen=True):
    """One department: open items, due within a day, over time; ended in the last seven days, in time, by system."""

    id: str
    open: int
    soon: int
    over: int
    ended: int
    in_time: int
    by_system: int


class Urgent(msgspec.Struct, frozen=True):
    """One piece of open work, without anything personal."""

    number: str
    kind: str
    matter: str
    item: str
    department: str
    unit: str
    state: str
    paused: bool
    due: dt.datetime
    opened_at: dt.datetime


class Figures(msgspec.Struct, frozen=True):
    """The city's work as of one moment. ``today`` and ``usual`` are by hour; ``usual`` holds whole days."""

    at: dt.datetime
    running: int
    running_over: int
    departments: tuple[DepartmentWork, ...]
    districts: Mapping[str, int]
    districts_over: Mapping[str, int]
    today: tuple[int, ...]
    usual: tuple[tuple[int, ...], ...]
    daily: tuple[tuple[dt.date, int], ...]
    urgent: tuple[Urgent, ...]
    rated: int
    satisfied: int


class Asked(msgspec.Struct, frozen=True):
    """How many fields the form of a matter asked and filled, on average of ``n`` applications."""

    n: int
    asked: float
    known: float


async def figures(cases: Cases) -> Figures:
    """Count now; days and hours are on the city's clock. Errors: the pool's."""
    now, pool = cases.now(), cases.pool
    local = to_shanghai(now)
    first = dt.datetime.combine(local.date() - dt.timedelta(days=7 * WEEKS), dt.time(), local.tzinfo)
    items = await pool.fetch(CENTRE["work"], now, now - dt.timedelta(days=DAYS), _OPEN, _COUNTED)
    running = await pool.fetchrow(CENTRE["running"], now)
    hours = await pool.fetch(CENTRE["hours"], first, cases.city.timezone)
    urgent = await pool.fetch(CENTRE["urgent"], URGENT)
    ratings = await pool.fetchrow(CENTRE["ratings"], now - _RATED)
    assert running is not None
    assert ratings is not None
    days = _by_day(hours)
    same = [local.date() - dt.timedelta(days=7 * week) for week in range(1, WEEKS + 1)]
    recent = [local.date() - dt.timedelta(days=ago) for ago in range(9, -1, -1)]
    return Figures(
        at=now,
        running=running["running"],
        running_over=running["over"],
        departments=_departments(items),
        districts=_sum(items, "open"),
        districts_over=_sum(items, "over"),
        today=days.get(local.date(), (0,) * 24),
        usual=tuple(days[day] for day in same if day in days),
        daily=tuple((day, sum(days.get(day, ()))) for day in recent),
        urgent=tuple(
            Urgent(
                r["number"], r["kind"], r["matter"], r["item"], r["department"], r["unit"], r["state"], r["paused"],
                r["due"], r["opened_at"],
            )
            for r in urgent
        ),
        rated=ratings["n"],
        satisfied=ratings["satisfied"],
    )  # fmt: skip


async def asked_of(cases: Cases, since: dt.datetime) -> Mapping[str, Asked]:
    """What the form of each matter asked and what the city knew, over the applications since a moment."""
    rows = await cases.pool.fetch(CENTRE["asked"], since)
    return {row["matter"]: Asked(row["n"], row["asked"], row["known"]) for row in rows}


def _by_day(rows: Any) -> dict[dt.date, tuple[int, ...]]:
    found: dict[dt.date, list[int]] = {}
    for row in rows:
        found.setdefault(row["day"], [0] * 24)[row["hour"]] = row["n"]
    return {day: tuple(hours) for day, hours in found.items()}


def _departments(rows: Any) -> tuple[DepartmentWork, ...]:
    names = ("open", "soon", "over", "ended", "in_time", "by_system")
    found: dict[str, list[int]] = {}
    for row in rows:
        sums = found.setdefault(row["department"], [0] * len(names))
        for at, name in enumerate(names):
            sums[at] += row[name]
    made = [DepartmentWork(name, *sums) for name, sums in found.items()]
    return tuple(sorted(made, key=lambda d: (-d.over, -d.soon, -d.open, d.id)))


def _sum(rows: Any, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row["district"]] = found.get(row["district"], 0) + row[name]
    return found
