"""Writes Parquet beside its place and moves it there whole, so that a file with that name is always complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dizuo.engines.lake.intake.arrow import Schema, Table, pa, pq
from dizuo.engines.lake.intake.places import sync_folder

ROW_GROUP = 122_880
"""Rows a row group: what DuckDB writes, and what it hands to one thread."""


class RowWriter:
    """Gathers tables into row groups of about ROW_GROUP rows; holds one group in memory."""

    def __init__(self, writer: Any, schema: Schema) -> None:
        self._writer = writer
        self._schema = schema
        self._held: list[Table] = []
        self._count = 0
        self.rows = 0

    def write(self, table: Table) -> None:
        if not table.num_rows:
            return
        self._held.append(table)
        self._count += table.num_rows
        self.rows += table.num_rows
        while self._count >= ROW_GROUP:
            self._flush(ROW_GROUP)

    def finish(self) -> None:
        if self._count:
            self._flush(self._count)

    def _flush(self, count: int) -> None:
        table = pa.concat_tables(self._held)
        self._writer.write_table(table.slice(0, count), row_group_size=ROW_GROUP)
        rest = table.slice(count)
        self._held = [rest] if rest.num_rows else []
        self._count = rest.num_rows


@contextmanager
def written(path: Path, schema: Schema) -> Iterator[RowWriter]:
    """A writer for `path`; the file appears, on disk, when the block ends well, and not at all when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(path)
    part = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with pq.ParquetWriter(part, schema, compression="zstd", compression_level=1, write_statistics=True) as writer:  # fmt: skip
            rows = RowWriter(writer, schema)
            yield rows
            rows.finish()
        handle = os.open(part, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _sweep(path: Path) -> None:
    """Remove what a process that is no more left unfinished under this name; a living one may be writing still."""
    for left in path.parent.glob(f".{path.name}.*.part"):
        writer = left.name.removeprefix(f".{path.name}.").partition("-")[0]
        if not writer.isdigit() or not _lives(int(writer)):
            left.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
