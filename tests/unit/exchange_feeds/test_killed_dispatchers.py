"""A dispatcher that is killed (SIGKILL) at any step: the next one loses nothing and repeats only under the same ids."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from dizuo.engines.exchange.delivery import subscribe
from dizuo.engines.exchange.delivery.webhook_address import Addresses
from dizuo.engines.exchange.delivery.webhook_dispatch import Dispatcher
from dizuo.engines.exchange.delivery.webhook_send import WebhookSender
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import PrivateKey

LEASE = 1.0
# Works until a moment has come the second time, says so, and then does nothing more: it waits to be killed.
WORKER = """
import asyncio, sys
from dizuo.engines.exchange.delivery.webhook_address import Addresses
from dizuo.engines.exchange.delivery.webhook_dispatch import Dispatcher
from dizuo.engines.exchange.delivery.webhook_send import WebhookSender
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import PrivateKey
from dizuo.foundation.store import open_pool

dsn, host, moment, times = sys.argv[1:]

async def main():
    left = int(times)
    async def hook(reached):
        nonlocal left
        if reached == moment:
            left -= 1
            if not left:
                print("here", flush=True)
                await asyncio.sleep(600)
    pool = await open_pool(dsn, min_size=1, max_size=2)
    sender = WebhookSender(lambda _: PrivateKey.make("base-1"), Addresses([host]), SystemNow())
    await Dispatcher(pool, sender, SystemNow(), "small", lease=1.0, hook=hook).round()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("moment", "times"), [("claimed", 1), ("entered", 2), ("released", 2), ("sent", 2), ("acknowledged", 1)]
)
async def test_nothing_is_lost_and_nothing_comes_under_another_id(base, database, consumer, moment, times):
    async with base.pg() as owner:
        await owner.execute("UPDATE exchange.subscription SET state = 'ended'")
    sub = await subscribe.subscribe(
        base.pool, "civil", await base.grant(fields=("name",)), "webhook", target=consumer.url, batch=2
    )
    await base.people_in(6)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, database.dsn("dizuo_app"), consumer.permitted, moment, str(times),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert worker.stdout is not None
    assert await asyncio.wait_for(worker.stdout.readline(), 30) == b"here\n"
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    before = list(consumer.ids)

    now = SystemNow()
    sender = WebhookSender(lambda _: PrivateKey.make("base-1"), Addresses([consumer.permitted]), now)
    dispatcher = Dispatcher(base.pool, sender, now, "small", lease=LEASE)
    try:
        assert await dispatcher.round() == 0  # the dead one's lease still runs
        await asyncio.sleep(LEASE)
        while await dispatcher.round():
            pass
    finally:
        await sender.close()
    ids = consumer.ids
    assert len(set(ids)) == 6
    repeated = ids[len(before) :][: len(ids) - 6]
    assert len(repeated) == (
        2 if moment == "sent" else 0
    )  # sent, and nobody lived to note it: the same batch again
    assert set(repeated) <= set(before)
    firsts = list(dict.fromkeys(ids))
    assert firsts == sorted(firsts, key=lambda id_: int(id_.partition("-")[2]))
    bodies = {event["id"]: event for event in consumer.events}
    assert all(
        bodies[event["id"]] == event for event in consumer.events
    )  # a repeated event is the same event
    assert len(await base.entries(subscription=sub.id)) == 6
    assert (await subscribe.subscription(base.pool, "civil", sub.id)).delivered == 6
