"""A subscription as a stream of server-sent events: from where the consumer stands, until its right, key or patience ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from dizuo.engines.exchange.delivery import subscribe
from dizuo.engines.exchange.delivery.subscribe_errors import (
    SAYS,
    DeliveryRefused,
    FeedPositionInvalid,
    StreamsBusy,
)
from dizuo.engines.exchange.delivery.subscribe_events import position_of, server_sent, signed_event
from dizuo.engines.exchange.delivery.subscribe_model import Subscription
from dizuo.foundation.signing import PrivateKey
from dizuo.foundation.store import Pool

STOPPED: Final = "dizuo.feed.stopped"
LOOK: Final = 0.5
"""Seconds between two looks at an idle stream: so long an ended right or key may still be connected, and gets nothing."""
PING: Final = 15.0
LONGEST: Final = 3600.0
"""Seconds after which a stream ends by itself; the consumer connects again with a fresh signature."""
AT_ONCE: Final = 64
OF_ONE: Final = 8
_MOST: Final = 100
_encode = msgspec.json.Encoder().encode


class Streams:
    """The open streams of one process, counted, so that nobody takes all places."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def enter(self, consumer: str) -> None:
        """Take a place. Errors: StreamsBusy."""
        if self._open.total() >= AT_ONCE or self._open[consumer] >= OF_ONE:
            raise StreamsBusy(10)
        self._open[consumer] += 1

    def leave(self, consumer: str) -> None:
        """Give the place back."""
        self._open[consumer] -= 1
        if not self._open[consumer]:
            del self._open[consumer]


async def begin(pool: Pool, owner: Subscription, last: str) -> int:
    """The position that a stream starts behind; ``last`` is the consumer's Last-Event-ID, its acknowledgement, or ''.

    One that lies before what was acknowledged is a replay. Errors: FeedPositionInvalid, SubscriptionUnknown.
    """
    if not last:
        return owner.position
    position = position_of(owner.id, last)
    if position is None:
        raise FeedPositionInvalid(why="Last-Event-ID 不是这个订阅的事件")
    if position < owner.position:
        return (await subscribe.replay(pool, owner.consumer, owner.id, position)).position
    if position > owner.position and not await subscribe.acknowledge(pool, owner.id, None, position):
        now = await subscribe.subscription(pool, owner.consumer, owner.id)
        if position > now.position:
            raise FeedPositionInvalid(why="Last-Event-ID 比交付过的还靠后")
    return position


async def stream(
    pool: Pool, owner: Subscription, city: str, key: Callable[[], PrivateKey], opened_with: str, after: int
) -> AsyncIterator[bytes]:
    """Bytes of a text/event-stream behind ``after``; each event entered before it is here, and signed.

    ``opened_with`` is the caller's keyid: once it is revoked the stream ends. The end is told by an event without id.
    """
    started = spoke = time.monotonic()
    try:
        yield b"retry: 2000\n\n"
        while time.monotonic() - started < LONGEST:
            events = await subscribe.release(pool, owner.id, after, _MOST)
            for event in events:
                after = event.position
                yield server_sent(owner, city, event, key())
            spoke = time.monotonic() if events else spoke
            if await subscribe.waiting(pool, owner.id, after, opened_with):
                entered = await subscribe.enter(pool, owner.id, None, _MOST)
                if not entered.events:  # nothing for this consumer up to there
                    after = max(after, entered.to)
                if entered.events or entered.more:
                    continue
            await asyncio.sleep(LOOK)
            if time.monotonic() - spoke > PING:
                spoke = time.monotonic()
                yield b": \n\n"
    except DeliveryRefused as refused:
        told = {"reason": refused.reason, "says": SAYS.get(refused.reason, refused.reason)}
        yield signed_event(key(), "", STOPPED, _encode(told))
