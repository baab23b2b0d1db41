"""Sealed entries: committed at once, told on their day, by declared posts only; a person's numbers stay without a gap."""

from __future__ import annotations

import datetime as dt
from typing import Any

import asyncpg
import msgspec
import pytest

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.ledger import (
    Entry,
    Sealer,
    SealRule,
    SealsInForce,
    SigningKey,
    closed_seals,
    counted,
    declare_grounds,
    entries_of,
    extend_seal,
    lift_seal,
    seals_in_force,
    verify,
)
from dizuo.foundation.ledger.errors import SealKept
from dizuo.foundation.store import Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")
ME = 41
READS = {"household": ("address",)}
QUIET = SealRule(
    "crime", "cpl-2018:152", "psb", ("investigator",), ("chief",), 90, False, "procuratorate", READS
)
TOLD = SealRule("audit", "tax-2015:59", "tax", ("inspector",), ("head",), 30, True, "audit", READS)
ACT = {"register": "household", "fields": ["address"], "purpose": "investigation"}


@pytest.fixture(autouse=True)
async def grounds(owner_pool: Pool, empty_ledger: None) -> None:
    async with owner_pool.acquire() as owner:
        await owner.execute("TRUNCATE ledger.sealed, ledger.seal_ground")
        await declare_grounds(owner, [QUIET, TOLD])


def day(days: int) -> dt.date:
    return dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=days)


async def seal(pool: Pool, rule: SealRule, days: int, **changed: Any) -> int:
    """As the owner: only a function that looked at the order may seal."""
    actor = {"unit": rule.unit, "post": rule.orders[0], "approved": rule.approves[0]} | changed
    return await pool.fetchval(
        "SELECT ledger.seal('register.read', $1, $2, $3, $4, $5, $6)",
        ACT, ME, {"case": "演示-1"}, day(days), rule.id, actor,
    )  # fmt: skip


async def come(owner: Pool, entry: int) -> None:
    """Its day has come."""
    await owner.execute(
        "UPDATE ledger.sealed SET since = since - 200, opens_on = $2 WHERE entry = $1", entry, day(0)
    )


@pytest.mark.parametrize(
    ("rule", "days", "changed", "state"),
    [
        (QUIET, 30, {"post": "clerk"}, "DZ004"),
        (QUIET, 30, {"unit": "tax"}, "DZ004"),
        (QUIET, 30, {"approved": "investigator"}, "DZ004"),
        (QUIET, 30, {"approved": None}, "DZ004"),
        (QUIET, 30, {"post": "chief"}, "DZ004"),
        (msgspec.structs.replace(QUIET, id="no_such"), 30, {}, "DZ004"),
        (QUIET, 91, {}, "DZ005"),
        (QUIET, 0, {}, "DZ005"),
    ],
)
async def test_only_two_declared_posts_seal_within_the_term(
    owner_pool: Pool, rule: SealRule, days: int, changed: dict[str, Any], state: str
) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await seal(owner_pool, rule, days, **changed)
    assert caught.value.sqlstate == state


async def test_a_ground_that_ended_seals_nothing_and_the_same_grounds_are_entered_once(
    owner_pool: Pool,
) -> None:
    async with owner_pool.acquire() as owner:
        assert not await declare_grounds(owner, [QUIET, TOLD])
        assert await declare_grounds(owner, [TOLD])
        with pytest.raises(asyncpg.PostgresError):
            await seal(owner_pool, QUIET, 30)
        assert await declare_grounds(owner, [QUIET])
        assert await owner.fetchval("SELECT count(*) FROM ledger.entry WHERE kind = 'sealed.grounds'") == 3
    await seal(owner_pool, QUIET, 30)


async def test_nobody_but_the_owner_declares_seals_or_opens(app_pool: Pool) -> None:
    for statement in (
        "INSERT INTO ledger.seal_ground (id, post) VALUES ('a', 'b')",
        "UPDATE ledger.sealed SET opens_on = opens_on + 1000",
        "SELECT ledger.open_due()",
        "SELECT ledger.seal('read', '{}', 1, NULL, current_date + 1, 'crime', '{}')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)


async def test_a_quiet_seal_is_not_told_and_takes_its_number_when_it_opens(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    await app_pool.fetchval("SELECT ledger.append_batch($1)", [Entry("read", {"n": 1}, ME, {"case": "A"})])
    entry = await seal(owner_pool, QUIET, 30)
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
    entry = await seal(owner_pool, TOLD, 10)
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


async def test_only_the_approving_post_keeps_a_seal_and_the_overseer_sees_it(
    app_pool: Pool, owner_pool: Pool
) -> None:
    entry = await seal(owner_pool, QUIET, 80)
    for until, why, post in (
        (85, "还在侦查", "investigator"),
        (70, "还在侦查", "chief"),
        (91, "还在侦查", "chief"),
        (85, " ", "chief"),
    ):
        with pytest.raises(SealKept):
            await extend_seal(app_pool, entry, day(until), why, unit="psb", post=post, official=8)
    await owner_pool.execute("UPDATE ledger.sealed SET since = since - 78, opens_on = $1", day(2))
    await extend_seal(app_pool, entry, day(50), "还在侦查", unit="psb", post="chief", official=8)
    async with app_pool.acquire() as connection:
        (one,) = await closed_seals(connection, {"procuratorate": "prosecutor"})
        assert (one.entry, one.unit, one.extended, one.overlong, one.overseen) == (
            entry,
            "psb",
            1,
            True,
            True,
        )
        (own,) = await closed_seals(connection, {"psb": "chief"})
        assert not own.overseen
        for others in ({"psb": "investigator"}, {"audit": "auditor"}, {"tax": "head"}, {}):
            assert await closed_seals(connection, others) == ()
        assert await seals_in_force(connection) == (SealsInForce("crime", "psb", 1, 1, 1),)


@pytest.mark.parametrize("who", [{"unit": "psb", "post": "chief"}, {"unit": "procuratorate", "post": "any"}])
async def test_a_seal_is_lifted_before_its_day_with_a_reason(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer, who: dict[str, str]
) -> None:
    entry = await seal(owner_pool, QUIET, 80)
    for other, why in (({"unit": "psb", "post": "investigator"}, "已经结案"), (who, "")):
        with pytest.raises(SealKept):
            await lift_seal(app_pool, entry, why, **other, official=8)
    await lift_seal(app_pool, entry, "已经结案", **who, official=8)
    with pytest.raises(SealKept):
        await lift_seal(app_pool, entry, "再来一次", **who, official=8)
    with pytest.raises(SealKept):
        await extend_seal(app_pool, entry, day(85), "反悔了", unit="psb", post="chief", official=8)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        (opened,) = await entries_of(connection, ME)
        assert (opened.kind, opened.body["said"]) == ("sealed.opened", ACT)
        assert await seals_in_force(connection) == ()
    why = await owner_pool.fetchval("SELECT payload ->> 'why' FROM ledger.entry WHERE kind = 'sealed.lifted'")
    assert why == "已经结案"


async def test_an_opening_that_is_not_what_was_sealed_is_found(
    owner_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    entry = await seal(owner_pool, QUIET, 5)
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
