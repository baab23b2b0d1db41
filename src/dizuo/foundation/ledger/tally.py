"""Counting what is new: whether a person's list is whole, and its kinds of use, from where the last count ended.

A count is kept in the memory of a process for whoever has a long list. Entries that came since are counted on top at
every look, and once a minute it is seen whether everything counted is still there. A kept count that does not fit any more
(an entry is gone, one came late, numbers were forgotten) is thrown away and everything counted anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from dizuo.foundation.ledger.complete import Counted, key_after, tag_of
from dizuo.foundation.ledger.uses import Use
from dizuo.foundation.store.connection import Connection, Row
from dizuo.foundation.store.queries import Queries

LONG: Final = 64
"""Entries from which a count is kept: a shorter list is counted in a moment."""
MOST: Final = 400_000
"""Entries whose numbers one process keeps, about 100 bytes each; the counts that were not asked for longest go first."""
SURE_FOR: Final = 60.0
"""Seconds for which what was seen is taken to be still there: seeing it again takes time with the length of the list."""
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_Kind = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Whether the list is whole, its kinds of use (the latest first), and how many entries are under a closed seal."""

    whole: Counted
    uses: tuple[Use, ...]
    sealed: int


@dataclass(slots=True)
class _Kept:
    """What was counted up to the entry ``upto``; ``open`` are numbers whose entry was not seen yet, by their tag."""

    first: int = 0
    first_key: bytes = b""
    next: int = 0
    next_key: bytes = b""
    upto: int = 0
    held: int = 0
    older: int = 0
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    open: dict[bytes, int] = field(default_factory=dict[bytes, int])
    uses: dict[_Kind, Use] = field(default_factory=dict[_Kind, Use])
    seals: list[int] = field(default_factory=list[int])
    seen: float = 0.0

    def fits(self, row: Row) -> bool:
        """Whether everything counted is still there, under the same numbers."""
        return (
            row["held"] in (None, self.held)
            and (row["first"] or 0) == self.first
            and (row["first_key"] or b"") == self.first_key
            and (row["last"] or 0) + 1 >= self.next
        )

    def begin(self, row: Row) -> None:
        self.first, self.first_key = row["first"] or 0, row["first_key"] or b""
        self.next, self.next_key = self.first, self.first_key

    def add(self, row: Row) -> tuple[int, int]:
        """Count new entries: (how many wait for a place, how many among those not settled are of the first version).

        Settled is what comes before the first that waits: only what is settled need not be read again.
        """
        while self.first and self.next <= row["last"]:
            self.open[tag_of(self.next_key)] = self.next
            self.next, self.next_key = self.next + 1, key_after(self.next_key)
        ids, placed = row["ids"], row["placed"]
        settled = placed.index(False) if False in placed else len(ids)
        late = 0
        for position, (entry, tag) in enumerate(zip(ids, row["tags"], strict=True)):
            if tag is not None:
                if (number := self.open.pop(tag, None)) is not None:
                    self.numbers[entry] = number
            elif placed[position]:
                if position < settled:
                    self.older += 1
                else:
                    late += 1
        if settled:
            self.upto, self.held = ids[settled - 1], self.held + settled
            self.seals += [one for one in row["seals"] if one <= self.upto]
        return placed.count(False), late

    def told(self, uses: Iterable[Row]) -> tuple[Use, ...]:
        """Add settled kinds of use to the kept ones; returns all, with those of entries that are not settled."""
        fresh: dict[_Kind, Use] = {}
        for row in uses:
            *values, settled = row.values()
            use = Use(*values)
            kind = (use.unit, use.actor, use.purpose)
            if settled:
                self.uses[kind] = _together(self.uses.get(kind), use)
            else:
                fresh[kind] = use
        everything = self.uses | {kind: _together(self.uses.get(kind), use) for kind, use in fresh.items()}
        return tuple(sorted(everything.values(), key=lambda use: (use.last_at, use.first), reverse=True))


class Tallies:
    """The counts of long lists that one process keeps. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._size = 0
        self._clock = clock
        self._looking: dict[int, asyncio.Lock] = {}

    async def of(self, connection: Connection, subject: int) -> Tally:
        """The list of one person as it is now. The caller enters this reading in the ledger as well."""
        # Two looks of one person at once: the second goes on from the first.
        lock = self._looking.setdefault(subject, asyncio.Lock())
        try:
            async with lock:
                return await self._of(connection, subject)
        finally:
            if not lock.locked():
                self._looking.pop(subject, None)

    async def _of(self, connection: Connection, subject: int) -> Tally:
        now = self._clock()
        kept = self._take(subject)
        if kept is not None and (tally := await _count(connection, subject, kept, now)) is not None:
            self._keep(subject, kept)
            return tally
        kept = _Kept()
        tally = await _count(connection, subject, kept, now)
        assert tally is not None, "a count from the beginning always fits"
        # A list of which something was erased or is missing is looked through every time.
        if tally.whole.whole and not tally.whole.erased:
            self._keep(subject, kept)
        return tally

    def _take(self, subject: int) -> _Kept | None:
        kept = self._kept.pop(subject, None)
        if kept is not None:
            self._size -= len(kept.numbers)
        return kept

    def _keep(self, subject: int, kept: _Kept) -> None:
        self._take(subject)
        if len(kept.numbers) < LONG:
            return
        self._kept[subject] = kept
        self._size += len(kept.numbers)
        while self._size > MOST:
            self._size -= len(self._kept.popitem(last=False)[1].numbers)


async def counted(connection: Connection, subject: int) -> Counted:
    """Whether every number of a person has its entry, computed from the person's own key; nothing is kept."""
    return (await Tallies().of(connection, subject)).whole


async def _count(connection: Connection, subject: int, kept: _Kept, now: float) -> Tally | None:
    """Count on from what is kept; None when that does not fit any more."""
    anew = not kept.upto
    again = anew or now - kept.seen > SURE_FOR
    row = await connection.fetchrow(_QUERIES["tally"], subject, kept.upto, kept.seals, again)
    assert row is not None, "a tally is one row"
    if again:
        kept.seen = now
    if anew:
        kept.begin(row)
    elif not kept.fits(row):
        return None
    after = kept.upto
    waiting, late = kept.add(row)
    lacking = dict(kept.open)
    later = row["placed"].count(True) - sum(one <= kept.upto for one in row["ids"])
    if not anew and (lacking or len(kept.numbers) + kept.older + late != kept.held + later):
        return None
    gone: set[bytes] = (
        {one["tag"] for one in await connection.fetch(_QUERIES["erased_places"], list(lacking))}
        if lacking
        else set()
    )
    uses = (
        kept.told(await connection.fetch(_QUERIES["uses_of"], subject, after, kept.upto))
        if row["ids"]
        else kept.told(())
    )
    whole = Counted(
        first=kept.first if row["last"] else 0,
        last=row["last"] or 0,
        numbers=kept.numbers,
        erased=tuple(sorted(number for tag, number in lacking.items() if tag in gone)),
        missing=tuple(sorted(number for tag, number in lacking.items() if tag not in gone)),
        waiting=waiting,
        older=kept.older + late,
    )
    return Tally(whole, uses, row["closed"])


def _together(old: Use | None, new: Use) -> Use:
    if old is None:
        return new
    return Use(
        new.unit, new.actor, new.purpose, min(old.first, new.first), min(old.first_at, new.first_at),
        max(old.last_at, new.last_at), old.count + new.count,
    )  # fmt: skip
