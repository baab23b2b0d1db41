"""The dispatcher: one background process that pushes granted changes to departments' systems (webhooks).

Any number may run: each delivery is leased to one of them. Run by `dizuo dispatch` beside a running base; the runtime file is
named by DIZUO_RUNTIME.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

from dizuo.engines.exchange import delivery, feeds
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import Algorithm, PrivateKey
from dizuo.foundation.store import open_pool
from dizuo.settings import Runtime, read_runtime


async def work(runtime: Runtime, stop: asyncio.Event, *, places: int = 32) -> None:
    """Push what waits until `stop` is set; pushes under way are finished first."""
    city = load_city(runtime.city)
    now = SystemNow()
    keys = delivery.ServerKeys(Path(runtime.data), city.id)

    def key(algorithm: Algorithm) -> PrivateKey:
        return keys.signing(algorithm, now())

    pool = await open_pool(runtime.app_dsn, min_size=1, max_size=8)
    sender = feeds.WebhookSender(key, feeds.Addresses.permitted(os.environ), now)
    try:
        await feeds.Dispatcher(pool, sender, now, city.id, places=places).run(stop)
    finally:
        await sender.close()
        await pool.close()


async def main(places: int = 32) -> None:
    """Work until told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s dispatcher %(levelname)s %(message)s")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await work(read_runtime(), stop, places=places)


if __name__ == "__main__":
    asyncio.run(main())
