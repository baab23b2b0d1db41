"""What is done about a bad rating (差评): opened by the rating itself, taken on by whoever supervises, never by the rated."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from dizuo.engines.cases.context import FOLLOW_UPS, QUERIES, Cases
from dizuo.engines.cases.errors import CannotSee, CaseNotFound, FollowUpRecused, FollowUpSameReviewer
from dizuo.engines.cases.follow_up import Act, FollowUpState, act_in, next_state
from dizuo.engines.cases.follow_up_work import (
    FollowUpStep,
    changed,
    check_words,
    due_of,
    law_of,
    move,
    note,
    rater_of,
    started,
    told,
    watch,
)
from dizuo.engines.cases.model import Case
from dizuo.engines.cases.reach import Actors, principal_of, refused_by
from dizuo.engines.cases.records import load_case, write_clock
from dizuo.engines.cases.rules import scopes_of, unit_of
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work, system_of
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.policy import Ask, Request, Verdict
from dizuo.foundation.store import Connection, Pool, Tx, begin

SUPERVISE: Final = "cases.supervise"
"""The power of the posts that see to late work and to bad ratings."""
_LEVELS: Final = ("village", "town", "district", "city")


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
    contact = started(cases, declared.contact_clock, tx.now)
    mend = started(cases, declared.mend_clock, tx.now)
    unit, by = unit_of(cases.city, department, about.place), due_of(cases, contact)
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
    await note(tx, about.id, system_of(department), "open", "", None, FollowUpState.TO_VERIFY)
    await watch(tx, about.number, by)
    when = "" if by is None else f"，最晚 {moment_words(by)}前与您联系"
    await work.tell(rater_of(work), "rating", f"您的评价已转给督办人员核实{when}。被评价的人看不到是谁评的。")


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
            raise await changed(cases, tx, row)
        if act is Act.REVIEW and actor.official == row["found_by"]:
            raise FollowUpSameReviewer("rating.other_reviewer", law_of(cases))
        to = next_state(state, step.choice)
        check_words(step.says)
        _check(case, step, to)
        work = Work(cases, tx, case, actor)
        await move(work, row, act, step, to)
        await note(tx, case.application.id, actor, act.value, step.choice, state, to, step.says.strip())
        await work.enter("rating.step", reason=step.says.strip(), law=law_of(cases))
        await work.tell(rater_of(work), "rating", told(act, step, to))
    return to


async def follow_up_overdue(cases: Cases, tx: Tx, number: str, by: datetime) -> None:
    """The moment has come and nobody did it: the supervisors' page of late work shows it, and the history says so."""
    row = await tx.conn.fetchrow(FOLLOW_UPS["lock"], number)
    if row is None or row["closed_at"] is not None or row["due"] != by or tx.now < by:
        return
    await tx.conn.execute(QUERIES["supervise"], row["task"], list(scopes_of(row["unit"])))
    state = FollowUpState(row["state"])
    await note(tx, row["application"], system_of(""), "overdue", "", state, state)


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


def _check(case: Case, step: FollowUpStep, to: FollowUpState) -> None:
    departments = {item.department for item in case.items.values()}
    if to is FollowUpState.MENDING and step.department not in departments:
        raise Invalid({"department": "请选由哪个部门整改。"})
