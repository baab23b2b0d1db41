"""Deliveries standardised at once give what each gives alone, and nobody works on when the run was killed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from standard_sample import kinds, rows, sources, wuxi

from dizuo.engines.lake import standardising
from dizuo.engines.lake.standard import Outputs, Standardised
from dizuo.engines.lake.standardising import SMALL, Bench, Task, at_once, work

DELIVERED = dt.date(2026, 11, 22)
SOURCE = "credit"
# Says its workers' numbers once they are there, and waits to be killed.
STARTED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_standardising as here
if __name__ == "__main__":
    with here.begun(Path(sys.argv[2])) as futures:
        import multiprocessing
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(60)
"""


def task(folder: Path, raw: Path, number: int) -> Task:
    out = Outputs(*(folder / f"{number}" / f"{name}.parquet" for name in ("s", "m", "r", "f")))
    return Task(raw, SOURCE, out, DELIVERED)


def bench(folder: Path) -> Bench:
    return Bench("1GB", 1, folder / "spill", folder / "statements")


def landed(folder: Path) -> Path:
    declared = sources()[SOURCE]
    schema = pa.schema([(n, pa.int64() if n == "line" else pa.string()) for n in kinds(declared)])
    pq.write_table(pa.table(rows(declared, 60), schema=schema), folder / "raw.parquet")
    return folder / "raw.parquet"


def begun(
    folder: Path, workers: int = 2, of_rows: int = 60, count: int = 4
) -> AbstractContextManager[Mapping[int, Future[Standardised]]]:
    raw = landed(folder)
    tasks = {number: (task(folder, raw, number), of_rows) for number in range(count)}
    standards = wuxi()
    return at_once(tasks, standards.city, standards.ids.today, bench(folder), workers)


def told(made: Standardised) -> tuple[object, ...]:
    return made.rows, made.standard, made.rejected, made.mentions, dict(made.faults), made.rules, made.score


def test_at_once_or_alone_the_rows_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standardising, "_FEWEST", 2)
    with begun(tmp_path, count=2) as futures:
        made = {number: future.result() for number, future in futures.items()}
    alone = task(tmp_path, tmp_path / "raw.parquet", 9)
    expected = work(alone, wuxi(), bench(tmp_path))
    assert sorted(made) == [0, 1]
    assert expected.standard > 0
    for number in made:
        assert told(made[number]) == told(expected)
        out = task(tmp_path, alone.raw, number).out
        for one, other in ((out.standard, alone.out.standard), (out.mentions, alone.out.mentions)):
            assert sorted(map(str, pq.read_table(one).to_pylist())) == sorted(
                map(str, pq.read_table(other).to_pylist())
            )


@pytest.mark.parametrize(("workers", "of_rows", "count"), [(1, 60, 4), (2, SMALL + 1, 4), (2, 60, 3)])
def test_no_process_is_started_where_it_is_not_worth_it(
    tmp_path: Path, workers: int, of_rows: int, count: int
) -> None:
    with begun(tmp_path, workers, of_rows, count) as futures:
        assert futures == {}


def test_the_workers_of_a_killed_run_end(tmp_path: Path) -> None:
    script = tmp_path / "started.py"
    script.write_text(STARTED)
    run = subprocess.Popen(
        [sys.executable, str(script), str(Path(__file__).parent), str(tmp_path)],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert run.stdout is not None
        workers = [int(pid) for pid in run.stdout.readline().split()]
        assert len(workers) == 2
        run.kill()
        run.wait()
        deadline = time.monotonic() + 60
        while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [pid for pid in workers if alive(pid)]
    finally:
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        run.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Ended, and nobody has asked how.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
