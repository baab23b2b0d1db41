"""A department's own connection: what was called is kept in counts, a key and a subscription are stopped by its own officials alone."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from exchange_town import MOTHER, ExchangeTown
from exchange_web import ExchangeWeb, as_json, make_app, question

from dizuo.engines.exchange import connection, feeds
from dizuo.engines.exchange.delivery import Exchange
from dizuo.engines.exchange.delivery.called import CallsNoted, calls_seen
from dizuo.engines.exchange.delivery.connection import NotYourConnection, own_key, stop_key, tending
from dizuo.engines.exchange.delivery.errors import KeyWordsNeeded, SigningKeyNotInUse, SubscriptionStands
from dizuo.engines.exchange.delivery.limits import Limits
from dizuo.engines.registers import Actor

QUERY = "/data/exchange/v1/query"


def official(unit: str, *powers: str) -> Actor:
    return Actor("official", official="7", post="officer", unit=unit, name="演示经办", powers=powers)


ENGINEER, OTHER = official("hrss", "share.request"), official("civil", "share.check")


@pytest.fixture
async def web(town: ExchangeTown, app_pool: Any) -> ExchangeWeb:
    Exchange._opened[id(app_pool)] = town.exchange
    town.exchange.limits = Limits()
    town.exchange.called = CallsNoted(app_pool)
    await town.add_key("hrss")
    return ExchangeWeb(town, make_app(town.exchange.city, app_pool, town.data))


async def test_calls_are_kept_in_counts_and_tell_nothing_of_anybody(
    web: ExchangeWeb, town: ExchangeTown, app_pool: Any, pg: Any
) -> None:
    grant, key = await town.grant(fields=("name",)), town.keys["hrss"].id
    for _ in range(3):
        assert (await web.post(QUERY, question(MOTHER, grant=grant))).status_code == 200
    refused = await web.post(QUERY, question(MOTHER, grant=grant, fields=["illness"]))
    # Somebody else writes our key's name under a signature that is not ours.
    sent, body = town.signed(QUERY, question(MOTHER))
    await web.send(sent, QUERY, body + b" ", "POST", **{"x-other": "1"})
    await web.client.post(QUERY, content=b"{}")
    await town.exchange.called.flush()
    seen = await calls_seen(app_pool, "hrss")
    kinds = {(one.status, one.code): one for one in seen if one.key == key}
    assert kinds[200, ""].times == 3
    assert (kinds[200, ""].resource, kinds[200, ""].grant_id, kinds[200, ""].call) == (
        "R/person",
        grant,
        "query",
    )
    assert kinds[200, ""].entry
    assert kinds[403, "call_refused"].says == as_json(refused)["message"]
    assert kinds[403, "call_refused"].entry == as_json(refused)["entry"]
    assert (kinds[401, "digest_wrong"].says, kinds[401, "digest_wrong"].resource) == ("", "")
    assert [one.status for one in await calls_seen(app_pool, "hrss", refused=True) if one.key == key] != []
    assert all(one.status >= 400 for one in await calls_seen(app_pool, "hrss", refused=True))
    assert await calls_seen(app_pool, "civil") == ()
    async with pg() as owner:
        rows = await owner.fetch("SELECT m::text AS all FROM exchange.call_minute m")
    assert rows
    assert not any(MOTHER in row["all"] or "X2026-1" in row["all"] for row in rows)


async def test_the_page_of_a_department_is_entered_and_shows_its_own(
    town: ExchangeTown, app_pool: Any, pg: Any
) -> None:
    await town.add_key("hrss")
    async with pg() as owner:
        before = await owner.fetchval(
            "SELECT count(*) FROM ledger.entry WHERE kind = 'exchange.connection_viewed'"
        )
    found = await connection.seen(app_pool, ENGINEER)
    async with pg() as owner:
        after = await owner.fetchval(
            "SELECT count(*) FROM ledger.entry WHERE kind = 'exchange.connection_viewed'"
        )
    assert after == before + 1
    assert found.unit == "hrss"
    assert found.keys
    assert all(one.consumer == "hrss" for one in found.keys)
    with pytest.raises(NotYourConnection):
        await connection.seen(app_pool, official("hrss", "hrss.card.decide"))
    with pytest.raises(NotYourConnection):
        tending([ENGINEER], "civil")


async def test_a_key_is_stopped_by_its_own_department_with_words(
    web: ExchangeWeb, town: ExchangeTown, app_pool: Any
) -> None:
    grant = await town.grant()
    key = (await town.add_key("hrss")).id
    with pytest.raises(SigningKeyNotInUse):
        await own_key(app_pool, OTHER, key)
    with pytest.raises(SigningKeyNotInUse):
        await stop_key(app_pool, OTHER, key, "想停就停")
    with pytest.raises(KeyWordsNeeded):
        await stop_key(app_pool, ENGINEER, key, " ")
    assert (await web.post(QUERY, question(MOTHER, grant=grant))).status_code == 200
    await stop_key(app_pool, ENGINEER, key, "私钥丢失")
    stopped = await own_key(app_pool, ENGINEER, key)
    assert (stopped.revoked_by, stopped.revoked_why) == ("演示经办", "私钥丢失")
    # The database refuses it at once, whatever this process remembers.
    assert as_json(await web.post(QUERY, question(MOTHER, grant=grant)))["code"] == "signing_key_ended"
    with pytest.raises(SigningKeyNotInUse):
        await stop_key(app_pool, ENGINEER, key, "再停一次")
    async with app_pool.acquire() as app:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("SELECT exchange.revoke_key($1, 'x', 'x')", key)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("DELETE FROM exchange.call_minute")


async def test_a_subscription_rests_and_goes_on(town: ExchangeTown, app_pool: Any) -> None:
    grant = await town.grant(methods=("subscribe",))
    owner = await feeds.subscribe(app_pool, "hrss", grant, "stream")
    with pytest.raises(feeds.SubscriptionUnknown):
        await connection.pause_feed(app_pool, OTHER, owner.id)
    await connection.pause_feed(app_pool, ENGINEER, owner.id, "接收系统升级")
    rests = await feeds.subscription(app_pool, "hrss", owner.id)
    assert (rests.state, rests.why, rests.position) == ("paused", "paused", owner.position)
    from dizuo.engines.exchange.delivery import subscribe

    with pytest.raises(feeds.DeliveryRefused, match="暂停"):
        await subscribe.enter(app_pool, owner.id, None, 10)
    assert await subscribe.release(app_pool, owner.id, owner.position, 10) == ()
    with pytest.raises(SubscriptionStands):
        await connection.pause_feed(app_pool, ENGINEER, owner.id)
    seen = await connection.seen(app_pool, ENGINEER)
    assert seen.behind[owner.id] >= 0
    await connection.resume_feed(app_pool, ENGINEER, owner.id)
    assert (await feeds.subscription(app_pool, "hrss", owner.id)).state == "open"
    await connection.pause_feed(app_pool, ENGINEER, owner.id)
    await feeds.unsubscribe(app_pool, "hrss", owner.id)
    with pytest.raises(SubscriptionStands):
        await connection.resume_feed(app_pool, ENGINEER, owner.id)
