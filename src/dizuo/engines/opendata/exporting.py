"""Rows as files: CSV, JSON, JSON Lines and GeoJSON flow as they are read; XLSX and Parquet are made on disk and then sent.

A cell that a spreadsheet would run as a formula gets an apostrophe before it (CSV); a workbook's cells are typed and run nothing.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from dizuo.engines.opendata.errors import ReleaseBusy, TooManyForSheet
from dizuo.engines.opendata.model import Column, DatasetSeen, Row, Value
from dizuo.foundation.kernel.cells import harmless

Batches = AsyncIterable[tuple[Row, ...]]
MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "geojson": "application/geo+json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
_SHEET: Final = 1_048_576
_MAKING: Final = asyncio.Semaphore(2)
_PIECE: Final = 256 * 1024


def disarmed(value: Value) -> str:
    """A cell of a CSV: numbers as they are, a text that begins like a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return harmless(value)


def csv_size(columns: Sequence[Column], some: Sequence[Row], rows: int) -> int:
    """About how many bytes a CSV of so many rows has, going by some of them; exact where those are all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([disarmed(row.data.get(column.id)) for column in columns] for row in some)
    heading = sum(len(column.id) + 1 for column in columns) + 1
    return heading + (len(text.getvalue().encode()) * rows // len(some) if some else 0)


async def as_csv(
    columns: Sequence[Column], batches: Batches, *, bom: bool = False, titled: bool = False
) -> AsyncIterator[bytes]:
    """UTF-8 with CRLF (RFC 4180), header of column ids; ``bom`` writes a byte-order mark for old Excel.

    ``titled``: for people, the header says title and id, as 年龄段（age_band）; programs go by the ids alone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([disarmed(f"{c.zh}（{c.id}）" if titled and c.zh != c.id else c.id) for c in columns])
    yield (b"\xef\xbb\xbf" if bom else b"") + _taken(text)
    async for batch in batches:
        writer.writerows([disarmed(row.data.get(column.id)) for column in columns] for row in batch)
        yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    made = text.getvalue().encode("utf-8")
    text.seek(0)
    text.truncate()
    return made


async def as_jsonl(columns: Sequence[Column], batches: Batches) -> AsyncIterator[bytes]:
    """One JSON object a line, in the order of the columns."""
    async for batch in batches:
        yield b"".join(msgspec.json.encode(_object(columns, row)) + b"\n" for row in batch)


async def as_json(columns: Sequence[Column], batches: Batches) -> AsyncIterator[bytes]:
    """One JSON array of objects."""
    yield b"["
    first = True
    async for batch in batches:
        body = b",\n".join(msgspec.json.encode(_object(columns, row)) for row in batch)
        yield (b"\n" if first else b",\n") + body
        first = False
    yield b"\n]\n"


async def as_geojson(seen: DatasetSeen, batches: Batches) -> AsyncIterator[bytes]:
    """A FeatureCollection (RFC 7946); rows without a geometry have null."""
    yield b'{"type":"FeatureCollection","name":' + msgspec.json.encode(seen.id) + b',"features":['
    first = True
    async for batch in batches:
        features = [
            {"type": "Feature", "id": row.n, "properties": _object(seen.columns, row), "geometry": row.shape}
            for row in batch
        ]
        body = b",\n".join(msgspec.json.encode(feature) for feature in features)
        yield (b"\n" if first else b",\n") + body
        first = False
    yield b"\n]}\n"


def _object(columns: Sequence[Column], row: Row) -> dict[str, Value]:
    return {column.id: row.data.get(column.id) for column in columns}


async def as_file(seen: DatasetSeen, format: str, batches: Batches, rows: int) -> AsyncIterator[bytes]:
    """XLSX or Parquet, made in a temporary file that is gone when the last byte was sent.

    Two are made at a time. Errors: TooManyForSheet, ReleaseBusy.
    """
    if format == "xlsx" and rows >= _SHEET:
        raise TooManyForSheet()
    if _MAKING.locked():
        raise ReleaseBusy()
    return _made(seen, format, batches)


async def _made(seen: DatasetSeen, format: str, batches: Batches) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="dizuo-open-") as folder:
        path = Path(folder) / f"{seen.id}.{format}"
        async with _MAKING:
            writer = _Sheet(seen, path) if format == "xlsx" else _Parquet(seen, path)
            async for batch in batches:
                await asyncio.to_thread(writer.write, batch)
            await asyncio.to_thread(writer.close)
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece


def _made_at(seen: DatasetSeen) -> dt.datetime:
    """When the release was made, not when the file was: without a zone, as workbooks write it."""
    return (seen.updated_at or seen.changed_at).astimezone(dt.UTC).replace(tzinfo=None)


class _Sheet:
    """A workbook of one sheet, written row by row; cells are texts, numbers and truths, never formulas or links."""

    def __init__(self, seen: DatasetSeen, path: Path) -> None:
        import xlsxwriter

        book: Any = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                        "tmpdir": str(path.parent)}
        )  # fmt: skip
        # Made alike each time, so that a part of it fits to the part that somebody has.
        book.set_properties({"title": seen.title, "created": _made_at(seen)})
        self._book = book
        self._sheet: Any = book.add_worksheet("data")
        self._columns = seen.columns
        self._at = 1
        for at, column in enumerate(seen.columns):
            self._sheet.write_string(0, at, column.zh)
        self._sheet.freeze_panes(1, 0)

    def write(self, batch: Sequence[Row]) -> None:
        for row in batch:
            for at, column in enumerate(self._columns):
                value = row.data.get(column.id)
                if isinstance(value, bool):
                    self._sheet.write_boolean(self._at, at, value)
                elif isinstance(value, int | float):
                    self._sheet.write_number(self._at, at, value)
                elif value is not None:
                    self._sheet.write_string(self._at, at, value[:32_000])
            self._at += 1

    def close(self) -> None:
        self._book.close()


class _Parquet:
    """A Parquet file, one row group a batch; columns typed as declared, what does not fit is null."""

    def __init__(self, seen: DatasetSeen, path: Path) -> None:
        import pyarrow as _arrow
        import pyarrow.parquet as _parquet

        pa: Any = _arrow
        pq: Any = _parquet
        types: dict[str, Any] = {
            "integer": pa.int64(), "decimal": pa.float64(), "boolean": pa.bool_(), "date": pa.string(), "text": pa.string(),
        }  # fmt: skip
        self._columns = seen.columns
        self._pa = pa
        self._schema: Any = pa.schema(
            [pa.field(c.id, types[c.type], metadata={"title": c.zh.encode("utf-8")}) for c in seen.columns]
        )
        self._writer: Any = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, batch: Sequence[Row]) -> None:
        arrays = [
            self._pa.array([_typed(column, row.data.get(column.id)) for row in batch], type=field.type)
            for column, field in zip(self._columns, self._schema, strict=True)
        ]
        self._writer.write_table(self._pa.table(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _typed(column: Column, value: Value) -> Value:
    if column.type == "integer":
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if column.type == "decimal":
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if column.type == "boolean":
        return value if isinstance(value, bool) else None
    return None if value is None else str(value)
