"""Runs that build on runs: one that follows another holds only what it touched, the rest stands in those before it.

The folder of a run that follows has, beside its records, ``touched/<register>.parquet`` (k): the identities or keys that it made anew.
A record stands as the last run that touched it left it; one that was touched and is not among its records is no more.
"""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names
from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dizuo.engines.lake.golden.errors import GoldenMissing
from dizuo.engines.lake.golden.plan import Plan, RegisterPlan
from dizuo.engines.lake.golden.staging import quoted

if TYPE_CHECKING:
    import duckdb

FINISHED = "run.json"
"""The last file that a run writes: until it is there, the run is not."""
LONGEST = 20
"""Runs that build on one another before all of them are put together: each is a file more to look through."""
_WHOLE = "whole"
_COPY = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


class _Follows(msgspec.Struct, frozen=True):
    builds_on: str = ""


class _Told(msgspec.Struct, frozen=True):
    run: _Follows = _Follows()


def builds_on(folder: Path) -> str:
    """The name of the run's folder that this one builds on; empty when it holds everything itself."""
    if (folder / _WHOLE / FINISHED).exists():
        return ""
    try:
        return msgspec.json.decode((folder / FINISHED).read_bytes(), type=_Told).run.builds_on
    except (FileNotFoundError, msgspec.DecodeError):
        return ""


def chain(folder: Path) -> tuple[Path, ...]:
    """The runs that this one stands on, from the one that holds everything to itself."""
    found = [folder]
    while before := builds_on(found[-1]):
        found.append(folder.parent / before)
    return tuple(reversed(found))


def touched_file(folder: Path, register: str) -> Path:
    """The identities (cid) or keys that a run made anew, as k."""
    return folder / "touched" / f"{register}.parquet"


def records_of(folder: Path, register: RegisterPlan, wanted: str = "", columns: str = "*") -> str:
    """All records as they stand after a run, as something to select from; with ``wanted`` (a relation with k) only those.

    ``columns``: what is read of them. A look-up reads its columns of the whole city, so it should not ask for all.

    Errors: GoldenMissing when a run has no records of this register.
    """
    links = chain(folder)
    by = "cid" if register.entity else "key"
    parts: list[str] = []
    for n, link in enumerate(links):
        whole = link / _WHOLE / f"{register.id}.parquet"
        path = whole if n == 0 and (link / _WHOLE / FINISHED).exists() else link / f"{register.id}.parquet"
        if not path.exists():
            raise GoldenMissing(register=register.id)
        part = f"SELECT {columns} FROM read_parquet({quoted(path)}) AS g"
        if wanted:
            part += f" SEMI JOIN {wanted} AS w ON w.k = g.{by}"
        if later := ", ".join(quoted(touched_file(one, register.id)) for one in links[n + 1 :]):
            part += f" ANTI JOIN read_parquet([{later}]) AS x ON x.k = g.{by}"
        parts.append(part)
    return f"({' UNION ALL BY NAME '.join(parts)})"


def put_together(lake: duckdb.DuckDBPyConnection, plan: Plan, folder: Path, longest: int = LONGEST) -> bool:
    """Write everything that stands after a run into its own folder, once more than ``longest`` runs build on one another.

    It takes as long as reading and writing the whole city, so it is done after the run is served. May be killed and repeated.
    """
    if len(chain(folder)) <= longest:
        return False
    whole = folder / _WHOLE
    whole.mkdir(exist_ok=True, mode=0o700)
    for register in plan.registers:
        path = whole / f"{register.id}.parquet"
        lake.execute(f"COPY {records_of(folder, register)} TO {quoted(path.with_suffix('.part'))} {_COPY}")
        os.replace(path.with_suffix(".part"), path)
    beside = whole / (FINISHED + ".part")
    beside.write_bytes(b"{}")
    os.replace(beside, whole / FINISHED)
    return True
