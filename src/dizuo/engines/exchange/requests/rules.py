"""What a request decides by itself, as pure functions: who may take which step, what is missing, which clock runs.

The same table of steps is in the database (exchange.share_move), which refuses whatever is not in it; a test holds both equal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from dizuo.engines.exchange.requests.model import FREQUENCIES, METHODS, Request, Resource, Wish
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import City

ASK: Final = "share.request"
CHECK: Final = "share.check"
ANSWER: Final = "share.answer"
REVIEW: Final = "share.review"
SETTLE: Final = "share.settle"
POWERS: Final = (ASK, CHECK, ANSWER, REVIEW, SETTLE)
LONGEST: Final = dt.timedelta(days=3 * 366)
"""A right is asked for at most three years ahead: the need is looked at anew then (a rule of ours, not of a law)."""

_PLAIN: Final = (1, 2, 3)


class Move(NamedTuple):
    """A step: from which state to which, whose it is, for which share types, whether words are needed, words' field of law."""

    event: str
    from_state: str
    to_state: str
    by: str
    types: tuple[int, ...]


MOVES: Final = (
    Move("submit", "draft", "department_review", "asker", _PLAIN),
    Move("return", "department_review", "draft", "checker", _PLAIN),
    Move("pass", "department_review", "authority_review", "checker", _PLAIN),
    Move("ask_more", "authority_review", "supplement", "authority", _PLAIN),
    Move("supply", "supplement", "authority_review", "asker", _PLAIN),
    Move("conform", "authority_review", "agreed", "authority", (1,)),
    Move("forward", "authority_review", "provider_reply", "authority", (2,)),
    Move("negotiate", "authority_review", "dispute", "authority", (3,)),
    Move("reject", "authority_review", "refused", "authority", _PLAIN),
    Move("extend", "provider_reply", "provider_reply", "provider", (2,)),
    Move("agree", "provider_reply", "agreed", "provider", (1, 2)),
    Move("refuse", "provider_reply", "refused", "provider", (2,)),
    Move("dispute", "refused", "dispute", "checker", _PLAIN),
    Move("settle", "dispute", "agreed", "provider", _PLAIN),
    Move("escalate", "dispute", "ruling", "checker", _PLAIN),
    Move("rule_for", "ruling", "agreed", "authority", _PLAIN),
    Move("rule_against", "ruling", "ended", "authority", (2, 3)),
    Move("provision", "agreed", "provisioned", "provider", _PLAIN),
    *(
        Move("withdraw", state, "ended", "asker", _PLAIN)
        for state in (
            "draft",
            "department_review",
            "authority_review",
            "supplement",
            "provider_reply",
            "dispute",
        )
    ),
)
"""Steps that people take before a right exists. What becomes of the right afterwards is `RIGHT_MOVES`."""

RIGHT_MOVES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "suspend": (("provisioned", "in_use"), "suspended"),
    "resume": (("suspended",), "open"),
    "revoke": (("provisioned", "in_use", "suspended"), "revoked"),
    "end": (("provisioned", "in_use", "suspended"), "ended"),
}
"""Step → (states of the request from which, state that the right gets)."""

WORDS: Final = frozenset(
    {"return", "ask_more", "extend", "negotiate", "dispute", "escalate", "settle", "rule_for", "rule_against",
     "reject", "refuse", "suspend", "revoke"}
)  # fmt: skip
"""Steps that need words, because somebody else must be able to act on them."""
REASONS: Final = frozenset({"reject", "refuse"})
"""Steps that need a lawful reason from the list besides words."""
LEAST_WORDS: Final = 5

_CLOCKS: Final[Mapping[str, str]] = {
    "department_review": "share.check",
    "authority_review": "share.review",
    "supplement": "share.supplement",
    "provider_reply": "share.reply",
    "agreed": "share.provide",
    "dispute": "share.negotiate",
    "ruling": "share.rule",
}


def clock_of(state: str, share_type: int | None) -> str:
    """The declared clock of a state, '' for none: what is unconditional is answered sooner."""
    return (
        "share.unconditional" if state == "authority_review" and share_type == 1 else _CLOCKS.get(state, "")
    )


def allowed(actor: Actor, request: Request, event: str) -> bool:
    """Whether this official, in this post, may take the step now."""
    if event in RIGHT_MOVES:
        return request.state in RIGHT_MOVES[event][0] and _may_move_right(actor, request, event)
    move = step_of(request, event)
    return move is not None and _holds(actor, request, move)


def step_of(request: Request, event: str) -> Move | None:
    """The step from the request's state for its kind of sharing, None when there is none."""
    for move in MOVES:
        if move.event == event and move.from_state == request.state:
            fits = request.share_type is None or request.share_type in move.types
            once = (event == "ask_more" and request.supplemented) or (event == "extend" and request.extended)
            return move if fits and not once else None
    return None


def steps_for(actors: Iterable[Actor], request: Request) -> tuple[str, ...]:
    """The steps that an official may take now in one of the posts held, in the order of the tables."""
    held = tuple(actors)
    names = dict.fromkeys([*(move.event for move in MOVES), *RIGHT_MOVES])
    return tuple(name for name in names if any(allowed(one, request, name) for one in held))


def acting(actors: Iterable[Actor], request: Request, event: str) -> Actor | None:
    """The official in the post that may take the step, None when no post may."""
    return next((one for one in actors if allowed(one, request, event)), None)


def sees(actor: Actor, request: Request) -> bool:
    """Whether an official may read a request: both departments' officials with a power of sharing, and the authority's."""
    held = set(actor.powers)
    if held & {REVIEW, SETTLE}:
        return request.state != "draft" or actor.unit == request.department
    if not held & {ASK, CHECK, ANSWER}:
        return False
    mine = actor.unit == request.department
    theirs = actor.unit == request.provider and request.state not in ("draft", "department_review")
    return mine or theirs


def drafter(actors: Iterable[Actor], request: Request) -> Actor | None:
    """The official who may delete the request: whoever drafted it, while nobody else has seen it; None otherwise."""
    if request.state != "draft" or request.sent_at is not None:
        return None
    for one in actors:
        if one.official == request.drafted_by and one.unit == request.department and ASK in one.powers:
            return one
    return None


def needed(event: str) -> str:
    """The power that a step needs, as a refusal names it."""
    if event in ("rule_for", "rule_against", "revoke"):
        return SETTLE
    move = next((one for one in MOVES if one.event == event), None)
    return (
        {"asker": ASK, "checker": CHECK, "authority": REVIEW, "provider": ANSWER}[move.by] if move else ANSWER
    )


def _holds(actor: Actor, request: Request, move: Move) -> bool:
    powers = actor.powers
    match move.by:
        case "asker":
            return actor.unit == request.department and ASK in powers
        case "checker":
            # Four eyes: whoever drafted it lets somebody else check it.
            same = move.event == "pass" and actor.official == request.drafted_by
            return actor.unit == request.department and CHECK in powers and not same
        case "authority":
            return (SETTLE if move.event in ("rule_for", "rule_against") else REVIEW) in powers
        case _:
            return actor.unit == request.provider and ANSWER in powers


def _may_move_right(actor: Actor, request: Request, event: str) -> bool:
    consumer = actor.unit == request.department and (ASK in actor.powers or CHECK in actor.powers)
    provider = actor.unit == request.provider and ANSWER in actor.powers
    authority = REVIEW in actor.powers or SETTLE in actor.powers
    match event:
        case "end":
            return consumer
        case "revoke":
            # A provider may stop a use that left its bounds; taking an agreed right away for good is the authority's.
            return SETTLE in actor.powers
        case _:
            return provider or authority


def missing(
    wish: Wish, city: City, resource: Resource | None, department: str, today: dt.date
) -> dict[str, str]:
    """What a request still lacks before it may be sent: field → the sentence shown beside it."""
    wrong: dict[str, str] = {}
    if resource is None or resource.state not in ("published", "changing"):
        wrong["resource"] = "请在资源目录里选一个已发布的资源。"
    elif resource.provider == department:
        wrong["resource"] = "这是本部门自己的数据，不用申请。"
    known = {field[0] for field in resource.fields} if resource is not None else set[str]()
    if not wish.fields:
        wrong["fields"] = "请至少选一个要用的数据项；用不到的不要选。"
    elif not set(wish.fields) <= known:
        wrong["fields"] = "有的数据项不在这个资源里，请重新选。"
    if len(wish.purpose) < LEAST_WORDS:
        wrong["purpose"] = "请用一句话写明用来做什么，市民也会看到这句话。"
    if not law_known(wish.basis, city, today):
        wrong["basis"] = "请选一条本市已声明、现行有效的法律条文。"
    if bool(wish.matter) == bool(wish.duty):
        wrong["matter"] = "请选一件事，或者写明职责；两个里填一个。"
    elif wish.matter and wish.matter not in city.matters:
        wrong["matter"] = "没有这件事，请在清单里选。"
    if len(wish.scope) < LEAST_WORDS:
        wrong["scope"] = "请写明给谁用、用在哪里，例如：本局福利科，核对全市申请人。"
    if not wish.methods or not set(wish.methods) <= set(METHODS):
        wrong["methods"] = "请至少选一种共享方式。"
    if wish.until is None:
        wrong["until"] = "请写用到哪一天。"
    elif wish.until < today:
        wrong["until"] = "这一天已经过了。"
    elif wish.until - today > LONGEST:
        wrong["until"] = "最长三年，到期可以再申请。"
    if wish.frequency not in FREQUENCIES:
        wrong["frequency"] = "请选多久用一次。"
    if wish.per_day is None or not 1 <= wish.per_day <= 10_000_000:
        wrong["per_day"] = "请写一天最多用多少次，例如 500。"
    if len(wish.responsible) < 2:
        wrong["responsible"] = "请写安全责任人的姓名和职务。"
    if not wish.committed:
        wrong["committed"] = "没有承诺不能送出。"
    return wrong


def law_known(key: str, city: City, day: dt.date) -> bool:
    """Whether law:article names an article that the city declares, of a law in force on a day."""
    law_id, _, article = key.partition(":")
    law = city.laws.get(law_id)
    if law is None or article not in law.articles:
        return False
    return law.effective_from <= day and (law.effective_to is None or day <= law.effective_to)
