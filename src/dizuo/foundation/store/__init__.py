"""The store: PostgreSQL, whether dizuo brings it or the city has one.

1. ``server``       the embedded PostgreSQL: start, join, leave, stop; ``external`` uses an existing one.
2. ``roles``        owner, app, loader, sealer, eraser: rights are the database's business.
3. ``pool``         connections set up once; ``connection`` is their typed face.
4. ``transaction``  ``begin``: raising rolls back, returning commits, one instant inside.
5. ``queries``      named SQL files, prepared at start.
6. ``migrations``   schema.sql and numbered pre/post files.
7. ``jobs``         work due at a time, done exactly once.
8. ``outbox``       facts for other rooms, never skipped.
"""

from dizuo.foundation.store import jobs, outbox
from dizuo.foundation.store.connection import Connection, Pool, Prepared, Row
from dizuo.foundation.store.external import Database, external
from dizuo.foundation.store.migrations import MigrationSet, discover, migrate, pending
from dizuo.foundation.store.pool import CONNECTION_LOST, connect, open_pool
from dizuo.foundation.store.queries import Queries
from dizuo.foundation.store.roles import APP, ERASER, LOADER, OWNER, SEALER
from dizuo.foundation.store.secrets import secret_text
from dizuo.foundation.store.server import Server
from dizuo.foundation.store.transaction import Tx, begin

__all__ = [
    "APP",
    "CONNECTION_LOST",
    "ERASER",
    "LOADER",
    "OWNER",
    "SEALER",
    "Connection",
    "Database",
    "MigrationSet",
    "Pool",
    "Prepared",
    "Queries",
    "Row",
    "Server",
    "Tx",
    "begin",
    "connect",
    "discover",
    "external",
    "jobs",
    "migrate",
    "open_pool",
    "outbox",
    "pending",
    "secret_text",
]
