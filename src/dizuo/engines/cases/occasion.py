"""Whether there is an occasion for a matter: the records that it requires, looked for before anything else is read.

A newborn's registration requires a certificate that still waits. Whoever has none needs no form, so nobody's
household, home or insurance is read to find that out: the look passes only through the records that lead to the
required one, and takes no field from any of them.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.drafts import whom_of
from dizuo.engines.cases.reach import may_apply
from dizuo.engines.registers import Actor, PartyState, ReadRequest

_MISSING = PartyState("missing")


class FirstLook(msgspec.Struct, frozen=True):
    """What a first look reads: the required parties, and items that lead to them past as few others as possible."""

    parties: tuple[str, ...]
    items: tuple[str, ...]


class Occasion(msgspec.Struct, frozen=True):
    """An occasion that exists: how many records wait; ``choose`` when the applicant must choose among them."""

    records: int
    choose: bool


@lru_cache(maxsize=64)
def first_look(ready: CompiledMatter) -> FirstLook | None:
    """How to look for the records that a matter requires; None when the registers cannot know its occasion."""
    required = tuple(p.id for p in ready.matter.parties if p.required and not p.given)
    reached = {item.id: ready.reached(ready.needed[item.id]) for item in ready.matter.items}
    items: dict[str, None] = {}
    for party in required:
        able = [item for item, parties in reached.items() if party in parties]
        if not able:
            return None  # no item needs anything of it, so no item may look for it
        items[min(able, key=lambda item: len(reached[item]))] = None
    return FirstLook(required, tuple(items)) if required else None


async def occasion_of(cases: Cases, actor: Actor, matter_id: str, case: str) -> Occasion | None:
    """The person's occasion for a matter; None when a required record is missing or is applied for already.

    One read, entered like any other under ``case``. Errors: MatterNotFound, Refused.
    """
    ready = cases.matter(matter_id)
    look = first_look(ready)
    if look is None:
        return None
    may_apply(cases, actor, matter_id)
    given = {ready.given: str(whom_of(actor))}
    found = await cases.registers.read(
        ReadRequest(
            access=matter_id, given=given, case=case, actor=actor, items=look.items, facts=look.parties
        )
    )
    most, choose = 0, False
    for party in look.parties:
        state = found.parties.get(party, _MISSING)
        waiting = await _unclaimed(cases, ready, party, state)
        if not waiting:
            return None
        most, choose = max(most, waiting), choose or state.state == "choose"
    return Occasion(most, choose)


async def _unclaimed(cases: Cases, ready: CompiledMatter, party: str, state: PartyState) -> int:
    """How many of the records no running application holds, also not the other parent's."""
    keys = [one.key for one in state.candidates] if state.state == "choose" else [state.key]
    found = [key for key in keys if key]
    if ready.parties[party].pick != "choose":
        return len(found)  # only records to choose from are held (see Work.claim)
    claims = [await cases.pool.fetchrow(QUERIES["claimed"], ready.matter.id, party, key) for key in found]
    return claims.count(None)
