"""When each item is promised and when the law wants it, along the graph of waiting items (关键路径)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clocks import ClockState, Deadline, Unknown, due, promise_due, start

Ends = tuple[Deadline | Unknown, Deadline | Unknown]
"""(statute, promise) of one item."""


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
    state: ClockState = start(matter.terms[item_id], begin)
    statute = due(state, calendar)
    promise = promise_due(state, calendar)
    if promise is None:
        return statute, statute
    if (
        state.term.promise is not None
        and state.term.promise.n == 0
        and isinstance(promise, Deadline)
        and promise.date == begin.date()
    ):
        # 当场 means now, not at closing time: what waits for it need not wait for the evening.
        promise = Deadline(begin.date(), begin, promise.provisional)
    return statute, promise


def latest(ends: Mapping[str, Ends]) -> Deadline | Unknown | None:
    """The promise for the whole application: the last of its items', or Unknown when any is."""
    last: Deadline | None = None
    for _, promise in ends.values():
        if isinstance(promise, Unknown):
            return promise
        if last is None or promise.at > last.at:
            last = promise
    return last
