"""Two officials at once, a failure in the middle, a right that exists already, and the lists that come out of it all."""

from __future__ import annotations

import asyncio
import datetime as dt

import asyncpg
import pytest
from share_people import (
    ASKED,
    ASKER,
    AUTHORITY,
    CHECKER,
    CLOSED,
    FREE,
    POLICE,
    RULER,
    at_provider,
    drafted,
    official,
    opened,
    sent,
    step,
    wish,
)  # fmt: skip

from dizuo.engines.exchange import requests
from dizuo.engines.exchange.requests.sharing import load
from dizuo.foundation.kernel.clock_source import SHANGHAI


async def test_of_two_who_answer_at_once_one_wins_and_the_other_is_told_who(sharing, owner_pool) -> None:
    number = await at_provider(sharing, fields=("sex",))
    version = (await load(sharing.pool, number)).version
    colleague = (official("32", "psb", "share.answer", post="station_head"),)
    answers = await asyncio.gather(
        requests.take_step(sharing, POLICE, number, "agree", version),
        requests.take_step(
            sharing, colleague, number, "refuse", version, "办津贴用不到这一项", "beyond_duty"
        ),
        return_exceptions=True,
    )
    won = [one for one in answers if not isinstance(one, BaseException)]
    lost = [one for one in answers if isinstance(one, BaseException)]
    assert len(won) == len(lost) == 1
    assert isinstance(lost[0], requests.RequestMoved)
    winner = (await requests.request_page(sharing, POLICE, number)).steps[-1]
    assert winner.name in lost[0].message
    assert lost[0].fix
    steps = await owner_pool.fetchval(
        "SELECT count(*) FROM exchange.share_step s JOIN exchange.share_request q ON q.id = s.request"
        " WHERE q.number = $1 AND s.event IN ('agree', 'refuse')", number,
    )  # fmt: skip
    assert steps == 1


async def test_a_page_that_is_old_changes_nothing(sharing) -> None:
    number = await drafted(sharing)
    with pytest.raises(requests.RequestMoved):
        await requests.save_request(sharing, ASKER, number, wish(sharing.today), 1)
    with pytest.raises(requests.RequestMoved):
        await requests.take_step(sharing, ASKER, number, "submit", 1)


@pytest.mark.parametrize("breaks", ["exchange.share_step", "exchange.data_grant", "ledger.entry"])
async def test_nothing_is_half_written(sharing, owner_pool, breaks) -> None:
    """The write to one of the tables fails in the middle of opening a right: nothing of it stays, and it can be done again."""
    number = await sent(sharing, resource=FREE, fields=("uscc",))
    before = await load(sharing.pool, number)
    entries = await owner_pool.fetchval("SELECT count(*) FROM ledger.entry")
    kept = await owner_pool.fetchval("SELECT count(*) FROM exchange.share_step")
    when = {
        "exchange.share_step": "NEW.event = 'provision'",
        "exchange.data_grant": "true",
        "ledger.entry": "NEW.kind = 'share.provision'",
    }[breaks]
    await owner_pool.execute(
        "CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk is full'; END $$;"
        "GRANT EXECUTE ON FUNCTION public.broken() TO PUBLIC;"
        f"CREATE TRIGGER broken BEFORE INSERT ON {breaks} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION public.broken()"
    )
    try:
        with pytest.raises(asyncpg.PostgresError, match="disk is full"):
            await step(sharing, AUTHORITY, number, "conform")
    finally:
        await owner_pool.execute(f"DROP TRIGGER broken ON {breaks}; DROP FUNCTION public.broken()")
    assert await load(sharing.pool, number) == before
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.entry") == entries
    assert await owner_pool.fetchval("SELECT count(*) FROM exchange.share_step") == kept
    assert (
        await owner_pool.fetchval("SELECT count(*) FROM exchange.data_grant WHERE request = $1", before.id)
        == 0
    )
    assert (await step(sharing, AUTHORITY, number, "conform")).state == "provisioned"


async def test_revoking_moves_right_and_request_together_and_at_once(sharing) -> None:
    number, held = await opened(sharing, fields=("sex", "name"))
    was = await requests.grant(sharing.pool, held)
    await step(sharing, POLICE, number, "suspend", "调用量异常，先停下来")
    assert not (await requests.grant(sharing.pool, held)).usable(sharing.today)
    assert (await load(sharing.pool, number)).state == "suspended"
    with pytest.raises(requests.NotYours):
        await step(sharing, POLICE, number, "revoke", "用到别处去了")
    await step(sharing, POLICE, number, "resume")
    assert (await load(sharing.pool, number)).state == "provisioned"
    done = await step(sharing, RULER, number, "revoke", "用到别处去了")
    now = await requests.grant(sharing.pool, held)
    assert (done.state, now.state, now.version) == ("ended", "revoked", was.version + 3)


async def test_a_request_never_says_something_else_than_its_right(sharing, app_pool) -> None:
    number, _ = await opened(sharing, fields=("sex", "phone"))
    for event, to in (("suspend", "suspended"), ("expire", "expired"), ("revoke", "ended")):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await app_pool.fetchval(
                "SELECT exchange.move_request(id, version, $2, $3, '{\"account\": \"x\"}', '{\"words\": \"不经过授权\"}')"
                " FROM exchange.share_request WHERE number = $1",
                number, event, to,
            )  # fmt: skip
        assert refused.value.sqlstate == "DZ070"
    assert (await load(sharing.pool, number)).state == "provisioned"


async def test_expiry_moves_the_request_too(sharing, frozen_now) -> None:
    number, held = await opened(sharing, fields=("sex",), until=sharing.today + dt.timedelta(days=3))
    frozen_now.advance(days=4)
    assert not (await requests.grant(sharing.pool, held)).usable(sharing.today)
    assert held in await requests.sweep_expired(sharing.pool, sharing.today)
    assert (await load(sharing.pool, number)).state == "expired"


async def test_an_existing_right_is_pointed_out_before_sending(sharing, owner_pool) -> None:
    _, held = await opened(sharing, fields=("citizen_id", "name", "sex"))
    again = await drafted(sharing, fields=("name", "citizen_id"))
    for _ in range(2):  # told twice, counted once
        with pytest.raises(requests.RightExists) as told:
            await step(sharing, ASKER, again, "submit")
        assert told.value.grant == held
    assert (await load(sharing.pool, again)).state == "draft"
    count = "SELECT count(*) FROM exchange.interception WHERE NOT despite AND grant_id = $1"
    assert await owner_pool.fetchval(count, held) == 1
    # More fields, or another purpose, is another request.
    other = await drafted(sharing, fields=("name", "phone"))
    assert (await step(sharing, ASKER, other, "submit")).state == "department_review"
    duty = await drafted(sharing, fields=("name",), matter="", duty="老龄工作统计", basis="elderly-2018:53")
    assert (await step(sharing, ASKER, duty, "submit")).state == "department_review"
    # Asked for all the same, with words: sent, and no longer counted as prevented.
    version = (await load(sharing.pool, again)).version
    await requests.save_request(
        sharing,
        ASKER,
        again,
        wish(sharing.today, fields=("name", "citizen_id"), despite="现有授权明年到期，先续"),
        version,
    )
    assert (await step(sharing, ASKER, again, "submit")).state == "department_review"
    assert await owner_pool.fetchval(count, held) == 0


async def test_a_question_that_the_city_can_answer_is_pointed_out(sharing) -> None:
    since = dt.datetime(2026, 1, 1, tzinfo=SHANGHAI)
    before = await requests.figures(sharing.pool, sharing.city, since, sharing.today)
    _, held = await opened(sharing, fields=("phone",))
    for _ in range(2):
        found = await requests.point_out(sharing, ASKER, "civil", "test.phone", "senior")
        assert found is not None
        assert (found.resource, found.provider, found.grant) == (ASKED, "psb", held)
    assert await requests.point_out(sharing, ASKER, "civil", "test.shoe_size", "senior") is None
    after = await requests.figures(sharing.pool, sharing.city, since, sharing.today)
    assert after.pointed_questions - before.pointed_questions == 1


async def test_the_three_lists(sharing) -> None:
    number = await at_provider(sharing, fields=("sex",))
    needs = await requests.needs(sharing.pool)
    mine = next(one for one in needs if one.number == number)
    assert (mine.department, mine.provider, mine.fields, mine.state) == (
        "civil",
        "psb",
        ("sex",),
        "provider_reply",
    )
    draft = await drafted(sharing)
    assert draft not in {one.number for one in await requests.needs(sharing.pool)}
    duties = {one.code: one for one in await requests.duties(sharing.pool)}
    assert set(duties) == {FREE, ASKED}
    assert duties[ASKED].waiting >= 1
    back = await requests.kept_back(sharing.pool)
    assert [(one.code, one.share_basis) for one in back] == [(CLOSED, "disabled-2018:2")]


async def test_the_checker_of_another_department_checks_nothing(sharing) -> None:
    number = await drafted(sharing)
    await step(sharing, ASKER, number, "submit")
    with pytest.raises(requests.RequestUnknown):
        await step(sharing, POLICE, number, "pass")
    with pytest.raises(requests.NotYours):
        await step(sharing, ASKER, number, "pass")
    assert (await step(sharing, CHECKER, number, "pass")).state == "authority_review"
