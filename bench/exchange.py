"""What a lawful call between departments costs: signed, judged, entered and answered signed, against the same query naked.

    .venv/bin/python bench/exchange.py --seconds 4 --people 20000

Both go through the same server (granian, two workers, the real shell and routes) and ask for the same fields of the same
people. ``naked`` reads the record by its key and answers: no signature, no policy, no entry, no second step; nobody may in
production. The client is one process on the same cores; it signs every call and verifies every answer, as a department
does. Passes are interleaved. Printed, each beside the naked call:

1. closed loop, 1 to 64 callers, the next call when the last is answered: calls per second. At full load the latency of a
   closed loop is only the number of callers divided by the rate.
2. open rates, 500 and 1,000 calls a second offered at random moments whatever is still unanswered, latency from the moment
   at which a call was due: what signature, policy and entry add to p95 at a load that a city would have;
3. SM2, batches in subjects per second, and what one call costs in processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import datetime as dt
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dizuo.doors import data
from dizuo.engines.exchange import delivery
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import (
    ED25519,
    SM2,
    TAG_CALL,
    PrivateKey,
    PublicKey,
    content_digest,
    sign_request,
    verify_request,
    verify_response,
)
from dizuo.foundation.store import (
    APP,
    LOADER,
    OWNER,
    Server,
    connect,
    discover,
    migrate,
    open_pool,
)
from dizuo.web import Route, Shell, Site, WebRequest, build
from dizuo.web import json as json_answer

ROOT = Path(__file__).resolve().parents[1]
PLACE = "BENCH_EXCHANGE"
MOST_OPEN = 128
"""Connections over which calls come at an open rate; more than are unanswered at a rate that is kept up with."""
OPEN_RATES = (100, 250, 500, 1000)
QUERY, BATCH, NAKED = "/data/exchange/v1/query", "/data/exchange/v1/batch", "/data/exchange/v1/naked"
CITED = {
    "resource": "R/person",
    "matter": "newborn",
    "basis": "social:58",
    "case": "WX2026-000001",
    "fields": ["name", "sex", "birth_date"],
}
PREPARE = """
INSERT INTO registers.field (register, field, source, type, is_key, lookup, subject) VALUES
 ('person', 'citizen_id', 'psb', 'citizen_id', true, false, 'citizen_id'), ('person', 'name', 'psb', 'text', false, false, NULL),
 ('person', 'sex', 'psb', 'code', false, false, NULL), ('person', 'birth_date', 'psb', 'date', false, false, NULL);
INSERT INTO exchange.department (id, name, uscc) VALUES ('hrss', 'hrss', 'hrss');
INSERT INTO exchange.resource (code, title, provider, kind, register, share_type, update_cycle, fields)
SELECT 'R/person', 'person', 'psb', 'register', 'person', 2, 'realtime', jsonb_agg(jsonb_build_object('id', f.field)) FROM registers.field f;
INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires)
VALUES ('hrss', 'R/person', '{name,sex,birth_date}', '为参保人员发放社会保障卡', 'newborn', 'social:58', '{query,batch}', 1000000000,
        current_date, current_date + 30);
"""
FILL = """
INSERT INTO registers.intake (load, line, register, key, source, source_date, data)
SELECT $1, n, 'person', '32021319900101' || lpad(n::text, 4, '0'), 'psb', current_date, jsonb_build_object(
    'citizen_id', '32021319900101' || lpad(n::text, 4, '0'), 'name', '演示' || n, 'sex', '2', 'birth_date', '1990-01-01')
FROM generate_series($2::integer, $3::integer) AS n
"""
BARE = """
SELECT json_object_agg(f, json_build_array(r.data -> f, r.sources)) FROM registers.record r, unnest($2::text[]) AS f
WHERE r.register = 'person' AND r.key = $1 AND r.superseded_at IS NULL
"""


# ------------------------------------------------------------------------------------------------------ the server


async def _naked(request: WebRequest) -> Any:
    asked = msgspec.json.decode(await request.content())
    found = await request.app.state.bare.fetchval(BARE, asked["subject"]["citizen_id"], asked["fields"])
    return json_answer({**CITED, "ok": True, "records": [msgspec.Raw(found.encode())]})


@dataclasses.dataclass
class Behind:
    city: Any
    pool: Any
    data: Path
    now: Any


def application() -> Any:
    """One worker's application; where everything is stands in the environment."""
    from contextlib import asynccontextmanager

    place = json.loads(os.environ[PLACE])
    naked = Route("POST", NAKED, _naked, purpose="Read without any of it (bench only).", who="key")
    door = dataclasses.replace(data.DOOR, routes=(*data.DOOR.routes, naked))
    city = load_city(ROOT / "cities" / "wuxi")
    log = Path(os.devnull).open("w")  # noqa: SIM115

    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        app.state.bare = await open_pool(place["owner"], min_size=2, max_size=8)
        pool = await open_pool(place["app"], min_size=2, max_size=8)
        app.state.dizuo = Behind(city, pool, Path(place["data"]), SystemNow())
        yield
        app.state.bare.terminate()
        pool.terminate()

    site = Site("bench", "bench", "12345", demonstration=True, secure=False, version="1")
    return build(Shell((door,), site=site, secret=b"s" * 32, log=log), lifespan=lifespan)


def serve(port: int, workers: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces, Loops

    Granian(
        "exchange:application", address="127.0.0.1", port=port, interface=Interfaces.ASGI, workers=workers,
        factory=True, loop=Loops.uvloop, websockets=False, log_enabled=False,
    ).serve()  # fmt: skip


# ------------------------------------------------------------------------------------------------------ the client


class Client:
    """Keep-alive connections that sign and verify, one call in flight each."""

    def __init__(self, port: int, key: PrivateKey, people: int) -> None:
        self.port, self.key, self.people = port, key, people
        self.origin = f"http://127.0.0.1:{port}"
        self.server: dict[str, PublicKey] = {}
        self.failed = 0

    async def learn(self) -> None:
        """The server's public keys; waits until it serves."""
        for _ in range(200):
            try:
                status, _, body = await self._plain("GET", "/data/exchange/v1/keys")
            except OSError:
                status = 0
            if status == 200:
                self.server = {one["kid"]: PublicKey.from_jwk(one) for one in json.loads(body)["keys"]}
                return
            await asyncio.sleep(0.1)
        raise SystemExit("the server did not start")

    async def _plain(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        answer = await _answer(reader)
        writer.close()
        return answer

    def body(self, turn: int, subjects: int = 1) -> bytes:
        def number(n: int) -> dict[str, str]:
            return {"citizen_id": f"32021319900101{n % self.people + 1:04d}"}

        who = (
            {"subject": number(turn)}
            if subjects == 1
            else {"subjects": [number(turn + n) for n in range(subjects)]}
        )
        return msgspec.json.encode({**CITED, **who})

    async def run(self, path: str, callers: int, seconds: float, subjects: int = 1) -> list[float]:
        """Latencies in seconds of every call in that time, closed loop."""
        took: list[float] = []
        until = time.perf_counter() + seconds
        await asyncio.gather(*(self._caller(path, n, callers, until, took, subjects) for n in range(callers)))
        return took

    async def _caller(
        self, path: str, turn: int, step: int, until: float, took: list[float], subjects: int
    ) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.perf_counter() < until:
            begun = time.perf_counter()
            await self._call(reader, writer, path, self.body(turn, subjects))
            took.append(time.perf_counter() - begun)
            turn += step
        writer.close()

    async def _call(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes
    ) -> None:
        now = int(time.time())
        lines = [f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}", f"content-length: {len(body)}"]
        sent = None
        if path == NAKED:
            lines.append("content-type: application/json")
        else:
            sent = sign_request(self.key, "POST", self.origin + path, now=now, body=body)
            lines += [f"{name}: {value}" for name, value in sent.headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        status, headers, content = await _answer(reader)
        if status != 200:
            self.failed += 1
        elif sent is not None:
            verify_response(status, headers, content, sent, self.find, now=now)

    async def offered(self, path: str, rate: float, seconds: float) -> tuple[list[float], float]:
        """Latencies of calls that come at random moments, ``rate`` a second on average, each from when it was due; and how long all took."""
        idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        for _ in range(MOST_OPEN):
            idle.append(await asyncio.open_connection("127.0.0.1", self.port))
        free = asyncio.Semaphore(MOST_OPEN)
        took: list[float] = []
        moments, begun, due, turn = random.Random(7), time.perf_counter(), 0.0, 0
        under_way: set[asyncio.Task[None]] = set()

        async def one(due: float, turn: int) -> None:
            async with free:
                reader, writer = idle.pop()
                await self._call(reader, writer, path, self.body(turn))
                idle.append((reader, writer))
            took.append(time.perf_counter() - begun - due)

        while (due := due + moments.expovariate(rate)) < seconds:
            wait = begun + due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(one(due, turn))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            turn += 1
        await asyncio.gather(*under_way)
        whole = time.perf_counter() - begun
        for _, writer in idle:
            writer.close()
        return took, whole

    def find(self, id: str) -> PublicKey:
        return self.server[id]


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
    return (
        int(first.split(" ")[1]),
        headers,
        await reader.readexactly(int(headers.get("content-length", "0"))),
    )


# ------------------------------------------------------------------------------------------------------ the run


async def prepare(server: Server, people: int) -> dict[str, PrivateKey]:
    """Structure, people, a grant, and a registered key of each algorithm."""
    await migrate(server, discover())
    owner, loader = await connect(server.dsn(OWNER)), await connect(server.dsn(LOADER))
    await owner.execute(PREPARE)
    for low in range(1, people + 1, 5000):
        load = uuid.uuid4()
        await owner.execute(FILL, load, low, min(low + 4999, people))
        await loader.fetchval("SELECT registers.absorb($1, '{}')", load)
    await owner.execute("VACUUM ANALYZE")
    now, keys = SystemNow()(), {}
    for algorithm in (ED25519, SM2):
        made = PrivateKey.make("new", algorithm)
        id = await delivery.add_signing_key(
            loader, "hrss", made.public, now - dt.timedelta(days=1), now + dt.timedelta(days=1), "bench"
        )
        keys[algorithm] = PrivateKey(id, algorithm, made.secret, made.public.raw)
    await owner.close()
    await loader.close()
    return keys


def line(name: str, callers: int, took: list[float], seconds: float, times: int = 1) -> tuple[float, float]:
    """Print one pass; gives its rate and p95 in milliseconds."""
    p50, p95 = statistics.median(took) * 1000, sorted(took)[int(len(took) * 0.95)] * 1000
    rate = len(took) * times / seconds
    print(f"{name:14} {callers:3} callers {rate:9.0f}/s  p50 {p50:7.2f} ms  p95 {p95:7.2f} ms", flush=True)
    return rate, p95


def processor(server: Server, web: int) -> tuple[float, float]:
    """Seconds of processor time so far: the database's processes, the web server's."""
    spent: list[float] = []
    for pid in (server.pid, web):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ticks = [int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in children]
        spent.append(sum(ticks) / 1e9)
    return spent[0], spent[1]


async def passes(
    client: Client,
    sm2: Client,
    seconds: float,
    spent: Callable[[], tuple[float, float]],
    callers_of: Sequence[int],
) -> None:
    await client.run(QUERY, 8, 1.0)  # connections, caches, plans
    await client.run(NAKED, 8, 0.5)
    for callers in callers_of:
        rounds: dict[str, list[float]] = {"naked": [], "signed": []}
        cost = [0.0, 0.0, 0.0]
        for _ in range(2):
            rounds["naked"] += await client.run(NAKED, callers, seconds / 2)
            before, own = spent(), time.process_time()
            rounds["signed"] += await client.run(QUERY, callers, seconds / 2)
            after = spent()
            cost = [
                cost[0] + after[0] - before[0],
                cost[1] + after[1] - before[1],
                cost[2] + time.process_time() - own,
            ]
        bare = line("naked", callers, rounds["naked"], seconds)
        whole = line("signed", callers, rounds["signed"], seconds)
        each = [f"{one / len(rounds['signed']) * 1e6:.0f}" for one in cost]
        print(
            f"{'':20} added p95 {whole[1] - bare[1]:.2f} ms, {whole[0] / bare[0]:.2f} of the naked rate;"
            f" µs of processor a call: database {each[0]}, server {each[1]}, client {each[2]}"
        )
    for rate in OPEN_RATES:
        bare, _ = await client.offered(NAKED, rate, seconds)
        before, own = spent(), time.process_time()
        whole, lasted = await client.offered(QUERY, rate, seconds)
        cost = sum(spent()) - sum(before) + time.process_time() - own
        p95 = [sorted(one)[int(len(one) * 0.95)] * 1000 for one in (bare, whole)]
        kept = "" if lasted < seconds + 1 else f"; NOT KEPT UP WITH: {len(whole) / lasted:.0f}/s"
        print(
            f"signed, offered {rate:5}/s  p50 {statistics.median(whole) * 1000:7.2f} ms  p95 {p95[1]:7.2f} ms  naked p95 {p95[0]:7.2f} ms"
            f"  added p95 {p95[1] - p95[0]:.2f} ms; {cost / lasted:.2f} cores{kept}",
            flush=True,
        )
    await sm2.run(QUERY, 2, 0.5)
    for callers in (8, 32):
        line("SM2", callers, await sm2.run(QUERY, callers, seconds), seconds)
    for size in (100, 1000):
        line(f"batch of {size}", 2, await client.run(BATCH, 2, seconds, size), seconds, size)
    if client.failed or sm2.failed:
        print(f"NOT ANSWERED: {client.failed + sm2.failed}")


class _Message:
    """A request as http-message-signatures takes it."""

    def __init__(self, url: str, body: bytes) -> None:
        self.method, self.url, self.headers = "POST", url, {"content-type": "application/json"}
        self.headers["content-digest"] = content_digest(body)


def signatures(times: int = 1000) -> None:
    """Microseconds to sign and to verify one call: ours of both algorithms, and another implementation of RFC 9421."""
    from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms
    from http_message_signatures.resolvers import MappingKeyResolver

    url, body, now = f"http://127.0.0.1:8043{QUERY}", msgspec.json.encode(CITED), int(time.time())
    for algorithm in (ED25519, SM2):
        key = PrivateKey.make("bench.1", algorithm)
        count = times if algorithm == ED25519 else times // 10
        begun = time.process_time()
        for _ in range(count):
            sent = sign_request(key, "POST", url, now=now, body=body)
        half = time.process_time()
        for _ in range(count):
            verify_request("POST", url, sent.headers, body, lambda _, key=key: key.public, now=now)
        print(
            f"{algorithm:14} sign {(half - begun) / count * 1e6:6.0f} µs, verify {(time.process_time() - half) / count * 1e6:6.0f} µs"
        )
    raw = Ed25519PrivateKey.generate()
    keys = MappingKeyResolver(public_keys={"k": raw.public_key()}, private_keys={"k": raw})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    covered = ("@method", "@target-uri", "content-digest", "content-type")
    at = dt.datetime.now(dt.UTC)
    begun = time.process_time()
    for _ in range(times):
        message = _Message(url, body)
        signer.sign(
            message, key_id="k", created=at, expires=at + dt.timedelta(seconds=60), nonce="n" * 22, tag=TAG_CALL,
            covered_component_ids=covered, use_existing_digest=True,
        )  # fmt: skip
    half = time.process_time()
    for _ in range(times):
        verifier.verify(message, expect_tag=TAG_CALL, body=body)
    print(
        f"{'a library':14} sign {(half - begun) / times * 1e6:6.0f} µs, verify {(time.process_time() - half) / times * 1e6:6.0f} µs (ed25519)"
    )


async def checked(server: Server) -> None:
    """That it was no trick: what was delivered is what was entered."""
    owner = await connect(server.dsn(OWNER))
    read = await owner.fetchval("SELECT count(*) FROM ledger.entry WHERE kind = 'register.read'")
    used = await owner.fetchval("SELECT sum(used) FROM exchange.grant_used")
    print(f"entries {read}, metered {used}")
    await owner.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="of each pass")
    parser.add_argument("--people", type=int, default=9000, help="at most 9999")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32, 64], help="of the closed loop")
    parser.add_argument("--port", type=int, default=8043)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.port, given.workers)
        return
    signatures()
    folder = Path(tempfile.mkdtemp(prefix="dizuo-exchange-"))
    folder.chmod(0o755)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    with Server.start(folder) as server:
        keys = asyncio.run(prepare(server, given.people))
        delivery.ServerKeys(folder, "wuxi").signing(SM2, SystemNow()())
        place = {"owner": server.dsn(OWNER), "app": server.dsn(APP), "data": str(folder)}
        web = subprocess.Popen(
            [sys.executable, __file__, "--serve", "--port", str(given.port), "--workers", str(given.workers)],
            env={
                **os.environ,
                PLACE: json.dumps(place),
                "PYTHONPATH": os.pathsep.join([str(ROOT / "bench"), *sys.path]),
            },
        )
        try:
            # The load generator is not what is measured: the faster loop leaves more of the cores to what is.
            uvloop.run(measured(given, keys, lambda: processor(server, web.pid)))
            asyncio.run(checked(server))
        finally:
            web.terminate()
            web.wait(15)
    shutil.rmtree(folder, ignore_errors=True)


async def measured(
    given: argparse.Namespace, keys: dict[str, PrivateKey], spent: Callable[[], tuple[float, float]]
) -> None:
    clients: Callable[[str], Client] = lambda a: Client(given.port, keys[a], given.people)  # noqa: E731
    ed, sm2 = clients(ED25519), clients(SM2)
    await ed.learn()
    await sm2.learn()
    await passes(ed, sm2, given.seconds, spent, given.callers)


if __name__ == "__main__":
    main()
