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

from dizuo.engines.lake.golden import kept
from dizuo.engines.lake.golden.chain import FINISHED, records_of, touched_file
from dizuo.engines.lake.golden.fates import Fate, fates
from dizuo.engines.lake.golden.plan import Plan, plan_of
from dizuo.engines.lake.golden.records import make, numbers, records
from dizuo.engines.lake.golden.staging import Delivery, current, quoted, stage
from dizuo.engines.lake.golden.touched import touch
from dizuo.engines.lake.identity.mapped import identity_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dizuo.foundation.blueprint.model import City

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """One stage of a run: its name, how many rows it made, and its wall time in seconds."""

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class GoldenRun:
    """A finished run: the folder with ``<register>.parquet`` and ``fates/``, counts of records, what became of the rows.

    ``builds_on``: the run before it in the same folder, when this one holds only what it touched (`chain.records_of` reads all).
    ``sources``: those whose deliveries it was made of.
    """

    folder: Path
    records: dict[str, int]
    fates: tuple[Fate, ...]
    timings: tuple[Timing, ...]
    builds_on: str = ""
    sources: tuple[str, ...] = ()

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
    *,
    follows: Path | None = None,
    keep: Path | None = None,
) -> GoldenRun:
    """Make the golden records of every register that the sources of these deliveries feed.

    Shapes: ``identity`` is the identity map's file of everybody (record_id, cid, since; see `identity_map`); ``folder`` is this run's own; ``keep`` the file of
    what one run leaves to the next; ``follows`` the folder of the run before, beside this one: then only those are made anew whom
    this run touches, where what is kept allows it. Without it, and in every doubt, everything is.

    Errors: GoldenUnaccounted, duckdb.Error when a file is damaged; nothing is published in either case.
    """
    tell = progress or _silent
    mapped = identity_map(lake, identity)
    made_of = _made_of(city, deliveries, mapped.files, today)
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

    since = max(mapped.since, 0)
    kept.attach(lake, keep)
    try:
        said = kept.about(lake) if follows is not None and mapped.since >= 0 else None
        before = finished(follows) if follows is not None else None
        single: tuple[str, ...] | None = None
        if said and before and follows and kept.fits(said, plan, deliveries, follows, since):
            single = touch(lake, plan, deliveries, said, mapped, today)
            note("touched", sum(_count(lake, f"in_{source}") for source in plan.sources))
        only = single is not None and follows is not None
        if not only:
            kept.forget(lake)
            for source in plan.sources.values():
                counted = current(source, deliveries)
                stage(lake, plan, source, counted, mapped.everybody, today, f"kept.current_{source.id}")
                make(lake, f"in_{source.id}", f"SELECT * FROM kept.current_{source.id}", "VIEW")
                note(f"stage {source.id}", _count(lake, f"in_{source.id}"))
            numbers(lake, plan)
            note("numbers", _count(lake, "number_person"))
        made: dict[str, int] = {}
        for register in plan.registers:
            these = f"touched_k_{register.id}" if only else ""
            records(lake, plan, register, folder / f"{register.id}.parquet", these)
            made[register.id] = _count(lake, f"gold_{register.id}")
            note(f"gold {register.id}", made[register.id])
        if only and before and follows:
            for register in plan.registers:
                made[register.id] += before.records.get(register.id, 0) - _count(
                    lake, records_of(follows, register, f"touched_k_{register.id}")
                )
            _note_touched(lake, plan, folder)
            note("counted", sum(made.values()))
        became = fates(lake, plan, deliveries, folder / "fates")
        note("fates", sum(fate.rows for fate in became))
        base = follows.name if only and follows else ""
        run = GoldenRun(folder, made, became, tuple(timings), base, tuple(plan.sources))
        beside = folder / (FINISHED + ".part")
        beside.write_bytes(msgspec.json.encode(_Finished(made_of, run), enc_hook=str))
        os.replace(beside, folder / FINISHED)
        left = kept.described(plan, deliveries, folder.name, since, single)
        # A process that is killed here leaves a run that may be published and rows that are not its own: the next makes all anew.
        if only:
            kept.keep(lake, plan, left)
        else:
            kept.note(lake, left)
    finally:
        kept.detach(lake, keep)
    return run


def prepare(lake: duckdb.DuckDBPyConnection, plan: Plan, keep: Path) -> None:
    """What the next run would have to look for: called when everything is served. May be left out."""
    kept.attach(lake, keep)
    try:
        kept.look_for_twice(lake, plan)
    finally:
        kept.detach(lake, keep)


def finished(folder: Path) -> GoldenRun | None:
    """The run of a folder, when it was finished."""
    try:
        return msgspec.json.decode((folder / FINISHED).read_bytes(), type=_Finished, dec_hook=_path).run
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def abandon(run: GoldenRun) -> None:
    """A run that is not to be published: the next one of its number is made anew."""
    (run.folder / FINISHED).unlink(missing_ok=True)


def _note_touched(lake: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> None:
    (folder / "touched").mkdir(exist_ok=True, mode=0o700)
    for register in plan.registers:
        file = touched_file(folder, register.id)
        lake.execute(f"COPY touched_k_{register.id} TO {quoted(file)} (FORMAT parquet)")


def _made_of(city: City, deliveries: Sequence[Delivery], identity: Sequence[Path], today: dt.date) -> str:
    """What a run is made of: declarations, deliveries and the files of the identity map as they were written."""
    listed = [[d.source, d.id, d.period.isoformat(), d.told] for d in deliveries]
    mapped = [(file.stat().st_size, file.stat().st_mtime_ns) for file in identity]
    said = [city.version, today.isoformat(), listed, mapped]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _finished(folder: Path, made_of: str) -> GoldenRun | None:
    """The run in this folder when it was finished from the same; what is there otherwise is made anew."""
    try:
        kept = msgspec.json.decode((folder / FINISHED).read_bytes(), type=_Finished, dec_hook=_path)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if kept.made_of != made_of:
        (folder / FINISHED).unlink()
        return None
    return kept.run


def _path(_: type, said: str) -> Path:
    return Path(said)


def _count(lake: duckdb.DuckDBPyConnection, table: str, what: str = "count(*)") -> int:
    row = lake.execute(f"SELECT {what} FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _silent(_: str, __: int, ___: int) -> None:
    return None
