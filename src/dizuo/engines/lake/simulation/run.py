"""Makes a folder of deliveries: blocks apart in worker processes, then each delivery put together.

The same city folder, people, seed, day and days give the same bytes, whatever the number of workers.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from dizuo.engines.lake.simulation.blocks import Delivering, Written, deliveries, write_block
from dizuo.engines.lake.simulation.cast import company, write_cast
from dizuo.engines.lake.simulation.errors import FolderInUse, NothingToSimulate, SimulationTooLarge
from dizuo.engines.lake.simulation.manifest import (
    MANIFEST,
    DeliveredFile,
    SourcesManifest,
    TruthFile,
    write,
)
from dizuo.engines.lake.simulation.merging import EXTENSIONS, put_together, put_truth, sha256_of
from dizuo.engines.lake.simulation.numbers import MOST_BLOCKS
from dizuo.engines.lake.simulation.people import BLOCK, Plan
from dizuo.engines.lake.simulation.places import Places
from dizuo.engines.lake.simulation.sources import MAKERS
from dizuo.foundation.blueprint.model import City

MOST_DAYS = 366
P = ParamSpec("P")
T = TypeVar("T")
_PARTS = ".parts"
# The parts come first: an interrupted folder is known by them.
_ROOMS = (_PARTS, "deliveries", "truth")
Tell = Callable[[str, int, int], None]
"""Told (what, done, total) now and then."""

_city: City | None = None
_places: Places | None = None


def simulate_sources(
    city: City,
    out: Path,
    *,
    people: int,
    seed: int,
    day: dt.date,
    days: int = 0,
    snapshots: bool = False,
    block: int = BLOCK,
    workers: int = 2,
    cast: bool = False,
    tell: Tell | None = None,
) -> SourcesManifest:
    """Write all declared sources' deliveries of an invented city, with the truth about every mention, into `out`.

    Shapes: `people` living residents on `day`, then `days` daily deliveries of changes (with `snapshots` full ones
    where a source is declared so); `deliveries/<source>/…`, `truth/<source>.<day>.parquet`, manifest.json last. At most
    `block` people are made at once in each of the `workers`; with `cast` the named characters of the demonstration are
    among them. Errors: NoTowns, SimulationTooLarge, NothingToSimulate,
    FolderInUse, OSError.
    """
    plan = Plan(people, seed, day, days, snapshots, block, cast)
    _check(city, plan)
    _empty(out)
    wanted = list(deliveries(plan, set(city.sources)))
    pool = _workers(city, workers)
    try:
        files, truths = _made(pool, plan, wanted, out, tell or _silent)
    finally:
        # After an interrupt nothing that waits is begun.
        pool.shutdown(cancel_futures=True)
    shutil.rmtree(out / _PARTS)
    files += _sent_again(files, plan)
    manifest = SourcesManifest(
        city=city.id,
        seed=seed,
        people=people,
        day=day,
        days=days,
        deliveries=tuple(files),
        truth=tuple(truths),
        demo=company(city, day).people if cast else (),
    )
    write(out, manifest)
    return manifest


def _made(
    pool: Executor, plan: Plan, wanted: list[Delivering], out: Path, tell: Tell
) -> tuple[list[DeliveredFile], list[TruthFile]]:
    """All blocks written, then all deliveries put together; in the order of `wanted`."""
    counts: dict[str, list[int]] = {one.name: [0, 0] for one in wanted}
    futures: list[Future[list[Written]]] = [
        pool.submit(_block, plan, block, out / _PARTS) for block in range(plan.parts)
    ]
    for done, future in enumerate(as_completed(futures), 1):
        for written in future.result():
            counts[written.name][0] += written.rows
            counts[written.name][1] += written.mentions
        tell("生成来源数据", min(done * plan.block, plan.people), plan.people)
    # The largest first, so that no worker is left alone with it.
    order = sorted(wanted, key=lambda one: (-counts[one.name][0], one.name))
    merged = {one.name: pool.submit(_merge, one, plan, out, *counts[one.name]) for one in order}
    files: list[DeliveredFile] = []
    truths: list[TruthFile] = []
    for done, one in enumerate(wanted, 1):
        delivered, truth = merged[one.name].result()
        files.append(delivered)
        truths.append(truth)
        tell("合成交付文件", done, len(wanted))
    return files, truths


def _check(city: City, plan: Plan) -> None:
    most = MOST_BLOCKS * plan.block
    if not 1 <= plan.people <= most:
        raise SimulationTooLarge("people", what="人口", count=plan.people, least=1, most=most)
    if not 0 <= plan.days <= MOST_DAYS:
        raise SimulationTooLarge("days", what="后续天数", count=plan.days, least=0, most=MOST_DAYS)
    if not set(MAKERS) & set(city.sources):
        raise NothingToSimulate(city=city.name.zh)


def _empty(out: Path) -> None:
    """Make the folder's rooms anew; only a folder that this simulator filled, or began to fill, is cleared."""
    ours = (out / MANIFEST).is_file() or (out / _PARTS).is_dir()
    for room in _ROOMS:
        if (out / room).exists():
            if not ours:
                raise FolderInUse(folder=out.name, room=room)
            shutil.rmtree(out / room)
    (out / MANIFEST).unlink(missing_ok=True)
    for room in _ROOMS:
        (out / room).mkdir(parents=True)


class _Here(Executor):
    """One worker: this process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def _workers(city: City, workers: int) -> Executor:
    if workers <= 1:
        _start(city)
        return _Here()
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(city,))


def _begin(city: City) -> None:
    # An interrupt is for the process that waits: it lets blocks in hand be finished and begins no other.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _start(city)


def _start(city: City) -> None:
    global _city, _places
    _city, _places = city, Places(city)


def _block(plan: Plan, block: int, folder: Path) -> list[Written]:
    assert _city is not None
    assert _places is not None
    if block == plan.blocks:
        return write_cast(_city, plan, folder)
    return write_block(_city, _places, plan, block, folder)


def _merge(
    one: Delivering, plan: Plan, out: Path, rows: int, mentions: int
) -> tuple[DeliveredFile, TruthFile]:
    assert _city is not None
    source = _city.sources[one.source]
    how = source.delivery
    relative = Path("deliveries") / one.source / f"{one.date.isoformat()}.{EXTENSIONS[how.format]}"
    path = out / relative
    path.parent.mkdir(exist_ok=True)
    put_together(source, one, plan.parts, out / _PARTS, path)
    truth = out / "truth" / f"{one.name}.parquet"
    put_truth(one, plan.parts, out / _PARTS, truth)
    table = f"{how.table.schema}.{how.table.name}" if how.table is not None else ""
    delivered = DeliveredFile(
        source=one.source, department=source.department, delivery=one.date.isoformat(), day=one.date,
        arrives=one.date + dt.timedelta(days=one.arrives - one.day), path=relative.as_posix(), format=how.format,
        encoding=how.encoding if how.format == "csv" else "", delimiter=how.delimiter if how.format == "csv" else "",
        mode=how.mode if one.day == 0 or plan.snapshots else "changes", rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path),
        table=table, oddity=one.oddity,
    )  # fmt: skip
    told = TruthFile(
        source=one.source, delivery=one.date.isoformat(), path=f"truth/{truth.name}", rows=mentions,
        bytes=truth.stat().st_size, sha256=sha256_of(truth),
    )  # fmt: skip
    return delivered, told


def _sent_again(files: list[DeliveredFile], plan: Plan) -> list[DeliveredFile]:
    """Yesterday's file that a department sends once more: the licences of the first day after, on the second."""
    first, second = (plan.day + dt.timedelta(days=n) for n in (1, 2))
    if plan.days < 2:
        return []
    return [
        msgspec.structs.replace(
            file, arrives=second, delivery=f"{first.isoformat()}-again", oddity="the same file once more"
        )
        for file in files
        if file.source == "licences" and file.day == first
    ]


def _silent(_: str, __: int, ___: int) -> None:
    return None
