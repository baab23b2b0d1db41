"""What lengthens the work without stopping it: the one extension, a colleague's answer, a visit, the handing over."""

from __future__ import annotations

from datetime import datetime

from dizuo.engines.cases import effects
from dizuo.engines.cases.actions_pause import reason_of
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.desk import open_desk
from dizuo.engines.cases.errors import NotPossibleNow, SameApprover
from dizuo.engines.cases.reach import Actors
from dizuo.engines.cases.states import Event
from dizuo.engines.cases.wording import day_words
from dizuo.foundation.kernel import clocks
from dizuo.foundation.kernel.errors import Invalid, Refused
from dizuo.foundation.store import begin


async def ask_extension(
    cases: Cases, actors: Actors, number: str, item_id: str, reason: str, *, version: int | None = None
) -> int:
    """Ask whoever may approve for the one extension that the law allows; returns the task. Errors: kernel clocks'."""
    said = reason_of(reason)
    async with begin(cases.pool, cases.now) as tx:
        work, item, job = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("judge",), what="申请延期"
        )
        if item.clock is None:
            raise NotPossibleNow(state=item.state.word, event=Event.EXTEND.word)
        # The kernel refuses a second extension, an unextendable clock and a late one before anybody is bothered.
        clocks.extend(item.clock, tx.now, "待批准", said, cases.calendar)
        task = await work.open_task(
            "extension",
            item_id,
            f"{item.department}.approve",
            step=job.step,
            detail={"reason": said, "asked_by": job.actor.official, "asked_name": job.actor.name},
        )
        await work.history("ask_extension", item=item_id, reason=said)
        await work.handled(item_id)
        return task


async def approve_extension(
    cases: Cases, actors: Actors, number: str, item_id: str, approve: bool, reason: str = ""
) -> datetime | None:
    """延期: decided by another official with the power of approving; the applicant is told the reason.

    Returns the new due moment. Errors: SameApprover, Refused, and the kernel's for clocks.
    """
    async with begin(cases.pool, cases.now) as tx:
        work, item, job = await open_desk(
            cases, tx, actors, number, item_id, None, kinds=("extension",), what="批准延期"
        )
        asked = str(job.detail["reason"])
        if job.detail["asked_by"] == job.actor.official:
            raise SameApprover("extension.other_approver", "licensing-2019:42")
        await work.end_tasks(item_id, "done", "extension")
        await work.handled(item_id)
        if not approve:
            await work.history("extension_declined", item=item_id, reason=reason_of(reason))
            return None
        if item.clock is None:
            raise NotPossibleNow(state=item.state.word, event=Event.EXTEND.word)
        clock = clocks.extend(item.clock, tx.now, job.actor.name, asked, cases.calendar)
        changes = work.clock_changes(clock)
        await work.move(item_id, Event.EXTEND, reason=asked, detail={"approver": job.actor.name}, **changes)
        due = work.items[item_id].due_promise or work.items[item_id].due_statute
        await work.end_tasks(item_id, "held", "judge")
        await work.bring_back_tasks(item_id)
        await effects.watch_clock(work, item_id)
        await work.enter("case.extend", items=(item_id,), reason=asked, law="licensing-2019:42")
        until = "" if due is None else f"，延到 {day_words(due)}"
        await work.tell_applicant(
            "extended",
            f"“{work.ready.items[item_id].name.zh}”经负责人批准延长时限{until}。理由：{asked}",
            item_id,
        )
        await work.settle()
        return due


async def refer(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    question: str,
    *,
    unit: str | None = None,
    version: int | None = None,
) -> int:
    """部门协同: ask colleagues with the same power at the place (or at ``unit``); the clock runs on."""
    said = reason_of(question, "question", "请写明要核实什么。")
    async with begin(cases.pool, cases.now) as tx:
        work, item, job = await open_desk(cases, tx, actors, number, item_id, version, what="转核实")
        if unit is not None and unit not in cases.city.divisions:
            raise Invalid({"unit": "没有这个地方。"})
        task = await work.open_task(
            "referral",
            item_id,
            job.power,
            step=job.step,
            unit=unit or item.unit,
            rail="cooperating",
            detail={"question": said, "asked_by": job.actor.official, "asked_name": job.actor.name},
        )
        await work.history("refer", item=item_id, reason=said, detail={"unit": unit or item.unit})
        await work.handled(item_id)
        return task


async def answer_referral(cases: Cases, actors: Actors, number: str, item_id: str, answer: str) -> None:
    """A colleague's answer; it goes into the history that the asking official sees."""
    said = reason_of(answer, "answer", "请写明核实结果。")
    async with begin(cases.pool, cases.now) as tx:
        work, _, job = await open_desk(
            cases, tx, actors, number, item_id, None, kinds=("referral",), what="答复核实"
        )
        if job.detail.get("asked_by") == job.actor.official:
            raise Refused("referral.other", "", "这是您自己提的问题，要由别的同事答复。")
        await tx.conn.execute(QUERIES["end_task"], job.task, "done", tx.now, job.actor.official)
        await work.history("referral_answered", item=item_id, reason=said, detail={"task": job.task})
        await work.handled(item_id)


async def site_check(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    *,
    ends: bool,
    result: str = "",
    version: int | None = None,
) -> None:
    """现场核查 starts or ends; the clock runs on."""
    async with begin(cases.pool, cases.now) as tx:
        work, _, _ = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("judge",), what="现场核查"
        )
        event = Event.END_SITE_CHECK if ends else Event.START_SITE_CHECK
        await work.move(
            item_id, event, reason=reason_of(result, "result", "请写明核查结果。") if ends else ""
        )
        await work.handled(item_id)
        await work.settle()


async def hand_over(
    cases: Cases, actors: Actors, number: str, item_id: str, receipt: str = "", *, version: int | None = None
) -> None:
    """送达: the document was handed or posted; the item is done."""
    async with begin(cases.pool, cases.now) as tx:
        work, _, job = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("deliver",), what="送达"
        )
        await work.move(item_id, Event.COMPLETE, step=job.step, reason=receipt[:200])
        await work.end_tasks(item_id, "done")
        await work.handled(item_id)
        await work.settle()
