"""How fast granted changes reach consumers while one is dead, and how fast everything leaves in bulk, with peak memory.

    .venv/bin/python bench/feeds.py --events 2000 --consumers 4 --records 50000

A database of its own, consumers on this machine, one dispatcher in a process of its own. Events are entered in the ledger for
everybody concerned, released, signed and pushed; beside them, in the same run, the same number of POSTs with bodies of the same
size and nothing else. Bulk: rows per second per format, entries included, and the peak of the process that makes the parts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpcore

from dizuo.engines.exchange import feeds
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.store import APP, LOADER, OWNER, Server, connect, discover, migrate, open_pool

PREPARE = (
    "INSERT INTO registers.field (register, field, source, type, is_key, lookup, subject) VALUES"
    " ('person','citizen_id','psb','citizen_id',true,true,'citizen_id'),('person','name','psb','text',false,false,NULL),"
    " ('person','phone','psb','text',false,false,NULL),('person','born_on','psb','date',false,false,NULL)",
    "INSERT INTO exchange.department (id, name, uscc) SELECT d, d, d FROM unnest('{civil,psb}'::text[]) AS d",
    "INSERT INTO exchange.resource (code, title, provider, kind, register, share_type, update_cycle, fields)"
    " SELECT 'R/person','人口','psb','register','person',2,'realtime',jsonb_agg(jsonb_build_object('id', f.field))"
    " FROM registers.field f",
)
GRANT = (
    "INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, basis, methods, per_day, starts, expires) VALUES"
    " ('civil','R/person','{name,phone,born_on}','测速','x:1','{subscribe,bulk}',100000,current_date,current_date+9) RETURNING id"
)


class Consumer:
    """Counts events; a dead one takes the connection and never answers."""

    def __init__(self, dead: bool = False) -> None:
        self.dead = dead
        self.events = 0
        self.bytes = 0

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.host = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                if self.dead:
                    await asyncio.sleep(3600)
                self.bytes += length
                self.events += len(json.loads(body)) if body[:1] == b"[" else 1
                writer.write(b"HTTP/1.1 204 OK\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()


def citizen(n: int) -> str:
    """The n-th invented citizen number, with its check digit (GB 11643); thirty million of them."""
    day = date(1930, 1, 1) + timedelta(days=n // 999 % 30_000)
    stem = f"320213{day:%Y%m%d}{n % 999 + 1:03d}"
    total = sum(
        w * int(d) for w, d in zip((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), stem, strict=True)
    )
    return stem + "10X98765432"[total % 11]


async def load(server: Server, first: int, count: int) -> None:
    """Invented people, absorbed as a delivery."""
    loader = await connect(server.dsn(LOADER))
    try:
        for start in range(first, first + count, 10_000):
            batch = uuid.uuid4()
            columns = ["load", "line", "register", "key", "source", "source_date", "data"]
            day = SystemNow().today()
            rows: list[Any] = []
            for n in range(start, min(start + 10_000, first + count)):
                values = {
                    "citizen_id": citizen(n),
                    "name": f"演示{n}",
                    "phone": f"138{n:08d}",
                    "born_on": "1950-01-02",
                }
                rows.append((batch, n, "person", values["citizen_id"], "psb", day, values))
            await loader.copy_records_to_table(
                "intake", schema_name="registers", columns=columns, records=rows
            )
            await loader.fetchval("SELECT registers.absorb($1, '{}')", batch)
    finally:
        await loader.close()


DISPATCH = """
import asyncio, sys
from dizuo.engines.exchange import feeds
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import PrivateKey
from dizuo.foundation.store import open_pool

async def main():
    pool = await open_pool(sys.argv[1], min_size=2, max_size=8)
    key, now = PrivateKey.make("bench-1"), SystemNow()
    sender = feeds.WebhookSender(lambda _: key, feeds.Addresses(sys.argv[2].split(",")), now)
    await feeds.Dispatcher(pool, sender, now, "bench", interval=0.05).run(asyncio.Event())

asyncio.run(main())
"""


async def push(server: Server, events: int, consumers: int, batch: int, first: int) -> None:
    """Events to the living while one consumer is dead."""
    living, dead = [Consumer() for _ in range(consumers)], Consumer(dead=True)
    for one in (*living, dead):
        await one.open()
    pool = await open_pool(server.dsn(APP), min_size=1, max_size=4)
    owner = await connect(server.dsn(OWNER))
    try:
        for one in (*living, dead):
            grant = await owner.fetchval(GRANT)
            target = f"http://{one.host}/events"
            await feeds.subscribe(pool, "civil", grant, "webhook", target=target, batch=batch)
        await load(server, first, events)
        entries = await owner.fetchval("SELECT count(*) FROM ledger.entry")
        hosts = ",".join(one.host for one in (*living, dead))
        dispatcher = subprocess.Popen([sys.executable, "-c", DISPATCH, server.dsn(APP), hosts])
        try:
            while not any(one.events for one in living):
                await asyncio.sleep(0.005)
            began, had = time.perf_counter(), sum(one.events for one in living)
            while sum(one.events for one in living) < events * consumers:
                await asyncio.sleep(0.005)
            took = time.perf_counter() - began
        finally:
            dispatcher.kill()
            dispatcher.wait()
        made = await owner.fetchval("SELECT count(*) FROM ledger.entry") - entries
        rate = (events * consumers - had) / took
        size = sum(one.bytes for one in living) // sum(one.events for one in living)
        print(
            f"pushed, batch {batch:3}: {rate:8,.0f} events/s to {consumers} consumers and one dead; {made:,} ledger entries"
        )
        await owner.execute("SELECT exchange.feed_end(id, consumer, 'asked') FROM exchange.subscription")
        await bare(living[0], min(events, 2000), size, batch)
    finally:
        await owner.close()
        await pool.close()
        for one in (*living, dead):
            one.server.close()


async def bare(consumer: Consumer, events: int, size: int, batch: int) -> None:
    """The same bytes by the same client, and nothing else: the ceiling."""
    one = json.dumps({"x": "y" * max(1, size - 10)})
    body = one.encode() if batch == 1 else f"[{','.join([one] * batch)}]".encode()
    async with httpcore.AsyncConnectionPool() as http:
        began = time.perf_counter()
        for _ in range(max(1, events // batch)):
            headers = [("host", consumer.host), ("content-length", str(len(body)))]
            await http.request("POST", f"http://{consumer.host}/", headers=headers, content=body)
        took = time.perf_counter() - began
    print(
        f"  bare POSTs:       {max(1, events // batch) * batch / took:8,.0f} events/s, one after the other to one consumer"
    )


def bulk_process(dsn: str, grant: int, format: str, spool: str) -> None:
    """Make every part and look at it; prints rows, bytes, seconds, peak in MB."""

    async def all_parts() -> tuple[int, int]:
        pool = await open_pool(dsn, min_size=1, max_size=2)
        desk = feeds.BulkDesk(pool, Path(spool))
        bulk = await desk.start("civil", grant, format)  # type: ignore[arg-type]
        rows = size = part = 0
        final = False
        while not final:
            part += 1
            async with desk.part("civil", bulk.id, part) as made:
                while made.file.read(1 << 18):
                    pass
                await desk.sent(made, made.bytes)
                rows, size, final = rows + made.rows, size + made.bytes, made.final
        await pool.close()
        return rows, size

    began = time.perf_counter()
    rows, size = asyncio.run(all_parts())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps([rows, size, time.perf_counter() - began, peak]))


async def bulk(server: Server, first: int, records: int, folder: Path) -> None:
    await load(server, first, records)
    owner = await connect(server.dsn(OWNER))
    grant = await owner.fetchval(GRANT)
    await owner.execute("ANALYZE registers.record")
    await owner.close()
    for format in ("parquet", "arrow", "csv"):
        words = ["--only-bulk", server.dsn(APP), str(grant), format, str(folder / "spool")]
        told = subprocess.run(
            [sys.executable, __file__, *words], capture_output=True, text=True, check=True, timeout=1800
        )
        rows, size, took, peak = json.loads(told.stdout)
        print(
            f"bulk {format:8} {rows / took:8,.0f} rows/s, {rows:,} rows, {size / 2**20:.1f} MB, peak {peak} MB in the process"
        )


async def main(arguments: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp(prefix="dizuo-feeds-"))
    server = Server.start(folder)
    try:
        await migrate(server, [one for one in discover() if one.schema != "opendata"])
        owner = await connect(server.dsn(OWNER))
        for statement in PREPARE:
            await owner.execute(statement)
        await owner.close()
        for round, batch in enumerate((100, 1)):
            await push(server, arguments.events, arguments.consumers, batch, round * arguments.events)
        first = 2 * arguments.events
        for _ in range(2):  # twice as many the second time: does memory grow with them?
            await bulk(server, first, arguments.records, folder)
            first += arguments.records
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--only-bulk"]:
        bulk_process(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
    else:
        words = argparse.ArgumentParser(description=__doc__)
        words.add_argument("--events", type=int, default=2_000)
        words.add_argument("--consumers", type=int, default=4)
        words.add_argument("--records", type=int, default=50_000)
        os.environ.setdefault("PYTHONHASHSEED", "0")
        asyncio.run(main(words.parse_args()))
