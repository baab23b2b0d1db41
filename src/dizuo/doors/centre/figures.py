"""The figures of the page, kept for a few seconds for everybody."""

from __future__ import annotations

import datetime as dt

from dizuo.engines.cases import Cases, DepartmentWork, Figures, Urgent, figures

__all__ = ["KEPT", "Counting", "DepartmentWork", "Figures", "Urgent"]

KEPT = dt.timedelta(seconds=10)


class Counting:
    """Counts at most once in ten seconds, however many look."""

    def __init__(self) -> None:
        self._last: Figures | None = None

    async def figures(self, cases: Cases) -> Figures:
        """The figures, at most ten seconds old. Errors: the pool's."""
        last, now = self._last, cases.now()
        if last is None or not dt.timedelta(0) <= now - last.at < KEPT:
            last = self._last = await figures(cases)
        return last
