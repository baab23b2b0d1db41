"""What people do with a case that runs: consent, supply what was missing, withdraw, rate, report an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dizuo.engines.cases import effects
from dizuo.engines.cases.actions_pause import resumed
from dizuo.engines.cases.actions_submit import consent_expires
from dizuo.engines.cases.answers import read_answers
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import (
    CaseNotFound,
    ConsentClosed,
    NotPossibleNow,
)
from dizuo.engines.cases.model import ConsentRow
from dizuo.engines.cases.planned_questions import answer_text
from dizuo.engines.cases.reach import may_consent, own_case
from dizuo.engines.cases.reading import read_for_item, scope_for
from dizuo.engines.cases.records import load_case, load_consents
from dizuo.engines.cases.rules import advance
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.work import Work, system_of
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import Tx, begin

ROUNDS = 3
"""How often one may be asked to agree to the same thing."""


async def answer_consent(cases: Cases, actor: Actor, number: str, consent: str, *, agrees: bool) -> None:
    """The other party says yes or no; only the items that asked wait for it.

    Errors: CaseNotFound for anybody who was not asked, ConsentClosed when it was answered or has lapsed.
    """
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        rows = await load_consents(tx.conn, case.application.id)
        mine = next((r for r in rows if r.id == consent and r.subject == actor.subject), None)
        if mine is None or actor.kind != "resident":
            raise CaseNotFound()
        may_consent(cases, actor, case.application.matter)
        if mine.state != "pending" or tx.now > mine.expires_at:
            raise ConsentClosed()
        work = Work(cases, tx, case, actor)
        await tx.conn.execute(
            QUERIES["answer_consent"],
            case.application.id,
            mine.id,
            mine.party,
            "given" if agrees else "refused",
            tx.now,
        )
        await work.enter(
            "case.consent", items=mine.items, reason="同意" if agrees else "不同意", law=mine.law
        )
        if agrees:
            pending = [r for r in rows if r.id == mine.id and r is not mine and r.state == "pending"]
            if not pending:
                await _clear(work, mine)
        else:
            await _return(work, mine, Event.CONSENT_REFUSED, f"{actor.name}没有同意")
        await work.settle()


async def _clear(work: Work, consent: ConsentRow) -> None:
    """Everybody asked has agreed: items that wait for nothing else begin."""
    for item_id in consent.items:
        item = work.items.get(item_id)
        if item is None or item.state is not ItemState.CONSENT:
            continue
        left = tuple(name for name in item.consents if name != consent.id)
        if left:
            await work.change(item_id, consents=left)
            await work.history(Event.CONSENT_GIVEN, item=item_id, detail={"consent": consent.id})
            continue
        await work.move(item_id, Event.CONSENT_GIVEN, detail={"consent": consent.id}, consents=())
        if item.waits:
            await work.move(item_id, Event.WAIT)
        else:
            await effects.schedule_begin(work, item_id)
    await work.tell_applicant("consent_given", "对方已同意，接着办。")


async def _return(work: Work, consent: ConsentRow, event: Event, why: str) -> None:
    for item_id in consent.items:
        item = work.items.get(item_id)
        if item is None or item.state is not ItemState.CONSENT:
            continue
        await work.move(item_id, event, reason=why, detail={"consent": consent.id})
    names = "、".join(work.ready.items[item].name.zh for item in consent.items)
    await work.tell_applicant(
        "consent_returned",
        f"{why}，“{names}”先退回给您，其他事项照常办。您可以商量后再请对方同意，也可以撤回这一项。",
    )


async def consent_expiry(cases: Cases, tx: Tx, number: str, consent: str) -> None:
    """Nobody answered in time: the items go back to the applicant, kindly."""
    work = await Work.open(cases, tx, number, system_of(""))
    rows = await load_consents(tx.conn, work.application.id)
    open_rows = [r for r in rows if r.id == consent and r.state == "pending" and r.expires_at <= tx.now]
    if not open_rows:
        return
    for row in open_rows:
        await tx.conn.execute(
            QUERIES["answer_consent"], work.application.id, row.id, row.party, "expired", tx.now
        )
    await _return(work, open_rows[0], Event.CONSENT_EXPIRED, "对方到期没有答复")
    await work.settle()


async def ask_consent_again(cases: Cases, actor: Actor, number: str, consent: str) -> datetime:
    """The applicant asks once more after a refusal or a lapse; returns until when. Errors: ConsentClosed.

    Whatever else lapsed for the same items is asked again with it: half of the consents would start nothing.
    """
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        own_case(actor, case)
        rows = await load_consents(tx.conn, case.application.id)
        this = next((r for r in rows if r.id == consent), None)
        if this is None:
            raise CaseNotFound()
        if this.state == "pending":
            return this.expires_at
        lapsed = [r for r in rows if r.state in ("expired", "refused") and set(r.items) & set(this.items)]
        if this not in lapsed or any(r.round >= ROUNDS for r in lapsed):
            raise ConsentClosed(fix="可以撤回这一项，或到窗口办理。")
        work = Work(cases, tx, case, actor)
        declared = {c.id: c for c in case.ready.matter.consents}
        until = tx.now
        for row in lapsed:
            expires = consent_expires(cases, declared[row.id], tx.now)
            await tx.conn.execute(
                QUERIES["renew_consent"], case.application.id, row.id, row.party, tx.now, expires
            )
            await work.tell(
                row.subject, "consent", f"{case.application.applicant_name}再次请您看看：{row.asks}"
            )
            await work.later(
                "cases.consent_expiry",
                expires,
                {"number": number, "consent": row.id},
                f"consent:{case.application.id}:{row.id}:{int(expires.timestamp())}",
            )
            until = max(until, expires)
        for item_id in dict.fromkeys(item for row in lapsed for item in row.items):
            item = work.items.get(item_id)
            if item is not None and item.state is ItemState.RETURNED:
                await work.move(item_id, Event.ASK_CONSENT)
        await work.settle()
        return until


async def answer_fix(
    cases: Cases,
    actor: Actor,
    number: str,
    item_id: str,
    answer: str,
    changes: Mapping[str, str] | None = None,
) -> None:
    """补正: what was asked for, with changed answers where the form's answers were the problem.

    The clock goes on, and the checks run again on the new answers. Errors: CaseNotFound, Invalid, NotPossibleNow.
    """
    said = answer.strip()
    if not said and not changes:
        raise Invalid({"answer": "请写下要补充的内容。"})
    if len(said) > 2000:
        raise Invalid({"answer": f"最多 2000 个字，现在有 {len(said)} 个。"})
    case = await load_case(cases, cases.pool, number, lock=False)
    own_case(actor, case)
    item = case.items.get(item_id)
    if item is None:
        raise CaseNotFound()
    wanted = {q: text for q, text in (changes or {}).items() if q in case.ready.items[item_id].answers}
    checked = read_answers(case.ready, {**case.answers, **wanted}, cases.now().date())
    errors = {name: says for name, says in checked.errors.items() if name in wanted}
    if errors:
        raise Invalid(errors)
    system = system_of(item.department)
    known, _ = await read_for_item(
        cases, case.ready, case.application, item_id, system, checked.values, place=item.unit
    )
    scope = scope_for(cases, case.ready, known, checked.values)
    async with begin(cases.pool, cases.now) as tx:
        work = await Work.open(cases, tx, number, actor)
        item = work.items[item_id]
        if item.state is not ItemState.FIX_AWAITED:
            raise NotPossibleNow(state=item.state.word, event=Event.FIX.word)
        for question in wanted:
            await tx.conn.execute(
                QUERIES["change_answer"],
                work.application.id,
                question,
                answer_text(checked.values.get(question)) or "",
            )
        await tx.conn.execute(QUERIES["answer_fix"], work.application.id, item_id, said, tx.now)
        position = advance(work.ready, work.ready.items[item_id], item.steps_done, scope)
        await work.move(
            item_id,
            Event.FIX,
            reason=said,
            detail={"changed": sorted(wanted)},
            exceptions=position.exceptions,
            **resumed(work, item.clock, tx.now),
        )
        if item.before in (ItemState.REVIEWING, ItemState.EXTENDED):
            await work.move(item_id, Event.ACCEPT, to=item.before, before=None)
        await work.bring_back_tasks(item_id)
        await effects.watch_clock(work, item_id)
        await work.enter("case.fixed", items=(item_id,))
        await work.settle()


async def withdraw(
    cases: Cases, actor: Actor, number: str, item_id: str | None = None, reason: str = ""
) -> tuple[str, ...]:
    """撤回 the whole application, or one item, before it is decided; returns the items withdrawn.

    Items that wait for a withdrawn one end with it. Errors: CaseNotFound, NotPossibleNow when nothing can be
    withdrawn any more.
    """
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        own_case(actor, case)
        if item_id is not None and item_id not in case.items:
            raise CaseNotFound()
        work = Work(cases, tx, case, actor)
        chosen = [item_id] if item_id is not None else list(case.items)
        able = [name for name in chosen if work.items[name].state.before_decision]
        if not able:
            state = work.items[chosen[0]].state
            raise NotPossibleNow(
                state=state.word, event="撤回", fix="已经决定的事项不能撤回，可以申请变更或注销。"
            )
        gone: list[str] = []
        for name in able:
            if work.items[name].state.before_decision:
                await work.move(name, Event.WITHDRAW, reason=reason.strip()[:500], paused=False)
                await work.end_tasks(name, "dropped")
                gone.append(name)
        if item_id is not None:
            await effects.block_dependents(work, item_id)
        rows = await load_consents(tx.conn, case.application.id)
        for row in rows:
            if row.state == "pending" and all(
                work.items[i].state.ended for i in row.items if i in work.items
            ):
                await tx.conn.execute(
                    QUERIES["answer_consent"], case.application.id, row.id, row.party, "dropped", tx.now
                )
        await work.enter("case.withdraw", items=tuple(gone))
        await work.tell_applicant("withdrawn", f"已撤回 {len(gone)} 项，没有任何影响，以后可以再申请。")
        await work.settle()
        return tuple(gone)
