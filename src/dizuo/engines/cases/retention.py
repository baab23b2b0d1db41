"""How long a case that ended stays on the desks before it is put away."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from dizuo.foundation.kernel.clock_source import SHANGHAI, to_shanghai
from dizuo.foundation.kernel.terms import add_months

MONTHS: Final = 6
"""The longest time in which a decision may be contested (行政诉讼法第四十六条)."""
_QUIET_HOUR: Final = time(3, 0)


def archive_at(ended: datetime) -> datetime:
    """When a case that ended then is put away: the night after the last day to go to court."""
    day = add_months(to_shanghai(ended).date(), MONTHS)
    return datetime.combine(day + timedelta(days=1), _QUIET_HOUR, SHANGHAI)
