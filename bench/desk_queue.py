"""The desk queue with a million cases: how long one page of it takes while sixteen officials work.

    .venv/bin/python bench/desk_queue.py --cases 1000000 --users 16 --seconds 10

Makes its own database with that many applications (a quarter of them open), then measures ``desk_queue``: a first page
with the counts of all four rails, a following page by cursor, and 我经手的. Printed beside ceilings of the same run: a
look-up of one application by its number, and ``SELECT 1``. Everything in the database is invented.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from dizuo.engines.cases import READS, Cases, desk_queue
from dizuo.engines.registers import Actor, Registers
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI, FrozenNow
from dizuo.foundation.policy import Policy
from dizuo.foundation.store import APP, OWNER, Pool, Server, connect, discover, migrate, open_pool


def database_seconds(server: Server) -> float:
    """Processor time of the postmaster's children so far."""
    pid = server.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in children) / 1e9


ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)

# (matter, item, step, department, power, level of its unit): the work that desks are filled with.
WORK = (
    ("newborn", "household", "review", "psb", "psb.household.decide", 9),
    ("newborn", "subsidy", "review", "health", "health.subsidy.decide", 6),
    ("newborn", "allowance", "review", "medical", "medical.maternity.decide", 6),
    ("newborn", "cost", "review", "medical", "medical.maternity.decide", 6),
    ("restaurant", "food", "review", "market", "market.food.decide", 6),
    ("restaurant", "visit", "visit", "market", "market.visit.decide", 6),
    ("restaurant", "sign", "review", "urban", "urban.sign.decide", 6),
    ("restaurant", "fire", "review", "fire", "fire.inspect.decide", 6),
)

APPLICATIONS = """
INSERT INTO cases.application (number, form_token, matter, matter_version, city_version, applicant, applicant_name,
    account, channel, given, place, title, state, promised, counts, plan_digest, submitted_at, ended_at, holder_name)
SELECT 'WX' || lpad(n::text, 14, '0'), 'bench:' || n, CASE WHEN n % 8 < 4 THEN 'newborn' ELSE 'restaurant' END, 'v', 'v', n % 400000,
    '演示' || n % 9973, n % 400000, 'online', '{}', ($3::text[])[1 + n % $4::int], '演示' || n % 9973 || '，演示数据',
    CASE WHEN n % 4 = 0 THEN 'running' ELSE 'done' END, $5::timestamptz + (n % 20 - 8) * interval '1 day',
    '{"asked": 5, "known": 40}', 'd', $5::timestamptz - (n % 365) * interval '1 day' - (n % 86400) * interval '1 second',
    CASE WHEN n % 4 = 0 THEN NULL ELSE $5::timestamptz - (n % 360) * interval '1 day' END, '演示' || n % 9973
FROM generate_series($1::bigint, $2::bigint) AS n
"""
ITEMS = """
INSERT INTO cases.item (application, id, position, department, unit, state, received_at, started_at, due_promise,
    due_statute, exceptions, ended_at)
SELECT a.id, w.item, 0, w.department, left(a.place, w.length), CASE WHEN a.ended_at IS NULL THEN 'reviewing' ELSE 'done' END,
    a.submitted_at, a.submitted_at, a.promised, a.promised + interval '20 days', '{one}', a.ended_at
FROM cases.application a
JOIN (SELECT (row_number() OVER () - 1)::int AS n, * FROM unnest($1::text[], $2::text[], $3::int[]) AS w (item, department, length)) w
  ON w.n = a.id % $4::int::int WHERE a.id BETWEEN $5::bigint AND $6::bigint
"""
TASKS = """
INSERT INTO cases.task (kind, application, item, step, department, unit, power, due, opened_at)
SELECT 'judge', i.application, i.id, w.step, i.department, i.unit, w.power, i.due_promise, i.started_at
FROM cases.item i JOIN unnest($1::text[], $2::text[], $3::text[]) AS w (item, step, power) ON w.item = i.id
WHERE i.ended_at IS NULL
"""
QUEUE = """
INSERT INTO cases.queue (power, rail, scope, due, task)
SELECT t.power, 'waiting', s.scope, t.due, t.id FROM cases.task t
CROSS JOIN LATERAL (SELECT DISTINCT left(t.unit, length) AS scope FROM unnest(ARRAY[0, 6, 9]) AS length
                    WHERE length <= length(t.unit)) s
"""
SUPERVISED = """
INSERT INTO cases.queue (power, rail, scope, due, task)
SELECT 'cases.supervise', 'supervised', s.scope, t.due, t.id FROM cases.task t
CROSS JOIN (SELECT unnest(ARRAY[0, 6]) AS length) AS l CROSS JOIN LATERAL (SELECT left(t.unit, l.length) AS scope) s
WHERE t.due < $1
"""
HANDLED = """
INSERT INTO cases.handled (official, application, item, at)
SELECT 'o-' || i.application % 2000, i.application, i.id, i.ended_at FROM cases.item i WHERE i.ended_at IS NOT NULL
"""


async def fill(owner: Any, city: City, cases: int) -> None:
    towns = sorted(code for code, division in city.divisions.items() if division.level == "town")
    step = 100_000
    for first in range(1, cases + 1, step):
        last = min(first + step - 1, cases)
        await owner.execute(APPLICATIONS, first, last, towns, len(towns), NOW)
        low, high = await owner.fetchrow(
            "SELECT min(id), max(id) FROM cases.application WHERE form_token = ANY($1)",
            [f"bench:{first}", f"bench:{last}"],
        )
        await owner.execute(
            ITEMS, [w[1] for w in WORK], [w[3] for w in WORK], [w[5] for w in WORK], len(WORK), low, high
        )
        print(f"\r  {last:,} applications", end="", flush=True)
    await owner.execute(TASKS, [w[1] for w in WORK], [w[2] for w in WORK], [w[4] for w in WORK])
    await owner.execute(QUEUE)
    await owner.execute(SUPERVISED, NOW)
    await owner.execute(HANDLED)
    await owner.execute(
        "VACUUM (ANALYZE) cases.application, cases.item, cases.task, cases.queue, cases.handled"
    )
    counts = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM cases.application) AS a, (SELECT count(*) FROM cases.task) AS t,"
        " (SELECT count(*) FROM cases.queue) AS q, (SELECT count(*) FROM cases.handled) AS h,"
        " pg_size_pretty(pg_database_size(current_database())) AS s"
    )
    print(
        f"\r  {counts['a']:,} applications, {counts['t']:,} open tasks, {counts['q']:,} queue rows,"
        f" {counts['h']:,} handled, {counts['s']}"
    )


def officials(city: City, count: int) -> list[tuple[Actor, ...]]:
    """Officials of every kind: joint reviewers of a district with five powers, stations of a town, supervisors."""
    random.seed(7)
    districts = sorted({code[:6] for code, d in city.divisions.items() if d.level == "town"})
    towns = sorted(code for code, d in city.divisions.items() if d.level == "town")
    joint = ("psb.household.decide", "health.subsidy.decide", "market.food.decide", "urban.sign.decide")
    kinds = [
        lambda n: Actor(
            "official",
            official=f"o-{n}",
            post="joint_reviewer",
            unit="district_service",
            place=random.choice(districts),
            name="演示",
            powers=joint,
        ),
        lambda n: Actor(
            "official",
            official=f"o-{n}",
            post="household_officer",
            unit="psb",
            place=random.choice(towns),
            name="演示",
            powers=("psb.household.decide", "psb.correct"),
        ),
        lambda n: Actor(
            "official",
            official=f"o-{n}",
            post="district_supervisor",
            unit="district_service",
            place=random.choice(districts),
            name="演示",
            powers=("cases.supervise",),
        ),
        lambda n: Actor(
            "official",
            official=f"o-{n}",
            post="insurance_officer",
            unit="medical",
            place="",
            name="演示",
            powers=("medical.maternity.decide",),
        ),
    ]
    return [(kinds[n % len(kinds)](n),) for n in range(count)]


async def measure(
    server: Server, name: str, work: Callable[[int], Awaitable[Any]], users: int, seconds: float
) -> tuple[float, float]:
    database, process = database_seconds(server), time.process_time()
    took: list[float] = []
    end = time.monotonic() + seconds

    async def user(number: int) -> None:
        turn = number
        while time.monotonic() < end:
            before = time.perf_counter()
            await work(turn)
            took.append(time.perf_counter() - before)
            turn += users

    began = time.monotonic()
    await asyncio.gather(*(user(n) for n in range(users)))
    rate = len(took) / (time.monotonic() - began)
    p95 = sorted(took)[int(len(took) * 0.95)] * 1000
    cpu = (database_seconds(server) - database, time.process_time() - process)
    each = "  ".join(
        f"{part} {used / len(took) * 1000:.2f}"
        for part, used in zip(("database", "process"), cpu, strict=True)
    )
    print(
        f"  {name:34} {rate:7,.0f}/s  p50 {statistics.median(took) * 1000:6.2f} ms  p95 {p95:6.2f} ms"
        f"  CPU ms each: {each}"
    )
    return rate, p95


async def run(server: Server, count: int, users: int, seconds: float) -> float:
    city = load_city(ROOT / "cities" / "wuxi")
    owner = await connect(server.dsn(OWNER), settings={"statement_timeout": "0", "synchronous_commit": "off"})
    await migrate(server, discover())
    began = time.monotonic()
    await fill(owner, city, count)
    print(f"  filled in {time.monotonic() - began:.0f} s")
    pool: Pool = await open_pool(server.dsn(APP), min_size=users, max_size=users)
    policy = Policy.from_city(city)
    cases = Cases(pool, city, Registers(pool, city, policy), policy, FrozenNow(NOW))
    people = officials(city, 400)

    shown: list[int] = []

    async def first(turn: int) -> None:
        shown.append(len((await desk_queue(cases, people[turn % len(people)])).rows))

    async def deep(turn: int) -> None:
        who, cursor = people[turn % len(people)], None
        for _ in range(1 + turn % 3):
            cursor = (await desk_queue(cases, who, cursor=cursor)).next
            if cursor is None:
                return

    async def supervised(turn: int) -> None:
        await desk_queue(cases, people[(turn // 4) * 4 % len(people) + 2], rail="supervised")

    async def mine(turn: int) -> None:
        await desk_queue(cases, people[turn % len(people)], rail="mine")

    async def one(turn: int) -> None:
        await pool.fetchrow(
            "SELECT title FROM cases.application WHERE number = $1", f"WX{turn % count + 1:014d}"
        )

    async def nothing(turn: int) -> None:
        await pool.fetchval("SELECT 1")

    for work in (first, one):
        await measure(server, "(warming up)", work, users, min(2.0, seconds))
    queue, p95 = await measure(server, "queue, first page and all counts", first, users, seconds)
    print(f"  rows on a first page: {statistics.mean(shown):.1f} of 25")
    await measure(server, "queue, up to three pages on", deep, users, seconds)
    await measure(server, "supervised", supervised, users, seconds)
    await measure(server, "handled by me", mine, users, seconds)
    point, _ = await measure(server, "ceiling: one application by number", one, users, seconds / 2)
    bare, _ = await measure(server, "ceiling: SELECT 1", nothing, users, seconds / 2)
    print(
        f"  ratio to one look-up {queue / point:.2f}, to SELECT 1 {queue / bare:.2f}; p95 target 50 ms: {p95:.1f} ms"
    )
    plan = await owner.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {READS['desk']}",
        ["psb.household.decide"],
        ["320213"],
        "waiting",
        datetime(1970, 1, 1, tzinfo=SHANGHAI),
        0,
        26,
        1000,
        ["o-1"],
    )
    scans = [row[0].strip() for row in plan if "Seq Scan" in row[0]]
    print(f"  sequential scans in its plan: {scans or 'none'}; {plan[-1][0]}")
    await pool.close()
    await owner.close()
    return p95


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )
    data = Path(tempfile.mkdtemp(prefix="dizuo-bench-queue-"))
    data.chmod(0o755)
    server = Server.start(data)
    try:
        asyncio.run(run(server, arguments.cases, arguments.users, arguments.seconds))
    finally:
        server.stop()
        Server.remove(data)
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
