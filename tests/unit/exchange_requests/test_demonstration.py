"""The invented requests of the demonstration city: every state is there, by steps that the engine itself allowed."""

from __future__ import annotations

import datetime as dt

import pytest

from dizuo.engines import exchange
from dizuo.engines.exchange import requests
from dizuo.engines.exchange.requests import rules
from dizuo.engines.exchange.requests.demonstration import STORIES
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.clock_source import SHANGHAI

NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
async def told(pg, app_pool, city) -> int:
    async with pg() as conn:
        await requests.publish_departments(conn, city)
    await exchange.publish_catalogue(app_pool, city, NOW)
    officials = {
        (unit.id, power): Actor(
            "official",
            official=f"{unit.id}-{post.id}",
            post=post.id,
            unit=unit.id,
            name="演示",
            powers=post.powers,
        )
        for unit in city.organisations.values()
        for post in unit.posts
        for power in post.powers
        if power in rules.POWERS
    }
    return await requests.demonstrate(app_pool, city, officials, NOW)


async def test_every_state_is_shown(told, owner_pool, city, app_pool) -> None:
    assert told == len(STORIES)
    states = {
        row["state"] for row in await owner_pool.fetch("SELECT DISTINCT state FROM exchange.share_request")
    }
    assert states == set(requests.STATES)
    assert await requests.demonstrate(app_pool, city, {}, NOW) == 0  # never twice


async def test_its_figures_show_something_of_everything(told, city, app_pool) -> None:
    found = await requests.figures(app_pool, city, NOW - dt.timedelta(days=365), NOW.date())
    assert found.mean_days is not None
    assert 0 < found.in_time < found.timed
    assert set(found.by_reason) >= {"beyond_duty", "basis_missing"}
    assert found.satisfied > 0 < found.running
    assert 0 < found.real_time <= found.rights
    assert (found.pointed_requests, found.pointed_questions) == (1, 1)


async def test_its_lists_are_filled_and_name_nobody(told, app_pool) -> None:
    assert await requests.rights(app_pool)
    assert await requests.duties(app_pool)
    back = await requests.kept_back(app_pool)
    assert back
    assert all(one.share_basis for one in back)
    names = {"演示人员", "演示", "演示人员，分管负责人"}
    for need in await requests.needs(app_pool):
        assert not names & {str(getattr(need, field)) for field in need.__struct_fields__}


async def test_nothing_is_later_than_now(told, owner_pool) -> None:
    late = await owner_pool.fetchval(
        "SELECT count(*) FROM exchange.share_step WHERE at > $1 AND event NOT IN ('first_use', 'expire', 'suspend', 'resume', 'revoke', 'end')",
        NOW,
    )
    assert late == 0


async def test_what_went_down_to_districts_and_towns_is_counted(told, city, app_pool, owner_pool) -> None:
    """数据回流: to a lower level than the provider's, of this period; never between bureaus of the city."""
    since = NOW - dt.timedelta(days=365)

    async def counted() -> tuple[int, int]:
        found = await requests.figures(app_pool, city, since, NOW.date())
        return found.returned, found.returned_rights

    before = await counted()
    code = await owner_pool.fetchval("SELECT code FROM exchange.resource WHERE register = 'person'")
    rights: dict[str, int] = {}
    for consumer in ("district_service", "town_service", "tax"):
        rights[consumer] = await owner_pool.fetchval(
            "INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, basis, methods, per_day, starts, expires)"
            " VALUES ($1, $2, '{name}', '演示', 'x:1', '{query}', 100, $3, $4) RETURNING id",
            consumer, code, NOW.date(), NOW.date() + dt.timedelta(days=30),
        )  # fmt: skip
        for day, used in ((NOW.date(), 7), (NOW.date() - dt.timedelta(days=400), 1000)):
            await owner_pool.execute(
                "INSERT INTO exchange.grant_use VALUES ($1, $2, $3, $3, now())", rights[consumer], day, used
            )
    assert await counted() == (before[0] + 14, before[1] + 2)
    await owner_pool.execute(
        "INSERT INTO exchange.subscription (id, grant_id, consumer, resource, register, channel, position, entered_to, delivered, opened_at)"
        " OVERRIDING SYSTEM VALUE VALUES (99001, $1, 'town_service', $2, 'person', 'stream', 0, 0, 5, $3)",
        rights["town_service"], code, NOW,
    )  # fmt: skip
    assert await counted() == (before[0] + 19, before[1] + 2)
