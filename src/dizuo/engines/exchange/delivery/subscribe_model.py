"""Subscriptions and their events as facts: frozen, no I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Channel = Literal["webhook", "stream"]
EventKind = Literal["new", "changed", "rekeyed", "snapshot", "gap"]
CIRCUIT_OPENS: int = 5
"""After so many failures in a row the circuit is open: one attempt now and then, until one succeeds."""


class Subscription(msgspec.Struct, frozen=True):
    """One consumer's place in the changes of one register.

    ``position``: up to there it has everything. ``channel`` webhook is pushed to ``target`` in batches of at most ``batch``;
    stream is fetched. ``why`` says why it ended or rests; ``failures`` counts attempts in a row without success.
    """

    id: int
    grant: int
    consumer: str
    resource: str
    register: str
    channel: Channel
    target: str
    batch: int
    position: int
    state: Literal["open", "paused", "ended"]
    why: str
    failures: int
    last_error: str
    retry_at: dt.datetime | None
    delivered: int
    delivered_at: dt.datetime | None
    opened_at: dt.datetime

    @property
    def circuit(self) -> Literal["closed", "failing", "open"]:
        """Whether deliveries go through (closed), were refused lately (failing), or are only tried (open)."""
        if not self.failures:
            return "closed"
        return "open" if self.failures >= CIRCUIT_OPENS else "failing"


class FeedEvent(msgspec.Struct, frozen=True):
    """One change as one consumer may see it.

    ``values`` are those of exactly ``fields``, of version ``version`` of record ``ref``; None when there are none to tell: the
    register was loaded anew (snapshot), changes between were not kept (gap), or that version does not exist any more.
    """

    position: int
    kind: EventKind
    ref: int | None
    version: int | None
    fields: tuple[str, ...]
    at: dt.datetime
    values: Mapping[str, Any] | None


class Entered(msgspec.Struct, frozen=True):
    """What the ledger has been told: events behind ``after`` up to ``to`` may be released; ``more`` may wait behind.

    ``events`` is how many were entered this time.
    """

    after: int
    to: int
    more: bool = False
    events: int = 0
