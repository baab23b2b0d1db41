"""What a run leaves to the next: the rows that count now, by source, and who claims which number, in a DuckDB file of its own.

Why a table in DuckDB and not files by hash of key: a day's rows are spread over the whole city, so every bucket would be read
all the same; a columnar scan of the one column that is asked for is cheap, and replacing rows is a transaction.
The file says which run it stands at; where that is not the run before, everything is made anew.
"""

# ruff: noqa: S608 - statements are put together from declared identifiers
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dizuo.engines.lake.golden.plan import ENTITIES, Plan
from dizuo.engines.lake.golden.staging import Delivery, current, mode_of, quoted

if TYPE_CHECKING:
    import duckdb

_FORM = 1
"""Raise it when what is kept changes its shape or meaning: everything is then made anew once."""


class About(msgspec.Struct, frozen=True):
    """What the kept rows are: the run that left them, of which declarations, deliveries and identities.

    ``counted``: source → the deliveries whose rows count; ``single``: sources with one row per row key; ``since``: the last run of
    identity that the rows know of.
    """

    run: str
    form: int
    declared: str
    sources: tuple[str, ...]
    deliveries: tuple[int, ...]
    counted: Mapping[str, tuple[int, ...]]
    single: tuple[str, ...]
    since: int


def attach(lake: duckdb.DuckDBPyConnection, file: Path | None) -> None:
    """The kept tables as schema ``kept``: in their file, or for this connection only."""
    if file is None:
        lake.execute("CREATE SCHEMA IF NOT EXISTS kept")
    else:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lake.execute(f"ATTACH {quoted(file)} AS kept")
        file.chmod(0o600)
    lake.execute("CREATE TABLE IF NOT EXISTS kept.about (said VARCHAR)")


def detach(lake: duckdb.DuckDBPyConnection, file: Path | None) -> None:
    """Close the file, so that whatever comes next may open it."""
    if file is not None:
        lake.execute("DETACH kept")


def about(lake: duckdb.DuckDBPyConnection) -> About | None:
    """What is kept; None when it is nothing that can be gone on from."""
    row = lake.execute("SELECT said FROM kept.about").fetchone()
    if row is None:
        return None
    try:
        said = msgspec.json.decode(str(row[0]), type=About)
    except msgspec.DecodeError:
        return None
    return said if said.form == _FORM else None


def forget(lake: duckdb.DuckDBPyConnection) -> None:
    """Nothing is kept any more: said before everything is made anew, so that half of it is never taken for the whole."""
    lake.execute("DELETE FROM kept.about")
    for (name,) in lake.execute(
        "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'twice_')"
        " AND (database_name = 'kept' OR schema_name = 'kept')"
    ).fetchall():
        lake.execute(f"DROP TABLE kept.{name}")


def note(lake: duckdb.DuckDBPyConnection, said: About) -> None:
    """What is kept from here on."""
    lake.execute("DELETE FROM kept.about")
    lake.execute("INSERT INTO kept.about VALUES (?)", [msgspec.json.encode(said).decode()])


def described(
    plan: Plan, deliveries: Sequence[Delivery], run: str, since: int, single: Sequence[str] | None = None
) -> About:
    """What a run over these deliveries leaves. ``single``: None where everything was made anew."""
    counted = {s.id: current(s, deliveries) for s in plan.sources.values()}
    alone = [s.id for s in plan.sources.values() if any(mode_of(s, d) == "changes" for d in counted[s.id])]
    return About(
        run,
        _FORM,
        plan.city.version,
        tuple(plan.sources),
        tuple(sorted(d.id for d in deliveries)),
        {name: tuple(d.id for d in own) for name, own in counted.items()},
        tuple(alone if single is None else single),
        since,
    )


def look_for_twice(lake: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Note which row keys a snapshot said twice (``kept.twice_<source>``): from the first change on each has one row.

    It reads all row keys, so it is done when everything is served, and not when the first change comes.
    """
    said = about(lake)
    if said is None:
        return
    for source in plan.sources:
        if source not in said.single:
            lake.execute(f"CREATE OR REPLACE TABLE kept.twice_{source} AS {twice(source)}")


def twice(source: str) -> str:
    """A query for the row keys of a source that several rows have."""
    return f"SELECT row_key FROM kept.current_{source} GROUP BY row_key HAVING count(*) > 1"


def twice_of(lake: duckdb.DuckDBPyConnection, source: str) -> str:
    """The same as something to select from: as it was noted, or to be looked for now."""
    row = lake.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = ? AND (database_name = 'kept' OR schema_name = 'kept')",
        [f"twice_{source}"],
    ).fetchone()
    return f"kept.twice_{source}" if row and row[0] else f"({twice(source)})"


def fits(said: About, plan: Plan, deliveries: Sequence[Delivery], follows: Path, since: int) -> bool:
    """Whether the kept rows are those of the run before, and a run over these deliveries can go on from them."""
    new = {d.id for d in deliveries if not d.told}
    keyed_by_people = any(
        not register.entity and any(f.id == register.key and f.subject for f in register.fields)
        for register in plan.registers
    )
    return (
        said.run == follows.name
        and said.declared == plan.city.version
        and said.sources == tuple(plan.sources)
        and since >= said.since
        and new.isdisjoint(said.deliveries)
        and not keyed_by_people
        # A condition that speaks of today changes without a delivery.
        and not any(
            feed.when is not None and re.search(r"\b(today|now)\s*\(", feed.when.text)
            for source in plan.sources.values()
            for feed in source.feeds
        )
    )


def keep(lake: duckdb.DuckDBPyConnection, plan: Plan, said: About) -> None:
    """Bring a following run's rows and numbers into the kept tables, in one transaction with what they are."""
    lake.execute("BEGIN")
    try:
        for source in plan.sources:
            lake.execute(f'DELETE FROM kept.current_{source} WHERE rowid IN (SELECT "#" FROM gone_{source})')
            lake.execute(f"INSERT INTO kept.current_{source} BY NAME SELECT * FROM fresh_{source}")
        for entity in ENTITIES:
            lake.execute(f"DELETE FROM kept.claim_{entity} WHERE cid IN (SELECT cid FROM spoken_of_{entity})")
            lake.execute(f"INSERT INTO kept.claim_{entity} SELECT * FROM claim_now_{entity}")
            for table in ("number", "taken"):
                lake.execute(
                    f"DELETE FROM kept.{table}_{entity} WHERE cid IN (SELECT cid FROM contending_{entity})"
                )
                lake.execute(f"INSERT INTO kept.{table}_{entity} SELECT * FROM {table}_now_{entity}")
        note(lake, said)
    except BaseException:
        lake.execute("ROLLBACK")
        raise
    lake.execute("COMMIT")
