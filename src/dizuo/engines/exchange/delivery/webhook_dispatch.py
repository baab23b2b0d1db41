"""The dispatcher: brings every pushed subscription what waits for it. A dead consumer costs the others nothing.

Each subscription has its own cursor, its own lease and its own pause. Those that failed lately share a quarter of the
places, so that a hundred dead addresses, each holding its place until it times out, leave three quarters to the living. Any
number of dispatchers may run; one that is killed leaves its leases behind, and the next takes them when they have run out.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, Literal

import asyncpg

from dizuo.engines.exchange.delivery import subscribe
from dizuo.engines.exchange.delivery.subscribe_errors import DeliveryRefused
from dizuo.engines.exchange.delivery.subscribe_events import webhook_body
from dizuo.engines.exchange.delivery.subscribe_model import CIRCUIT_OPENS, FeedEvent, Subscription
from dizuo.engines.exchange.delivery.webhook_send import Outcome, WebhookSender
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.signing import Algorithm
from dizuo.foundation.store import CONNECTION_LOST, Pool

Moment = Literal["claimed", "entered", "released", "sent", "acknowledged"]
Hook = Callable[[Moment], Awaitable[None]]
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
"""Seconds between attempts at a consumer that does not answer: doubling from the first to the longest, each halved at random."""
AHEAD: Final = 20
"""Events that are entered and released together for a consumer that takes them singly."""
TURNS: Final = 50
"""Batches for one subscription before another has its turn."""
_log = logging.getLogger(__name__)


def pause(failures: int, chance: float) -> float:
    """Seconds to wait after the ``failures``-th failure in a row (from 1); ``chance`` in [0, 1) spreads half of it."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 20))
    return longest / 2 + longest / 2 * chance


class Dispatcher:
    """Pushes events. ``city`` is the id that sources bear; ``places`` is how many consumers are spoken to at once.

    ``lease`` in seconds must be longer than two pushes. ``hook`` is awaited at the named moments (fault injection).
    """

    def __init__(
        self,
        pool: Pool,
        sender: WebhookSender,
        now: Now,
        city: str,
        *,
        places: int = 32,
        interval: float = 0.5,
        lease: float = 60.0,
        hook: Hook | None = None,
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._now = now
        self._city = city
        self._places = places
        self._interval = interval
        self._lease = lease
        self._hook = hook
        self._me = uuid.uuid4()
        self._busy: dict[bool, set[asyncio.Task[None]]] = {False: set(), True: set()}
        self.sent = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set; pushes under way are finished first. A lost database is waited for."""
        try:
            while not stop.is_set():
                started = 0
                try:
                    started = await self._start()
                except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
                    _log.warning("deliveries wait for the database: %s", error)
                if not started:
                    try:
                        await asyncio.wait_for(stop.wait(), self._interval)
                    except TimeoutError:
                        continue
        finally:
            await self._settled()

    async def round(self) -> int:
        """One attempt at everything that is due, for tests and commands; returns how many subscriptions were claimed."""
        started = await self._start()
        await self._settled()
        return started

    async def _settled(self) -> None:
        while running := [*self._busy[False], *self._busy[True]]:
            await asyncio.gather(*running, return_exceptions=True)

    async def _start(self) -> int:
        """Claim as many as there are free places, the healthy first."""
        for_failing = max(1, self._places // 4)
        started = 0
        for failing, places in ((False, self._places - for_failing), (True, for_failing)):
            free = places - len(self._busy[failing])
            if free <= 0:
                continue
            now = self._now()
            until = now + timedelta(seconds=self._lease)
            for number in await subscribe.claim(self._pool, self._me, now, until, free, failing=failing):
                task = asyncio.create_task(self._guarded(number))
                self._busy[failing].add(task)
                task.add_done_callback(self._busy[failing].discard)
                started += 1
        return started

    async def _guarded(self, number: int) -> None:
        """One subscription's trouble stays its own; without a word the lease runs out and somebody tries again."""
        try:
            await self._deliver(number)
        except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
            _log.warning("subscription %s waits for the database: %s", number, type(error).__name__)
        except Exception as error:
            _log.error("subscription %s: %s", number, type(error).__name__)

    async def _deliver(self, number: int) -> None:
        await self._reach("claimed")
        owner = await subscribe.subscription_by_number(self._pool, number)
        if owner is None:
            return
        algorithm = await subscribe.algorithm_of(self._pool, owner.consumer)
        end = time.monotonic() + self._lease / 2
        failures, most = owner.failures, max(owner.batch, AHEAD if owner.batch == 1 else 1)
        for _ in range(TURNS):
            try:
                entered = await subscribe.enter(self._pool, number, self._me, most)
            except DeliveryRefused as refused:
                retry = self._now() + timedelta(seconds=30)
                await subscribe.let_go(self._pool, number, self._me, retry=retry)
                _log.info("subscription %s is not delivered: %s", number, refused.reason)
                return
            await self._reach("entered")
            if entered.to > entered.after:
                events = await subscribe.release(self._pool, number, entered.after, most)
                await self._reach("released")
                if not events:  # the right ended or changed a moment ago: the next turn sees it as it is
                    break
                outcome = await self._push(owner, events, entered.to, algorithm)
                if not outcome.ok:
                    await self._failed(number, owner.consumer, failures, outcome)
                    return
                failures = 0
            elif not entered.more:
                break
            if time.monotonic() > end:
                break
        await subscribe.let_go(self._pool, number, self._me)

    async def _push(
        self, owner: Subscription, events: Sequence[FeedEvent], upto: int, algorithm: Algorithm
    ) -> Outcome:
        """Send what was released, in one push or singly, and note each push that was taken; the first failure ends it."""
        pushes = [[event] for event in events] if owner.batch == 1 else [events]
        for n, some in enumerate(pushes, 1):
            if n > 1 and not await subscribe.may(self._pool, owner.grant):
                break  # the right ended between two of them: what is left in memory stays there
            outcome = await self._sender.send(owner.target, *webhook_body(owner, self._city, some), algorithm)
            await self._reach("sent")
            if not outcome.ok:
                return outcome
            taken = upto if n == len(pushes) else some[-1].position
            await subscribe.acknowledge(self._pool, owner.id, self._me, taken, len(some))
            self.sent += len(some)
            await self._reach("acknowledged")
        return Outcome(True)

    async def _failed(self, number: int, consumer: str, failures: int, outcome: Outcome) -> None:
        if outcome.gone:
            await subscribe.unsubscribe(self._pool, consumer, number, "gone")
            return
        wait = max(pause(failures + 1, random.random()), outcome.wait)  # noqa: S311 - spreading, not secrecy
        retry = self._now() + timedelta(seconds=wait)
        await subscribe.let_go(self._pool, number, self._me, error=outcome.error, retry=retry)
        if failures + 1 == CIRCUIT_OPENS:
            _log.warning("subscription %s of %s does not answer: %s", number, consumer, outcome.error)

    async def _reach(self, moment: Moment) -> None:
        if self._hook is not None:
            await self._hook(moment)
