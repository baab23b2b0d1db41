"""Calls that were not answered for a reason of ours, counted by resource: what the availability of an interface is measured by."""

from __future__ import annotations

from collections import Counter
from typing import Final

from dizuo.engines.exchange.delivery.keys import QUERIES
from dizuo.engines.exchange.delivery.later import WrittenLater
from dizuo.foundation.store import Pool

_KINDS: Final = 5000


class Failures:
    """Counts in the process, written a second later, or once the database is there again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._counts: Counter[tuple[str, str]] = Counter()
        self._written = WrittenLater(self.flush, lambda: bool(self._counts))

    def note(self, resource: str, why: str) -> None:
        """One call about this resource was not answered. What is no resource is not written."""
        if len(self._counts) < _KINDS:
            self._counts[resource[:100], why] += 1
        self._written.stir()

    async def flush(self) -> None:
        """Write what was counted, now. What cannot be written is counted on."""
        counts, self._counts = self._counts, Counter()
        while counts:
            (resource, why), times = counts.popitem()
            try:
                await self._pool.fetchval(QUERIES["note_availability"], resource, 0, times, 0, 0, why)
            except BaseException:
                counts[resource, why] = times
                self._counts.update(counts)
                raise

    async def close(self) -> None:
        """Write what is left, if that is possible."""
        await self._written.close()
