"""Sealed entries: committed at once, told on their day, by declared posts only; a person's numbers stay without a gap."""

from __future__ import annotations

import datetime as dt
from typing import Any

import asyncpg
import pytest

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.ledger import Entry, Sealer, SigningKey, counted, entries_of, verify
from dizuo.foundation.ledger.seals import SealGround, closed_seals, declare_grounds
from dizuo.foundation.store import Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")
ME = 41
QUIET = SealGround("cpl-2018:152", "psb", "investigator", 90, False, "procuratorate")
TOLD = SealGround("tax-2015:59", "tax", "inspector", 30, True, "audit")
CHIEF = SealGround("cpl-2018:152", "psb", "chief", 60, False, "procuratorate")
ACT = {"register": "household", "fields": ["address"], "purpose": "investigation"}


@pytest.fixture(autouse=True)
async def grounds(owner_pool: Pool, empty_ledger: None) -> None:
    async with owner_pool.acquire() as owner:
        await owner.execute("TRUNCATE ledger.sealed")
        await declare_grounds(owner, [QUIET, TOLD, CHIEF])


def day(days: int) -> dt.date:
    return dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=days)


async def seal(pool: Pool, ground: SealGround, days: int, **changed: Any) -> int:
    actor = {"unit": ground.unit, "post": ground.post} | changed
    return await pool.fetchval(
        "SELECT ledger.seal('register.read', $1, $2, $3, $4, $5, $6)",
        ACT, ME, {"case": "演示-1"}, day(days), ground.basis, actor,
    )  # fmt: skip


async def come(owner: Pool, entry: int) -> None:
    """Its day has come."""
    await owner.execute(
        "UPDATE ledger.sealed SET since = since - 200, opens_on = $2 WHERE entry = $1", entry, day(0)
    )


@pytest.mark.parametrize(
    ("ground", "days", "changed", "state"),
    [
        (QUIET, 30, {"post": "clerk"}, "DZ004"),
        (QUIET, 30, {"unit": "tax"}, "DZ004"),
        (QUIET, 91, {}, "DZ005"),
        (QUIET, 0, {}, "DZ005"),
    ],
)
async def test_only_a_declared_post_seals_within_its_term(
    app_pool: Pool, ground: SealGround, days: int, changed: dict[str, str], state: str
) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await seal(app_pool, ground, days, **changed)
    assert caught.value.sqlstate == state


async def test_nobody_but_the_owner_declares_or_opens(app_pool: Pool) -> None:
    for statement in (
        "INSERT INTO ledger.seal_ground (basis, unit, post, longest, tells, overseer) VALUES ('a', 'b', 'c', 1, true, 'd')",
        "UPDATE ledger.sealed SET opens_on = opens_on + 1000",
        "SELECT ledger.open_due()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)


async def test_a_quiet_seal_is_not_told_and_takes_its_number_when_it_opens(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    await app_pool.fetchval("SELECT ledger.append_batch($1)", [Entry("read", {"n": 1}, ME, {"case": "A"})])
    entry = await seal(app_pool, QUIET, 30)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        assert [one.kind for one in await entries_of(connection, ME)] == ["read"]
        before = await counted(connection, ME)
        assert (before.last, before.whole) == (1, True)
    await come(owner_pool, entry)
    await sealer.seal_once()
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        opened, read = await entries_of(connection, ME)
        assert (opened.kind, read.kind) == ("sealed.opened", "read")
        assert opened.body["said"] == ACT
        assert (opened.body["kind"], opened.body["entry"]) == ("register.read", entry)
        assert opened.payload == {"case": "演示-1"}
        after = await counted(connection, ME)
        assert (after.last, after.whole) == (2, True)
    assert await sealer.seal_once() == 0  # it opens once
    async with owner_pool.acquire() as connection:
        assert (await verify(connection, key.public)).ok


async def test_a_seal_that_may_be_told_has_a_number_and_no_content(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer
) -> None:
    entry = await seal(app_pool, TOLD, 10)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        (one,) = await entries_of(connection, ME)
        assert (one.kind, one.payload, one.body["opens_on"]) == ("sealed", None, day(10).isoformat())
        assert "register" not in one.body
        assert (await counted(connection, ME)).last == 1
    await come(owner_pool, entry)
    await sealer.seal_once()
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        opened, still = await entries_of(connection, ME)
        assert (opened.kind, still.kind, still.payload) == ("sealed.opened", "sealed", None)
        assert (await counted(connection, ME)).last == 2


async def test_only_another_post_keeps_a_seal_and_the_overseer_sees_it(
    app_pool: Pool, owner_pool: Pool
) -> None:
    entry = await seal(app_pool, QUIET, 80)
    extend = "SELECT ledger.extend_seal($1, $2, 'cpl-2018:152', $3)"
    chief = {"unit": "psb", "post": "chief"}
    for until, actor in ((85, {"unit": "psb", "post": "investigator"}), (85, chief), (70, chief)):
        with pytest.raises(asyncpg.PostgresError) as caught:
            await app_pool.execute(extend, entry, day(until), actor)
        assert caught.value.sqlstate == "DZ007"
    await owner_pool.execute("UPDATE ledger.sealed SET since = since - 78, opens_on = $1", day(2))
    assert await app_pool.fetchval(extend, entry, day(50), chief)
    async with app_pool.acquire() as connection:
        (one,) = await closed_seals(connection, "procuratorate")
        assert (one.entry, one.unit, one.extended, one.overlong) == (entry, "psb", 1, True)
        assert await closed_seals(connection, "audit") == ()


async def test_an_opening_that_is_not_what_was_sealed_is_found(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    entry = await seal(app_pool, QUIET, 5)
    await sealer.seal_once()
    async with owner_pool.acquire() as owner, owner.transaction():
        await owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER append_only")
        await owner.execute(
            "UPDATE ledger.entry SET payload = jsonb_set(payload, '{sealed,body,fields}', '[]') WHERE id = $1",
            entry,
        )
        await owner.execute("ALTER TABLE ledger.entry ENABLE TRIGGER append_only")
    async with owner_pool.acquire() as connection:
        assert set((await verify(connection, key.public)).counts) == {"altered"}
