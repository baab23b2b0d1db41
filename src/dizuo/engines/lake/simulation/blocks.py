"""One block's work: make its people, write its share of every delivery, let the days pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.dice import Dice, Flags, Ints
from dizuo.engines.lake.simulation.events import DAILY, befall, due
from dizuo.engines.lake.simulation.firms import establish
from dizuo.engines.lake.simulation.parts import arrow, csv_lines, header, json_lines, repeats, truth
from dizuo.engines.lake.simulation.people import Plan, populate
from dizuo.engines.lake.simulation.places import Places
from dizuo.engines.lake.simulation.rows import Moment, Quarter, Rows, Subjects
from dizuo.engines.lake.simulation.sources import MAKERS
from dizuo.engines.lake.simulation.text import Column
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_source import Source


@dataclass(frozen=True, slots=True)
class Delivering:
    """One delivery to be made: a source on a day, with what is odd about it (演示异常).

    `renamed` exchanges a header for another, `extra` adds a column that nobody declared.
    """

    source: str
    day: int
    date: dt.date
    renamed: tuple[str, str] = ("", "")
    extra: str = ""
    oddity: str = ""
    arrives: int = 0

    @property
    def name(self) -> str:
        return f"{self.source}.{self.date.isoformat()}"


def deliveries(plan: Plan, declared: set[str]) -> Iterator[Delivering]:
    """All deliveries of a plan in the order of days; schema drift and lateness are where docs/know says."""
    for day in range(plan.days + 1):
        date = plan.day + dt.timedelta(days=day)
        for source in MAKERS:
            if source not in declared or (day and source not in DAILY):
                continue
            if (source, day) == ("real_estate", 1):
                yield Delivering(source, day, date, extra="备注", oddity="extra column 备注", arrives=day)
            elif (source, day) == ("residence_permits", 2):
                yield Delivering(
                    source,
                    day,
                    date,
                    renamed=("联系电话", "手机号码"),
                    oddity="column 联系电话 renamed 手机号码",
                    arrives=day,
                )
            elif (source, day) == ("marriage", 1):
                yield Delivering(source, day, date, oddity="arrives a day late", arrives=day + 1)
            else:
                yield Delivering(source, day, date, arrives=day)


@dataclass(frozen=True, slots=True)
class Written:
    """What a block wrote of one delivery."""

    name: str
    block: int
    rows: int
    mentions: int


@dataclass(slots=True)
class _Ledger:
    """What the block remembers of a source from day to day."""

    subjects: Subjects
    wrong: Flags
    right: Flags
    when: Ints


def write_block(city: City, places: Places, plan: Plan, block: int, folder: Path) -> list[Written]:
    """Write one block's parts of all deliveries into `folder`; memory is that of one block."""
    people = populate(places, plan, block)
    quarter = Quarter(
        places, plan, block, people, establish(places, plan, block, people), Dice(plan.seed, f"block/{block}")
    )
    ledgers: dict[str, _Ledger] = {}
    written: list[Written] = []
    today = -1
    touched = None
    for delivering in deliveries(plan, set(city.sources)):
        if delivering.day != today:
            today = delivering.day
            touched = befall(quarter, today) if today else None
        source = delivering.source
        if source not in ledgers:
            subjects = MAKERS[source].subjects(quarter)
            none = np.zeros(len(subjects), np.bool_)
            ledgers[source] = _Ledger(subjects, none, none.copy(), np.zeros(len(subjects), np.int64))
        ledger = ledgers[source]
        if touched is None:
            chosen = ledger.subjects.day == 0
        else:
            chosen, fixed = due(quarter, source, ledger.subjects, today, touched, ledger.wrong, ledger.right)
            ledger.right |= fixed
            ledger.when[chosen] = today
            if plan.snapshots and city.sources[source].delivery.mode == "full":
                chosen = ledger.subjects.day <= today
        places_in = np.flatnonzero(chosen)
        part = ledger.subjects.at(places_in)
        rows = MAKERS[source].write(
            quarter, part, Moment(today, ledger.right[places_in], ledger.when[places_in])
        )
        if source in DAILY:
            ledger.wrong[places_in] = np.any([said.errors != 0 for said in rows.said], axis=0)
        else:
            del ledgers[source]
        written.append(_write(quarter, city.sources[source], delivering, rows, part, folder))
    return written


def _write(
    quarter: Quarter, source: Source, delivering: Delivering, rows: Rows, part: Subjects, folder: Path
) -> Written:
    order = repeats(source.id, Dice(quarter.plan.seed, source.id), rows, part.row, delivering.day)
    columns = [text.rows(column, order) for column in rows.columns.values()]
    return write_part(source, delivering, rows, columns, quarter.block, folder)


def write_part(
    source: Source, delivering: Delivering, rows: Rows, columns: list[Column], block: int, folder: Path
) -> Written:
    """Write one block's rows of a delivery in its form, with the truth about them; `columns` as they are delivered."""
    count = len(columns[0])
    names = header(source, delivering.renamed, delivering.extra)
    if delivering.extra:
        columns.append(text.constant("", count))
    path = part_path(folder, delivering.name, block)
    if source.delivery.format == "csv":
        path.write_bytes(csv_lines(source, columns))
    elif source.delivery.format in ("jsonl", "push"):
        path.write_bytes(json_lines(names, columns))
    else:
        arrow(names, columns, path)
    mentions = truth(source, rows, truth_path(folder, delivering.name, block))
    return Written(delivering.name, block, count, mentions)


def part_path(folder: Path, name: str, block: int) -> Path:
    """Where a block's share of a delivery lies until it is put together."""
    return folder / f"{name}.{block:05d}.rows"


def truth_path(folder: Path, name: str, block: int) -> Path:
    """Where a block's share of the truth lies until it is put together."""
    return folder / f"{name}.{block:05d}.truth"
