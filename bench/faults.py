"""Kill the web process and PostgreSQL at every step of a read and of a submission; then look what was kept.

    .venv/bin/python bench/faults.py --runs 3000        # thousands of kills; a short form runs in ./test

What is held: every value that a client received has its entry on disk, about that case and with that field; every
application that was acknowledged is there; the ledger verifies. A control (``--control``) acknowledges without
waiting for the disk and must be caught, so that a clean result means something.

Processes are real: a worker that reads and submits (fault_worker.py) and an embedded PostgreSQL, both killed with
SIGKILL, the database with all its children at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import pickle
import random
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from dizuo.engines.lake import demo_subjects
from dizuo.engines.lake.demonstrate import demonstrate
from dizuo.engines.registers import publish
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.ledger import SigningKey, verify
from dizuo.foundation.store import APP, OWNER, SEALER, Server, connect, discover, migrate

ROOT = Path(__file__).resolve().parents[1]
ORIGIN = "dizuo.bench/faults"
SOURCES = ("hukou", "births", "marriage", "medical_insurance", "social_insurance", "real_estate")
# The log writer sleeps long, so that what was not flushed for a commit is not flushed by chance.
OPTIONS = {"shared_buffers": "64MB", "max_wal_size": "256MB", "wal_writer_delay": "10s"}
HOLD_COMMITS = """
CREATE FUNCTION public.hold_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared(4242); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hold_commit AFTER INSERT ON ledger.entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.first) EXECUTE FUNCTION public.hold_commit();
"""


@dataclass(frozen=True)
class Fault:
    """One way to die: while doing ``op``, at ``step``, this ``victim``."""

    op: str
    step: str
    victim: str


# random: nobody is held, the kill comes some milliseconds after the work was given.
STEPS = {
    "read": ("asking", "committing", "asked", "released", "answering", "answered", "random"),
    "submit": ("asking", "asked", "committing", "answering", "answered", "random"),
    "sly": ("answering", "answered", "random"),
}
FAULTS = tuple(
    Fault(op, step, victim)
    for op, steps in STEPS.items()
    for step in steps
    for victim in ("web", "postgres", "both")
    if not (op == "sly" and victim == "web")
)


@dataclass
class Findings:
    """What the runs showed. ``unlogged`` and ``lost`` must stay empty."""

    runs: int = 0
    reads: int = 0
    values: int = 0
    receipts: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    unlogged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    careless_kept: int = 0
    careless_lost: int = 0

    @property
    def clean(self) -> bool:
        return not self.unlogged and not self.lost

    def __str__(self) -> str:
        return (
            f"{self.runs} kills: {self.reads} answered reads with {self.values} values, {self.receipts} receipts; "
            f"unlogged releases {len(self.unlogged)}, acknowledged and lost {len(self.lost)}"
        )


class Client:
    """A worker process and everything a client received from it."""

    def __init__(self, folder: Path) -> None:
        kept = {"PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR"}
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "bench" / "fault_worker.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "worker.log").open("ab"),
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name in kept},
            start_new_session=True,
        )
        self.received: list[dict[str, Any]] = []
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        assert self.process.stdout is not None
        self._out = self.process.stdout.fileno()
        self._selector.register(self._out, selectors.EVENT_READ)
        if not self.wait(lambda line: "ready" in line, 60):
            raise RuntimeError((folder / "worker.log").read_text()[-2000:])

    def give(self, **line: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps(line) + "\n").encode())
        self.process.stdin.flush()

    def wait(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> bool:
        """Receive until a line is wanted; False when it does not come in time."""
        end = time.monotonic() + seconds
        while True:
            for line in self._lines(max(0.0, end - time.monotonic())):
                self.received.append(line)
                if wanted(line):
                    return True
            if time.monotonic() >= end or not self.alive:
                return False

    def drain(self) -> list[dict[str, Any]]:
        """Everything received so far, also what lies in the pipe of a dead worker: a client would have it."""
        while lines := list(self._lines(0.02)):
            self.received += lines
        received, self.received = self.received, []
        return received

    def _lines(self, seconds: float) -> Iterator[dict[str, Any]]:
        if b"\n" not in self._buffer and self._selector.select(seconds):
            self._buffer += os.read(self._out, 1 << 20)
        while b"\n" in self._buffer:
            raw, self._buffer = self._buffer.split(b"\n", 1)
            yield json.loads(raw)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


class Bench:
    """An installation of its own in a folder: server, small invented city, worker."""

    def __init__(self, folder: Path, people: int = 150) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        self.server = Server.start(self.data, options=OPTIONS)
        try:
            self._fill(people)
        except BaseException:
            self._put_away()
            raise
        self.findings = Findings()
        self._ids = itertools.count(1)
        self._chance = random.Random(2026)

    def _fill(self, people: int) -> None:
        folder = self.folder
        asyncio.run(migrate(self.server, discover()))
        city = load_city(ROOT / "cities" / "wuxi")
        asyncio.run(self._publish(city))
        # Only what the newborn's parents are known by: the other sources would take longer than the faults.
        known = {name: city.sources[name] for name in SOURCES}
        manifest, _ = asyncio.run(
            demonstrate(
                self.server, msgspec.structs.replace(city, sources=known), self.data, folder / "deliveries",
                people=people, seed=2026, day=date(2026, 11, 23), workers=1,
            )
        )  # fmt: skip
        ids = demo_subjects(self.server, manifest.demo)
        self.parents = [ids[p.citizen_id] for p in manifest.demo if p.key in {"lin", "wang", "single"}]
        setup = {
            "app": self.server.dsn(APP),
            "sealer": self.server.dsn(SEALER),
            "data": self.data,
            "city": city,
        }
        (folder / "setup.pkl").write_bytes(pickle.dumps(setup))
        with self._owner() as owner:
            owner.execute(HOLD_COMMITS)
        self.client = Client(folder)

    async def _publish(self, city: Any) -> None:
        connection = await connect(self.server.dsn(OWNER))
        await publish(connection, city)
        await connection.close()

    def _owner(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.server.dsn(OWNER), autocommit=True)

    def close(self) -> None:
        self.client.kill()
        self._put_away()

    def _put_away(self) -> None:
        self.server.stop()
        self.server.close()
        Server.remove(self.data)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ------------------------------------------------------------------ one run

    def run(self, fault: Fault) -> None:
        """Give work, reach the step, kill, start again, look."""
        gate: psycopg.Connection[Any] | None = None
        if fault.step == "committing":
            gate = self._owner()
            gate.execute("SELECT pg_advisory_lock(4242)")
        held = next(self._ids)
        with self._owner() as owner:
            owner.execute("DELETE FROM cases.occasion")  # so that the same parents may apply in every run
        for _ in range(4):
            self._give(next(self._ids), "read")
        if fault.op != "submit" and gate is None:
            # A receipt that was given a moment before everything dies. (Beside a held submission nobody else
            # submits: a child is applied for once at a time.)
            before = next(self._ids)
            self._give(before, "submit")
            self.client.wait(lambda line: line.get("id") == before, 60)
        self._give(held, fault.op, None if fault.step in {"committing", "answered", "random"} else fault.step)
        self._reach(fault, held, gate)
        received = self._kill(fault.victim)
        if gate is not None:
            gate.close()
        self._start_again(fault.victim)
        self._look(fault, [*received, *self.client.drain()])
        self.findings.runs += 1

    def _give(self, id_: int, op: str, hold: str | None = None) -> None:
        self.client.give(id=id_, op=op, person=self._chance.choice(self.parents), hold=hold)

    def _reach(self, fault: Fault, held: int, gate: psycopg.Connection[Any] | None) -> None:
        if fault.step == "random":
            time.sleep(self._chance.uniform(0, 0.04))
        elif gate is not None:
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242 AND NOT granted"
            )
            end = time.monotonic() + 20
            while not gate.execute(waiting).fetchall()[0][0]:
                if time.monotonic() > end:
                    raise RuntimeError(f"{fault}: nobody came to commit")
                time.sleep(0.002)
        elif not self.client.wait(lambda line: line.get("id") == held, 90):
            log = (self.folder / "worker.log").read_text()[-2000:]
            raise RuntimeError(f"{fault}: the step was not reached\n{log}")
        elif "error" in self.client.received[-1]:
            raise RuntimeError(f"{fault}: the step was not reached: {self.client.received[-1]['error']}")

    def _kill(self, victim: str) -> list[dict[str, Any]]:
        """Kill, and give what had been received from a web process that died."""
        if victim in {"postgres", "both"}:
            kill_tree(self.server.pid)
        if victim == "postgres":
            return []
        self.client.kill()
        return self.client.drain()

    def _start_again(self, victim: str) -> None:
        if victim in {"postgres", "both"}:
            self.server.close()
            self.server = Server.start(self.data, options=OPTIONS)
        if victim in {"web", "both"}:
            self.client = Client(self.folder)
            return
        # The web process outlived its database: it must find it again by itself.
        end = time.monotonic() + 90
        while time.monotonic() < end:
            check = next(self._ids)
            self._give(check, "read")
            if self.client.wait(lambda line, check=check: line.get("id") == check, 15) and (
                "facts" in self.client.received[-1]
            ):
                return
            time.sleep(0.05)
        raise RuntimeError(
            f"the web process did not find its database again: {self.client.received[-3:]}"
            + (self.folder / "worker.log").read_text()[-1500:]
        )

    # ------------------------------------------------------------------ looking

    def _look(self, fault: Fault, received: list[dict[str, Any]]) -> None:
        with self._owner() as owner:
            for line in received:
                if "facts" in line:
                    self._look_at_read(owner, fault, line)
                elif "number" in line:
                    self._look_at_receipt(owner, fault, line)
                elif "careless" in line:
                    row = owner.execute(
                        "SELECT 1 FROM ledger.entry WHERE id = %s AND body ->> 'run' = %s",
                        [line["careless"], str(line["id"])],
                    ).fetchone()
                    self.findings.careless_kept += row is not None
                    self.findings.careless_lost += row is None
                elif "error" in line:
                    self.findings.errors[line["error"]] += 1

    def _look_at_read(self, owner: psycopg.Connection[Any], fault: Fault, line: dict[str, Any]) -> None:
        ids = sorted({entry for _, entry in line["facts"].values()})
        rows = owner.execute(
            "SELECT id, body, payload FROM ledger.entry WHERE id = ANY (%s) AND kind = 'register.read'", [ids]
        ).fetchall()
        entries = {row[0]: row for row in rows}
        for name, (_, entry) in line["facts"].items():
            party, _, fact = name.partition(".")
            row = entries.get(entry)
            entered = row and (row[1]["party"], row[2]["case"]) == (party, line["case"])
            if not entered or fact not in row[1]["fields"]:
                self.findings.unlogged.append(f"{fault}: {name} was released; entry {entry} does not say so")
        self.findings.reads += 1
        self.findings.values += len(line["facts"])

    def _look_at_receipt(self, owner: psycopg.Connection[Any], fault: Fault, line: dict[str, Any]) -> None:
        row = owner.execute("SELECT 1 FROM cases.application WHERE number = %s", [line["number"]]).fetchone()
        if row is None:
            self.findings.lost.append(f"{fault}: {line['number']} was acknowledged and is gone")
        self.findings.receipts += 1

    def control(self, tries: int = 20) -> None:
        """Acknowledgements that did not wait for the commit: at least one must be lost, and seen to be."""
        for _ in range(tries):
            id_ = next(self._ids)
            self._give(id_, "careless")
            self.client.wait(lambda line, id_=id_: line.get("id") == id_, 20)
            kill_tree(self.server.pid)
            received = self.client.drain()
            self._start_again("postgres")
            self._look(Fault("careless", "answered", "postgres"), received)
            if self.findings.careless_lost:
                return

    def verify(self) -> Any:
        """The whole ledger held against its signed checkpoints."""

        async def check() -> Any:
            connection = await connect(self.server.dsn(OWNER))
            try:
                return await verify(connection, SigningKey.load(self.data, ORIGIN).public)
            finally:
                await connection.close()

        return asyncio.run(check())


def kill_tree(pid: int | None) -> None:
    """SIGKILL for the postmaster and all its children at the same moment, as when the machine stops."""
    if pid is None:
        raise RuntimeError("the server was not running")
    everybody = [
        pid,
        *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()),
    ]
    for one in everybody:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)  # a zombie of ours would look like a running server to the next one
    end = time.monotonic() + 20
    while any(_lives(one) for one in everybody):
        if time.monotonic() > end:
            raise RuntimeError("the server did not die")
        time.sleep(0.002)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument(
        "--control", action="store_true", help="first show that a careless acknowledgement is caught"
    )
    options = parser.parse_args()
    bench = Bench(Path(tempfile.mkdtemp(prefix="dizuo-faults-")))
    started = time.monotonic()
    try:
        if options.control:
            bench.control()
            print(f"control: {bench.findings.careless_lost} careless acknowledgement lost, and seen")
        for number, fault in zip(range(options.runs), itertools.cycle(FAULTS), strict=False):
            if time.monotonic() - started > options.seconds:
                break
            bench.run(fault)
            if number % 50 == 49:
                print(f"{time.monotonic() - started:7.0f} s  {bench.findings}", flush=True)
        report = bench.verify()
    finally:
        bench.close()
    print(f"{bench.findings}; {len(FAULTS)} ways to die; {time.monotonic() - started:.0f} s")
    print(f"ledger: {report.sealed} sealed, {report.pending} pending, problems {report.counts or 'none'}")
    for says, count in bench.findings.errors.most_common(8):
        print(f"told to clients while something was down, {count} times: {says}")
    for finding in [*bench.findings.unlogged, *bench.findings.lost][:20]:
        print("FOUND", finding)
    return 0 if bench.findings.clean and report.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
