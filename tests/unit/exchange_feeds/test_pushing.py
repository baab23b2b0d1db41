"""Pushing: CloudEvents, signed, in order; an outage loses nothing, a dead consumer harms nobody."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from feed_consumer import Consumer

from dizuo.engines.exchange import delivery
from dizuo.engines.exchange.delivery import subscribe
from dizuo.engines.exchange.delivery.subscribe_events import BATCHED, STRUCTURED
from dizuo.engines.exchange.delivery.webhook_address import Addresses
from dizuo.engines.exchange.delivery.webhook_dispatch import LONGEST_PAUSE, Dispatcher, pause
from dizuo.engines.exchange.delivery.webhook_send import WebhookSender
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.signing import ED25519, SM2, PrivateKey, SignatureWrong, verify_request

KEY = PrivateKey.make("base-1")


@pytest.fixture
def clock():
    return FrozenNow(dt.datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI))


@pytest.fixture
async def dispatching(base, clock):
    """Makes a dispatcher that may speak to these consumers."""
    senders = []

    def make(*consumers, patience=5.0, **more):
        sender = WebhookSender(
            lambda _: KEY, Addresses([c.permitted for c in consumers]), clock, patience=patience
        )
        senders.append(sender)
        return Dispatcher(base.pool, sender, clock, "small", **more)

    yield make
    for sender in senders:
        await sender.close()


async def pushed(base, consumer, *, batch=100, fields=("name", "phone"), after=None):
    return await subscribe.subscribe(
        base.pool,
        "civil",
        await base.grant(fields=fields),
        "webhook",
        target=consumer.url,
        batch=batch,
        after=after,
    )


@pytest.fixture(autouse=True)
async def alone(base):
    """Subscriptions of earlier tests are over, so that a dispatcher sees this test's only."""
    async with base.pg() as owner:
        await owner.execute("UPDATE exchange.subscription SET state = 'ended'")


async def test_a_batch_is_signed_and_in_order(base, consumer, dispatching, clock):
    sub = await pushed(base, consumer)
    await base.people_in(7, phone="5")
    dispatcher = dispatching(consumer)
    await dispatcher.round()
    (push,) = consumer.pushes
    assert push.headers["content-type"] == BATCHED
    verified = verify_request(
        "POST", consumer.url, push.headers, push.body, lambda _: KEY.public, now=int(clock().timestamp())
    )
    assert verified.key.id == "base-1"
    with pytest.raises(SignatureWrong):
        verify_request(
            "POST", consumer.url, push.headers, push.body, lambda _: PrivateKey.make("base-1").public,
            now=int(clock().timestamp()),
        )  # fmt: skip
    positions = [int(event["sequence"]) for event in push.events]
    assert positions == sorted(positions)
    assert len(set(positions)) == 7
    assert (await subscribe.subscription(base.pool, "civil", sub.id)).delivered == 7
    await dispatcher.round()
    assert len(consumer.pushes) == 1  # nothing waits any more


async def test_a_push_is_signed_with_the_receivers_algorithm(base, consumer, clock):
    """A department whose newest key is SM2 reads SM2; when that key is stopped, what its other key says."""
    keys = {ED25519: KEY, SM2: PrivateKey.make("base-2", SM2)}
    day = dt.timedelta(days=1)
    now = dt.datetime.now(SHANGHAI)
    async with base.pg("dizuo_loader") as loader:
        made = [
            await delivery.add_signing_key(
                loader, "civil", PrivateKey.make("x", one).public, now - day, now + day, "t"
            )
            for one in (ED25519, SM2)
        ]
    await pushed(base, consumer)
    sender = WebhookSender(keys.__getitem__, Addresses([consumer.permitted]), clock)
    dispatcher = Dispatcher(base.pool, sender, clock, "small")
    for key, algorithm in zip(reversed(made), (SM2, ED25519), strict=True):
        await base.people_in(1, phone="6")
        await dispatcher.round()
        push = consumer.pushes[-1]
        verified = verify_request(
            "POST", consumer.url, push.headers, push.body, lambda _, a=algorithm: keys[a].public,
            now=int(clock().timestamp()),
        )  # fmt: skip
        assert verified.key.algorithm == algorithm
        assert ("sm3=" in push.headers["content-digest"]) is (algorithm == SM2)
        async with base.pg("dizuo_loader") as loader:
            await delivery.revoke_signing_key(loader, key, "t", "演示")
    assert await subscribe.algorithm_of(base.pool, "civil") == ED25519
    await sender.close()


async def test_one_event_is_a_structured_cloud_event(base, consumer, dispatching):
    sub = await pushed(base, consumer, batch=1)
    await base.people_in(2, phone="5")
    await dispatching(consumer).round()
    assert [push.headers["content-type"] for push in consumer.pushes] == [STRUCTURED] * 2
    event = consumer.events[0]
    assert event["specversion"] == "1.0"
    assert event["type"] == "dizuo.register.new"
    assert event["source"] == f"urn:dizuo:small:subscription:{sub.id}"
    assert event["id"] == f"{sub.id}-{int(event['sequence'])}"
    assert event["subject"] == f"person/#{event['data']['record']}"
    assert event["data"]["values"] == {"name": "演示1", "phone": "5"}
    assert dt.datetime.fromisoformat(event["time"]).tzinfo is not None
    # CloudEvents §3: names of attributes are lower-case letters and digits only
    assert all(name.isalnum() and name == name.lower() for name in event)


async def test_an_hours_outage_loses_nothing_and_keeps_the_order(base, consumer, dispatching, clock):
    await pushed(base, consumer, batch=3)
    dispatcher = dispatching(consumer)
    consumer.status = 503
    tries = made = 0
    end = clock() + dt.timedelta(hours=1)
    while clock() < end:
        if made < 10:
            await base.people_in(1)
            made += 1
        tries += await dispatcher.round()
        clock.advance(seconds=20)
    assert not consumer.pushes
    assert 10 < tries < 40  # pauses grow: it is not hammered for an hour
    (state,) = [s for s in await subscribe.subscriptions(base.pool, "civil") if s.state == "open"]
    assert state.circuit == "open"
    assert "503" in state.last_error
    consumer.status = 200
    clock.advance(seconds=LONGEST_PAUSE)
    while await dispatcher.round():
        pass
    assert len(consumer.ids) == len(set(consumer.ids)) == 10
    sequences = [event["sequence"] for event in consumer.events]
    assert sequences == sorted(sequences)
    (state,) = [s for s in await subscribe.subscriptions(base.pool, "civil") if s.state == "open"]
    assert state.circuit == "closed"
    assert len(await base.entries(subscription=state.id)) == 10  # tried often, entered once


async def test_a_dead_consumer_does_not_hold_up_the_living(base, dispatching, until):
    dead, living = Consumer(silent=True), Consumer()
    await dead.open()
    await living.open()
    try:
        for _ in range(3):
            await pushed(base, dead)
        await pushed(base, living, batch=1)
        await base.people_in(5)
        dispatcher = dispatching(dead, living, patience=2, interval=0.02)
        stop = asyncio.Event()
        running = asyncio.create_task(dispatcher.run(stop))
        await until(lambda: len(living.events) == 5)  # while three pushes hang
        assert not dead.pushes
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    finally:
        await dead.close()
        await living.close()


async def test_the_failing_have_a_quarter_of_the_places(base, consumer, dispatching):
    dead = Consumer(status=500)
    await dead.open()
    try:
        for _ in range(6):
            await pushed(base, dead)
        await pushed(base, consumer)
        await base.people_in(1)
        dispatcher = dispatching(dead, consumer, places=8)
        assert await dispatcher.round() == 6  # all are healthy so far: three quarters of eight places
        async with base.pg() as owner:
            await owner.execute("UPDATE exchange.subscription SET retry_at = NULL")
        assert await dispatcher.round() == 1 + 2
        assert len(consumer.events) == 1
    finally:
        await dead.close()


@pytest.mark.parametrize(("batch", "moment"), [(1, "sent"), (2, "acknowledged"), (2, "entered")])
async def test_revoked_in_the_middle_nothing_more_leaves(base, consumer, dispatching, batch, moment):
    sub = await pushed(base, consumer, batch=batch)
    await base.people_in(6)
    dispatcher = dispatching(consumer)
    left = [sub.grant]

    async def revoke(reached):
        if reached == moment and left:
            await base.change_grant(left.pop(), "state = 'revoked', ended_why = 'x'")

    dispatcher._hook = revoke
    await dispatcher.round()
    assert len(consumer.events) == (0 if moment == "entered" else batch)
    await dispatcher.round()  # entered and not released: the next look finds the right ended
    state = await subscribe.subscription(base.pool, "civil", sub.id)
    assert (state.state, state.why) == ("ended", "revoked")
    assert len(consumer.events) == (0 if moment == "entered" else batch)
    assert len(await base.entries("exchange.refused", grant=sub.grant, reason="revoked")) == 1


async def test_a_failure_amid_single_events_repeats_none_that_was_taken(base, consumer, dispatching, clock):
    sub = await pushed(base, consumer, batch=1)
    await base.people_in(5)
    dispatcher = dispatching(consumer)

    async def fail_after_two(reached):
        if reached == "acknowledged" and len(consumer.pushes) == 2:
            consumer.status = 500

    dispatcher._hook = fail_after_two
    await dispatcher.round()
    consumer.status = 200
    clock.advance(seconds=LONGEST_PAUSE)
    await dispatcher.round()
    assert len(consumer.ids) == len(set(consumer.ids)) == 5
    assert len(await base.entries(subscription=sub.id)) == 5


async def test_suspended_waits_and_goes_on(base, consumer, dispatching, clock):
    sub = await pushed(base, consumer)
    await base.people_in(2)
    await base.change_grant(sub.grant, "state = 'suspended'")
    dispatcher = dispatching(consumer)
    await dispatcher.round()
    assert not consumer.pushes
    await base.change_grant(sub.grant, "state = 'open'")
    clock.advance(seconds=60)
    await dispatcher.round()
    assert len(consumer.events) == 2


async def test_gone_ends_it_and_retry_after_is_kept_to(base, consumer, dispatching, clock):
    sub = await pushed(base, consumer)
    await base.people_in(1)
    consumer.status, consumer.extra = 429, "retry-after: 120\r\n"
    dispatcher = dispatching(consumer)
    await dispatcher.round()
    state = await subscribe.subscription(base.pool, "civil", sub.id)
    assert state.retry_at == clock() + dt.timedelta(seconds=120)
    clock.advance(seconds=121)
    consumer.status, consumer.extra = 410, ""
    await dispatcher.round()
    state = await subscribe.subscription(base.pool, "civil", sub.id)
    assert (state.state, state.why) == ("ended", "gone")


async def test_two_dispatchers_share_the_work(base, consumer, dispatching):
    await pushed(base, consumer, batch=1)
    await base.people_in(6)
    one, other = dispatching(consumer), dispatching(consumer)
    await asyncio.gather(one.round(), other.round(), one.round(), other.round())
    while await one.round():
        pass
    assert len(consumer.ids) == len(set(consumer.ids)) == 6


@pytest.mark.parametrize(("failures", "least", "most"), [(1, 0.5, 1), (5, 8, 16), (30, 150, 300)])
def test_pauses_double_up_to_a_limit_and_are_spread(failures, least, most):
    assert pause(failures, 0.0) == least
    assert least < pause(failures, 0.5) < most
    assert pause(failures, 0.999) <= most
