"""An existing PostgreSQL instead of the embedded one (DIZUO_DATABASE_URL)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import conninfo

from dizuo.foundation.store import roles
from dizuo.foundation.store.errors import (
    DatabaseAddressInvalid,
    DatabaseRights,
    DatabaseTooOld,
    DatabaseUnavailable,
    UnknownRole,
)
from dizuo.foundation.store.secrets import secret_text

MINIMUM = 150000


class Database(Protocol):
    """A database that dizuo may use: it knows the address for each role."""

    def dsn(self, role: str) -> str: ...


@dataclass(frozen=True)
class External:
    """A database that somebody else runs; ``url`` is the owner's address, ``data`` holds the roles' passwords."""

    url: str
    data: Path

    def dsn(self, role: str) -> str:
        if role == roles.OWNER:
            return self.url
        if role not in roles.SERVICE_ROLES:
            raise UnknownRole(role, ", ".join(roles.ROLES))
        parts = urlsplit(self.url)
        hosts = parts.netloc.rpartition("@")[2]
        sign_in = f"{role}:{quote(secret_text(self.data, f'database-{role}'), safe='')}"
        # user and password may also hide in the query; the role's own must win
        query = urlencode(
            [(key, value) for key, value in parse_qsl(parts.query) if key not in {"user", "password"}]
        )
        return urlunsplit((parts.scheme, f"{sign_in}@{hosts}", parts.path, query, ""))


def external(dsn: str, data: Path) -> Database:
    """Use the database at ``dsn`` (the owner's URI); creates the service roles or gives them this installation's passwords.

    Errors: DatabaseAddressInvalid, DatabaseUnavailable, DatabaseTooOld (PostgreSQL < 15), DatabaseRights.
    """
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise DatabaseAddressInvalid("没有以 postgresql:// 开头")
    try:
        conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise DatabaseAddressInvalid(str(error).strip()) from error
    found = External(dsn, data)
    try:
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            str(error).strip(),
            fix="请检查 DIZUO_DATABASE_URL 的主机、端口、用户和口令，以及数据库是否在运行。",
        ) from error
    with connection:
        if connection.info.server_version < MINIMUM:
            raise DatabaseTooOld(connection.info.parameter_status("server_version") or "未知")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseAddressInvalid(f"这个数据库的编码是 {encoding}，dizuo 需要 UTF8")
        try:
            roles.ensure_service_roles(connection, lambda role: secret_text(data, f"database-{role}"))
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseRights(connection.info.user, str(error).strip()) from error
        owns = connection.execute(
            "SELECT pg_has_role(current_user, datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        if not owns or not owns[0]:
            raise DatabaseRights(
                connection.info.user,
                f"它不是数据库 {connection.info.dbname} 的所有者",
                fix=f"请运行 ALTER DATABASE {connection.info.dbname} OWNER TO {connection.info.user}。",
            )
    return found
