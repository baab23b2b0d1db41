"""Deciding: grant or refuse a step, take the decision back within ten minutes, let it take effect."""

from __future__ import annotations

from collections.abc import Mapping

from dizuo.engines.cases import effects
from dizuo.engines.cases.after_fix import follow
from dizuo.engines.cases.answers import read_answers
from dizuo.engines.cases.context import FIXES, QUERIES, Cases
from dizuo.engines.cases.corrected import answers_of
from dizuo.engines.cases.desk import Job, open_desk
from dizuo.engines.cases.errors import CaseNotFound, DecidedByOther, NotYourDecision, UndoTooLate
from dizuo.engines.cases.leads import open_leads
from dizuo.engines.cases.model import Case, Decided, ItemRow, Verdict
from dizuo.engines.cases.reach import Actors
from dizuo.engines.cases.reading import read_for_item, scope_for
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.rules import UNDO_WINDOW, advance, check_decision, check_law, remedy
from dizuo.engines.cases.scope import Scope
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.wording import fill, moment_words
from dizuo.engines.cases.work import Work, system_of
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.clocks import start
from dizuo.foundation.kernel.errors import Conflict
from dizuo.foundation.store import Tx, begin

_DECIDED = (ItemState.DECIDED_YES, ItemState.DECIDED_NO)


async def accept(
    cases: Cases, actors: Actors, number: str, item_id: str, *, version: int | None = None, reason: str = ""
) -> None:
    """受理: the materials are complete; the clock of the decision starts now. Errors: see ``open_desk``."""
    scope = await _scope_for_next(cases, number, item_id)
    async with begin(cases.pool, cases.now) as tx:
        work, _, job = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("accept",), what="受理"
        )
        await _accept(work, item_id, job.step, Event.ACCEPT, reason)
        await work.end_tasks(item_id, "done", "accept")
        if scope is not None:
            await _open_next(work, item_id, scope)
        await work.handled(item_id)
        await work.enter("case.accept", items=(item_id,), reason=reason)
        await work.tell_applicant("accepted", f"“{work.ready.items[item_id].name.zh}”已受理。", item_id)
        await work.settle()


async def _accept(work: Work, item_id: str, step: str | None, event: Event, reason: str) -> None:
    item = work.items[item_id]
    # 逾期未告知的，自收到材料之日起即为受理: the clock then runs from the receipt.
    begins = (item.received_at or work.tx.now) if event is Event.DEEM_ACCEPTED else work.tx.now
    clock = start(work.ready.terms[item_id], begins)
    await work.move(
        item_id,
        event,
        step=step,
        reason=reason,
        started_at=begins,
        steps_done=(*item.steps_done, *((step,) if step else ())),
        **work.clock_changes(clock),
    )
    await effects.watch_clock(work, item_id)


async def _open_next(work: Work, item_id: str, scope: Scope) -> None:
    """Open the steps that may follow now, with their checks run on today's facts."""
    item = work.items[item_id]
    position = advance(work.ready, work.ready.items[item_id], item.steps_done, scope)
    passed = tuple(dict.fromkeys((*item.passed, *position.passed)))
    await work.change(item_id, passed=passed, exceptions=position.exceptions, steps_done=position.done)
    await effects.open_steps(work, item_id, position)


async def _item_scope(cases: Cases, case: Case, item_id: str) -> Scope:
    values = read_answers(case.ready, await answers_of(cases.pool, case, item_id), cases.now().date()).values
    item = case.items[item_id]
    known, _ = await read_for_item(
        cases, case.ready, case.application, item_id, system_of(item.department), values, place=item.unit
    )
    return scope_for(cases, case.ready, known, values)


async def _scope_for_next(cases: Cases, number: str, item_id: str) -> Scope | None:
    """What the steps after the present one will check; None when no step follows.

    Read before anything is locked: the read's own entries commit on another connection.
    """
    case = await load_case(cases, cases.pool, number, lock=False)
    item = case.items.get(item_id)
    if item is None:
        raise CaseNotFound()
    declared = case.ready.items[item_id]
    judged = [step for step in declared.steps if step.kind == "judge"]
    return await _item_scope(cases, case, item_id) if len(judged) > 1 else None


async def deem_accepted(cases: Cases, tx: Tx, number: str, item_id: str) -> None:
    """视为受理: nobody asked for anything within 5 workdays, so the item counts as accepted since its receipt."""
    scope = await _scope_for_next(cases, number, item_id)
    case = await load_case(cases, tx.conn, number, lock=True)
    item = case.items.get(item_id)
    if item is None or item.state not in (ItemState.RECEIVED, ItemState.PREREVIEW):
        return
    work = Work(cases, tx, case, system_of(item.department))
    rows = await tx.conn.fetch(QUERIES["open_tasks"], case.application.id, item_id)
    step = next((row["step"] for row in rows if row["kind"] == "accept"), None)
    await _accept(work, item_id, step, Event.DEEM_ACCEPTED, "行政许可法第三十二条")
    await work.end_tasks(item_id, "dropped", "accept")
    if scope is not None:
        await _open_next(work, item_id, scope)
    await work.settle()


async def decide(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    verdict: Verdict,
    reason: str,
    *,
    law: str = "",
    choices: Mapping[str, str] | None = None,
    version: int | None = None,
) -> Decided:
    """Decide a step of an item: it takes effect in ten minutes, and can be undone until then.

    ``choices`` maps each exception to the declared way out; ``law`` is ``law-id:article`` and needed for a
    refusal, whose remedy (复议、诉讼) is written by the system. A step before the last is passed at once.
    Errors: Invalid, Refused, DecidedByOther, ItemChanged, NotPossibleNow.
    """
    scope = await _scope_for_next(cases, number, item_id)
    async with begin(cases.pool, cases.now) as tx:
        again = await _same_again(cases, tx, actors, number, item_id, verdict)
        if again is not None:
            return again
        work, item, job = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("judge",), what="决定"
        )
        declared = work.ready.items[item_id]
        chosen = dict(choices or {})
        check_decision(declared, item.exceptions, verdict, reason, law, chosen)
        says = check_law(cases.city, law) if law else ""
        done = (*item.steps_done, *((job.step,) if job.step else ()))
        last = verdict == "refuse" or advance(work.ready, declared, done, None).decided
        decision = await _enter(work, item, job, verdict if last else "pass", reason, law, says, chosen, last)
        if last:
            await _decide_last(work, item, job, verdict, reason, says, decision, done)
        else:
            await work.move(item_id, Event.PASS_STEP, step=job.step, reason=reason, steps_done=done)
            await work.tx.conn.execute(QUERIES["end_task"], job.task, "done", tx.now, job.actor.official)
            if scope is not None:
                await _open_next(work, item_id, scope)
        await work.handled(item_id)
        await work.enter("case.decide", items=(item_id,), reason=reason, law=law)
        await work.settle()
        final_at = tx.now + UNDO_WINDOW if last else tx.now
        return Decided(
            decision,
            number,
            item_id,
            verdict if last else "pass",
            tx.now,
            final_at,
            declared.granted.zh if verdict == "grant" else declared.refused.zh,
        )


async def _same_again(
    cases: Cases, tx: Tx, actors: Actors, number: str, item_id: str, verdict: str
) -> Decided | None:
    """The same official pressed twice: the first decision is the answer."""
    case = await load_case(cases, tx.conn, number, lock=True)
    item = case.items.get(item_id)
    if item is None or item.state not in _DECIDED:
        return None
    row = await tx.conn.fetchrow(QUERIES["standing_decision"], case.application.id, item_id)
    if row is None or row["official"] not in {a.official for a in actors} or row["verdict"] != verdict:
        return None
    declared = case.ready.items[item_id]
    words = declared.granted.zh if verdict == "grant" else declared.refused.zh
    return Decided(row["id"], number, item_id, verdict, row["at"], row["final_at"], words)


async def _enter(
    work: Work,
    item: ItemRow,
    job: Job,
    verdict: str,
    reason: str,
    law: str,
    cited: str,
    choices: Mapping[str, str],
    last: bool,
) -> int:
    organisation = work.cases.city.organisations[item.department]
    actor: Actor = job.actor
    decision = await work.tx.conn.fetchval(
        QUERIES["insert_decision"],
        work.application.id,
        item.id,
        job.step or "",
        verdict,
        reason.strip(),
        law,
        f"依据：{cited}。{remedy(organisation)}" if verdict == "refuse" else "",
        dict(choices),
        actor.official or "",
        actor.name,
        actor.post or "",
        actor.unit or "",
        work.tx.now,
        work.tx.now + UNDO_WINDOW if last else work.tx.now,
    )
    if decision is None:  # the unique index held: somebody's decision on this step stands
        row = await work.tx.conn.fetchrow(QUERIES["standing_decision"], work.application.id, item.id)
        raise DecidedByOther(
            who="" if row is None else row["official_name"],
            when="" if row is None else moment_words(row["at"]),
        )
    if not last:
        await work.tx.conn.execute(QUERIES["effect_decision"], decision, work.tx.now)
    return int(decision)


async def _decide_last(
    work: Work,
    item: ItemRow,
    job: Job,
    verdict: str,
    reason: str,
    cited: str,
    decision: int,
    done: tuple[str, ...],
) -> None:
    event = Event.DECIDE_YES if verdict == "grant" else Event.DECIDE_NO
    await work.move(
        item.id,
        event,
        step=job.step,
        reason=reason,
        detail={"decision": decision, "law": cited},
        before=item.state,
        decided_at=work.tx.now,
        steps_done=done,
    )
    await work.tx.conn.execute(QUERIES["end_task"], job.task, "done", work.tx.now, job.actor.official)
    await work.end_tasks(item.id, "held")
    await work.later(
        "cases.finalise", work.tx.now + UNDO_WINDOW, {"decision": decision}, f"decision:{decision}"
    )


async def undo(cases: Cases, actors: Actors, decision: int) -> str:
    """Take a decision back within ten minutes; returns the case number. Errors: NotYourDecision, UndoTooLate."""
    found = await cases.pool.fetchrow("SELECT application, item FROM cases.decision WHERE id = $1", decision)
    if found is None:
        raise CaseNotFound()
    missed = await _missed(cases, found["application"], found["item"])
    async with begin(cases.pool, cases.now) as tx:
        number = await tx.conn.fetchval(QUERIES["number_of"], found["application"])
        case = await load_case(cases, tx.conn, number, lock=True)
        row = await tx.conn.fetchrow(QUERIES["decision"], decision)
        actor = next((a for a in actors if row is not None and a.official == row["official"]), None)
        if row is None or actor is None:
            raise NotYourDecision("decision.own", "")
        if row["undone_at"] is not None:
            raise Conflict("这个决定已经撤回了。", fix="请刷新页面。")
        if row["effective_at"] is not None or tx.now >= row["final_at"]:
            raise UndoTooLate()
        work = Work(cases, tx, case, actor)
        item = work.items[row["item"]]
        await tx.conn.execute(QUERIES["undo_decision"], decision, tx.now)
        await work.move(
            item.id,
            Event.UNDO,
            to=item.before,
            step=row["step"],
            before=None,
            decided_at=None,
            steps_done=tuple(step for step in item.steps_done if step != row["step"]),
            detail={"decision": decision},
        )
        for task in await tx.conn.fetch(QUERIES["tasks_of_step"], case.application.id, item.id, row["step"]):
            await work.reopen_task(task["id"], task["unit"], work.items[item.id])
        await work.bring_back_tasks(item.id)
        if missed is not None:
            await follow(work, item.id, *missed)
        await work.enter("case.undo", items=(item.id,))
        await work.settle()
        return str(number)


async def _missed(cases: Cases, application: int, item_id: str) -> tuple[str, Scope] | None:
    """A correction that a decided item did not follow: by which item, and its facts under the present answers."""
    rows = await cases.pool.fetch(FIXES["changes_of"], application)
    by = next((row["item"] for row in reversed(rows) if item_id in row["keeps"]), None)
    if by is None:
        return None
    number = await cases.pool.fetchval(QUERIES["number_of"], application)
    case = await load_case(cases, cases.pool, number, lock=False)
    item = case.items[item_id]
    values = read_answers(case.ready, case.answers, cases.now().date()).values
    known, _ = await read_for_item(
        cases, case.ready, case.application, item_id, system_of(item.department), values, place=item.unit
    )
    return str(by), scope_for(cases, case.ready, known, values)


async def finalise(cases: Cases, tx: Tx, decision: int) -> None:
    """The window has closed: the decision takes effect. Nothing happens when it was undone or is effective."""
    row = await tx.conn.fetchrow(QUERIES["decision"], decision)
    if row is None or row["undone_at"] is not None or row["effective_at"] is not None:
        return
    # The facts are read before the case is locked, on another connection: their entries commit by themselves.
    case = await load_case(cases, tx.conn, row["number"], lock=False)
    item = case.items[row["item"]]
    system = system_of(item.department)
    scope = await _item_scope(cases, case, item.id)
    case = await load_case(cases, tx.conn, row["number"], lock=True)
    work = Work(cases, tx, case, system)
    await tx.conn.execute(QUERIES["effect_decision"], decision, tx.now)
    await work.move(item.id, Event.TAKE_EFFECT, step=row["step"], detail={"decision": decision})
    await work.end_tasks(item.id, "dropped")
    if row["verdict"] == "grant":
        await effects.take_effect(work, item.id, scope)
        await open_leads(work, item.id, scope.known, row["choices"])
    else:
        declared = work.ready.items[item.id]
        await work.tell_applicant(
            "refused", f"{fill(declared.refused, scope).zh}。理由：{row['reason']}。{row['remedy']}", item.id
        )
        await effects.block_dependents(work, item.id)
    await work.settle()
