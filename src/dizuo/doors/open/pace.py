"""So many questions a minute from one address, counted in this process: a scraper is told to wait before anything is read.

A refusal costs two dictionary look-ups. Addresses are kept only while they count, in memory, and written nowhere.
"""

from __future__ import annotations

import time
from typing import Final

from dizuo.engines.opendata import TooFast
from dizuo.web import WebRequest

PER_MINUTE: Final = 600
BURST: Final = 240
_MOST_KNOWN: Final = 20_000


class Pace:
    """A bucket of questions for each address: ``BURST`` at once, refilled evenly."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, address: str, now: float) -> bool:
        """Whether one more question may be asked. ``now`` in seconds of a clock that never goes back."""
        left, at = self._buckets.get(address, (float(BURST), now))
        left = min(float(BURST), left + (now - at) * PER_MINUTE / 60)
        allowed = left >= 1
        if address not in self._buckets and len(self._buckets) >= _MOST_KNOWN:
            self._forget(now)
        self._buckets[address] = (left - 1 if allowed else left, now)
        return allowed

    def _forget(self, now: float) -> None:
        """Addresses whose bucket is full again are as good as unknown; if all are busy, everybody starts anew."""
        full = BURST / (PER_MINUTE / 60)
        self._buckets = {a: b for a, b in self._buckets.items() if now - b[1] < full}
        if len(self._buckets) >= _MOST_KNOWN:
            self._buckets.clear()


def keep_pace(request: WebRequest) -> None:
    """Errors: TooFast for an address that asks too much."""
    state = request.app.state
    if not hasattr(state, "open_pace"):
        state.open_pace = Pace()
    address = request.client.host if request.client else ""
    if not state.open_pace.take(address, time.monotonic()):
        raise TooFast()
