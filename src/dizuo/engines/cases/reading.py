"""Reading the registers for a plan or for one item: only what is wanted, in as few reads as that takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import Cases
from dizuo.engines.cases.decided import Deciding
from dizuo.engines.cases.guards import guards_of
from dizuo.engines.cases.model import Application
from dizuo.engines.cases.plan import deciding, wanted_first, wanted_now
from dizuo.engines.cases.plan_model import Known, Value, Wanted
from dizuo.engines.cases.planned_questions import is_asked
from dizuo.engines.cases.scope import Scope
from dizuo.engines.registers import Actor, Fact, Guard, PartyState, ReadRequest, ReadResult, Refusal, Thread
from dizuo.foundation.blueprint.model import Item

_MISSING = PartyState("missing")
_UNSEEN = PartyState("found")
"""A party that nobody looked for yet may be there."""
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
    thread: Thread | None = None
    decided: Deciding | None = None
    wanted = wanted_first(ready)
    # What the first read adds by itself; what is still wanting after it is read on its own.
    more = guards_of(ready, answers)
    for _ in range(ROUNDS):
        facts = wanted.facts - refused
        if not facts and not wanted.parties:
            break
        asked = Wanted(wanted.items, facts, wanted.parties)
        request = _request(ready, actor, given, asked, case, after=thread, more=more)
        result = await cases.registers.read(request)
        thread = result.thread
        added = [fact for one, read in zip(more, result.more, strict=False) if read for fact in one.facts]
        if added:
            asked = Wanted(asked.items, facts.union(added), asked.parties)
        more = ()
        known, missed = _merged(ready, known, asked, result)
        refusals = (*refusals, *result.refusals)
        if result.refusals and not result.parties:
            break  # refused whole: asking again would only enter it again
        refused |= missed
        if known.parties:
            decided = deciding(ready, known, answers, now)
            wanted = wanted_now(decided)
    return ReadForPlan(known, refusals, decided or deciding(ready, known, answers, now))


def _request(
    ready: CompiledMatter,
    actor: Actor,
    given: Mapping[str, str],
    wanted: Wanted,
    case: str,
    *,
    as_of: datetime | None = None,
    place: str = "",
    after: Thread | None = None,
    more: tuple[Guard, ...] = (),
) -> ReadRequest:
    return ReadRequest(
        access=ready.matter.id,
        given=dict(given),
        case=case,
        actor=actor,
        items=wanted.items,
        as_of=as_of,
        facts=tuple(sorted(wanted.facts | wanted.parties)),
        place=place,
        after=after,
        more=more,
    )


def _merged(
    ready: CompiledMatter, known: Known, wanted: Wanted, result: ReadResult
) -> tuple[Known, set[str]]:
    """What is known after a read, and the facts that it did not give."""
    parties: dict[str, PartyState] = {**known.parties, **result.parties}
    for party in ready.matter.parties:
        # Whom the chain cannot reach is missing: nobody needs to look.
        if party.id not in parties and any(
            parties.get(source.partition(".")[0]) == _MISSING for _, source in party.match
        ):
            parties[party.id] = _MISSING
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
    return Known(parties, facts), missed


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
    thread: Thread | None = None
    for parties in (ready.item_parties(declared), frozenset[str]()):
        # first what is always needed, then what only some cases need
        facts = _item_facts(cases, ready, declared, known, answers) - asked
        if not facts and known.parties:
            break
        wanted = Wanted((item,), facts, parties)
        request = _request(
            ready,
            actor,
            application.given,
            wanted,
            application.number,
            as_of=as_of,
            place=place or application.place,
            after=thread,
        )
        result = await cases.registers.read(request)
        thread = result.thread
        known, _ = _merged(ready, known, wanted, result)
        refusals = (*refusals, *result.refusals)
        if result.refusals:
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
        found = {f for f in found if known.parties.get(f.partition(".")[0], _UNSEEN).state == "found"}
    return frozenset(found)


def scope_for(cases: Cases, ready: CompiledMatter, known: Known, answers: Mapping[str, Value]) -> Scope:
    """The names that an item's expressions read."""
    return Scope(ready, known, answers, cases.now().date(), is_asked)
