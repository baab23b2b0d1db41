"""What happens later by itself; each handler runs in its job's own transaction, exactly once in effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from dizuo.engines.cases import effects
from dizuo.engines.cases.actions_citizen import consent_expiry
from dizuo.engines.cases.actions_decide import deem_accepted, finalise
from dizuo.engines.cases.actions_follow_up import follow_up_overdue
from dizuo.engines.cases.actions_pause import fix_timeout
from dizuo.engines.cases.answers import read_answers
from dizuo.engines.cases.archive import put_away
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.follow_up_work import OVERDUE
from dizuo.engines.cases.reading import read_for_item, scope_for
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.scope import Scope
from dizuo.engines.cases.states import ItemState
from dizuo.engines.cases.work import Work, system_of
from dizuo.foundation.store import Tx, outbox
from dizuo.foundation.store.jobs import Job

Handler = Callable[[Tx, Job], Awaitable[None]]


def handlers(cases: Cases) -> Mapping[str, Handler]:
    """The job kinds of this engine, for ``JobRunner``."""

    async def on_begin(tx: Tx, job: Job) -> None:
        await begin_released(cases, tx, job.payload["number"], job.payload["item"])

    async def on_issue(tx: Tx, job: Job) -> None:
        await issue_granted(cases, tx, job.payload["number"], job.payload["item"])

    async def on_finalise(tx: Tx, job: Job) -> None:
        await finalise(cases, tx, job.payload["decision"])

    async def on_deem_accepted(tx: Tx, job: Job) -> None:
        await deem_accepted(cases, tx, job.payload["number"], job.payload["item"])

    async def on_fix_timeout(tx: Tx, job: Job) -> None:
        await fix_timeout(cases, tx, job.payload["number"], job.payload["item"])

    async def on_consent_expiry(tx: Tx, job: Job) -> None:
        await consent_expiry(cases, tx, job.payload["number"], job.payload["consent"])

    async def on_clock(tx: Tx, job: Job) -> None:
        await clock_ran_out(cases, tx, job.payload["number"], job.payload["item"])

    async def on_warning(tx: Tx, job: Job) -> None:
        due = datetime.fromisoformat(job.payload["due"])
        await step_nearly_due(cases, tx, job.payload["number"], job.payload["task"], due)

    async def on_archive(tx: Tx, job: Job) -> None:
        await put_away(cases, tx, job.payload["number"])

    async def on_rating_due(tx: Tx, job: Job) -> None:
        await follow_up_overdue(cases, tx, job.payload["number"], datetime.fromisoformat(job.payload["due"]))

    return {
        OVERDUE: on_rating_due,
        "cases.archive": on_archive,
        "cases.begin": on_begin,
        "cases.issue": on_issue,
        "cases.finalise": on_finalise,
        "cases.deem_accepted": on_deem_accepted,
        "cases.fix_timeout": on_fix_timeout,
        "cases.consent_expiry": on_consent_expiry,
        "cases.clock": on_clock,
        "cases.warning": on_warning,
    }


async def _scope(cases: Cases, tx: Tx, number: str, item_id: str) -> Scope:
    """Today's facts for one item, read by its department's system before the case is locked."""
    case = await load_case(cases, tx.conn, number, lock=False)
    item = case.items[item_id]
    values = read_answers(case.ready, case.answers, tx.now.date()).values
    known, _ = await read_for_item(
        cases, case.ready, case.application, item_id, system_of(item.department), values, place=item.unit
    )
    return scope_for(cases, case.ready, known, values)


async def begin_released(cases: Cases, tx: Tx, number: str, item_id: str) -> None:
    """Begin an item whose waiting is over, with the facts of now."""
    scope = await _scope(cases, tx, number, item_id)
    work = await Work.open(cases, tx, number, system_of(""))
    item = work.items[item_id]
    if item.state is not ItemState.SUBMITTED or item.waits or item.consents:
        return
    work.actor = system_of(item.department)
    await effects.begin_item(work, item_id, scope)
    await work.settle()


async def issue_granted(cases: Cases, tx: Tx, number: str, item_id: str) -> None:
    """Make the document of a granted item whose register changes are now readable."""
    scope = await _scope(cases, tx, number, item_id)
    work = await Work.open(cases, tx, number, system_of(""))
    item = work.items[item_id]
    if item.state is not ItemState.GRANTED:
        return
    work.actor = system_of(item.department)
    await effects.hand_over(work, item_id, scope)
    await work.settle()


async def clock_ran_out(cases: Cases, tx: Tx, number: str, item_id: str) -> None:
    """The promised moment has come: say so if the item is still being worked on and its clock did not move."""
    work = await Work.open(cases, tx, number, system_of(""))
    item = work.items[item_id]
    if item.paused or not item.state.at_desk or item.due_promise is None or item.due_promise > tx.now:
        return
    await effects.late(work, item_id)


async def step_nearly_due(cases: Cases, tx: Tx, number: str, task: int, due: datetime) -> None:
    """One working day is left: mark the work on its desk and tell the outbox, if it is still open by then.

    The message names the work, the power and the place, and nobody: whoever sends it looks up who is on duty.
    """
    work = await Work.open(cases, tx, number, system_of(""))
    row = await tx.conn.fetchrow(QUERIES["task"], task)
    if (
        row is None
        or row["state"] != "open"
        or row["due"] != due
        or tx.now >= due
        or "warned" in row["detail"]
    ):
        return
    work.actor = system_of(row["department"])
    await tx.conn.execute(QUERIES["mark_task"], task, {"warned": tx.now.isoformat()})
    await work.history("promise_near", item=row["item"], step=row["step"])
    await outbox.put(
        tx,
        "early_warning",
        {
            "task": task,
            "number": number,
            "item": row["item"],
            "step": row["step"],
            "power": row["power"],
            "unit": row["unit"],
            "due": due.isoformat(),
        },
    )
