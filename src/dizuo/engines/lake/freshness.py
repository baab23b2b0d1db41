"""The freshness promise (更新周期) of a source, measured: when the next delivery is due, and whether it is late. Pure."""

from __future__ import annotations

import calendar as months
from datetime import date, datetime, time, timedelta

import msgspec

from dizuo.foundation.blueprint.atoms import Length
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.kernel.calendar import UnknownYear, WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.terms import add_months

_DAYS = {"realtime": 1, "daily": 1, "weekly": 7}
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


class Freshness(msgspec.Struct, frozen=True):
    """Where a source stands. ``due``: the last day for the next period's delivery, None before the first delivery or when
    the calendar of that year is unknown. ``late``: whole days past it, 0 while there is time."""

    period: date | None
    due: date | None
    late: int


def freshness(source: Source, published_to: date | None, today: date, calendar: WorkCalendar) -> Freshness:
    """How a source keeps its promise when its deliveries reach up to ``published_to``.

    The day on which a period ends is not counted. Unlike an application, a period ends on whatever day it ends: nothing is
    received later because it is a holiday.
    """
    if published_to is None:
        return Freshness(None, None, 0)
    period = period_after(published_to, source.delivery.cycle)
    try:
        end = _after(period, source.delivery.due, calendar)
    except UnknownYear:
        return Freshness(period, None, 0)
    return Freshness(period, end, max(0, (today - end).days))


def _after(period: date, length: Length, calendar: WorkCalendar) -> date:
    """The day so long after a period's end; hours are told in days, because periods are."""
    match length.unit:
        case "workday":
            return calendar.add_workdays(period, length.n)
        case "month":
            return add_months(period, length.n)
        case "year":
            return add_months(period, 12 * length.n)
        case "work_hour":
            end = datetime.combine(period + timedelta(days=1), time(), SHANGHAI)
            return calendar.add_working_time(end, timedelta(hours=length.n)).date()
        case "hour":
            return period + timedelta(days=-(-length.n // 24))
        case _:
            return period + timedelta(days=length.n)


def period_after(last: date, cycle: str) -> date:
    """The last day of the period that follows the one which ended on ``last``; months and years end with the calendar's."""
    if cycle in _DAYS:
        return last + timedelta(days=_DAYS[cycle])
    step = _MONTHS[cycle]
    # The period that the next day falls into: a delivery in the middle of a quarter is followed by that quarter's end.
    following = last + timedelta(days=1)
    month = -(-following.month // step) * step
    return date(following.year, month, months.monthrange(following.year, month)[1])
