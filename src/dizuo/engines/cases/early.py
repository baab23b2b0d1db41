"""Early warning: one working day before a step's promise runs out, its desk is told, once.

The moment follows electronic supervision practice (到期前 1 个工作日发提示); it is no legal limit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import to_shanghai

_LONGEST_BREAK = 15
"""No holiday arrangement of the State Council is longer, in days."""


def warn_at(due: datetime, calendar: WorkCalendar) -> datetime | None:
    """The same time of day one working day before ``due``; None where the calendar does not know the days."""
    local = to_shanghai(due)
    for back in range(1, _LONGEST_BREAK + 1):
        moment = local - timedelta(days=back)
        works = calendar.is_workday(moment.date())
        if works is None:
            return None
        if works:
            return moment
    return None
