"""Sealed reads: ordered by one, approved by another, entered before a value is seen, told on their day; everything else refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import asyncpg
import msgspec
import pytest
from small_city import AT, MOTHER, law

from dizuo.engines.registers import (
    SealedAsk,
    SealedReadRefused,
    ask_sealed,
    decide_sealed,
    publish,
    read_sealed,
    seal_orders,
)
from dizuo.foundation.blueprint.model import SealGround, Words
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.ledger import Sealer, SigningKey, counted, entries_of, seals_in_force

ASKER = {"unit": "psb", "post": "investigator", "official": 71}
HEAD = {"unit": "psb", "post": "head", "official": 72}
GROUND = SealGround(
    "crime", Words("刑事案件侦查"), law("cpl:152"), law("cpl:151"), 90, "psb", ("investigator",), ("head",), "procuratorate",
    False, {"person": ("name", "phone")}, False, AT,
)  # fmt: skip


@pytest.fixture(scope="module")
async def city(town: Any, pg: Any) -> Any:
    made = msgspec.structs.replace(town.city, seal_grounds={"crime": GROUND})
    async with pg() as owner:
        await publish(owner, made)
    return made


def today() -> dt.date:
    return dt.datetime.now(SHANGHAI).date()


def ask(token: str, **changed: Any) -> SealedAsk:
    made = SealedAsk(
        f"form-token-{token}", "crime", "锡公（刑）调〔2026〕17号", "person", ("name",), "key", MOTHER,
        today() + dt.timedelta(60), "核对身份",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changed)


async def approved(pool: Any, city: Any, token: str, **changed: Any) -> int:
    order = await ask_sealed(pool, city, ask(token, **changed), today(), **ASKER)
    await decide_sealed(pool, order, True, "", **HEAD)
    return order


async def test_an_approved_order_reads_and_the_person_learns_on_its_day(
    town: Any, city: Any, app_pool: Any, owner_pool: Any, sealer_pool: Any
) -> None:
    mother = town.ids[MOTHER]
    async with app_pool.acquire() as connection:
        before = len(await entries_of(connection, mother))
    order = await ask_sealed(app_pool, city, ask("a"), today(), **ASKER)
    assert await ask_sealed(app_pool, city, ask("a"), today(), **ASKER) == order
    (seen,) = [one for one in await seal_orders(app_pool, 72, {"psb": "head"}) if one.id == order]
    assert (seen.state, seen.whom, seen.decides, seen.own, seen.usable) == (
        "asked",
        MOTHER,
        True,
        False,
        False,
    )
    await decide_sealed(app_pool, order, True, "", **HEAD)
    (record,) = await read_sealed(app_pool, order, **ASKER)
    assert {name: value for name, value, _ in record.values} == {"name": "林晓晴"}
    (mine,) = [one for one in await seal_orders(app_pool, 71, {"psb": "investigator"}) if one.id == order]
    assert (mine.state, mine.usable, mine.reads) == ("approved", True, 1)
    key = SigningKey.generate("sealed.test")
    sealer = Sealer(sealer_pool, key, key.name)
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        assert len(await entries_of(connection, mother)) == before  # a quiet seal: nothing about them yet
        (force,) = await seals_in_force(connection)
        assert (force.ground, force.closed) == ("crime", 1)
    await owner_pool.execute("UPDATE ledger.sealed SET since = since - 90, opens_on = $1", today())
    await sealer.seal_once()
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        opened = (await entries_of(connection, mother))[0]
        assert opened.kind == "sealed.opened"
        assert (opened.body["said"]["fields"], opened.body["said"]["reason"]) == (["name"], "刑事案件侦查")
        assert opened.body["basis"] == "cpl:152"
        assert opened.payload is not None
        assert opened.payload["order"] == "锡公（刑）调〔2026〕17号"
        assert (await counted(connection, mother)).whole
    steps = await owner_pool.fetch(
        "SELECT kind, subject FROM ledger.entry WHERE kind LIKE 'sealed%' ORDER BY id"
    )
    assert [(row["kind"], row["subject"]) for row in steps] == [
        ("sealed.grounds", None), ("sealed.asked", None), ("sealed.approved", None), ("sealed", None), ("sealed.opened", mother)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "who", "where"),
    [
        ({"ground": "other"}, {}, None),
        ({}, {"post": "head"}, None),
        ({}, {"unit": "civil"}, None),
        ({"number": " "}, {}, "number"),
        ({"why": ""}, {}, "number"),
        ({"fields": ("name", "sex")}, {}, "fields"),
        ({"fields": ()}, {}, "fields"),
        ({"register": "household"}, {}, "fields"),
        ({"opens_on": today() + dt.timedelta(91)}, {}, "opens_on"),
        ({"opens_on": today()}, {}, "opens_on"),
        ({"whom": "320213199403151027", "scheme": "citizen_id"}, {}, "whom"),
    ],
)
async def test_an_order_outside_its_ground_is_refused_and_entered(
    city: Any, app_pool: Any, owner_pool: Any, changed: dict[str, Any], who: dict[str, Any], where: str | None
) -> None:
    count = "SELECT count(*) FROM ledger.entry WHERE kind = 'sealed.refused'"
    before = await owner_pool.fetchval(count)
    with pytest.raises(Invalid if where else SealedReadRefused) as caught:
        await ask_sealed(app_pool, city, ask("refused", **changed), today(), **(ASKER | who))
    if where:
        assert list(caught.value.fields) == [where]
    if where != "whom":  # a number that cannot be is no order yet
        assert await owner_pool.fetchval(count) == before + 1


async def test_nobody_approves_their_own_order_or_without_the_post(
    city: Any, app_pool: Any, owner_pool: Any
) -> None:
    order = await ask_sealed(app_pool, city, ask("own"), today(), **ASKER)
    for who in (HEAD | {"official": 71}, ASKER | {"official": 73}, HEAD | {"unit": "civil"}):
        with pytest.raises(SealedReadRefused):
            await decide_sealed(app_pool, order, True, "", **who)
        with pytest.raises(SealedReadRefused):
            await read_sealed(app_pool, order, **ASKER)  # not approved
    with pytest.raises(Invalid):
        await decide_sealed(app_pool, order, False, "", **HEAD)  # declined without a reason
    await decide_sealed(app_pool, order, False, "没有必要", **HEAD)
    for step in (decide_sealed(app_pool, order, True, "", **HEAD), read_sealed(app_pool, order, **ASKER)):
        with pytest.raises(SealedReadRefused):
            await step


async def test_only_the_asker_reads_in_time_and_while_the_ground_is_declared(
    town: Any, city: Any, app_pool: Any, pg: Any
) -> None:
    order = await approved(app_pool, city, "who")
    for who in (HEAD, ASKER | {"official": 73}, ASKER | {"post": "head"}):
        with pytest.raises(SealedReadRefused):
            await read_sealed(app_pool, order, **who)
    async with pg() as owner:
        await owner.execute(
            "UPDATE registers.seal_order SET decided_at = now() - interval '8 days' WHERE id = $1", order
        )
        with pytest.raises(SealedReadRefused, match="过期"):
            await read_sealed(app_pool, order, **ASKER)
        await owner.execute("UPDATE registers.seal_order SET decided_at = now() WHERE id = $1", order)
        await publish(owner, town.city)
        with pytest.raises(SealedReadRefused, match="依据"):
            await read_sealed(app_pool, order, **ASKER)
        await publish(owner, city)
    assert await read_sealed(app_pool, order, **ASKER)


async def test_killed_between_the_steps_the_entry_is_there_and_no_value_was(
    city: Any, app_pool: Any, owner_pool: Any
) -> None:
    """The process dies after the first step: entered, nothing seen. It dies inside it: neither entered nor seen."""
    order = await approved(app_pool, city, "killed")
    count = "SELECT count(*) FROM ledger.sealed"
    before = await owner_pool.fetchval(count)
    actor = {"unit": "psb", "post": "investigator", "official": "71"}
    async with app_pool.acquire() as connection:
        inside = connection.transaction()
        await inside.start()
        ticket = await connection.fetchval(
            "SELECT registers.request_sealed($1, $2, $3)", order, actor, b"x" * 32
        )
        closed = await connection.fetchval("SELECT registers.release($1, $2)::jsonb", [ticket], [b"x"])
        assert closed[0]["closed"]
        await inside.rollback()
    assert await owner_pool.fetchval(count) == before
    async with app_pool.acquire() as connection:
        await connection.fetchval("SELECT registers.request_sealed($1, $2, $3)", order, actor, b"x" * 32)
    assert await owner_pool.fetchval(count) == before + 1


async def test_what_no_register_holds_is_entered_too_and_no_role_reads_orders(
    city: Any, app_pool: Any, owner_pool: Any
) -> None:
    before = await owner_pool.fetchval("SELECT count(*) FROM ledger.sealed")
    order = await approved(app_pool, city, "nobody", whom="320213197001010000"[:17] + "6")
    assert await read_sealed(app_pool, order, **ASKER) == ()
    assert await owner_pool.fetchval("SELECT count(*) FROM ledger.sealed") == before + 1
    for statement in (
        "SELECT * FROM registers.seal_order",
        "UPDATE registers.seal_order SET state = 'approved'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_pool.execute(statement)
    assert not await seal_orders(app_pool, 99, {"civil": "head", "psb": "investigator"})
