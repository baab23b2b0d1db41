"""What every step about a bad rating does: the state, its clock, the desks that have it, the history beside the case."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from dizuo.engines.cases.compiled import term_of
from dizuo.engines.cases.context import FOLLOW_UPS, QUERIES, Cases
from dizuo.engines.cases.errors import FollowUpChanged, ReasonMissing
from dizuo.engines.cases.follow_up import Act, Finding, FollowUpState
from dizuo.engines.cases.numbers import make_number
from dizuo.engines.cases.records import write_clock
from dizuo.engines.cases.rules import REASON_LIMIT, scopes_of
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Post
from dizuo.foundation.kernel.clocks import ClockState, Deadline, due, start
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.store import Tx, jobs

OVERDUE: Final = "cases.rating_due"
PREFIX: Final = "ZG"
"""Begins the number of a department's work (整改) on what was rated bad."""


class FollowUpStep(msgspec.Struct, frozen=True):
    """One step as the official sends it: ``choice`` from ``choices_in``, ``says`` what the rater will read,
    ``department`` who is to mend it when the rating is found valid; ``version`` what the official saw."""

    choice: str
    says: str
    department: str = ""
    version: int | None = None


async def move(work: Work, row: Any, act: Act, step: FollowUpStep, to: FollowUpState) -> None:
    """Write the state with what follows for its clock, the desks that have it and its job."""
    cases, tx = work.cases, work.tx
    declared = cases.city.bad_rating
    finding, outcome, department, found_by = (
        row[name] for name in ("finding", "outcome", "department", "found_by")
    )
    mend = msgspec.convert(row["mend"], ClockState)
    if act is Act.FIND:
        finding, found_by = step.choice, work.actor.official
    elif act is Act.REVIEW and to is FollowUpState.MENDING:
        # What was not mended well is mended anew, in the same time again.
        finding = Finding.VALID.value
        mend = mend if declared is None else started(cases, declared.mend_clock, tx.now)
    if to is FollowUpState.MENDING:
        department = step.department
    closed = to is FollowUpState.CLOSED
    if closed:
        outcome = step.choice
    by = due_of(cases, mend)
    await tx.conn.execute(
        FOLLOW_UPS["move"],
        work.application.id,
        to.value,
        finding,
        outcome,
        department,
        found_by,
        write_clock(mend),
        by,
        tx.now if closed else None,
    )
    await _hand_over(work, row, department, by, to)
    scopes = list(scopes_of(row["unit"]))
    await tx.conn.execute(
        QUERIES["end_task"], row["task"], "done" if closed else "held", tx.now, work.actor.official
    )
    if closed:
        await jobs.drop(tx, OVERDUE, f"rating:{work.application.number}")
        return
    await tx.conn.execute(QUERIES["reopen_task"], row["task"], by, "waiting", scopes)
    if by is not None and by <= tx.now:
        await tx.conn.execute(QUERIES["supervise"], row["task"], scopes)
    elif by != row["due"]:
        await watch(tx, work.application.number, by)


async def _hand_over(
    work: Work, row: Any, department: str | None, by: datetime | None, to: FollowUpState
) -> None:
    """整改, whoever did it mends it: put it before the department's head, without the case, the rater or the rating."""
    tx, about = work.tx, work.application
    if row["mend_task"] is not None:
        await tx.conn.execute(QUERIES["end_task"], row["mend_task"], "done", tx.now, work.actor.official)
        await tx.conn.execute(FOLLOW_UPS["set_mending"], about.id, None, None)
    item = next((one for one in work.items.values() if one.department == department), None)
    if to is not FollowUpState.MENDING or department is None or item is None:
        return
    power = f"{department}.approve"
    if not any(power in post.powers for post in _posts(work.cases)):
        return  # nobody there has such a post: the supervisor writes down what was mended
    number = make_number(PREFIX, tx.now.date(), int(await tx.conn.fetchval(QUERIES["next_number"])))
    task = await tx.conn.fetchval(
        QUERIES["insert_task"],
        "mend",
        None,
        None,
        None,
        department,
        item.unit,
        power,
        by,
        {"mend": number, "matter": about.matter},
        tx.now,
        "waiting",
        list(scopes_of(item.unit)),
    )
    await tx.conn.execute(FOLLOW_UPS["set_mending"], about.id, number, task)


def _posts(cases: Cases) -> list[Post]:
    return [post for organisation in cases.city.organisations.values() for post in organisation.posts]


def check_words(says: str) -> None:
    """Every step says something to whoever rated. Errors: ReasonMissing, Invalid."""
    said = says.strip()
    if len(said) < 2:
        raise ReasonMissing({"says": "请写明情况，评价人会看到。"})
    if len(said) > REASON_LIMIT:
        raise Invalid({"says": f"最多 {REASON_LIMIT} 个字，现在有 {len(said)} 个。"})


def told(act: Act, step: FollowUpStep, to: FollowUpState) -> str:
    said = step.says.strip()
    match act:
        case Act.CONTACT:
            return f"督办人员正在核实您的评价：{said}"
        case Act.FIND:
            return f"您的评价经核实，认定为{Finding(step.choice).word}：{said}"
        case Act.MEND:
            return f"您反映的问题已整改：{said}。接下来会回访您。"
        case Act.CALL:
            ends = {
                "satisfied": "您表示满意",
                "dissatisfied": "您仍不满意，转复核",
                "unreached": "没有联系上您",
            }
            return f"对您评价的回访已记下：{ends[step.choice]}。{said}"
        case Act.REVIEW:
            ends = "要求再整改" if to is FollowUpState.MENDING else "维持原来的处理"
            return f"您的评价经另一位负责人复核，{ends}：{said}"


async def changed(cases: Cases, tx: Tx, row: Any) -> FollowUpChanged:
    steps = await tx.conn.fetch(FOLLOW_UPS["steps"], row["application"])
    last = steps[-1]
    who = last["official_name"] or "系统"
    return FollowUpChanged(who=who, when=moment_words(last["at"]), state=FollowUpState(row["state"]).word)


async def note(
    tx: Tx,
    application: int,
    actor: Actor,
    act: str,
    choice: str,
    before: FollowUpState | None,
    after: FollowUpState,
    says: str = "",
) -> None:
    await tx.conn.execute(
        FOLLOW_UPS["add_step"],
        application,
        tx.now,
        act,
        choice,
        None if before is None else before.value,
        after.value,
        says,
        actor.official,
        actor.name if actor.official is not None else "",
        actor.post,
        actor.unit,
    )


async def watch(tx: Tx, number: str, by: datetime | None) -> None:
    """Look again when the time is over."""
    if by is not None:
        await jobs.put(tx, OVERDUE, by, {"number": number, "due": by.isoformat()}, key=f"rating:{number}")


def started(cases: Cases, clock: str, at: datetime) -> ClockState:
    return start(term_of(cases.city.clocks[clock], None), at)


def due_of(cases: Cases, clock: ClockState) -> datetime | None:
    """When the clock ends; None while its year is not published: unknown, and never guessed."""
    end = due(clock, cases.calendar)
    return end.at if isinstance(end, Deadline) else None


def rater_of(work: Work) -> int:
    """Whoever sees the case as its own: whom it is for."""
    about = work.application
    return about.applicant if about.acting_for is None else about.acting_for


def law_of(cases: Cases) -> str:
    declared = cases.city.bad_rating
    return "" if declared is None else cases.city.clocks[declared.mend_clock].law.key
