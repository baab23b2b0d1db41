"""The freshness promise (更新承诺): when a delivery of a period is due, and whether it came in time.

Pure. A period ends with its day, week (Sunday), month, quarter or year; the promise counts from there, in workdays of
the city's calendar or whatever unit the source declares. A year without a published calendar is unknown, not guessed.
"""

from __future__ import annotations

import calendar as months
import datetime as dt
from typing import Literal

import msgspec

from dizuo.foundation.blueprint.atoms import Length
from dizuo.foundation.blueprint.model_source import Cycle, SourceDelivery
from dizuo.foundation.kernel.calendar import UnknownYear, WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI, to_shanghai

State = Literal["in_time", "late", "waiting", "overdue", "unknown"]


class Freshness(msgspec.Struct, frozen=True):
    """How fresh a period's delivery is: ``state``, when it was due, and the delay (zero when in time or waiting)."""

    state: State
    period_end: dt.date
    due: dt.datetime | None
    delay: dt.timedelta


def period_end(cycle: Cycle, day: dt.date) -> dt.date:
    """The last day of the period that a day lies in; of a realtime source the day itself."""
    match cycle:
        case "realtime" | "daily":
            return day
        case "weekly":
            return day + dt.timedelta(days=6 - day.weekday())
        case "monthly":
            return day.replace(day=months.monthrange(day.year, day.month)[1])
        case "quarterly":
            last = (day.month + 2) // 3 * 3
            return dt.date(day.year, last, months.monthrange(day.year, last)[1])
        case "yearly":
            return dt.date(day.year, 12, 31)


def last_ended(cycle: Cycle, now: dt.date) -> dt.date:
    """The end of the last period that is over on a day: that of yesterday's period, or of the one before it."""
    yesterday = now - dt.timedelta(days=1)
    end = period_end(cycle, yesterday)
    if end < now:
        return end
    match cycle:
        case "weekly":
            return end - dt.timedelta(days=7)
        case "quarterly":
            return dt.date(end.year, end.month - 2, 1) - dt.timedelta(days=1)
        case "yearly":
            return dt.date(end.year - 1, 12, 31)
        case _:
            return end.replace(day=1) - dt.timedelta(days=1)


def due_at(delivery: SourceDelivery, end: dt.date, calendar: WorkCalendar) -> dt.datetime:
    """The moment by which the delivery of the period that ends on ``end`` is due.

    Days and longer units end with their day (民法典第二百零一条: the day itself does not count); hours count from
    midnight after the period. Errors: UnknownYear.
    """
    midnight = dt.datetime.combine(end + dt.timedelta(days=1), dt.time(), SHANGHAI)
    length = delivery.due
    match length.unit:
        case "hour":
            return midnight + dt.timedelta(hours=length.n)
        case "work_hour":
            return calendar.add_working_time(midnight, dt.timedelta(hours=length.n))
        case _:
            return _end_of(_later(end, length, calendar))


def _later(end: dt.date, length: Length, calendar: WorkCalendar) -> dt.date:
    if length.unit == "workday":
        return calendar.add_workdays(end, length.n)
    if length.unit == "calendar_day":
        return end + dt.timedelta(days=length.n)
    ahead = end.year * 12 + end.month - 1 + length.n * (12 if length.unit == "year" else 1)
    year, month = divmod(ahead, 12)
    return dt.date(year, month + 1, min(end.day, months.monthrange(year, month + 1)[1]))


def _end_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(23, 59, 59), SHANGHAI)


def freshness(
    delivery: SourceDelivery,
    end: dt.date,
    arrived: dt.datetime | None,
    now: dt.datetime,
    calendar: WorkCalendar,
) -> Freshness:
    """How the delivery of the period that ends on ``end`` stands.

    ``arrived`` is when it came, None when it has not. States: in_time, late (came after it was due), waiting (not due
    yet), overdue, unknown (the calendar of the year is not published).
    """
    try:
        due = due_at(delivery, end, calendar)
    except UnknownYear:
        return Freshness("unknown", end, None, dt.timedelta(0))
    came = to_shanghai(arrived if arrived is not None else now)
    delay = max(came - due, dt.timedelta(0))
    if arrived is not None:
        return Freshness("late" if delay else "in_time", end, due, delay)
    return Freshness("overdue" if delay else "waiting", end, due, delay)
