"""Subscriptions: only under a grant, only its fields, everybody entered first, one's own cursor, an end at once."""

from __future__ import annotations

import uuid

import asyncpg
import pytest

from dizuo.engines.exchange.delivery import subscribe
from dizuo.engines.exchange.delivery.subscribe_errors import (
    DeliveryRefused,
    FeedPositionInvalid,
    SubscriptionUnknown,
)


async def opened(base, fields=("name", "phone"), *, after=None, channel="stream", **more):
    grant = await base.grant(fields=fields)
    return grant, await subscribe.subscribe(base.pool, "civil", grant, channel, after=after, **more)


async def taken(base, number, most=100):
    """Both steps for a stream: what it gets from where it stands."""
    entered = await subscribe.enter(base.pool, number, None, most)
    return entered, await subscribe.release(base.pool, number, entered.after, most)


async def test_values_of_the_granted_fields_and_nothing_else(base):
    _, sub = await opened(base)
    key = base.new_number()
    await base.put(key, name="李甲", phone="13800000001", illness="心脏病")
    entered, events = await taken(base, sub.id)
    (event,) = events
    assert (event.kind, event.fields, event.values) == (
        "new",
        ("name", "phone"),
        {"name": "李甲", "phone": "13800000001"},
    )
    assert entered.to >= event.position > sub.position
    assert key not in repr(events)
    assert "心脏病" not in repr(events)


async def test_a_change_in_other_fields_is_none_and_only_changed_fields_come(base):
    key = base.new_number()
    await base.put(key, name="李乙", phone="1")
    _, sub = await opened(base)
    await base.put(key, illness="流感")
    entered, events = await taken(base, sub.id)
    assert events == ()
    assert entered.to == entered.after > sub.position  # looked at, and no entry about anybody
    assert not await base.entries(subscription=sub.id)
    await base.put(key, phone="2", illness="")
    _, events = await taken(base, sub.id)
    assert [(e.kind, e.fields, dict(e.values)) for e in events] == [("changed", ("phone",), {"phone": "2"})]


async def test_the_key_comes_along_where_it_is_granted(base):
    key = base.new_number()
    await base.put(key, phone="1")
    _, sub = await opened(base, ("citizen_id", "phone"))
    await base.put(key, phone="2")
    _, events = await taken(base, sub.id)
    assert [dict(e.values) for e in events] == [{"citizen_id": key, "phone": "2"}]


async def test_every_value_has_its_entry_before_it_leaves(base):
    grant, sub = await opened(base)
    await base.people_in(3, phone="7")
    entered = await subscribe.enter(base.pool, sub.id, None, 100)
    entries = await base.entries(subscription=sub.id)  # nothing is released yet
    events = await subscribe.release(base.pool, sub.id, entered.after, 100)
    assert len(events) == len(entries) == 3
    for entry, event in zip(entries, events, strict=True):
        assert entry["subject"] is not None
        assert entry["payload"]["key"] == f"#{event.ref}"
        assert entry["payload"]["version"] == event.version
        body = entry["body"]
        assert body["fields"] == list(event.fields)
        assert (body["purpose"], body["basis"]) == ("为老年人发放补贴", "elderly-2018:33")
        assert body["actor"] == {"kind": "system", "unit": "civil", "channel": "system"}
        assert (body["grant"], body["method"], body["register"]) == (grant, "subscribe", "person")
    assert (
        await subscribe.release(base.pool, sub.id, entered.after, 100) == events
    )  # again: the same, entered once
    assert len(await base.entries(subscription=sub.id)) == 3


async def test_what_is_not_entered_is_not_released_and_not_in_the_same_transaction(base):
    _, sub = await opened(base)
    await base.people_in(1)
    assert await subscribe.release(base.pool, sub.id, sub.position, 100) == ()
    async with base.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        told = await conn.fetchval("SELECT exchange.feed_enter($1, NULL, 100)", sub.id)
        with pytest.raises(asyncpg.PostgresError) as caught:
            await conn.fetch("SELECT * FROM exchange.feed_release($1, $2, 100)", sub.id, told["after"])
        await transaction.rollback()
    assert caught.value.sqlstate == "DZ604"
    assert await subscribe.release(base.pool, sub.id, sub.position, 100) == ()
    assert not await base.entries(subscription=sub.id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exchange.subscription SET entered_to = 1000000",
        "INSERT INTO exchange.subscription (grant_id, consumer, resource, register, channel, position, entered_to)"
        " VALUES (1, 'x', 'R/person', 'person', 'stream', 0, 9)",
        "SELECT registers.open_delivered('person', '[]')",
        "SELECT registers.pick_changes('person', '{name}', 0, 9, 9)",
        "SELECT registers.open_records('person', '{1}', '{1}', '{name}')",
        "SELECT * FROM registers.change",
    ],
)
async def test_the_serving_role_cannot_go_round_it(base, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await base.pool.execute(statement)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("state = 'revoked', ended_why = 'x'", "revoked"),
        ("starts = current_date - 9, expires = current_date - 1", "expired"),
        ("starts = current_date + 1", "not_yet"),
        ("methods = '{query}'", "method"),
        ("state = 'suspended'", "suspended"),
    ],
)
async def test_no_subscription_outside_the_grant_and_the_refusal_is_entered(base, what, reason):
    grant = await base.grant()
    await base.change_grant(grant, what)
    with pytest.raises(DeliveryRefused) as caught:
        await subscribe.subscribe(base.pool, "civil", grant, "stream")
    assert caught.value.reason == reason
    assert len(await base.entries("exchange.refused", grant=grant, reason=reason)) == 1


async def test_another_departments_grant_and_subscription_are_unknown(base):
    grant, sub = await opened(base)
    with pytest.raises(DeliveryRefused) as caught:
        await subscribe.subscribe(base.pool, "health", grant, "stream")
    assert caught.value.reason == "unknown"
    with pytest.raises(SubscriptionUnknown):
        await subscribe.subscription(base.pool, "health", sub.id)
    with pytest.raises(SubscriptionUnknown):
        await subscribe.unsubscribe(base.pool, "health", sub.id)
    with pytest.raises(SubscriptionUnknown):
        await subscribe.replay(base.pool, "health", sub.id, 0)


async def test_revocation_between_the_two_steps_stops_it(base):
    grant, sub = await opened(base)
    await base.people_in(2)
    entered = await subscribe.enter(base.pool, sub.id, None, 100)
    await base.change_grant(grant, "state = 'revoked', ended_why = 'x'")
    assert await subscribe.release(base.pool, sub.id, entered.after, 100) == ()
    with pytest.raises(DeliveryRefused):
        await subscribe.waiting(base.pool, sub.id, 0, "none")
    with pytest.raises(DeliveryRefused):
        await subscribe.enter(base.pool, sub.id, None, 100)
    assert (await subscribe.subscription(base.pool, "civil", sub.id)).state == "ended"


async def test_a_right_that_became_wider_is_entered_anew(base):
    grant, sub = await opened(base, ("name",))
    await base.people_in(1, phone="9", illness="无")
    entered = await subscribe.enter(base.pool, sub.id, None, 100)
    await base.change_grant(grant, "fields = '{name,phone}'")
    assert await subscribe.release(base.pool, sub.id, entered.after, 100) == ()  # phone was not entered
    entered, events = await taken(base, sub.id)
    assert [e.fields for e in events] == [("name", "phone")]
    assert [e["body"]["fields"] for e in await base.entries(subscription=sub.id)] == [
        ["name"],
        ["name", "phone"],
    ]


async def test_replay_goes_back_and_is_a_new_use(base):
    _, sub = await opened(base)
    await base.people_in(2)
    entered, first = await taken(base, sub.id)
    assert await subscribe.acknowledge(base.pool, sub.id, None, entered.to, 2)
    with pytest.raises(FeedPositionInvalid):
        await subscribe.replay(base.pool, "civil", sub.id, entered.to + 1)
    await subscribe.replay(base.pool, "civil", sub.id, sub.position)
    _, again = await taken(base, sub.id)
    assert again == first
    assert len(await base.entries(subscription=sub.id)) == 4
    assert len(await base.entries("exchange.replayed", subscription=sub.id)) == 1


async def test_nothing_is_acknowledged_that_was_not_entered_nor_backwards(base):
    _, sub = await opened(base)
    await base.people_in(2)
    entered, _ = await taken(base, sub.id)
    assert not await subscribe.acknowledge(base.pool, sub.id, None, entered.to + 5)
    assert await subscribe.acknowledge(base.pool, sub.id, None, entered.to)
    assert not await subscribe.acknowledge(base.pool, sub.id, None, entered.to - 1)
    assert not await subscribe.acknowledge(base.pool, sub.id, uuid.uuid4(), entered.to)


async def test_what_is_not_kept_any_more_is_said_once(base):
    _, sub = await opened(base, after=0)
    async with base.pg() as owner:
        await base.people_in(2)
        await owner.execute("SELECT registers.number_changes(10000)")
        await owner.execute("UPDATE registers.change_head SET kept_from = last")
        await owner.execute(
            "DELETE FROM registers.change WHERE position < (SELECT last FROM registers.change_head)"
        )
    entered, events = await taken(base, sub.id)
    assert [e.kind for e in events] == ["gap"]
    assert await subscribe.acknowledge(base.pool, sub.id, None, entered.to)
    _, events = await taken(base, sub.id)
    assert [e.kind for e in events] == ["new"]


async def test_a_register_loaded_anew_is_told_without_a_value(base):
    _, sub = await opened(base)
    async with base.pg() as owner:
        await owner.execute(
            "INSERT INTO registers.change_note (kind, register) VALUES ('snapshot', 'person'), ('snapshot', 'street')"
        )
    _, events = await taken(base, sub.id)
    assert [(e.kind, e.ref, e.values) for e in events] == [("snapshot", None, None)]


async def test_other_registers_are_not_heard_of(base):
    _, sub = await opened(base)
    await base.put("S1", "street", title="人民路")
    _, events = await taken(base, sub.id)
    assert events == ()


async def test_from_a_position_never_given(base):
    grant = await base.grant()
    with pytest.raises(FeedPositionInvalid):
        await subscribe.subscribe(base.pool, "civil", grant, "stream", after=10**12)
