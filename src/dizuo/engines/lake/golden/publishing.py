"""From golden records on disk to served registers: the first load in bulk, afterwards only what changed.

What was published last is remembered as the folder of its run; the difference of two runs is worked out in DuckDB and brought to
the registers in lots that each are one transaction with one ledger entry. A lot that was brought twice changes nothing, so a
publication that was killed is simply started again.
"""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names
from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from dizuo.engines.lake.golden.chain import builds_on, records_of, touched_file
from dizuo.engines.lake.golden.errors import GoldenShrinks
from dizuo.engines.lake.golden.plan import Plan, RegisterPlan
from dizuo.engines.lake.golden.run import finished
from dizuo.engines.lake.golden.staging import quoted
from dizuo.engines.lake.golden.words import bulk_rows, data_of, patch_of, sources_of
from dizuo.engines.registers import BulkLoaded, DailyRows, absorb_golden, bulk_load

if TYPE_CHECKING:
    import duckdb

_FEW = 100
"""Registers with fewer records change too much from day to day for shares to mean anything."""
Progress = Callable[[str, int, int], None]


class DatabaseLike(Protocol):
    """What gives the loader's address; see `dizuo.foundation.store.Database`."""

    def dsn(self, role: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Published:
    """What a difference did: rows brought, new and changed records, numbers that came; ``gone`` records that no source
    speaks of any more (they stay: absence wipes nobody)."""

    rows: int
    new: int
    changed: int
    rekeyed: int
    gone: Mapping[str, int]
    entries: tuple[int, ...]


def publish_first(
    lake: duckdb.DuckDBPyConnection,
    database: DatabaseLike,
    plan: Plan,
    folder: Path,
    about: Mapping[str, object],
    progress: Progress | None = None,
) -> BulkLoaded:
    """Load a run's golden records into registers that hold (almost) nothing, served at once; see `registers.bulk_load`."""
    rows = [bulk_rows(register, records_of(folder, register)) for register in plan.registers]
    files = {register.id: _sha256(folder / f"{register.id}.parquet") for register in plan.registers}
    digest = hashlib.sha256(msgspec.json.encode([plan.city.version, files], order="sorted")).hexdigest()
    return bulk_load(database, lake, rows, digest=digest, about={**about, "files": files}, progress=progress)


def publish_changes(
    lake: duckdb.DuckDBPyConnection,
    database: DatabaseLike,
    plan: Plan,
    before: Path,
    after: Path,
    about: Mapping[str, object],
    progress: Progress | None = None,
    *,
    merges: Sequence[Path] = (),
    largest_drop: float = 0.3,
) -> Published:
    """Bring what differs between two runs (their folders) into the registers, a lot of records a transaction.

    Shapes: ``merges`` are identity's events since the earlier run, as Parquet (entity, kind, cid, other): where ``other`` went into
    ``cid``, a record under a temporary key ends in the one with the number. Without them such a record stays and is counted as gone.
    ``largest_drop`` is the share (0..1) of a register's records that a run may speak of no more.

    Errors: GoldenMissing when a run has no records of a register, GoldenShrinks when it has far fewer than the run before (what its
    sources no longer say would be taken back from everybody; nothing is published), BulkRefused when the database finds something wrong in a lot
    (earlier lots stay, the rest waits for the next try).
    """
    known = finished(before) if builds_on(after) == before.name else None
    rows: list[DailyRows] = []
    gone: dict[str, int] = {}
    for register in plan.registers:
        now, was = records_of(after, register), records_of(before, register)
        there = -1
        if known is not None:
            # Nobody else changed: of the earlier run only those are looked up whom the later one touched.
            there = known.records.get(register.id, 0)
            said = ", ".join(["key", "cid", *(f'"v_{f.id}", "s_{f.id}"' for f in register.fields)])
            touched = f"read_parquet({quoted(touched_file(after, register.id))})"
            lake.execute(
                f"CREATE OR REPLACE TEMP TABLE was_{register.id} AS SELECT * FROM {records_of(before, register, touched, said)}"
            )
            now, was = f"read_parquet({quoted(after / f'{register.id}.parquet')})", f"was_{register.id}"
        rows.append(_difference(lake, register, was, now, merges))
        gone[register.id], before_them = _gone(lake, register, was, now)
        there = before_them if there < 0 else there
        if there >= _FEW and gone[register.id] > there * largest_drop:
            raise GoldenShrinks(register=register.id, gone=gone[register.id], before=there)
    done = absorb_golden(database, lake, rows, about, progress)
    return Published(done.rows, done.new, done.changed, done.rekeyed, gone, done.entries)


def _difference(
    lake: duckdb.DuckDBPyConnection, register: RegisterPlan, before: str, after: str, merges: Sequence[Path]
) -> DailyRows:
    """What a register lacks of the later run: new records whole, of others the fields that differ."""
    same = "o.cid = n.cid" if register.entity else "o.key = n.key"
    changed = " OR ".join(
        f'n."v_{f.id}" IS DISTINCT FROM o."v_{f.id}" OR n."s_{f.id}" IS DISTINCT FROM o."s_{f.id}"'
        for f in register.fields
    )
    former = (
        "CASE WHEN o.key[1] = 'T' AND n.key[1] <> 'T' THEN o.key END" if register.entity else "NULL::VARCHAR"
    )
    # A record whose number became another one is a new record for the registers: the city does not renumber people.
    anew = (
        "o.key IS NULL OR (o.key <> n.key AND NOT (o.key[1] = 'T' AND n.key[1] <> 'T'))"
        if register.entity
        else "o.key IS NULL"
    )
    old = f"(SELECT * FROM {_columns(lake, register, before)})"
    ended, ends = "", ""
    if register.entity and merges:
        files = ", ".join(quoted(path) for path in merges)
        ended = (
            f" LEFT JOIN (SELECT e.cid, min(t.key) AS key FROM read_parquet([{files}]) AS e"
            f" JOIN {before} AS t ON t.cid = e.other"
            f" WHERE e.kind = 'merge' AND e.entity = '{register.entity}' AND t.key[1] = 'T' GROUP BY e.cid) AS m"
            " ON m.cid = n.cid AND n.key[1] <> 'T'"
        )
        former, ends = f"coalesce({former}, m.key)", " OR m.key IS NOT NULL"
    return DailyRows(
        register.id,
        f"SELECT n.key, {former} AS former_key,"
        f" CASE WHEN {anew} THEN {data_of(register.fields, 'n.')} ELSE {patch_of(register)} END AS data,"
        f" {sources_of(register, 'n.')} AS sources, n.valid_from, n.valid_to"
        f" FROM {_columns(lake, register, after)} AS n LEFT JOIN {old} AS o ON {same}{ended}"
        f" WHERE {anew} OR o.key <> n.key OR {changed}{ends}",
    )


def _columns(lake: duckdb.DuckDBPyConnection, register: RegisterPlan, relation: str) -> str:
    """A run's records in today's columns: a field or a source that was not declared then said nothing."""
    known = {str(row[0]) for row in lake.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    missing = [
        f'NULL AS "{name}"'
        for f in register.fields
        for name in (f"v_{f.id}", f"s_{f.id}")
        if name not in known
    ] + [f"NULL::TIMESTAMP AS a_{source}" for source in register.sources if f"a_{source}" not in known]
    return f"(SELECT *{''.join(', ' + column for column in missing)} FROM {relation})"


def _gone(
    lake: duckdb.DuckDBPyConnection, register: RegisterPlan, before: str, after: str
) -> tuple[int, int]:
    """How many records of the earlier run the later one has not, and how many the earlier one had."""
    key = "cid" if register.entity else "key"
    row = lake.execute(
        f"SELECT count(*) FILTER (n.{key} IS NULL), count(*) FROM {before} AS o"
        f" LEFT JOIN {after} AS n ON n.{key} = o.{key}"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
