"""A table in a department's own PostgreSQL (前置库), pulled by its watermark and landed as CSV.

Rows that were committed late carry an older time than rows already pulled: every pull therefore begins a while before
the last watermark, and what comes again is the same row again. The watermark is kept with the delivery whose bytes are
on disk, so a pull that was killed is simply repeated. A clock that runs ahead over there never moves it past now.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, LiteralString, cast

import psycopg
from psycopg import sql

from dizuo.engines.lake.intake import actions
from dizuo.engines.lake.intake.deliveries import QUERIES, Intake
from dizuo.engines.lake.intake.errors import SourceAddressMissing, TableUnreachable
from dizuo.engines.lake.intake.landing import Landed, land
from dizuo.foundation.blueprint.model_source import Source, SourceTable
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.store import secret_text

OVERLAP: Final = dt.timedelta(hours=1)
OVERLAP_COUNT: Final = 10_000
"""The same for a watermark that is a number."""
_PIECE: Final = 1 << 18
_TIMES: Final = frozenset({"timestamp with time zone", "timestamp without time zone", "date"})
_NUMBERS: Final = frozenset({"bigint", "integer", "numeric"})
_SETTINGS: Final = (
    "-c default_transaction_read_only=on -c statement_timeout=30min -c lock_timeout=10s "
    "-c timezone=Asia/Shanghai -c datestyle=ISO,YMD"
)


@dataclass(slots=True)
class _Pull:
    """One pull: what was seen while the bytes went to disk."""

    rows: int = 0
    watermark: str | None = None
    day: dt.date = field(default_factory=dt.date.today)


def source_address(data: Path, source: str) -> str:
    """Where a source's database is and as whom to sign in: `<data>/secrets/source-<id>`, mode 0600.

    Errors: SourceAddressMissing; DataFolderUnusable when others may read it.
    """
    if not (data / "secrets" / f"source-{source}").exists():
        raise SourceAddressMissing(source=source)
    return secret_text(data, f"source-{source}")


async def pull(
    intake: Intake, source: str, address: str, *, overlap: dt.timedelta = OVERLAP
) -> actions.Received | None:
    """Pull what is new or changed since the last pull, and enter it as a delivery; None when there is nothing.

    Shapes: `address` is a PostgreSQL URI. All rows are of one snapshot. Errors: SourceUnknown, TableUnreachable (nothing
    changed; repeat), those of landing, the pool's.
    """
    declared = intake.source(source)
    table = declared.delivery.table
    if table is None:
        raise TableUnreachable(3600, why="这个数据源没有申报数据表")
    since = await intake.pool.fetchval(QUERIES["watermark"], source)
    landed, seen = await asyncio.to_thread(_fetch, intake, declared, table, address, since, overlap)
    if not seen.rows and since is not None:
        return None
    return await actions.enter(
        intake, declared, landed, seen.day, f"{table.schema}.{table.name}", watermark=seen.watermark or since
    )


def _fetch(
    intake: Intake,
    source: Source,
    table: SourceTable,
    address: str,
    since: str | None,
    overlap: dt.timedelta,
) -> tuple[Landed, _Pull]:
    try:
        with closing(psycopg.connect(address, connect_timeout=10, options=_SETTINGS)) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            seen = _Pull()
            copied = _copied(connection, source, table, since, overlap, seen, intake.now())
            return land(copied, intake.places, intake.limits), seen
    except psycopg.Error as error:
        why = error.diag.message_primary or (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TableUnreachable(300, why=why[:200]) from error


def _copied(
    connection: psycopg.Connection,
    source: Source,
    table: SourceTable,
    since: str | None,
    overlap: dt.timedelta,
    seen: _Pull,
    now: dt.datetime,
) -> Iterator[bytes]:
    """The rows as CSV with a header, in one snapshot; fills `seen` on the way. Neither their clock nor a row is ahead of ours."""
    kinds = _columns(connection, table)
    mark = source.columns[table.watermark].column
    if mark not in kinds:
        raise TableUnreachable(3600, why=f"表里没有水位栏“{mark}”")
    wanted = [column.column for column in source.columns.values() if column.column in kinds]
    place = sql.Identifier(table.schema, table.name)
    column = sql.Identifier(mark)
    where = _since(column, kinds[mark], since, overlap)
    bound = sql.SQL("least(max({}), {}::timestamptz::{})") if kinds[mark] in _TIMES else sql.SQL("max({})")
    row = connection.execute(
        sql.SQL("SELECT count(*), {}::text, now() FROM {}{}").format(
            bound.format(column, sql.Literal(now.isoformat()), sql.SQL(cast("LiteralString", kinds[mark])))
            if kinds[mark] in _TIMES
            else bound.format(column),
            place,
            where,
        )
    ).fetchone()
    assert row is not None
    seen.rows, seen.watermark, seen.day = int(row[0]), row[1], min(row[2], now).astimezone(SHANGHAI).date()
    order = sql.SQL(", ").join(
        sql.Identifier(name) for name in dict.fromkeys((mark, source.columns[source.row_key].column)) if name in kinds
    )  # fmt: skip
    query = sql.SQL("COPY (SELECT {} FROM {}{} ORDER BY {}) TO STDOUT (FORMAT csv, HEADER)").format(
        sql.SQL(", ").join(map(sql.Identifier, wanted)), place, where, order
    )
    with connection.cursor().copy(query) as copy:
        gathered = bytearray()
        for data in copy:  # one row each
            gathered += data
            if len(gathered) >= _PIECE:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)


def _columns(connection: psycopg.Connection, table: SourceTable) -> dict[str, str]:
    """Name → type of the columns that we may read."""
    found = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (table.schema, table.name),
    ).fetchall()
    if not found:
        raise TableUnreachable(3600, why=f"没有表 {table.schema}.{table.name}，或没有读它的权限")
    return {str(name): str(kind) for name, kind in found}


def _since(column: sql.Identifier, kind: str, since: str | None, overlap: dt.timedelta) -> sql.Composable:
    """The condition for what is new, with the overlap; nothing for the first pull."""
    if kind not in _TIMES and kind not in _NUMBERS:
        raise TableUnreachable(3600, why=f"水位栏的类型是 {kind}，应当是时间或数字")
    if since is None:
        return sql.SQL("")
    back = (
        sql.SQL("interval {}").format(sql.Literal(f"{overlap.total_seconds():.0f} seconds"))
        if kind in _TIMES
        else sql.Literal(OVERLAP_COUNT)
    )
    return sql.SQL(" WHERE {} >= {}::{} - {}").format(column, sql.Literal(since), sql.SQL(kind), back)  # pyright: ignore[reportArgumentType]
