"""Reads of 补正: what an official may mark, what the applicant is asked again, what was changed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.answers import unanswered
from dizuo.engines.cases.context import FIXES, QUERIES, Cases
from dizuo.engines.cases.corrected import (
    agreed_to,
    answer_words,
    ask_again,
    is_decided,
    marked_in,
    own_questions,
)
from dizuo.engines.cases.errors import CaseNotFound
from dizuo.engines.cases.model import ByClerk, Case, ItemRow
from dizuo.engines.cases.plan_model import PlannedQuestion
from dizuo.engines.cases.reach import Actors, may_view, own_case, serving
from dizuo.engines.cases.reads_citizen import note_refusal
from dizuo.engines.cases.reads_desk import unit_name
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.states import ItemState
from dizuo.engines.cases.uploads import Upload, uploads_of
from dizuo.engines.cases.work import enter
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.store import begin


class FixChange(msgspec.Struct, frozen=True):
    """One answer before and after, as people read it; '' is no answer. ``kept`` are items that stay with the old one."""

    question: str
    asks: Words
    was: Words
    now: Words
    kept: tuple[Words, ...]


class FixServed(msgspec.Struct, frozen=True):
    """Who answered for the applicant: the clerk, the window's name, the proof of identity that was seen."""

    clerk: str
    window: str
    proof: str


class FixForm(msgspec.Struct, frozen=True):
    """The applicant's page of one fix request.

    ``questions`` are those to answer again with what is typed or was answered, ``present`` their present answers in
    words by question, ``errors`` the sentences by question when something was typed. ``seen`` is to be sent back.
    ``shared`` are decided items that will stay with the old answer, ``agreed`` the questions whose change asks others
    again. ``uploads`` are files that are kept, by line of ``wants`` from 1. When it is not ``open`` any more, ``changes`` and
    ``uploads`` tell what was sent, ``served`` by whom at a window.
    """

    number: str
    matter: str
    title: str
    item: str
    item_name: Words
    department: Words
    wants: tuple[Mapping[str, str], ...]
    reason: str
    until: datetime
    open: bool
    questions: tuple[PlannedQuestion, ...]
    present: Mapping[str, Words]
    errors: Mapping[str, str]
    seen: str
    shared: tuple[Words, ...]
    agreed: tuple[str, ...]
    answer: str
    answered_at: datetime | None
    changes: tuple[FixChange, ...]
    uploads: tuple[Upload, ...] = ()
    served: FixServed | None = None


class FixChoices(msgspec.Struct, frozen=True):
    """What an official may mark: (question, asks, present answer in words), and papers (material, name)."""

    questions: tuple[tuple[str, Words, Words], ...]
    materials: tuple[tuple[str, Words], ...]


async def fix_form(
    cases: Cases,
    actor: Actor,
    number: str,
    item_id: str,
    typed: Mapping[str, str] | None = None,
    *,
    served_by: ByClerk | None = None,
) -> FixForm:
    """What is asked of the applicant for one item; read by the clerk when the applicant is at a window.

    Errors: CaseNotFound, also when nothing was asked; Invalid; Refused for a clerk who may not serve.
    """
    try:
        case = await load_case(cases, cases.pool, number, lock=False)
        own_case(actor, case)
    except CaseNotFound:
        await note_refusal(cases, actor if served_by is None else served_by.clerk, number)
        raise
    reader = actor
    if served_by is not None:
        reader = serving(cases, served_by, actor, case.application.matter).clerk
        async with begin(cases.pool, cases.now) as tx:  # the clerk sees a case: entered before it is shown
            await enter(tx, reader, case.application, "case.view", items=(item_id,))
    item = case.items.get(item_id)
    fix = None if item is None else await cases.pool.fetchrow(QUERIES["fix"], case.application.id, item_id)
    if item is None or fix is None:
        raise CaseNotFound(fix="这一项没有要补的内容。")
    marked = marked_in(fix["wants"])
    still_open = _open(cases, item, fix)
    questions: tuple[PlannedQuestion, ...] = ()
    errors: Mapping[str, str] = {}
    if still_open and marked:
        again = await ask_again(cases, case, item, reader, marked, typed or {})
        questions = again.questions
        errors = unanswered(questions, again.checked) if typed is not None else {}
    asked = [question.id for question in questions]
    return FixForm(
        number=case.application.number,
        matter=case.application.matter,
        title=case.application.title,
        item=item_id,
        item_name=case.ready.items[item_id].name,
        department=cases.city.organisations[item.department].short,
        wants=tuple(fix["wants"]),
        reason=fix["reason"],
        until=fix["until"],
        open=still_open,
        questions=questions,
        present={q: answer_words(case.ready, q, case.answers[q]) for q in asked if q in case.answers},
        errors=errors,
        seen=seen_digest(case, marked),
        shared=_shared(case, item_id, asked),
        agreed=tuple(q for q in agreed_to(case.ready, item_id) if q in asked),
        answer=fix["answer"] or "",
        answered_at=fix["answered_at"],
        changes=await _changes(cases, case, item_id, inside=False),
        uploads=await uploads_of(cases.pool, case.application.id, item_id),
        served=served_words(cases, fix["served"]),
    )


def served_words(cases: Cases, served: Mapping[str, str] | None) -> FixServed | None:
    """Who answered at which window, as people call it."""
    if not served:
        return None
    window = served["unit"]
    if window in cases.city.organisations:
        window = unit_name(cases, window, served["place"])
    return FixServed(served["name"], window, served["proof"])


async def fix_uploads(cases: Cases, actors: Actors, number: str, item_id: str) -> tuple[Upload, ...]:
    """The files that were handed in for an item, for an official who may see it. Errors: CaseNotFound, Refused."""
    case = await load_case(cases, cases.pool, number, lock=False)
    _, covered = may_view(cases, actors, case)
    found = await uploads_of(cases.pool, case.application.id, item_id) if item_id in covered else ()
    return tuple(one for one in found if one.sent_at is not None)


def _open(cases: Cases, item: ItemRow, fix: Any) -> bool:
    return item.state is ItemState.FIX_AWAITED and fix["answered_at"] is None and cases.now() <= fix["until"]


def _shared(case: Case, item_id: str, asked: Collection[str]) -> tuple[Words, ...]:
    """Items that were granted on one of these answers; a decision that may still be taken back is told to nobody."""
    return tuple(
        case.ready.items[other.id].name
        for other in case.items.values()
        if other.id != item_id and other.state.succeeded and own_questions(case.ready, other.id) & set(asked)
    )


def seen_digest(case: Case, marked: Collection[str]) -> str:
    """A short name for the present answers to the marked questions: a page with another one is stale."""
    shown = [[question, case.answers.get(question, "")] for question in sorted(marked)]
    return hashlib.blake2b(canonical_json([case.application.number, shown]), digest_size=12).hexdigest()


async def _changes(cases: Cases, case: Case, item_id: str, *, inside: bool) -> tuple[FixChange, ...]:
    """The changes of one item; a decision that may still be taken back is for officials only (``inside``)."""
    rows = await cases.pool.fetch(FIXES["changes_of"], case.application.id)
    return tuple(
        FixChange(
            row["question"],
            case.ready.questions[row["question"]].asks,
            answer_words(case.ready, row["question"], row["was"]),
            answer_words(case.ready, row["question"], row["now"]),
            tuple(
                case.ready.items[name].name
                for name in row["keeps"]
                if (is_decided(case.items[name]) if inside else case.items[name].state.succeeded)
            ),
        )
        for row in rows
        if row["item"] == item_id and row["question"] in case.ready.questions
    )


async def fix_changes(cases: Cases, actors: Actors, number: str, item_id: str) -> tuple[FixChange, ...]:
    """What the applicant changed for an item, for an official who may see the item. Errors: CaseNotFound, Refused."""
    case = await load_case(cases, cases.pool, number, lock=False)
    _, covered = may_view(cases, actors, case)
    return await _changes(cases, case, item_id, inside=True) if item_id in covered else ()


async def fix_choices(cases: Cases, actors: Actors, number: str, item_id: str) -> FixChoices:
    """What may be marked in a fix request: the item's own questions as answered, and its declared papers.

    Errors: CaseNotFound, Refused.
    """
    case = await load_case(cases, cases.pool, number, lock=False)
    _, covered = may_view(cases, actors, case)
    if item_id not in covered:
        return FixChoices((), ())
    ready = case.ready
    mine = own_questions(ready, item_id)
    return FixChoices(
        tuple(
            (q.id, q.asks, answer_words(ready, q.id, case.answers[q.id]))
            for q in ready.matter.questions
            if q.id in mine and q.id in case.answers
        ),
        tuple((material.id, material.name) for material in ready.items[item_id].materials),
    )
