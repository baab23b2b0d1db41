"""How long `dizuo simulate` takes, and how much memory: ``python bench/simulate.py --people 200000``.

Wall time of the two stages, rows per second, peak resident memory of all processes together (sampled every 100 ms;
pages that processes share are counted once each, so the sum is an upper bound), rows by source. Beside it, as the
ceiling, the rate at which this disk takes the same number of bytes written in order and synced.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from ceilings import machine

from dizuo.engines.lake.simulation import SourcesManifest, simulate_sources
from dizuo.foundation.blueprint import load_city

ROOT = Path(__file__).resolve().parents[1]
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Memory:
    """Samples the resident memory of this process and all that it started."""

    def __init__(self) -> None:
        self.peak = 0
        self.parts = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            resident = [_resident(pid) for pid in _family(os.getpid())]
            self.peak = max(self.peak, sum(resident))
            self.parts = max(self.parts, len(resident))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _family(root: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, rest = [], [root]
    while rest:
        pid = rest.pop()
        found.append(pid)
        rest += children.get(pid, [])
    return found


def write_ceiling(folder: Path, size: int) -> float:
    """Seconds to write and sync so many bytes in order."""
    piece = os.urandom(1 << 22)
    started = time.perf_counter()
    with (folder / "ceiling").open("wb") as out:
        for _ in range(size // len(piece) + 1):
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    taken = time.perf_counter() - started
    (folder / "ceiling").unlink()
    return taken


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=200_000)
    arguments.add_argument("--days", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=2026)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--out", type=Path, help="keep the deliveries here")
    given = arguments.parse_args()
    print(machine())
    out = given.out or Path(tempfile.mkdtemp(prefix="dizuo-simulate-"))
    city = load_city(ROOT / "cities" / "wuxi")
    turned: list[float] = []

    def tell(step: str, done: int, total: int) -> None:
        if step.startswith("生成") and done >= total:
            turned.append(time.perf_counter())

    with Memory() as memory:
        started = time.perf_counter()
        manifest = simulate_sources(
            city, out, people=given.people, seed=given.seed, day=dt.date(2026, 11, 23), days=given.days,
            workers=given.workers, tell=tell,
        )  # fmt: skip
        ended = time.perf_counter()
    report(manifest, started, turned[-1], ended, memory, out)
    if given.out is None:
        shutil.rmtree(out)


def report(
    manifest: SourcesManifest, started: float, turned: float, ended: float, memory: Memory, out: Path
) -> None:
    rows = sum(file.rows for file in manifest.deliveries)
    mentions = sum(file.rows for file in manifest.truth)
    size = sum(file.bytes for file in manifest.deliveries) + sum(file.bytes for file in manifest.truth)
    taken = ended - started
    print(f"people {manifest.people:,}  days {manifest.days}  deliveries {len(manifest.deliveries)}")
    print(f"rows {rows:,}  mentions {mentions:,}  bytes {size:,}")
    print(f"wall {taken:.1f} s = blocks {turned - started:.1f} s + putting together {ended - turned:.1f} s")
    print(f"rows/s {rows / taken:,.0f}")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(one.ru_utime + one.ru_stime for one in used)
    # On a busy machine this tells more than the clock: two free cores would need half of it at least.
    print(f"processor time of all processes {processor:.1f} s")
    print(f"peak resident of {memory.parts} processes {memory.peak / 2**20:,.0f} MiB")
    ceiling = write_ceiling(out, size)
    print(f"the same bytes written once and synced {ceiling:.1f} s (ratio {taken / ceiling:.1f})")
    first = Counter[str]()
    later = Counter[str]()
    for file in manifest.deliveries:
        (first if file.day == manifest.day else later)[file.source] += file.rows
    for source, count in first.items():
        print(f"  {source:20} {count:>12,}" + (f"  later {later[source]:>10,}" if later[source] else ""))


if __name__ == "__main__":
    main()
