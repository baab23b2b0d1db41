"""Writing entries: what is kept, who may, and which commits are refused."""

from __future__ import annotations

import asyncio
import hashlib

import asyncpg
import pytest

from dizuo.foundation.ledger import Entry, EntryView, entries_of, entry_batcher
from dizuo.foundation.store import Pool

READ = {"purpose": "newborn.hukou", "basis": "户口登记条例§7"}


async def test_an_entry_keeps_what_it_was_given(app_pool: Pool) -> None:
    entry = await app_pool.fetchval(
        "SELECT ledger.append('read', $1, 71, $2)", READ, {"case": "WX1", "who": "李·四"}
    )
    async with app_pool.acquire() as connection:
        [view] = await entries_of(connection, 71)
    assert view == EntryView(entry, view.at, "read", READ, {"case": "WX1", "who": "李·四"}, None)


async def test_a_batch_answers_in_order(app_pool: Pool) -> None:
    entries = [Entry("read", {"n": n}, n % 3 or None, {"x": n} if n % 2 else None) for n in range(200)]
    numbers = await app_pool.fetchval("SELECT ledger.append_batch($1)", entries)
    assert numbers == sorted(set(numbers))
    for n in (0, 1, 57, 199):
        row = await app_pool.fetchrow("SELECT body, seq FROM ledger.covered($1)", numbers[n])
        assert row is not None
        assert row["body"] == f'{{"n": {n}}}'
    assert await app_pool.fetchval("SELECT ledger.append_batch('[]')") == []


async def test_pages_of_ones_own_entries(app_pool: Pool) -> None:
    numbers = await app_pool.fetchval(
        "SELECT ledger.append_batch($1)", [Entry("read", {"n": n}, 72) for n in range(7)]
    )
    async with app_pool.acquire() as connection:
        first = await entries_of(connection, 72, limit=4)
        second = await entries_of(connection, 72, before=first[-1].id, limit=4)
    assert [view.id for view in first + second] == numbers[::-1]


async def test_the_commitment_binds_person_and_payload_and_hides_them(owner_pool: Pool) -> None:
    one, two, none = await owner_pool.fetchval(
        "SELECT ledger.append_batch($1)",
        [Entry("read", READ, 73), Entry("read", READ, 73), Entry("read", READ)],
    )
    rows = [
        await owner_pool.fetchrow("SELECT * FROM ledger.entry WHERE id = $1", n) for n in (one, two, none)
    ]
    first, second, third = (row for row in rows if row is not None)
    assert first["commitment"] == hashlib.sha256(first["salt"] + b"73\n").digest()
    assert first["commitment"] != second["commitment"]  # equal content must not show as equal
    assert (third["commitment"], third["salt"]) == (b"", None)


@pytest.mark.parametrize(
    "wrong",
    [
        Entry("Read!", {}),
        Entry("read\nbody {}", {}),
        Entry("", {}),
    ],
)
async def test_a_kind_that_could_forge_a_line_is_refused(app_pool: Pool, wrong: Entry) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await app_pool.fetchval("SELECT ledger.append_batch($1)", [wrong])


@pytest.mark.parametrize("body", ["[]", '"text"', "null"])
async def test_a_body_is_an_object(app_pool: Pool, body: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await app_pool.fetchval(f"SELECT ledger.append('read', '{body}', NULL, NULL)")


@pytest.mark.parametrize(
    "call",
    [
        "ledger.append('read', '{}', 74, NULL)",
        'ledger.append_batch($$[{"kind":"read","body":{},"subject":74}]$$)',
    ],
)
@pytest.mark.parametrize("before", [True, False])
async def test_a_commit_that_may_be_lost_is_refused(
    app_pool: Pool, owner_pool: Pool, call: str, before: bool
) -> None:
    steps = ["SET LOCAL synchronous_commit = off", f"SELECT {call}"]

    async def commit_both() -> None:
        async with app_pool.acquire() as connection, connection.transaction():
            for step in steps if before else steps[::-1]:
                await connection.execute(step)

    with pytest.raises(asyncpg.PostgresError, match="durable commit") as caught:
        await commit_both()
    assert getattr(caught.value, "sqlstate", None) == "DZ001"
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.entry WHERE subject = 74") == 0


@pytest.mark.parametrize("setting", ["on", "local", "remote_write", "remote_apply"])
async def test_every_durable_commit_is_accepted(app_pool: Pool, setting: str) -> None:
    async with app_pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL synchronous_commit = {setting}")
        await connection.execute("SELECT ledger.append('read', '{}', NULL, NULL)")


TABLES = ("entry", "leaf", "node", "checkpoint")
CHANGES = [
    *(f"{verb} ledger.{table}" for table in TABLES for verb in ("DELETE FROM", "TRUNCATE")),
    "UPDATE ledger.entry SET kind = 'x'",
    "UPDATE ledger.leaf SET seq = seq + 1",
    "UPDATE ledger.checkpoint SET size = size",
    "INSERT INTO ledger.entry (first, kind, body, commitment) VALUES (false, 'read', '{}', '')",
    "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
    "DROP TABLE ledger.entry",
    "CREATE TABLE ledger.mine (n integer)",
    "CREATE TEMP TABLE mine (n integer)",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_the_web_role_changes_nothing(app_pool: Pool, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_pool.execute(change)


@pytest.mark.parametrize("change", [change for change in CHANGES if "INSERT" not in change])
async def test_the_sealer_changes_nothing_either(sealer_pool: Pool, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sealer_pool.execute(change)


@pytest.mark.parametrize("column", ["subject", "payload", "salt", "*"])
async def test_what_is_personal_is_read_through_functions_only(
    app_pool: Pool, sealer_pool: Pool, column: str
) -> None:
    for pool in (app_pool, sealer_pool):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetch(f"SELECT {column} FROM ledger.entry")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "verb", ["DELETE FROM ledger.{}", "TRUNCATE ledger.{}", "UPDATE ledger.{} SET {} = {}"]
)
async def test_the_owner_is_kept_from_an_accident(owner_pool: Pool, table: str, verb: str) -> None:
    column = {"entry": "kind", "leaf": "hash", "node": "hash", "checkpoint": "note"}[table]
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner_pool.execute(verb.format(table, column, column))


async def test_pretending_to_erase_opens_nothing(app_pool: Pool) -> None:
    async with app_pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('dizuo.erasing', pg_current_xact_id()::text, true)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute("UPDATE ledger.entry SET payload = NULL")


async def test_the_batcher_coalesces_and_answers_each_caller(app_pool: Pool) -> None:
    batcher = entry_batcher(app_pool, limit=50)
    numbers = await asyncio.gather(*(batcher.submit(Entry("read", {"n": n}, 76)) for n in range(300)))
    assert len(set(numbers)) == 300
    bodies = {
        row["id"]: row["body"]
        for row in await app_pool.fetch("SELECT id, body FROM ledger.entries_of(76, NULL, 1000)")
    }
    assert [bodies[number] for number in numbers] == [{"n": n} for n in range(300)]


async def test_one_bad_item_fails_only_its_own_caller(app_pool: Pool) -> None:
    batcher = entry_batcher(app_pool)
    entries = [Entry("bad kind" if n == 13 else "read", {"n": n}, 77) for n in range(40)]
    results = await asyncio.gather(*(batcher.submit(entry) for entry in entries), return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, Exception)] == [13]
    assert isinstance(results[13], asyncpg.CheckViolationError)
    assert await app_pool.fetchval("SELECT count(*) FROM ledger.entries_of(77, NULL, 1000)") == 39
