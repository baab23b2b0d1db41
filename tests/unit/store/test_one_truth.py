"""A new database equals one that was led there: schema.sql and the numbered files say the same.

A room that has both keeps, under ``released/``, the schema.sql that its first numbered file starts from.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from catalogue import catalogue

from dizuo.foundation.store import Connection, discover
from dizuo.foundation.store.migrations import MigrationSet, _read  # pyright: ignore[reportPrivateUsage]

Connect = Callable[..., AbstractAsyncContextManager[Connection]]
RELEASED = Path(__file__).parent / "released"


def both() -> list[MigrationSet]:
    """Rooms with a present and a way to it; a room that has one of them only cannot contradict itself."""
    found = []
    for room in discover():
        schema, numbered = _read(room)
        if schema is not None and numbered:
            found.append(room)
    return found


async def built(connection: Connection, schema: str, *texts: str) -> list[str]:
    """The catalogue of the schema made anew from these files, one after the other; nothing of it stays."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE; CREATE SCHEMA "{schema}"')
        await connection.execute(f'SET LOCAL search_path = "{schema}"')
        for text in texts:
            await connection.execute(text)
        await connection.execute("SET LOCAL search_path = pg_catalog")
        return await catalogue(connection, schema)
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("room", both(), ids=lambda room: room.schema)
async def test_both_ways_lead_to_the_same(pg: Connect, room: MigrationSet) -> None:
    base = RELEASED / f"{room.schema}.sql"
    assert base.is_file(), (
        f"keep the schema.sql that {room.schema}'s first numbered file starts from as {base}"
    )
    schema, numbered = _read(room)
    assert schema is not None
    async with pg() as connection:
        new = await built(connection, room.schema, schema.text)
        led = await built(connection, room.schema, base.read_text("utf-8"), *(file.text for file in numbered))
    assert len(new) > 50
    assert sorted(set(new) - set(led)) == [], "only in schema.sql"
    assert sorted(set(led) - set(new)) == [], "only by the numbered files"


def test_nothing_is_kept_that_nothing_starts_from() -> None:
    assert {path.stem for path in RELEASED.glob("*.sql")} == {room.schema for room in both()}


CHAIR = "CREATE TABLE chair (id bigint PRIMARY KEY, colour text, made date NOT NULL DEFAULT '2026-01-01');"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE chair ADD COLUMN note text",
        "ALTER TABLE chair ALTER COLUMN colour SET NOT NULL",
        "ALTER TABLE chair ALTER COLUMN made SET DEFAULT '2026-01-02'",
        "ALTER TABLE chair ALTER COLUMN colour TYPE varchar(9)",
        "ALTER TABLE chair ADD CHECK (id > 0)",
        "ALTER TABLE chair ADD CHECK (id > 0) NOT VALID",
        "CREATE INDEX ON chair (colour)",
        "CREATE UNIQUE INDEX ON chair (colour) WHERE id > 7",
        "GRANT SELECT ON chair TO dizuo_app",
        "GRANT SELECT (colour) ON chair TO dizuo_app",
        "GRANT USAGE ON SCHEMA room TO dizuo_app",
        "COMMENT ON TABLE chair IS '椅'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE VIEW v AS SELECT id FROM chair",
        "CREATE TYPE kind AS ENUM ('stool', 'chair')",
        "CREATE SEQUENCE s",
        "ALTER TABLE chair SET (fillfactor = 70)",
        "CREATE TRIGGER t BEFORE UPDATE ON chair EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
async def test_a_difference_is_seen(pg: Connect, change: str) -> None:
    async with pg() as connection:
        plain = await built(connection, "room", CHAIR)
        other = await built(connection, "room", CHAIR, change)
    assert plain != other


async def test_the_place_of_a_column_is_no_difference(pg: Connect) -> None:
    later = "ALTER TABLE chair DROP COLUMN colour; ALTER TABLE chair ADD COLUMN colour text"
    async with pg() as connection:
        assert await built(connection, "room", CHAIR) == await built(connection, "room", CHAIR, later)
