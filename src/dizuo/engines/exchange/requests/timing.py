"""Clocks of a request (时限): the declared terms, the kernel's arithmetic, the city's calendar. Pure.

Completing once (一次性补充) stops the reviewing clock, as 补正 does; it has a clock of its own meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from dizuo.engines.exchange.requests.model import Request
from dizuo.engines.exchange.requests.rules import clock_of
from dizuo.foundation.blueprint.model import City, ClockDef, Length
from dizuo.foundation.kernel import clocks
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clocks import ClockState, Deadline, Duration, PauseReason, Term, Unit, Unknown


class Timing(msgspec.Struct, frozen=True):
    """A running clock as a page shows it. `level`: green, yellow (due soon), black (overdue), unknown.

    `left` is in whole units of the term (`unit`), negative when overdue; `why` says what makes it unknown. `verified` False: nobody
    held the length against the law's text.
    """

    clock: str
    name: str
    law: str
    verified: bool
    due: dt.date | None
    left: int | None
    unit: str
    level: str
    why: str
    extended: bool


class Moved(msgspec.Struct, frozen=True):
    """The clocks after a step: which runs, all states, which was left, working days it ran, whether it was kept (None: unknown)."""

    clock: str
    clocks: Mapping[str, ClockState]
    left: str
    used: int | None
    in_time: bool | None


def calendar_of(city: City) -> WorkCalendar:
    """The city's working calendar, with its own overrides and hours."""
    return WorkCalendar(city.calendar_overrides, city.working_hours, city.after_hours)


def timing(request: Request, city: City, calendar: WorkCalendar, now: dt.datetime) -> Timing | None:
    """The clock that runs for whoever has the request now; None where no clock is declared."""
    state, declared = request.clocks.get(request.clock), city.clocks.get(request.clock)
    if state is None or declared is None:
        return None
    end, level = clocks.due(state, calendar, now), clocks.level(state, now, calendar)
    left = clocks.left(state, now, calendar)
    why = end.reason if isinstance(end, Unknown) else ""
    return Timing(
        clock=declared.id,
        name=declared.name.zh,
        law=declared.law.key,
        verified=declared.verified,
        due=end.date if isinstance(end, Deadline) else None,
        left=None if isinstance(left, Unknown) else left.n,
        unit=state.term.duration.unit.value,
        level="unknown" if isinstance(level, Unknown) else level.value,
        why=why,
        extended=state.extended_by is not None,
    )


def moved(
    request: Request,
    event: str,
    to_state: str,
    city: City,
    calendar: WorkCalendar,
    now: dt.datetime,
    *,
    approver: str,
    words: str,
) -> Moved:
    """The clocks after a step. Errors: those of the kernel for an extension that is too late or not lawful."""
    running = dict(request.clocks)
    current = running.get(request.clock)
    if event == "extend":
        if current is not None:
            running[request.clock] = clocks.extend(current, now, approver, words, calendar)
        return Moved(request.clock, running, "", None, None)
    used, in_time = (None, None) if current is None else _kept(current, now, calendar)
    if event == "ask_more" and current is not None:
        # The reviewing clock is not left: it stands still and goes on with what is supplied.
        running[request.clock] = clocks.pause(current, now, PauseReason.CORRECTION)
        used, in_time = None, None
    wanted = clock_of(to_state, request.share_type)
    stopped = running.get(wanted)
    if event == "supply" and stopped is not None and stopped.paused:
        running[wanted] = clocks.resume(stopped, now)
    elif wanted in city.clocks:
        running[wanted] = clocks.start(_term(city.clocks[wanted]), now)
    else:
        wanted = ""
    return Moved(wanted, running, request.clock, used, in_time)


def _kept(state: ClockState, now: dt.datetime, calendar: WorkCalendar) -> tuple[int | None, bool | None]:
    """Working days that a clock ran, and whether its term was kept; what nobody can know stays unknown."""
    ran = clocks.used(state, now, calendar)
    used = None if isinstance(ran, Unknown) or ran.unit is not Unit.WORKDAY else ran.n
    end = clocks.due(state, calendar, now)
    if isinstance(end, Deadline):
        return used, now <= end.at
    return used, True if now.date() < end.not_before else None


def _term(clock: ClockDef) -> Term:
    return Term(
        id=clock.id,
        duration=_duration(clock.length),
        law=clock.law.key,
        verified=clock.verified,
        starts_on=clock.starts_on,
        extension=None if clock.extension is None else _duration(clock.extension),
        extension_approver=clock.extension_approver,
    )


def _duration(length: Length) -> Duration:
    return Duration(length.n, Unit(length.unit))
