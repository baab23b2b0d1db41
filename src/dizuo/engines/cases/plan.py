"""The planner: what one person must do for one matter, worked out from declarations and what is already known.

Pure: the same matter, facts, answers and moment give the same plan. Two questions are answered here:
``needs_to_read`` says which facts may be read next (first what decides which items apply, then what those items
need), and ``plan`` says everything else. Both are cheap enough to run after every answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from dizuo.engines.cases.compiled import Compiled, CompiledMatter, compiled
from dizuo.engines.cases.decided import Deciding, Status
from dizuo.engines.cases.plan_model import (
    Counts,
    Known,
    Plan,
    PlannedConsent,
    PlannedItem,
    PlannedMaterial,
    Value,
    Wanted,
)
from dizuo.engines.cases.planned_consents import plan_consents
from dizuo.engines.cases.planned_questions import (
    NO_WORDS,
    is_asked,
    needed_answers,
    plan_questions,
    plan_silent,
    value_text,
)
from dizuo.engines.cases.promised import Ends, item_ends, latest
from dizuo.engines.cases.scope import Open, Scope
from dizuo.engines.cases.shows import plan_shows
from dizuo.engines.registers import Fact
from dizuo.foundation.blueprint.model import City, Item, Matter, Words
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.clocks import Deadline, Unknown

_encode = msgspec.json.Encoder(order="deterministic").encode


def needs_to_read(
    matter: Matter, city: City, known: Known, answers: Mapping[str, Value], today: datetime
) -> Wanted:
    """What may be read next, given what is known; nothing when the plan is complete for these answers.

    First whatever decides which items apply; then what the items that apply need. Facts of a party that does not
    exist are never wanted: they are silent; nor is a party looked for of which nothing is wanted.
    """
    ready = compiled(city, matter)
    return wanted_first(ready) if not known.parties else wanted_now(deciding(ready, known, answers, today))


def deciding(ready: CompiledMatter, known: Known, answers: Mapping[str, Value], today: datetime) -> Deciding:
    """What these facts and answers decide: what ``wanted_now`` asks for next and ``plan_decided`` goes on from."""
    return Deciding(Scope(ready, known, answers, to_shanghai(today).date(), is_asked))


def wanted_now(decided: Deciding) -> Wanted:
    """What may be read next when so much is decided."""
    if decided.unmet:
        return Wanted((), frozenset())
    ready, known = decided.scope.matter, decided.scope.known
    deciders = {fact for fact in decided.open_facts if _can_be_read(known, fact)}
    facts, items = set(deciders), list[str]()
    held = known.facts
    for item, needed in ready.needed.items():
        status = decided.items[item]
        unread = [fact for fact in status.facts if fact not in held] if status.runs else []
        mine = [fact for fact in unread if _can_be_read(known, fact)]
        facts.update(mine)
        if mine or not deciders.isdisjoint(needed):
            items.append(item)
    return Wanted(tuple(items), frozenset(facts))


def wanted_first(ready: CompiledMatter) -> Wanted:
    """What is read before anything is known; the same for everybody."""
    return ready.first


def _can_be_read(known: Known, fact: str) -> bool:
    if fact in known.facts:
        return False
    # A party that was not looked for yet is looked for now, when a fact of it is wanted.
    state = known.parties.get(fact.partition(".")[0])
    return state is None or state.state == "found"


def plan(
    matter: Matter,
    city: City,
    known: Known,
    answers: Mapping[str, Value],
    today: datetime,
    calendar: WorkCalendar,
) -> Plan:
    """The plan of a matter for one applicant.

    Shapes: ``answers`` are typed values by question id (see ``answers.read_answers``); ``today`` is the moment
    of planning, with its zone. Errors: none for a checked city; what cannot be decided is None or Unknown.
    """
    return plan_decided(deciding(compiled(city, matter), known, answers, today), today, calendar)


def plan_decided(decided: Deciding, today: datetime, calendar: WorkCalendar) -> Plan:
    """The plan when ``deciding`` was asked before, at the same moment; each ``Deciding`` serves for one plan."""
    scope = decided.scope
    ready, known, now = scope.matter, scope.known, to_shanghai(today)
    matter = ready.matter
    running = {item_id for item_id, status in decided.items.items() if status.runs}
    consents = plan_consents(scope, decided, running)
    materials = _materials(scope, decided, running)
    asked = needed_answers(scope, _wanted_answers(scope, decided, running))
    ends = item_ends(ready, running, now, calendar)
    facts = _used_facts(scope, decided)
    promised = None if decided.unmet else latest(ends)
    title = _text_of(scope, ready.compile(matter.title_of))
    questions = () if decided.unmet else plan_questions(scope, asked)
    place = scope.value(ready.compile(matter.place_of))
    return Plan(
        matter=matter.id,
        version=matter.version,
        eligible=tuple(decided.unmet),
        undecided=tuple(decided.undecided),
        items=tuple(_item(scope, item, decided.items[item.id], running, ends) for item in matter.items),
        questions=questions,
        silent=() if decided.unmet else plan_silent(scope, asked),
        facts=facts,
        not_read=_not_read(ready, decided, facts),
        promised=promised,
        consents=consents,
        materials=materials,
        shows=plan_shows(scope, facts),
        counts=_counts(
            ready,
            len(questions),
            questions[-1].number if questions else 0,
            facts,
            materials,
            consents,
            running,
            promised,
            now,
            calendar,
        ),
        choose=tuple(p for p, state in known.parties.items() if state.state == "choose"),
        title=title,
        place=place if isinstance(place, str) else None,
    )


def _wanted_answers(scope: Scope, decided: Deciding, running: set[str]) -> set[str]:
    # What expressions really read while deciding, answered or not, stays on the form: an answer that decides
    # must remain visible and changeable.
    wanted = decided.open_answers.union(scope.answers_read)
    for item_id in running:
        item = scope.matter.items[item_id]
        wanted |= set(item.answers) | scope.matter.item_reads(item).answers
    if running:
        wanted |= scope.matter.always_asked
    return wanted


def _item(
    scope: Scope, item: Item, status: Status, running: set[str], ends: Mapping[str, Ends]
) -> PlannedItem:
    place: Value | Open = None
    if status.runs and item.place_of is not None:
        place = scope.value(scope.matter.compile(item.place_of))
    statute, promise = ends.get(item.id, (None, None))
    return PlannedItem(
        id=item.id,
        name=item.name,
        applies=status.applies,
        why=item.not_applicable if status.applies is False else NO_WORDS,
        needs_facts=status.facts,
        needs_answers=item.answers if status.runs else (),
        waits_for=tuple(before for before in item.after if before in running) if status.runs else (),
        department=item.department,
        unit_place=place if isinstance(place, str) else None,
        statute=statute,
        promise=promise,
        done_already=status.done,
        instant=item.project_type == "instant",
    )


def _used_facts(scope: Scope, decided: Deciding) -> Mapping[str, Fact]:
    used: dict[str, None] = {}
    for status in decided.items.values():
        if status.runs:
            used.update(dict.fromkeys(status.facts))
    used.update(dict.fromkeys(sorted(f for f in scope.used_facts if f in scope.matter.deciding.facts)))
    known = scope.known.facts
    return {fact: known[fact] for fact in used if fact in known}


def _materials(scope: Scope, decided: Deciding, running: set[str]) -> tuple[PlannedMaterial, ...]:
    found: dict[str, PlannedMaterial] = {}
    for item in scope.matter.matter.items:
        if item.id not in running:
            continue
        for material in item.materials:
            if material.when is not None:
                value = scope.value(scope.matter.compile(material.when))
                if isinstance(value, Open):
                    decided.missing(value)
                    continue
                if value is not True:
                    continue
            found.setdefault(material.id, PlannedMaterial(material.id, item.id, material.name))
    return tuple(found.values())


def _not_read(
    ready: CompiledMatter, decided: Deciding, facts: Iterable[str]
) -> tuple[tuple[str, Words], ...]:
    of_notable = ready.notable_facts
    read = {of_notable[fact] for fact in facts if fact in of_notable}
    for status in decided.items.values():
        if status.runs:
            read.update([of_notable[fact] for fact in status.facts if fact in of_notable])
    return tuple((field, words) for field, words in ready.notable if field not in read)


def _counts(
    ready: CompiledMatter,
    asked: int,
    numbered: int,
    facts: Mapping[str, Fact],
    materials: tuple[PlannedMaterial, ...],
    consents: tuple[PlannedConsent, ...],
    running: set[str],
    promised: Deadline | Unknown | None,
    now: datetime,
    calendar: WorkCalendar,
) -> Counts:
    known = sum(1 for fact in facts.values() if fact.value not in (None, ""))
    visits = sum(ready.items[item].visits for item in running)
    delivered = any(ready.items[item].document is not None for item in running)
    return Counts(
        asked=asked,
        questions=numbered,
        known=known,
        needed=asked + known,
        materials=len(materials),
        visits=visits,
        links=(1 + len(consents) + visits + (1 if delivered else 0)) if running else 0,
        days=calendar.count_workdays(now.date(), promised.date) if isinstance(promised, Deadline) else None,
        baseline=ready.matter.baseline,
    )


def _text_of(scope: Scope, expression: Compiled) -> str | None:
    value = scope.value(expression)
    return None if isinstance(value, Open) or value is None else value_text(value)


def digest_of(made: Plan, answers: Mapping[str, str]) -> str:
    """A short name for exactly this plan: the same facts, answers (as texts), items and declaration."""
    seed = (
        made.version,
        answers,
        {key: fact.value for key, fact in made.facts.items()},
        sorted(item.id for item in made.applied),
    )
    return hashlib.blake2b(_encode(seed), digest_size=16).hexdigest()
