"""Compares lengths of time across units by the worst case: is there a start from which one ends after the other?

Lengths of one unit compare by number. Workdays against days, months or years are counted on the published working
calendars of recent years from every possible day of receipt; calendar terms end on a workday (民法典第二百零三条).
"""

from __future__ import annotations

import datetime as dt
from functools import cache

from dizuo.foundation.blueprint.model import Length
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.terms import Duration, Unit, add_months

_HOURS = ("hour", "work_hour")
_FIRST, _LAST = dt.date(2019, 1, 1), dt.date(2025, 11, 30)


@cache
def longer_than(one: Length, other: Length) -> str | None:
    """How ``one`` can be longer than ``other``, as the end of a sentence (empty when it always is); None when never."""
    certain = Duration(one.n, Unit(one.unit)).exceeds(Duration(other.n, Unit(other.unit)))
    if certain is not None:
        return "" if certain else None
    if one.unit in _HOURS or other.unit in _HOURS:
        return "（遇到节假日时）"
    calendar = WorkCalendar()
    day = _LAST
    while day >= _FIRST:
        if calendar.is_workday(day):
            ends, limit = _end(one, day, calendar), _end(other, day, calendar)
            if ends > limit:
                return f"（例如 {day} 收到，{ends} 才到期，上限是 {limit}）"
        day -= dt.timedelta(days=1)
    return None


def _end(length: Length, start: dt.date, calendar: WorkCalendar) -> dt.date:
    if length.unit == "workday":
        return calendar.add_workdays(start, length.n)
    if length.unit == "calendar_day":
        return calendar.roll(start + dt.timedelta(days=length.n))
    return calendar.roll(add_months(start, length.n * (12 if length.unit == "year" else 1)))
