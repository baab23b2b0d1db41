"""Several small deliveries standardised at once: working their statements out is what takes the time, and one process does that
on one core. A large delivery keeps all cores busy by itself and gets the memory for itself.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final

from dizuo.engines.lake.standard import Outputs, Standardised, Standards, open_engine, standardise
from dizuo.foundation.blueprint.model import City

SMALL: Final = 50_000
"""Rows up to which a delivery is small."""
_FEWEST: Final = 4
"""Small deliveries from which processes of their own are worth their start."""


@dataclass(frozen=True, slots=True)
class Task:
    """One delivery to standardise: its rows as read, the source's id, where the files go, the last day it speaks of."""

    raw: Path
    source: str
    out: Outputs
    delivered: dt.date


@dataclass(frozen=True, slots=True)
class Bench:
    """What standardising is done with: memory as DuckDB writes it, threads, a folder to spill to, one for statements."""

    memory: str
    threads: int
    spill: Path
    statements: Path


def work(task: Task, standards: Standards, bench: Bench) -> Standardised:
    """Standardise one delivery. Errors: those of ``standardise``."""
    engine = open_engine(bench.memory, bench.threads, bench.spill)
    try:
        return standardise(
            task.raw, standards.city.sources[task.source], standards, task.out, task.delivered, engine, bench.statements
        )  # fmt: skip
    finally:
        engine.disconnect()


@contextmanager
def at_once(
    tasks: Mapping[int, tuple[Task, int]], city: City, today: dt.date, bench: Bench, workers: int
) -> Iterator[Mapping[int, Future[Standardised]]]:
    """The small ones of ``tasks`` (number → task, rows) under way in ``workers`` processes; none where that is not worth it.

    Whoever leaves waits for those under way and begins no more. Errors: BrokenProcessPool in the futures when a process was killed.
    """
    small = sorted((rows, number) for number, (_, rows) in tasks.items() if rows <= SMALL)
    if workers < 2 or len(small) < _FEWEST:
        yield {}
        return
    # Never a copy of this process: it has connections and threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(city, today, bench))
    try:
        yield {number: pool.submit(_work, tasks[number][0]) for number in _wide_first(small, tasks, city)}
    finally:
        pool.shutdown(cancel_futures=True)


def _wide_first(
    small: Sequence[tuple[int, int]], tasks: Mapping[int, tuple[Task, int]], city: City
) -> list[int]:
    """The widest source first, so that no process is left alone with it: columns cost more than rows here."""
    return sorted(
        (number for _, number in small),
        key=lambda number: (-len(city.sources[tasks[number][0].source].columns), number),
    )


_held: list[tuple[Standards, Bench]] = []


def _begin(city: City, today: dt.date, bench: Bench) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _held.append((Standards.of(city, today), bench))


def _end_with_parent() -> None:
    """Nobody goes on writing into files that the next run writes, when the run was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _work(task: Task) -> Standardised:
    standards, bench = _held[-1]
    return work(task, standards, bench)
