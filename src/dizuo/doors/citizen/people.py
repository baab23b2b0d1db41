"""Who stands at the door: the signed-in resident, as the engines want to know them."""

from __future__ import annotations

from typing import cast

import msgspec

from dizuo.engines.directory import Session
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Matter
from dizuo.foundation.kernel.errors import Conflict, SignInNeeded
from dizuo.web import WebRequest


class ActingNeeded(Conflict):
    """请先选替哪家企业办。"""

    fix = "请到“我的”里的“代办”，选好企业再来。"


def session_of(request: WebRequest) -> Session:
    """The live session. Errors: SignInNeeded."""
    if request.signed_in is None:
        raise SignInNeeded()
    return cast(Session, request.signed_in)


def maybe_resident(request: WebRequest) -> Session | None:
    """The session when it is a resident's; None for strangers and officials."""
    if request.signed_in is None or request.signed_in.account.kind != "resident":
        return None
    return cast(Session, request.signed_in)


def subject_of(request: WebRequest) -> int:
    """The identity of the signed-in person. Errors: SignInNeeded."""
    subject = session_of(request).account.subject
    if subject is None:
        raise SignInNeeded()
    return subject


def self_of(session: Session) -> Actor:
    """The holder of a session, acting for nobody else."""
    return Actor(
        kind="resident", subject=session.account.subject, channel=session.channel, name=session.account.name
    )


def actor_now(session: Session) -> Actor:
    """The resident for lists and cases: with whomever they act for at present."""
    acting = session.acting_for
    mine = self_of(session)
    return mine if acting is None else msgspec.structs.replace(mine, acting_for=acting.subject)


def actor_for(session: Session, matter: Matter) -> Actor:
    """The resident as an actor in a matter: for themself, an enterprise, or the giver of a mandate.

    An enterprise's matter concerns the enterprise acted for. Errors: ActingNeeded when none was chosen.
    """
    acting = session.acting_for
    mine = self_of(session)
    if matter.audience == "enterprise":
        if acting is None or acting.kind != "enterprise":
            raise ActingNeeded()
    elif acting is None or acting.kind == "enterprise" or not acting.allows(matter.id):
        return mine
    return msgspec.structs.replace(mine, acting_for=acting.subject)
