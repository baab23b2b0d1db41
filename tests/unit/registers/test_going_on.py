"""A read that goes on from an earlier one: nothing is entered twice, and nobody goes on from another's chain."""

from __future__ import annotations

import uuid

import asyncpg
import msgspec
import pytest
from small_city import FATHER, MOTHER

from dizuo.engines.registers import ReadRequest, Thread, failpoints


def request(town, number=MOTHER, **more):
    values = {"access": "newborn", "given": {"applicant": str(town.ids[number])}, "case": "draft-1",
              "actor": town.resident(number)}  # fmt: skip
    return ReadRequest(**{**values, **more})


async def parties_entered(pg, result):
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT body ->> 'party' AS party FROM ledger.entry WHERE id = ANY ($1) ORDER BY id",
            list(result.entries),
        )
        return [row["party"] for row in rows]


@pytest.fixture
async def first(town):
    """The first read of a form: the certificate, and the way to it."""
    return await town.registers.read(request(town, facts=("certificate.born_on", "mother.name")))


async def test_a_read_leaves_alone_whom_nothing_is_wanted_of(town, pg, first):
    assert set(first.parties) == {"applicant", "certificate", "mother"}
    assert set(await parties_entered(pg, first)) == {"applicant", "certificate", "mother"}


async def test_whether_a_record_exists_can_be_asked_without_a_field(town, pg):
    result = await town.registers.read(request(town, facts=("marriage",)))
    assert result.parties["marriage"].state == "found"
    assert result.facts == {}
    assert "home" not in result.parties
    assert "marriage" in await parties_entered(pg, result)


async def test_going_on_enters_only_what_is_new(town, pg, first):
    more = request(town, facts=("mother.phone",), after=first.thread)
    result = await town.registers.read(more)
    assert set(result.facts) == {"mother.phone"}
    assert await parties_entered(pg, result) == ["mother"]
    alone = await town.registers.read(request(town, facts=("mother.phone",)))
    assert set(await parties_entered(pg, alone)) == {"applicant", "certificate", "mother"}
    assert alone.facts["mother.phone"].value == result.facts["mother.phone"].value


async def test_a_field_newly_used_to_find_somebody_is_entered(town, pg, first):
    """The first read used the certificate to find the mother; now it leads to the father as well."""
    result = await town.registers.read(request(town, facts=("father.name",), after=first.thread))
    assert set(result.facts) == {"father.name"}
    assert "certificate" in await parties_entered(pg, result)


@pytest.mark.parametrize("change", ["case", "actor", "secret", "ticket", "nobody"])
async def test_nobody_goes_on_from_another_chain(town, pg, first, change):
    thread = first.thread
    assert thread is not None
    asked = request(town, facts=("mother.phone",), after=thread)
    match change:
        case "case":
            asked = msgspec.structs.replace(asked, case="draft-2")
        case "actor":
            asked = msgspec.structs.replace(asked, actor=town.resident(MOTHER, place="320213"))
        case "secret":
            asked = msgspec.structs.replace(asked, after=Thread(thread.ticket, b"x" * 32))
        case "ticket":
            asked = msgspec.structs.replace(asked, after=Thread(uuid.uuid4(), thread.secret))
        case _:
            asked = msgspec.structs.replace(
                asked, actor=town.resident(FATHER), given={"applicant": str(town.ids[FATHER])}
            )
    result = await town.registers.read(asked)
    assert set(await parties_entered(pg, result)) >= {"applicant", "certificate"}


async def test_both_steps_in_one_journey_have_a_real_commit_between_them(town, pg):
    """In a transaction of the caller, who could still roll the entries back, it does not work at all."""
    async with pg("dizuo_app") as conn, conn.transaction():
        with pytest.raises(asyncpg.InvalidTransactionTerminationError):
            await conn.fetchval("CALL registers.exchange('[]'::jsonb, '{}'::bytea[], NULL)")


async def test_taken_one_by_one_the_steps_give_the_same(town):
    seen = []

    async def hook(moment):
        seen.append(moment)

    together = await town.registers.read(request(town))
    failpoints.arm(hook, apart=lambda: True)
    try:
        apart = await town.registers.read(request(town))
    finally:
        failpoints.arm(None)
    assert seen == ["asking", "asked", "released"]
    assert {name: fact.value for name, fact in apart.facts.items()} == {
        name: fact.value for name, fact in together.facts.items()
    }
