"""The feed of changes: one order, no gaps, nothing skipped, nothing told that is a value."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import uuid

import pytest
from small_city import FATHER, MOTHER, STRANGER

from dizuo.engines.registers import ChangesGone, change_reach, changes_after, forget_changes

INTAKE = (
    "INSERT INTO registers.intake (load, line, register, key, source, source_date, data)"
    " VALUES ($1, $2, $3, $4, $5, '2026-11-21', $6)"
)


async def absorb(conn, key, data, source="psb", register="person"):
    """One record of one delivery, in whatever transaction the caller has open."""
    load = uuid.uuid4()
    await conn.execute(INTAKE, load, 1, register, key, source, data)
    await conn.fetchval("SELECT registers.absorb($1, '{}')", load)


async def last(pg):
    async with pg("dizuo_loader") as loader:
        return (await change_reach(loader)).last


async def after(pg, position, **more):
    async with pg("dizuo_loader") as loader:
        return await changes_after(loader, position, **more)


async def test_every_writer_is_noted_with_the_names_of_what_changed(town, pg):
    start = await last(pg)
    async with pg("dizuo_loader") as loader:
        await absorb(
            loader, "320213200001010018", {"citizen_id": "320213200001010018", "name": "新来", "sex": "1"}
        )
        await absorb(loader, "320213200001010018", {"name": "新来一", "sex": None, "household_no": "H7"})
        await absorb(loader, "320213200001010018", {"name": "新来一"})  # nothing new, nothing noted
    async with pg() as owner:  # what a granted item or a correction does
        await owner.execute(
            "SELECT version FROM registers.put('person', $1, '{\"sex\": \"2\"}', 'psb', '2026-11-22')",
            "320213200001010018",
        )
        ref = await owner.fetchval(
            "SELECT ref FROM registers.record WHERE key = '320213200001010018' LIMIT 1"
        )
    told = await after(pg, start)
    assert [(c.kind, c.register, c.ref, c.version, c.fields) for c in told] == [
        ("new", "person", ref, 1, ()),
        ("changed", "person", ref, 2, ("household_no", "name", "sex")),
        ("changed", "person", ref, 3, ("sex",)),
    ]
    assert [c.position for c in told] == [start + 1, start + 2, start + 3]
    async with pg() as owner:
        kept = str(await owner.fetch("SELECT * FROM registers.change UNION ALL SELECT NULL, kind, register, ref, version,"
                                     " fields, at FROM registers.change_note"))  # fmt: skip
    assert "新来" not in kept
    assert "3202132000" not in kept


async def test_from_any_position_again_and_again_and_by_register(town, pg):
    await town.deliver([("household", "H8", "psb", {"household_no": "H8", "address": "甲"})], "psb")
    await town.deliver([("person", STRANGER, "psb", {"household_no": "H8"})], "psb")
    everything = await after(pg, 0)
    assert [c.position for c in everything] == list(range(1, len(everything) + 1))
    for position in (0, 3, len(everything) - 1, len(everything)):
        assert await after(pg, position) == everything[position:]
    assert await after(pg, 0, limit=2) == everything[:2]
    assert await after(pg, 0, register="household") == tuple(
        c for c in everything if c.register == "household"
    )
    with pytest.raises(ChangesGone):
        await after(pg, len(everything) + 1)


async def test_a_late_commit_is_neither_skipped_nor_put_before_what_was_read(town, pg):
    """The trap of counters: A writes first and commits last. A reader that has seen B must still come to see A."""
    start = await last(pg)
    async with pg("dizuo_loader") as a, pg() as b:
        slow = a.transaction()
        await slow.start()
        await absorb(a, MOTHER, {"name": "林晚"})
        await b.execute(
            "SELECT version FROM registers.put('person', $1, '{\"name\": \"王早\"}', 'psb', '2026-11-22')",
            FATHER,
        )
        seen = await after(pg, start)
        assert seen == ()  # B has committed, but something before it may still come
        await slow.commit()
    seen = await after(pg, start)
    assert [c.position for c in seen] == [start + 1, start + 2]
    assert {c.fields for c in seen} == {("name",)}


async def test_a_reader_that_rolls_back_reads_the_same_again(town, pg):
    start = await last(pg)
    await town.deliver([("person", MOTHER, "psb", {"name": "林一"})], "psb", dt.date(2026, 11, 23))
    async with pg("dizuo_loader") as loader:
        lost = loader.transaction()
        await lost.start()
        first = await changes_after(loader, start)
        await lost.rollback()
    await town.deliver([("person", MOTHER, "psb", {"name": "林二"})], "psb", dt.date(2026, 11, 23))
    assert (await after(pg, start))[: len(first)] == first
    assert len(first) == 1


async def test_many_writers_and_readers_at_once(town, pg):
    """Everybody who follows the feed from one position sees the same positions, each once, in order, none missing."""
    start = await last(pg)
    writing = asyncio.Event()
    writers, turns = 3, 20
    chance = random.Random(7)

    async def write(who):
        async with pg() as conn:
            for turn in range(turns):
                async with conn.transaction():
                    await conn.execute(
                        "SELECT version FROM registers.put('person', $1, jsonb_build_object('name', $2::text), 'psb', '2026-11-22')",
                        (MOTHER, FATHER, STRANGER)[who],
                        f"{who}-{turn}",
                    )
                    await asyncio.sleep(chance.random() / 200)

    async def follow():
        at, seen = start, []
        async with pg("dizuo_loader") as loader:
            while True:
                over = writing.is_set()
                got = await changes_after(loader, at, limit=5)
                seen += got
                at = got[-1].position if got else at
                if over and not got:
                    return seen
                await asyncio.sleep(chance.random() / 100)

    readers = [asyncio.create_task(follow()) for _ in range(3)]
    await asyncio.gather(*[write(n) for n in range(writers)])
    writing.set()
    one, *others = await asyncio.gather(*readers)
    assert [c.position for c in one] == list(range(start + 1, start + 1 + writers * turns))
    assert all(other == one for other in others)
    versions = {}
    for change in one:
        assert change.version == versions.get(change.ref, change.version - 1) + 1, (
            "a record's versions come in order"
        )
        versions[change.ref] = change.version


async def test_what_is_forgotten_is_said_and_thirty_days_are_kept(town, pg):
    await town.deliver([("person", MOTHER, "psb", {"name": "林三"})], "psb", dt.date(2026, 11, 24))
    end = await last(pg)
    async with pg() as owner:
        assert await forget_changes(owner, dt.datetime.now(dt.UTC)) == 0
        await owner.execute(
            "UPDATE registers.change SET at = at - interval '40 days' WHERE position < $1", end
        )
        assert await forget_changes(owner, dt.datetime.now(dt.UTC) - dt.timedelta(days=35)) == end - 1
    async with pg("dizuo_loader") as loader:
        reach = await change_reach(loader)
    assert (reach.kept_from, reach.last) == (end, end)
    assert [c.position for c in await after(pg, end - 1)] == [end]
    with pytest.raises(ChangesGone, match="不全"):
        await after(pg, end - 2)


async def test_what_nobody_asked_for_can_be_forgotten_too(town, pg):
    await town.deliver([("person", MOTHER, "psb", {"name": "林四"})], "psb", dt.date(2026, 11, 25))
    async with pg() as owner:
        await owner.execute("UPDATE registers.change_note SET at = at - interval '40 days'")
        kept = await owner.fetchval("WITH old AS (UPDATE registers.change SET at = at - interval '40 days' RETURNING 1)"
                                    " SELECT count(*) FROM old")  # fmt: skip
        assert await owner.fetchval("SELECT count(*) FROM registers.change_note") == 1
        assert await forget_changes(owner, dt.datetime.now(dt.UTC)) == kept + 1
        assert await owner.fetchval("SELECT count(*) FROM registers.change_note") == 0


async def test_nobody_else_reads_it(town, pg):
    async with pg("dizuo_app") as app:
        for statement in ("SELECT * FROM registers.change", "SELECT registers.changes_after(0, NULL, 1)",
                          "SELECT registers.number_changes(1)"):  # fmt: skip
            with pytest.raises(Exception, match="permission denied"):
                await app.fetch(statement)
    async with pg("dizuo_loader") as loader:
        for statement in ("SELECT * FROM registers.change_note", "SELECT registers.number_changes(1)",
                          "SELECT registers.forget_changes(now())"):  # fmt: skip
            with pytest.raises(Exception, match="permission denied"):
                await loader.fetch(statement)
