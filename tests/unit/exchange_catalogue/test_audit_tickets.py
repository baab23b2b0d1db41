"""Findings become tickets: none twice, moved on by those who may, closed when gone, reopened when back, all in the ledger."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from catalogue_records import register_record
from msgspec.structs import replace

from dizuo.engines import registers
from dizuo.engines.exchange import catalogue
from dizuo.engines.lake import review
from dizuo.foundation.blueprint import City
from dizuo.foundation.store import Pool

STEWARD = review.Steward("7", True, frozenset(), ("data", "steward"))
OTHER = review.Steward("8", True, frozenset(), ("data", "steward"))
POLICE = review.Steward("9", False, frozenset({"hukou"}), ("psb", "household_officer"))
HEALTH = review.Steward("10", False, frozenset({"births"}), ("health", "family_officer"))


@pytest.fixture
async def published(app_pool: Pool, declared: City, now: datetime) -> City:
    await catalogue.publish_catalogue(app_pool, declared, now)
    return declared


async def one(pool: Pool, rule: str, **filters: Any) -> catalogue.Finding:
    return (await catalogue.findings(pool, rule=rule, **filters))[0]


async def test_an_audit_of_an_empty_city_finds_the_empty_registers(
    app_pool: Pool, published: City, now: datetime
) -> None:
    run = await catalogue.audit_catalogue(app_pool, published, now)
    assert run.opened == run.found > 0
    empty = {found.params["code"] for found in await catalogue.findings(app_pool, rule="A2")}
    codes = {found.code for found in await catalogue.resources(app_pool, kind="register")}
    assert codes <= empty
    for found in await catalogue.findings(app_pool):
        assert found.state == "found"
        assert "{" not in found.says("zh") + found.says("en") + found.fix("zh") + found.fix("en")


async def test_a_second_audit_doubles_nothing(app_pool: Pool, published: City, now: datetime) -> None:
    await catalogue.audit_catalogue(app_pool, published, now)
    before = await catalogue.findings(app_pool)
    again = await catalogue.audit_catalogue(app_pool, published, now + timedelta(minutes=5), "clock")
    assert (again.opened, again.reopened, again.closed, again.found) == (0, 0, 0, len(before))
    assert [found.id for found in await catalogue.findings(app_pool)] == [found.id for found in before]
    assert (await catalogue.last_audit(app_pool)) == again


async def test_what_is_gone_is_closed_by_the_audit_and_comes_back_as_the_same_ticket(
    app_pool: Pool, published: City, now: datetime
) -> None:
    whole = published
    without = replace(whole, matters={})
    await catalogue.audit_catalogue(app_pool, whole, now)
    ticket = await one(app_pool, "A1")
    closed = await catalogue.audit_catalogue(app_pool, without, now + timedelta(days=1))
    assert closed.closed >= 1
    gone, steps = await catalogue.finding(app_pool, ticket.id)
    assert (gone.state, steps[-1].by, steps[-1].became) == ("closed", "audit", "closed")
    assert "不存在" in steps[-1].note
    back = await catalogue.audit_catalogue(app_pool, whole, now + timedelta(days=2))
    assert back.reopened == closed.closed
    again, steps = await catalogue.finding(app_pool, ticket.id)
    assert (again.state, again.reopened, steps[-1].was) == ("found", 1, "closed")


async def test_a_ticket_goes_its_way_and_every_step_is_in_the_ledger(
    app_pool: Pool, owner_pool: Pool, published: City, now: datetime
) -> None:
    await catalogue.audit_catalogue(app_pool, published, now)
    ticket = await one(app_pool, "A2", organisation="psb")
    way = [("assigned", STEWARD, ""), ("claimed", POLICE, ""), ("mending", POLICE, ""), ("review", POLICE, "已补数"),
           ("returned", STEWARD, "还差两项"), ("claimed", POLICE, ""), ("mending", POLICE, ""), ("review", POLICE, "补齐了"),
           ("closed", STEWARD, "已核对")]  # fmt: skip
    for to, who, note in way:
        assert catalogue.may_move(published, who, ticket, to)
        ticket = await catalogue.move_finding(
            app_pool, published, ticket.id, ticket.version, to, who, note, now
        )
        assert ticket.state == to
    _, steps = await catalogue.finding(app_pool, ticket.id)
    assert [step.became for step in steps] == ["found", *(to for to, _, _ in way)]
    entries = await owner_pool.fetch(
        "SELECT body FROM ledger.entry WHERE id = ANY ($1::bigint[]) ORDER BY id",
        [step.entry for step in steps],
    )
    assert [row["body"]["became"] for row in entries] == [step.became for step in steps]


async def test_who_may_not_is_told(app_pool: Pool, published: City, now: datetime) -> None:
    await catalogue.audit_catalogue(app_pool, published, now)
    ticket = await one(app_pool, "A2", organisation="medical")

    async def move(to: str, who: review.Steward, note: str = "说明") -> catalogue.Finding:
        held, _ = await catalogue.finding(app_pool, ticket.id)
        return await catalogue.move_finding(app_pool, published, held.id, held.version, to, who, note, now)

    with pytest.raises(catalogue.NotYours):
        await move("assigned", POLICE)
    with pytest.raises(catalogue.FindingStep):
        await move("closed", STEWARD)
    with pytest.raises(catalogue.FindingStep):
        await move("somewhere", STEWARD)
    await move("assigned", STEWARD)
    with pytest.raises(catalogue.NotYours):
        await move("claimed", HEALTH)
    await move("claimed", STEWARD)
    await move("mending", STEWARD)
    with pytest.raises(catalogue.FindingNote):
        await move("review", STEWARD, " ")
    with pytest.raises(catalogue.FindingNote):
        await move("review", STEWARD, "长" * 1001)
    await move("review", STEWARD)
    with pytest.raises(catalogue.OwnFinding):
        await move("closed", STEWARD)
    assert (await move("closed", OTHER)).state == "closed"
    with pytest.raises(catalogue.NoSuchFinding):
        await catalogue.move_finding(app_pool, published, 10**9, 1, "closed", STEWARD, "没有", now)


async def test_two_at_once_one_wins(app_pool: Pool, published: City, now: datetime) -> None:
    await catalogue.audit_catalogue(app_pool, published, now)
    ticket = await one(app_pool, "A2", organisation="hrss")
    await catalogue.move_finding(app_pool, published, ticket.id, ticket.version, "assigned", STEWARD, "", now)
    with pytest.raises(catalogue.FindingMoved):
        await catalogue.move_finding(
            app_pool, published, ticket.id, ticket.version, "assigned", OTHER, "", now
        )


async def test_identity_numbers_are_found_by_their_form_and_no_value_leaves(
    app_pool: Pool, owner_pool: Pool, published: City, now: datetime
) -> None:
    """A number with the right check digit in a free text; one with a wrong digit is none."""
    for key, remark in (
        ("P1", "车主 11010519491231002X 自述"),
        ("P2", "11010519491231002X"),
        ("P3", "110105194912310021"),
    ):
        await register_record(
            owner_pool, "vehicle", key, {"plate": key, "brand": remark, "state": "13912345678 请回电"}
        )
    found = {one.field: one for one in await registers.formats_found(app_pool, "vehicle")}
    # Each record is met twice in so small a register: once by pages, once from the start.
    assert found["brand"].citizen_ids * 3 == found["brand"].filled * 2
    assert found["state"].phones == found["state"].filled
    assert found["plate"].citizen_ids == found["plate"].phones == 0
    await catalogue.audit_catalogue(app_pool, published, now)
    tickets = await catalogue.findings(app_pool, rule="A9")
    assert {ticket.about.partition("#")[2] for ticket in tickets} == {"brand", "state"}
    rows = await owner_pool.fetch("SELECT to_jsonb(f)::text AS told FROM exchange.finding f")
    ledger = await owner_pool.fetch(
        "SELECT coalesce(body::text, '') || coalesce(payload::text, '') AS told FROM ledger.entry"
    )
    for row in (*rows, *ledger):
        assert "11010519491231002" not in row["told"]
        assert "13912345678" not in row["told"]


async def test_the_web_role_cannot_write_tickets_by_itself(
    app_pool: Pool, published: City, now: datetime
) -> None:
    import asyncpg

    for statement in (
        "UPDATE exchange.finding SET state = 'closed', closed_at = now()",
        "DELETE FROM exchange.finding_step",
        "INSERT INTO exchange.audit_run (at, cause, rules, found, opened, reopened, closed) VALUES (now(), 'x', '{}', 0, 0, 0, 0)",
        "DELETE FROM exchange.resource",
        "UPDATE exchange.resource_change SET why = 'x'",
        "SELECT data FROM registers.record",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)


async def test_the_clock_and_deliveries_set_off_an_audit(
    app_pool: Pool, owner_pool: Pool, published: City, now: datetime
) -> None:
    late = now + timedelta(days=30)
    assert await catalogue.audit_due(app_pool, late) == "clock"
    run = await catalogue.audit_catalogue(app_pool, published, late, "clock")
    assert await catalogue.audit_due(app_pool, run.at + timedelta(hours=5)) == ""
    assert await catalogue.audit_due(app_pool, run.at + timedelta(hours=6)) == "clock"
    await owner_pool.execute(
        "INSERT INTO lake.source_delivery (source, format, mode, period, declaration, sha256, landed_at, changed_at)"
        " VALUES ('hukou', 'csv', 'full', $1, 'x', repeat('0', 64), $2, $2)",
        run.at.date(),
        run.at + timedelta(minutes=1),
    )
    assert await catalogue.audit_due(app_pool, run.at + timedelta(minutes=5)) == ""
    assert await catalogue.audit_due(app_pool, run.at + timedelta(minutes=20)) == "lake"


async def test_the_clerk_audits_until_it_is_told_to_stop(
    app_pool: Pool, published: City, now: datetime
) -> None:
    stop = asyncio.Event()
    then = now + timedelta(days=90)
    clerk = asyncio.create_task(catalogue.audited_by_the_clock(app_pool, published, lambda: then, stop))
    while (last := await catalogue.last_audit(app_pool)) is None or last.at != then:
        await asyncio.sleep(0.02)
    stop.set()
    await clerk
    assert last.cause == "clock"


async def test_an_interface_that_does_not_answer_gets_its_ticket_and_loses_it(
    app_pool: Pool, owner_pool: Pool, published: City, now: datetime
) -> None:
    """Counted from what happened: calls under a right , failures and probes (the availability table)."""
    await owner_pool.execute(
        "INSERT INTO exchange.department (id, name, uscc) VALUES ('hrss', 'hrss', 'x') ON CONFLICT DO NOTHING"
    )
    (code,) = [one.code for one in await catalogue.resources(app_pool, register="vehicle")]
    grant = await owner_pool.fetchval(
        "INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, basis, methods, per_day, starts, expires)"
        " SELECT 'hrss', r.code, ARRAY[r.fields -> 0 ->> 'id'], '演示', 'x:1', '{query}', 100, $2, $3 FROM exchange.resource r"
        " WHERE r.code = $1 RETURNING id",
        code, now.date(), now.date() + timedelta(days=30),
    )  # fmt: skip
    today = now.date()
    # Ninety calls of which some are counted in a slot, two failures, eight probes; older days do not count.
    for day, used in ((today, 60), (today - timedelta(days=8), 5000)):
        await owner_pool.execute(
            "INSERT INTO exchange.grant_use VALUES ($1, $2, $3, $3, now())", grant, day, used
        )
    await owner_pool.execute("INSERT INTO exchange.use_slot VALUES ($1, $2, 1, 1, 0, 30)", grant, today)
    await owner_pool.execute(
        "INSERT INTO exchange.availability VALUES ($1, $2, 0, 2, 8, 0, 'not_released')", code, today
    )
    found = (await catalogue.availability(app_pool, today))[code]
    assert (found.answered, found.failed, found.probes, found.short) == (90, 2, 8, True)
    await catalogue.audit_catalogue(app_pool, published, now)
    ticket = next(t for t in await catalogue.findings(app_pool, rule="A11") if t.about == f"{code}#available")
    assert "7 日可用率 98.0%" in ticket.says()
    assert "98.0%" in ticket.says("en")
    await owner_pool.execute("UPDATE exchange.use_slot SET calls = 2000 WHERE grant_id = $1", grant)
    await catalogue.audit_catalogue(app_pool, published, now)
    assert (await catalogue.finding(app_pool, ticket.id))[0].state == "closed"


async def test_what_the_process_could_not_answer_is_counted(app_pool: Pool, published: City) -> None:
    from dizuo.engines.exchange.delivery.measured import Failures

    (code,) = [one.code for one in await catalogue.resources(app_pool, register="person")]
    failures = Failures(app_pool)
    for resource in (code, code, "no such resource"):
        failures.note(resource, "not_released")
    await failures.close()
    row = await app_pool.fetchrow(
        "SELECT failed, answered, last_why FROM exchange.availability WHERE resource = $1", code
    )
    assert (row["failed"], row["answered"], row["last_why"]) == (2, 0, "not_released")
