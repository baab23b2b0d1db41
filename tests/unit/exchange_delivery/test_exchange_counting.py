"""The daily limit counted side by side: never one subject more than granted, never one less, whoever counts where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from exchange_town import MOTHER, ExchangeTown, tiny_city

from dizuo.engines.exchange.delivery import CallRefused, DailyLimitReached, Exchange
from dizuo.engines.exchange.delivery.limits import Limits
from dizuo.foundation.kernel.clock_source import SystemNow


@pytest.fixture
async def processes(town: ExchangeTown) -> AsyncIterator[list[Exchange]]:
    """The exchange as several processes have it: own memories and batches, one database."""
    made = [Exchange(town.exchange.pool, tiny_city(), town.data, SystemNow()) for _ in range(4)]
    for one in made:
        await one.keys.fresh()
    yield made
    for one in made:
        await one.close()


async def used(town: ExchangeTown, grant: int) -> tuple[int, int]:
    async with town.pg() as owner:
        row = await owner.fetchrow("SELECT used, calls FROM exchange.grant_used WHERE grant_id = $1", grant)
    return tuple(row) if row else (0, 0)


async def slots(town: ExchangeTown, grant: int) -> int:
    async with town.pg() as owner:
        return await owner.fetchval("SELECT count(*) FROM exchange.use_slot WHERE grant_id = $1", grant)


async def test_processes_count_in_slots_and_stop_at_the_very_limit(
    town: ExchangeTown, processes: list[Exchange]
) -> None:
    limit, size = 1200, 3
    grant = await town.grant(per_day=limit)
    call = town.call(*[MOTHER] * size, method="batch", grant=grant)
    seen: list[int] = []

    async def keep(exchange: Exchange, times: int) -> list[Any]:
        told: list[Any] = []
        for _ in range(times):
            exchange.limits = Limits()
            told += await asyncio.gather(exchange.call(town.caller(), call), return_exceptions=True)
            if len(told) == 5:
                seen.append(await slots(town, grant))
        return told

    told = [
        one for some in await asyncio.gather(*(keep(one, 108) for one in processes)) for one in some
    ]  # 432 batches of 3, 400 of which fit
    passed = [one for one in told if not isinstance(one, BaseException)]
    assert max(seen) > 0, "nothing was counted in a slot, so this shows nothing"
    assert len(passed) == limit // size
    assert all(isinstance(one, DailyLimitReached) for one in told if isinstance(one, BaseException))
    assert await used(town, grant) == (limit, limit // size)
    assert await slots(town, grant) == 0
    read = await town.entries()
    assert sum(one["kind"] == "register.read" and one["body"]["grant"] == grant for one in read) == limit, (
        "metered and entered are one"
    )


async def test_what_slots_hold_back_is_not_shown_as_used(town: ExchangeTown) -> None:
    grant = await town.grant(per_day=100_000)
    for _ in range(3):
        await town.exchange.call(town.caller(), town.call(grant=grant))
    assert await slots(town, grant) == 1
    rights = await town.exchange.rights_of("hrss", fresh=True)
    assert next(one.used for one in rights if one.share.id == grant) == 3
    assert await used(town, grant) == (3, 3)


async def test_a_lowered_limit_holds_at_once(town: ExchangeTown) -> None:
    """What a slot held under the old limit counts for nothing under the new one."""
    grant = await town.grant(per_day=100_000)
    await town.exchange.call(town.caller(), town.call(grant=grant))
    assert await slots(town, grant) == 1
    async with town.pg() as owner:
        await owner.execute("UPDATE exchange.data_grant SET per_day = 3 WHERE id = $1", grant)
    done = await asyncio.gather(
        *(town.exchange.call(town.caller(), town.call(grant=grant)) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in done) == 2
    assert await used(town, grant) == (3, 3)


async def test_yesterdays_slots_go_back_to_yesterday(town: ExchangeTown) -> None:
    grant = await town.grant(per_day=100_000)
    async with town.pg() as owner:
        await owner.execute(
            "INSERT INTO exchange.grant_use VALUES ($1, current_date - 1, 500, 7, now());", grant
        )
        await owner.execute(
            "INSERT INTO exchange.use_slot VALUES ($1, current_date - 1, 1, 1, 400, 11), ($1, current_date - 1, 2, 1, 60, 2)",
            grant,
        )
    await town.exchange.call(town.caller(), town.call(grant=grant))
    async with town.pg() as owner:
        rows = await owner.fetch(
            "SELECT used, calls FROM exchange.grant_use WHERE grant_id = $1 ORDER BY day LIMIT 1", grant
        )
        left = await owner.fetchval(
            "SELECT count(*) FROM exchange.use_slot WHERE grant_id = $1 AND day < current_date", grant
        )
    assert [tuple(row) for row in rows] == [(40, 20)]
    assert left == 0


async def test_two_transactions_hold_two_slots_and_neither_waits(town: ExchangeTown) -> None:
    grant = await town.grant(per_day=100_000)
    take = "SELECT slot, room FROM exchange.take_room($1, (now() AT TIME ZONE 'Asia/Shanghai')::date, 1)"
    async with town.pg() as one, town.pg() as other:
        await one.fetchrow(take, grant)
        await other.fetchrow(take, grant)
        async with one.transaction(), other.transaction():
            held = [await asyncio.wait_for(x.fetchrow(take, grant), 5) for x in (one, other)]
    assert sorted(row["slot"] for row in held) == [1, 2]


async def test_a_call_that_is_refused_uses_nothing(town: ExchangeTown) -> None:
    grant = await town.grant(per_day=100_000)
    with pytest.raises(CallRefused):
        await town.exchange.call(town.caller(), town.call(grant=grant, case=""))
    assert (await used(town, grant))[0] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM exchange.use_slot",
        "UPDATE exchange.use_slot SET room = 9",
        "SELECT exchange.take_room(1, current_date, 1)",
        "SELECT exchange.settle_use(1, current_date)",
    ],
)
async def test_the_serving_role_does_not_touch_slots(town: ExchangeTown, statement: str) -> None:
    import asyncpg

    async with town.pg("dizuo_app") as app:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)
