"""What was refused or withdrawn is told apart from what is done."""

from __future__ import annotations

from typing import Any

from family import FATHER

from dizuo.engines.cases import ENDINGS, Endings, ItemState, count_endings, endings_of, withdraw


def test_each_state_counts_once() -> None:
    every = count_endings(ItemState)
    assert every == Endings(total=len(ItemState), done=3, refused=3, dropped=2)
    # Exactly the states in which nothing more happens are counted as one of the three.
    assert every.done + every.refused + every.dropped == sum(state.ended for state in ItemState)
    assert count_endings([ItemState.DELIVERING, ItemState.DECIDED_NO]) == Endings(2, 0, 0, 0)


async def test_endings_are_the_applicants_own(bench: Any) -> None:
    receipt = await bench.submitted()
    number, mother = receipt.number, bench.resident()
    before = (await endings_of(bench.cases, mother, [number]))[number]
    assert (before.total, before.done, before.dropped) == (len(receipt.items), 3, 0)
    await withdraw(bench.cases, mother, number, None, "")
    after = (await endings_of(bench.cases, mother, [number]))[number]
    assert after == Endings(before.total, 3, 0, before.total - 3)
    # Somebody else's number is answered like one that does not exist.
    assert await endings_of(bench.cases, bench.resident(FATHER, "王启明"), [number]) == {}
    assert await endings_of(bench.cases, mother, []) == {}


async def test_statements_prepare_for_the_web_role(pg: Any) -> None:
    async with pg("dizuo_app") as conn:
        await ENDINGS.prepare_all(conn)
