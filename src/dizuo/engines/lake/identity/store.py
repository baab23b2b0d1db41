"""The identity store: one DuckDB file that knows every node, its identity and how far the present run has come.

Each step of a run is one transaction together with its note in ``step``: a process that was killed goes on at the first step
without a note, and a step is never done twice. One process at a time may write (DuckDB locks the file).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow

from dizuo.engines.lake.identity.errors import IdentityBusy, IdentityUnfinished, MentionsUnusable

Connection = duckdb.DuckDBPyConnection
pa: Final[Any] = pyarrow
"""pyarrow, which ships no types."""
ENTITIES: Final = ("person", "enterprise")
FILE: Final = "identity.duckdb"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS run (run INTEGER, inputs VARCHAR, finished BOOLEAN);
CREATE TABLE IF NOT EXISTS step (run INTEGER, name VARCHAR);
CREATE TABLE IF NOT EXISTS counter (next_cid BIGINT, store UUID);
CREATE TABLE IF NOT EXISTS mention_file (run INTEGER, path VARCHAR);
CREATE TABLE IF NOT EXISTS event (run INTEGER, ord INTEGER, entity VARCHAR, kind VARCHAR, cid BIGINT, other BIGINT, last BIGINT,
                                  nodes BIGINT, record_id VARCHAR, why VARCHAR, who VARCHAR);
CREATE TABLE IF NOT EXISTS doubt (run INTEGER, entity VARCHAR, l BIGINT, r BIGINT, w FLOAT, why VARCHAR);
"""
_ENTITY_TABLES: Final = """
CREATE TABLE IF NOT EXISTS record_{e} (record_id VARCHAR, node BIGINT, since INTEGER);
CREATE TABLE IF NOT EXISTS member_{e} (node BIGINT, cid BIGINT, origin BIGINT, since INTEGER);
CREATE TABLE IF NOT EXISTS link_{e} (l BIGINT, r BIGINT, w FLOAT);
"""


class Store:
    """An open identity store; ``run`` is the run under way."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection = connection
        self.folder = folder
        self.run = 0
        self.id = str(self.rows("SELECT store FROM counter")[0][0])
        """Which store this is: a rebuilt one numbers identities anew."""

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; DuckDB refuses further work while a result is only partly read."""
        return self.connection.execute(query, list(parameters)).fetchall()

    def number(self, query: str, parameters: Sequence[object] = ()) -> int:
        """The one number that a query gives (0 for null)."""
        return int(self.rows(query, parameters)[0][0] or 0)

    @contextmanager
    def lent(self, name: str, columns: Mapping[str, tuple[str, Any]]) -> Iterator[None]:
        """Columns of ours as a table of the store for a while: name → (Arrow type such as "int64", values)."""
        arrays = {
            column: pa.array(values, pa.type_for_alias(kind)) for column, (kind, values) in columns.items()
        }
        self.connection.register(name, pa.table(arrays))
        try:
            yield
        finally:
            self.connection.unregister(name)

    def begin_run(self, files: Sequence[Path], more: str = "") -> int:
        """The run for these files: a new one, or the one that was stopped. ``more`` is what else the outcome depends on.

        Errors: MentionsUnusable for a file that is not there, IdentityUnfinished when another run was stopped and never finished.
        """
        inputs = _fingerprint(files, more)
        open_run = self.rows("SELECT run, inputs FROM run WHERE NOT finished")
        if open_run:
            if open_run[0][1] != inputs:
                raise IdentityUnfinished(run=open_run[0][0])
            self.run = int(open_run[0][0])
            return self.run
        self.run = self.number("SELECT max(run) FROM run") + 1
        with self.transaction():
            self.connection.execute("INSERT INTO run VALUES (?, ?, FALSE)", [self.run, inputs])
            for file in files:
                self.connection.execute("INSERT INTO mention_file VALUES (?, ?)", [self.run, str(file)])
        return self.run

    def finish_run(self) -> None:
        """The run is done; its steps need not be remembered."""
        with self.transaction():
            self.connection.execute("UPDATE run SET finished = TRUE WHERE run = ?", [self.run])
            self.connection.execute("DELETE FROM step WHERE run = ?", [self.run])
        self.connection.execute("CHECKPOINT")

    def done(self, name: str) -> bool:
        """Whether a step of this run has its note."""
        return bool(self.rows("SELECT 1 FROM step WHERE run = ? AND name = ?", [self.run, name]))

    def note(self, name: str) -> None:
        """Note a step; call it inside the step's transaction."""
        self.connection.execute("INSERT INTO step VALUES (?, ?)", [self.run, name])

    def step(self, name: str, work: Callable[[], object]) -> None:
        """Do a step once, with its note, or not at all."""
        if not self.done(name):
            with self.transaction():
                work()
                self.note(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction; raising rolls back."""
        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


@contextmanager
def open_store(folder: Path, *, memory: str = "4GB", threads: int | None = None) -> Iterator[Store]:
    """The identity store in ``folder``, made when absent. ``memory`` is DuckDB's limit; beyond it work goes to disk beside the file.

    Errors: IdentityBusy while another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        connection = duckdb.connect(str(folder / FILE))
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise IdentityBusy from error
        raise
    try:
        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
        connection.execute("SET preserve_insertion_order = FALSE")
        # These ways to write texts take half of the time of writing; the file is two fifths larger without them.
        connection.execute("SET disabled_compression_methods = 'fsst,dict_fsst,zstd'")
        if threads:
            connection.execute(f"SET threads = {threads}")
        for statement in (_TABLES + "".join(_ENTITY_TABLES.format(e=e) for e in ENTITIES)).split(";"):
            if statement.strip():
                connection.execute(statement)
        if not connection.execute("SELECT count(*) FROM counter").fetchall()[0][0]:
            connection.execute("INSERT INTO counter VALUES (1, uuid())")
        yield Store(connection, folder)
    finally:
        connection.close()


def _fingerprint(files: Sequence[Path], more: str) -> str:
    """What makes a run the same run: the files by name and length, and what else was given."""
    digest = hashlib.sha256(more.encode())
    for file in files:
        try:
            digest.update(f"\n{file} {file.stat().st_size}".encode())
        except OSError as error:
            raise MentionsUnusable(why=f"找不到 {file.name}") from error
    return digest.hexdigest()
