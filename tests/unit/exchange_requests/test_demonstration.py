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


async def test_its_figures_show_something_of_everything(told, app_pool) -> None:
    found = await requests.figures(app_pool, NOW - dt.timedelta(days=365), NOW.date())
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
