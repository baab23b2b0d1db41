"""What people do with a case that runs: consent, ask for a consent again, withdraw."""

from __future__ import annotations

from datetime import datetime

from dizuo.engines.cases import effects
from dizuo.engines.cases.actions_submit import consent_expires
from dizuo.engines.cases.after_fix import agreed_after_fix
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import (
    CaseNotFound,
    ConsentClosed,
    NotPossibleNow,
)
from dizuo.engines.cases.model import ConsentRow
from dizuo.engines.cases.reach import may_consent, own_case
from dizuo.engines.cases.records import load_case, load_consents
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.uploads import drop_unsent
from dizuo.engines.cases.work import Work, system_of
from dizuo.engines.registers import Actor
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
        if item.fix_asked_at is not None:
            await agreed_after_fix(work, item_id, consent.id)
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
                await drop_unsent(tx.conn, case.application.id, name)
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
