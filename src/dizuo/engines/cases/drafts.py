"""Filling in: the form of a matter with what the city knows already, and drafts that resume."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

import msgspec

from dizuo.engines.cases.answers import Checked, read_answers
from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import DraftNotFound, StaleDraft
from dizuo.engines.cases.plan import plan_decided
from dizuo.engines.cases.plan_model import Known, Plan
from dizuo.engines.cases.reach import may_apply
from dizuo.engines.cases.reading import read_for_plan
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.registers import Actor, Refusal
from dizuo.foundation.kernel.errors import Refused
from dizuo.foundation.store import begin


class Form(msgspec.Struct, frozen=True):
    """Everything a form page shows: the plan, the answers as typed, what was refused, and the draft if there is one."""

    plan: Plan
    known: Known
    answers: Mapping[str, str]
    given: Mapping[str, str]
    errors: Mapping[str, str]
    refusals: tuple[Refusal, ...]
    draft: str | None = None
    version: int = 0


class DraftSaved(msgspec.Struct, frozen=True):
    """A form put aside."""

    id: str
    version: int
    updated_at: datetime


async def open_form(
    cases: Cases,
    actor: Actor,
    matter_id: str,
    answers: Mapping[str, str],
    choices: Mapping[str, str] | None = None,
    *,
    case: str = "",
) -> Form:
    """The form of a matter for this person with the answers so far: read what is needed, plan, check.

    ``choices`` are the records chosen for parties with several candidates (party id → record key); ``case`` is
    the draft's id when there is one. Errors: MatterNotFound, Refused when every read was refused.
    """
    ready = cases.matter(matter_id)
    may_apply(cases, actor, matter_id)
    given = {**(choices or {}), ready.given: str(whom_of(actor))}
    return await make_form(cases, ready, actor, given, answers, case or f"form:{matter_id}")


async def make_form(
    cases: Cases,
    ready: CompiledMatter,
    actor: Actor,
    given: Mapping[str, str],
    answers: Mapping[str, str],
    case: str,
) -> Form:
    now = cases.now()
    checked = read_answers(ready, answers, now.date())
    known, refusals, decided = await read_for_plan(cases, ready, actor, given, checked.values, case, now)
    if refusals and not known.facts:
        refusal = refusals[0]
        raise Refused(refusal.rule, refusal.law, refusal.says or None, fix="请到窗口办理，或拨打 12345。")
    made = plan_decided(decided, now, cases.calendar)
    return Form(made, known, dict(answers), given, _shown_errors(made, checked), refusals)


def _shown_errors(made: Plan, checked: Checked) -> Mapping[str, str]:
    asked = {question.id for question in made.questions}
    return {name: says for name, says in checked.errors.items() if name in asked}


async def save_draft(
    cases: Cases,
    actor: Actor,
    account: int,
    matter_id: str,
    answers: Mapping[str, str],
    choices: Mapping[str, str] | None = None,
    *,
    draft: str | None = None,
    version: int = 0,
) -> DraftSaved:
    """Put a form aside, as typed. Errors: StaleDraft when another page saved it meanwhile, DraftNotFound."""
    ready = cases.matter(matter_id)
    subject = subject_of(actor)
    kept = {q.id: answers[q.id][:500] for q in ready.matter.questions if answers.get(q.id)}
    chosen = {party: key for party, key in (choices or {}).items() if party in ready.parties}
    async with begin(cases.pool, cases.now) as tx:
        if draft is None:
            row = await tx.conn.fetchrow(
                QUERIES["insert_draft"], account, subject, actor.acting_for, matter_id, kept, chosen, tx.now
            )
        else:
            key = draft_key(draft)
            row = await tx.conn.fetchrow(QUERIES["update_draft"], key, subject, version, kept, chosen, tx.now)
            if row is None:
                found = await tx.conn.fetchrow(QUERIES["draft"], key, subject)
                if found is None:
                    raise DraftNotFound()
                raise StaleDraft(when=moment_words(found["updated_at"]))
        assert row is not None
        return DraftSaved(str(row["id"]), row["version"], row["updated_at"])


class Unfinished(msgspec.Struct, frozen=True):
    """The form of a matter as the person left it, and the application for the same matter that still runs."""

    form: Form
    saved_at: datetime | None
    running: tuple[str, str] | None
    """Number and title."""


async def resume_form(cases: Cases, actor: Actor, matter_id: str, draft: str = "") -> Unfinished:
    """The form from the named draft, else from the newest of this matter, else a fresh one; re-planned with today's facts.

    Errors: those of ``open_form``.
    """
    may_apply(cases, actor, matter_id)
    wanted = draft_key(draft) if draft else None
    row = await cases.unfinished.submit((subject_of(actor), actor.acting_for, matter_id, wanted))
    running = None if row["number"] is None else (str(row["number"]), str(row["title"]))
    if row["id"] is None:
        return Unfinished(await open_form(cases, actor, matter_id, {}, {}), None, running)
    form = await open_form(cases, actor, matter_id, row["answers"], row["given"], case=str(row["id"]))
    kept = msgspec.structs.replace(form, draft=str(row["id"]), version=row["version"])
    return Unfinished(kept, row["updated_at"], running)


async def drop_draft(cases: Cases, actor: Actor, draft: str) -> None:
    """Throw a draft away; nothing is said when it is gone already."""
    await cases.pool.execute(QUERIES["delete_draft"], draft_key(draft), subject_of(actor))


def subject_of(actor: Actor) -> int:
    if actor.subject is None:
        raise Refused(
            "applicant", "", "请用本人账号办理。", fix="工作人员请用窗口代办，先核对来人的身份证件。"
        )
    return actor.subject


def whom_of(actor: Actor) -> int:
    """Whose matter it is: the enterprise or person acted for, else the applicant."""
    return actor.acting_for if actor.acting_for is not None else subject_of(actor)


def draft_key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise DraftNotFound() from None
