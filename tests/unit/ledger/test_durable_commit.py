"""A commit with an entry reaches the disk, also when a session looks for a way round the check of its setting."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from dizuo.foundation.store import APP, Connection

Connect = Callable[..., AbstractAsyncContextManager[Connection]]

APPEND = "SELECT ledger.append('read', '{}', NULL, NULL)"
BATCH = """SELECT ledger.append_batch('[{"kind": "read", "body": {}}]')"""
OFF = "SET LOCAL synchronous_commit = off"
NOW = "SET CONSTRAINTS ALL IMMEDIATE"
ROUND = {
    "looked too early": [APPEND, NOW, OFF],
    "by name": [APPEND, "SET CONSTRAINTS ledger.durable IMMEDIATE", OFF],
    "before the entry": [NOW, APPEND, OFF],
    "before a batch": [NOW, BATCH, OFF],
    "in one message": [f"{APPEND}; {NOW}; {OFF}"],
    "and put back": [APPEND, NOW, "SET CONSTRAINTS ALL DEFERRED", OFF],
    "hidden in a block": [
        APPEND,
        "DO $$ BEGIN EXECUTE 'SET CONST' || 'RAINTS ALL IMMEDIATE'; END $$",
        OFF,
    ],
    "all in a block": [
        "DO $$ BEGIN PERFORM ledger.append('read', '{}', NULL, NULL);"
        " EXECUTE 'SET CONST' || 'RAINTS ALL IMMEDIATE'; SET LOCAL synchronous_commit = off; END $$"
    ],
    "undone by a savepoint": [APPEND, "SAVEPOINT s", NOW, OFF, "ROLLBACK TO s", NOW, OFF],
    "by the commit itself": [
        "DECLARE later CURSOR WITH HOLD FOR SELECT set_config('synchronous_commit', 'off', false)",
        APPEND,
    ],
}
TRIES = 12


async def _left_behind(connection: Connection, steps: list[str]) -> int:
    """Commit these steps, with some log before them; how many bytes of the log were not on disk right after it."""
    await connection.execute("BEGIN")
    for step in steps:
        await connection.execute(step)
    written = await connection.fetchval("SELECT pg_current_wal_insert_lsn()::text")
    await connection.execute("COMMIT")
    left = await connection.fetchval(
        "SELECT greatest(pg_wal_lsn_diff($1::text::pg_lsn, pg_current_wal_flush_lsn()), 0)::bigint", written
    )
    await connection.execute("RESET synchronous_commit; CLOSE ALL")
    return int(left)


async def test_this_would_notice_a_commit_that_is_not_on_disk(pg: Connect) -> None:
    """The log's own writer flushes every 200 ms, so an asynchronous commit shows up in most tries, not in each."""
    async with pg() as owner:
        await owner.execute("CREATE TABLE public.loose (n integer)")
        steps = [OFF, "INSERT INTO public.loose SELECT generate_series(1, 100)"]
        left = [await _left_behind(owner, steps) for _ in range(100)]
        await owner.execute("DROP TABLE public.loose")
    assert any(left)


@pytest.mark.parametrize("way", ROUND)
async def test_no_way_round_leaves_an_entry_behind(pg: Connect, way: str) -> None:
    async with pg(APP) as connection:
        left = [await _left_behind(connection, ROUND[way]) for _ in range(TRIES)]
    assert not any(left)


async def test_an_entry_made_by_the_commit_itself_is_looked_at_too(pg: Connect) -> None:
    cursor = (
        "DECLARE later CURSOR WITH HOLD FOR SELECT ledger.append('read', '{}', NULL, NULL),"
        " set_config('synchronous_commit', 'off', false)"
    )
    async with pg(APP) as connection:
        with pytest.raises(asyncpg.PostgresError, match="durable commit"):
            await _left_behind(connection, [APPEND, cursor])


@pytest.mark.parametrize("way", ["BEGIN;COMMIT", "statement", "pipelined", "a procedure's own"])
async def test_an_ordinary_commit_makes_no_table(pg: Connect, way: str) -> None:
    """What is done for a session that looks for a way round costs nobody else anything."""
    async with pg() as owner, pg(APP) as connection:
        before = await owner.fetchval("SELECT n_tup_ins FROM pg_stat_sys_tables WHERE relname = 'pg_class'")
        for _ in range(20):
            if way == "statement":
                await connection.fetchval(APPEND)
            elif way == "pipelined":
                await connection.fetchval("SELECT ledger.append_batch($1)", [{"kind": "read", "body": {}}])
            elif way == "a procedure's own":
                await connection.execute(
                    "DO $$ BEGIN PERFORM ledger.append('read', '{}', NULL, NULL); COMMIT; END $$"
                )
            else:
                async with connection.transaction():
                    await connection.execute(APPEND)
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.fetchval("SELECT 1")
        after = await owner.fetchval("SELECT n_tup_ins FROM pg_stat_sys_tables WHERE relname = 'pg_class'")
    assert after == before


@pytest.mark.parametrize(
    "block",
    [
        "PERFORM ledger.append('read', '{}', NULL, NULL); SET CONSTRAINTS ALL IMMEDIATE;"
        " SET LOCAL synchronous_commit = off; COMMIT;",
        "PERFORM ledger.append('read', '{}', NULL, NULL); EXECUTE E'SET CONSTRAINTS ALL /*\\n at COMMIT */ IMMEDIATE';"
        " SET LOCAL synchronous_commit = off; COMMIT;",
        "FOR i IN SELECT set_config('synchronous_commit', 'off', true) FROM generate_series(1, 20) LOOP"
        " PERFORM ledger.append('read', '{}', NULL, NULL); COMMIT; END LOOP;",
    ],
    ids=["early", "early, and worded like a commit", "in a loop that the commit runs to its end"],
)
async def test_no_block_that_commits_leaves_an_entry_behind(pg: Connect, block: str) -> None:
    async with pg() as owner, pg(APP) as connection:
        for _ in range(TRIES):
            count = "SELECT count(*) FROM ledger.entry"
            before = await owner.fetchval(count)
            written = await connection.fetchval("SELECT pg_current_wal_insert_lsn()::text")
            refused: Exception | None = None
            try:
                await connection.execute(f"DO $block$ DECLARE i record; BEGIN {block} END $block$")
            except asyncpg.PostgresError as error:
                refused = error
            if refused is not None:
                assert "durable commit" in str(refused)
                assert await owner.fetchval(count) == before
            flushed = await connection.fetchval(
                "SELECT pg_current_wal_flush_lsn() > $1::text::pg_lsn", written
            )
            assert flushed or await owner.fetchval(count) == before
            await connection.execute("RESET synchronous_commit")


async def test_a_way_round_is_noticed_by_making_one(pg: Connect) -> None:
    """The count of the test above does move: otherwise it would prove nothing."""
    async with pg() as owner, pg(APP) as connection:
        before = await owner.fetchval("SELECT n_tup_ins FROM pg_stat_sys_tables WHERE relname = 'pg_class'")
        await _left_behind(connection, ROUND["looked too early"])
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.fetchval("SELECT 1")
        after = await owner.fetchval("SELECT n_tup_ins FROM pg_stat_sys_tables WHERE relname = 'pg_class'")
    assert after > before
    assert after - before <= 4
