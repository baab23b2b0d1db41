"""Constants of time: the texts inside ``date("…")``, ``duration("…")`` and after ``@``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.rules.tree import Months

_MONTHS = re.compile(r"(-?)P(?=[0-9])(?:([0-9]{1,4})Y)?(?:([0-9]{1,5})M)?", re.ASCII)
_DAYS = re.compile(
    r"(-?)P(?=[0-9T])(?:([0-9]{1,6})D)?(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9})S)?)?",
    re.ASCII,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?"
_TIME = re.compile(_CLOCK, re.ASCII)
_MOMENT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?", re.ASCII)


def to_date(text: str) -> date | None:
    """``2026-11-01``, or None."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def to_time(text: str) -> time | None:
    """``08:30`` or ``08:30:00`` on the city's clock, or None."""
    try:
        return time.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        return None


def to_moment(text: str) -> datetime | None:
    """``2026-11-01T08:30:00``, with an offset or on the city's clock (Asia/Shanghai), or None."""
    try:
        moment = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
        if moment is None:
            return None
        return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment.astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        return None


def to_duration(text: str) -> timedelta | Months | None:
    """``P1Y6M`` as months or ``P3DT12H`` as days and hours, or None; FEEL keeps the two kinds apart."""
    months = _MONTHS.fullmatch(text)
    if months:
        sign = -1 if months[1] else 1
        total = 12 * int(months[2] or 0) + int(months[3] or 0)
        return Months(sign * total) if total <= _MOST_MONTHS else None
    days = _DAYS.fullmatch(text)
    if days:
        d, h, m, s = (int(days[index] or 0) for index in (2, 3, 4, 5))
        length = timedelta(days=d, hours=h, minutes=m, seconds=s)
        return None if length > _MOST_DAYS else (-length if days[1] else length)
    return None


# A thousand years either way: sums of durations stay within what Python and PostgreSQL can hold.
_MOST_MONTHS = 12_000
_MOST_DAYS = timedelta(days=366_000)

Constant = date | datetime | time | timedelta | Months

CONSTRUCTORS: Mapping[str, tuple[Callable[[str], Constant | None], str]] = {
    "date": (to_date, '日期写成 date("2026-11-01")'),
    "time": (to_time, '时刻写成 time("08:30:00")'),
    "date and time": (to_moment, '日期时间写成 date and time("2026-11-01T08:30:00")'),
    "duration": (
        to_duration,
        '时长写成 duration("P1Y6M")（年月）或 duration("P3DT12H")（天和小时），两种不能混写',
    ),
}


def at_literal(text: str) -> Constant | None:
    """What ``@"…"`` writes (DMN 1.5 at-literals), or None."""
    for constructor in (to_date, to_moment, to_time, to_duration):
        constant = constructor(text)
        if constant is not None:
            return constant
    return None
