"""The counts that everybody may see are those of the records, whoever wrote them, and nobody has to count for them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import uuid

import pytest
from small_city import MOTHER

from dizuo.engines.registers import Actor, RegisterChange, holdings
from dizuo.foundation.store import begin

POLICE = Actor("system", unit="psb", channel="system", name="户口登记")
CHILD = {"name": "王沐言", "sex": "2", "birth_date": "2026-11-16", "division": "320213001001"}


async def truth(pg) -> dict[str, tuple[int, dt.datetime]]:
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT register, count(*) FILTER (WHERE superseded_at IS NULL) AS n, max(recorded_at) AS last_at"
            " FROM registers.record GROUP BY register"
        )
    return {row["register"]: (row["n"], row["last_at"]) for row in rows}


async def told(app_pool) -> dict[str, int]:
    return {register: held.records for register, held in (await holdings(app_pool)).items()}


def birth(name: str) -> RegisterChange:
    return RegisterChange(register="person", key=None, values={**CHILD, "name": name}, source="psb",
                          date=dt.date(2026, 11, 23), matter="newborn", item="household", case="WX20261123000017",
                          actor=POLICE)  # fmt: skip


async def test_a_delivery_is_counted(town, app_pool, pg):
    assert await told(app_pool) == {register: n for register, (n, _) in (await truth(pg)).items()}


async def test_a_new_version_is_no_new_record_but_moves_the_date(town, app_pool, pg):
    before = await holdings(app_pool)
    await town.deliver([("person", MOTHER, "data", {"phone": "13700000009"})], "data")
    after = await holdings(app_pool)
    assert after["person"].records == before["person"].records
    assert after["person"].last_at > before["person"].last_at


async def test_a_birth_counts_and_one_that_was_rolled_back_does_not(town, app_pool, frozen_now, pg):
    before = (await told(app_pool))["person"]
    async with begin(app_pool, frozen_now) as tx:
        await town.registers.apply_writes(tx, (birth("王一"), birth("王二")))
    assert (await told(app_pool))["person"] == before + 2

    with contextlib.suppress(RuntimeError):
        async with begin(app_pool, frozen_now) as tx:
            await town.registers.apply_writes(tx, (birth("王三"),))
            raise RuntimeError
    assert await told(app_pool) == {register: n for register, (n, _) in (await truth(pg)).items()}


async def test_folding_beside_writing_loses_nothing(town, app_pool, frozen_now, pg):
    """Writers add rows, folders make one of many, all at once: the sum stays that of the records."""

    async def fold() -> None:
        async with pg() as owner:
            for _ in range(25):
                await owner.execute("SELECT registers.fold_tally()")

    async def write(n: int) -> None:
        for turn in range(5):
            async with begin(app_pool, frozen_now) as tx:
                await town.registers.apply_writes(tx, (birth(f"陈{n}{turn}"),))

    await asyncio.gather(fold(), fold(), fold(), *(write(n) for n in range(4)))
    assert await told(app_pool) == {register: n for register, (n, _) in (await truth(pg)).items()}
    async with pg() as owner:
        await owner.execute("SELECT registers.fold_tally()")
        rows = await owner.fetch("SELECT register, count(*) AS n FROM registers.tally GROUP BY register")
    assert {row["n"] for row in rows} == {1}
    assert await told(app_pool) == {register: n for register, (n, _) in (await truth(pg)).items()}


async def test_a_load_that_says_nothing_new_is_not_counted(town, app_pool):
    before = await holdings(app_pool)
    await town.deliver([("person", MOTHER, "data", {"phone": "13700000009"})], "data")
    assert await holdings(app_pool) == before


@pytest.mark.parametrize("role", ["dizuo_loader", "dizuo_sealer"])
async def test_only_the_web_needs_to_see_it(pg, role):
    async with pg(role) as conn:
        with pytest.raises(Exception, match="permission denied"):
            await conn.fetch("SELECT * FROM registers.holdings")


async def test_the_web_cannot_change_a_count(pg):
    async with pg("dizuo_app") as conn:
        for statement in (
            "UPDATE registers.holdings SET records = 0",
            f"INSERT INTO registers.tally VALUES ('{uuid.uuid4()}', 1, now())",
            "SELECT registers.fold_tally()",
        ):
            with pytest.raises(Exception, match=r"permission denied|cannot update view"):
                await conn.execute(statement)
