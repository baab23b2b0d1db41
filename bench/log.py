"""The public log, measured: tiles and checkpoints per second, proofs, a witness's round trip with its state on disk.

``python bench/log.py [--entries 300000] [--seconds 3] [--url http://127.0.0.1:8000]``. Its own server and its own witness; with
``--url`` also the tiles of a running installation through its data door, beside that installation's /health.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import uvloop
from ceilings import machine, own_server, percentile

from dizuo.foundation.ledger import (
    COSIGNATURE,
    ENTRIES,
    Entry,
    KnownWitness,
    PublicKey,
    Sealer,
    SigningKey,
    Submitter,
    Tile,
    proof,
    served_checkpoint,
    tile_bytes,
    verify_proof,
)
from dizuo.foundation.store import APP, SEALER, Pool, Server, discover, migrate, open_pool

BODY = {
    "unit": "320205-police",
    "purpose": "newborn.hukou",
    "basis": "hukou-1958:7",
    "fields": ["address", "head"],
}
CALLERS = 8
Act = Callable[[], Awaitable[object]]


async def rate(act: Act, seconds: float, callers: int = CALLERS) -> tuple[float, list[float]]:
    """(acts per second, milliseconds of each) with some callers at once."""
    until, times = time.perf_counter() + seconds, list[float]()

    async def caller() -> None:
        while (began := time.perf_counter()) < until:
            await act()
            times.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return len(times) / (time.perf_counter() - began), times


def told(name: str, found: tuple[float, list[float]]) -> None:
    per_second, times = found
    middle, late = percentile(times, 0.5), percentile(times, 0.95)
    print(f"{name:<52}{per_second:>9,.0f} /s   median {middle:>7.2f} ms   p95 {late:>7.2f} ms")


async def fill(pool: Pool, sealer: Sealer, count: int) -> int:
    """An id among the entries, after sealing them."""
    ids = [0]
    for start in range(0, count, 10_000):
        rows = [
            Entry("read", BODY, n % 5000 + 1, {"case": "演示数据"})
            for n in range(start, min(start + 10_000, count))
        ]
        ids = await pool.fetchval("SELECT ledger.append_batch($1)", rows)
    await sealer.seal_once()
    return ids[-1]


async def measure(server: Server, entries: int, seconds: float) -> None:
    await migrate(server, discover())
    pool = await open_pool(server.dsn(APP), min_size=4, max_size=CALLERS)
    sealing = await open_pool(server.dsn(SEALER), min_size=1, max_size=4)
    key = SigningKey.generate("bench.dizuo")
    sealer = Sealer(sealing, key, key.name)
    last = await fill(pool, sealer, entries)
    full = entries // 256

    def of(make: Callable[[], Tile]) -> Act:
        async def act() -> None:
            async with pool.acquire() as connection:
                await tile_bytes(connection, make())

        return act

    async def note() -> None:
        async with pool.acquire() as connection:
            await served_checkpoint(connection)

    async def proven() -> None:
        async with pool.acquire() as connection:
            text = await proof(connection, random.randint(1, last))
        verify_proof(text, key.public)

    told(
        f"full tile of level 0 from {entries:,} entries",
        await rate(of(lambda: Tile(0, random.randrange(full))), seconds),
    )
    told("full entry bundle", await rate(of(lambda: Tile(ENTRIES, random.randrange(full))), seconds))
    told("checkpoint", await rate(note, seconds))
    told("proof, made and verified, one at a time", await rate(proven, seconds, 1))
    await witnessed(pool, sealing, sealer, key, seconds)
    await pool.close()
    await sealing.close()


async def witnessed(pool: Pool, sealing: Pool, sealer: Sealer, key: SigningKey, seconds: float) -> None:
    """From a sealed checkpoint to its cosignature in the database, with a witness of its own process."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "log.key").write_text(str(key.public))
        process = subprocess.Popen(
            [sys.executable, "-m", "dizuo.cli", "witness", "--state", f"{folder}/state", "--name", "bench.example/w",
             "--log", f"{folder}/log.key", "--port", "0"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            public = PublicKey.parse(process.stdout.readline().split()[-1], COSIGNATURE)
            url = process.stdout.readline().split()[-1]
            submitter = Submitter(sealing, [KnownWitness(public, url)])
            times: list[float] = []
            until = time.perf_counter() + seconds
            client = submitter.client()
            while time.perf_counter() < until:
                await pool.fetchval("SELECT ledger.append_batch($1)", [Entry("read", BODY)])
                await sealer.seal_once()
                began = time.perf_counter()
                assert await submitter.submit_once(client) == 1
                times.append((time.perf_counter() - began) * 1000)
            await client.aclose()
            told("witness: proof, request, fsync there, kept here", (len(times) / seconds, times))
        finally:
            process.terminate()
            process.wait()


async def through_the_door(url: str, seconds: float) -> None:
    """Tiles over HTTP beside the same server's /health."""
    async with httpx.AsyncClient(base_url=url, limits=httpx.Limits(max_connections=CALLERS)) as client:
        size = int((await client.get("/data/log/checkpoint")).text.split("\n")[1])

        def got(path: str) -> Act:
            async def act() -> None:
                (await client.get(path)).raise_for_status()

            return act

        width = min(256, size)
        partial = "" if width == 256 else f".p/{width}"
        told("HTTP /health (ceiling)", await rate(got("/health"), seconds))
        told("HTTP checkpoint", await rate(got("/data/log/checkpoint"), seconds))
        told(f"HTTP tile of {width} hashes", await rate(got(f"/data/log/tile/0/000{partial}"), seconds))
        told(
            f"HTTP bundle of {width} entries, gzip",
            await rate(got(f"/data/log/tile/entries/000{partial}"), seconds),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--url", default="")
    arguments = parser.parse_args()
    print(machine())
    if arguments.url:
        asyncio.run(through_the_door(arguments.url, arguments.seconds))
    with own_server() as server:
        uvloop.run(measure(server, arguments.entries, arguments.seconds))


if __name__ == "__main__":
    main()
