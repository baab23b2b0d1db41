"""The first load of a city: millions of records beside the registers, then in their place, at once.

The rows come from DuckDB as a relation per register; PostgreSQL gets them as COPY text that DuckDB wrote, so no row passes
through Python. Identities and record numbers are given here, in ranges that the database set aside; everything else that
matters (who may say what, whom a record is about, nothing twice) the database checks itself before it switches. See
sql/0011_pre_bulk.sql. A load that was killed goes on where it stopped when it is started again with the same digest.
"""

# ruff: noqa: S608 - statements are put together from declared names and from relations that the lake itself wrote
from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import psycopg
from psycopg.rows import TupleRow, tuple_row

from dizuo.engines.registers.bulk_errors import BulkBusy, BulkRefused, BulkTooLate
from dizuo.engines.registers.bulk_lines import SCHEMES, BulkRows, OrderLost, escaped, parts, record_lines
from dizuo.foundation.store import LOADER

if TYPE_CHECKING:
    import duckdb  # heavy: whoever brings rows has it already

PART = 250_000
"""Rows per transaction: a few seconds, because the ledger seals nothing past the oldest open transaction."""
_BATCH = 25_000
_LOCK_TRIES = 10
Connection = psycopg.Connection[TupleRow]
Progress = Callable[[str, int, int], None]


class DatabaseLike(Protocol):
    """What gives the loader's address; see `dizuo.foundation.store.Database`."""

    def dsn(self, role: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a load: its name, how many rows it went through, and its wall time in seconds."""

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BulkLoaded:
    """What a bulk load did. ``changed``: records that were there before and got a new version. Without ``stages`` it was done before."""

    rows: int
    registers: Mapping[str, int]
    changed: int
    entry: int
    stages: tuple[Stage, ...]


def bulk_load(
    database: DatabaseLike,
    lake: duckdb.DuckDBPyConnection,
    rows: Sequence[BulkRows],
    *,
    digest: str,
    about: Mapping[str, object],
    progress: Progress | None = None,
    workers: int = 2,
) -> BulkLoaded:
    """Load these records as the database role `dizuo_loader`; served all at once, or not at all.

    Shapes: ``digest`` is the SHA-256 (hexadecimal) of everything that determines the rows, so that an interrupted load of
    the same rows goes on; ``about`` is entered in the ledger as it is: delivery numbers, file hashes, counts, nothing
    personal. Errors: BulkRefused when the database finds something wrong in the rows (nothing is published), BulkBusy
    when another load is open or the registers are already full, BulkTooLate when somebody got a number meanwhile (start
    again), psycopg.Error when the database is away (start again).
    """
    load = _Load(database, lake, tuple(rows), progress or _silent, workers)
    try:
        return load.run(digest, about)
    except psycopg.Error as error:
        told = _told(error)
        if isinstance(told, BulkRefused | BulkTooLate):
            load.give_up()
        raise told from error


def _told(error: psycopg.Error) -> Exception:
    state = str(error.sqlstate or "")
    says = str(error.diag.message_primary or error)
    if state in {"DZ304", "DZ306", "DZ307"}:
        busy = BulkBusy(reason=says)
        busy.full = state == "DZ304"
        return busy
    if state == "DZ308":
        return BulkTooLate(2, reason=says)
    if state.startswith("DZ3") or state[:2] in {"22", "23"}:
        # A value's own words stay in the database: only what is wrong, and where, is told.
        return BulkRefused(reason=says if state.startswith("DZ3") else f"{state} {says}"[:200])
    return error


class _Load:
    """One load: a leading connection that holds the lock, and a few that copy."""

    def __init__(
        self,
        database: DatabaseLike,
        lake: duckdb.DuckDBPyConnection,
        rows: tuple[BulkRows, ...],
        progress: Progress,
        workers: int,
    ) -> None:
        self._dsn = database.dsn(LOADER)
        self._lake = lake
        self._rows = rows
        self._tell = progress
        self._workers = max(1, workers)
        self._run = ""
        self._done: dict[str, int] = {}
        self._stages: list[Stage] = []
        self._counts: dict[str, int] = {}

    def run(self, digest: str, about: Mapping[str, object]) -> BulkLoaded:
        with self._connect() as lead:
            if (known := self._published(lead, digest)) is not None:
                return known
            first_identity, first_ref, numbers = self._begin(lead, digest, about)
            self._copy_identities(lead, first_identity, numbers)
            self._copy_records(first_ref)
            self._timed("sealed", 0, lambda: self._once(lead, "sealed", "SELECT registers.bulk_seal(%s)"))
            self._finish_tables(lead)
            return self._switch(lead)

    def _published(self, lead: Connection, digest: str) -> BulkLoaded | None:
        """The load itself, when it was done and its caller did not live to hear of it."""
        row = lead.execute("SELECT registers.bulk_published(%s)", (digest,)).fetchone()
        lead.commit()
        if row is None or row[0] is None:
            return None
        return BulkLoaded(int(row[0]["rows"]), {}, 0, int(row[0]["entry"]), ())

    def give_up(self) -> None:
        """What was brought is wrong or too late: it need not wait for anybody."""
        if self._run:
            with self._connect() as connection:
                connection.execute("SELECT registers.bulk_give_up(%s)", (self._run,))

    # ------------------------------------------------------------------ begin

    def _begin(self, lead: Connection, digest: str, about: Mapping[str, object]) -> tuple[int, int, int]:
        began = time.monotonic()
        self._tell("编号", 0, 1)
        numbers = self._number_people()
        for part in self._rows:
            row = self._lake.execute(f"SELECT count(*) FROM ({part.sql})").fetchone()
            self._counts[part.register] = int(row[0]) if row else 0
        records = sum(self._counts.values())
        asked = lead.execute(
            "SELECT registers.bulk_begin(%s, %s, %s, %s)",
            (digest, msgspec.json.encode(about).decode(), numbers, records),
        ).fetchone()
        lead.commit()
        assert asked is not None
        open_load: dict[str, Any] = asked[0]
        self._run = str(open_load["run"])
        self._done = {str(part): int(n) for part, n in open_load["done"].items()}
        self._stages.append(Stage("number", numbers + records, time.monotonic() - began))
        return int(open_load["first_identity"]), int(open_load["first_ref"]), numbers

    def _number_people(self) -> int:
        """Table bulk_number (who, n): everybody whom a record is about, numbered from 0 in a fixed order."""
        said = " UNION ALL ".join(
            f"SELECT '{SCHEMES[scheme]}' || {column} AS who FROM ({part.sql}) WHERE {column} <> ''"
            for part in self._rows
            for column, scheme in part.subjects
        )
        said = said or "SELECT '' AS who WHERE false"
        self._lake.execute(
            "CREATE OR REPLACE TABLE bulk_number AS"
            f" SELECT who, row_number() OVER (ORDER BY who) - 1 AS n FROM (SELECT DISTINCT who FROM ({said}))"
        )
        row = self._lake.execute("SELECT count(*) FROM bulk_number").fetchone()
        return int(row[0]) if row else 0

    # ------------------------------------------------------------------- copy

    def _copy_identities(self, lead: Connection, first: int, numbers: int) -> None:
        scheme = " ".join(f"WHEN '{short}' THEN '{name}'" for name, short in SCHEMES.items())
        lines = (
            f"SELECT ({first} + n)::VARCHAR || chr(9) || CASE who[1] {scheme} END || chr(9) || {escaped('who[2:]')} || chr(10)"
            " AS line, n AS nth FROM bulk_number"
        )
        target = "COPY registers.identity_next (id, scheme, number) FROM STDIN"
        self._timed(
            "identities",
            numbers,
            lambda: self._copy("identity", lines, target, numbers),
        )
        known = lead.execute("SELECT made, id FROM registers.bulk_known(%s)", (self._run,)).fetchall()
        lead.commit()
        self._lake.execute(
            f"CREATE OR REPLACE TABLE bulk_who AS SELECT who, {first} + n AS id FROM bulk_number"
        )
        if known:
            self._lake.execute(
                "UPDATE bulk_who SET id = s.id FROM (SELECT unnest($1::BIGINT[]) AS made, unnest($2::BIGINT[]) AS id) AS s"
                " WHERE bulk_who.id = s.made",
                [[row[0] for row in known], [row[1] for row in known]],
            )

    def _copy_records(self, first_ref: int) -> None:
        """Every register is one stream; streams share the workers, the longest first."""
        refs: dict[str, int] = {}
        for part in self._rows:
            refs[part.register] = first_ref
            first_ref += self._counts[part.register]
        waiting: queue.SimpleQueue[BulkRows] = queue.SimpleQueue()
        for part in sorted(self._rows, key=lambda part: -self._counts[part.register]):
            waiting.put(part)
        failed: list[BaseException] = []

        def work() -> None:
            while not failed:
                try:
                    part = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    self._copy(
                        f"record/{part.register}",
                        record_lines(part, refs[part.register]),
                        "COPY registers.record_next (register, key, ref, subjects, data, sources, valid_from, valid_to)"
                        " FROM STDIN",
                        self._counts[part.register],
                    )
                except BaseException as error:
                    failed.append(error)

        def all_of_them() -> None:
            threads = [threading.Thread(target=work) for _ in range(min(self._workers, len(self._rows)))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if failed:
                raise failed[0]

        self._timed("records", sum(self._counts.values()), all_of_them)

    def _copy(self, name: str, lines: str, target: str, total: int) -> None:
        """One relation of lines into one table, PART rows a transaction; parts that are done are passed over."""
        before = [rows for part, rows in self._done.items() if part.startswith(f"{name}/")]
        done, number = sum(before), len(before)
        for order in ("", " ORDER BY nth"):
            if done >= total:
                return
            with contextlib.suppress(OrderLost):
                for rows in self._copied(name, f"{lines} WHERE nth >= {done}{order}", target, done, number):
                    number += 1
                    done += rows
                    self._tell(f"写入 {name.partition('/')[2] or '身份'}", done, total)
        assert done >= total, f"{name}: {total - done} rows could not be read"

    def _copied(self, name: str, lines: str, target: str, done: int, number: int) -> Iterator[int]:
        """The rows of each lot that was committed. Errors: OrderLost, after the last whole one."""
        with self._lake.cursor() as cursor, self._connect() as connection:
            # The larger side of a join must not become the one that is walked: parts are counted in the rows' own order.
            cursor.execute("SET disabled_optimizers = 'build_side_probe_side'")
            reader = cursor.sql(lines).to_arrow_reader(min(_BATCH, PART))
            for rows, part in parts(reader, done, PART):
                with connection.cursor().copy(target.encode()) as copy:
                    for lines_of in part:
                        copy.write(lines_of)
                connection.execute(
                    "SELECT registers.bulk_copied(%s, %s, %s)", (self._run, f"{name}/{number:06}", rows)
                )
                connection.commit()
                number += 1
                yield rows

    # ------------------------------------------------------------------ finish

    def _finish_tables(self, lead: Connection) -> None:
        """Look-ups first, because their index waits for them; then indexes and checks, side by side."""
        registers = [part.register for part in sorted(self._rows, key=lambda p: -self._counts[p.register])]
        found: list[tuple[str, str, tuple[str, ...]]] = [
            (f"found_by/{r}", "SELECT registers.bulk_found_by(%s, %s)", (r,)) for r in registers
        ]
        self._timed("lookups", sum(self._counts.values()), lambda: self._side_by_side(found))
        names = [str(row[0]) for row in lead.execute("SELECT registers.bulk_indexes()").fetchall()]
        lead.commit()
        indexes = [(f"index/{name}", "SELECT registers.bulk_index(%s, %s)", (name,)) for name in names]
        checks = [(f"check/{r}", "SELECT registers.bulk_check(%s, %s)", (r,)) for r in registers]
        self._timed("indexes", len(names), lambda: self._side_by_side(indexes))
        self._timed("checks", sum(self._counts.values()), lambda: self._side_by_side(checks))
        self._timed("analyze", 0, lambda: self._once(lead, "analyzed", "SELECT registers.bulk_analyze(%s)"))

    def _side_by_side(self, tasks: Sequence[tuple[str, str, tuple[str, ...]]]) -> None:
        waiting: queue.SimpleQueue[tuple[str, str, tuple[str, ...]]] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        failed: list[BaseException] = []

        def work() -> None:
            try:
                with self._connect() as connection:
                    while not failed:
                        try:
                            part, statement, more = waiting.get_nowait()
                        except queue.Empty:
                            return
                        self._once(connection, part, statement, *more)
                        self._tell(part, 1, 1)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(min(self._workers, len(tasks)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def _switch(self, lead: Connection) -> BulkLoaded:
        began = time.monotonic()
        self._tell("切换", 0, 1)
        for attempt in range(1, _LOCK_TRIES + 1):
            try:
                row = lead.execute("SELECT registers.bulk_switch(%s)", (self._run,)).fetchone()
                lead.commit()
                break
            except psycopg.errors.LockNotAvailable:
                # Waiting longer would queue every reader behind the switch; step back and let them through.
                lead.rollback()
                if attempt == _LOCK_TRIES:
                    raise
                time.sleep(0.5 * attempt)
        else:
            raise AssertionError("unreachable")
        assert row is not None
        told: dict[str, Any] = row[0]
        self._stages.append(Stage("switch", int(told["rows"]), time.monotonic() - began))
        registers: dict[str, int] = told["registers"] or {}
        return BulkLoaded(
            int(told["rows"]), registers, int(told["changed"]), int(told["entry"]), tuple(self._stages)
        )

    # ------------------------------------------------------------------- small

    def _once(self, connection: Connection, part: str, statement: str, *more: str) -> None:
        if part not in self._done:
            connection.execute(statement.encode(), (self._run, *more))
            connection.commit()

    def _timed(self, name: str, rows: int, work: Callable[[], None]) -> None:
        began = time.monotonic()
        work()
        self._stages.append(Stage(name, rows, time.monotonic() - began))

    def _connect(self) -> Connection:
        connection = psycopg.connect(self._dsn, row_factory=tuple_row)
        connection.execute("SET statement_timeout = '30min'")
        connection.commit()
        return connection


def _silent(_: str, __: int, ___: int) -> None:
    return None
