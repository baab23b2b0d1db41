"""The case page of an official: the one exception to judge, what was checked, what was read, where it stands.

Opening it is a use of data: facts are read again from the registers as they were when it was submitted, for the
items of this post only, and every read and the opening itself are entered before the page is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dizuo.engines.cases.answers import read_answers
from dizuo.engines.cases.case_views import (
    CasePage,
    ChoiceView,
    ComparedView,
    DecisionLine,
    DeskItem,
    ExceptionView,
    FactView,
    OtherItem,
    PressedLine,
)
from dizuo.engines.cases.compare import differences
from dizuo.engines.cases.context import READS, Cases
from dizuo.engines.cases.machine import may
from dizuo.engines.cases.model import Case, ItemRow
from dizuo.engines.cases.plan_model import Known
from dizuo.engines.cases.planned_questions import value_text
from dizuo.engines.cases.reach import Actors, may_view
from dizuo.engines.cases.reading import read_for_item, scope_for
from dizuo.engines.cases.reads_citizen import answer_label
from dizuo.engines.cases.reads_desk import unit_name, who_words
from dizuo.engines.cases.reads_progress import event_line, fix_view
from dizuo.engines.cases.records import load_case, load_consents
from dizuo.engines.cases.rules import check_fix
from dizuo.engines.cases.scope import Scope, typed
from dizuo.engines.cases.shows import field_words
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.wording import fill
from dizuo.engines.cases.work import enter
from dizuo.engines.registers import Refusal
from dizuo.foundation.blueprint.model import Check, Words
from dizuo.foundation.kernel.clocks import Amount, Level, left, level
from dizuo.foundation.kernel.errors import Conflict
from dizuo.foundation.rules import explain, parse
from dizuo.foundation.store import begin


async def case_page(cases: Cases, actors: Actors, number: str) -> CasePage:
    """A case as the post of this official may see it. Errors: CaseNotFound; Refused with rule and who can."""
    case = await load_case(cases, cases.pool, number, lock=False)
    actor, covered = may_view(cases, actors, case)
    application = case.application
    tasks = await cases.pool.fetch(READS["tasks_in"], application.id)
    values = read_answers(case.ready, case.answers, cases.now().date()).values
    views: list[DeskItem] = []
    refusals: list[Refusal] = []
    entries: list[int] = []
    decisions = await cases.pool.fetch(READS["decisions_in"], application.id)
    fixes = {row["item"]: row for row in await cases.pool.fetch(READS["fixes_in"], application.id)}
    for item_id in covered:
        item = case.items[item_id]
        mine = [t for t in tasks if t["item"] == item_id and _holds(actors, t["power"])]
        known = Known({}, {})
        if _worked_on(item, mine):
            known, said = await read_for_item(
                cases,
                case.ready,
                application,
                item_id,
                actor,
                values,
                as_of=application.submitted_at if not _after_others(case, item) else None,
                place=item.unit,
            )
            refusals += said
            entries += [fact.entry for fact in known.facts.values() if fact.entry]
        scope = scope_for(cases, case.ready, known, values)
        decision = next((d for d in reversed(decisions) if d["item"] == item_id), None)
        views.append(_desk_item(cases, case, item, mine, known, scope, fixes.get(item_id), decision, actors))
    async with begin(cases.pool, cases.now) as tx:
        entries.append(await enter(tx, actor, application, "case.view", items=covered))
        events = await tx.conn.fetch(READS["history"], application.id)
        consents = await load_consents(tx.conn, application.id)
    views = [msgspec.structs.replace(view, pressed=_pressed(cases, events, view)) for view in views]
    return CasePage(
        number=application.number,
        matter=application.matter,
        matter_name=case.ready.matter.name,
        title=application.title,
        applicant=application.applicant_name,
        channel=application.channel,
        submitted_at=application.submitted_at,
        promised=application.promised,
        post=actor.post or "",
        items=tuple(views),
        others=tuple(_other(cases, case, item, item.id in covered) for item in case.items.values()),
        answers=_answers(cases, case, covered),
        consents=consents,
        history=tuple(
            line
            for line in (event_line(case, row, inside=True) for row in reversed(events))
            if line is not None
        ),
        refusals=tuple(refusals),
        entries=tuple(dict.fromkeys(entries)),
    )


def _pressed(cases: Cases, events: Sequence[Any], view: DeskItem) -> tuple[PressedLine, ...]:
    """督办 on an item that is still worked on, the latest first."""
    if view.state.ended or view.decision is not None:
        return ()
    return tuple(
        PressedLine(row["at"], who_words(cases, row), row["reason"])
        for row in reversed(events)
        if row["name"] == "pressed" and row["item"] == view.id
    )


def _holds(actors: Actors, power: str) -> bool:
    return any(power in actor.powers for actor in actors)


def _worked_on(item: ItemRow, tasks: list[Any]) -> bool:
    """Facts are read for an item while there is something to judge, and no longer."""
    return bool(tasks) or item.state in (ItemState.DECIDED_YES, ItemState.DECIDED_NO)


def _after_others(case: Case, item: ItemRow) -> bool:
    # An item that followed another reads what that one wrote, which the city did not know at submission.
    return bool(case.ready.items[item.id].after)


def _answers(cases: Cases, case: Case, covered: tuple[str, ...]) -> tuple[tuple[Words, str], ...]:
    """Answers that the covered items need; the others are none of this post's business."""
    needed: set[str] = set()
    for item_id in covered:
        declared = case.ready.items[item_id]
        needed |= set(declared.answers) | case.ready.item_reads(declared).answers
    return tuple(
        (case.ready.questions[q].asks, answer_label(cases, case.application.matter, q, value))
        for q, value in case.answers.items()
        if q in needed and q in case.ready.questions
    )


def _other(cases: Cases, case: Case, item: ItemRow, covered: bool) -> OtherItem:
    return OtherItem(
        item.id,
        case.ready.items[item.id].name,
        cases.city.organisations[item.department].short,
        item.state.word,
        item.ended_at,
        covered,
    )


def _desk_item(
    cases: Cases,
    case: Case,
    item: ItemRow,
    tasks: list[Any],
    known: Known,
    scope: Scope,
    fix: Any,
    decision: Any,
    actors: Actors,
) -> DeskItem:
    declared = case.ready.items[item.id]
    task = next((t for t in tasks if t["state"] == "open" and t["kind"] in ("judge", "accept")), None)
    task = task or (tasks[0] if tasks else None)
    checks = {check.id: check for step in declared.steps for check in step.checks}
    colour = None if item.clock is None else level(item.clock, cases.now(), cases.calendar)
    remains = None if item.clock is None else left(item.clock, cases.now(), cases.calendar)
    step = None if task is None else next((s for s in declared.steps if s.id == task["step"]), None)
    judging = task is not None and task["state"] == "open"
    return DeskItem(
        id=item.id,
        name=declared.name,
        state=item.state,
        version=item.version,
        task=None if task is None else task["kind"],
        step=None if task is None else task["step"],
        step_name=None if step is None else step.name,
        unit_name=unit_name(cases, item.department, item.unit),
        due_promise=item.due_promise,
        due_statute=item.due_statute,
        level=colour if isinstance(colour, Level) else None,
        left=remains.words() if isinstance(remains, Amount) else "",
        paused=item.paused,
        exceptions=tuple(
            _exception(cases, case, checks[name], known, scope) for name in item.exceptions if name in checks
        ),
        passed=tuple(checks[name].says for name in item.passed if name in checks),
        facts=_facts(cases, case, known),
        fix=None if fix is None else fix_view(fix),
        decision=None if decision is None else _decision(cases, decision, actors),
        may_decide=judging and may(item.state, Event.DECIDE_YES),
        may_fix=judging and may(item.state, Event.NOTIFY_FIX) and _may_fix(cases, item),
        may_extend=judging
        and may(item.state, Event.EXTEND)
        and item.clock is not None
        and item.clock.term.extension is not None
        and item.clock.extended_by is None,
        may_special=judging and may(item.state, Event.START_SPECIAL),
        laws=tuple((law.key, _law_words(cases, law.key)) for law in declared.basis),
        granted=fill(declared.granted, scope),
    )


def _may_fix(cases: Cases, item: ItemRow) -> bool:
    try:
        check_fix(item, cases.now(), cases.calendar)
    except Conflict:
        return False
    return True


def _law_words(cases: Cases, key: str) -> str:
    law, _, article = key.partition(":")
    found = cases.city.laws.get(law)
    return key if found is None else f"《{found.title.zh}》第{article}条"


def _exception(cases: Cases, case: Case, check: Check, known: Known, scope: Scope) -> ExceptionView:
    sides: list[FactView] = []
    for fact in check.compare or ():
        if fact in known.facts:
            sides.append(_fact(cases, case, known, fact))
    marked: tuple[ComparedView, ...] = ()
    if len(sides) == 2:
        mine, theirs = differences(sides[0].text.zh, sides[1].text.zh)
        marked = (ComparedView(sides[0], mine), ComparedView(sides[1], theirs))
    return ExceptionView(
        check=check.id,
        says=check.exception,
        rule=_explain(case, check),
        law="" if check.basis is None else _law_words(cases, check.basis.key),
        compare=marked,
        choices=tuple(ChoiceView(c.id, c.name, c.detail, c.effect) for c in check.choices),
    )


def _explain(case: Case, check: Check) -> str:
    words = {
        fact: f"{case.ready.parties[fact.partition('.')[0]].name.zh}的{field.name.zh}"
        for fact, field in case.ready.fields.items()
    }
    words |= {party.id: party.name.zh for party in case.ready.matter.parties}
    return explain(parse(check.rule.text), words, None)


def _facts(cases: Cases, case: Case, known: Known) -> tuple[FactView, ...]:
    return tuple(
        _fact(cases, case, known, fact)
        for fact, found in known.facts.items()
        if found.value not in (None, "")
    )


def _fact(cases: Cases, case: Case, known: Known, fact: str) -> FactView:
    found = known.facts[fact]
    field = case.ready.fields[fact]
    value = typed(found.value, field.type)
    source = cases.city.organisations.get(found.source or field.source)
    return FactView(
        fact=fact,
        party=case.ready.parties[found.party].name,
        label=field.name,
        text=field_words(field, value) if value is not None else Words(value_text(found.value)),
        type=field.type,
        register=found.register,
        source=Words(found.source) if source is None else source.short,
        as_of=found.as_of,
        entry=found.entry,
    )


def _decision(cases: Cases, row: Any, actors: Actors) -> DecisionLine:
    mine = row["official"] in {actor.official for actor in actors}
    may_undo = row["effective_at"] is None and cases.now() < row["final_at"]
    return DecisionLine(
        row["id"],
        row["verdict"],
        row["reason"],
        row["law"],
        row["remedy"],
        row["official_name"],
        row["at"],
        row["final_at"] if may_undo else None,
        mine,
    )
