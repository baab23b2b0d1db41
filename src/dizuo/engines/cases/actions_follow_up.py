"""What is done about a bad rating (差评): opened by the rating itself, taken on by whoever supervises, never by the rated."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from dizuo.engines.cases.compiled import term_of
from dizuo.engines.cases.context import FOLLOW_UPS, QUERIES, Cases
from dizuo.engines.cases.errors import (
    CannotSee,
    CaseNotFound,
    FollowUpChanged,
    FollowUpRecused,
    FollowUpSameReviewer,
    ReasonMissing,
)
from dizuo.engines.cases.follow_up import Act, Finding, FollowUpState, act_in, next_state
from dizuo.engines.cases.model import Case
from dizuo.engines.cases.reach import Actors, principal_of, refused_by
from dizuo.engines.cases.records import load_case, write_clock
from dizuo.engines.cases.rules import REASON_LIMIT, scopes_of, unit_of
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work, system_of
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clocks import ClockState, Deadline, due, start
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.policy import Ask, Request, Verdict
from dizuo.foundation.store import Connection, Pool, Tx, begin, jobs

SUPERVISE: Final = "cases.supervise"
"""The power of the posts that see to late work and to bad ratings."""
OVERDUE: Final = "cases.rating_due"
_LEVELS: Final = ("village", "town", "district", "city")


class FollowUpStep(msgspec.Struct, frozen=True):
    """One step as the official sends it: ``choice`` from ``choices_in``, ``says`` what the rater will read,
    ``department`` who is to mend it when the rating is found valid; ``version`` what the official saw."""

    choice: str
    says: str
    department: str = ""
    version: int | None = None


def supervising(city: City) -> str | None:
    """The department that follows up: the one nearest to the place that has a supervising post."""
    found = [
        organisation
        for organisation in city.organisations.values()
        if any(SUPERVISE in post.powers for post in organisation.posts)
    ]
    nearest = min(found, key=lambda one: _LEVELS.index(one.units_at), default=None)
    return None if nearest is None else nearest.id


async def open_follow_up(work: Work) -> None:
    """A bad rating was given: put it before whoever supervises at that place, with the city's two clocks.

    Where the city declares none, the rating is kept and nothing starts.
    """
    cases, tx, about = work.cases, work.tx, work.application
    declared, department = cases.city.bad_rating, supervising(cases.city)
    if declared is None or department is None:
        return
    contact = _started(cases, declared.contact_clock, tx.now)
    mend = _started(cases, declared.mend_clock, tx.now)
    unit, by = unit_of(cases.city, department, about.place), _due(cases, contact)
    # The task names no application: what joins one shows its applicant, and a queue has no need to know who rated.
    task = await tx.conn.fetchval(
        QUERIES["insert_task"],
        "rating",
        None,
        None,
        None,
        department,
        unit,
        SUPERVISE,
        by,
        {"rating": about.number, "matter": about.matter},
        tx.now,
        "waiting",
        list(scopes_of(unit)),
    )
    await tx.conn.execute(
        FOLLOW_UPS["open"], about.id, about.number, unit, task, write_clock(contact), write_clock(mend), by, tx.now
    )  # fmt: skip
    await _note(tx, about.id, system_of(department), "open", "", None, FollowUpState.TO_VERIFY)
    await _watch(tx, about.number, by)
    when = "" if by is None else f"，最晚 {moment_words(by)}前与您联系"
    await work.tell(_rater(work), "rating", f"您的评价已转给督办人员核实{when}。被评价的人看不到是谁评的。")


async def take_follow_up_step(cases: Cases, actors: Actors, number: str, step: FollowUpStep) -> FollowUpState:
    """Do what the state asks for; returns the state it led to.

    Errors: CaseNotFound, Refused (policy, FollowUpRecused, FollowUpSameReviewer), FollowUpChanged when a colleague was
    faster, Invalid by field, ReasonMissing.
    """
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        actor = await follower(cases, tx.conn, actors, case)
        row = await lock_follow_up(tx, number)
        state, act = FollowUpState(row["state"]), act_in(FollowUpState(row["state"]))
        if act is None or (step.version is not None and step.version != row["version"]):
            raise await _changed(cases, tx, row)
        if act is Act.REVIEW and actor.official == row["found_by"]:
            raise FollowUpSameReviewer("rating.other_reviewer", _law(cases))
        _check(case, act, step)
        to = next_state(state, step.choice)
        work = Work(cases, tx, case, actor)
        await _move(work, row, act, step, to)
        await _note(tx, case.application.id, actor, act.value, step.choice, state, to, step.says.strip())
        await work.enter("rating.step", reason=step.says.strip(), law=_law(cases))
        await work.tell(_rater(work), "rating", _told(act, step, to))
    return to


async def follow_up_overdue(cases: Cases, tx: Tx, number: str, by: datetime) -> None:
    """The moment has come and nobody did it: the supervisors' page of late work shows it, and the history says so."""
    row = await tx.conn.fetchrow(FOLLOW_UPS["lock"], number)
    if row is None or row["closed_at"] is not None or row["due"] != by or tx.now < by:
        return
    await tx.conn.execute(QUERIES["supervise"], row["task"], list(scopes_of(row["unit"])))
    state = FollowUpState(row["state"])
    await _note(tx, row["application"], system_of(""), "overdue", "", state, state)


async def follower(cases: Cases, conn: Connection | Pool, actors: Actors, case: Case) -> Actor:
    """The post in which an official may see to this rating.

    Errors: Refused with rule and who can; FollowUpRecused for whoever worked on the case.
    """
    last: Verdict | None = None
    for actor in actors:
        for item in case.items:
            ask = Ask("duty", case.application.place)
            resource = f"{case.application.matter}.{item}"
            verdict = cases.policy.decide(Request(principal_of(actor), "follow_up", resource, ask))
            if not verdict.allowed:
                last = verdict
                continue
            if await conn.fetchval(FOLLOW_UPS["worked_on"], actor.official, case.application.id):
                raise FollowUpRecused(verdict.rule, verdict.law)
            return actor
    raise CannotSee("no-post", "", None) if last is None else refused_by(last)


async def lock_follow_up(tx: Tx, number: str) -> Any:
    """The locked row with the rating's level and words. Errors: CaseNotFound where nobody rated badly."""
    row = await tx.conn.fetchrow(FOLLOW_UPS["lock"], number)
    if row is None:
        raise CaseNotFound()
    return row


def _check(case: Case, act: Act, step: FollowUpStep) -> None:
    said = step.says.strip()
    if len(said) < 2:
        raise ReasonMissing({"says": "请写明情况，评价人会看到。"})
    if len(said) > REASON_LIMIT:
        raise Invalid({"says": f"最多 {REASON_LIMIT} 个字，现在有 {len(said)} 个。"})
    departments = {item.department for item in case.items.values()}
    if act is Act.FIND and step.choice == Finding.VALID.value and step.department not in departments:
        raise Invalid({"department": "请选由哪个部门整改。"})


async def _move(work: Work, row: Any, act: Act, step: FollowUpStep, to: FollowUpState) -> None:
    """Write the state with what follows for its clock, its task and its job."""
    cases, tx = work.cases, work.tx
    declared = cases.city.bad_rating
    finding, outcome, department, found_by = (
        row[name] for name in ("finding", "outcome", "department", "found_by")
    )
    mend = msgspec.convert(row["mend"], ClockState)
    if act is Act.FIND:
        finding, found_by = step.choice, work.actor.official
        department = step.department if step.choice == Finding.VALID.value else None
    elif act is Act.REVIEW and to is FollowUpState.MENDING:
        # What was not mended well is mended anew, in the same time again; by whom the first one found, or any.
        finding = Finding.VALID.value
        mend = mend if declared is None else _started(cases, declared.mend_clock, tx.now)
    closed = to is FollowUpState.CLOSED
    if closed:
        outcome = step.choice
    by = _due(cases, mend)
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
    await tx.conn.execute(
        QUERIES["end_task"], row["task"], "done" if closed else "held", tx.now, work.actor.official
    )
    if closed:
        await jobs.drop(tx, OVERDUE, f"rating:{work.application.number}")
        return
    await tx.conn.execute(QUERIES["reopen_task"], row["task"], by, "waiting", list(scopes_of(row["unit"])))
    if by is not None and by <= tx.now:
        await tx.conn.execute(QUERIES["supervise"], row["task"], list(scopes_of(row["unit"])))
    elif by != row["due"]:
        await _watch(tx, work.application.number, by)


def _told(act: Act, step: FollowUpStep, to: FollowUpState) -> str:
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


async def _changed(cases: Cases, tx: Tx, row: Any) -> FollowUpChanged:
    steps = await tx.conn.fetch(FOLLOW_UPS["steps"], row["application"])
    last = steps[-1]
    who = last["official_name"] or "系统"
    return FollowUpChanged(who=who, when=moment_words(last["at"]), state=FollowUpState(row["state"]).word)


async def _note(
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


async def _watch(tx: Tx, number: str, by: datetime | None) -> None:
    """Look again when the time is over."""
    if by is not None:
        await jobs.put(tx, OVERDUE, by, {"number": number, "due": by.isoformat()}, key=f"rating:{number}")


def _started(cases: Cases, clock: str, at: datetime) -> ClockState:
    return start(term_of(cases.city.clocks[clock], None), at)


def _due(cases: Cases, clock: ClockState) -> datetime | None:
    """When the clock ends; None while its year is not published: unknown, and never guessed."""
    end = due(clock, cases.calendar)
    return end.at if isinstance(end, Deadline) else None


def _rater(work: Work) -> int:
    """Whoever sees the case as its own: whom it is for."""
    about = work.application
    return about.applicant if about.acting_for is None else about.acting_for


def _law(cases: Cases) -> str:
    declared = cases.city.bad_rating
    return "" if declared is None else cases.city.clocks[declared.mend_clock].law.key
