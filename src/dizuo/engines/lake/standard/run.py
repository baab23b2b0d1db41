"""Standardises one delivery on DuckDB: raw Parquet in; standard rows, mentions, rejected and failing rows out.

On a cluster the same expressions (`standard_rows`, `rejected_rows`, `mentions`, `rule_counts`) are given to another
Ibis backend; see docs/know/outgrowing.md.
"""

# ruff: noqa: S608 - names of views and files of our own, never what rows say
from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from dizuo.engines.lake.standard.mentions import mentions
from dizuo.engines.lake.standard.quality import RuleResult, Score, failing_rows, results, rule_counts, score
from dizuo.engines.lake.standard.rows import Standards, fault_counts, rejected_rows, standard_rows
from dizuo.engines.lake.standard.terms import Engine, Rows, ibis
from dizuo.engines.lake.standard.written import Days, Statement, Written, quoted
from dizuo.foundation.blueprint.model_source import Source


class Outputs(msgspec.Struct, frozen=True):
    """Where the Parquet files go. ``failing`` (line, row_key, rule) is written only where it is given."""

    standard: Path
    mentions: Path
    rejected: Path
    failing: Path | None = None


class Standardised(msgspec.Struct, frozen=True):
    """What became of a delivery. ``rows`` = ``standard`` + ``rejected``; ``faults`` counts optional cells by column id
    and code."""

    rows: int
    standard: int
    rejected: int
    mentions: int
    faults: Mapping[str, Mapping[str, int]]
    rules: tuple[RuleResult, ...]
    score: Score


def open_engine(memory: str = "4GB", threads: int = 2, spill: Path | None = None) -> Engine:
    """A DuckDB in memory that stays below ``memory`` and spills to the folder ``spill``."""
    engine = ibis.duckdb.connect(threads=threads, memory_limit=memory, preserve_insertion_order=False)
    if spill is not None:
        engine.raw_sql(f"SET temp_directory = '{str(spill).replace(chr(39), chr(39) * 2)}'")
    return engine


def standardise(
    raw: Path,
    source: Source,
    standards: Standards,
    out: Outputs,
    delivered: dt.date,
    engine: Engine,
    kept: Path | None = None,
) -> Standardised:
    """Standardise one delivery. Each file appears whole or not at all, so the step may be repeated after any crash.

    ``kept`` is a folder for the statements, so that they need not be worked out for every delivery (see `written`). Errors:
    RuleErrors for a rule that rows cannot answer; RuntimeError when a row is unaccounted for.
    """
    written = Written(kept, source, standards.city.version)
    days = Days(standards.ids.today, delivered)

    def on(of: Days) -> Standards:
        return standards if of.today == days.today else Standards.of(standards.city, of.today)

    def make(what: str, how: Callable[[Days], Rows]) -> Statement:
        return written.statement(engine, what, days, how)

    rows = _view(engine, "raw_rows", raw)
    written.run(engine, make("standard", lambda of: standard_rows(rows, source, on(of))), out.standard)
    written.run(engine, make("rejected", lambda of: rejected_rows(rows, source, on(of))), out.rejected)
    done = _view(engine, "standard_rows", out.standard)
    written.run(
        engine, make("mentions", lambda of: mentions(done, source, on(of).ids, of.delivered)), out.mentions
    )
    if out.failing is not None:
        written.run(engine, make("failing", lambda of: failing_rows(done, source, of.today)), out.failing)
    (counted,) = _rows(written, engine, make("counts", lambda of: rule_counts(done, source, of.today)))
    faulty = _rows(written, engine, make("faults", lambda _: fault_counts(done)))
    faults: dict[str, dict[str, int]] = {}
    for row in sorted(faulty, key=lambda row: (row["column"], row["code"])):
        faults.setdefault(row["column"], {})[row["code"]] = row["cells"]
    found = results(source, counted)
    told = Standardised(
        rows=_count(engine, raw),
        standard=_count(engine, out.standard),
        rejected=_count(engine, out.rejected),
        mentions=_count(engine, out.mentions),
        faults=faults,
        rules=found,
        score=score(found),
    )
    if told.rows != told.standard + told.rejected:
        raise RuntimeError(
            f"{source.id}: {told.rows} rows, {told.standard} standard, {told.rejected} rejected"
        )
    return told


def _view(engine: Engine, name: str, file: Path) -> Rows:
    engine.raw_sql(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM read_parquet({quoted(file)})").fetchall()
    return engine.table(name)


def _rows(written: Written, engine: Engine, statement: Statement) -> list[dict[str, Any]]:
    written.ready(engine, statement)
    found: list[dict[str, Any]] = engine.con.sql(statement.text).to_arrow_table().to_pylist()
    # DuckDB adds up in wider whole numbers than Python's reader knows.
    return [
        {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in found
    ]


def _count(engine: Engine, file: Path) -> int:
    return int(engine.raw_sql(f"SELECT count(*) FROM read_parquet({quoted(file)})").fetchone()[0])
