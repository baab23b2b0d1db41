"""One delivery from landed bytes to raw rows and rejected rows, every row accounted for."""

from __future__ import annotations

import datetime as dt
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dizuo.engines.lake.intake.checks import Checks
from dizuo.engines.lake.intake.csv_reader import read_csv
from dizuo.engines.lake.intake.faults import Tally, rejected_schema
from dizuo.engines.lake.intake.faults import table_of as rejected_table
from dizuo.engines.lake.intake.heading import Note
from dizuo.engines.lake.intake.json_reader import read_json
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.parquet_reader import read_parquet, read_table
from dizuo.engines.lake.intake.parts import Part, Reader, schema_of
from dizuo.engines.lake.intake.profile import Profile
from dizuo.engines.lake.intake.writing import written
from dizuo.engines.lake.intake.xlsx_reader import read_xlsx
from dizuo.foundation.blueprint.model_source import Format, Source

READERS: Final[Mapping[Format, Reader]] = {
    "csv": read_csv,
    "table": read_table,
    "jsonl": read_json,
    "push": read_json,  # pushed records are landed as JSON lines
    "xlsx": read_xlsx,
    "parquet": read_parquet,
}
_AHEAD = 3
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading a delivery gave. `rows_in` = `read` + `rejected`; `missing` are declared columns that did not come;
    `moved` says why columns seem to have moved, '' when they do not; `kinds`: (column, code) → rows."""

    rows_in: int
    read: int
    rejected: int
    kinds: Mapping[tuple[str, str], int]
    notes: tuple[Note, ...]
    missing: tuple[str, ...]
    moved: str


def read_file(
    landed: Path,
    source: Source,
    *,
    rows: Path,
    rejected: Path,
    now: dt.datetime,
    limits: Limits | None = None,
    tell: Tell | None = None,
) -> Outcome:
    """Read landed bytes into two Parquet files, which appear whole or not at all; repeating it makes the same files.

    Shapes: `rows` gets raw rows, `rejected` gets line, column, code, says, raw. `tell` hears of rows done. Errors:
    kinds of DeliveryRefused for the delivery as a whole (then neither file appears), OSError when the disk is full.
    """
    bound = limits or Limits()
    tally, profile, notes = Tally(), Profile(source), list[Note]()
    with ExitStack() as stack:
        opened = stack.enter_context(READERS[source.delivery.format](landed, source, bound))
        notes += opened.heading.notes
        checks = Checks(source, now, opened.separator)
        bad = stack.enter_context(written(rejected, rejected_schema()))
        good = stack.enter_context(written(rows, schema_of(source)))
        parts = stack.enter_context(_ahead(opened.parts))
        for part in parts:
            kept, faults = checks.apply(part.rows)
            told = sorted([*part.faults, *faults], key=lambda fault: fault.line)
            profile.look(part.rows)
            good.write(kept)
            if told:
                tally.add(told)
                bad.write(rejected_table(told))
            notes += part.notes
            if tell is not None:
                tell(good.rows + bad.rows)
        read, refused = good.rows, bad.rows
    return Outcome(
        read + refused,
        read,
        refused,
        dict(tally.kinds),
        tuple(notes),
        opened.heading.missing,
        profile.moved(),
    )


@contextmanager
def _ahead(parts: Iterator[Part]) -> Iterator[Iterator[Part]]:
    """Walk the parts in a thread of their own, a few ahead: parsing and writing use a core each."""
    ready: queue.Queue[Part | BaseException | None] = queue.Queue(_AHEAD)
    stop = threading.Event()

    def put(item: Part | BaseException | None) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def walk() -> None:
        try:
            for part in parts:
                put(part)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    def taken() -> Iterator[Part]:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=walk, name="dizuo-intake", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stop.set()
        thread.join()
