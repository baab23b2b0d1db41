"""One run: from checked and linked deliveries to golden records on disk, and the fate of every row.

A run can be killed and repeated: tables are made anew, files appear whole or not at all, and nothing outside its folder
changes before ``publish_first`` or ``publish_changes``. A run that was finished is not made again from the same deliveries and
identities, so that a first load that was interrupted finds the very same files and goes on.
"""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names
from __future__ import annotations

import datetime as dt
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from dizuo.engines.lake.golden.fates import Fate, fates
from dizuo.engines.lake.golden.plan import plan_of
from dizuo.engines.lake.golden.records import numbers, records
from dizuo.engines.lake.golden.staging import Delivery, quoted, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dizuo.foundation.blueprint.model import City

_FINISHED = "run.json"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """One stage of a run: its name, how many rows it made, and its wall time in seconds."""

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class GoldenRun:
    """A finished run: the folder with ``<register>.parquet`` and ``fates/``, counts of records, what became of the rows."""

    folder: Path
    records: dict[str, int]
    fates: tuple[Fate, ...]
    timings: tuple[Timing, ...]

    def file(self, register: str) -> Path:
        return self.folder / f"{register}.parquet"


class _Finished(msgspec.Struct):
    """The last file that a run writes: until it is there, the run is not."""

    made_of: str
    run: GoldenRun


@contextmanager
def open_golden(
    work: Path, *, memory: str = "4GB", threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB for a run, with its tables in a file that is deleted afterwards: what does not fit into memory goes there."""
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = work / "golden.duckdb"
    for left in work.glob("golden.duckdb*"):
        if left.is_file():
            left.unlink()
    lake = duckdb.connect(str(file))
    try:
        lake.execute(f"SET memory_limit = '{memory}'")
        lake.execute(f"SET temp_directory = {quoted(work / 'spill')}")
        if threads is not None:
            lake.execute(f"SET threads = {threads}")
        yield lake
    finally:
        lake.close()
        file.unlink(missing_ok=True)


def build(
    lake: duckdb.DuckDBPyConnection,
    city: City,
    deliveries: Sequence[Delivery],
    identity: Path,
    folder: Path,
    today: dt.date,
    progress: Progress | None = None,
) -> GoldenRun:
    """Make the golden records of every register that the sources of these deliveries feed.

    Shapes: ``identity`` is the identity map (record_id, cid) as Parquet; ``folder`` is this run's own. Errors:
    GoldenUnaccounted, duckdb.Error when a file is damaged; nothing is published in either case.
    """
    tell = progress or _silent
    made_of = _made_of(city, deliveries, identity, today)
    done = _finished(folder, made_of)
    if done is not None:
        return done
    plan = plan_of(city, frozenset(d.source for d in deliveries))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    timings: list[Timing] = []
    began = time.monotonic()

    def note(name: str, rows: int) -> None:
        nonlocal began
        timings.append(Timing(name, rows, time.monotonic() - began))
        began = time.monotonic()
        tell(name, len(timings), 0)

    for source in plan.sources.values():
        stage(lake, plan, source, deliveries, identity, today)
        note(f"stage {source.id}", _count(lake, f"in_{source.id}"))
    numbers(lake, plan)
    note("numbers", _count(lake, "number_person"))
    made: dict[str, int] = {}
    for register in plan.registers:
        records(lake, plan, register, folder / f"{register.id}.parquet")
        made[register.id] = _count(lake, f"gold_{register.id}")
        note(f"gold {register.id}", made[register.id])
    became = fates(lake, plan, deliveries, folder / "fates")
    note("fates", sum(fate.rows for fate in became))
    finished = GoldenRun(folder, made, became, tuple(timings))
    beside = folder / (_FINISHED + ".part")
    beside.write_bytes(msgspec.json.encode(_Finished(made_of, finished), enc_hook=str))
    os.replace(beside, folder / _FINISHED)
    return finished


def _made_of(city: City, deliveries: Sequence[Delivery], identity: Path, today: dt.date) -> str:
    """What a run is made of: declarations, deliveries and the identity map as it was written."""
    map_file = identity.stat()
    listed = [[d.source, d.id, d.period.isoformat(), d.told] for d in deliveries]
    said = [city.version, today.isoformat(), listed, map_file.st_size, map_file.st_mtime_ns]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _finished(folder: Path, made_of: str) -> GoldenRun | None:
    """The run in this folder when it was finished from the same; what is there otherwise is made anew."""
    try:
        kept = msgspec.json.decode((folder / _FINISHED).read_bytes(), type=_Finished, dec_hook=_path)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if kept.made_of != made_of:
        (folder / _FINISHED).unlink()
        return None
    return kept.run


def _path(_: type, said: str) -> Path:
    return Path(said)


def _count(lake: duckdb.DuckDBPyConnection, table: str) -> int:
    row = lake.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _silent(_: str, __: int, ___: int) -> None:
    return None
