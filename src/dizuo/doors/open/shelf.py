"""All published datasets, kept for a few seconds, so that a list and its facets cost no query; and the words for misspellings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dizuo.engines.opendata import DatasetSeen, Speller, datasets, machine_state, speller
from dizuo.web import WebRequest

_KEPT: Final = 5.0
"""Seconds after which it is asked whether anything was published, changed or taken offline."""
_WHOLE: Final = 60.0
"""Seconds after which everything is read again all the same: thousands of datasets cost a process tens of milliseconds."""
FACETS: Final = ("theme", "provider", "open_type", "cycle", "format")


class Chosen(msgspec.Struct, frozen=True):
    """What a reader asked for: words, one value of each facet, an order, a page."""

    q: str = ""
    facets: Mapping[str, str] = {}
    sort: str = ""
    page: int = 1


class Shelf:
    """What is published, as of a few seconds ago."""

    def __init__(self) -> None:
        self._at = self._read = -1e9
        self._state: object = None
        self._all: tuple[DatasetSeen, ...] = ()
        self._speller: Speller | None = None

    async def all(self, request: WebRequest) -> tuple[DatasetSeen, ...]:
        """Every published dataset, by id. Errors: the pool's."""
        now = time.monotonic()
        if now - self._at > _KEPT:
            state = await machine_state(request.dizuo.pool)
            if state != self._state or now - self._read > _WHOLE:
                shown = await datasets(request.dizuo.pool)
                self._all = tuple(one for one in shown if one.open_type != "closed")
                self._read, self._state, self._speller = now, state, None
            self._at = now
        return self._all

    async def speller(self, request: WebRequest) -> Speller:
        """The known words. Errors: the pool's."""
        if self._speller is None:
            self._speller = await speller(request.dizuo.pool)
        return self._speller


def shelf_of(request: WebRequest) -> Shelf:
    """This process's shelf."""
    state = request.app.state
    if not hasattr(state, "open_shelf"):
        state.open_shelf = Shelf()
    return state.open_shelf


def values_of(one: DatasetSeen, facet: str) -> tuple[str, ...]:
    """The values of a facet that a dataset has."""
    return one.formats if facet == "format" else (str(getattr(one, facet)),)


def fits(one: DatasetSeen, chosen: Mapping[str, str], without: str = "") -> bool:
    """Whether a dataset has every chosen value, but for one facet."""
    return all(value in values_of(one, name) for name, value in chosen.items() if name != without)


def counted(some: Sequence[DatasetSeen], chosen: Mapping[str, str], facet: str) -> list[tuple[str, int]]:
    """How many datasets have each value of a facet, given the other facets; most frequent first."""
    counts: dict[str, int] = {}
    for one in some:
        if fits(one, chosen, facet):
            for value in values_of(one, facet):
                counts[value] = counts.get(value, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
