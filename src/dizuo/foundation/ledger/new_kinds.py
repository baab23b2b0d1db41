"""New kinds of use (新的用法): noted behind the sealer, once, so that pointing one out on the front page counts no list."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Final

import asyncpg

from dizuo.foundation.store.connection import Pool
from dizuo.foundation.store.pool import CONNECTION_LOST
from dizuo.foundation.store.queries import Queries

PAUSE: Final = 2.0
"""Seconds between looks at what was sealed since."""
_MOST: Final = 20_000
_NONE_FOR: Final = 20.0
"""For so many seconds a process believes that nothing was new to a person; what is new is asked for every time."""
_PEOPLE: Final = 50_000
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


async def note_kinds(pool: Pool) -> int:
    """Note what kinds of use began among the leaves since the last time; returns how many leaves were looked at.

    ``pool`` signs in as dizuo_sealer. Several processes may do it: they take turns.
    """
    total = 0
    while done := int(await pool.fetchval(_QUERIES["note_kinds"], _MOST)):
        total += done
        if done < _MOST:
            break
    return total


async def note_by_the_clock(pool: Pool, stop: asyncio.Event) -> None:
    """Note new kinds of use until ``stop`` is set. A lost database is waited for."""
    while not stop.is_set():
        try:
            await note_kinds(pool)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            pass  # the sealer says so; what was not noted is noted next time
        try:
            await asyncio.wait_for(stop.wait(), PAUSE)
        except TimeoutError:
            continue


class NewKinds:
    """How many kinds of use are new to whoever opens the front page; one per process."""

    def __init__(self) -> None:
        self._none: OrderedDict[int, float] = OrderedDict()

    async def of(self, pool: Pool, subject: int) -> int:
        """How many began since the person last looked at their list; 0 before the first look and for who wants none."""
        now = time.monotonic()
        if now < self._none.get(subject, 0.0):
            return 0
        count = int(await pool.fetchval(_QUERIES["new_kinds"], subject))
        if not count:
            self._none[subject] = now + _NONE_FOR
            self._none.move_to_end(subject)
            while len(self._none) > _PEOPLE:
                self._none.popitem(last=False)
        return count
