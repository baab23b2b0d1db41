"""Where "now" comes from: the only clock of the system, and the only one that tests may replace."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Protocol

# China has kept one fixed offset since 1991-09-15; a fixed zone needs no time-zone database on the machine.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def to_shanghai(moment: datetime) -> datetime:
    """The same instant on the city's clock (Asia/Shanghai).

    Errors: ValueError for a datetime without a time zone, because guessing one would move a deadline.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; use datetime(..., tzinfo=SHANGHAI)")
    return moment.astimezone(SHANGHAI)


class Now(Protocol):
    """A callable that returns the present instant as an aware datetime in Asia/Shanghai."""

    def __call__(self) -> datetime: ...

    def today(self) -> date: ...


class SystemNow:
    """The machine's clock."""

    def __call__(self) -> datetime:
        return datetime.now(SHANGHAI)

    def today(self) -> date:
        return self().date()


class FrozenNow:
    """A clock that stands still until it is told to move; for tests and rehearsals."""

    def __init__(self, moment: datetime) -> None:
        self._moment = to_shanghai(moment)

    def __call__(self) -> datetime:
        return self._moment

    def today(self) -> date:
        return self._moment.date()

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move forward by the given time and return the new instant; ValueError when it would go back."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < timedelta(0):
            raise ValueError("a clock does not run backwards; make a new FrozenNow instead")
        self._moment += step
        return self._moment

    def set(self, moment: datetime) -> datetime:
        """Jump to a later or earlier instant, for the few tests that need one."""
        self._moment = to_shanghai(moment)
        return self._moment
