"""Workdays and working hours of the city.

The State Council publishes next year's holidays and make-up workdays (调休) in November. The package
``chinesecalendar`` carries them for 2004–2026; a city adds later years, and its own decisions, as overrides.
A year that nobody published is unknown: nothing here falls back to "Monday to Friday".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Literal, cast

import chinese_calendar.constants as published

from dizuo.foundation.kernel.clock_source import SHANGHAI, to_shanghai
from dizuo.foundation.kernel.errors import DizuoError

AfterHours = Literal["next_workday", "same_day"]
YearOverride = tuple[Iterable[date], Iterable[date]]
"""One year's (holidays, make-up workdays)."""


class UnknownYear(DizuoError):
    """{year} 年的放假和调休安排还没有导入，算不出工作日。"""

    fix = "请把国务院办公厅公布的 {year} 年安排写入城市的 calendar/{year}.yaml（holidays 和 workdays）。"

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(year=year)


# The package ships without type information. Its tables: days off that are announced, and make-up workdays.
_HOLIDAYS = cast("Mapping[date, str]", published.holidays)
_MAKE_UP_DAYS = cast("Mapping[date, str]", published.workdays)
_PUBLISHED_YEARS = range(min(_HOLIDAYS).year, max(_HOLIDAYS).year + 1)


@cache
def _published(year: int) -> frozenset[int] | None:
    """Workdays (ordinals) of a year in the published table, or None when the table lacks the year."""
    if year not in _PUBLISHED_YEARS:
        return None
    off = {day.toordinal() for day in _HOLIDAYS if day.year == year}
    on = {day.toordinal() for day in _MAKE_UP_DAYS if day.year == year}
    return (_weekdays(year) - off) | on


def _weekdays(year: int) -> frozenset[int]:
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    return frozenset(n for n in range(first, last + 1) if date.fromordinal(n).weekday() < 5)


class WorkCalendar:
    """The city's working days and hours; immutable, safe to share, tables built once a year.

    Shapes: ``overrides`` maps a year to (holidays, make-up workdays). For a published year they are applied on
    top of the published table; for another year they are its whole arrangement. ``hours`` lists the working
    periods of a day as ["HH:MM", "HH:MM"], in order. ``after_hours`` says which day a submission after closing
    time, or on a day off, is received on. Errors: ValueError for hours that overlap or days of another year.
    """

    __slots__ = ("_hours", "_minutes", "_overrides", "_years", "after_hours", "closes", "opens")

    def __init__(
        self,
        overrides: Mapping[int, YearOverride] | None = None,
        hours: Sequence[Sequence[str]] = (("08:30", "12:00"), ("13:30", "17:30")),
        after_hours: AfterHours = "next_workday",
    ) -> None:
        self._hours = _parse_hours(hours)
        self.opens = self._hours[0][0]
        self.closes = self._hours[-1][1]
        self._minutes = sum(_minutes(end) - _minutes(start) for start, end in self._hours)
        self.after_hours: AfterHours = after_hours
        self._overrides: dict[int, tuple[frozenset[int], frozenset[int]]] = {}
        # Workdays of a year as ordered ordinals, so that counting is a bisection; None for an unknown year.
        self._years: dict[int, tuple[int, ...] | None] = {}
        for year, (holidays, make_up) in (overrides or {}).items():
            off = frozenset(_of_year(year, holidays))
            on = frozenset(_of_year(year, make_up))
            if off & on:
                day = date.fromordinal(min(off & on))
                raise ValueError(f"{day.isoformat()} is both a holiday and a make-up workday")
            self._overrides[year] = (off, on)

    @property
    def day_length(self) -> timedelta:
        """Working time in one workday."""
        return timedelta(minutes=self._minutes)

    def _find(self, year: int) -> tuple[int, ...] | None:
        if year in self._years:
            return self._years[year]
        days = _published(year)
        if year in self._overrides:
            off, on = self._overrides[year]
            days = ((_weekdays(year) if days is None else days) - off) | on
        table = None if days is None else tuple(sorted(days))
        self._years[year] = table
        return table

    def _table(self, year: int) -> tuple[int, ...]:
        found = self._find(year)
        if found is None:
            raise UnknownYear(year)
        return found

    # --- days ---------------------------------------------------------------------------------------------

    def is_workday(self, day: date) -> bool | None:
        """Whether people work on that day; None when the year's arrangement is not known."""
        found = self._find(day.year)
        if found is None:
            return None
        ordinal = day.toordinal()
        index = bisect_left(found, ordinal)
        return index < len(found) and found[index] == ordinal

    def knows(self, year: int) -> bool:
        return self._find(year) is not None

    def roll(self, day: date) -> date:
        """The day itself when it is a workday, else the next one (民法典第二百零三条). Errors: UnknownYear."""
        year, ordinal = day.year, day.toordinal()
        while True:
            table = self._table(year)
            index = bisect_left(table, ordinal)
            if index < len(table):
                return date.fromordinal(table[index])
            year += 1

    def add_workdays(self, day: date, n: int) -> date:
        """The n-th workday strictly after ``day``; n = 0 is the day itself. Errors: UnknownYear."""
        if n < 0:
            raise ValueError("n must not be negative")
        if n == 0:
            return day
        year, left = day.year, n
        table = self._table(year)
        index = bisect_right(table, day.toordinal())
        while left > len(table) - index:
            left -= len(table) - index
            year, index = year + 1, 0
            table = self._table(year)
        return date.fromordinal(table[index + left - 1])

    def count_workdays(self, after: date, until: date) -> int:
        """How many workdays lie strictly after ``after`` and up to and including ``until``.

        Zero when ``until`` is not later. Errors: UnknownYear.
        """
        if until <= after:
            return 0
        total = 0
        for year in range(after.year, until.year + 1):
            table = self._table(year)
            low = bisect_right(table, after.toordinal()) if year == after.year else 0
            high = bisect_right(table, until.toordinal()) if year == until.year else len(table)
            total += high - low
        return total

    def receipt_day(self, moment: datetime) -> date:
        """The day on which something that arrived at ``moment`` counts as received.

        After closing time and on a day off it is the next workday, unless the city says ``same_day``.
        Errors: UnknownYear.
        """
        local = to_shanghai(moment)
        day = local.date()
        if self.after_hours == "same_day":
            return day
        if local.time() > self.closes:
            day += timedelta(days=1)
        return self.roll(day)

    # --- hours --------------------------------------------------------------------------------------------

    def close_of(self, day: date) -> datetime:
        """The end of working time on that day."""
        return datetime.combine(day, self.closes, SHANGHAI)

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two instants; zero when ``end`` is not later. Errors: UnknownYear."""
        start, end = to_shanghai(start), to_shanghai(end)
        if end <= start:
            return timedelta(0)
        first, last = start.date(), end.date()
        if first == last:
            return self._within(first, start.time(), end.time())
        whole = self.count_workdays(first, last - timedelta(days=1)) * self.day_length
        return self._within(first, start.time(), time.max) + whole + self._within(last, time.min, end.time())

    def add_working_time(self, start: datetime, amount: timedelta) -> datetime:
        """The instant at which ``amount`` of working time after ``start`` is used up. Errors: UnknownYear."""
        if amount < timedelta(0):
            raise ValueError("amount must not be negative")
        local = to_shanghai(start)
        if amount == timedelta(0):
            return local
        day = local.date()
        left = self._within(day, local.time(), time.max)
        if amount <= left:
            return self._walk(day, local.time(), amount)
        amount -= left
        # The last full day is walked too: a term that ends at closing time ends today, not tomorrow morning.
        full = -(-amount // self.day_length) - 1
        day = self.add_workdays(day, full + 1)
        return self._walk(day, time.min, amount - full * self.day_length)

    def _within(self, day: date, start: time, end: time) -> timedelta:
        working = self.is_workday(day)
        if working is None:
            raise UnknownYear(day.year)
        if not working:
            return timedelta(0)
        total = timedelta(0)
        for opens, closes in self._hours:
            low, high = max(opens, start), min(closes, end)
            if low < high:
                total += datetime.combine(day, high) - datetime.combine(day, low)
        return total

    def _walk(self, day: date, start: time, amount: timedelta) -> datetime:
        """Where ``amount`` ends on a day that is known to hold that much working time after ``start``."""
        for opens, closes in self._hours:
            low = max(opens, start)
            if low >= closes:
                continue
            begin = datetime.combine(day, low, SHANGHAI)
            room = datetime.combine(day, closes, SHANGHAI) - begin
            if amount <= room:
                return begin + amount
            amount -= room
        raise AssertionError("more time asked than the day holds")


def _parse_hours(hours: Sequence[Sequence[str]]) -> tuple[tuple[time, time], ...]:
    periods: list[tuple[time, time]] = []
    for period in hours:
        if len(period) != 2:
            raise ValueError(f"working period {list(period)!r} must be [start, end]")
        start, end = time.fromisoformat(period[0]), time.fromisoformat(period[1])
        if start >= end or (periods and start < periods[-1][1]):
            raise ValueError(
                f"working periods must be in order and must not overlap: {period[0]}–{period[1]}"
            )
        periods.append((start, end))
    if not periods:
        raise ValueError("a day needs at least one working period")
    return tuple(periods)


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _of_year(year: int, days: Iterable[date]) -> Iterable[int]:
    for day in days:
        if day.year != year:
            raise ValueError(f"{day.isoformat()} is listed under {year}")
        yield day.toordinal()
