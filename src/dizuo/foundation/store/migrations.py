"""Structure of the database as files: ``sql/schema.sql`` is the present, ``sql/NNNN_{pre,post}_what.sql`` the way to it.

A new database gets schema.sql, and every numbered file counts as applied. An existing one gets the numbered files that
it lacks, each in a transaction of its own, ``pre`` files before the new program starts and ``post`` files after the old
one has ended. A file whose first line is ``-- transaction: none`` holds one statement that may not run inside one
(CREATE INDEX CONCURRENTLY). Functions start without rights for anybody: every GRANT EXECUTE is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Literal, Protocol

import asyncpg

from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.errors import MigrationFailed, MigrationInvalid, SchemaDrift
from dizuo.foundation.store.pool import connect
from dizuo.foundation.store.roles import OWNER, SERVICE_ROLES

Phase = Literal["pre", "post", "all"]

DISCOVER: Final = (
    ("store", "dizuo.foundation.store"),
    ("ledger", "dizuo.foundation.ledger"),
    ("directory", "dizuo.engines.directory"),
    ("registers", "dizuo.engines.registers"),
    ("lake", "dizuo.engines.lake"),
    ("cases", "dizuo.engines.cases"),
    ("exchange", "dizuo.engines.exchange"),
    ("opendata", "dizuo.engines.opendata"),
)
"""(schema, package) of every room with tables, in the order in which they may refer to one another."""

_NUMBERED = re.compile(r"^(\d{4})_(pre|post)_[a-z0-9_]+\.sql$")
_SCHEMA_FILE = "schema.sql"
_OUTSIDE = "-- transaction: none"
_LOCK_ATTEMPTS = 10
_TIMEOUTS = "SET LOCAL lock_timeout = '4s'; SET LOCAL statement_timeout = '15min';"
_ADVISORY = 7_315_001  # one migration run at a time in a database


class DatabaseLike(Protocol):
    """Anything that knows the address of a database for a role."""

    def dsn(self, role: str) -> str: ...


@dataclass(frozen=True)
class MigrationSet:
    """The structure files of one room: its schema's name and the package whose sql/ folder holds them."""

    schema: str
    package: str


@dataclass(frozen=True)
class _File:
    name: str
    phase: Literal["pre", "post"]
    text: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()


def discover() -> list[MigrationSet]:
    """The rooms of DISCOVER that exist and have structure files."""
    found: list[MigrationSet] = []
    for schema, package in DISCOVER:
        try:
            there = importlib.util.find_spec(package) is not None
        except ModuleNotFoundError:
            continue
        if there and (files(package) / "sql").is_dir() and any(_sql_files(package)):
            found.append(MigrationSet(schema, package))
    return found


async def migrate(database: DatabaseLike, engines: Sequence[MigrationSet], phase: Phase = "all") -> list[str]:
    """Bring the database to the present structure; returns the files applied, as ``schema/name``.

    Errors: MigrationInvalid for a wrongly named file, MigrationFailed with the database's words (that file is rolled
    back, the earlier ones stay), SchemaDrift when schema.sql changed and no numbered file says how.
    """
    connection = await connect(database.dsn(OWNER), settings={"statement_timeout": "15min"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY)
        await _prepare_database(connection)
        applied: list[str] = []
        for engine in engines:
            applied += await _bring(connection, engine, phase)
        return applied
    finally:
        await connection.close()


async def pending(connection: Connection, engines: Sequence[MigrationSet]) -> list[str]:
    """The numbered files, as ``schema/name``, that this database has not had; for ``dizuo doctor``."""
    missing: list[str] = []
    for engine in engines:
        known = await _known(connection, engine.schema)
        names = [_SCHEMA_FILE] if not known else [file.name for file in _read(engine)[1]]
        missing += [f"{engine.schema}/{name}" for name in names if name not in known]
    return missing


# ---------------------------------------------------------------------- files


def _sql_files(package: str) -> list[Traversable]:
    folder = files(package) / "sql"
    return sorted(
        (file for file in folder.iterdir() if _NUMBERED.match(file.name) or file.name == _SCHEMA_FILE),
        key=lambda file: file.name,
    )


def _read(engine: MigrationSet) -> tuple[_File | None, list[_File]]:
    schema: _File | None = None
    numbered: list[_File] = []
    numbers: dict[str, str] = {}
    folder = files(engine.package) / "sql"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        if file.name == _SCHEMA_FILE:
            schema = _File(file.name, "pre", file.read_text("utf-8"))
            continue
        match = _NUMBERED.match(file.name)
        if match is None:
            if file.name[:1].isdigit():
                raise MigrationInvalid(
                    f"{engine.package}/sql/{file.name}",
                    "名字不合规则",
                    "请写成 NNNN_pre_说明.sql 或 NNNN_post_说明.sql（小写字母、数字、下划线）。",
                )
            continue  # queries
        if match[1] in numbers:
            raise MigrationInvalid(
                f"{engine.package}/sql/{file.name}",
                f"序号和 {numbers[match[1]]} 相同",
                "请把后合并的一个改成下一个序号。",
            )
        numbers[match[1]] = file.name
        numbered.append(_File(file.name, "pre" if match[2] == "pre" else "post", file.read_text("utf-8")))
    return schema, numbered


# ------------------------------------------------------------------- database


async def _prepare_database(connection: Connection) -> None:
    """What every database of dizuo starts from: nothing for PUBLIC, and a place to note what was applied."""
    async with connection.transaction():
        await connection.execute(
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;"
            "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"
            "ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;"
            "CREATE SCHEMA IF NOT EXISTS store;"
            "CREATE TABLE IF NOT EXISTS store.migration (schema text NOT NULL, name text NOT NULL,"
            " digest bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
            " PRIMARY KEY (schema, name))"
        )
        database = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC;"
            f"GRANT CONNECT ON DATABASE {database} TO {', '.join(SERVICE_ROLES)}"
        )


async def _known(connection: Connection, schema: str) -> dict[str, bytes]:
    rows = await connection.fetch("SELECT name, digest FROM store.migration WHERE schema = $1", schema)
    return {row["name"]: row["digest"] for row in rows}


async def _bring(connection: Connection, engine: MigrationSet, phase: Phase) -> list[str]:
    schema, numbered = _read(engine)
    known = await _known(connection, engine.schema)
    if not known and schema is not None:
        await _apply(connection, engine, schema, also=numbered)
        return [f"{engine.schema}/{schema.name}"]
    applied: list[str] = []
    for file in numbered:
        if file.name in known:
            if known[file.name] != file.digest:
                raise SchemaDrift(engine.schema, file.name)
            continue
        if phase in {file.phase, "all"}:
            await _apply(connection, engine, file)
            applied.append(f"{engine.schema}/{file.name}")
    if schema is not None and known.get(schema.name) != schema.digest:
        if not applied and phase == "all":
            raise SchemaDrift(engine.schema, schema.name)
        await _note(connection, engine, schema)
    return applied


async def _apply(
    connection: Connection, engine: MigrationSet, file: _File, also: Sequence[_File] = ()
) -> None:
    shown = f"{engine.package}/sql/{file.name}"
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            if file.text.startswith(_OUTSIDE):
                await connection.execute("SET lock_timeout = '4s'")
                await connection.execute(file.text)
                async with connection.transaction():
                    await _note(connection, engine, file)
                return
            async with connection.transaction():
                await connection.execute(_TIMEOUTS)
                await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{engine.schema}"')
                await connection.execute(f'SET LOCAL search_path = "{engine.schema}"')
                await connection.execute(file.text)
                for applied in (file, *also):
                    await _note(connection, engine, applied)
            return
        except asyncpg.LockNotAvailableError as error:
            # Waiting longer would queue every reader behind this change; step back and let them through.
            if attempt == _LOCK_ATTEMPTS:
                raise MigrationFailed(
                    shown, "等不到表锁", fix="有长时间的查询或事务占着表；请在清闲时再运行 dizuo migrate。"
                ) from error
            await asyncio.sleep(0.5 * attempt)
        except asyncpg.PostgresError as error:
            raise MigrationFailed(shown, _told(error, file.text)) from error


async def _note(connection: Connection, engine: MigrationSet, file: _File) -> None:
    await connection.execute(
        "INSERT INTO store.migration (schema, name, digest) VALUES ($1, $2, $3)"
        " ON CONFLICT (schema, name) DO UPDATE SET digest = EXCLUDED.digest, applied_at = clock_timestamp()",
        engine.schema,
        file.name,
        file.digest,
    )


def _told(error: asyncpg.PostgresError, text: str) -> str:
    position = getattr(error, "position", None)
    detail = getattr(error, "detail", None)
    line = f"第 {text.count(chr(10), 0, int(position)) + 1} 行：" if position else ""
    return f"{line}{error}" + (f"（{detail}）" if detail else "")
