"""The count of a long list, kept for a moment: whoever has thousands of entries need not have them all counted at every look."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dizuo.engines.cases import Cases
from dizuo.foundation.ledger import Counted, Use

LONG: Final = 500
"""Entries from which a list is long: shorter ones, which is nearly everybody's, are counted at every look."""
_KEPT: Final = dt.timedelta(seconds=30)
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Count:
    """Whether the list is whole, which kinds of use there are, how many of the latest entries are sealed."""

    whole: Counted
    uses: Sequence[Use]
    sealed: int


class CountedLately:
    """The last counts of long lists, by installation and person; at most half a minute old, the oldest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], tuple[dt.datetime, Count]] = OrderedDict()

    def get(self, cases: Cases, origin: str, subject: int) -> Count | None:
        kept = self._kept.get((origin, subject))
        if kept is None or not dt.timedelta(0) <= cases.now() - kept[0] < _KEPT:
            return None
        return kept[1]

    def keep(self, cases: Cases, origin: str, subject: int, count: Count) -> None:
        if len(count.whole.numbers) < LONG:
            return
        self._kept.pop((origin, subject), None)
        self._kept[origin, subject] = (cases.now(), count)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
