"""Where every record stands: one file of everybody, and beside it what each run since has changed.

``map.parquet`` (record_id, entity, cid, since) is everybody as of some run; ``changed/000007.parquet`` is what run 7 said anew, in the
same columns. Writing everybody takes as long as the city is large, so a day writes its changes only, and once more than ``MOST`` of
them have come they are put together, when nobody waits. A change counts whose run is later than any that the file of everybody knows,
so a process that is killed between two files leaves nothing half.
"""

# ruff: noqa: S608 - names of files of our own, never anything delivered

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

MOST: Final = 20
"""Runs whose changes stand beside the file of everybody before all of them are put together."""


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """The map as it stands now. ``since`` is the last run that moved anybody, -1 when the map does not say.

    ``everybody``, ``whole`` and ``changes`` are something to select from, each with record_id, cid, since: all records; the file of
    everybody as it is, of which those in ``changes`` are out of date; and the latest changes, each record once. ``known`` is the last
    run that ``whole`` knows of. ``files`` are those that the map stands in.
    """

    everybody: str
    whole: str
    changes: str
    known: int
    since: int
    files: tuple[Path, ...]


def identity_map(engine: duckdb.DuckDBPyConnection, file: Path) -> IdentityMap:
    """The map whose file of everybody is ``file``. Errors: duckdb.Error when a file is missing or damaged."""
    whole = f"read_parquet({_quoted(file)})"
    nothing = f"(SELECT * FROM {whole} LIMIT 0)"
    columns = {str(row[0]) for row in engine.execute(f"DESCRIBE SELECT * FROM {whole}").fetchall()}
    if "since" not in columns:
        return IdentityMap(whole, whole, nothing, -1, -1, (file,))
    known = _last(engine, whole)
    later = tuple(
        path for path in sorted((file.parent / "changed").glob("*.parquet")) if int(path.stem) > known
    )
    if not later:
        return IdentityMap(whole, whole, nothing, known, known, (file,))
    listed = ", ".join(_quoted(path) for path in later)
    picked = ", ".join(
        f"max_by({column}, since) AS {column}" for column in sorted(columns - {"record_id", "since"})
    )
    changes = (
        f"(SELECT record_id, {picked}, max(since) AS since FROM read_parquet([{listed}]) GROUP BY record_id)"
    )
    everybody = f"(SELECT w.* FROM {whole} AS w ANTI JOIN {changes} AS c USING (record_id) UNION ALL BY NAME SELECT * FROM {changes})"
    since = max(known, _last(engine, f"read_parquet([{listed}])"))
    return IdentityMap(everybody, whole, changes, known, since, (file, *later))


def put_map_together(file: Path, *, memory: str = "4GB", threads: int = 2, longest: int = MOST) -> bool:
    """Write everybody anew once more than ``longest`` runs have changed the map; called when everything is served. May be killed and repeated."""
    with duckdb.connect() as engine:
        engine.execute(f"SET memory_limit = '{memory}'")
        engine.execute(f"SET threads = {threads}")
        engine.execute(f"SET temp_directory = {_quoted(file.parent / 'spill')}")
        stands = identity_map(engine, file)
        if len(stands.files) - 1 <= longest:
            return False
        beside = file.with_suffix(".part")
        engine.execute(
            f"COPY (SELECT * FROM {stands.everybody}) TO {_quoted(beside)} (FORMAT parquet, COMPRESSION zstd)"
        )
        os.replace(beside, file)
    return True


def _last(engine: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = engine.execute(f"SELECT coalesce(max(since), 0) FROM {relation}").fetchone()
    return int(row[0]) if row else 0


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
