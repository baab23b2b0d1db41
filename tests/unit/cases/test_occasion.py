"""Whether there is an occasion: looked for in one read that takes nothing."""

from __future__ import annotations

import uuid
from typing import Any

from family import FATHER, STRANGER

from dizuo.engines import cases as engine
from dizuo.engines.cases import Occasion, compiled, first_look


async def looks(bench: Any) -> list[dict[str, Any]]:
    """What was entered for looks, open part, oldest first."""
    async with bench.pg() as conn:
        rows = await conn.fetch(
            "SELECT body FROM ledger.entry WHERE payload ->> 'case' = 'look' AND kind = 'register.read' ORDER BY id"
        )
    return [row["body"] for row in rows]


async def apply(bench: Any, certificate: str) -> None:
    chosen = {"certificate": certificate}
    await engine.submit(bench.cases, bench.resident(), 1, "newborn", bench.answers, chosen, uuid.uuid4().hex)


def test_a_look_passes_only_what_leads_to_the_required_record(wuxi: Any) -> None:
    look = first_look(compiled(wuxi, wuxi.matters["newborn"]))
    assert look is not None
    assert (look.parties, look.items) == (("certificate",), ("certificate",))
    # Nothing but the person's own record is required for a senior card: nothing to look for.
    assert first_look(compiled(wuxi, wuxi.matters["senior"])) is None


async def test_nothing_waits_for_a_stranger(bench: Any) -> None:
    stranger = bench.resident(STRANGER, "赵一·路人")
    assert await engine.occasion_of(bench.cases, stranger, "newborn", "look") is None
    entered = await looks(bench)
    assert [(e["register"], e["state"]) for e in entered] == [
        ("person", "found"),
        ("birth_certificate", "missing"),
    ]
    assert not any(e.get("fields") for e in entered)


async def test_a_record_that_somebody_applied_for_waits_no_more(bench: Any) -> None:
    mother, father = bench.resident(), bench.resident(FATHER, "王启明")
    before = len(await looks(bench))
    assert await engine.occasion_of(bench.cases, mother, "newborn", "look") == Occasion(1, False)
    assert not any(e.get("fields") for e in (await looks(bench))[before:])
    await apply(bench, "Z320200001")
    # Neither for her nor for the other parent, whose front page would offer it a second time.
    assert await engine.occasion_of(bench.cases, mother, "newborn", "look") is None
    assert await engine.occasion_of(bench.cases, father, "newborn", "look") is None
    # Of two, the one that is applied for is not counted.
    second = await bench.child()
    assert await engine.occasion_of(bench.cases, father, "newborn", "look") == Occasion(1, True)
    await apply(bench, second)
    assert await engine.occasion_of(bench.cases, mother, "newborn", "look") is None
