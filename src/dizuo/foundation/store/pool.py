"""Connections, set up once: what a request pays for is its statement and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import asyncpg
import msgspec

from dizuo.foundation.store.connection import Connection, Pool, Prepare
from dizuo.foundation.store.errors import DatabaseUnavailable

_JSONB_VERSION: Final = b"\x01"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

SESSION: Final = {
    "application_name": "dizuo",
    "timezone": "Asia/Shanghai",
    "jit": "off",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
"""Settings of every session, so that an existing PostgreSQL behaves like the embedded one."""

CONNECTION_LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What asyncpg may raise when the server goes away in the middle of something; whether it committed is unknown."""

_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)


async def open_pool(
    dsn: str,
    *,
    min_size: int = 2,
    max_size: int = 16,
    prepare: Prepare | None = None,
    settings: dict[str, str] | None = None,
) -> Pool:
    """Open a pool whose connections map jsonb to Python values and keep their prepared statements.

    ``prepare`` is run once on each new connection (``Queries.prepare_all``); ``settings`` override SESSION. A
    connection goes back without a reset statement: code must therefore use only SET LOCAL and transaction-level
    advisory locks. Errors: DatabaseUnavailable.
    """

    async def set_up(connection: Any) -> None:
        await _set_up(connection)
        if prepare is not None:
            await prepare(connection)

    try:
        pool = await asyncpg.create_pool(  # pyright: ignore[reportUnknownMemberType]
            dsn,
            min_size=min_size,
            max_size=max_size,
            init=set_up,
            reset=_no_reset,
            max_inactive_connection_lifetime=0,
            max_queries=1_000_000_000,
            statement_cache_size=1024,
            max_cached_statement_lifetime=0,
            server_settings={**SESSION, **(settings or {})},
        )
    except _UNREACHABLE as error:
        raise DatabaseUnavailable(_why(error)) from error
    return cast(Pool, pool)


async def connect(dsn: str, *, settings: dict[str, str] | None = None) -> Connection:
    """One connection with the same set-up as a pool's, for commands and migrations. Errors: DatabaseUnavailable."""
    try:
        opened = asyncpg.connect(dsn, server_settings={**SESSION, **(settings or {})})  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        connection = cast(Connection, await cast(Any, opened))
    except _UNREACHABLE as error:
        raise DatabaseUnavailable(_why(error)) from error
    await _set_up(connection)
    return connection


def _to_jsonb(value: object) -> bytes:
    return _JSONB_VERSION + _encode(value)


def _from_jsonb(data: bytes) -> object:
    return _decode(memoryview(data)[1:])


async def _set_up(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=_to_jsonb,
        decoder=_from_jsonb,
    )


async def _no_reset(_: object) -> None:
    """asyncpg still rolls back what was left open; nothing else of a session is ever changed here."""
    await asyncio.sleep(0)


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
