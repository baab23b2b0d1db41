"""Erasing what is personal in an entry: one role may, with an entry that says why; nobody else, with any reason."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from dizuo.foundation.store import APP, ERASER, LOADER, SEALER, Connection, Pool

Connect = Callable[..., AbstractAsyncContextManager[Connection]]
READ = {"purpose": "newborn.hukou", "basis": "户口登记条例§7"}
ERASE = "SELECT ledger.erase($1, $2)"


@pytest.mark.parametrize("role", [APP, LOADER, SEALER])
async def test_a_reason_of_ones_own_making_opens_nothing(app_pool: Pool, pg: Connect, role: str) -> None:
    entry = await app_pool.fetchval("SELECT ledger.append('read', $1, 75, NULL)", READ)
    async with pg(role) as connection:
        about = {"entries": [entry], "basis": "个人信息保护法§47"}
        reason = await connection.fetchval("SELECT ledger.append('ledger.erase', $1, NULL, NULL)", about)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="erase"):
            await connection.execute(ERASE, entry, reason)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"SET ROLE {ERASER}")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM ledger.entry",
        "SELECT * FROM ledger.leaf",
        "SELECT * FROM ledger.checkpoint",
        "UPDATE ledger.entry SET payload = NULL",
        "DELETE FROM ledger.entry",
        "SELECT registers.request('[]')",
        "SELECT registers.release('{}', '{}')",
        "SELECT registers.write('{}')",
        "CREATE TABLE ledger.mine (n integer)",
    ],
)
async def test_whoever_erases_does_nothing_else(eraser_pool: Pool, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await eraser_pool.execute(statement)


async def test_it_needs_an_entry_that_names_what_it_erases(
    app_pool: Pool, eraser_pool: Pool, owner_pool: Pool
) -> None:
    entry = await app_pool.fetchval("SELECT ledger.append('read', $1, 75, $2)", READ, {"case": "WX2"})
    other = await app_pool.fetchval(
        "SELECT ledger.append('ledger.erase', $1, NULL, NULL)", {"entries": [entry + 10**6]}
    )
    for reason in (entry, other, 10**12):
        with pytest.raises(asyncpg.PostgresError, match="not a reason"):
            await eraser_pool.execute(ERASE, entry, reason)
    about = {"entries": [entry], "basis": "个人信息保护法§47"}
    reason = await eraser_pool.fetchval("SELECT ledger.append('ledger.erase', $1, NULL, NULL)", about)
    assert await eraser_pool.fetchval(ERASE, entry, reason)
    assert not await eraser_pool.fetchval(ERASE, entry, reason)
    row = await owner_pool.fetchrow("SELECT * FROM ledger.entry WHERE id = $1", entry)
    assert row is not None
    assert (row["subject"], row["payload"], row["salt"], row["erased_by"]) == (None, None, None, reason)
    assert (row["body"], len(row["commitment"])) == (READ, 32)
