# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Fills a department's own PostgreSQL (前置库) from a delivered Parquet file, so that it can be pulled by watermark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.text import pc
from dizuo.foundation.blueprint.model_source import Source

_TYPES: Mapping[str, LiteralString] = {"date": "date", "datetime": "timestamp"}


def fill_table(dsn: str, source: Source, file: Path) -> int:
    """Put a delivery's rows into the source's table, making it when it is not there; a known row is replaced.

    Shapes: `file` a Parquet delivery of a source of format table. Returns the rows put in; one transaction. Errors:
    psycopg.Error, OSError.
    """
    place = source.delivery.table
    assert place is not None, f"{source.id} is no table source"
    name = sql.Identifier(place.schema, place.name)
    columns = list(source.columns.values())
    key = sql.Identifier(source.columns[source.row_key].column)
    mark = sql.Identifier(source.columns[place.watermark].column)
    listed = sql.SQL(", ").join(sql.Identifier(column.column) for column in columns)
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(c.column), sql.SQL(_TYPES.get(c.as_, "text"))) for c in columns
    )
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(place.schema)))
        cursor.execute(
            sql.SQL("create table if not exists {} ({}, primary key ({}))").format(name, typed, key)
        )
        index = sql.Identifier(f"{place.name}_watermark")
        cursor.execute(sql.SQL("create index if not exists {} on {} ({})").format(index, name, mark))
        cursor.execute(sql.SQL("create temporary table fresh (like {}) on commit drop").format(name))
        count = 0
        with cursor.copy(sql.SQL("copy fresh ({}) from stdin").format(listed)) as copy:
            for batch in pq.ParquetFile(file).iter_batches(50_000):
                copy.write(_copy_text(batch))
                count += batch.num_rows
        updates = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c.column))
            for c in columns
            if c.id != source.row_key
        )
        # A row may come twice in one delivery; the later line counts.
        cursor.execute(
            sql.SQL(
                "insert into {name} ({listed}) select distinct on ({key}) {listed} from fresh order by {key}, {mark} desc"
                " on conflict ({key}) do update set {updates}"
            ).format(name=name, listed=listed, key=key, mark=mark, updates=updates)
        )
    return count


def _copy_text(batch: Any) -> bytes:
    """A batch in the text format of COPY."""
    cells = []
    for column in batch.columns:
        cell = column.cast(pa.string())
        for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n")):
            cell = text.replaced(cell, plain, escaped)
        cells.append(pc.fill_null(cell, "\\N"))
    lines = text.join(pc.binary_join_element_wise(*cells, "\t"), "\n")
    return lines.buffers()[2].to_pybytes() if len(lines) else b""
