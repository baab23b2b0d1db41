"""What the city knew on a day: a read like every other, of the versions that stood at that day's end.

The same two steps, purposes, grants and entries: an old version is personal data as much as the present one. It answers what
an official could have known when deciding, not what was true: that is the record's validity.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec

from dizuo.engines.registers.bulk_errors import DayNotOver
from dizuo.engines.registers.model import ReadRequest, ReadResult
from dizuo.engines.registers.reader import Registers


def end_of_day(day: dt.date, timezone: str) -> dt.datetime:
    """The moment at which ``day`` is over in the city's timezone (IANA name)."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(timezone))


async def read_as_known_on(
    registers: Registers, request: ReadRequest, day: dt.date, *, timezone: str, now: dt.datetime
) -> ReadResult:
    """``registers.read`` of what the city knew when ``day`` ended; entered, with purpose and basis, before it is here.

    Looking somebody up goes by what was known then, too. What was loaded later is missing, whatever date it bears. ``request``
    must not have an ``as_of`` of its own. Errors: DayNotOver for today and later, and those of ``Registers.read``.
    """
    moment = end_of_day(day, timezone)
    if moment > now:
        raise DayNotOver(day=day.isoformat())
    # The last instant of the day: a version recorded at midnight belongs to the next one.
    known = moment - dt.timedelta(microseconds=1)
    return await registers.read(msgspec.structs.replace(request, as_of=known))
