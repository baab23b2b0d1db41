"""A read that adds what a condition calls for: judged in the database, entered, released; nothing where it does not hold."""

from __future__ import annotations

from typing import Any

import pytest
from small_city import FATHER, MOTHER

from dizuo.engines.registers import Guard, ReadRequest


def request(town: Any, more: tuple[Guard, ...], **changed: Any) -> ReadRequest:
    values = {"access": "newborn", "given": {"applicant": str(town.ids[MOTHER])}, "case": "draft-1",
              "actor": town.resident(MOTHER), "facts": ("certificate.born_on", "mother.name"), "more": more}  # fmt: skip
    return ReadRequest(**{**values, **changed})


async def entered(pg: Any, result: Any) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(party, fields, purposes) of each entry."""
    async with pg() as conn:
        rows = await conn.fetch(
            "SELECT body FROM ledger.entry WHERE id = ANY ($1) ORDER BY id", list(result.entries)
        )
    return [
        (
            row["body"]["party"],
            tuple(row["body"].get("fields") or ()),
            tuple(use["purpose"] for use in row["body"].get("uses") or ()),
        )
        for row in rows
    ]


def items_needing(town: Any, fact: str) -> list[str]:
    party, _, field = fact.partition(".")
    return [
        item.id
        for item in town.city.matters["newborn"].items
        if any(f"{party}.{field}" in need.facts for need in item.needs)
    ]


async def test_what_holds_is_read_and_entered_once(town: Any, pg: Any) -> None:
    item = items_needing(town, "mother.phone")[0]
    guard = Guard('$."mother".type() == "object"', item, ("mother.phone",))
    result = await town.registers.read(request(town, (guard,)))
    assert result.more == (True,)
    assert "mother.phone" in result.facts
    plain = await town.registers.read(
        request(town, (), facts=("certificate.born_on", "mother.name", "mother.phone"))
    )
    assert {k: v.value for k, v in result.facts.items()} == {k: v.value for k, v in plain.facts.items()}
    mine, whole = await entered(pg, result), await entered(pg, plain)
    assert [one[:2] for one in mine] == [one[:2] for one in whole]


async def test_what_does_not_hold_is_neither_read_nor_entered(town: Any, pg: Any) -> None:
    item = items_needing(town, "father.name")[0]
    guard = Guard('$."mother".type() == "null"', item, ("father.name",))
    result = await town.registers.read(request(town, (guard,)))
    assert result.more == (False,)
    assert "father" not in result.parties
    assert "father" not in [party for party, _, _ in await entered(pg, result)]


async def test_a_chain_grows_by_what_is_added(town: Any, pg: Any) -> None:
    item = items_needing(town, "father.name")[0]
    guards = (
        Guard('$."certificate".type() == "object"', item, ("father.name",)),
        Guard('$."father".type() == "object"', item, ("father.name",)),
    )
    result = await town.registers.read(request(town, guards))
    # The second asks for somebody whom nobody looked for before: what the first adds is not judged by.
    assert result.more == (True, False)
    assert result.parties["father"].key == FATHER
    assert "father" in [party for party, _, _ in await entered(pg, result)]


@pytest.mark.parametrize(("item", "purpose"), [("card", "birth.card"), ("cost", "birth.cost")])
async def test_an_added_fact_is_for_its_item_alone(town: Any, pg: Any, item: str, purpose: str) -> None:
    """Two items need the telephone number; the one whose condition does not hold is no reason to read it."""
    guard = Guard('$."mother".type() == "object"', item, ("mother.phone",))
    result = await town.registers.read(request(town, (guard,)))
    async with pg() as conn:
        body = await conn.fetchval(
            "SELECT body FROM ledger.entry WHERE id = ANY ($1) AND body ->> 'party' = 'mother'",
            list(result.entries),
        )
    assert {use["purpose"] for use in body["uses"] if "phone" in use["fields"]} == {purpose}


@pytest.mark.parametrize(
    "guard",
    [
        Guard('$."certificate".type() == "object"', "no_such_item", ("mother.phone",)),
        Guard('$."certificate".type() == "object"', "record", ("mother.illness",)),
        Guard("this is no path", "record", ("mother.phone",)),
    ],
    ids=["item", "fact", "predicate"],
)
async def test_what_is_not_declared_is_refused_whole(town: Any, guard: Guard) -> None:
    result = await town.registers.read(request(town, (guard,)))
    assert result.facts == {}
    assert result.more == ()
    assert len(result.refusals) == 1


async def test_going_on_from_a_read_adds_nothing(town: Any) -> None:
    first = await town.registers.read(request(town, ()))
    item = items_needing(town, "mother.phone")[0]
    guard = Guard('$."mother".type() == "object"', item, ("mother.phone",))
    result = await town.registers.read(request(town, (guard,), after=first.thread))
    assert result.more == ()
    assert "mother.phone" not in result.facts
