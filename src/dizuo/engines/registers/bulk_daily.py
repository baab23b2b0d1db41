"""A day's difference of golden records, in lots that each are one transaction with one ledger entry.

What a lot brings may be brought again: it changes nothing the second time, so whoever was killed simply starts over.
"""

# ruff: noqa: S608 - statements are put together from declared names and from relations that the lake itself wrote
from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import psycopg

from dizuo.engines.registers.bulk_errors import BulkRefused
from dizuo.foundation.store import LOADER

if TYPE_CHECKING:
    import duckdb

LOT = 50_000
Progress = Callable[[str, int, int], None]


class DatabaseLike(Protocol):
    """What gives the loader's address; see `dizuo.foundation.store.Database`."""

    def dsn(self, role: str) -> str: ...


@dataclass(frozen=True, slots=True)
class DailyRows:
    """What changed in one register, as a DuckDB relation.

    ``sql`` is a SELECT with the columns key TEXT, former_key TEXT (the temporary key that key takes the place of, or NULL),
    data TEXT (a JSON object of the fields that changed, null takes a value back), sources TEXT (the whole record's: {organisation:
    date, ".field": [organisation, date]}), valid_from DATE, valid_to DATE.
    """

    register: str
    sql: str


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What the lots did: rows brought, new and changed records, numbers that took the place of temporary keys."""

    rows: int
    new: int
    changed: int
    rekeyed: int
    entries: tuple[int, ...]


def absorb_golden(
    database: DatabaseLike,
    lake: duckdb.DuckDBPyConnection,
    rows: Sequence[DailyRows],
    about: Mapping[str, object],
    progress: Progress | None = None,
) -> Absorbed:
    """Publish differences as the database role `dizuo_loader`, LOT records a transaction.

    ``about`` is entered in the ledger with each lot: delivery numbers, file hashes, counts, nothing personal. Errors:
    BulkRefused when the database finds something wrong in a lot (earlier lots stay, this and later ones are not published),
    psycopg.Error when it is away (start again).
    """
    tell = progress or _silent
    counts = {"rows": 0, "new": 0, "changed": 0, "rekeyed": 0}
    entries: list[int] = []
    with psycopg.connect(database.dsn(LOADER)) as connection:
        connection.execute("SET statement_timeout = '10min'")
        connection.commit()
        for part in rows:
            lake.execute(
                f"CREATE OR REPLACE TEMP TABLE bulk_daily AS SELECT row_number() OVER () AS line, * FROM ({part.sql})"
            )
            total = _count(lake)
            for start in range(0, total, LOT):
                try:
                    lot = _bring(lake, connection, part.register, start, about)
                except psycopg.Error as error:
                    raise _told(error) from error
                for name in counts:
                    counts[name] += int(lot[name])
                entries.append(int(lot["entry"]))
                tell(part.register, min(start + LOT, total), total)
    return Absorbed(**counts, entries=tuple(entries))


def _bring(
    lake: duckdb.DuckDBPyConnection,
    connection: psycopg.Connection[Any],
    register: str,
    start: int,
    about: Mapping[str, object],
) -> Mapping[str, Any]:
    load = uuid.uuid4()
    escape = r"replace(replace(replace({}, '\', '\\'), chr(9), '\t'), chr(10), '\n')"
    line = " || chr(9) || ".join(
        (
            f"'{load}'",
            "line::VARCHAR",
            f"'{register}'",
            escape.format("key"),
            r"coalesce(former_key, '\N')",
            r"replace(data, '\', '\\')",
            r"replace(sources, '\', '\\')",
            r"coalesce(valid_from::VARCHAR, '\N')",
            r"coalesce(valid_to::VARCHAR, '\N')",
        )
    )
    lines = lake.execute(
        f"SELECT string_agg({line}, chr(10)) || chr(10) FROM bulk_daily WHERE line > {start} AND line <= {start + LOT}"
    ).fetchone()
    assert lines is not None
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY registers.golden_intake (load, line, register, key, former_key, data, sources, valid_from, valid_to)"
            " FROM STDIN"
        ) as copy:
            copy.write(str(lines[0]))
        said = msgspec.json.encode({**about, "register": register, "from_row": start + 1}).decode()
        row = cursor.execute("SELECT registers.absorb_golden(%s, %s)", (load, said)).fetchone()
    connection.commit()
    assert row is not None
    return row[0]


def _told(error: psycopg.Error) -> Exception:
    state = str(error.sqlstate or "")
    if state.startswith("DZ3") or state[:2] in {"22", "23"}:
        # A value's own words stay in the database.
        return BulkRefused(reason=str(error.diag.message_primary or state)[:200])
    return error


def _count(lake: duckdb.DuckDBPyConnection) -> int:
    row = lake.execute("SELECT count(*) FROM bulk_daily").fetchone()
    return int(row[0]) if row else 0


def _silent(_: str, __: int, ___: int) -> None:
    return None
