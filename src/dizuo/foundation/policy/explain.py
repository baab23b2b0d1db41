"""A verdict in plain words, Chinese and English: which rule, which law and article, what was missing, who could."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City, Words
from dizuo.foundation.policy.generate import holders
from dizuo.foundation.policy.model import Request, Verdict
from dizuo.foundation.policy.schema import item_of, powers_asked

Lang = Literal["zh", "en"]
Kind = Literal["resource", "unit", "fit", "relation", "power", "place", "purposes", "facts", "case", "source"]

VERBS: Final[Mapping[str, Words]] = {
    "read": Words("调取资料", "read the data"),
    "view_case": Words("查看办件", "view the case"),
    "supervise": Words("督办", "see to late work"),
    "follow_up": Words("核实和回访差评", "follow up a bad rating"),
    "decide": Words("作出决定", "decide"),
    "write": Words("登记结果", "write the result"),
    "submit": Words("提交申请", "submit"),
    "consent": Words("表示同意", "consent"),
    "serve": Words("窗口服务", "serve at a window"),
    "correct": Words("更正数据", "correct data"),
}
_BOUNDS: Final[Mapping[str, Kind]] = {
    "bound.facts": "facts",
    "bound.purposes": "purposes",
    "bound.case": "case",
    "bound.source": "source",
}
_KINDS: Final[Mapping[Kind, Words]] = {
    "resource": Words("没有声明过", "nobody declared"),
    "unit": Words("不是这个部门的事项", "not an item of this department"),
    "fit": Words("这一类人不办这一步", "this step is not for this kind of person"),
    "relation": Words("不是本人，也没有受委托", "not the person concerned, nor acting for them"),
    "power": Words("缺少职权", "the post lacks the power"),
    "place": Words("不归这个岗位管的地方", "outside the place of the post"),
    "purposes": Words("没有声明的目的", "purposes that were not declared"),
    "facts": Words("没有声明的字段", "fields that were not declared"),
    "case": Words("没有办件", "no case"),
    "source": Words("不是数源部门", "not the source of these fields"),
}

_SAYS_EN: Final[Mapping[str, str]] = {
    "resident.own": "In one's own matter one may read what it needs and see how it goes.",
    "resident.for": "A legal representative, guardian or mandatary may read what the matter needs and see how it goes.",
    "resident.submit": "The person concerned, or who acts for them, may submit.",
    "resident.consent": "The party whose consent is asked may agree or not, and see what it is asked to agree to.",
    "window.serve": "Window clerks serve the people who come.",
    "window.submit": "Window clerks submit, and pass consent on, for the person who is present.",
    "window.read": "Window clerks read what the matter of the person who is present needs, and see how it goes.",
    "supervise": "Supervisors see to work that is late: steps, clocks and posts, nothing about a person, within their place.",
    "rating.follow_up": "Supervisors follow up bad ratings: who rated and what they said, not the application, within their place.",
    "bound.facts": "Only the data that the item declares may be read, not one field more.",
    "bound.purposes": "Data may be used only for the purposes that the item declares.",
    "bound.case": "Without a case nothing is read.",
    "bound.source": "Only the department that is the source corrects a register's data.",
}
"""The general rules in English; those of items are told from the items' declarations."""


class Missing(msgspec.Struct, frozen=True):
    """One thing that kept the answer from being yes; ``what`` are declared names, never a caller's words."""

    kind: Kind
    what: tuple[str, ...] = ()

    def say(self, lang: Lang) -> str:
        """In words: 缺少职权：psb.household.decide."""
        text = _in(_KINDS[self.kind], lang)
        if not self.what:
            return text
        return f"{text}: {', '.join(self.what)}" if lang == "en" else f"{text}：{'、'.join(self.what)}"


class Explanation(msgspec.Struct, frozen=True):
    """A verdict for people. ``law_*`` name law and article; ``missing`` is empty when allowed; ``who_*`` are posts."""

    allowed: bool
    rule: str
    law: str
    law_zh: str
    law_en: str
    why_zh: str
    why_en: str
    missing: tuple[Missing, ...]
    who_zh: tuple[str, ...]
    who_en: tuple[str, ...]
    verb: Words

    def text(self, lang: Lang = "zh") -> str:
        """Everything in one paragraph; names that the reason says already are not said twice."""
        why = self.why_en if lang == "en" else self.why_zh
        lacks = [one.say(lang) for one in self.missing if not all(name in why for name in one.what)]
        if lang == "en":
            head = "Allowed" if self.allowed else "Refused"
            more = f" {'; '.join(lacks).capitalize()}." if lacks else ""
            who = f" Who can: {', '.join(self.who_en)}." if self.who_en else ""
            return f"{head} to {self.verb.en}: {why}{more}{who} (rule {self.rule}, by {self.law_en})"
        head = "可以" if self.allowed else "不可以"
        more = f"{'；'.join(lacks)}。" if lacks else ""
        who = f"可以办的是：{'、'.join(self.who_zh)}。" if self.who_zh else ""
        return f"{head}{self.verb.zh}：{why}{more}{who}（规则 {self.rule}，依据{self.law_zh}）"


def explanation(city: City, request: Request, verdict: Verdict) -> Explanation:
    """What was decided, in words. Pure; nothing that a caller wrote is repeated unless the city declares it."""
    missing = missing_of(city, request, verdict)
    posts = holders(city, powers_asked(city, request.action, request.resource)) if verdict.who_can else []
    return Explanation(
        allowed=verdict.allowed,
        rule=verdict.rule,
        law=verdict.law,
        law_zh=law_text(city, verdict.law),
        law_en=law_text(city, verdict.law, "en"),
        why_zh=verdict.why_zh,
        why_en=_why_en(city, request, verdict, missing),
        missing=missing,
        who_zh=verdict.who_can,
        who_en=tuple(f"{_in(o.short, 'en')} {_in(post.name, 'en')}" for o, post in posts),
        verb=VERBS[request.action],
    )


# -------------------------------------------------------------------- what was missing


def missing_of(city: City, request: Request, verdict: Verdict) -> tuple[Missing, ...]:
    """What would have had to be otherwise, in the order in which policy looks; empty when allowed."""
    if verdict.allowed:
        return ()
    if not _declared(city, request):
        return (Missing("resource"),)
    bound = _BOUNDS.get(verdict.rule)
    if bound is not None:
        return (Missing(bound, _outside(city, request, bound)),)
    actor, ask = request.actor, request.context
    if actor.kind == "resident":
        ours = request.action in {"read", "view_case", "submit", "consent"}
        return (Missing("relation"),) if ours else (Missing("fit"),)
    if actor.kind == "system":
        return (Missing("unit", _known(city.organisations, (actor.unit,))),)
    if actor.unit not in city.organisations:
        return (Missing("unit"),)
    powers = powers_asked(city, request.action, request.resource)
    if not set(powers) & set(actor.powers):
        return (Missing("power", powers),)
    if request.action == "decide" and ask.power not in actor.powers:
        return (Missing("power", _known(powers, (ask.power,))),)
    if request.action in {"submit", "consent"}:
        return (Missing("relation"),)
    return (Missing("place", _known(city.divisions, (ask.at,))),)


def _declared(city: City, request: Request) -> bool:
    if request.action == "correct":
        return request.resource in city.registers
    matter, dot, _ = request.resource.partition(".")
    return item_of(city, request.resource) is not None if dot else matter in city.matters


def _outside(city: City, request: Request, bound: Kind) -> tuple[str, ...]:
    """Which of the asked facts or purposes nobody declared here; only names that the city declares somewhere."""
    ask = request.context
    if bound == "case":
        return ()
    if bound == "source":
        register = city.registers[request.resource]
        own = {field.id for field in register.fields.values() if field.source == request.actor.unit}
        return _known(register.fields, sorted(ask.facts - own))
    matter_id = request.resource.partition(".")[0]
    item = item_of(city, request.resource)
    needs = item.needs if item else ()
    if bound == "purposes":
        return _known(city.purposes, sorted(ask.purposes - {need.purpose for need in needs}))
    matter = city.matters[matter_id]
    every = {
        f"{party.id}.{name}" for party in matter.parties for name in city.registers[party.register].fields
    }
    return _known(every, sorted(ask.facts - {fact for need in needs for fact in need.facts}))


def _known(declared: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
    names = set(declared)
    return tuple(name for name in asked if name in names)


# -------------------------------------------------------------------- in English


def _why_en(city: City, request: Request, verdict: Verdict, missing: Sequence[Missing]) -> str:
    if verdict.allowed or verdict.rule in _BOUNDS:
        return _rule_en(city, verdict.rule)
    kind = missing[0].kind
    if kind == "resource":
        return "Nobody declared what was asked for."
    if kind == "relation":
        own = request.actor.kind == "resident"
        return (
            "This is not your own matter, and nobody entrusted it to you."
            if own
            else "A window clerk does this only for the person who is present."
        )
    if kind == "fit":
        return "Officials do this step."
    if kind == "unit" and request.actor.unit not in city.organisations:
        return "Nobody declared this department."
    if kind == "unit":
        return "A system acts only for its own department, in that department's items."
    if kind == "power":
        return "Your post does not have the power that this step asks for."
    place, own_place = _place(city, request.context.at), _place(city, request.actor.place)
    return f"This belongs to {place}; your post is for {own_place}."


def _rule_en(city: City, rule: str) -> str:
    """The sentence of a rule in English, from the same declarations as the Chinese one."""
    if rule in _SAYS_EN:
        return _SAYS_EN[rule]
    matter_id, _, rest = rule.partition(".")
    if matter_id == "correct" and rest in city.organisations:
        return f"{_in(city.organisations[rest].name, 'en')} corrects the data that it is the source of."
    item_id, _, deed = rest.partition(".")
    item = item_of(city, f"{matter_id}.{item_id}")
    if item is None:
        return f"Rule {rule}."
    name = _in(item.name, "en")
    organisation = city.organisations.get(item.department)
    unit = _in(organisation.name, "en") if organisation else item.department
    if deed == "auto":
        return f"The system of {unit} does “{name}” by itself: it reads what the item needs, decides by rule and writes the result."
    if deed == "duty":
        return f"{_posts_en(city, [s.power for s in item.steps if s.power])} does “{name}”: views the case and reads what the item needs, within the post's place."
    if deed == "approve":
        return f"{_posts_en(city, [f'{item.department}.approve'])} approves an extension of “{name}” and views the case."
    return f"{_posts_en(city, [deed.removeprefix('decide.')])} decides on “{name}”, within the post's place."


def _posts_en(city: City, powers: Sequence[str]) -> str:
    found = [f"{_in(o.short, 'en')} {_in(post.name, 'en')}" for o, post in holders(city, powers)]
    return ", ".join(found) or "The post with that power"


def _place(city: City, code: str) -> str:
    if not code or code == city.code:
        return _in(city.name, "en")
    division = city.divisions.get(code)
    return division.called("en") if division else f"division {code}"


def _in(words: Words, lang: Lang) -> str:
    return words.en if lang == "en" and words.en else words.zh
