"""An existing PostgreSQL by DIZUO_DATABASE_URL: played by the test server, entered by address only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dizuo.foundation.store import discover, external, migrate, open_pool
from dizuo.foundation.store import external as external_function
from dizuo.foundation.store.errors import (
    DatabaseAddressInvalid,
    DatabaseRights,
    DatabaseTooOld,
    DatabaseUnavailable,
    UnknownRole,
)
from dizuo.foundation.store.roles import ADMIN, SERVICE_ROLES


@pytest.fixture(scope="module")
def city_server(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server of its own: an installation gives the service roles its own passwords."""
    from dizuo.foundation.store import Server

    data = Path(str(server.data) + "-x")
    with Server.start(data, options={"shared_buffers": "32MB"}) as started:
        with psycopg.connect(started.dsn(ADMIN, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE city LOGIN CREATEROLE PASSWORD 'p@ss/wörd'")
            connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
            connection.execute("CREATE DATABASE city OWNER city")
            connection.execute(
                "CREATE DATABASE latin OWNER city ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER libc"
            )
            connection.execute("GRANT CONNECT ON DATABASE city TO weak")
            for role in SERVICE_ROLES:
                connection.execute(sql.SQL("GRANT {} TO city WITH ADMIN OPTION").format(sql.Identifier(role)))
        yield started
        started.stop()
    import shutil

    shutil.rmtree(data)


def address(server: Any, user: str, password: str, database: str) -> str:
    host = psycopg.conninfo.conninfo_to_dict(server.dsn(ADMIN))["host"].replace("/", "%2F")
    return f"postgresql://{user}:{password}@/{database}?host={host}&port=5432"


async def test_an_existing_database_is_used_like_our_own(city_server: Any, tmp_path: Path) -> None:
    url = address(city_server, "city", "p%40ss%2Fw%C3%B6rd", "city")
    database = external(url, tmp_path)
    rooms = [room for room in discover() if room.schema in {"store", "ledger"}]
    assert await migrate(database, rooms) == ["store/schema.sql", "ledger/schema.sql"]
    pool = await open_pool(database.dsn("dizuo_app"), min_size=1)
    try:
        assert await pool.fetchval("SELECT current_user") == "dizuo_app"
        assert await pool.fetchval("SELECT ledger.append('read', '{}', 1, NULL)") == 1
    finally:
        await pool.close()
    again = external(url, tmp_path)
    assert again.dsn("dizuo_app") == database.dsn("dizuo_app")
    with pytest.raises(UnknownRole):
        again.dsn("city")


@pytest.mark.parametrize("wrong", ["mysql://x", "host=/tmp", "", "postgresql://a:b@h/d?nonsense=1"])
def test_a_wrong_address_is_told(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseAddressInvalid):
        external(wrong, tmp_path)


def test_a_silent_host_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="DIZUO_DATABASE_URL"):
        external("postgresql://a:b@127.0.0.1:1/d", tmp_path)


def test_missing_rights_are_told(city_server: Any, tmp_path: Path) -> None:
    with pytest.raises(DatabaseRights, match="CREATEROLE"):
        external(address(city_server, "weak", "weak", "city"), tmp_path)


def test_another_encoding_is_told(city_server: Any, tmp_path: Path) -> None:
    with pytest.raises(DatabaseAddressInvalid, match="LATIN1"):
        external(address(city_server, "city", "p%40ss%2Fw%C3%B6rd", "latin"), tmp_path)


def test_an_old_server_is_told(city_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys.modules[external_function.__module__], "MINIMUM", 990000)
    with pytest.raises(DatabaseTooOld, match="PostgreSQL 15"):
        external(address(city_server, "city", "p%40ss%2Fw%C3%B6rd", "city"), tmp_path)
