"""The clerk: one background process that seals the ledger, has it witnessed, does what is due (effects,
expiries), pushes granted changes to departments' systems, asks their nodes whether they live, and has catalogues of others
harvested on their cycle.

Any number may run: the database lets one seal at a time and gives each job to one of them.
Run by `dizuo up` as `python -m dizuo.clerk`; the runtime file is named by DIZUO_RUNTIME.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable
from pathlib import Path

from dizuo import dispatcher, harvester
from dizuo.engines import cases
from dizuo.engines.cases import Cases
from dizuo.engines.exchange import catalogue, delivery, requests
from dizuo.engines.registers import Registers
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.ledger import (
    WITNESSES,
    Sealer,
    SigningKey,
    Stamper,
    Submitter,
    note_by_the_clock,
    read_authority,
    read_witnesses,
    segments_by_the_clock,
)
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import Pool, open_pool
from dizuo.foundation.store.jobs import JobRunner
from dizuo.settings import Runtime, read_runtime

_log = logging.getLogger(__name__)


async def work(runtime: Runtime, stop: asyncio.Event) -> None:
    """Seal and do jobs until `stop` is set; what was begun is finished first."""
    city = load_city(runtime.city)
    now = SystemNow()
    sealer_pool = await open_pool(runtime.sealer_dsn, min_size=1, max_size=4)
    pool = await open_pool(runtime.app_dsn, min_size=1, max_size=4)
    try:
        policy = Policy.from_city(city)
        engine = Cases(pool, city, Registers(pool, city, policy), policy, now)
        key = SigningKey.load(Path(runtime.data), runtime.ledger_origin)
        sealer = Sealer(sealer_pool, key, runtime.ledger_origin)
        runner = JobRunner(pool, cases.handlers(engine), now)
        tasks = [sealer.run(stop), runner.run(stop), beside("witnessing", have_witnessed(sealer_pool, stop))]
        tasks.append(beside("time stamps", have_stamped(sealer_pool, stop)))
        tasks.append(beside("pushes", dispatcher.work(runtime, stop)))
        tasks.append(
            beside(
                "the catalogue's audit",
                catalogue.audited_by_the_clock(pool, city, now, stop, Path(runtime.data)),
            )
        )
        tasks.append(beside("expired rights", requests.swept_by_the_clock(pool, now, stop)))
        harvests = harvester.Harvester(pool, now, harvester.command_of(runtime))
        tasks.append(beside("harvests", harvests.run(stop)))
        exchange = delivery.Exchange.of(pool, city, Path(runtime.data), now)
        tasks.append(beside("probes of nodes", delivery.probed_by_the_clock(exchange.nodes, stop)))
        tasks.append(beside("new kinds of use", note_by_the_clock(sealer_pool, stop)))
        tasks.append(beside("lists of tags", segments_by_the_clock(sealer_pool, stop)))
        await asyncio.gather(*tasks)
    finally:
        await pool.close()
        await sealer_pool.close()


async def have_witnessed(pool: Pool, stop: asyncio.Event) -> None:
    """Bring checkpoints to the declared witnesses until `stop` is set. Errors: WitnessesInvalid, KeyInvalid."""
    if os.environ.get(WITNESSES):
        await Submitter(pool, read_witnesses(Path(os.environ[WITNESSES]))).run(stop)


async def have_stamped(pool: Pool, stop: asyncio.Event) -> None:
    """Have checkpoints stamped by the configured authority until `stop` is set. Errors: StampingUnset."""
    authority = read_authority(os.environ)
    if authority is not None:
        await Stamper(pool, authority).run(stop)


async def beside(what: str, work: Awaitable[None]) -> None:
    """Sealing and jobs go on whatever becomes of this: nobody outside may stop the ledger."""
    try:
        await work
    except Exception as error:
        _log.error("%s ended: %s", what, error)


async def main() -> None:
    """Work until told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s clerk %(levelname)s %(message)s")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await work(read_runtime(), stop)


if __name__ == "__main__":
    asyncio.run(main())
