"""Rights on the real database: what they may not be, and what stops them at once."""

from __future__ import annotations

import asyncio
import datetime as dt

import asyncpg
import msgspec
import pytest
from share_people import ASKED, CLOSED, DRAFT, FREE, official

from dizuo.engines.exchange import requests
from dizuo.engines.exchange.requests import NewGrant

TODAY = dt.date(2026, 11, 23)
CIVIL = official("11", "civil")

pytestmark = pytest.mark.usefixtures("offered")


def right(**changed) -> NewGrant:
    wanted = NewGrant(
        consumer="civil", resource=ASKED, fields=("citizen_id", "name"), purpose="核对领补贴的人", basis="elderly-2018:33",
        methods=("query",), per_day=100, starts=TODAY, expires=TODAY + dt.timedelta(days=30), matter="senior",
    )  # fmt: skip
    return msgspec.structs.replace(wanted, **changed)


async def test_a_right_is_opened_read_and_entered(app_pool, owner_pool) -> None:
    made = await requests.open_grant(app_pool, right(), CIVIL)
    held = await requests.grant(app_pool, made)
    assert (held.consumer, held.fields, held.version, held.state) == (
        "civil",
        ("citizen_id", "name"),
        1,
        "open",
    )
    assert held in await requests.grants_of(app_pool, "civil", ASKED)
    assert held.usable(TODAY)
    assert not held.usable(held.expires + dt.timedelta(days=1))
    body = await owner_pool.fetchval(
        "SELECT body FROM ledger.entry WHERE kind = 'grant.open' AND (body ->> 'grant')::bigint = $1", made
    )
    assert body["actor"] == "11"
    assert body["law"] == "elderly-2018:33"


async def test_revoking_takes_effect_at_once_and_for_good(app_pool, owner_pool) -> None:
    made = await requests.open_grant(app_pool, right(), CIVIL)
    assert await requests.suspend(app_pool, made, "超出使用范围", official("21", "data")) == 2
    assert not (await requests.grant(app_pool, made)).usable(TODAY)
    assert await requests.resume(app_pool, made, "", official("21", "data"), day=TODAY) == 3
    assert (await requests.grant(app_pool, made)).usable(TODAY)
    assert await requests.revoke(app_pool, made, "用途改变", official("21", "data")) == 4
    gone = await requests.grant(app_pool, made)
    assert (gone.state, gone.ended_why, gone.usable(TODAY)) == ("revoked", "用途改变", False)
    for again in (requests.resume, requests.suspend, requests.revoke):
        with pytest.raises(requests.GrantOver):
            await again(app_pool, made, "再来一次", official("21", "data"))
    kinds = await owner_pool.fetch(
        "SELECT kind FROM ledger.entry WHERE (body ->> 'grant')::bigint = $1 ORDER BY id", made
    )
    assert [one["kind"] for one in kinds] == ["grant.open", "grant.suspend", "grant.resume", "grant.revoke"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"consumer": "阿里云计算有限公司"}, requests.NotADepartment),
        ({"consumer": "91320200MA00000000"}, requests.NotADepartment),
        ({"fields": ("citizen_id", "salary")}, requests.BeyondResource),
        ({"resource": CLOSED, "fields": ("grade",)}, requests.NotShared),
        ({"resource": DRAFT, "fields": ("plate",)}, requests.ResourceNotOffered),
        ({"resource": "NONE/0"}, requests.ResourceNotOffered),
    ],
)
async def test_what_a_right_may_never_be(app_pool, owner_pool, changed, error) -> None:
    before = await owner_pool.fetchval("SELECT count(*) FROM ledger.entry")
    with pytest.raises(error):
        await requests.open_grant(app_pool, right(**changed), CIVIL)
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.entry") == before


async def test_the_database_refuses_the_same_to_its_owner(owner_pool) -> None:
    insert = (
        "INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, basis, methods, per_day, starts, expires)"
        " VALUES ($1, $2, $3, '用', 'a:1', '{query}', 1, $4, $4) RETURNING id"
    )
    for given, code in (
        (("civil", ASKED, ["salary"]), "DZ063"),
        (("civil", CLOSED, ["grade"]), "DZ064"),
        (("civil", DRAFT, ["plate"]), "DZ062"),
        (("somebody", FREE, ["name"]), "23503"),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner_pool.fetchval(insert, *given, TODAY)
        assert refused.value.sqlstate == code
    made = await owner_pool.fetchval(insert, "civil", FREE, ["name"], TODAY)
    for change in (
        "fields = '{name,address}'",
        "expires = expires + 1",
        "purpose = '别的'",
        "consumer = 'psb'",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner_pool.execute(f"UPDATE exchange.data_grant SET {change} WHERE id = $1", made)
        assert refused.value.sqlstate == "DZ060"


async def test_the_serving_role_writes_nothing_by_hand(app_pool) -> None:
    for statement in (
        "UPDATE exchange.data_grant SET state = 'open'",
        "DELETE FROM exchange.data_grant",
        "INSERT INTO exchange.department (id, name, uscc) VALUES ('x', 'x', 'x')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)


async def test_the_day_ends_a_right_and_the_sweep_tells_it(app_pool) -> None:
    made = await requests.open_grant(app_pool, right(expires=TODAY), CIVIL)
    tomorrow = TODAY + dt.timedelta(days=1)
    held = await requests.grant(app_pool, made)
    assert held.usable(TODAY)
    assert not held.usable(tomorrow)
    assert held.shown_state(tomorrow) == "expired"
    assert made not in await requests.sweep_expired(app_pool, TODAY)
    assert made in await requests.sweep_expired(app_pool, tomorrow)
    assert made not in await requests.sweep_expired(app_pool, tomorrow)
    swept = await requests.grant(app_pool, made)
    assert (swept.state, swept.version) == ("expired", 2)


async def test_of_two_who_revoke_at_once_one_does(app_pool) -> None:
    made = await requests.open_grant(app_pool, right(), CIVIL)
    answers = await asyncio.gather(
        *(requests.revoke(app_pool, made, "同时收回", official(str(n), "data")) for n in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in answers) == ["GrantOver", "GrantOver", "GrantOver", "int"]


async def test_a_retired_department_gets_nothing_new(pg, app_pool, city) -> None:
    held = await requests.open_grant(app_pool, right(consumer="fund"), CIVIL)
    smaller = msgspec.structs.replace(
        city, organisations={k: v for k, v in city.organisations.items() if k != "fund"}
    )
    async with pg() as conn:
        await requests.publish_departments(conn, smaller)
    with pytest.raises(requests.NotADepartment):
        await requests.open_grant(app_pool, right(consumer="fund"), CIVIL)
    assert await requests.revoke(app_pool, held, "部门撤销", official("21", "data")) == 2
    async with pg() as conn:
        await requests.publish_departments(conn, city)


async def test_the_clerk_sweeps_until_it_is_told_to_stop(app_pool, frozen_now) -> None:
    made = await requests.open_grant(app_pool, right(expires=TODAY), CIVIL)
    frozen_now.advance(days=1)
    stop = asyncio.Event()
    clerk = asyncio.create_task(requests.swept_by_the_clock(app_pool, frozen_now, stop))
    while (await requests.grant(app_pool, made)).state == "open":
        await asyncio.sleep(0.01)
    stop.set()
    await clerk
    assert (await requests.grant(app_pool, made)).state == "expired"
