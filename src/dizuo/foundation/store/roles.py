"""The database roles of dizuo: who may do what is decided by the database, not by discipline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, LiteralString

import psycopg
from psycopg import sql

OWNER: Final = "dizuo_owner"
APP: Final = "dizuo_app"
LOADER: Final = "dizuo_loader"
SEALER: Final = "dizuo_sealer"
ERASER: Final = "dizuo_eraser"
"""Erases what is personal in old ledger entries; no serving process is given its address."""
ADMIN: Final = "dizuo_admin"
"""Superuser of the embedded server; used at start-up only, never by a pool."""

SERVICE_ROLES: Final = (APP, LOADER, SEALER, ERASER)
ROLES: Final = (OWNER, *SERVICE_ROLES)
DATABASE: Final = "dizuo"

_SERVICE: Final[LiteralString] = (
    "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION CONNECTION LIMIT -1 PASSWORD {}"
)


def ensure_role(connection: psycopg.Connection, role: str, password: str, *, owner: bool = False) -> None:
    """Create ``role`` or give it the password; a service role gets no right beyond connecting."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = sql.SQL("ALTER ROLE {}") if known else sql.SQL("CREATE ROLE {}")
    if owner:
        rights = sql.SQL("LOGIN NOSUPERUSER CREATEDB CREATEROLE NOREPLICATION PASSWORD {}")
    elif known:
        # The owner of a managed database may not touch attributes that only a superuser sets.
        rights = sql.SQL("LOGIN PASSWORD {}")
    else:
        rights = sql.SQL(_SERVICE) if _is_superuser(connection) else sql.SQL("LOGIN PASSWORD {}")
    connection.execute(
        sql.SQL(" ").join([verb.format(sql.Identifier(role)), rights.format(sql.Literal(password))])
    )


def ensure_service_roles(connection: psycopg.Connection, password_of: Callable[[str], str]) -> None:
    for role in SERVICE_ROLES:
        ensure_role(connection, role, password_of(role))


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])
