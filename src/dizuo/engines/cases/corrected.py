"""What a 补正 changes: the questions put again, what may be answered, and which other items the new answers concern.

Nothing is written here. An answer is shared by every item that needs it: those decided already stay with the old
one, the others follow, and what would add or drop an item is no correction but a new application.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from dizuo.engines.cases.answers import Checked, read_answers, unanswered
from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import FIXES, Cases
from dizuo.engines.cases.decided import Deciding
from dizuo.engines.cases.errors import AboutToIssue
from dizuo.engines.cases.model import Case, ItemRow
from dizuo.engines.cases.plan_model import Known, PlannedConsent, PlannedOption, PlannedQuestion
from dizuo.engines.cases.planned_consents import plan_consents
from dizuo.engines.cases.planned_questions import answer_text, asked_state, needed_answers, plan_questions
from dizuo.engines.cases.reading import read_for_item, scope_for
from dizuo.engines.cases.scope import Open, Scope
from dizuo.engines.cases.states import ItemState
from dizuo.engines.cases.work import system_of
from dizuo.engines.registers import Actor, Fact, ReadRequest
from dizuo.foundation.blueprint.model import Expression, Words
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import Connection, Pool

_DECIDED = (ItemState.DECIDED_YES, ItemState.DECIDED_NO)
_NAMED = {
    "true": Words("是", "yes"),
    "false": Words("否", "no"),
    "father": Words("爸爸", "the father"),
    "mother": Words("妈妈", "the mother"),
}
_OTHER_ITEMS = "这样改会增减要办的事项，补正里不能改。要这样改，请撤回后重新申请，资料不用重填。"


class Again(msgspec.Struct, frozen=True):
    """The questions of a 补正 with these answers: those marked, and those that follow from a changed one."""

    questions: tuple[PlannedQuestion, ...]
    given: Mapping[str, str]
    checked: Checked
    known: Known
    before: Scope
    scope: Scope


class Corrected(msgspec.Struct, frozen=True):
    """Checked changes: ``changes`` is (was, now) by question; ``others`` are undecided items that share one of them,
    each with its facts under the new answers; ``kept`` are the decided items that stay with the old answer."""

    again: Again
    changes: Mapping[str, tuple[str, str]]
    others: Mapping[str, Scope]
    kept: tuple[str, ...]
    consents: tuple[PlannedConsent, ...]


def marked_in(wants: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The questions that an official marked in a fix request."""
    return tuple(dict.fromkeys(str(want["question"]) for want in wants if want.get("question")))


def own_questions(ready: CompiledMatter, item_id: str) -> frozenset[str]:
    """Every question whose answer the item uses."""
    declared = ready.items[item_id]
    return frozenset(declared.answers) | ready.item_reads(declared).answers


def is_decided(item: ItemRow) -> bool:
    """Whether the item's answers are settled: a correction elsewhere does not reach it any more."""
    return item.state in _DECIDED or item.state.succeeded or item.state.ended


async def answers_of(conn: Connection | Pool, case: Case, item_id: str) -> Mapping[str, str]:
    """The answers as this item uses them: a decided item stays with those that it was decided on."""
    if not is_decided(case.items[item_id]):
        return case.answers
    rows = await conn.fetch(FIXES["kept_by"], case.application.id, item_id)
    kept = {row["question"]: row["was"] for row in rows}
    return {**case.answers, **kept} if kept else case.answers


async def ask_again(
    cases: Cases,
    case: Case,
    item: ItemRow,
    actor: Actor,
    marked: Collection[str],
    typed: Mapping[str, str],
    *,
    whole: bool = False,
) -> Again:
    """The marked questions, prefilled with what was answered and with ``typed`` over it.

    A question that only a changed answer leads to is asked with them; one that it makes needless is not. Only what
    the questions themselves need is read, unless the ``whole`` item is to be checked. Errors: Invalid for an answer
    that nobody asked to change.
    """
    ready, today = case.ready, cases.now().date()
    mine = own_questions(ready, item.id)
    odd = {
        q: "这一条没有请您改。"
        for q, text in typed.items()
        if q not in marked and (q not in mine or q in case.answers) and text != case.answers.get(q, "")
    }
    if odd:
        raise Invalid(odd)
    given = {**case.answers, **{q: text for q, text in typed.items() if q in marked or q in mine}}
    checked = read_answers(ready, given, today)
    if whole:
        known, _ = await read_for_item(
            cases, ready, case.application, item.id, actor, checked.values, place=item.unit
        )
    else:
        known = await _read_to_ask(cases, case, item, actor, marked)
    before = scope_for(cases, ready, known, read_answers(ready, case.answers, today).values)
    scope = scope_for(cases, ready, known, checked.values)
    led = set(needed_answers(scope, mine)) - set(needed_answers(before, mine)) - set(case.answers)
    shown = [
        q.id
        for q in ready.matter.questions
        if q.id in led or (q.id in marked and asked_state(scope, q) is not False)
    ]
    questions = tuple(_with_present(case, question) for question in plan_questions(scope, tuple(shown)))
    return Again(questions, given, checked, known, before, scope)


async def _read_to_ask(
    cases: Cases, case: Case, item: ItemRow, actor: Actor, marked: Collection[str]
) -> Known:
    """What the marked questions and those that they lead to need, to be put: whether, and with which options."""
    ready = case.ready
    expressions: list[Expression | None] = []
    silent: set[str] = set()
    for question in (ready.questions[q] for q in own_questions(ready, item.id)):
        led = question.ask_when is not None and ready.compile(question.ask_when).reads.answers & set(marked)
        if question.id not in marked and not led:
            continue
        expressions.append(question.ask_when)
        for option in question.options:
            expressions += [option.when, option.label_from, option.detail_from]
        if question.options_from is not None:
            expressions.append(question.options_from.near)
        if question.if_silent is not None:
            silent.add(question.if_silent)
    wanted = ready.reads_of(expressions)
    allowed = {fact for need in ready.items[item.id].needs for fact in need.facts}
    facts = (wanted.facts | silent) & allowed
    if not facts and not wanted.parties:
        return Known({}, {})
    read = await cases.registers.read(
        ReadRequest(
            access=ready.matter.id,
            given=dict(case.application.given),
            case=case.application.number,
            actor=actor,
            items=(item.id,),
            facts=tuple(sorted(facts)),
            place=item.unit,
        )
    )
    found = dict(read.facts)
    if not read.refusals:  # asked and not given: its register does not hold it
        for fact in facts - set(found):
            party, _, field = fact.partition(".")
            state = read.parties.get(party)
            if state is not None and state.state == "found":
                found[fact] = Fact(party, ready.parties[party].register, field, None, "", None, 0)
    return Known(read.parties, found)


def answer_words(ready: CompiledMatter, question_id: str, value: str) -> Words:
    """An answer as people read it: the option's label, the place's name, or as typed; '' is no answer."""
    declared = ready.questions[question_id]
    if declared.options_from is not None:
        for place in ready.city.places.get(declared.options_from.places, ()):
            if place.id == value:
                return Words(place.name)
    for option in declared.options:
        if option.value == value and option.label is not None:
            return option.label
    return _NAMED.get(value, Words(value)) if declared.type in ("choice", "boolean") else Words(value)


def _with_present(case: Case, question: PlannedQuestion) -> PlannedQuestion:
    """The present answer stays on offer even where this item may not read what made it one."""
    value = case.answers.get(question.id)
    if question.type != "choice" or not value or value in {option.value for option in question.options}:
        return question
    option = PlannedOption(value, answer_words(case.ready, question.id, value), Words(""))
    return msgspec.structs.replace(question, options=(option, *question.options))


async def correct(
    cases: Cases, case: Case, item: ItemRow, marked: Collection[str], typed: Mapping[str, str]
) -> Corrected:
    """Check changed answers as on the form, and find whom they concern. Errors: Invalid by question, AboutToIssue."""
    again = await ask_again(cases, case, item, system_of(item.department), marked, typed, whole=True)
    errors = unanswered(again.questions, again.checked)
    if errors:
        raise Invalid(dict(errors))
    changes = _changes(case, again)
    _refuse_other_items(case, again, changes)
    others: dict[str, Scope] = {}
    kept: list[str] = []
    for other in case.items.values():
        shared = own_questions(case.ready, other.id) & set(changes)
        if other.id == item.id or not shared:
            continue
        if other.state is ItemState.GRANTED:
            raise AboutToIssue(item=case.ready.items[other.id].name.zh)
        if is_decided(other):
            kept.append(other.id)
            continue
        _refuse_agreed(case, other, shared)
        others[other.id] = await _scope_of(cases, case, other, again)
    consents = plan_consents(again.scope, Deciding(again.scope), {item.id}) if changes else ()
    return Corrected(again, changes, others, tuple(kept), consents)


def _changes(case: Case, again: Again) -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for question in again.questions:
        was = case.answers.get(question.id, "")
        now = answer_text(again.checked.values.get(question.id)) or ""
        if was != now:
            found[question.id] = (was, now)
    for question in case.ready.matter.questions:
        if question.id in found or question.id not in case.answers or question.ask_when is None:
            continue
        leads = case.ready.compile(question.ask_when).reads.answers
        if leads & set(found) and asked_state(again.scope, question) is False:
            found[question.id] = (case.answers[question.id], "")
    return found


def _refuse_other_items(case: Case, again: Again, changes: Mapping[str, object]) -> None:
    """What would add or drop an item, or the right to apply, is a new application and no correction."""
    ready = case.ready
    rules = [item.applies for item in ready.matter.items if item.applies is not None]
    rules += [rule for rule, _ in ready.matter.eligible]
    for rule in rules:
        read = ready.compile(rule)
        leading = read.reads.answers & set(changes)
        if not leading:
            continue
        before, after = again.before.value(read), again.scope.value(read)
        if isinstance(after, Open) or isinstance(before, Open) or before != after:
            raise Invalid(dict.fromkeys(sorted(leading), _OTHER_ITEMS))


def _refuse_agreed(case: Case, other: ItemRow, shared: Collection[str]) -> None:
    """Somebody agreed to this answer for another item that still runs: it can only be changed there."""
    agreed = [q for q in agreed_to(case.ready, other.id) if q in shared]
    if agreed:
        name = case.ready.items[other.id].name.zh
        says = f"“{name}”也用这个答案，别人已经同意过。要改请先撤回“{name}”，再重新申请。"
        raise Invalid(dict.fromkeys(agreed, says))


def agreed_to(ready: CompiledMatter, item_id: str) -> tuple[str, ...]:
    """The answers that other parties see when they are asked to agree to the item."""
    if not any(item_id in consent.items for consent in ready.matter.consents):
        return ()
    return tuple(
        q for q in ready.items[item_id].answers if ready.questions[q].datum.partition(".")[0] != "case"
    )


async def _scope_of(cases: Cases, case: Case, other: ItemRow, again: Again) -> Scope:
    values = again.checked.values
    known, _ = await read_for_item(
        cases,
        case.ready,
        case.application,
        other.id,
        system_of(other.department),
        values,
        place=other.unit,
    )
    return scope_for(cases, case.ready, known, values)
