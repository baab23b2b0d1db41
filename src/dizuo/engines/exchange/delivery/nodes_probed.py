"""Nodes are asked now and then whether they could answer, so that a dead one is known before somebody needs it."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import asyncpg

from dizuo.engines.exchange.delivery.asked_node import AskedNodes
from dizuo.foundation.store import CONNECTION_LOST

EVERY: Final = 300.0
_log = logging.getLogger(__name__)


async def probed_by_the_clock(nodes: AskedNodes, stop: asyncio.Event, *, every: float = EVERY) -> None:
    """Probe every bound node each few minutes until ``stop`` is set; a lost database is waited for."""
    while not stop.is_set():
        try:
            await nodes.probe_all()
        except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
            _log.warning("the probes of nodes wait: %s", type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue
