# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Puts the blocks' parts of a delivery together, in the order of blocks, into the file that is delivered."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dizuo.engines.lake.simulation.blocks import Delivering, part_path, truth_path
from dizuo.engines.lake.simulation.parts import TRUTH, csv_head, header
from dizuo.engines.lake.simulation.xlsx import Workbook
from dizuo.foundation.blueprint.model_source import Source

EXTENSIONS = {
    "csv": "csv",
    "xlsx": "xlsx",
    "jsonl": "jsonl",
    "push": "jsonl",
    "parquet": "parquet",
    "table": "parquet",
}


def put_together(source: Source, delivering: Delivering, blocks: int, parts: Path, path: Path) -> None:
    """Write the delivery's file; the parts are removed as they are used up. Memory is that of one block."""
    names = header(source, delivering.renamed, delivering.extra)
    found = [part_path(parts, delivering.name, block) for block in range(blocks)]
    form = source.delivery.format
    if form == "xlsx":
        dates = {column.column for column in source.columns.values() if column.as_ == "date"}
        with Workbook(path, names, dates) as book:
            for table in _tables(found):
                book.write([table.column(name).combine_chunks() for name in names])
    elif form in ("parquet", "table"):
        _parquet(source, names, found, path)
    else:
        with path.open("wb") as out:
            if form == "csv":
                out.write(csv_head(source, names))
            for part in found:
                with part.open("rb") as read:
                    shutil.copyfileobj(read, out, 1 << 20)
                part.unlink()


def put_truth(delivering: Delivering, blocks: int, parts: Path, path: Path) -> None:
    """Write the delivery's truth as one Parquet file."""
    # No text of the first two columns comes twice; a dictionary would only cost time.
    dictionaries: Any = ["errors", "traits"]
    with pq.ParquetWriter(path, TRUTH, compression="zstd", use_dictionary=dictionaries) as writer:
        for table in _tables([truth_path(parts, delivering.name, block) for block in range(blocks)]):
            writer.write_table(table)


def _tables(parts: list[Path]) -> Iterator[Any]:
    for part in parts:
        with pa.memory_map(str(part)) as file:
            yield pa.ipc.open_file(file).read_all()
        part.unlink()


def _parquet(source: Source, names: list[str], parts: list[Path], path: Path) -> None:
    types = {"date": pa.date32(), "datetime": pa.timestamp("ms")}
    declared = {column.column: types.get(column.as_, pa.string()) for column in source.columns.values()}
    schema = pa.schema([(name, declared.get(name, pa.string())) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _tables(parts):
            writer.write_table(_cast(table, schema))


def _cast(table: Any, schema: Any) -> Any:
    columns = []
    for field in schema:
        column = table.column(field.name)
        if pa.types.is_timestamp(field.type):
            column = column.cast(pa.timestamp("s"))
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=schema)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in lower-case hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
