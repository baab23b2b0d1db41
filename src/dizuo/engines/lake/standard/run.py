"""Standardises one delivery on DuckDB: raw Parquet in; standard rows, mentions, rejected and failing rows out.

On a cluster the same expressions (`standard_rows`, `rejected_rows`, `mentions`, `rule_counts`) are given to another
Ibis backend; see docs/know/outgrowing.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec

from dizuo.engines.lake.standard.cells import stages_kept
from dizuo.engines.lake.standard.mentions import mentions
from dizuo.engines.lake.standard.quality import RuleResult, Score, failing_rows, results, rule_counts, score
from dizuo.engines.lake.standard.rows import Standards, fault_counts, rejected_rows, standard_rows
from dizuo.engines.lake.standard.terms import Engine, Rows, ibis
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
    raw: Path, source: Source, standards: Standards, out: Outputs, delivered: dt.date, engine: Engine
) -> Standardised:
    """Standardise one delivery. Each file appears whole or not at all, so the step may be repeated after any crash.

    Errors: RuleErrors for a rule that rows cannot answer; RuntimeError when a row is unaccounted for.
    """
    today = standards.ids.today
    rows = engine.read_parquet(raw)
    _write(engine, standard_rows(rows, source, standards), out.standard)
    _write(engine, rejected_rows(rows, source, standards), out.rejected)
    done = engine.read_parquet(out.standard)
    _write(engine, mentions(done, source, standards.ids, delivered), out.mentions)
    if out.failing is not None:
        _write(engine, failing_rows(done, source, today), out.failing)
    with stages_kept():
        counted = engine.to_pyarrow(rule_counts(done, source, today)).to_pylist()[0]
        faulty = engine.to_pyarrow(fault_counts(done)).to_pylist()
    faults: dict[str, dict[str, int]] = {}
    for row in sorted(faulty, key=lambda row: (row["column"], row["code"])):
        faults.setdefault(row["column"], {})[row["code"]] = row["cells"]
    found = results(source, counted)
    told = Standardised(
        rows=_count(engine, rows),
        standard=_count(engine, done),
        rejected=_count(engine, engine.read_parquet(out.rejected)),
        mentions=_count(engine, engine.read_parquet(out.mentions)),
        faults=faults,
        rules=found,
        score=score(found),
    )
    if told.rows != told.standard + told.rejected:
        raise RuntimeError(
            f"{source.id}: {told.rows} rows, {told.standard} standard, {told.rejected} rejected"
        )
    return told


def _write(engine: Engine, table: Rows, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    beside = to.with_name(to.name + ".part")
    with stages_kept():
        engine.to_parquet(table, beside, compression="zstd")
    beside.replace(to)


def _count(engine: Engine, table: Rows) -> int:
    return int(engine.to_pyarrow(table.count()).as_py())
