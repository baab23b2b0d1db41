"""Serving somebody at a window: who may be served, and holding a name against a number.

Whoever comes to a window is served at that window's place. A village's helper goes to people, and therefore serves
those who live in the village: the policy is asked with the person's own place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dizuo.engines.directory import PostAt, Session
from dizuo.engines.registers import ReadRequest, principal_of
from dizuo.foundation.blueprint.model import City, Matter, Party
from dizuo.foundation.kernel.errors import Invalid, Refused
from dizuo.foundation.kernel.identity import CitizenId
from dizuo.foundation.policy import Ask, Request

from .officers import WINDOW, window_actor

VILLAGE_DIGITS = 12
_PLACES = ("residence_division", "division")


class NotThisPerson(Invalid):
    """姓名和身份证号码对不上。"""


class Served(msgspec.Struct, frozen=True):
    """A person whose name and number agree."""

    subject: int
    name: str


def matters_for_window(city: City) -> list[Matter]:
    """What can be done for a person at a window: every matter of persons whose form reads the name."""
    return [m for m in city.matters.values() if m.audience == "person" and name_fact(m) is not None]


def given_of(matter: Matter) -> Party | None:
    """The party who applies."""
    return next((party for party in matter.parties if party.given), None)


def name_fact(matter: Matter) -> str | None:
    """The fact that holds the applicant's name, when an item of the matter needs it."""
    party = given_of(matter)
    wanted = f"{party.id}.name" if party is not None else ""
    return wanted if any(wanted in need.facts for item in matter.items for need in item.needs) else None


async def identify(app: Any, session: Session, matter: Matter, number: str, name: str) -> Served:
    """The person with this number and this name, whom this clerk may serve in this matter.

    The look is entered, whether or not it fits, and the person sees it. Errors: Invalid, NotThisPerson, Refused.
    """
    post = next(post for post in session.account.posts if WINDOW in post.powers)
    number = CitizenId.parse(number, app.now().date()).value
    subject = await app.registers.identity_of("citizen_id", number, "window")
    facts = await _read(app, session, post, matter, subject) if subject is not None else {}
    if subject is None or not name or facts.get("name") != name:
        raise NotThisPerson({"name": "姓名和身份证号码对不上，请看着证件再核对一遍。"})
    _may_serve(app, session, post, matter, subject, facts)
    return Served(subject, name)


async def _read(app: Any, session: Session, post: PostAt, matter: Matter, subject: int) -> dict[str, str]:
    party, fact = given_of(matter), name_fact(matter)
    if party is None or fact is None:
        return {}
    wanted = [f"{party.id}.{field}" for field in ("name", *_PLACES)]
    needed = {f for item in matter.items for need in item.needs for f in need.facts}
    result = await app.registers.read(
        ReadRequest(
            access=matter.id,
            given={party.id: str(subject)},
            case=f"window:{matter.id}",
            actor=window_actor(session, post, subject),
            facts=tuple(f for f in wanted if f in needed),
            place=post.division,
        )
    )
    return {name.partition(".")[2]: str(found.value) for name, found in result.facts.items() if found.value}


def _may_serve(
    app: Any, session: Session, post: PostAt, matter: Matter, subject: int, facts: dict[str, str]
) -> None:
    at = post.division
    if len(post.division) == VILLAGE_DIGITS:
        at = next((facts[field] for field in _PLACES if field in facts), app.city.code)
    ask = Ask(relation="served", at=at)
    actor = window_actor(session, post, subject)
    verdict = app.policy.decide(Request(principal_of(actor), "serve", matter.id, ask))
    if not verdict.allowed:
        raise Refused(
            verdict.rule,
            verdict.law,
            "他（她）不住在您服务的村（社区），您不能为他（她）代办。",
            fix="请到街道（镇）为民服务中心办，那里不分村（社区）。",
        )
