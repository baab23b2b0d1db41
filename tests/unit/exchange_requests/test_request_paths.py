"""A request on its way: every state, who may take which step, and what may never happen."""

from __future__ import annotations

import datetime as dt

import asyncpg
import pytest
from share_people import (
    ASKED,
    ASKER,
    AUTHORITY,
    CHECKER,
    CLOSED,
    DISABLED,
    DRAFT,
    FREE,
    MARKET,
    OTHER,
    POLICE,
    RULER,
    at_provider,
    drafted,
    events,
    official,
    opened,
    sent,
    step,
    wish,
)  # fmt: skip

from dizuo.engines.exchange import requests
from dizuo.engines.exchange.requests import rules


async def test_from_draft_to_use_every_step_is_on_record(sharing, owner_pool) -> None:
    number, held = await opened(sharing)
    right = await requests.grant(sharing.pool, held)
    assert (right.consumer, right.resource, right.fields) == ("civil", ASKED, ("citizen_id", "name"))
    assert right.usable(sharing.today)
    assert await requests.note_use(sharing.pool, held)
    assert not await requests.note_use(sharing.pool, held)
    page = await requests.request_page(sharing, ASKER, number)
    assert page.request.state == "in_use"
    assert [one.event for one in page.steps] == [
        "draft",
        "submit",
        "pass",
        "forward",
        "agree",
        "provision",
        "first_use",
    ]
    assert [one.actor for one in page.steps] == ["11", "11", "12", "21", "31", "31", "system"]
    entered = await owner_pool.fetch(
        "SELECT id, kind, body FROM ledger.entry WHERE body ->> 'number' = $1 ORDER BY id", number
    )
    assert [one["kind"].removeprefix("share.") for one in entered] == [one.event for one in page.steps]
    assert [one["id"] for one in entered] == [one.entry for one in page.steps]
    agreed = next(one["body"] for one in entered if one["kind"] == "share.agree")
    assert (agreed["actor"], agreed["post"], agreed["unit"], agreed["law"]) == (
        "31",
        "station_head",
        "psb",
        "data-sharing-2025:reply",
    )


async def test_unconditional_sharing_is_checked_and_opened_and_nobody_is_asked(sharing, owner_pool) -> None:
    number = await sent(sharing, resource=FREE, fields=("uscc", "name"))
    page = await requests.request_page(sharing, AUTHORITY, number)
    assert page.request.clock == "share.unconditional"
    assert "forward" not in page.can
    with pytest.raises(requests.NoSuchStep):
        await step(sharing, AUTHORITY, number, "forward")
    for nobody in ("agree", "refuse"):
        with pytest.raises(requests.NoSuchStep):
            await step(sharing, MARKET, number, nobody, "我们不同意给", "beyond_duty")
    # The database refuses the same to its owner, by hand and by its own function.
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner_pool.execute(
            "UPDATE exchange.share_request SET state = 'provider_reply' WHERE number = $1", number
        )
    assert refused.value.sqlstate == "DZ053"
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner_pool.fetchval(
            "SELECT exchange.move_request(id, version, 'forward', 'provider_reply', '{\"account\": \"x\"}', '{}')"
            " FROM exchange.share_request WHERE number = $1", number,
        )  # fmt: skip
    assert refused.value.sqlstate == "DZ053"
    done = await step(sharing, AUTHORITY, number, "conform")
    assert done.state == "provisioned"
    assert done.grant_id is not None
    assert (await requests.grant(sharing.pool, done.grant_id)).usable(sharing.today)
    assert await events(sharing, ASKER, number) == ["draft", "submit", "pass", "conform", "provision"]


async def test_a_resource_that_becomes_unconditional_can_no_longer_be_refused(sharing, owner_pool) -> None:
    number = await at_provider(sharing)
    await owner_pool.execute("UPDATE exchange.resource SET share_type = 1 WHERE code = $1", ASKED)
    try:
        with pytest.raises((requests.NoSayForProvider, requests.NoSuchStep)):
            await step(sharing, POLICE, number, "refuse", "我们现在不同意", "beyond_duty")
        assert (await step(sharing, POLICE, number, "agree")).state == "agreed"
    finally:
        await owner_pool.execute("UPDATE exchange.resource SET share_type = 2 WHERE code = $1", ASKED)


async def test_a_refusal_needs_a_lawful_reason_and_words(sharing, owner_pool) -> None:
    number = await at_provider(sharing, fields=("phone",))
    for words, reason in (
        ("", ""),
        ("不方便给你们用", ""),
        ("", "beyond_duty"),
        ("不给", "beyond_duty"),
        ("不方便给你们用", "busy"),
        ("依据不对应", "basis_missing"),
    ):
        with pytest.raises(requests.NoLawfulReason):
            await step(sharing, POLICE, number, "refuse", words, reason)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner_pool.execute(
            "UPDATE exchange.share_request SET state = 'refused' WHERE number = $1", number
        )
    assert refused.value.sqlstate == "23514"
    done = await step(sharing, POLICE, number, "refuse", "办津贴用不到电话号码", "beyond_duty")
    assert (done.state, done.refusal, done.grant_id) == ("refused", "beyond_duty", None)


async def test_what_is_refused_is_disputed_and_ruled(sharing) -> None:
    number = await at_provider(sharing, fields=("phone", "name"))
    await step(sharing, POLICE, number, "refuse", "办津贴用不到电话号码", "beyond_duty")
    await step(sharing, CHECKER, number, "dispute", "上门核实要先打电话")
    await step(sharing, CHECKER, number, "escalate", "协商了一次没有一致")
    with pytest.raises(requests.NotYours):
        await step(sharing, AUTHORITY, number, "rule_for", "核实确需电话，予以共享")
    assert (await step(sharing, RULER, number, "rule_for", "核实确需电话，予以共享")).state == "agreed"
    assert (await step(sharing, POLICE, number, "provision")).state == "provisioned"


async def test_what_is_not_shared_goes_by_dispute_only(sharing, owner_pool) -> None:
    number = await sent(sharing, resource=CLOSED, fields=("grade",))
    page = await requests.request_page(sharing, AUTHORITY, number)
    assert set(page.can) == {"ask_more", "negotiate", "reject"}
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner_pool.execute(
            "UPDATE exchange.share_request SET state = 'agreed' WHERE number = $1", number
        )
    assert refused.value.sqlstate == "DZ064"
    await step(sharing, AUTHORITY, number, "negotiate", "不予共享，请两家协商")
    done = await step(sharing, DISABLED, number, "settle", "只给等级，不给证号")
    assert done.settled_at is not None
    assert (await step(sharing, DISABLED, number, "provision")).state == "provisioned"


async def test_a_ruling_against_ends_it(sharing) -> None:
    number = await sent(sharing, resource=CLOSED, fields=("citizen_id",))
    await step(sharing, AUTHORITY, number, "negotiate", "不予共享，请两家协商")
    await step(sharing, CHECKER, number, "escalate", "协商了一次没有一致")
    assert (await step(sharing, RULER, number, "rule_against", "可以用持证状态代替")).state == "ended"


async def test_completing_is_asked_for_once(sharing) -> None:
    number = await sent(sharing, fields=("sex",))
    await step(sharing, AUTHORITY, number, "ask_more", "请补上三定方案的依据")
    page = await requests.request_page(sharing, ASKER, number)
    assert (page.request.state, page.request.clock) == ("supplement", "share.supplement")
    assert page.request.clocks["share.review"].paused
    await requests.save_request(
        sharing,
        ASKER,
        number,
        wish(sharing.today, fields=("sex",), scope="本局福利科和各区民政局"),
        page.request.version,
    )
    done = await step(sharing, ASKER, number, "supply")
    assert (done.state, done.clock, done.wish.scope) == (
        "authority_review",
        "share.review",
        "本局福利科和各区民政局",
    )
    assert not done.clocks["share.review"].paused
    with pytest.raises(requests.OnceOnly):
        await step(sharing, AUTHORITY, number, "ask_more", "还要再补一份材料")


async def test_two_people_draft_and_check(sharing) -> None:
    both = (official("11", "civil", "share.request", "share.check"),)
    number = await drafted(sharing)
    await step(sharing, ASKER, number, "submit")
    with pytest.raises(requests.AnotherOfficial):
        await step(sharing, both, number, "pass")
    assert (await step(sharing, CHECKER, number, "return", "请把范围写具体")).state == "draft"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"fields": ()}, "fields"),
        ({"basis": "elderly-2018:999"}, "basis"),
        ({"basis": "no-law:1"}, "basis"),
        ({"matter": "", "duty": ""}, "matter"),
        ({"duty": "老龄工作"}, "matter"),
        ({"matter": "made-up"}, "matter"),
        ({"scope": ""}, "scope"),
        ({"until": dt.date(2026, 11, 22)}, "until"),
        ({"until": dt.date(2031, 1, 1)}, "until"),
        ({"per_day": 0}, "per_day"),
        ({"responsible": ""}, "responsible"),
        ({"committed": False}, "committed"),
        ({"purpose": "用"}, "purpose"),
        ({"methods": ()}, "methods"),
        ({"frequency": ""}, "frequency"),
        ({"resource": DRAFT, "fields": ("plate",)}, "resource"),
        ({"resource": "NONE"}, "resource"),
    ],
)
async def test_what_is_missing_is_told_beside_its_field_and_kept(sharing, changed, field) -> None:
    number = await drafted(sharing, **changed)
    with pytest.raises(requests.RequestInvalid) as told:
        await step(sharing, ASKER, number, "submit")
    assert field in told.value.fields
    assert (await requests.request_page(sharing, ASKER, number)).request.state == "draft"


async def test_an_incomplete_request_is_refused_by_the_database_too(sharing, owner_pool) -> None:
    number = await drafted(sharing, committed=False)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner_pool.execute(
            "UPDATE exchange.share_request SET state = 'department_review', sent_at = now() WHERE number = $1",
            number,
        )
    assert refused.value.sqlstate == "23514"
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner_pool.execute(
            "UPDATE exchange.share_request SET fields = '{salary}' WHERE number = $1", number
        )
    assert refused.value.sqlstate == "DZ063"


async def test_fields_of_another_resource_are_dropped(sharing) -> None:
    number = await drafted(sharing, fields=("citizen_id", "salary", "citizen_id"))
    assert (await requests.request_page(sharing, ASKER, number)).request.wish.fields == ("citizen_id",)


async def test_whoever_has_nothing_to_do_with_it_does_not_see_it(sharing) -> None:
    number = await drafted(sharing)
    for stranger in (OTHER, POLICE, AUTHORITY, ()):
        with pytest.raises(requests.RequestUnknown):
            await requests.request_page(sharing, stranger, number)
    await step(sharing, ASKER, number, "submit")
    await step(sharing, CHECKER, number, "pass")
    for someone in (POLICE, AUTHORITY, RULER):
        assert (await requests.request_page(sharing, someone, number)).request.number == number
    with pytest.raises(requests.RequestUnknown):
        await requests.request_page(sharing, OTHER, number)
    mine = {line.request.number: line for line in await requests.work_of(sharing, AUTHORITY)}
    assert mine[number].mine
    assert number not in {line.request.number for line in await requests.work_of(sharing, OTHER)}


async def test_the_steps_of_the_engine_are_those_of_the_database(owner_pool) -> None:
    rows = await owner_pool.fetch(
        "SELECT from_state, event, to_state, by, types FROM exchange.share_move WHERE by <> 'system'"
    )
    told = {(r["event"], r["from_state"], r["to_state"], r["by"], tuple(r["types"])) for r in rows}
    assert told == {tuple(move) for move in rules.MOVES}


async def test_the_record_is_never_altered(owner_pool, app_pool) -> None:
    for statement in (
        "UPDATE exchange.share_step SET words = 'x'",
        "DELETE FROM exchange.share_step",
        "TRUNCATE exchange.share_step",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner_pool.execute(statement)
        assert refused.value.sqlstate == "DZ058"
    for statement in (
        "UPDATE exchange.share_request SET state = 'draft'",
        "INSERT INTO exchange.share_step DEFAULT VALUES",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)
