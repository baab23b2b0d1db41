"""Structure files: new databases, old databases, failures, drift, locks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from dizuo.foundation.store import Connection, MigrationSet, discover, migrate, migrations, pending
from dizuo.foundation.store.errors import MigrationFailed, MigrationInvalid, SchemaDrift

Connect = Callable[..., AbstractAsyncContextManager[Connection]]


@pytest.fixture
def room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, str]], MigrationSet]]:
    """Writes the sql/ folder of an invented room and returns its set."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "dizuo_test_room"
    (package / "sql").mkdir(parents=True)
    (package / "__init__.py").touch()

    def write(sql_files: dict[str, str]) -> MigrationSet:
        for file in (package / "sql").iterdir():
            file.unlink()
        for name, text in sql_files.items():
            (package / "sql" / name).write_text(text, "utf-8")
        return MigrationSet("room", "dizuo_test_room")

    yield write
    sys.modules.pop("dizuo_test_room", None)


@pytest.fixture(autouse=True)
async def _clean(pg: Connect) -> AsyncIterator[None]:
    yield
    async with pg() as connection:
        await connection.execute(
            "DROP SCHEMA IF EXISTS room CASCADE; DELETE FROM store.migration WHERE schema = 'room'"
        )


V1 = "CREATE TABLE room.chair (id bigint PRIMARY KEY);"
V2 = "CREATE TABLE room.chair (id bigint PRIMARY KEY, colour text NOT NULL DEFAULT '');"
ADD = "ALTER TABLE room.chair ADD COLUMN colour text NOT NULL DEFAULT '';"


async def columns(pg: Connect) -> list[str]:
    async with pg() as connection:
        rows = await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'room' ORDER BY ordinal_position"
        )
    return [row["column_name"] for row in rows]


async def test_a_new_database_gets_the_present(database: Any, pg: Connect, room: Any) -> None:
    files = {"schema.sql": V2, "0001_pre_colour.sql": ADD, "queries.sql": "-- x --\nSELECT 1"}
    assert await migrate(database, [room(files)]) == ["room/schema.sql"]
    assert await columns(pg) == ["id", "colour"]
    assert await migrate(database, [room(files)]) == []


async def test_an_old_database_gets_what_it_lacks_and_becomes_equal(
    database: Any, pg: Connect, room: Any
) -> None:
    await migrate(database, [room({"schema.sql": V1})])
    files = {
        "schema.sql": V2,
        "0001_pre_colour.sql": ADD,
        "0002_post_note.sql": "COMMENT ON TABLE room.chair IS 'x'",
    }
    engine = room(files)
    async with pg() as connection:
        assert await pending(connection, [engine]) == ["room/0001_pre_colour.sql", "room/0002_post_note.sql"]
    assert await migrate(database, [engine], "pre") == ["room/0001_pre_colour.sql"]
    assert await migrate(database, [engine], "post") == ["room/0002_post_note.sql"]
    assert await columns(pg) == ["id", "colour"]
    async with pg() as connection:
        assert await pending(connection, [engine]) == []


async def test_numbered_files_alone_are_enough(database: Any, pg: Connect, room: Any) -> None:
    engine = room({"0001_pre_chair.sql": V1, "0002_pre_colour.sql": ADD})
    assert await migrate(database, [engine]) == ["room/0001_pre_chair.sql", "room/0002_pre_colour.sql"]
    assert await columns(pg) == ["id", "colour"]


async def test_a_file_that_fails_leaves_nothing_of_itself(database: Any, pg: Connect, room: Any) -> None:
    broken = {"0001_pre_chair.sql": V1, "0002_pre_colour.sql": ADD + "\nSELECT\n  nothing_there;"}
    with pytest.raises(MigrationFailed, match=r"0002_pre_colour\.sql：第 3 行.*nothing_there"):
        await migrate(database, [room(broken)])
    assert await columns(pg) == ["id"]
    assert await migrate(database, [room({**broken, "0002_pre_colour.sql": ADD})]) == [
        "room/0002_pre_colour.sql"
    ]


async def test_a_changed_schema_without_a_way_is_drift(database: Any, room: Any) -> None:
    await migrate(database, [room({"schema.sql": V1})])
    with pytest.raises(SchemaDrift, match=r"schema\.sql"):
        await migrate(database, [room({"schema.sql": V2})])


async def test_a_file_changed_after_it_was_applied_is_drift(database: Any, room: Any) -> None:
    await migrate(database, [room({"0001_pre_chair.sql": V1})])
    with pytest.raises(SchemaDrift, match="0001_pre_chair"):
        await migrate(database, [room({"0001_pre_chair.sql": V2})])


@pytest.mark.parametrize(
    "name", ["0001_chair.sql", "1_pre_chair.sql", "0001_pre_Chair.sql", "0001_mid_chair.sql"]
)
async def test_a_wrong_name_is_told(database: Any, room: Any, name: str) -> None:
    with pytest.raises(MigrationInvalid, match="名字不合规则"):
        await migrate(database, [room({name: V1})])


async def test_two_files_with_one_number_are_told(database: Any, room: Any) -> None:
    with pytest.raises(MigrationInvalid, match="序号"):
        await migrate(database, [room({"0001_pre_chair.sql": V1, "0001_pre_table.sql": "SELECT 1"})])


async def test_a_statement_that_may_not_run_inside_a_transaction(
    database: Any, pg: Connect, room: Any
) -> None:
    index = "-- transaction: none\nCREATE INDEX CONCURRENTLY chair_colour ON room.chair (colour)"
    await migrate(database, [room({"schema.sql": V2, "0001_post_index.sql": index})])
    async with pg() as connection:  # a new database has it from schema.sql, or not at all
        await connection.execute("DELETE FROM store.migration WHERE name = '0001_post_index.sql'")
    assert await migrate(database, [room({"schema.sql": V2, "0001_post_index.sql": index})]) == [
        "room/0001_post_index.sql"
    ]
    async with pg() as connection:
        assert await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'room.chair_colour'::regclass"
        )


async def test_two_runs_at_once_apply_once(database: Any, room: Any) -> None:
    engine = room({"0001_pre_chair.sql": V1, "0002_pre_colour.sql": ADD})
    both = await asyncio.gather(migrate(database, [engine]), migrate(database, [engine]))
    assert sorted(map(len, both)) == [0, 2]


async def test_a_lock_is_waited_for_briefly_and_again(
    database: Any, pg: Connect, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_TIMEOUTS", "SET LOCAL lock_timeout = '100ms'")
    await migrate(database, [room({"schema.sql": V1})])
    async with pg() as busy, busy.transaction():
        await busy.execute("LOCK room.chair IN ACCESS SHARE MODE")
        engine = room({"schema.sql": V2, "0001_pre_colour.sql": ADD})
        task = asyncio.create_task(migrate(database, [engine]))
        await asyncio.sleep(0.3)
        assert not task.done()
    assert await task == ["room/0001_pre_colour.sql"]


async def test_functions_start_closed(database: Any, pg: Connect, room: Any) -> None:
    await migrate(
        database, [room({"schema.sql": "CREATE FUNCTION room.f() RETURNS int LANGUAGE sql RETURN 1"})]
    )
    async with pg() as connection:
        assert not await connection.fetchval(
            "SELECT has_function_privilege('dizuo_app', 'room.f()', 'EXECUTE')"
        )
        for right in ("CREATE", "TEMP"):
            assert not await connection.fetchval(
                f"SELECT has_database_privilege('dizuo_app', current_database(), '{right}')"
            )


def test_the_rooms_of_this_house_are_found() -> None:
    found = [engine.schema for engine in discover()]
    assert found[:2] == ["store", "ledger"]
