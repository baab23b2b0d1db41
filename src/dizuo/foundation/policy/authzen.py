"""Questions in the form of the OpenID AuthZEN Authorization API 1.0, put to the same policy. Pure.

Subject: ``official``, ``resident`` or ``system``; its id is the asker's own and is neither used nor kept. Of an official
``properties`` name unit, post and place; the powers are those that the city declares for that post. Resource: ``item``,
``matter`` or ``register``. Action: one of the policy's. Context: relation, at, power, purposes, facts, case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, cast, get_args

import msgspec

from dizuo.foundation.blueprint.model import City
from dizuo.foundation.policy.decide import Policy
from dizuo.foundation.policy.errors import AuthzenInvalid
from dizuo.foundation.policy.explain import Explanation
from dizuo.foundation.policy.model import Action, Ask, Principal, Relation, Request

MOST: Final = 1000
"""Evaluations in one call."""
SEMANTICS: Final = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
RESOURCES: Final = ("item", "matter", "register")
_ACTIONS: Final = cast("tuple[str, ...]", get_args(Action))
_RELATIONS: Final = cast("tuple[str, ...]", get_args(Relation))
_PARTS: Final = ("subject", "action", "resource", "context")
_LONGEST: Final = 500
_CODE: Final = 12
_STRANGE: Final = "?"

Json = Mapping[str, object]


class Evaluated(msgspec.Struct, frozen=True):
    """The answer to send, and what was asked in counts: (action, resource, decision, rule) → times; nothing personal."""

    answer: Json
    counts: Mapping[tuple[str, str, bool, str], int]


def evaluate(city: City, policy: Policy, asked: object) -> Evaluated:
    """One evaluation (§6). Errors: AuthzenInvalid with the place of what is wrong."""
    counts: Counter[tuple[str, str, bool, str]] = Counter()
    answer = _one(city, policy, _object(asked, "请求"), counts)
    return Evaluated(answer, counts)


def evaluate_many(city: City, policy: Policy, asked: object) -> Evaluated:
    """Several evaluations with shared defaults (§7); without ``evaluations`` it is one.

    What is wrong in one evaluation denies that one, with ``context.error``; what is wrong with the whole raises.
    Errors: AuthzenInvalid.
    """
    whole = _object(asked, "请求")
    rows = whole.get("evaluations")
    if rows is None or rows == []:
        return evaluate(city, policy, whole)
    if not isinstance(rows, list):
        raise AuthzenInvalid(place="evaluations", why="要写成列表")
    several = cast("list[object]", rows)
    if len(several) > MOST:
        raise AuthzenInvalid(place="evaluations", why=f"一次最多 {MOST} 个")
    semantic = _semantic(whole)
    defaults = {part: whole[part] for part in _PARTS if part in whole}
    counts: Counter[tuple[str, str, bool, str]] = Counter()
    answers: list[Json] = []
    for number, row in enumerate(several):
        try:
            answer = _one(city, policy, {**defaults, **_object(row, f"evaluations[{number}]")}, counts)
        except AuthzenInvalid as error:
            counts["invalid", "", False, ""] += 1
            answer = {"decision": False, "context": {"error": {"status": 400, "message": error.message}}}
        answers.append(answer)
        if semantic == "deny_on_first_deny" and not answer["decision"]:
            break
        if semantic == "permit_on_first_permit" and answer["decision"]:
            break
    return Evaluated({"evaluations": answers}, counts)


def _semantic(whole: Json) -> str:
    options = _object(whole.get("options", {}), "options")
    semantic = options.get("evaluations_semantic", SEMANTICS[0])
    if semantic not in SEMANTICS:
        raise AuthzenInvalid(place="options.evaluations_semantic", why=f"只能是 {'、'.join(SEMANTICS)}")
    return cast("str", semantic)


# ------------------------------------------------------------------------- one evaluation


def _one(city: City, policy: Policy, asked: Json, counts: Counter[tuple[str, str, bool, str]]) -> Json:
    for part in _PARTS[:3]:
        if part not in asked:
            raise AuthzenInvalid(place=part, why="没有写")
    subject, action, resource = (_object(asked[part], part) for part in _PARTS[:3])
    kind, name = _text(subject, "subject", "type"), _text(action, "action", "name")
    _text(subject, "subject", "id")
    form, id = _text(resource, "resource", "type"), _text(resource, "resource", "id")
    properties = _object(subject.get("properties", {}), "subject.properties")
    actor_unit, post, place = (
        _text(properties, "subject.properties", key, "") for key in ("unit", "post", "place")
    )
    ask = _ask(city, _object(asked.get("context", {}), "context"))
    unknown = [
        where
        for where, value, known in (
            ("subject.type", kind, ("resident", "official", "system")),
            ("action.name", name, _ACTIONS),
            ("resource.type", form, RESOURCES),
        )
        if value not in known
    ]
    if unknown:
        counts["unknown", "", False, ""] += 1
        return _denied(f"不认识 {'、'.join(unknown)}。", f"Unknown: {', '.join(unknown)}.")
    if not _declared(city, form, id):
        counts[name, "undeclared", False, "no_rule"] += 1
        return _denied("没有声明过这个资源。", "Nobody declared this resource.")
    actor = _actor(city, kind, actor_unit, post, _place(place, "subject.properties.place"))
    told = policy.explained(Request(actor, cast("Action", name), id, ask))
    counts[name, id, told.allowed, told.rule] += 1
    return {"decision": told.allowed, "context": _context(told)}


def _actor(city: City, kind: str, unit: str, post: str, place: str) -> Principal:
    """Who asks. What a caller says of powers is not heard: a post has those that the city declares."""
    if kind == "resident":
        return Principal("resident")
    organisation = city.organisations.get(unit)
    unit = organisation.id if organisation else _STRANGE
    if kind == "system":
        return Principal("system", unit)
    held = next((p for p in organisation.posts if p.id == post), None) if organisation else None
    return (
        Principal("official", unit, held.id, held.powers, place)
        if held
        else Principal("official", unit, _STRANGE, (), place)
    )


def _declared(city: City, form: str, id: str) -> bool:
    if form == "register":
        return id in city.registers
    matter_id, dot, item_id = id.partition(".")
    matter = city.matters.get(matter_id)
    if matter is None or bool(dot) != (form == "item"):
        return False
    return form == "matter" or any(item.id == item_id for item in matter.items)


def _ask(city: City, context: Json) -> Ask:
    relation = _text(context, "context", "relation", "none")
    if relation not in _RELATIONS:
        raise AuthzenInvalid(place="context.relation", why=f"只能是 {'、'.join(_RELATIONS)}")
    case = context.get("case", False)
    if not isinstance(case, bool | str):
        raise AuthzenInvalid(place="context.case", why="写办件号，或者是与否")
    fields = {field for register in city.registers.values() for field in register.fields}
    return Ask(
        cast("Relation", relation),
        _place(_text(context, "context", "at", ""), "context.at"),
        _text(context, "context", "power", ""),
        _names(context, "purposes", lambda name: name in city.purposes),
        _names(context, "facts", lambda name: name.rpartition(".")[2] in fields),
        # The case's number is not kept: policy asks only whether there is one.
        case.strip() != "" if isinstance(case, str) else case,
    )


def _place(code: str, where: str) -> str:
    if code and not (code.isascii() and code.isdigit() and len(code) <= _CODE):
        raise AuthzenInvalid(place=where, why=f"要写区划代码，最多 {_CODE} 位数字")
    return code


def _context(told: Explanation) -> Json:
    context: dict[str, object] = {
        "reason_admin": {"zh": told.text("zh"), "en": told.text("en")},
        "reason_user": {"zh": told.why_zh, "en": told.why_en},
        "rule": told.rule,
        "law": told.law,
    }
    if not told.allowed:
        context["missing"] = [{"kind": one.kind, "what": list(one.what)} for one in told.missing]
        context["who_can"] = [{"zh": zh, "en": en} for zh, en in zip(told.who_zh, told.who_en, strict=True)]
    return context


def _denied(zh: str, en: str) -> Json:
    reason = {"zh": zh, "en": en}
    return {"decision": False, "context": {"reason_admin": reason, "reason_user": reason, "rule": "no_rule"}}


# ------------------------------------------------------------------------- shapes


def _object(value: object, place: str) -> Json:
    if not isinstance(value, dict):
        raise AuthzenInvalid(place=place, why="要写成对象")
    return cast("Json", value)


def _text(holder: Json, place: str, key: str, otherwise: str | None = None) -> str:
    value = holder.get(key, otherwise)
    if not isinstance(value, str) or len(value) > _LONGEST or (value == "" and otherwise is None):
        raise AuthzenInvalid(
            place=f"{place}.{key}", why="要写成文字" if otherwise is not None else "要写，写成文字"
        )
    return value


def _names(context: Json, key: str, known: Callable[[str], bool]) -> frozenset[str]:
    """Names that the city declares; all others become one that nobody declares, so that no caller fills the memory."""
    value = context.get(key, [])
    names = cast("list[object]", value) if isinstance(value, list) else None
    if (
        names is None
        or len(names) > MOST
        or not all(isinstance(name, str) and len(name) <= _LONGEST for name in names)
    ):
        raise AuthzenInvalid(place=f"context.{key}", why="要写成文字的列表")
    return frozenset(name if known(name) else _STRANGE for name in cast("list[str]", names))
