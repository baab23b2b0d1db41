"""The prefilled form page, and all pages of a signed-in visit, for parents with a newborn.

The form page is the dearest: session, draft, policy, lawful reads entered and durable, plan and HTML. A visit is VISIT,
each page as often as the others.

    .venv/bin/python bench/form_page.py [--people 2000] [--seconds 6] [--rounds 5] [--users 32]

Builds a small city in a folder of its own, serves it with two web processes, signs parents in and loads their form
pages. In the same run, interleaved, the ceilings: the same page bare (one statement that finds and fetches the same records,
the same template with the same facts; see form_ceiling.py), the same when the records' keys are told beforehand, the
framework's hello, the statement alone. Medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from ceilings import Figure, machine
from form_ceiling import PATH, statement_rate
from load import Measured, measure, request_bytes

from dizuo.settings import read_runtime

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
WORKERS = 2
VISIT = ("/", "/search?q=%E5%87%BA%E7%94%9F", "/matters/newborn", PATH, "/cases", "/me", "/me/data")
"""Home, search, guide, prefilled form, my cases, my account, who used my data."""
PARENTS = [f"parent-{n:02}" for n in range(1, 41)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], port: int, path: str, log: Path, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers on the port; told to stop at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **more}, start_new_session=True
        )
    try:
        for _ in range(1200):
            if process.poll() is not None:
                raise SystemExit(f"{command[:4]} ended: {log.read_text()[-2000:]}")
            try:
                if httpx.get(f"http://{HOST}:{port}{path}", trust_env=False, timeout=5).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.25)
        else:
            raise SystemExit(f"{command[:4]} did not answer: {log.read_text()[-2000:]}")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def signed_in(port: int, who: str) -> str | None:
    """The cookies of a demonstration parent whose form is filled; None when there is no such person or form."""
    base = f"http://{HOST}:{port}"
    with httpx.Client(base_url=base, trust_env=False, timeout=30) as client:
        hidden = dict(
            re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', client.get("/sign-in").text)
        )
        client.post("/sign-in", data={**hidden, "who": who}, headers={"Origin": base})
        if "dz_session" not in client.cookies:
            return None
        page = client.get(PATH)
        if page.status_code != 200 or 'name="a.' not in page.text:
            return None
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def processor_seconds() -> dict[int, tuple[int, str, float]]:
    """Every process: parent, command, processor time so far."""
    found: dict[int, tuple[int, str, float]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            stat = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        spent = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        found[int(folder.name)] = int(stat[1]), command, spent
    return found


def spent_by_kind(before: dict[int, tuple[int, str, float]], root: int) -> dict[str, float]:
    """Processor seconds since ``before`` of the processes below ``root``, by kind; and of this process."""
    spent: dict[str, float] = {}
    now = processor_seconds()
    for pid, (_, command, seconds) in now.items():
        up, mine = pid, False
        while up in now and up > 1:
            mine = mine or up == root
            up = now[up][0]
        if "postgres" in command.partition(" ")[0] or command.startswith("postgres"):
            kind = "database"
        elif pid == os.getpid():
            kind = "load"
        elif mine:
            kind = "clerk" if "dizuo.clerk" in command else "web"
        else:
            continue
        spent[kind] = spent.get(kind, 0.0) + seconds - before.get(pid, (0, "", 0.0))[2]
    return spent


async def load(
    port: int, path: str | tuple[str, ...], cookies: list[str], users: int, seconds: float
) -> Measured:
    paths = (path,) if isinstance(path, str) else path
    requests = [request_bytes(one, HOST, cookie) for cookie in cookies for one in paths]
    return await measure(HOST, port, requests, connections=users, seconds=seconds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=6.0, help="per pass")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=32, help="connections, each with one request in flight")
    options = parser.parse_args()
    print(machine())
    folder = Path(tempfile.mkdtemp(prefix="dizuo-form-"))
    data, port, bare_port = folder / "data", free_port(), free_port()
    command = [sys.executable, "-m", "dizuo.cli", "up", "--data", str(data), "--port", str(port)]
    command += [
        "--people",
        str(options.people),
        "--workers",
        str(WORKERS),
        "--city",
        str(ROOT / "cities" / "wuxi"),
    ]
    try:
        with running(command, port, "/health", folder / "up.log") as up:
            cookies = [cookie for who in ["lin", *PARENTS] if (cookie := signed_in(port, who))][:16]
            print(
                f"{options.people} residents, {len(cookies)} signed-in parents, {options.users} connections, {WORKERS} web processes"
            )
            ceiling = [sys.executable, str(ROOT / "bench" / "form_ceiling.py"), str(bare_port), str(WORKERS)]
            environment = {
                "DIZUO_RUNTIME": str(data / "runtime.json"), "BENCH_COOKIE": cookies[0], "PYTHONPATH": os.pathsep.join(sys.path),
            }  # fmt: skip
            with running(ceiling, bare_port, "/hello", folder / "bare.log", **environment) as bare:
                report(up, bare, port, bare_port, cookies, data, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(
    up: subprocess.Popen[bytes],
    bare: subprocess.Popen[bytes],
    port: int,
    bare_port: int,
    cookies: list[str],
    data: Path,
    options: argparse.Namespace,
) -> None:
    """All passes, interleaved, and what they say."""
    ours = Figure("form page", "pages/s")
    visit = Figure("pages of a signed-in visit", "pages/s")
    ceiling = Figure("the same page bare", "pages/s")
    told = Figure("the same page bare, all keys told beforehand", "pages/s")
    hello = Figure("hello of the framework", "pages/s")
    statement = Figure("the statement alone, one process", "calls/s")
    shares: list[float] = []
    shares_told: list[float] = []
    latencies: list[tuple[float, float]] = []
    on_visit: list[tuple[float, float]] = []
    spent: dict[str, list[float]] = {}
    runtime = read_runtime(data / "runtime.json")
    asyncio.run(load(port, PATH, cookies, options.users, 2.0))  # warm
    for path in ("/bare", "/told"):
        asyncio.run(load(bare_port, path, cookies, options.users, 1.0))
    size = 0
    for _ in range(options.rounds):
        before = processor_seconds()
        one = asyncio.run(load(port, PATH, cookies, options.users, options.seconds))
        pages = one.rate * one.seconds
        for kind, seconds in spent_by_kind(before, up.pid).items():
            spent.setdefault(kind, []).append(seconds / pages * 1000)
        if one.failed:
            raise SystemExit(f"{one.failed} of the answers were not pages")
        ours.values.append(one.rate)
        latencies.append((one.p50, one.p95))
        size = one.size
        walk = asyncio.run(load(port, VISIT, cookies, options.users, options.seconds))
        if walk.failed:
            raise SystemExit(f"{walk.failed} answers of the visit were not pages")
        visit.values.append(walk.rate)
        on_visit.append((walk.p50, walk.p95))
        two = asyncio.run(load(bare_port, "/bare", cookies, options.users, options.seconds / 2))
        ceiling.values.append(two.rate)
        shares.append(one.rate / two.rate)
        known = asyncio.run(load(bare_port, "/told", cookies, options.users, options.seconds / 2))
        told.values.append(known.rate)
        shares_told.append(one.rate / known.rate)
        hello.values.append(asyncio.run(load(bare_port, "/hello", cookies, options.users, 2.0)).rate)
        statement.values.append(asyncio.run(statement_rate(runtime, cookies[0], 16, 2.0)))
    for figure in (ours, visit, ceiling, told, hello, statement):
        print(figure.line(None if figure is ours else ours))
    middle = sorted(latencies)[len(latencies) // 2]
    print(f"form page: p50 {middle[0]:.1f} ms, p95 {middle[1]:.1f} ms, {size:,} bytes of HTML")
    walked = sorted(on_visit)[len(on_visit) // 2]
    print(f"a visit ({len(VISIT)} pages): p50 {walked[0]:.1f} ms, p95 {walked[1]:.1f} ms")
    each = ", ".join(f"{kind} {sorted(values)[len(values) // 2]:.2f} ms" for kind, values in spent.items())
    print(f"processor time a page: {each}")
    print(f"form page / the same page bare: {sorted(shares)[len(shares) // 2]:.2f}")
    print(
        f"form page / bare when all keys are told beforehand: {sorted(shares_told)[len(shares_told) // 2]:.2f}"
    )
    print(
        json.dumps(
            {
                "form": ours.median,
                "visit": visit.median,
                "bare": ceiling.median,
                "share": sorted(shares)[len(shares) // 2],
            }
        )
    )


if __name__ == "__main__":
    main()
