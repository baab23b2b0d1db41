"""From a field of a record back to the line of the delivered file that said it (血缘)."""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names
from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dizuo.engines.lake.golden.chain import records_of
from dizuo.engines.lake.golden.errors import GoldenMissing
from dizuo.engines.lake.golden.plan import Plan


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value is from: source, its organisation, delivery number, line in it, and as of when. No value here."""

    source: str
    organisation: str
    delivery: int
    line: int
    as_of: dt.date
    fallback: bool


def lineage(plan: Plan, folder: Path, register: str, key: str) -> Mapping[str, Origin]:
    """The origin of every field of one record as it stands after a run (its folder); empty when there is no such record.

    Errors: GoldenMissing when the run has no records of this register at all.
    """
    spec = next((r for r in plan.registers if r.id == register), None)
    if spec is None:
        raise GoldenMissing(register=register)
    with duckdb.connect() as lake:
        found = lake.execute(f"SELECT * FROM {records_of(folder, spec)} WHERE key = ?", [key])
        names = [str(column[0]) for column in found.description or ()]
        row = found.fetchone()
    if row is None:
        return {}
    said = dict(zip(names, row, strict=True))
    origins: dict[str, Origin] = {}
    for field in spec.fields:
        place = said.get(f"s_{field.id}")
        if place is None:
            continue
        source = spec.sources[int(place)]
        older = [x for x in said[f"o_{source}"] or () if x["field"] == field.id]
        delivery, line, as_of = (
            (older[0]["delivery"], older[0]["line"], older[0]["as_of"])
            if older
            else (said[f"d_{source}"], said[f"l_{source}"], said[f"a_{source}"])
        )
        org = spec.organisation[source]
        origins[field.id] = Origin(source, org, int(delivery), int(line), as_of.date(), org != field.owner)
    return origins
