"""A part as a file: CSV, Parquet or an Arrow stream; written slice by slice, so memory does not grow with the register.

The same rows give the same bytes, so that a part fetched again has the digest that the manifest says.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO, Final, Protocol

from dizuo.engines.exchange.delivery.bulk_model import BulkFormat
from dizuo.foundation.kernel.cells import harmless

RECORD: Final = "_record"
"""The first column: the record's number, as in events and ledger entries."""
MEDIA: Final[Mapping[BulkFormat, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
Line = tuple[int, Sequence[str | None]]


class PartWriter(Protocol):
    """Writes one part; ``unreadable`` counts values that their declared type does not allow."""

    unreadable: int

    def write(self, lines: Sequence[Line]) -> None: ...

    def close(self) -> None: ...


class DigestFile(io.RawIOBase):
    """A file that is only written to, front to back, with its length and SHA-256 at hand."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.length = 0

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self._file.write(view)
        self.length += len(view)
        return len(view)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.length

    def digest(self) -> bytes:
        """SHA-256 of what was written so far."""
        return self._digest.digest()


def writer_of(
    format: BulkFormat, file: DigestFile, fields: Sequence[str], types: Sequence[str]
) -> PartWriter:
    """A writer of one part: the record's number, then the fields in their order."""
    if format == "csv":
        return _Csv(file, fields, types)
    return _Columns(format, file, fields, types)


class _Csv:
    """RFC 4180 in UTF-8, CRLF. An empty cell is no value; a value that is empty text is \"\"."""

    def __init__(self, file: DigestFile, fields: Sequence[str], types: Sequence[str]) -> None:
        self.unreadable = 0
        self._file = file
        # A number below zero begins with a minus sign and is none the less a number.
        self._numbers = [kind == "number" for kind in types]
        file.write((",".join([RECORD, *map(_cell, fields)]) + "\r\n").encode())

    def write(self, lines: Sequence[Line]) -> None:
        told = io.StringIO()
        for ref, values in lines:
            told.write(str(ref))
            for number, value in zip(self._numbers, values, strict=True):
                told.write(",")
                if value is not None:
                    told.write(value if number and _is_number(value) else _cell(value))
            told.write("\r\n")
        self._file.write(told.getvalue().encode())

    def close(self) -> None:
        """Nothing is held back."""


def _cell(value: str) -> str:
    text = harmless(value)
    if not text or text != text.strip() or any(sign in text for sign in ',"\r\n;\t'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text[0] in "-0123456789" and not text.startswith("-.")
    except ValueError:
        return False


class _Columns:
    """Parquet (zstd) and Arrow IPC: text, day, number and yes-or-no as their declared types say, everything else text."""

    def __init__(
        self, format: BulkFormat, file: DigestFile, fields: Sequence[str], types: Sequence[str]
    ) -> None:
        self.unreadable = 0
        # Loaded where it is used: a page needs none of it (tests/house/test_light.py).
        self._arrow: Any = importlib.import_module("pyarrow")
        known: dict[str, tuple[Any, Callable[[str], object]]] = {
            "date": (self._arrow.date32(), date.fromisoformat),
            "number": (self._arrow.float64(), float),
            "boolean": (self._arrow.bool_(), {"true": True, "false": False}.__getitem__),
        }
        plain: tuple[Any, Callable[[str], object] | None] = (self._arrow.string(), None)
        self._kinds = [known.get(kind, plain) for kind in types]
        columns = [
            (RECORD, self._arrow.int64()),
            *zip(fields, (kind for kind, _ in self._kinds), strict=True),
        ]
        self._schema: Any = self._arrow.schema(columns)
        if format == "parquet":
            parquet: Any = importlib.import_module("pyarrow.parquet")
            self._writer: Any = parquet.ParquetWriter(
                file, self._schema, compression="zstd", write_statistics=True
            )
        else:
            ipc: Any = importlib.import_module("pyarrow.ipc")
            self._writer = ipc.new_stream(file, self._schema)

    def write(self, lines: Sequence[Line]) -> None:
        arrays: list[Any] = [self._arrow.array([ref for ref, _ in lines], self._arrow.int64())]
        for column, (kind, read) in enumerate(self._kinds):
            values: list[object] = [values[column] for _, values in lines]
            if read is not None:
                values = [self._read(read, value) for value in values]
            arrays.append(self._arrow.array(values, kind))
        self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))

    def _read(self, read: Callable[[str], object], value: object) -> object:
        if not isinstance(value, str):
            return None
        try:
            return read(value)
        except (ValueError, KeyError):
            self.unreadable += 1
            return None

    def close(self) -> None:
        """Write what ends the file."""
        self._writer.close()
