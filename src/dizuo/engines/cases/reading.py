"""Reading the registers for a plan or for one item: only what is wanted, in as few reads as that takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import Cases
from dizuo.engines.cases.decided import Deciding
from dizuo.engines.cases.model import Application
from dizuo.engines.cases.plan import deciding, wanted_first, wanted_now
from dizuo.engines.cases.plan_model import Known, Value, Wanted
from dizuo.engines.cases.planned_questions import is_asked
from dizuo.engines.cases.scope import Scope
from dizuo.engines.registers import Actor, Fact, PartyState, ReadRequest, Refusal
from dizuo.foundation.blueprint.model import Item

_MISSING = PartyState("missing")
ROUNDS = 4
"""What decides, then what follows from it; an answer may open one more. More would be a cycle."""


class ReadForPlan(NamedTuple):
    """What was read, what was refused, and what that decides (for ``plan_decided``)."""

    known: Known
    refusals: tuple[Refusal, ...]
    decided: Deciding


async def read_for_plan(
    cases: Cases,
    ready: CompiledMatter,
    actor: Actor,
    given: Mapping[str, str],
    answers: Mapping[str, Value],
    case: str,
    now: datetime,
) -> ReadForPlan:
    """Everything that the plan needs with these answers, and the reads that were refused."""
    known, refusals, refused = Known({}, {}), (), set[str]()
    decided: Deciding | None = None
    wanted = wanted_first(ready)
    for _ in range(ROUNDS):
        facts = wanted.facts - refused
        if not facts and not wanted.parties:
            break
        known, missed, said = await _read(
            cases, ready, actor, given, Wanted(wanted.items, facts, wanted.parties), case, known
        )
        refusals = (*refusals, *said)
        refused |= missed
        if known.parties:
            decided = deciding(ready, known, answers, now)
            wanted = wanted_now(decided)
    return ReadForPlan(known, refusals, decided or deciding(ready, known, answers, now))


async def _read(
    cases: Cases,
    ready: CompiledMatter,
    actor: Actor,
    given: Mapping[str, str],
    wanted: Wanted,
    case: str,
    known: Known,
    as_of: datetime | None = None,
    place: str = "",
) -> tuple[Known, set[str], tuple[Refusal, ...]]:
    result = await cases.registers.read(
        ReadRequest(
            access=ready.matter.id,
            given=dict(given),
            case=case,
            actor=actor,
            items=wanted.items,
            as_of=as_of,
            facts=tuple(sorted(wanted.facts)),
            place=place,
        )
    )
    parties: dict[str, PartyState] = {**known.parties, **result.parties}
    facts: dict[str, Fact] = {**known.facts, **result.facts}
    missed = {fact for fact in wanted.facts if fact not in facts}
    if not result.refusals:
        # The register holds the party and was asked: a fact that did not come back is one that it does not hold.
        for fact in missed:
            party, _, field = fact.partition(".")
            state = parties.get(party)
            if state is not None and state.state == "found":
                facts[fact] = Fact(party, ready.parties[party].register, field, None, "", None, 0)
        missed = set[str]()
    return Known(parties, facts), missed, result.refusals


async def read_for_item(
    cases: Cases,
    ready: CompiledMatter,
    application: Application,
    item: str,
    actor: Actor,
    answers: Mapping[str, Value],
    *,
    as_of: datetime | None = None,
    place: str = "",
) -> tuple[Known, tuple[Refusal, ...]]:
    """What one item needs, for whoever does it; ``as_of`` reads what the city knew when it was submitted."""
    declared = ready.items[item]
    known, refusals = Known({}, {}), ()
    asked: frozenset[str] = frozenset()
    for _ in range(2):  # first what is always needed, then what only some cases need
        facts = _item_facts(cases, ready, declared, known, answers) - asked
        if not facts and known.parties:
            break
        known, _, said = await _read(
            cases,
            ready,
            actor,
            application.given,
            Wanted((item,), facts, True),
            application.number,
            known,
            as_of,
            place or application.place,
        )
        refusals = (*refusals, *said)
        if said:
            break
        asked |= facts
    return known, refusals


def _item_facts(
    cases: Cases, ready: CompiledMatter, item: Item, known: Known, answers: Mapping[str, Value]
) -> frozenset[str]:
    scope = scope_for(cases, ready, known, answers)
    found: set[str] = set()
    for need in item.needs:
        if need.when is None or (known.parties and scope.value(ready.compile(need.when)) is True):
            found.update(need.facts)
    if known.parties:
        found = {f for f in found if known.parties.get(f.partition(".")[0], _MISSING).state == "found"}
    return frozenset(found)


def scope_for(cases: Cases, ready: CompiledMatter, known: Known, answers: Mapping[str, Value]) -> Scope:
    """The names that an item's expressions read."""
    return Scope(ready, known, answers, cases.now().date(), is_asked)
