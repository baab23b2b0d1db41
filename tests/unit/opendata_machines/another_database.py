"""A second database beside the module's own: for two portals that talk to each other."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg import sql

from dizuo.foundation.store.roles import ADMIN, OWNER, SERVICE_ROLES


@contextmanager
def another(server: Any, template: str) -> Iterator[Any]:
    """A fresh database from the template, dropped afterwards."""
    name = f"t_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as connection:
        database, owner = sql.Identifier(name), sql.Identifier(OWNER)
        copy = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        connection.execute(copy.format(database, owner, sql.Identifier(template)))
        roles = sql.SQL(", ").join(map(sql.Identifier, SERVICE_ROLES))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, roles))
        try:
            yield SimpleNamespace(
                server=server, name=name, data=server.data, dsn=lambda role: server.dsn(role, name)
            )
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
