"""Records from a CSV file with a header line; read again when it was replaced."""

from __future__ import annotations

import csv
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from dizuo.node.adapter import Adapter
from dizuo.node.errors import SourceUnreadable

Records = Mapping[str, Sequence[Sequence[object]]]


class CsvSource:
    """The file of an adapter, by key in memory: only the declared columns are kept."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._path = Path(adapter.folder) / adapter.source.csv
        self._seen: tuple[int, int, int] | None = None
        self._rows: dict[str, list[tuple[str, ...]]] = {}
        self._lock = threading.Lock()

    def find(self, keys: Sequence[str], fields: Sequence[str]) -> Records:
        """The records of these keys, each with the fields in their order. Errors: SourceUnreadable."""
        with self._lock:
            self._fresh()
            rows = self._rows
        places = [
            next(n for n, one in enumerate(self._adapter.fields) if one.id == field) for field in fields
        ]
        return {
            key: [[row[place] for place in places] for row in rows[key][: self._adapter.rows]]
            for key in dict.fromkeys(keys)
            if key in rows
        }

    def close(self) -> None:
        """Nothing is held open."""

    def _fresh(self) -> None:
        try:
            state = self._path.stat()
            seen = (state.st_ino, state.st_mtime_ns, state.st_size)
            if seen != self._seen:
                self._rows = self._read()
                self._seen = seen
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceUnreadable(30, why=f"{self._path.name}：{type(error).__name__}") from error

    def _read(self) -> dict[str, list[tuple[str, ...]]]:
        encoding = "utf-8-sig" if self._adapter.source.encoding == "utf-8" else self._adapter.source.encoding
        found: dict[str, list[tuple[str, ...]]] = {}
        wanted = [self._adapter.key.column, *(field.column for field in self._adapter.fields)]
        with self._path.open(encoding=encoding, newline="") as file:
            lines = csv.reader(file, strict=True)
            header = next(lines, list[str]())
            missing = [column for column in wanted if column not in header]
            if missing:
                raise SourceUnreadable(30, why=f"{self._path.name} 没有这些列：{'、'.join(missing)}")
            places = [header.index(column) for column in wanted]
            for line in lines:
                if len(line) != len(header):
                    raise SourceUnreadable(30, why=f"{self._path.name} 第 {lines.line_num} 行的列数不对")
                key, *values = (line[place] for place in places)
                if key.strip():
                    found.setdefault(key.strip(), []).append(tuple(values))
        return found
