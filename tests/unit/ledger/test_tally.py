"""A count that goes on from a kept one says at every moment what a count from the beginning says."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
from collections.abc import Callable

import pytest

from dizuo.foundation.ledger import Entry, Sealer, SealRule, Tallies, Tally, declare_grounds, tally
from dizuo.foundation.store import Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")
ME, OTHER = 31, 32


@pytest.fixture(autouse=True)
def _short_lists_too(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(tally, "LONG", 1)


def entries(chance: random.Random, count: int) -> list[Entry]:
    """Uses by three units for two purposes; every other one about me."""
    return [
        Entry(
            chance.choice(["register.read", "data.viewed", "case.decided"]),
            {
                "actor": {"kind": "official", "unit": chance.choice(["psb:320211", "edu", "hrss"])},
                "purpose": chance.choice(["入学", "查询"]),
            },
            chance.choice([ME, OTHER]),
            {"case": str(n)},
        )
        for n in range(count)
    ]


def a_minute_later() -> Callable[[], float]:
    """A clock on which more than a minute passes from look to look."""
    return itertools.count(0.0, tally.SURE_FOR + 1).__next__


async def both(pool: Pool, kept: Tallies) -> tuple[Tally, Tally]:
    async with pool.acquire() as connection:
        return await kept.of(connection, ME), await Tallies().of(connection, ME)


@pytest.mark.parametrize("seed", range(4))
async def test_counted_on_is_counted_anew(
    app_pool: Pool, eraser_pool: Pool, owner_pool: Pool, sealer: Sealer, seed: int
) -> None:
    chance = random.Random(seed)
    kept = Tallies(a_minute_later())
    known: list[int] = []
    for step in range(40):
        match chance.choice(["append", "append", "seal", "seal", "late", "erase", "forget", "look"]):
            case "append":
                known += await app_pool.fetchval("SELECT ledger.append_batch($1)", entries(chance, 5))
            case "seal":
                await sealer.seal_once()
            case "late":
                # An entry with a lower id than one that is there before it.
                async with app_pool.acquire() as slow, slow.transaction():
                    known += await slow.fetchval("SELECT ledger.append_batch($1)", entries(chance, 2))
                    known += await app_pool.fetchval("SELECT ledger.append_batch($1)", entries(chance, 2))
                    await both(app_pool, kept)
            case "erase" if known and step > 10:
                one = chance.choice(known)
                about = {"entries": [one], "basis": "个人信息保护法§47"}
                reason = await app_pool.fetchval(
                    "SELECT ledger.append('ledger.erase', $1, NULL, NULL)", about
                )
                await eraser_pool.fetchval("SELECT ledger.erase($1, $2)", one, reason)
            case "forget" if step > 20:
                await eraser_pool.fetchval("SELECT ledger.forget_numbers($1)", ME)
            case _:
                pass
        counted_on, counted_anew = await both(app_pool, kept)
        assert counted_on == counted_anew, step
    await sealer.seal_once()
    counted_on, counted_anew = await both(app_pool, kept)
    assert counted_on == counted_anew
    assert counted_on.whole.whole


async def test_what_is_taken_away_after_the_first_look_is_missed(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer
) -> None:
    """A kept count would go on saying that everything is there."""
    later = a_minute_later()
    kept = Tallies(lambda: clock[0])
    clock = [later()]
    ids = await app_pool.fetchval(
        "SELECT ledger.append_batch($1)", [Entry("read", {"n": n}, ME, {"case": "A"}) for n in range(9)]
    )
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        assert (await kept.of(connection, ME)).whole.whole
    async with owner_pool.acquire() as owner, owner.transaction():
        await owner.execute("ALTER TABLE ledger.entry DISABLE TRIGGER append_only")
        await owner.execute("UPDATE ledger.entry SET subject = NULL WHERE id = $1", ids[4])
        await owner.execute("ALTER TABLE ledger.entry ENABLE TRIGGER append_only")
    counted_on, _ = await both(app_pool, kept)
    assert counted_on.whole.whole, "what was seen a moment ago is not looked through again"
    for _ in range(2):
        clock[0] = later()
        counted_on, _ = await both(app_pool, kept)
        assert (counted_on.whole.missing, counted_on.whole.whole) == ((5,), False)


async def test_only_closed_seals_are_counted_as_sealed(
    app_pool: Pool, owner_pool: Pool, sealer: Sealer
) -> None:
    kept = Tallies()
    ground = SealRule(
        "crime", "cpl-2018:152", "psb", ("investigator",), ("chief",), 60, True, "other", {"a": ("b",)}
    )
    async with owner_pool.acquire() as owner:
        await declare_grounds(owner, [ground])
    until = await app_pool.fetchval("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date") + dt.timedelta(10)
    entry = await owner_pool.fetchval(
        "SELECT ledger.seal('register.read', $1, $2, $3, $4, $5, $6)",
        {"n": 1}, ME, {"case": "A"}, until, ground.id, {"unit": "psb", "post": "investigator", "approved": "chief"},
    )  # fmt: skip
    await sealer.seal_once()
    assert [one.sealed for one in await both(app_pool, kept)] == [1, 1]
    await owner_pool.execute(
        "UPDATE ledger.sealed SET since = since - 20, opens_on = opens_on - 20 WHERE entry = $1", entry
    )
    await sealer.seal_once()
    await sealer.seal_once()
    counted_on, counted_anew = await both(app_pool, kept)
    assert counted_on == counted_anew
    assert (counted_on.sealed, counted_on.whole.last) == (0, 2)


async def test_only_so_much_is_kept(app_pool: Pool, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST", 20)
    kept = Tallies()
    for person in range(8):
        some = [Entry("read", {"n": n}, person, {"case": "A"}) for n in range(6)]
        await app_pool.fetchval("SELECT ledger.append_batch($1)", some)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        for person in range(8):
            assert (await kept.of(connection, person)).whole.last == 6
            assert len(kept._kept) <= 3  # pyright: ignore[reportPrivateUsage]
        for person in range(8):
            assert (await kept.of(connection, person)).whole.last == 6


async def test_looks_of_one_person_at_once_count_once(app_pool: Pool, sealer: Sealer) -> None:
    """The second waits and goes on from the first; nobody is kept waiting after the last."""
    some = [Entry("read", {"n": n}, ME, {"case": "A"}) for n in range(80)]
    await app_pool.fetchval("SELECT ledger.append_batch($1)", some)
    await sealer.seal_once()
    kept = Tallies()
    tallies = await asyncio.gather(*(both(app_pool, kept) for _ in range(4)))
    assert [one.whole.last for pair in tallies for one in pair] == [80] * 8
    assert kept._looking == {}  # pyright: ignore[reportPrivateUsage]
