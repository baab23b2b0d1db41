"""Clocks of requests: what is due when, warned of, overdue, unknown; and the figures that come out of them."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from share_people import ASKER, AUTHORITY, CHECKER, FREE, POLICE, at_provider, drafted, opened, sent, step

from dizuo.engines.exchange import requests
from dizuo.foundation.kernel.clock_source import SHANGHAI


async def timed(sharing, actors, number):
    return (await requests.request_page(sharing, actors, number)).timing


async def test_ten_working_days_warned_of_and_overdue(sharing, frozen_now) -> None:
    number = await at_provider(sharing, fields=("sex",))
    told = await timed(sharing, POLICE, number)
    # From Monday 23 November, ten working days: Monday 7 December.
    assert (told.clock, told.due, told.left, told.level) == ("share.reply", dt.date(2026, 12, 7), 10, "green")
    assert not told.verified
    frozen_now.set(dt.datetime(2026, 12, 4, 9, 0, tzinfo=SHANGHAI))
    assert (await timed(sharing, POLICE, number)).level == "yellow"
    frozen_now.set(dt.datetime(2026, 12, 8, 9, 0, tzinfo=SHANGHAI))
    told = await timed(sharing, POLICE, number)
    assert (told.level, told.left) == ("black", -1)
    await step(sharing, POLICE, number, "agree")
    answered = (await requests.request_page(sharing, POLICE, number)).steps[-1]
    assert (answered.clock, answered.used, answered.in_time) == ("share.reply", 11, False)


async def test_the_answer_may_be_put_off_once_in_time_and_with_words(sharing, frozen_now) -> None:
    number = await at_provider(sharing, fields=("sex",))
    with pytest.raises(requests.WordsNeeded):
        await step(sharing, POLICE, number, "extend")
    await step(sharing, POLICE, number, "extend", "数据正在核对，需要时间")
    told = await timed(sharing, POLICE, number)
    assert (told.due, told.extended) == (dt.date(2026, 12, 21), True)
    with pytest.raises(requests.OnceOnly):
        await step(sharing, POLICE, number, "extend", "还要再核对一次")


async def test_completing_stops_the_reviewing_clock(sharing, frozen_now) -> None:
    number = await sent(sharing, fields=("sex",))
    assert (await timed(sharing, AUTHORITY, number)).due == dt.date(2026, 11, 25)
    await step(sharing, AUTHORITY, number, "ask_more", "请补上三定方案的依据")
    assert (await timed(sharing, ASKER, number)).due == dt.date(2026, 11, 30)
    frozen_now.set(dt.datetime(2026, 11, 26, 10, 0, tzinfo=SHANGHAI))
    await step(sharing, ASKER, number, "supply")
    # Three working days stood still (24, 25, 26 November).
    assert (await timed(sharing, AUTHORITY, number)).due == dt.date(2026, 11, 30)


async def test_a_year_that_nobody_published_is_unknown(sharing, frozen_now) -> None:
    frozen_now.set(dt.datetime(2026, 12, 24, 9, 0, tzinfo=SHANGHAI))
    number = await at_provider(sharing, fields=("sex",))
    told = await timed(sharing, POLICE, number)
    assert (told.due, told.left) == (None, None)
    assert "2027" in told.why
    frozen_now.set(dt.datetime(2027, 1, 20, 9, 0, tzinfo=SHANGHAI))
    assert (await timed(sharing, POLICE, number)).level == "unknown"
    await step(sharing, POLICE, number, "agree")
    answered = (await requests.request_page(sharing, POLICE, number)).steps[-1]
    assert (answered.used, answered.in_time) == (None, None)


async def test_an_undeclared_clock_is_none_and_nothing_is_made_up(sharing, app_pool, frozen_now) -> None:
    bare = requests.Sharing(app_pool, msgspec.structs.replace(sharing.city, clocks={}), frozen_now)
    number = await at_provider(bare, fields=("sex",))
    page = await requests.request_page(bare, POLICE, number)
    assert page.timing is None
    assert page.request.clock == ""


async def test_the_figures_are_those_of_the_record(sharing, frozen_now) -> None:
    start = dt.datetime(2026, 10, 12, 9, 0, tzinfo=SHANGHAI)  # before every other request of this module
    frozen_now.set(start)
    before = await requests.figures(
        sharing.pool, sharing.city, dt.datetime(2026, 1, 1, tzinfo=SHANGHAI), sharing.today
    )
    fast = await at_provider(sharing, fields=("sex",))
    late = await at_provider(sharing, fields=("phone",))
    no = await at_provider(sharing, fields=("name",))
    frozen_now.set(dt.datetime(2026, 10, 14, 9, 0, tzinfo=SHANGHAI))
    await step(sharing, POLICE, fast, "agree")
    await step(sharing, POLICE, fast, "provision")
    frozen_now.set(dt.datetime(2026, 10, 16, 9, 0, tzinfo=SHANGHAI))
    await step(sharing, POLICE, no, "refuse", "办津贴用不到这一项", "beyond_duty")
    frozen_now.set(dt.datetime(2026, 10, 30, 9, 0, tzinfo=SHANGHAI))
    await step(sharing, POLICE, late, "agree")
    free = await sent(sharing, resource=FREE, fields=("uscc",))
    await step(sharing, AUTHORITY, free, "conform")
    after = await requests.figures(
        sharing.pool, sharing.city, dt.datetime(2026, 1, 1, tzinfo=SHANGHAI), sharing.today
    )
    mine = await requests.figures(sharing.pool, sharing.city, start, sharing.today)
    assert after.answers - before.answers == 4
    assert after.refused - before.refused == 1
    assert after.by_reason["beyond_duty"] - before.by_reason.get("beyond_duty", 0) == 1
    # In time: 2 and 4 working days and the same day; 14 of ten working days is late.
    assert (after.timed - before.timed, after.in_time - before.in_time) == (4, 3)
    assert mine.mean_days is not None
    assert (after.sent - before.sent, after.satisfied - before.satisfied, after.running - before.running) == (
        4,
        2,
        1,
    )
    assert (after.rights, after.real_time) == (2, 2)
    police = next(one for one in after.by_provider if one.provider == "psb")
    earlier = next((one for one in before.by_provider if one.provider == "psb"), None)
    assert police.answers - (earlier.answers if earlier else 0) == 3


async def test_the_mean_counts_working_days(sharing, frozen_now, owner_pool) -> None:
    frozen_now.set(dt.datetime(2026, 10, 19, 9, 0, tzinfo=SHANGHAI))
    number = await at_provider(sharing, fields=("citizen_id",))
    frozen_now.set(dt.datetime(2026, 10, 26, 9, 0, tzinfo=SHANGHAI))
    await step(sharing, POLICE, number, "agree")
    # A week with its weekend: five working days.
    steps = (await requests.request_page(sharing, POLICE, number)).steps
    assert steps[-1].used == 5
    assert steps[-1].in_time


async def test_an_ended_or_withdrawn_request_has_no_clock(sharing) -> None:
    number = await drafted(sharing)
    await step(sharing, ASKER, number, "submit")
    assert (await timed(sharing, CHECKER, number)).clock == "share.check"
    done = await step(sharing, ASKER, number, "withdraw")
    assert (done.state, done.clock) == ("ended", "")
    gone, held = await opened(sharing, fields=("sex",))
    assert (await timed(sharing, ASKER, gone)) is None
    assert held
