"""进度: one application as its applicant sees it — one number, one bar, every item in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.context import READS, Cases
from dizuo.engines.cases.errors import CaseNotFound
from dizuo.engines.cases.follow_up import BAD
from dizuo.engines.cases.model import Case, ConsentRow, ItemRow
from dizuo.engines.cases.reach import own_case
from dizuo.engines.cases.reads_citizen import answer_label, note_refusal
from dizuo.engines.cases.reads_follow_up import FollowUpTold, told_of
from dizuo.engines.cases.records import load_case, load_consents
from dizuo.engines.cases.states import ApplicationState, Event, ItemState
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clocks import Level, level


class EventLine(msgspec.Struct, frozen=True):
    """One line of the history in words."""

    at: datetime
    what: str
    item: Words | None
    who: str
    reason: str
    name: str


class FixView(msgspec.Struct, frozen=True):
    """What was asked for, and the answer if there is one; ``served`` as in ``ByClerk.as_kept``, None without a clerk."""

    wants: tuple[Mapping[str, str], ...]
    reason: str
    until: datetime
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    served: Mapping[str, str] | None = None


class DecisionView(msgspec.Struct, frozen=True):
    """An effective decision as its addressee reads it: reason, law and remedy."""

    verdict: str
    reason: str
    law: str
    remedy: str
    unit: str
    at: datetime


class ProgressItem(msgspec.Struct, frozen=True):
    """One item as the applicant sees it. ``word`` hides a decision that is not effective yet."""

    id: str
    name: Words
    department: Words
    state: ItemState
    word: str
    waits_for: tuple[Words, ...]
    due_promise: datetime | None
    due_statute: datetime | None
    level: Level | None
    paused: bool
    pause_reason: str
    fix: FixView | None
    decision: DecisionView | None
    documents: tuple[str, ...]
    may_withdraw: bool
    answers: tuple[str, ...]


class Progress(msgspec.Struct, frozen=True):
    """The progress page. ``done`` of ``total`` items have ended well or otherwise."""

    number: str
    matter: str
    matter_name: Words
    title: str
    state: ApplicationState
    submitted_at: datetime
    promised: datetime | None
    ended_at: datetime | None
    channel: str
    items: tuple[ProgressItem, ...]
    done: int
    total: int
    consents: tuple[ConsentRow, ...]
    answers: tuple[tuple[Words, str, str], ...]
    documents: tuple[tuple[str, str], ...]
    history: tuple[EventLine, ...]
    may_withdraw: bool
    may_rate: bool
    rating: int | None
    followed: FollowUpTold | None = None


_HIDDEN = (ItemState.DECIDED_YES, ItemState.DECIDED_NO)


async def progress(cases: Cases, actor: Actor, number: str) -> Progress:
    """The applicant's own case. Errors: CaseNotFound, the same for a number that does not exist; both entered."""
    try:
        case = await load_case(cases, cases.pool, number, lock=False)
        own_case(actor, case)
    except CaseNotFound:
        await note_refusal(cases, actor, number)
        raise
    application = case.application
    pool = cases.pool
    fixes = {row["item"]: row for row in await pool.fetch(READS["fixes_in"], application.id)}
    decisions = {
        row["item"]: row
        for row in await pool.fetch(READS["decisions_in"], application.id)
        if row["effective_at"] is not None and row["verdict"] != "pass"
    }
    specials = {row["item"]: row for row in await pool.fetch(READS["specials_in"], application.id)}
    documents = await pool.fetch(READS["documents_in"], application.id)
    rating = await pool.fetchrow(READS["rating"], application.id)
    events = await pool.fetch(READS["history"], application.id)
    items = tuple(
        _item(cases, case, item, fixes.get(item.id), decisions.get(item.id), specials.get(item.id), documents)
        for item in case.items.values()
    )
    ended = sum(1 for item in case.items.values() if item.state.ended)
    return Progress(
        number=application.number,
        matter=application.matter,
        matter_name=case.ready.matter.name,
        title=application.title,
        state=application.state,
        submitted_at=application.submitted_at,
        promised=application.promised,
        ended_at=application.ended_at,
        channel=application.channel,
        items=items,
        done=ended,
        total=len(items),
        consents=await load_consents(pool, application.id),
        answers=tuple(
            (case.ready.questions[q].asks, answer_label(cases, application.matter, q, value), q)
            for q, value in case.answers.items()
            if q in case.ready.questions
        ),
        documents=tuple((row["number"], row["name"]) for row in documents),
        history=tuple(line for line in (event_line(case, row) for row in events) if line is not None),
        may_withdraw=any(item.state.before_decision for item in case.items.values()),
        may_rate=application.state.ended and rating is None,
        rating=None if rating is None else rating["level"],
        followed=None
        if rating is None or rating["level"] > BAD
        else await told_of(cases, pool, application.id),
    )


def _item(
    cases: Cases, case: Case, item: ItemRow, fix: Any, decision: Any, special: Any, documents: Any
) -> ProgressItem:
    declared = case.ready.items[item.id]
    hidden = item.state in _HIDDEN
    colour = None
    if item.clock is not None and item.state.before_decision:
        found = level(item.clock, cases.now(), cases.calendar)
        colour = found if isinstance(found, Level) else None
    pause_reason = ""
    if item.paused and item.clock is not None and item.clock.pauses:
        pause_reason = item.clock.pauses[-1].reason.word
        if special is not None and special["ended_at"] is None:
            pause_reason = f"{pause_reason}，需要{special['needs']}"
    return ProgressItem(
        id=item.id,
        name=declared.name,
        department=cases.city.organisations[item.department].short,
        state=ItemState.REVIEWING if hidden else item.state,
        word=ItemState.REVIEWING.word if hidden else item.state.word,
        waits_for=tuple(case.ready.items[before].name for before in item.waits),
        due_promise=item.due_promise,
        due_statute=item.due_statute,
        level=colour,
        paused=item.paused,
        pause_reason=pause_reason,
        fix=None if fix is None else fix_view(fix),
        decision=None if decision is None else _decision(cases, item, decision),
        documents=tuple(row["number"] for row in documents if row["item"] == item.id),
        may_withdraw=item.state.before_decision,
        answers=declared.answers,
    )


def fix_view(row: Any) -> FixView:
    return FixView(
        tuple(row["wants"]),
        row["reason"],
        row["until"],
        row["asked_at"],
        row["answer"],
        row["answered_at"],
        row["served"],
    )


def _decision(cases: Cases, item: ItemRow, row: Any) -> DecisionView:
    return DecisionView(
        row["verdict"],
        row["reason"],
        row["law"],
        row["remedy"],
        cases.city.organisations[item.department].name.zh,
        row["at"],
    )


_QUIET = {Event.DECIDE_YES.value, Event.DECIDE_NO.value, Event.UNDO.value, Event.PASS_STEP.value, "refer",
          "referral_answered", "ask_extension", "extension_declined", "lead", "pressed", "promise_near"}  # fmt: skip
_OTHER_WORDS = {
    "end": "全部办结",
    "rated": "已评价",
    "promise_passed": "超过承诺时间",
    "refer": "转同事核实",
    "referral_answered": "核实有了答复",
    "ask_extension": "申请延期",
    "extension_declined": "延期没有批准",
    "lead": "发出更正线索",
    "pressed": "督办",
    "promise_near": "一个工作日内到期，已提醒经办",
}


def event_word(name: str) -> str:
    """What an event of the history is called."""
    return _OTHER_WORDS[name] if name in _OTHER_WORDS else Event(name).word


def event_line(case: Case, row: Any, *, inside: bool = False) -> EventLine | None:
    """One line of history in words; what is internal or not effective yet is for officials only (``inside``)."""
    name = row["name"]
    if not inside and name in _QUIET:
        return None
    word = event_word(name)
    item = case.ready.items.get(row["item"] or "")
    who = row["actor_name"]
    if not inside and row["actor_kind"] == "official":
        who = "工作人员"  # a citizen sees which unit acted; names of officials stay inside
    return EventLine(row["at"], word, None if item is None else item.name, who, row["reason"], name)
