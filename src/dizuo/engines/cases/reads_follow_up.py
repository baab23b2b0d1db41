"""What the pages of bad ratings show: the list and one rating to whoever follows it up, the outcome to whoever rated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from dizuo.engines.cases.actions_follow_up import SUPERVISE, follower, lock_follow_up
from dizuo.engines.cases.context import FOLLOW_UPS, Cases
from dizuo.engines.cases.follow_up import Act, Finding, FollowUpState, act_in, choices_in
from dizuo.engines.cases.reach import Actors, scope_place
from dizuo.engines.cases.reads_desk import unit_name
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.work import enter
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clocks import ClockState, Deadline, due
from dizuo.foundation.store import Connection, Pool, begin

LISTED: Final = 200
ENDED: Final = 30


class FollowUpLine(msgspec.Struct, frozen=True):
    """One bad rating in the list: nothing about whoever gave it."""

    number: str
    matter: Words
    level: int
    state: FollowUpState
    finding: Finding | None
    outcome: str | None
    due: datetime | None
    opened_at: datetime
    closed_at: datetime | None


class FollowUpDone(msgspec.Struct, frozen=True):
    """One step that was taken; ``act`` also open and overdue, which the system enters. ``who`` names the official and is
    empty for whoever rated."""

    at: datetime
    act: str
    choice: str
    says: str
    who: str
    department: Words | None


class FollowUpPage(msgspec.Struct, frozen=True):
    """One bad rating for whoever follows it up; ``departments`` are those of the case, for the one that is to mend,
    and ``handed_over`` says that its head has the work on the desk.

    ``may_act`` is false for whoever found what is now to be reviewed (复核由另一位负责人办理).
    """

    number: str
    matter: Words
    unit_name: str
    rater: str
    level: int
    says: str
    rated_at: datetime
    state: FollowUpState
    finding: Finding | None
    outcome: str | None
    department: Words | None
    handed_over: bool
    contact_due: datetime | None
    mend_due: datetime | None
    due: datetime | None
    law: str
    verified: bool
    act: Act | None
    may_act: bool
    choices: tuple[str, ...]
    departments: tuple[tuple[str, Words], ...]
    items: tuple[tuple[Words, Words], ...]
    done: tuple[FollowUpDone, ...]
    version: int
    entry: int


class FollowUpTold(msgspec.Struct, frozen=True):
    """What became of a rating, for whoever gave it."""

    state: FollowUpState
    finding: Finding | None
    outcome: str | None
    department: Words | None
    due: datetime | None
    done: tuple[FollowUpDone, ...]


async def follow_ups(
    cases: Cases, actors: Actors
) -> tuple[tuple[FollowUpLine, ...], tuple[FollowUpLine, ...]]:
    """What is open, first what is due first, and what ended last, within the places of the supervising posts."""
    places = sorted({scope_place(cases, actor) for actor in actors if SUPERVISE in actor.powers})
    found = await cases.pool.fetch(FOLLOW_UPS["list_open"], places, LISTED)
    ended = await cases.pool.fetch(FOLLOW_UPS["list_closed"], places, ENDED)
    return tuple(_line(cases, row) for row in found), tuple(_line(cases, row) for row in ended)


async def is_followed_up(cases: Cases, actors: Actors, number: str) -> bool:
    """Whether this application was rated badly, within the places of the supervising posts."""
    places = sorted({scope_place(cases, actor) for actor in actors if SUPERVISE in actor.powers})
    return bool(places) and bool(await cases.pool.fetchval(FOLLOW_UPS["is_here"], number, places))


async def follow_up_page(cases: Cases, actors: Actors, number: str) -> FollowUpPage:
    """One bad rating; the look is entered in the ledger, and whoever rated sees it.

    Errors: CaseNotFound, Refused, FollowUpRecused.
    """
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=False)
        actor = await follower(cases, tx.conn, actors, case)
        row = await lock_follow_up(tx, number)
        steps = await tx.conn.fetch(FOLLOW_UPS["steps"], row["application"])
        entry = await enter(tx, actor, case.application, "rating.view")
    state, mend = FollowUpState(row["state"]), msgspec.convert(row["mend"], ClockState)
    departments = dict.fromkeys(item.department for item in case.items.values())
    holder = steps[0]["department"] or ""
    return FollowUpPage(
        number=number,
        matter=case.ready.matter.name,
        unit_name=unit_name(cases, holder, row["unit"]) if holder in cases.city.organisations else "",
        rater=case.application.applicant_name,
        level=row["level"],
        says=row["says"],
        rated_at=row["at"],
        state=state,
        finding=None if row["finding"] is None else Finding(row["finding"]),
        outcome=row["outcome"],
        department=_department(cases, row["department"]),
        handed_over=row["mend_task"] is not None,
        contact_due=_ends(cases, msgspec.convert(row["contact"], ClockState)),
        mend_due=_ends(cases, mend),
        due=row["due"] if row["closed_at"] is None else None,
        law=mend.term.law,
        verified=mend.term.verified,
        act=act_in(state),
        may_act=state is not FollowUpState.REVIEWING or row["found_by"] != actor.official,
        choices=choices_in(state),
        departments=tuple((id_, cases.city.organisations[id_].short) for id_ in departments),
        items=tuple(
            (case.ready.items[item.id].name, cases.city.organisations[item.department].short)
            for item in case.items.values()
        ),
        done=_done(cases, steps, names=True),
        version=row["version"],
        entry=entry,
    )


async def told_of(cases: Cases, conn: Connection | Pool, application: int) -> FollowUpTold | None:
    """What became of the rating of an application; None where nothing had to."""
    row = await conn.fetchrow(FOLLOW_UPS["of_case"], application)
    if row is None:
        return None
    steps = await conn.fetch(FOLLOW_UPS["steps"], application)
    return FollowUpTold(
        state=FollowUpState(row["state"]),
        finding=None if row["finding"] is None else Finding(row["finding"]),
        outcome=row["outcome"],
        department=_department(cases, row["department"]),
        due=row["due"] if row["closed_at"] is None else None,
        done=_done(cases, steps, names=False),
    )


def _done(cases: Cases, steps: Sequence[Any], *, names: bool) -> tuple[FollowUpDone, ...]:
    """The steps in their order; whoever rated sees the department that acted and not the official."""
    return tuple(
        FollowUpDone(
            row["at"],
            row["act"],
            row["choice"],
            row["says"],
            row["official_name"] if names else "",
            _department(cases, row["department"]),
        )
        for row in steps
    )


def _line(cases: Cases, row: Any) -> FollowUpLine:
    matter = cases.city.matters.get(row["matter"])
    return FollowUpLine(
        number=row["number"],
        matter=Words(row["matter"]) if matter is None else matter.name,
        level=row["level"],
        state=FollowUpState(row["state"]),
        finding=None if row["finding"] is None else Finding(row["finding"]),
        outcome=row["outcome"],
        due=row["due"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
    )


def _department(cases: Cases, department: str | None) -> Words | None:
    organisation = cases.city.organisations.get(department or "")
    return None if organisation is None else organisation.short


def _ends(cases: Cases, clock: ClockState) -> datetime | None:
    end = due(clock, cases.calendar)
    return end.at if isinstance(end, Deadline) else None
