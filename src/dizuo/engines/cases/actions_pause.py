"""What stops or lengthens a clock: one fix request, special procedures, one extension; and asking a colleague."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from dizuo.engines.cases import effects
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.corrected import own_questions
from dizuo.engines.cases.desk import open_desk
from dizuo.engines.cases.errors import CaseNotFound, ReasonMissing
from dizuo.engines.cases.model import FixWant
from dizuo.engines.cases.reach import Actors
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.rules import REASON_LIMIT, check_fix, check_law, remedy
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.uploads import drop_unsent
from dizuo.engines.cases.wording import day_words
from dizuo.engines.cases.work import Work, system_of
from dizuo.foundation.kernel import clocks
from dizuo.foundation.kernel.clocks import PauseReason
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import Tx, begin

FIX_DAYS: Final = 30
"""How long an applicant has by default; no law fixes it, so it is generous and told in the request."""
_MOST_WANTS: Final = 20


def reason_of(reason: str, field: str = "reason", what: str = "请写明理由，申请人会看到。") -> str:
    text = reason.strip()
    if len(text) < 2:
        raise ReasonMissing({field: what})
    if len(text) > REASON_LIMIT:
        raise Invalid({field: f"最多 {REASON_LIMIT} 个字，现在有 {len(text)} 个。"})
    return text


async def request_fix(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    wants: Sequence[FixWant],
    reason: str,
    *,
    version: int | None = None,
    days: int = FIX_DAYS,
) -> datetime:
    """一次性补正: ask for everything at once; the clock of this item stops, the others go on.

    Returns until when the applicant may answer. Errors: FixOnlyOnce, FixTooLate (行政许可法第三十二条),
    ReasonMissing, and those of ``open_desk``.
    """
    asked = [want for want in wants if want.what.strip()]
    if not asked or len(asked) > _MOST_WANTS:
        raise ReasonMissing({"wants": "请一次列出要补的全部内容（最多 20 条）。"})
    if any(len(want.what) > REASON_LIMIT or len(want.why) > REASON_LIMIT for want in asked):
        raise Invalid({"wants": f"每条最多 {REASON_LIMIT} 个字。"})
    if not 5 <= days <= 90:
        raise Invalid({"days": "请给申请人 5 到 90 天。"})
    said = reason_of(reason)
    async with begin(cases.pool, cases.now) as tx:
        work, item, _ = await open_desk(cases, tx, actors, number, item_id, version, what="告知补正")
        check_fix(item, tx.now, cases.calendar)
        _check_marked(work, item_id, asked)
        until = tx.now + timedelta(days=days)
        changes = _paused(work, item.clock, tx.now, PauseReason.CORRECTION)
        await work.move(
            item_id,
            Event.NOTIFY_FIX,
            reason=said,
            detail={"wants": [want.what for want in asked]},
            before=item.state,
            fix_asked_at=tx.now,
            **changes,
        )
        await tx.conn.execute(
            QUERIES["insert_fix"],
            work.application.id,
            item_id,
            [msgspec.to_builtins(w) for w in asked],
            said,
            work.actor.name,
            tx.now,
            until,
        )
        await work.end_tasks(item_id, "held")
        await work.handled(item_id)
        await work.later(
            "cases.fix_timeout",
            until,
            {"number": number, "item": item_id},
            f"fix:{work.application.id}:{item_id}",
        )
        await work.enter("case.fix", items=(item_id,), reason=said)
        name = work.ready.items[item_id].name.zh
        listed = "；".join(f"{i}. {want.what}" for i, want in enumerate(asked, 1))
        await work.tell_applicant(
            "fix",
            f"“{name}”需要补正：{listed}。请在 {day_words(until)}前补好，其他事项照常办，时间不算在内。",
            item_id,
        )
        await work.settle()
        return until


async def ask_by_choice(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    choices: Mapping[str, str],
    reason: str,
    *,
    version: int | None = None,
) -> datetime:
    """补正 by declared ways out of exceptions (请申请人确认; ``choices`` by check): everything chosen, at once.

    Each finding is asked with the answers that its rule rests on, so that they can be changed. Errors: CaseNotFound,
    Invalid when no choice asks the applicant, and those of ``request_fix``.
    """
    case = await load_case(cases, cases.pool, number, lock=False)
    if item_id not in case.items:
        raise CaseNotFound()
    found: list[FixWant] = []
    rests_on: dict[str, str] = {}
    for check in (check for step in case.ready.items[item_id].steps for check in step.checks):
        choice = next((c for c in check.choices if c.id == choices.get(check.id)), None)
        if choice is None or choice.effect != "ask_applicant":
            continue
        law = "" if check.basis is None else check.basis.key
        found.append(FixWant(check.exception.zh, choice.name.zh, law))
        for question in case.ready.compile(check.rule).reads.answers & own_questions(case.ready, item_id):
            rests_on.setdefault(question, law)
    if not found:
        raise Invalid({"wants": "没有选要请申请人补的地方，请刷新页面再选。"})
    found += [
        FixWant(question.asks.zh, "", rests_on[question.id], question=question.id)
        for question in case.ready.matter.questions
        if question.id in rests_on and question.id in case.answers
    ]
    said = reason.strip() or "；".join(want.what for want in found if not want.question)
    return await request_fix(cases, actors, number, item_id, found, said, version=version)


def _check_marked(work: Work, item_id: str, asked: Sequence[FixWant]) -> None:
    """Only the item's own questions, as answered in this case, its own papers and laws of the city may be named."""
    declared = work.ready.items[item_id]
    questions = own_questions(work.ready, item_id) & set(work.answers)
    materials = {material.id for material in declared.materials}
    for want in asked:
        if (want.question and want.question not in questions) or (
            want.material and want.material not in materials
        ):
            raise Invalid({"wants": "只能勾这一项自己要填的内容和材料。"}, fix="请刷新页面，重新勾选。")
        if want.law:
            check_law(work.cases.city, want.law)


def _paused(work: Work, clock: clocks.ClockState | None, at: datetime, why: PauseReason) -> dict[str, Any]:
    return {} if clock is None else work.clock_changes(clocks.pause(clock, at, why))


def resumed(work: Work, clock: clocks.ClockState | None, at: datetime) -> dict[str, Any]:
    """The columns after a clock goes on."""
    return {} if clock is None or not clock.paused else work.clock_changes(clocks.resume(clock, at))


async def reject_accept(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    reason: str,
    law: str,
    *,
    version: int | None = None,
) -> None:
    """不予受理: with reason, law and remedy in writing. Errors: as ``decide``."""
    said = reason_of(reason)
    cited = check_law(cases.city, law)
    async with begin(cases.pool, cases.now) as tx:
        work, item, _ = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("accept",), what="不予受理"
        )
        await work.move(item_id, Event.REJECT_ACCEPT, reason=said, detail={"law": law}, decided_at=tx.now)
        await work.end_tasks(item_id, "done")
        await work.handled(item_id)
        await work.enter("case.not_accepted", items=(item_id,), reason=said, law=law)
        contest = remedy(cases.city.organisations[item.department])
        name = work.ready.items[item_id].name.zh
        await work.tell_applicant(
            "not_accepted", f"“{name}”不予受理。理由：{said}。依据：{cited}。{contest}", item_id
        )
        await effects.block_dependents(work, item_id)
        await work.settle()


async def start_special(
    cases: Cases,
    actors: Actors,
    number: str,
    item_id: str,
    kind: str,
    reason: str,
    needs: str,
    *,
    version: int | None = None,
) -> None:
    """特别程序: one of the eight kinds of 行政许可法第四十五条; the clock stops, the applicant is told the time needed.

    ``kind`` is the kernel's identifier or its Chinese word. Errors: Invalid for another kind.
    """
    why = PauseReason.parse(kind)
    if why is PauseReason.CORRECTION:
        raise Invalid({"kind": "补正请用“告知补正”。"})
    said = reason_of(reason)
    needed = reason_of(needs, "needs", "依法要把所需时间书面告知申请人，请写明需要多久。")
    async with begin(cases.pool, cases.now) as tx:
        work, item, _ = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("judge",), what=f"开始{why.word}"
        )
        await work.move(
            item_id,
            Event.START_SPECIAL,
            reason=said,
            detail={"kind": why.value, "needs": needed},
            before=item.state,
            **_paused(work, item.clock, tx.now, why),
        )
        await tx.conn.execute(
            QUERIES["insert_special"],
            work.application.id,
            item_id,
            why.value,
            said,
            needed,
            work.actor.name,
            tx.now,
        )
        await work.end_tasks(item_id, "held")
        await work.handled(item_id)
        await work.enter("case.special", items=(item_id,), reason=said, law="licensing-2019:45")
        await work.tell_applicant(
            "special",
            f"“{work.ready.items[item_id].name.zh}”要先{why.word}：{said}。需要{needed}，这段时间不计入办理时限。",
            item_id,
        )
        await work.settle()


async def end_special(
    cases: Cases, actors: Actors, number: str, item_id: str, result: str, *, version: int | None = None
) -> None:
    """特别程序结束: the clock goes on. Errors: NotPossibleNow, ReasonMissing."""
    said = reason_of(result, "result", "请写明结果。")
    async with begin(cases.pool, cases.now) as tx:
        work, item, _ = await open_desk(
            cases, tx, actors, number, item_id, version, kinds=("judge",), what="结束特别程序"
        )
        await work.move(
            item_id,
            Event.END_SPECIAL,
            reason=said,
            to=item.before,
            before=None,
            **resumed(work, item.clock, tx.now),
        )
        await tx.conn.execute(QUERIES["end_special"], work.application.id, item_id, said, tx.now)
        await work.bring_back_tasks(item_id)
        await effects.watch_clock(work, item_id)
        await work.handled(item_id)
        await work.tell_applicant(
            "special_ended", f"“{work.ready.items[item_id].name.zh}”继续办理：{said}", item_id
        )
        await work.settle()


async def fix_timeout(cases: Cases, tx: Tx, number: str, item_id: str) -> None:
    """Nobody answered the fix request in time: the item goes back, kindly, and may be asked for again."""
    work = await Work.open(cases, tx, number, system_of(""))
    item = work.items.get(item_id)
    await drop_unsent(tx.conn, work.application.id, item_id)
    if item is None or item.state is not ItemState.FIX_AWAITED:
        return
    await work.move(item_id, Event.FIX_TIMEOUT)
    await work.end_tasks(item_id, "dropped")
    name = work.ready.items[item_id].name.zh
    await work.tell_applicant(
        "fix_timeout", f"“{name}”到期没有补正，先退回给您。准备好后可以再申请，资料不用重填。", item_id
    )
    await effects.block_dependents(work, item_id)
    await work.settle()
