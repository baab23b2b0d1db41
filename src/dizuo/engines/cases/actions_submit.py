"""Filling in and submitting: drafts that resume, and one submission that is acknowledged only when it is on disk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases import effects
from dizuo.engines.cases.answers import Checked, complete, read_answers
from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.drafts import Form, draft_key, make_form, subject_of, whom_of
from dizuo.engines.cases.errors import NotEligible, StaleDraft
from dizuo.engines.cases.model import Application, Case, ItemRow, Receipt
from dizuo.engines.cases.numbers import make_number
from dizuo.engines.cases.plan import digest_of
from dizuo.engines.cases.plan_model import PlannedConsent, PlannedItem
from dizuo.engines.cases.planned_questions import answer_text
from dizuo.engines.cases.reach import may_apply
from dizuo.engines.cases.reading import scope_for
from dizuo.engines.cases.rules import unit_of
from dizuo.engines.cases.scope import Scope
from dizuo.engines.cases.states import ApplicationState, Event, ItemState
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Consent
from dizuo.foundation.kernel.clocks import Deadline, start
from dizuo.foundation.kernel.clocks import due as clock_due
from dizuo.foundation.kernel.errors import Conflict, Invalid, Refused
from dizuo.foundation.store import begin


async def submit(
    cases: Cases,
    actor: Actor,
    account: int,
    matter_id: str,
    answers: Mapping[str, str],
    choices: Mapping[str, str] | None,
    form_token: str,
    *,
    draft: str | None = None,
    version: int = 0,
    served_by: Actor | None = None,
) -> Receipt:
    """Submit once, for good: the receipt is given when everything is durable.

    The same ``form_token`` twice gives the same receipt. ``served_by`` is the window clerk when the applicant
    stands at a window; ``actor`` is then still the applicant. Errors: Invalid with the fields, NotEligible,
    StaleDraft, Refused.
    """
    ready = cases.matter(matter_id)
    may_apply(cases, actor, matter_id)
    if served_by is not None:
        may_apply(cases, served_by, matter_id, serving=True)
    again = await _made_before(cases, form_token, account)
    if again is not None:
        return again
    given = {**(choices or {}), ready.given: str(whom_of(actor))}
    reader = actor if served_by is None else msgspec.structs.replace(served_by, acting_for=whom_of(actor))
    form = await make_form(cases, ready, reader, given, answers, draft or f"form:{form_token[:24]}")
    checked = read_answers(ready, answers, cases.now().date())
    _check(form, checked)
    subjects = await _consenters(cases, ready, form)
    scope = scope_for(cases, ready, form.known, checked.values)
    async with begin(cases.pool, cases.now) as tx:
        if draft is not None:
            found = await tx.conn.fetchrow(QUERIES["draft"], draft_key(draft), subject_of(actor))
            if found is not None and version and found["version"] != version:
                raise StaleDraft(when=moment_words(found["updated_at"]))
        stored = {
            q.id: answer_text(checked.values[q.id]) or ""
            for q in form.plan.questions
            if q.id in checked.values
        }
        made = await _insert(cases, tx, ready, form, actor, account, form_token, served_by, stored)
        if made is None:
            pass
        else:
            await _start(cases, tx, made, ready, form, actor, served_by, scope, subjects, stored)
            if draft is not None:
                await tx.conn.execute(QUERIES["delete_draft"], draft_key(draft), subject_of(actor))
    if made is None:  # the same form was submitted at the same moment and won
        receipt = await _made_before(cases, form_token, account)
        if receipt is None:
            raise Conflict()
        return receipt
    promised = form.plan.promised
    return Receipt(
        number=made.number,
        title=made.title,
        submitted_at=made.submitted_at,
        promised=promised.at if isinstance(promised, Deadline) else None,
        items=tuple(item.id for item in form.plan.applied),
        again=False,
    )


def _check(form: Form, checked: Checked) -> None:
    if form.plan.eligible:
        raise NotEligible(why="；".join(unmet.words.zh for unmet in form.plan.eligible))
    errors = dict(complete(form.plan, checked))
    for party in form.plan.choose:
        errors[party] = "请先选一个。"
    if errors:
        raise Invalid(errors, f"还有 {len(errors)} 处要填。" if len(errors) > 1 else None)
    if form.plan.undecided:
        raise Conflict("有事项暂时判断不了能不能办。", fix="请稍后再试，或到窗口办理。")
    if not form.plan.applied:
        raise NotEligible(why="这件事里的事项您都已经办好了，或者都不用办。")


async def _made_before(cases: Cases, form_token: str, account: int) -> Receipt | None:
    row = await cases.pool.fetchrow(QUERIES["receipt_by_token"], form_token)
    if row is None:
        return None
    if row["account"] != account:
        raise Refused("form-token", "", "这一页不是为您打开的。", fix="请重新打开表单。")
    return Receipt(
        row["number"], row["title"], row["submitted_at"], row["promised"], tuple(row["items"] or ()), True
    )


async def _consenters(cases: Cases, ready: CompiledMatter, form: Form) -> Mapping[str, int]:
    """The identity of each party who must consent (party id → subject)."""
    found: dict[str, int] = {}
    for consent in form.plan.consents:
        for party, key in zip(consent.parties, consent.keys, strict=True):
            scheme = (
                "uscc"
                if ready.city.registers[ready.parties[party].register].base == "enterprise"
                else "citizen_id"
            )
            subject = await cases.registers.identity_of(scheme, key, "system")
            if subject is not None:
                found[party] = subject
    return found


async def _insert(
    cases: Cases,
    tx: Any,
    ready: CompiledMatter,
    form: Form,
    actor: Actor,
    account: int,
    form_token: str,
    served_by: Actor | None,
    stored: Mapping[str, str],
) -> Application | None:
    made = form.plan
    count = int(await tx.conn.fetchval(QUERIES["next_number"]))
    number = make_number(cases.city.number_prefix, tx.now.date(), count)
    promised = made.promised.at if isinstance(made.promised, Deadline) else None
    title = made.title or ready.matter.name.zh
    place = made.place or cases.city.code
    chosen = {
        party: state.key
        for party, state in form.known.parties.items()
        if state.state == "found"
        and state.key
        and (party in form.given or ready.parties[party].pick == "choose")
    }
    given = {**chosen, ready.given: form.given[ready.given]}
    channel = actor.channel if served_by is None else "window"
    named = form.known.facts.get(f"{ready.given}.name")
    holder = str(named.value) if named is not None and named.value else actor.name
    application = await tx.conn.fetchval(
        QUERIES["insert_application"],
        number,
        form_token,
        ready.matter.id,
        ready.matter.version,
        cases.city.version,
        subject_of(actor),
        actor.name,
        actor.acting_for,
        account,
        channel if channel in ("online", "window", "phone") else "online",
        None if served_by is None else served_by.official,
        None if served_by is None else served_by.unit,
        given,
        place,
        title[:200],
        promised,
        msgspec.to_builtins(made.counts),
        digest_of(made, stored),
        tx.now,
        holder,
    )
    if application is None:
        return None
    await tx.conn.execute(
        QUERIES["insert_answers"], application, list(stored), [stored[name] for name in stored]
    )
    return Application(
        id=application,
        number=number,
        matter=ready.matter.id,
        applicant=subject_of(actor),
        applicant_name=actor.name,
        acting_for=actor.acting_for,
        holder_name=holder,
        channel=channel,
        served_by=None if served_by is None else served_by.official,
        given=given,
        place=place,
        title=title[:200],
        state=ApplicationState.RUNNING,
        promised=promised,
        submitted_at=tx.now,
        ended_at=None,
        version=1,
    )


async def _start(
    cases: Cases,
    tx: Any,
    application: Application,
    ready: CompiledMatter,
    form: Form,
    actor: Actor,
    served_by: Actor | None,
    scope: Scope,
    subjects: Mapping[str, int],
    stored: Mapping[str, str],
) -> None:
    consents = [c for c in form.plan.consents if any(party in subjects for party in c.parties)]
    items: dict[str, ItemRow] = {}
    for position, planned in enumerate(form.plan.applied):
        row = _row(cases, planned, application, consents)
        items[planned.id] = row
        await tx.conn.execute(
            QUERIES["insert_item"],
            application.id,
            row.id,
            position,
            row.department,
            row.unit,
            row.state.value,
            list(row.waits),
            list(row.consents),
            tx.now,
        )
    work = Work(cases, tx, Case(application, items, stored, ready), served_by or actor)
    await work.claim()
    await work.history(
        Event.SUBMIT,
        reason="" if served_by is None else f"窗口代为提交：{served_by.name}",
        detail={"items": list(items), "asked": form.plan.counts.asked, "known": form.plan.counts.known},
    )
    await _ask_consents(work, ready, consents, subjects)
    for item_id in ready.order:
        row = work.items.get(item_id)
        if row is None:
            continue
        if row.consents:
            await work.move(item_id, Event.ASK_CONSENT)
        elif row.waits:
            await work.move(item_id, Event.WAIT)
        else:
            await effects.begin_item(work, item_id, scope)
    await work.enter("case.submit", items=tuple(items))
    await work.tell_applicant("submitted", f"{application.title}已收到，办件号 {application.number}。")
    await work.settle()


def _row(
    cases: Cases, planned: PlannedItem, application: Application, consents: list[PlannedConsent]
) -> ItemRow:
    return ItemRow(
        id=planned.id,
        department=planned.department,
        unit=unit_of(cases.city, planned.department, planned.unit_place or application.place),
        state=ItemState.SUBMITTED,
        before=None,
        waits=planned.waits_for,
        consents=tuple(c.id for c in consents if planned.id in c.items),
        steps_done=(),
        passed=(),
        exceptions=(),
        clock=None,
        received_at=application.submitted_at,
        started_at=None,
        due_promise=None,
        due_statute=None,
        paused=False,
        fix_asked_at=None,
        decided_at=None,
        ended_at=None,
        version=1,
    )


async def _ask_consents(
    work: Work, ready: CompiledMatter, consents: list[PlannedConsent], subjects: Mapping[str, int]
) -> None:
    declared: Mapping[str, Consent] = {c.id: c for c in ready.matter.consents}
    for consent in consents:
        expires = consent_expires(work.cases, declared[consent.id], work.tx.now)
        for party in consent.parties:
            if party not in subjects:
                continue
            await work.tx.conn.execute(
                QUERIES["insert_consent"],
                work.application.id,
                consent.id,
                party,
                subjects[party],
                list(consent.items),
                consent.asks.zh,
                declared[consent.id].basis.key,
                work.tx.now,
                expires,
            )
            await work.tell(
                subjects[party],
                "consent",
                f"{work.application.applicant_name}在办“{work.application.title}”，请您看看是否同意：{consent.asks.zh}",
            )
        await work.later(
            "cases.consent_expiry",
            expires,
            {"number": work.application.number, "consent": consent.id},
            f"consent:{work.application.id}:{consent.id}:{int(expires.timestamp())}",
        )


def consent_expires(cases: Cases, consent: Consent, now: datetime) -> datetime:
    """When an unanswered request lapses; by calendar days when the working calendar does not know."""
    from dizuo.engines.cases.compiled import duration_of
    from dizuo.foundation.kernel.clocks import Term

    term = Term(
        id=consent.id,
        duration=duration_of(consent.expires),
        law=consent.basis.key,
        verified=True,
        starts_on="请求同意",
    )
    end = clock_due(start(term, now), cases.calendar)
    if isinstance(end, Deadline):
        return end.at
    return datetime.combine(end.not_before, now.timetz())
