"""Statutory clocks (时限): when something is due, what stops the clock, and what colour it has now.

How a term is counted (domain of 行政许可法, 民法典第二百零一至二百零三条):

1. The day of receipt is not counted.
2. Workday terms count workdays only; calendar-day, month and year terms count every day and, when they end on
   a day off, end on the next workday. A month ends on the same day number, or on the month's last day.
3. Hour terms run day and night from the moment; work-hour terms run in working time only.
4. A day ends when working time ends (民法典第二百零三条第二款).
5. Only 补正 and the eight special procedures stop the clock. The day on which it stops still counts; the day on
   which it resumes does not: k workdays in between move the end by k workdays.
6. A term is extended at most once, before it ends, by a named approver with a reason. The promised day moves
   with it, because the applicant was told so.
7. When the arrangement of a year is not published, the answer is ``Unknown`` with the reason; never a guess.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from dizuo.foundation.kernel.calendar import UnknownYear, WorkCalendar
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.errors import Conflict, Invalid
from dizuo.foundation.kernel.terms import Duration, PauseReason, Term, Unit, add_months

__all__ = [
    "AlreadyExtended",
    "AlreadyPaused",
    "Amount",
    "ClockState",
    "Deadline",
    "Duration",
    "Extension",
    "Level",
    "NotExtendable",
    "NotPaused",
    "Pause",
    "PauseReason",
    "Term",
    "TooLateToExtend",
    "Unit",
    "Unknown",
    "WrongOrder",
    "due",
    "extend",
    "left",
    "level",
    "pause",
    "promise_due",
    "promise_left",
    "resume",
    "start",
    "used",
]


class Pause(msgspec.Struct, frozen=True):
    """One interval in which the clock stood still; ``end`` is None while it does."""

    start: datetime
    end: datetime | None
    reason: PauseReason


class Extension(msgspec.Struct, frozen=True):
    """The one extension of a term: how long, decided when, by whom and why."""

    duration: Duration
    at: datetime
    approver: str
    reason: str


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """One running clock: when it started, on which term, and everything that changed it since."""

    started_at: datetime
    term: Term
    pauses: tuple[Pause, ...] = ()
    extended_by: Extension | None = None

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].end is None


class Deadline(msgspec.Struct, frozen=True):
    """The last day and the last instant of a term; ``provisional`` while the clock stands still."""

    date: date
    at: datetime
    provisional: bool = False


class Unknown(msgspec.Struct, frozen=True):
    """A deadline that cannot be told, why, and what would make it known.

    ``not_before`` is a day before which it certainly does not end.
    """

    reason: str
    fix: str
    not_before: date


class Amount(msgspec.Struct, frozen=True):
    """Time used or left, in whole units (months and years are told in days); negative when overdue."""

    n: int
    unit: Unit

    def words(self) -> str:
        return f"{self.n} {self.unit.word}"


class Level(StrEnum):
    """The colour of a clock: 绿 in time, 黄 due soon, 红 past the promise, 黑 past the statute."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    BLACK = "black"


class AlreadyPaused(Conflict):
    """计时已经因{reason}暂停，不能再次暂停。"""

    fix = "请先恢复计时。"


class NotPaused(Conflict):
    """计时没有暂停，无需恢复。"""


class WrongOrder(Conflict):
    """时间先后不对：{what}早于{other}。"""

    fix = "请检查填写的时间。"


class NotExtendable(Conflict):
    """这一时限依法不能延长。"""

    fix = "请在时限内作出决定。"


class AlreadyExtended(Conflict):
    """这一时限已经延长过一次，不能再延。"""

    fix = "请在延长后的时限内作出决定。"


class TooLateToExtend(Conflict):
    """时限已于 {due} 届满，届满后不能延长。"""

    fix = "请尽快作出决定，并按超期件说明原因。"


# --- changing a clock -------------------------------------------------------------------------------------


def start(term: Term, at: datetime) -> ClockState:
    """A clock that starts with the event at ``at``."""
    return ClockState(started_at=to_shanghai(at), term=term)


def pause(state: ClockState, at: datetime, reason: PauseReason) -> ClockState:
    """The clock, stopped at ``at``. Errors: AlreadyPaused, WrongOrder."""
    at = to_shanghai(at)
    if state.paused:
        raise AlreadyPaused(reason=state.pauses[-1].reason.word)
    if at < state.started_at:
        raise WrongOrder(what="暂停", other="开始计时")
    last = state.pauses[-1].end if state.pauses else None
    if last is not None and at < last:
        raise WrongOrder(what="暂停", other="上次恢复")
    return msgspec.structs.replace(state, pauses=(*state.pauses, Pause(at, None, reason)))


def resume(state: ClockState, at: datetime) -> ClockState:
    """The clock, running again from ``at``. Errors: NotPaused, WrongOrder."""
    at = to_shanghai(at)
    if not state.paused:
        raise NotPaused
    open_pause = state.pauses[-1]
    if at < open_pause.start:
        raise WrongOrder(what="恢复", other="暂停")
    closed = msgspec.structs.replace(open_pause, end=at)
    return msgspec.structs.replace(state, pauses=(*state.pauses[:-1], closed))


def extend(state: ClockState, at: datetime, approver: str, reason: str, calendar: WorkCalendar) -> ClockState:
    """The clock with its one extension (行政许可法第四十二条).

    ``approver`` names who approved (the term says who may; that is the caller's policy to check), ``reason`` is
    told to the applicant. Errors: Invalid without approver or reason, NotExtendable, AlreadyExtended,
    TooLateToExtend, WrongOrder.
    """
    at = to_shanghai(at)
    missing: dict[str, str] = {}
    if not approver.strip():
        missing["approver"] = f"请填写批准人（{state.term.extension_approver or '负责人'}）。"
    if not reason.strip():
        missing["reason"] = "请填写延长的理由，它会告知申请人。"
    if missing:
        raise Invalid(missing)
    if state.term.extension is None:
        raise NotExtendable
    if state.extended_by is not None:
        raise AlreadyExtended
    if at < state.started_at:
        raise WrongOrder(what="延长", other="开始计时")
    end = due(state, calendar, now=at)
    if isinstance(end, Deadline) and at > end.at:
        raise TooLateToExtend(due=end.date.isoformat())
    granted = Extension(state.term.extension, at, approver.strip(), reason.strip())
    return msgspec.structs.replace(state, extended_by=granted)


# --- reading a clock --------------------------------------------------------------------------------------


def due(state: ClockState, calendar: WorkCalendar, now: datetime | None = None) -> Deadline | Unknown:
    """When the term of the law ends (法定时限).

    While the clock stands still there is no end; with ``now`` the answer is the earliest possible one, as if
    it resumed now, marked provisional.
    """
    return _end(state, state.term.duration, calendar, now)


def promise_due(
    state: ClockState, calendar: WorkCalendar, now: datetime | None = None
) -> Deadline | Unknown | None:
    """When the city's promise ends (承诺时限); None when it promised nothing beyond the law."""
    promise = state.term.promise
    return None if promise is None else _end(state, promise, calendar, now)


def used(state: ClockState, now: datetime, calendar: WorkCalendar) -> Amount | Unknown:
    """How much of the term has been used, without the time in which the clock stood still."""
    now = to_shanghai(now)
    try:
        ran = _running_time(state, now, state.term.duration, calendar)
        return _amount(ran, _counting_unit(state.term.duration.unit))
    except UnknownYear as unknown:
        return _unknown(unknown, now.date())


def left(state: ClockState, now: datetime, calendar: WorkCalendar) -> Amount | Unknown:
    """How much of the statutory term is left; 0 on the last day, negative when overdue."""
    end = due(state, calendar, now)
    return end if isinstance(end, Unknown) else _left_until(end, now, state.term.duration, calendar)


def promise_left(state: ClockState, now: datetime, calendar: WorkCalendar) -> Amount | Unknown | None:
    """How much of the promised term is left; None when nothing was promised."""
    end = promise_due(state, calendar, now)
    if state.term.promise is None or end is None or isinstance(end, Unknown):
        return end if isinstance(end, Unknown) else None
    return _left_until(end, now, state.term.promise, calendar)


def level(state: ClockState, now: datetime, calendar: WorkCalendar) -> Level | Unknown:
    """The colour of the clock: warnings follow the promise, a breach of law the statute.

    Yellow when at most 20 % of the term or one workday is left (hour terms: 20 % only). A statute that ends in
    an unpublished year is certainly not past while the published year lasts, so the promise still gives a colour.
    """
    now = to_shanghai(now)
    statute = due(state, calendar, now)
    if isinstance(statute, Deadline) and now > statute.at:
        return Level.BLACK
    if isinstance(statute, Unknown) and now.date() >= statute.not_before:
        return statute
    promise = promise_due(state, calendar, now)
    guide = statute if promise is None else promise
    if isinstance(guide, Unknown):
        return guide
    if now > guide.at:
        return Level.RED
    duration = state.term.promise or state.term.duration
    return Level.YELLOW if _is_near(state, guide, duration, now, calendar) else Level.GREEN


def _is_near(
    state: ClockState, end: Deadline, duration: Duration, now: datetime, calendar: WorkCalendar
) -> bool:
    unit = _counting_unit(duration.unit)
    remaining = _elapsed(now, end.at, unit, calendar)
    # The clock runs on from now to the end, so the whole term is what ran plus what remains.
    whole = _running_time(state, now, duration, calendar) + remaining
    if remaining * 5 <= whole:
        return True
    return unit in _DAY_UNITS and calendar.count_workdays(now.date(), end.date) <= 1


# --- the arithmetic: whole days for day terms, seconds for hour terms --------------------------------------

_DAY_UNITS = (Unit.WORKDAY, Unit.CALENDAR_DAY)


def _counting_unit(unit: Unit) -> Unit:
    return Unit.CALENDAR_DAY if unit in (Unit.MONTH, Unit.YEAR) else unit


def _amount(ticks: int, unit: Unit) -> Amount:
    return Amount(ticks if unit in _DAY_UNITS else ticks // 3600, unit)


def _left_until(end: Deadline, now: datetime, duration: Duration, calendar: WorkCalendar) -> Amount | Unknown:
    now, unit = to_shanghai(now), _counting_unit(duration.unit)
    try:
        if now <= end.at:
            return _amount(_elapsed(now, end.at, unit, calendar), unit)
        return _amount(-_elapsed(end.at, now, unit, calendar), unit)
    except UnknownYear as unknown:
        return _unknown(unknown, now.date())


def _elapsed(after: datetime, until: datetime, unit: Unit, calendar: WorkCalendar) -> int:
    """Time between two instants without regard to pauses; the first day is not counted."""
    match unit:
        case Unit.HOUR:
            return int((until - after).total_seconds())
        case Unit.WORK_HOUR:
            return int(calendar.working_time(after, until).total_seconds())
        case Unit.WORKDAY:
            return calendar.count_workdays(after.date(), until.date())
        case _:
            return max((until.date() - after.date()).days, 0)


def _running_time(state: ClockState, now: datetime, duration: Duration, calendar: WorkCalendar) -> int:
    """Time in which the clock ran, from its start up to ``now``."""
    unit = _counting_unit(duration.unit)
    state = _effective(state, duration, calendar)
    if unit in _DAY_UNITS:
        received = _received(state, unit, calendar)
        if unit is Unit.WORKDAY:
            ran = calendar.count_workdays(received, now.date())
        else:
            ran = max((now.date() - received).days, 0)
    else:
        ran = _elapsed(state.started_at, now, unit, calendar)
    for stop in state.pauses:
        if stop.start < now:
            ran -= _stood_still(stop, state, min(stop.end or now, now), unit, calendar)
    return max(ran, 0)


def _end(
    state: ClockState, duration: Duration, calendar: WorkCalendar, now: datetime | None
) -> Deadline | Unknown:
    state = _effective(state, duration, calendar)
    if state.paused and now is None:
        stop = state.pauses[-1]
        return Unknown(
            f"计时因{stop.reason.word}暂停，恢复后才能算出到期日。", "请在恢复计时后再看。", stop.start.date()
        )
    present = None if now is None else to_shanghai(now)
    if duration.unit in (Unit.HOUR, Unit.WORK_HOUR):
        try:
            moment = _end_in_hours(state, duration, calendar, present)
        except UnknownYear as unknown:
            return _unknown(unknown, state.started_at.date())
        return Deadline(moment.date(), moment, state.paused)
    day = state.started_at.date()
    try:
        day = _end_in_days(state, duration, calendar, present)
        day = calendar.roll(day)
    except UnknownYear as unknown:
        return _unknown(unknown, day)
    return Deadline(day, calendar.close_of(day), state.paused)


def _effective(state: ClockState, duration: Duration, calendar: WorkCalendar) -> ClockState:
    """The clock without the pauses that began after the term had run out: nothing was left to stop."""
    if not state.pauses:
        return state
    kept = msgspec.structs.replace(state, pauses=())
    for stop in state.pauses:
        end = _end(kept, duration, calendar, None)
        if isinstance(end, Deadline) and stop.start > end.at:
            break
        kept = msgspec.structs.replace(kept, pauses=(*kept.pauses, stop))
    return kept


def _unknown(unknown: UnknownYear, reached: date) -> Unknown:
    # Counting ran into the unknown year, so the end lies in it or later.
    return Unknown(unknown.message, unknown.fix or "", max(reached, date(unknown.year, 1, 1)))


def _end_in_hours(
    state: ClockState, duration: Duration, calendar: WorkCalendar, now: datetime | None
) -> datetime:
    end = _later(state.started_at, duration, duration.unit, calendar)
    if state.extended_by is not None:
        end = _later(end, state.extended_by.duration, duration.unit, calendar)
    for stop in state.pauses:
        until = stop.end or now
        if until is not None:
            stood = timedelta(seconds=_stood_still(stop, state, until, duration.unit, calendar))
            end = end + stood if duration.unit is Unit.HOUR else calendar.add_working_time(end, stood)
    return end


def _later(moment: datetime, length: Duration, running: Unit, calendar: WorkCalendar) -> datetime:
    """An instant moved by a length; a length in days keeps the time of day, on a workday for working hours."""
    if length.unit is Unit.HOUR:
        return moment + timedelta(hours=length.n)
    if length.unit is Unit.WORK_HOUR:
        return calendar.add_working_time(moment, timedelta(hours=length.n))
    day = _advance(moment.date(), length, calendar)
    return datetime.combine(calendar.roll(day) if running is Unit.WORK_HOUR else day, moment.timetz())


def _end_in_days(state: ClockState, duration: Duration, calendar: WorkCalendar, now: datetime | None) -> date:
    """The last day of a term in days, months or years, before it rolls over a day off."""
    unit = _counting_unit(duration.unit)
    end = _advance(_received(state, unit, calendar), duration, calendar)
    if state.extended_by is not None:
        end = _advance(end, state.extended_by.duration, calendar)
    for stop in state.pauses:
        until = stop.end or now
        if until is None:
            continue
        if unit is not Unit.WORKDAY and stop.start.date() > end:
            end = calendar.roll(end)  # a term that ends on a day off still runs until the next workday
        stood = _stood_still(stop, state, until, unit, calendar)
        end = calendar.add_workdays(end, stood) if unit is Unit.WORKDAY else end + timedelta(days=stood)
    return end


def _advance(day: date, duration: Duration, calendar: WorkCalendar) -> date:
    match duration.unit:
        case Unit.WORKDAY:
            return calendar.add_workdays(day, duration.n)
        case Unit.CALENDAR_DAY:
            return day + timedelta(days=duration.n)
        case Unit.MONTH:
            return add_months(day, duration.n)
        case Unit.YEAR:
            return add_months(day, 12 * duration.n)
        case Unit.HOUR:  # an extension in hours of a promise in days: begun days count as whole ones
            return day + timedelta(days=-(-duration.n // 24))
        case Unit.WORK_HOUR:
            return calendar.add_workdays(day, -(-timedelta(hours=duration.n) // calendar.day_length))


def _received(state: ClockState, unit: Unit, calendar: WorkCalendar) -> date:
    # Closing time decides the day of receipt only for terms in workdays; a month from a birth runs from the birth.
    return _counted_day(state.started_at, unit, calendar)


def _counted_day(at: datetime, unit: Unit, calendar: WorkCalendar) -> date:
    return calendar.receipt_day(at) if unit is Unit.WORKDAY else at.date()


def _stopped_day(stop: Pause, state: ClockState, unit: Unit, calendar: WorkCalendar) -> date:
    # A pause cannot take away days that had not begun to count: before receipt, or before the last resumption.
    day = max(stop.start.date(), _received(state, unit, calendar))
    for earlier in state.pauses:
        if earlier is stop or earlier.end is None:
            break
        day = max(day, _counted_day(earlier.end, unit, calendar))
    return day


def _stood_still(stop: Pause, state: ClockState, until: datetime, unit: Unit, calendar: WorkCalendar) -> int:
    """Time that a pause took out of the term, up to ``until``: days after the stop, up to the resumption."""
    if unit in (Unit.HOUR, Unit.WORK_HOUR):
        return _elapsed(stop.start, until, unit, calendar)
    first, last = _stopped_day(stop, state, unit, calendar), _counted_day(until, unit, calendar)
    if unit is Unit.WORKDAY:
        return calendar.count_workdays(first, last)
    return max((last - first).days, 0)
