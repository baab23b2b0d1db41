"""The ledger, measured: durable entries per second, inside business transactions, sealing, integration, verifying, proofs.

``python bench/ledger.py [--seconds 4] [--rounds 3] [--callers 1000]``. Every figure is the median of interleaved rounds
beside ceilings of the same run on the same server: COPY and INSERT of the same rows with the same indexes.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

import uvloop
from ceilings import Figure, PlainTable, database_seconds, machine, own_server, percentile, pgbench, rate

from dizuo.foundation.ledger import (
    Entry,
    Sealer,
    SigningKey,
    complete_proof,
    counted,
    entry_batcher,
    make_segments,
    proof,
    verify,
    verify_proof,
)
from dizuo.foundation.store import (
    APP,
    OWNER,
    SEALER,
    Connection,
    Pool,
    Server,
    connect,
    discover,
    migrate,
    open_pool,
)

BODY = {
    "actor": "post:hukou-clerk",
    "unit": "320205-police",
    "purpose": "newborn.hukou",
    "basis": "户口登记条例 第七条",
    "register": "household",
    "fields": ["address", "head", "members"],
    "channel": "online",
}
PAYLOAD = {"case": "WX2026112300001X", "record": "320205000012345", "actor": "演示数据"}
ENTRY = Entry("read", BODY, 7, PAYLOAD)
PERSON = 1_000_000


async def batched(pool: Pool, callers: int, seconds: float) -> float:
    """Entries per second; each caller waits until its entry is on disk before it sends the next."""
    batcher = entry_batcher(pool)
    until = time.perf_counter() + seconds
    done = 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await batcher.submit(ENTRY)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return done / (time.perf_counter() - began)


async def business(pool: Pool, with_entry: bool, seconds: float, workers: int = 16) -> float:
    """Business transactions per second: a version of a record, with or without its entry in the same statement."""
    record = "INSERT INTO public.business (data) VALUES ($1)"
    statement = record
    arguments: tuple[Any, ...] = ({"item": "hukou", "state": "granted"},)
    if with_entry:
        statement = (
            f"WITH kept AS ({record} RETURNING id) SELECT ledger.append('decide', $2, 7, $3) FROM kept"
        )
        arguments = (*arguments, BODY, PAYLOAD)
    until = time.perf_counter() + seconds
    done = 0

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await pool.fetchval(statement, *arguments)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(workers)))
    return done / (time.perf_counter() - began)


INTEGRATED = """
SELECT extract(epoch FROM c.at - e.at)::float8 FROM ledger.leaf l JOIN ledger.entry e ON e.id = l.entry
JOIN LATERAL (SELECT at FROM ledger.checkpoint WHERE size > l.seq ORDER BY size LIMIT 1) c ON true WHERE l.seq >= $1
"""


async def integration(pool: Pool, owner: Connection, sealer: Sealer, seconds: float) -> list[float]:
    """Seconds from an entry's transaction to the signed checkpoint over it, while 64 callers write and the sealer runs."""
    begin: int = await owner.fetchval("SELECT coalesce(max(seq) + 1, 0) FROM ledger.leaf")
    stop = asyncio.Event()
    running = asyncio.create_task(sealer.run(stop))
    await batched(pool, 64, seconds)
    stop.set()
    await running
    return [row[0] for row in await owner.fetch(INTEGRATED, begin)]


async def of_one_person(pool: Pool, count: int = 200, rounds: int = 30) -> tuple[list[float], list[float]]:
    """Milliseconds of (saying whether one person's list is complete, the file that proves it), for so many entries."""
    asked, proven = list[float](), list[float]()
    async with pool.acquire() as connection:
        for _ in range(rounds):
            began = time.perf_counter()
            told = await counted(connection, PERSON)
            asked.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            await complete_proof(connection, PERSON)
            proven.append((time.perf_counter() - began) * 1e3)
            if (told.last, told.whole) != (count, True):
                raise SystemExit(f"person {PERSON} has {told.last} numbers, {len(told.missing)} missing")
    return asked, proven


async def measure(server: Server, seconds: float, rounds: int, callers: int) -> None:
    await migrate(server, [room for room in discover() if room.schema in {"store", "ledger"}])
    owner = await connect(server.dsn(OWNER))
    await owner.execute(
        "CREATE TABLE public.business (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data jsonb);"
        "GRANT USAGE ON SCHEMA public TO dizuo_app; GRANT SELECT, INSERT ON public.business TO dizuo_app"
    )
    pool = await open_pool(server.dsn(APP), min_size=16, max_size=16)
    sealing = await open_pool(server.dsn(SEALER), min_size=1, max_size=1)
    plain = await PlainTable.make(server, BODY, PAYLOAD)
    key = SigningKey.generate("bench")
    sealer = Sealer(sealing, key, "bench")

    copy = Figure("ceiling: COPY BINARY, 10,000 rows a transaction", "rows/s")
    insert = Figure("ceiling: INSERT, 500 rows a transaction, one connection", "rows/s")
    commits = Figure("ceiling: pgbench -N, 16 clients", "tps")
    many = Figure(f"durable entries, {callers:,} callers, batched", "entries/s")
    some = Figure("durable entries, 64 callers, batched", "entries/s")
    alone = Figure("durable entries, 1 caller", "entries/s")
    bare = Figure("business transaction without an entry, 16 at once", "tx/s")
    with_entry = Figure("business transaction with its entry, 16 at once", "tx/s")
    seal = Figure("sealing (leaves, nodes, signed checkpoint)", "entries/s")
    ours = Figure("processor time an entry, dizuo (1,000 callers)", "µs")
    theirs = Figure("processor time an entry, database", "µs")
    for _ in range(rounds):
        copy.values.append(await rate(plain.copy, seconds / 2))
        before = time.process_time(), database_seconds(server), time.perf_counter()
        many.values.append(await batched(pool, callers, seconds))
        entries = many.values[-1] * (time.perf_counter() - before[2])
        ours.values.append((time.process_time() - before[0]) / entries * 1e6)
        theirs.values.append((database_seconds(server) - before[1]) / entries * 1e6)
        insert.values.append(await rate(plain.insert, seconds / 2))
        some.values.append(await batched(pool, 64, seconds / 2))
        alone.values.append(await batched(pool, 1, seconds / 2))
        bare.values.append(await business(pool, False, seconds / 2))
        with_entry.values.append(await business(pool, True, seconds / 2))
        commits.values.append(
            await asyncio.to_thread(pgbench, server, "-N", seconds=max(1, int(seconds / 2)))
        )
        began = time.perf_counter()
        seal.values.append(await sealer.seal_once() / (time.perf_counter() - began))

    times = await integration(pool, owner, sealer, seconds)
    await pool.fetchval("SELECT ledger.append_batch($1)", [Entry("read", BODY, PERSON, PAYLOAD)] * 200)
    await sealer.seal_once()
    began = time.perf_counter()
    while await make_segments(sealing):
        pass
    listed = time.perf_counter() - began
    await sealer.seal_once()
    asked, proven = await of_one_person(pool)
    report = await verify(owner, key.public)
    if not report.ok:
        raise SystemExit(f"the ledger does not verify: {report.problems}")
    async with pool.acquire() as connection:
        top = await connection.fetchval("SELECT max(seq) FROM ledger.leaf")
        paths: list[float] = []
        for n in range(400):
            entry = await connection.fetchval(
                "SELECT entry FROM ledger.leaf WHERE seq = $1", n * (top // 400)
            )
            began = time.perf_counter()
            text = await proof(connection, entry)
            paths.append((time.perf_counter() - began) * 1e3)
            verify_proof(text, key.public)

    for figure in (copy, insert, commits):
        print(figure.line())
    print()
    for figure, against in (
        (many, insert),
        (some, insert),
        (alone, None),
        (bare, commits),
        (with_entry, bare),
        (seal, copy),
    ):
        print(figure.line(against))
    print(ours.line())
    print(theirs.line())
    print(f"{'verification, everything recomputed':<58}{report.sealed / report.seconds:>12,.0f} entries/s")
    print(f"{'lists of tags, made anew':<58}{report.sealed / listed:>12,.0f} entries/s")
    size = f"{report.sealed:,} entries"
    print(
        f"{'proof from ' + size + ', median / p95':<58}{percentile(paths, 0.5):>8.2f} / {percentile(paths, 0.95):.2f} ms"
    )
    for name, of, unit in (
        (f"integration of {len(times):,} entries, median / p95", times, "s"),
        ("whether 200 entries of one person are all, median / p95", asked, "ms"),
        ("the file that proves it, and where it ends, median / p95", proven, "ms"),
    ):
        print(f"{name:<58}{percentile(of, 0.5):>8.2f} / {percentile(of, 0.95):.2f} {unit}")
    target = "reached" if many.median >= 50_000 else "missed"
    slow = "reached" if percentile(times, 0.95) <= 1 else "missed"
    print(f"\ntarget integration p95 at most 1 s: {slow}")
    inside = "reached" if with_entry.median >= 5_000 else "missed"
    print(f"target 5,000 entries/s inside business transactions: {inside}")
    print(f"target 50,000 batched durable entries/s with 1,000 callers: {target}")
    await plain.close()
    await owner.close()
    await pool.close()
    await sealing.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", type=int, default=1000)
    arguments = parser.parse_args()
    print(machine())
    with own_server() as server:
        print(f"PostgreSQL {server.binaries.version}, embedded, fsync on, synchronous_commit on\n")
        uvloop.run(measure(server, arguments.seconds, arguments.rounds, arguments.callers))


if __name__ == "__main__":
    main()
