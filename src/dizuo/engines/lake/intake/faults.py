"""Rows that cannot be taken: the reason in words for the department, and the row as it came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dizuo.engines.lake.intake.arrow import Schema, Table, pa
from dizuo.engines.lake.intake.limits import RAW


def rejected_schema() -> Schema:
    """The shape of a rejected Parquet; the same for every stage of the lake."""
    texts = ("column", "code", "says", "raw")
    return pa.schema([("line", pa.int64()), *((name, pa.string()) for name in texts)])


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not taken: its line in the delivery, the column's header ('' for the whole row), a code, one sentence."""

    line: int
    column: str
    code: str
    says: str
    raw: str


@dataclass(slots=True)
class Tally:
    """How many rows failed which check in which column."""

    kinds: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def add(self, faults: list[Fault]) -> None:
        self.kinds.update((fault.column, fault.code) for fault in faults)

    @property
    def rows(self) -> int:
        return self.kinds.total()


def table_of(faults: list[Fault]) -> Table:
    """The faults in the shape of `rejected_schema`; `raw` is cut to 4,000 characters and made printable."""
    return pa.table(
        [
            pa.array([fault.line for fault in faults], pa.int64()),
            pa.array([fault.column for fault in faults], pa.string()),
            pa.array([fault.code for fault in faults], pa.string()),
            pa.array([fault.says for fault in faults], pa.string()),
            pa.array([shown(fault.raw) for fault in faults], pa.string()),
        ],
        schema=rejected_schema(),
    )


def shown(raw: str) -> str:
    """A rejected row as text that any file can hold: NUL becomes ␀, bytes that were no characters become \\xNN."""
    text = raw[:RAW].replace("\0", "␀")
    try:
        found = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, written out in JSON
        found = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return found[:RAW]
