"""Statements as they were written once: working one out takes seconds, and it is the same every day but for the dates.

A delivery of three rows and one of five million take the same seconds of planning (expressions, then three hundred kilobytes of
SQL). A source that delivers every hour should not pay them every hour. The first time a statement is just written; when it is
wanted on another day its dates are found by writing it for two days that never were, and from then on they are only put in.

Nothing is believed: a template that does not give the very statement of the day in question is not used.
"""

from __future__ import annotations

import datetime as dt
import functools
import gc
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from dizuo.engines.lake.standard.cells import stages_kept
from dizuo.engines.lake.standard.terms import Engine, Rows, ibis
from dizuo.foundation.blueprint.model_source import Source

_MARK: Final = "⟨date⟩"
_DIGITS: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Days:
    """The dates that stand in a statement: the day it is made on, and the last day that the delivery speaks of."""

    today: dt.date
    delivered: dt.date

    @property
    def numbers(self) -> tuple[int, ...]:
        return (
            *(self.today.year, self.today.month, self.today.day),
            *(self.delivered.year, self.delivered.month, self.delivered.day),
            # dates in one piece, as they stand in an identity number
            *(int(f"{day:%Y%m%d}") for day in (self.today, self.delivered)),
        )


_ONE: Final = Days(dt.date(2031, 7, 9), dt.date(2043, 3, 5))
_OTHER: Final = Days(dt.date(2032, 8, 6), dt.date(2044, 4, 2))
_PLACES: Final = {pair: place for place, pair in enumerate(zip(_ONE.numbers, _OTHER.numbers, strict=True))}


class Statement(msgspec.Struct, frozen=True):
    """A statement, and the small tables that it names: (name, Parquet file beside it)."""

    text: str
    tables: tuple[str, ...] = ()


class _Kept(msgspec.Struct):
    days: tuple[str, str]
    """The days of the first writing."""
    template: str | None = None
    tables: tuple[str, ...] = ()
    never: bool = False
    """The dates do not stand in it as such: it is written every time."""


class Written:
    """The statements of one source, kept in a folder; without one they are written every time.

    ``version`` is the city's: whatever its declarations say may stand in a statement.
    """

    def __init__(self, folder: Path | None, source: Source, version: str) -> None:
        self.folder = folder
        self.source = source
        self._seed = msgspec.json.encode([_code(), version, source], enc_hook=str, order="sorted")

    def statement(self, engine: Engine, what: str, days: Days, make: Callable[[Days], Rows]) -> Statement:
        """The SELECT that ``make`` means on these days, ready for `run`. Errors: those of ``make`` and of compiling."""

        def write(of: Days) -> Statement:
            with _uncollected():
                return _written(engine, make(of), self.folder)

        if self.folder is None:
            return write(days)
        digest = hashlib.sha256(self._seed + what.encode()).hexdigest()[:32]
        path = self.folder / f"{self.source.id}-{what}-{digest}.json"
        kept = _read(path)
        if kept is not None and kept.template is not None:
            return Statement(_filled(kept.template, days), kept.tables)
        now = write(days)
        said = (days.today.isoformat(), days.delivered.isoformat())
        if kept is None:
            _keep(path, _Kept(said))
        elif not kept.never and kept.days != said:
            one, other = write(_ONE), write(_OTHER)
            template = _template(one.text, other.text)
            good = template is not None and one.tables == other.tables == now.tables
            if template is not None and good and _filled(template, days) == now.text:
                _keep(path, _Kept(said, template, now.tables))
            else:
                _keep(path, _Kept(said, never=True))
        return now

    def run(self, engine: Engine, statement: Statement, to: Path) -> None:
        """Write the statement's rows as a Parquet file that appears whole or not at all."""
        self.ready(engine, statement)
        to.parent.mkdir(parents=True, exist_ok=True)
        beside = to.with_name(to.name + ".part")
        engine.raw_sql(
            f"COPY ({statement.text}) TO {quoted(beside)} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()
        beside.replace(to)

    def ready(self, engine: Engine, statement: Statement) -> None:
        """The tables that a statement names are there."""
        for name in statement.tables:
            assert self.folder is not None
            file = quoted(self.folder / f"{name}.parquet")
            engine.raw_sql(
                f'CREATE TEMP TABLE IF NOT EXISTS "{name}" AS FROM read_parquet({file})'
            ).fetchall()


def quoted(path: Path) -> str:
    """A file name as a literal."""
    return "'" + str(path).replace("'", "''") + "'"


@functools.cache
def _code() -> str:
    """What writes statements: this package and the libraries, as a digest."""
    package = files("dizuo.engines.lake.standard")
    sources = sorted(
        (file.name, file.read_bytes()) for file in package.iterdir() if file.name.endswith(".py")
    )
    seed = hashlib.sha256(f"{ibis.__version__} {duckdb.__version__}".encode())
    for name, text in sources:
        seed.update(name.encode() + b"\0" + text + b"\0")
    return seed.hexdigest()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing of an expression is garbage while it is worked out: looking for garbage in its hundred thousands of objects
    would take a quarter of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _written(engine: Engine, rows: Rows, folder: Path | None) -> Statement:
    """The statement, its tables in memory named after what is in them and written to the folder."""
    with stages_kept():
        text = str(engine.compile(rows))
    found: list[str] = []
    if folder is None:
        for table in _in_memory(rows):
            engine.con.register(table.name, table.data.to_pyarrow(table.schema))
        return Statement(text)
    for table in _in_memory(rows):
        arrow = table.data.to_pyarrow(table.schema)
        held = duckdb.connect()
        held.register("held", arrow)
        digest = hashlib.sha256(str(arrow.schema).encode() + repr(arrow.to_pydict()).encode()).hexdigest()[
            :32
        ]
        name, file = f"said_{digest}", folder / f"said_{digest}.parquet"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = file.with_suffix(".part")
            held.execute(f"COPY held TO {quoted(beside)} (FORMAT parquet)")
            beside.replace(file)
        held.close()
        text = text.replace(table.name, name)
        found.append(name)
    return Statement(text, tuple(sorted(set(found))))


def _in_memory(rows: Rows) -> list[Any]:
    return list(rows.op().find(ibis.expr.operations.InMemoryTable))


def _template(one: str, other: str) -> str | None:
    """The common text with a mark wherever a date's part stands; None when the texts differ in anything else."""
    left, right = _DIGITS.split(one), _DIGITS.split(other)
    if len(left) != len(right) or _MARK in one:
        return None
    made: list[str] = []
    for a, b in zip(left, right, strict=True):
        if a == b:
            made.append(a)
            continue
        place = _PLACES.get((int(a), int(b))) if a.isdigit() and b.isdigit() else None
        if place is None or len(a) != len(b):
            return None
        made.append(f"{_MARK}{place}{len(a) if a[0] == '0' else 0}")
    return "".join(made)


def _filled(template: str, days: Days) -> str:
    first, *parts = template.split(_MARK)
    numbers = days.numbers
    return first + "".join(str(numbers[int(part[0])]).zfill(int(part[1])) + part[2:] for part in parts)


def _read(path: Path) -> _Kept | None:
    """What is kept; None when there is nothing, it is damaged, or a table of it is gone."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return kept if all((path.parent / f"{name}.parquet").exists() for name in kept.tables) else None


def _keep(path: Path, kept: _Kept) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".part")
    beside.write_bytes(msgspec.json.encode(kept))
    beside.replace(path)
