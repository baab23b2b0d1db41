"""kill -9 of PostgreSQL while entries are acknowledged: nothing that was answered may be missing afterwards."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from dizuo.foundation.ledger import Batcher, Entry, Sealer, SigningKey, entry_batcher, verify
from dizuo.foundation.store import (
    APP,
    CONNECTION_LOST,
    OWNER,
    SEALER,
    Server,
    connect,
    discover,
    migrate,
    open_pool,
)
from dizuo.foundation.store.process import postmaster_pid

OPTIONS = {"shared_buffers": "32MB", "wal_buffers": "1MB", "min_wal_size": "32MB", "max_wal_size": "64MB"}
ROUNDS = 3


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="dz-fault-"))
    path.chmod(0o755)
    yield path
    if postmaster_pid(path / "postgres" / "cluster") is not None:
        Server.start(path, options=OPTIONS).stop()
    shutil.rmtree(path)


async def write(batcher: Batcher[Entry, int], acknowledged: set[int]) -> None:
    """Append until the database is gone."""
    for n in count():
        try:
            acknowledged.add(await batcher.submit(Entry("read", {"n": n}, n % 9 + 1)))
        except CONNECTION_LOST:
            return


async def test_no_acknowledged_entry_is_lost(folder: Path) -> None:
    dice = random.Random(20261123)
    key = SigningKey.generate("faults")
    acknowledged: set[int] = set()
    server = Server.start(folder, options=OPTIONS)
    await migrate(server, [room for room in discover() if room.schema in {"store", "ledger"}])

    for _ in range(ROUNDS):
        pool = await open_pool(server.dsn(APP), min_size=2, max_size=4)
        sealing = await open_pool(server.dsn(SEALER), min_size=1, max_size=1)
        stop = asyncio.Event()
        sealer = asyncio.create_task(Sealer(sealing, key, "faults", interval=0.01).run(stop))
        batcher = entry_batcher(pool, limit=40)
        writers = [asyncio.create_task(write(batcher, acknowledged)) for _ in range(60)]
        enough = len(acknowledged) + dice.randint(100, 1500)
        while len(acknowledged) < enough:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*writers)
        stop.set()
        await sealer
        pool.terminate()
        sealing.terminate()
        server = await asyncio.to_thread(lambda: Server.start(folder, options=OPTIONS))

    connection = await connect(server.dsn(OWNER))
    there = {row["id"] for row in await connection.fetch("SELECT id FROM ledger.entry")}
    assert acknowledged - there == set()
    sealing = await open_pool(server.dsn(SEALER), min_size=1, max_size=1)
    await Sealer(sealing, key, "faults").seal_once()
    report = await verify(connection, key.public)
    assert report.ok, report.problems
    assert (report.sealed, report.pending) == (len(there), 0)
    sealing.terminate()
    await connection.close()
