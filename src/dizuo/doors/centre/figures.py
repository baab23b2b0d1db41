"""The city's work in figures, counted from the cases themselves and kept for a few seconds for everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from dizuo.engines.cases import ItemState
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.store import Pool, Queries

KEPT = dt.timedelta(seconds=10)
DAYS = 7
WEEKS = 8
"""“Usual” is what the same weekdays of the last eight weeks were."""
URGENT = 8
_QUERIES = Queries.load("dizuo.doors.centre")
_OPEN = [
    state.value
    for state in ItemState
    if state.at_desk or state is ItemState.SPECIAL or state is ItemState.FIX_AWAITED
]
_COUNTED = [
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
    """Everything on the page, as of one moment. ``today`` and ``usual`` are by hour; ``usual`` holds whole days."""

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


class Counting:
    """Counts at most once in ten seconds, however many look."""

    def __init__(self) -> None:
        self._last: Figures | None = None

    async def figures(self, pool: Pool, now: dt.datetime, timezone: str) -> Figures:
        """The figures, at most ten seconds old. Errors: the pool's."""
        last = self._last
        if last is None or not dt.timedelta(0) <= now - last.at < KEPT:
            last = self._last = await count(pool, now, timezone)
        return last


async def count(pool: Pool, now: dt.datetime, timezone: str) -> Figures:
    """Count now. ``timezone`` is the city's, for days and hours."""
    since = now - dt.timedelta(days=DAYS)
    local = to_shanghai(now)
    first = dt.datetime.combine(local.date() - dt.timedelta(days=7 * WEEKS), dt.time(), local.tzinfo)
    items = await pool.fetch(_QUERIES["items"], now, since, _OPEN, _COUNTED)
    running = await pool.fetchrow(_QUERIES["running"], now)
    hours = await pool.fetch(_QUERIES["hours"], first, timezone)
    urgent = await pool.fetch(_QUERIES["urgent"], URGENT)
    ratings = await pool.fetchrow(_QUERIES["ratings"], now - dt.timedelta(days=30))
    days = _by_day(hours)
    same = [local.date() - dt.timedelta(days=7 * week) for week in range(1, WEEKS + 1)]
    recent = [local.date() - dt.timedelta(days=ago) for ago in range(9, -1, -1)]
    return Figures(
        at=now,
        running=0 if running is None else running["running"],
        running_over=0 if running is None else running["over"],
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
        rated=0 if ratings is None else ratings["n"],
        satisfied=0 if ratings is None else ratings["satisfied"],
    )  # fmt: skip


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
