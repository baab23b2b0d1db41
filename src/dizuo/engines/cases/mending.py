"""整改 at the department that was found to be at fault: what is to be mended, without whose rating it was or what it said.

The work has a number of its own, which leads to no case; who rated stays with whoever supervises.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.actions_follow_up import lock_follow_up
from dizuo.engines.cases.context import FOLLOW_UPS, Cases
from dizuo.engines.cases.errors import CannotSee, CaseNotFound
from dizuo.engines.cases.follow_up import Act, FollowUpState
from dizuo.engines.cases.follow_up_work import (
    FollowUpStep,
    changed,
    check_words,
    law_of,
    move,
    note,
    rater_of,
    told,
)
from dizuo.engines.cases.model import Case
from dizuo.engines.cases.reach import Actors, principal_of, refused_by
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.work import Work
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.policy import Ask, Request, Verdict
from dizuo.foundation.store import Tx, begin


class MendPage(msgspec.Struct, frozen=True):
    """What a department is to mend: ``demand`` as the supervisor found it, ``answer`` once somebody wrote one."""

    number: str
    matter: Words
    department: Words
    items: tuple[Words, ...]
    demand: str
    asked_at: datetime
    due: datetime | None
    open: bool
    answer: str
    answered_at: datetime | None
    law: str
    version: int


async def mend_page(cases: Cases, actors: Actors, number: str) -> MendPage:
    """One piece of mending for the department's head. Errors: CaseNotFound, Refused with who can."""
    async with begin(cases.pool, cases.now) as tx:
        case, row = await _found(cases, tx, number)
        mender(cases, actors, case, row["department"])
        steps = await tx.conn.fetch(FOLLOW_UPS["steps"], row["application"])
    asked = [
        step for step in steps if step["to_state"] == FollowUpState.MENDING.value and step["act"] != "overdue"
    ]
    answers = [step for step in steps if step["act"] == Act.MEND.value and step["at"] >= asked[-1]["at"]]
    is_open = row["state"] == FollowUpState.MENDING.value
    return MendPage(
        number=number,
        matter=case.ready.matter.name,
        department=cases.city.organisations[row["department"]].short,
        items=_items(case, row["department"]),
        demand=asked[-1]["says"],
        asked_at=asked[-1]["at"],
        due=row["due"] if is_open else None,
        open=is_open,
        answer=answers[-1]["says"] if answers else "",
        answered_at=answers[-1]["at"] if answers else None,
        law=law_of(cases),
        version=row["version"],
    )


async def answer_mend(
    cases: Cases, actors: Actors, number: str, says: str, *, version: int | None = None
) -> None:
    """The department says what it mended; the rater is asked again by whoever supervises.

    Errors: CaseNotFound, Refused, FollowUpChanged when it is over already, ReasonMissing, Invalid.
    """
    async with begin(cases.pool, cases.now) as tx:
        case, row = await _found(cases, tx, number, lock=True)
        actor = mender(cases, actors, case, row["department"])
        if row["state"] != FollowUpState.MENDING.value or (version is not None and version != row["version"]):
            raise await changed(cases, tx, row)
        check_words(says)
        work, step = Work(cases, tx, case, actor), FollowUpStep("", says)
        to = FollowUpState.TO_CALL
        await move(work, row, Act.MEND, step, to)
        await note(
            tx, case.application.id, actor, Act.MEND.value, "", FollowUpState.MENDING, to, says.strip()
        )  # fmt: skip
        await work.enter("rating.step", reason=says.strip(), law=law_of(cases))
        await work.tell(rater_of(work), "rating", told(Act.MEND, step, to))


def mender(cases: Cases, actors: Actors, case: Case, department: str | None) -> Actor:
    """The post that answers for the department's part of the case. Errors: Refused with rule and who can."""
    last: Verdict | None = None
    for actor in actors:
        for item in case.items.values():
            if item.department != department:
                continue
            verdict = cases.policy.decide(
                Request(
                    principal_of(actor),
                    "decide",
                    f"{case.application.matter}.{item.id}",
                    Ask("duty", item.unit, f"{department}.approve"),
                )
            )
            if verdict.allowed:
                return actor
            last = verdict
    raise CannotSee("no-post", "", None) if last is None else refused_by(last)


async def _found(cases: Cases, tx: Tx, number: str, *, lock: bool = False) -> tuple[Case, Any]:
    of_case = await tx.conn.fetchval(FOLLOW_UPS["case_of_mending"], number)
    if of_case is None:
        raise CaseNotFound()
    case = await load_case(cases, tx.conn, of_case, lock=lock)
    return case, await lock_follow_up(tx, of_case)


def _items(case: Case, department: str) -> tuple[Words, ...]:
    return tuple(
        case.ready.items[item.id].name for item in case.items.values() if item.department == department
    )
