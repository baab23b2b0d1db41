"""Records from a table or view of the department's own PostgreSQL: one fixed statement, read-only, with a time limit.

Names come from the declaration and are quoted as identifiers; what is asked about is a parameter and never part of the text.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dizuo.node.adapter import Adapter
from dizuo.node.errors import SourceUnreadable

_SETTINGS: Final = (
    "-c default_transaction_read_only=on -c statement_timeout=5s -c lock_timeout=2s -c search_path="
)
Records = Mapping[str, Sequence[Sequence[object]]]


class PostgresSource:
    """The table of an adapter; one connection, opened when needed and again after it was lost."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._psycopg: Any = importlib.import_module("psycopg")
        self._connection: Any = None
        self._lock = threading.Lock()

    def find(self, keys: Sequence[str], fields: Sequence[str]) -> Records:
        """The records of these keys, each with the fields in their order, as text. Errors: SourceUnreadable."""
        statement = self._statement(fields)
        wanted = list(dict.fromkeys(keys))
        with self._lock:
            rows = self._asked(statement, wanted)
        found: dict[str, list[Sequence[object]]] = {}
        for key, *values in rows:
            about = found.setdefault(key, [])
            if len(about) < self._adapter.rows:
                about.append(values)
        return found

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _statement(self, fields: Sequence[str]) -> Any:
        sql: Any = importlib.import_module("psycopg.sql")
        adapter = self._adapter
        parts = adapter.source.postgres.split(".")
        table = sql.Identifier(*(parts if len(parts) == 2 else ["public", *parts]))
        key = sql.Identifier(adapter.key.column)
        columns = [sql.Identifier(one.column) for id in fields if (one := adapter.field(id)) is not None]
        return sql.SQL(
            "SELECT {key}::text{columns} FROM {table} WHERE {key}::text = ANY(%s) LIMIT {most}"
        ).format(
            key=key,
            columns=sql.SQL("").join(sql.SQL(", {}::text").format(column) for column in columns),
            table=table,
            most=sql.Literal(adapter.most * adapter.rows),
        )

    def _asked(self, statement: Any, keys: Sequence[str]) -> Sequence[Any]:
        for again in (False, True):
            try:
                return self._open().execute(statement, [keys]).fetchall()
            except self._psycopg.OperationalError as error:
                self._connection = None
                if again or isinstance(error, self._psycopg.errors.QueryCanceled):
                    raise SourceUnreadable(10, why=type(error).__name__) from error
            except self._psycopg.Error as error:
                raise SourceUnreadable(30, why=type(error).__name__) from error
        return []

    def _open(self) -> Any:
        if self._connection is None or self._connection.closed:
            path = Path(self._adapter.folder) / self._adapter.source.dsn_file
            try:
                mode = path.stat().st_mode & 0o777
                dsn = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SourceUnreadable(30, why=f"{path.name}：{type(error).__name__}") from error
            if mode & 0o077:
                raise SourceUnreadable(30, why=f"{path.name} 别人也能读，请运行 chmod 600")
            self._connection = self._psycopg.connect(
                dsn, options=_SETTINGS, autocommit=True, connect_timeout=5, application_name="dizuo-node"
            )
        return self._connection
