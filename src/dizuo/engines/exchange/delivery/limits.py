"""How often one key may call, and how refusals without an entry of their own still reach the ledger: counted, once a second.

Both live in the process: they protect it, not the daily limit of a grant, which the database keeps.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from dizuo.engines.exchange.delivery.errors import TooManyCalls
from dizuo.foundation.ledger import Entry

CALLS: Final = (2000.0, 4000.0)
"""Calls a second of one key in one process, and how many at once."""
REFUSALS: Final = (1.0, 30.0)
"""Refused calls a second that are looked into one by one and entered one by one, and how many at once. Beyond them a caller is
turned away for this and that alone costs nothing in the database."""
FLUSH_AFTER: Final = 1.0
_KINDS: Final = 2000


class Bucket:
    """A token bucket: ``rate`` a second, at most ``room`` saved up."""

    __slots__ = ("_at", "_left", "_rate", "_room")

    def __init__(self, rate: float, room: float, now: float) -> None:
        self._rate, self._room, self._left, self._at = rate, room, room, now

    def left(self, now: float) -> float:
        """What is there now, without taking."""
        return min(self._room, self._left + (now - self._at) * self._rate)

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take if there is enough."""
        self._left = self.left(now)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True


class Limits:
    """The buckets of every key of this process."""

    def __init__(self) -> None:
        self._calls: dict[str, Bucket] = {}
        self._refusals: dict[str, Bucket] = {}

    def admit(self, key: str, now: float) -> None:
        """Count one call of a key whose signature held. Errors: TooManyCalls."""
        if not self._bucket(self._calls, key, CALLS, now).take(now):
            raise TooManyCalls(1, why=f"每秒最多 {CALLS[0]:.0f} 次")
        if self._bucket(self._refusals, key, REFUSALS, now).left(now) < 1:
            raise TooManyCalls(5, why="被拒绝的调用太多，请先改正")

    def refused(self, key: str, now: float) -> None:
        """Count one refusal that cost an entry."""
        self._bucket(self._refusals, key, REFUSALS, now).take(now)

    @staticmethod
    def _bucket(kept: dict[str, Bucket], key: str, size: tuple[float, float], now: float) -> Bucket:
        bucket = kept.get(key)
        if bucket is None:
            # Only registered keys come here, so there are never more than there are keys.
            bucket = kept[key] = Bucket(*size, now)
        return bucket


class Tally:
    """Refusals in counts. ``enter`` writes the entries; what a killed process had not written yet is at most a second's."""

    def __init__(self, enter: Callable[[Sequence[Entry]], Awaitable[object]]) -> None:
        self._enter = enter
        self._counts: Counter[tuple[str, str]] = Counter()
        self._task: asyncio.Task[None] | None = None

    def note(self, code: str, consumer: str) -> None:
        """One refusal by its error code; ``consumer`` is empty while nobody is known."""
        if len(self._counts) < _KINDS:
            self._counts[code, consumer] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later())

    async def flush(self) -> None:
        """Enter what was counted, now. What cannot be entered is counted on."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        by_consumer: dict[str, dict[str, int]] = {}
        for (code, consumer), times in sorted(counts.items()):
            by_consumer.setdefault(consumer, {})[code] = times
        entries = [
            Entry(
                "exchange.turned_away",
                {"times": times, **({"actor": {"kind": "system", "unit": consumer}} if consumer else {})},
            )
            for consumer, times in by_consumer.items()
        ]
        try:
            await self._enter(entries)
        except Exception:
            self._counts.update(counts)
            raise

    async def _later(self) -> None:
        await asyncio.sleep(FLUSH_AFTER)
        await self.flush()
