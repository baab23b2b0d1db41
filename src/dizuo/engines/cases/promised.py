"""When each item is promised and when the law wants it, along the graph of waiting items (关键路径)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.foundation.kernel.calendar import UnknownYear, WorkCalendar
from dizuo.foundation.kernel.clocks import Deadline, Term, Unit, Unknown, due, promise_due, start

Ends = tuple[Deadline | Unknown, Deadline | Unknown]
"""(statute, promise) of one item."""

_HOURS = (Unit.HOUR, Unit.WORK_HOUR)
_ENDS: dict[tuple[CompiledMatter, str, WorkCalendar, date, date], Ends] = {}
_KEPT = 4_000


def item_ends(
    matter: CompiledMatter, running: Collection[str], now: datetime, calendar: WorkCalendar
) -> Mapping[str, Ends]:
    """The ends of every item in ``running``; an item's clock starts when those it waits for are promised.

    An unknown calendar year makes every later end unknown too.
    """
    ends: dict[str, Ends] = {}
    for item_id in matter.order:
        if item_id not in running:
            continue
        begin: datetime | Unknown = now
        for before in matter.items[item_id].after:
            if before not in ends:
                continue
            end = ends[before][1]
            if isinstance(end, Unknown):
                begin = end
                break
            begin = max(begin, end.at)
        ends[item_id] = (
            (begin, begin) if isinstance(begin, Unknown) else _ends(matter, item_id, begin, calendar)
        )
    return ends


def _ends(matter: CompiledMatter, item_id: str, begin: datetime, calendar: WorkCalendar) -> Ends:
    term = matter.terms[item_id]
    statute, promise = _counted(matter, item_id, begin, calendar)
    if (
        term.promise is not None
        and term.promise.n == 0
        and isinstance(promise, Deadline)
        and promise.date == begin.date()
    ):
        # 当场 means now, not at closing time: what waits for it need not wait for the evening.
        promise = Deadline(begin.date(), begin, promise.provisional)
    return statute, promise


def _counted(matter: CompiledMatter, item_id: str, begin: datetime, calendar: WorkCalendar) -> Ends:
    """Both ends of a fresh clock. A term in days is the same for everybody received on that day, so it is kept."""
    term = matter.terms[item_id]
    if term.duration.unit in _HOURS or (term.promise is not None and term.promise.unit in _HOURS):
        return _count(term, begin, calendar)
    try:
        key = (matter, item_id, calendar, begin.date(), calendar.receipt_day(begin))
    except UnknownYear:
        return _count(term, begin, calendar)
    found = _ENDS.get(key)
    if found is None:
        if len(_ENDS) >= _KEPT:
            _ENDS.clear()
        found = _ENDS[key] = _count(term, begin, calendar)
    return found


def _count(term: Term, begin: datetime, calendar: WorkCalendar) -> Ends:
    state = start(term, begin)
    statute = due(state, calendar)
    promise = promise_due(state, calendar)
    return statute, statute if promise is None else promise


def latest(ends: Mapping[str, Ends]) -> Deadline | Unknown | None:
    """The promise for the whole application: the last of its items', or Unknown when any is."""
    last: Deadline | None = None
    for _, promise in ends.values():
        if isinstance(promise, Unknown):
            return promise
        if last is None or promise.at > last.at:
            last = promise
    return last
