"""Who may do what with a case: every question goes to the city's policy; a refusal says who could."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from dizuo.engines.cases.context import Cases
from dizuo.engines.cases.errors import CannotSee, CaseNotFound
from dizuo.engines.cases.model import ByClerk, Case, ItemRow
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.errors import Refused
from dizuo.foundation.policy import Ask, Principal, Relation, Request, Verdict

Actors = Sequence[Actor]
"""An official in each of his or her posts; most have one."""


def principal_of(actor: Actor) -> Principal:
    if actor.kind == "resident":
        return Principal("resident")
    return Principal(actor.kind, actor.unit or "", actor.post or "", actor.powers, actor.place)


def refused_by(verdict: Verdict) -> Refused:
    """The verdict as an error: rule, law, why, and who can."""
    fix = f"可以办的岗位：{'、'.join(verdict.who_can)}。" if verdict.who_can else None
    return CannotSee(verdict.rule, verdict.law, verdict.why_zh, fix=fix)


def may_apply(cases: Cases, actor: Actor, matter: str, *, serving: bool = False) -> None:
    """May this person apply, or this clerk serve? Errors: Refused."""
    if serving:
        relation: Relation = "served"
        action: Literal["serve", "submit"] = "serve"
    elif actor.kind == "resident":
        relation = (
            "for" if actor.acting_for is not None else ("self" if actor.subject is not None else "none")
        )
        action = "submit"
    else:
        relation, action = "served" if actor.acting_for is not None else "none", "submit"
    ask = Ask(relation=relation, at=actor.place)
    verdict = cases.policy.decide(Request(principal_of(actor), action, matter, ask))
    if not verdict.allowed:
        raise refused_by(verdict)


def serving(cases: Cases, by: ByClerk, actor: Actor, matter: str) -> ByClerk:
    """The clerk as acting for the person ``actor`` at the window. Errors: Refused."""
    may_apply(cases, by.clerk, matter, serving=True)
    whom = actor.subject if actor.acting_for is None else actor.acting_for
    clerk = msgspec.structs.replace(by.clerk, channel="window", acting_for=whom)
    return msgspec.structs.replace(by, clerk=clerk)


def may_consent(cases: Cases, actor: Actor, matter: str) -> None:
    """May somebody whose consent is asked answer? Errors: Refused."""
    ask = Ask(relation="consenting", at=actor.place)
    verdict = cases.policy.decide(Request(principal_of(actor), "consent", matter, ask))
    if not verdict.allowed:
        raise refused_by(verdict)


def desk_actor(cases: Cases, actors: Actors, case: Case, item: ItemRow, power: str) -> Actor:
    """The post in which an official may decide this step. Errors: Refused with rule, law and who can."""
    last: Verdict | None = None
    for actor in actors:
        ask = Ask(relation="duty", at=item.unit, power=power)
        verdict = cases.policy.decide(
            Request(principal_of(actor), "decide", f"{case.application.matter}.{item.id}", ask)
        )
        if verdict.allowed:
            return actor
        last = verdict
    raise refused_by(last) if last is not None else CannotSee("no-post", "", None)


def may_view(cases: Cases, actors: Actors, case: Case) -> tuple[Actor, tuple[str, ...]]:
    """The post in which an official sees the case, and the items that it covers. Errors: Refused.

    An item that has no unit working on it yet (it waits) is covered as one that is.
    """
    best: tuple[Actor, tuple[str, ...]] | None = None
    last: Verdict | None = None
    for actor in actors:
        seen: list[str] = []
        for item in case.items.values():
            ask = Ask(relation="duty", at=item.unit)
            verdict = cases.policy.decide(
                Request(principal_of(actor), "view_case", f"{case.application.matter}.{item.id}", ask)
            )
            if verdict.allowed:
                seen.append(item.id)
            else:
                last = verdict
        if seen and (best is None or len(seen) > len(best[1])):
            best = (actor, tuple(seen))
    if best is not None:
        return best
    raise refused_by(last) if last is not None else CannotSee("no-post", "", None)


def own_case(actor: Actor, case: Case) -> None:
    """A resident's own case: as whom it is for, or acting for them now. Errors: CaseNotFound, as if it did not exist.

    Whoever submitted it for another sees it only while still acting for that one: a mandate may have been revoked.
    """
    application = case.application
    whose = application.applicant if application.acting_for is None else application.acting_for
    if actor.kind == "resident" and whose == (
        actor.subject if actor.acting_for is None else actor.acting_for
    ):
        return
    raise CaseNotFound()


def scope_place(cases: Cases, actor: Actor) -> str:
    """The place of a post as queues know it: empty for the whole city."""
    return "" if actor.place in ("", cases.city.code) else actor.place
