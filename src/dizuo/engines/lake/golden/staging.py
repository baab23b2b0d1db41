"""From standard rows and the identity map to rows that know whose they are, one DuckDB table per source.

A source that delivers changes is read as its newest row per row key; one that delivers everything as its newest snapshot, with
what changed since. Rows that were superseded so are kept apart, because their fate is told too.
"""

# ruff: noqa: S608 - statements are put together from declared identifiers and file names, never from what rows say
from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dizuo.engines.lake.golden.plan import Plan, RegisterPlan, mention_of_number
from dizuo.engines.lake.standard.quality import types_of
from dizuo.engines.lake.standard.rows import KINDS
from dizuo.engines.lake.standard.terms import ibis
from dizuo.engines.lake.standard.truths import truth
from dizuo.foundation.blueprint.lineage import names_of
from dizuo.foundation.blueprint.model_source import Source


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery that is checked and linked: its number, its standard rows, the day it speaks of, what was rejected.

    ``told`` says that its rows' fates are known from an earlier run. ``mode`` is full (a snapshot of everything) or changes;
    empty means what its source is declared to deliver. A source of snapshots may send changes in between.
    """

    source: str
    id: int
    standard: Path
    period: dt.date
    rejected: tuple[Path, ...] = ()
    told: bool = False
    mode: str = ""


NEWEST = "as_of DESC, delivery DESC, line DESC"
"""Of rows that say the same thing, the first in this order counts."""


def quoted(path: Path | str) -> str:
    """A file name as a literal."""
    return "'" + str(path).replace("'", "''") + "'"


def current(source: Source, deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """The deliveries whose rows count now, in order: the newest snapshot and the changes after it, or all changes."""
    own = sorted((d for d in deliveries if d.source == source.id), key=lambda d: (d.period, d.id))
    whole = [n for n, d in enumerate(own) if (d.mode or source.delivery.mode) == "full"]
    return tuple(own[whole[-1] :] if whole else own)


def mode_of(source: Source, delivery: Delivery) -> str:
    """full or changes."""
    return delivery.mode or source.delivery.mode


def stage(
    lake: duckdb.DuckDBPyConnection,
    plan: Plan,
    source: Source,
    counted: Sequence[Delivery],
    identity: str,
    today: dt.date,
    into: str,
) -> None:
    """Table ``into`` (rows that count) and ``out_<source>`` (delivery, line of superseded ones) of deliveries that count.

    Shapes: delivery INT, line BIGINT, row_key, as_of TIMESTAMP, the columns that feeds use, ``cid_<mention>`` BIGINT for the
    mentions that matter (null: not linked), ``when_<n>`` BOOLEAN for feeds with a condition. ``identity`` is the identity map
    (record_id, cid) as something to select from.
    """
    registers = [register for register in plan.registers if source.id in register.sources]
    if not counted:
        _none(lake, source, registers, into)
        return
    files = " UNION ALL BY NAME ".join(
        f"SELECT {d.id} AS delivery, DATE '{d.period}' AS period, * FROM read_parquet({quoted(d.standard)})"
        for d in counted
    )
    lake.execute(f"CREATE OR REPLACE TEMP VIEW delivered AS {files}")
    known = {str(row[0]) for row in lake.execute("DESCRIBE delivered").fetchall()}
    # A column that was declared after a delivery was standardised is one that the delivery is silent about.
    later = "".join(
        f', NULL::{_kind(source, name)} AS "{name}"' for name in names_of(source) if name not in known
    )
    if later:
        lake.execute(f"CREATE OR REPLACE TEMP VIEW delivered AS SELECT *{later} FROM ({files})")
        known |= set(names_of(source))
    columns = sorted(_columns(source, registers) & known)
    relation, conditions = _with_conditions(lake, source, registers, today)
    moment = f"r.{source.as_of}::TIMESTAMP" if source.as_of in known else "NULL"
    chosen = ", ".join(
        [
            "r.delivery",
            "r.line",
            "r.row_key",
            f"coalesce({moment}, r.period::TIMESTAMP) AS as_of",
            *(f'r."{column}"' for column in columns),
            *(f"r.{when}" for when in conditions),
        ]
    )
    rows = f"SELECT {chosen} FROM {relation} AS r"
    several = any(mode_of(source, d) == "changes" for d in counted)
    if several:
        rows += f" QUALIFY row_number() OVER (PARTITION BY r.row_key ORDER BY {NEWEST}) = 1"
    mentions = sorted(mentions_used(source, registers))
    joins = "".join(
        f" LEFT JOIN (SELECT record_id, cid FROM {identity}"
        f" WHERE starts_with(record_id, '{source.id}:') AND ends_with(record_id, ':{mention}')) AS m{i}"
        f" ON m{i}.record_id = '{source.id}:' || r.row_key || ':{mention}'"
        for i, mention in enumerate(mentions)
    )
    cids = "".join(f", m{i}.cid AS cid_{mention}" for i, mention in enumerate(mentions))
    lake.execute(f"CREATE OR REPLACE TABLE {into} AS SELECT r.*{cids} FROM ({rows}) AS r{joins}")
    # Where no row took another's place there is none to look for.
    left = f"ANTI JOIN {into} USING (delivery, line)" if several else "WHERE false"
    lake.execute(f"CREATE OR REPLACE TABLE out_{source.id} AS SELECT delivery, line FROM delivered {left}")


def _kind(source: Source, name: str) -> str:
    """The type of a column of the standard rows; parts are text."""
    return KINDS.get(source.columns[name].as_, "VARCHAR") if name in source.columns else "VARCHAR"


def _none(
    lake: duckdb.DuckDBPyConnection, source: Source, registers: Sequence[RegisterPlan], into: str
) -> None:
    columns = "".join(f', NULL::VARCHAR AS "{c}"' for c in sorted(_columns(source, registers)))
    cids = "".join(f", NULL::BIGINT AS cid_{m}" for m in sorted(mentions_used(source, registers)))
    whens = "".join(
        f", NULL::BOOLEAN AS when_{f.nth}" for r in registers for f in r.feeds_of(source.id) if f.feed.when
    )
    lake.execute(
        f"CREATE OR REPLACE TABLE {into} AS SELECT 0 AS delivery, 0::BIGINT AS line, '' AS row_key,"
        f" NULL::TIMESTAMP AS as_of{columns}{cids}{whens} WHERE false"
    )
    lake.execute(
        f"CREATE OR REPLACE TABLE out_{source.id} AS SELECT 0 AS delivery, 0::BIGINT AS line WHERE false"
    )


def _columns(source: Source, registers: Sequence[RegisterPlan]) -> set[str]:
    """The columns of the standard rows that feeds use, and what was delivered in place of a number."""
    used = {c for r in registers for f in r.feeds_of(source.id) for c in f.feed.fields.values()}
    return used | {f"{column}_other" for column in used}


def mentions_used(source: Source, registers: Sequence[RegisterPlan]) -> set[str]:
    """The mentions of a source that tell whose a row is, or whose number stands in it."""
    used = {f.feed.of for r in registers for f in r.feeds_of(source.id) if f.feed.of}
    for register in registers:
        for field in register.subjects:
            for feed in register.feeds_of(source.id):
                if field.id in feed.feed.fields:
                    used.add(mention_of_number(source, feed.feed.fields[field.id], field.subject))
    return used - {""}


def _with_conditions(
    lake: duckdb.DuckDBPyConnection, source: Source, registers: Sequence[RegisterPlan], today: dt.date
) -> tuple[str, tuple[str, ...]]:
    """The delivered rows with a truth ``when_<n>`` for each feed that has a condition: (relation, those columns)."""
    asked = {
        f"when_{feed.nth}": feed.feed.when.text
        for register in registers
        for feed in register.feeds_of(source.id)
        if feed.feed.when is not None
    }
    if not asked:
        return "delivered", ()
    rows = ibis.duckdb.from_connection(lake).table("delivered")
    types = types_of(source)
    found = {name: truth(text, rows, types, today).fill_null(False) for name, text in asked.items()}
    return f"({ibis.to_sql(rows.mutate(**found), dialect='duckdb')})", tuple(found)
