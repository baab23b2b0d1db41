"""异议 and the uses of one's data: entered about the person, answered by the department that used them, once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.ledger import (
    Entry,
    EntryView,
    Filter,
    Tallies,
    answer_objection,
    choose_telling,
    entries_of,
    entries_where,
    look,
    looked,
    object_to,
    objections_at,
    objections_of,
    open_objection,
)
from dizuo.foundation.ledger.errors import ObjectionAnswered, ObjectionInvalid, ObjectionUnknown
from dizuo.foundation.store import Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")
ME = 51
NOW = datetime.now(SHANGHAI)


def read(unit: str, purpose: str, **changed: Any) -> Entry:
    body = {"actor": {"kind": "system", "unit": unit}, "purpose": purpose, "register": "household", **changed}
    return Entry("register.read", body, ME, {"case": "演示"})


@pytest.fixture
async def uses(owner_pool: Pool, app_pool: Pool, empty_ledger: None) -> list[EntryView]:
    """Four uses of my data, oldest first."""
    await owner_pool.execute("TRUNCATE ledger.objection, ledger.looked")
    some = [
        read("edu", "入学"),
        read("psb:320211", "查询"),
        read("edu", "入学"),
        Entry("data.viewed", {}, ME),
    ]
    await app_pool.fetchval("SELECT ledger.append_batch($1)", some)
    async with app_pool.acquire() as connection:
        return (await entries_of(connection, ME))[::-1]


async def test_lists_are_sifted_in_the_database(app_pool: Pool, uses: list[EntryView]) -> None:
    async with app_pool.acquire() as connection:

        async def count(chosen: Filter) -> int:
            return len(await entries_where(connection, ME, chosen))

        assert await count(Filter()) == 4
        assert await count(Filter(unit="edu")) == 2
        assert await count(Filter(unit="psb")) == 1
        assert await count(Filter(purpose="查询")) == 1
        assert await count(Filter(since=NOW + timedelta(days=1))) == 0
        assert await count(Filter(until=NOW - timedelta(days=1))) == 0
        assert await count(Filter(unit="edu' OR true --")) == 0
        assert [
            one.id for one in await entries_where(connection, ME, Filter(), before=uses[2].id, limit=1)
        ] == [uses[1].id]


async def test_kinds_of_use_are_told_apart_with_their_first_time(
    app_pool: Pool, uses: list[EntryView]
) -> None:
    async with app_pool.acquire() as connection:
        found = {(use.unit, use.purpose): use for use in (await Tallies().of(connection, ME)).uses}
        assert set(found) == {("edu", "入学"), ("psb", "查询")}
        assert (found["edu", "入学"].count, found["edu", "入学"].first) == (2, uses[0].id)
        assert await looked(connection, ME) == (None, True)
        await look(connection, ME, uses[2].id)
        await look(connection, ME, uses[0].id)  # never back
        await choose_telling(connection, ME, False)
        assert await looked(connection, ME) == (uses[2].id, False)


async def raised(pool: Pool, entry: EntryView, token: str = "t1", says: str = "我没有办这件事") -> str:
    return await object_to(
        pool, entry, ME, "psb:320211", says, token, NOW, NOW + timedelta(days=10), "online"
    )


async def test_an_objection_goes_to_the_department_and_its_answer_to_the_person(
    app_pool: Pool, uses: list[EntryView]
) -> None:
    number = await raised(app_pool, uses[1])
    assert number.startswith("YY")
    async with app_pool.acquire() as connection:
        (one,) = await objections_at(connection, ["psb"])
        assert (one.number, one.state, one.unit) == (number, "open", "psb:320211")
        assert await objections_at(connection, ["edu"]) == []
    one, about = await open_objection(app_pool, number, {"psb": "clerk"}, 9)
    assert (one.says, about["purpose"]) == ("我没有办这件事", "查询")
    with pytest.raises(ObjectionUnknown):
        await open_objection(app_pool, number, {"edu": "clerk"}, 9)
    await answer_objection(app_pool, number, {"psb": "clerk"}, 9, "upheld", "查询没有依据，已停用", NOW)
    async with app_pool.acquire() as connection:
        (mine,) = await objections_of(connection, ME)
        assert (mine.state, mine.answer) == ("upheld", "查询没有依据，已停用")
        answered, opened, asked = (await entries_of(connection, ME))[:3]
    kinds = [asked.kind, opened.kind, answered.kind]
    assert kinds == ["objection.raised", "objection.viewed", "objection.answered"]
    assert answered.body["actor"]["post"] == "clerk"
    assert "我没有办这件事" not in str((asked.body, answered.body)), "what was said is personal"


async def test_one_form_is_one_objection_however_often_it_is_sent(
    app_pool: Pool, uses: list[EntryView]
) -> None:
    numbers = await asyncio.gather(*(raised(app_pool, uses[1]) for _ in range(5)))
    assert len(set(numbers)) == 1
    async with app_pool.acquire() as connection:
        assert len(await objections_of(connection, ME)) == 1
        assert [one.kind for one in await entries_of(connection, ME)].count("objection.raised") == 1


async def test_who_may_not_answer_cannot_and_nobody_twice(app_pool: Pool, uses: list[EntryView]) -> None:
    number = await raised(app_pool, uses[1])
    with pytest.raises(ObjectionUnknown):
        await answer_objection(app_pool, number, {"edu": "clerk"}, 9, "declined", "不是我们", NOW)
    with pytest.raises(ObjectionUnknown):
        await answer_objection(app_pool, "YY0", {"psb": "clerk"}, 9, "declined", "没有这件", NOW)
    for state, said in (("open", "理由在此"), ("upheld", ""), ("upheld", "长" * 1001)):
        with pytest.raises(ObjectionInvalid):
            await answer_objection(app_pool, number, {"psb": "clerk"}, 9, state, said, NOW)  # type: ignore[arg-type]
    await answer_objection(app_pool, number, {"psb": "clerk"}, 9, "declined", "依法查询", NOW)
    with pytest.raises(ObjectionAnswered):
        await answer_objection(app_pool, number, {"psb": "clerk"}, 9, "upheld", "又改了", NOW)
    with pytest.raises(ObjectionInvalid):
        await raised(app_pool, uses[1], "t2", " ")
    with pytest.raises(ObjectionUnknown):  # somebody else's form token
        await object_to(app_pool, uses[1], 99, "psb", "不是我的", "t1", NOW, None, "online")


async def test_what_was_objected_is_not_changed_afterwards(app_pool: Pool, uses: list[EntryView]) -> None:
    await raised(app_pool, uses[1])
    for statement in ("UPDATE ledger.objection SET says = '算了'", "DELETE FROM ledger.objection"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)
