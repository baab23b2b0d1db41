"""Conditions that the database judges while it reads: what only some cases need is read in the same journey.

A need that hangs on a fact (``mother_medical.kind = "310"``) would take a second read, after the first one was released. Where
the condition is made of equality, null, ``and``, ``or``, ``not`` and ``if`` over facts of the first read and answers that
are known already, it is also written as a jsonpath predicate of PostgreSQL. The predicate holds only if the planner
would say so, too; where it does not hold or cannot be written, the planner goes on as before, with a second read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.lazy import lazy
from dizuo.engines.cases.plan_model import Value
from dizuo.engines.registers import Guard
from dizuo.foundation.blueprint.model import Expression
from dizuo.foundation.rules import parse
from dizuo.foundation.rules.tree import Compare, If, In, Literal, Logic, Name, Not, Test, dotted
from dizuo.foundation.rules.tree import Expression as Node

LARGEST = 4000
"""Characters of a predicate: a longer one costs the database more than a second read."""
_KEPT = 256
"""Sets of answers for which the predicates of a matter are kept."""
_DEEPEST = 60
_NO_TEXT = frozenset({"date", "datetime", "number", "money", "boolean"})


class CannotSay(Exception):
    """Something that is not written as a predicate; the planner judges it after the first read."""


class Truth(NamedTuple):
    """When an expression is surely true and when surely false, each as True, False or a predicate; neither is possible."""

    yes: bool | str
    no: bool | str


class _Constant(NamedTuple):
    value: str | bool | None


class _Fact(NamedTuple):
    path: str


class _Found(NamedTuple):
    """A party as a whole."""

    party: str


class _Either(NamedTuple):
    condition: Truth
    then: _Term
    otherwise: _Term


class _Open(NamedTuple):
    """What is not known yet."""


_Term = _Constant | _Fact | _Found | _Either | _Open
_UNKNOWN = Truth(False, False)


def guards_of(ready: CompiledMatter, answers: Mapping[str, Value]) -> tuple[Guard, ...]:
    """What a first read of this matter may add by itself, when these answers are known."""
    asked = ready.guarding
    mine = {name: value for name, value in answers.items() if name in asked}
    if not all(value is None or isinstance(value, (bool, str)) for value in mine.values()):
        return ()
    key = tuple(sorted((name, str(type(value)), str(value)) for name, value in mine.items()))
    found = ready.kept_guards.get(key)
    if found is None:
        if len(ready.kept_guards) >= _KEPT:
            ready.kept_guards.clear()
        found = ready.kept_guards[key] = _Guards(ready, mine).all()
    return found


class _Guards:
    def __init__(self, ready: CompiledMatter, answers: Mapping[str, Value]) -> None:
        self._ready = ready
        self._answers = answers
        self._first = ready.first
        self._depth = 0

    def all(self) -> tuple[Guard, ...]:
        found: dict[tuple[str, str], list[str]] = {}
        eligible = self._every(rule for rule, _ in self._ready.matter.eligible)
        for item in self._ready.matter.items:
            if item.id not in self._first.items:
                continue
            done = Truth(False, True) if item.done_already is None else self.said(item.done_already)
            runs = _and(eligible.yes, self._every([item.applies]).yes, done.no)
            for need in item.needs:
                when = _and(runs, self._every([need.when]).yes)
                later = [fact for fact in need.facts if fact not in self._first.facts]
                if isinstance(when, str) and len(when) <= LARGEST and later:
                    found.setdefault((when, item.id), []).extend(later)
        return tuple(Guard(when, item, tuple(dict.fromkeys(facts))) for (when, item), facts in found.items())

    def _every(self, rules: Iterable[Expression | None]) -> Truth:
        total = Truth(True, False)
        for rule in rules:
            if rule is not None:
                one = self.said(rule)
                total = Truth(_and(total.yes, one.yes), _or(total.no, one.no))
        return total

    def said(self, expression: Expression) -> Truth:
        """When a rule holds; never and never not when it is not made of what can be written."""
        if self._depth > _DEEPEST:
            return _UNKNOWN
        self._depth += 1
        try:
            return self._truth(lazy(parse(expression.text)).root)
        except CannotSay:
            return _UNKNOWN
        finally:
            self._depth -= 1

    def _truth(self, node: Node) -> Truth:
        match node:
            case Literal(value) if isinstance(value, bool):
                return Truth(value, not value)
            case Compare("=", left, right):
                return _equal(self._term(left), self._term(right))
            case Compare("!=", left, right):
                return _not(_equal(self._term(left), self._term(right)))
            case In(value, tests):
                mine = self._term(value)
                several = [_equal(mine, _constant(test)) for test in tests]
                return Truth(_or(*(one.yes for one in several)), _and(*(one.no for one in several)))
            case Logic(op, items):
                several = [self._truth(one) for one in items]
                if op == "and":
                    return Truth(_and(*(one.yes for one in several)), _or(*(one.no for one in several)))
                # True after something that is open would not be said by the planner: what comes before is surely false.
                yes: bool | str = False
                for one in reversed(several):
                    yes = _or(one.yes, _and(one.no, yes))
                return Truth(yes, _and(*(one.no for one in several)))
            case Not(operand):
                return _not(self._truth(operand))
            case If(condition, then, otherwise):
                first, one, other = self._truth(condition), self._truth(then), self._truth(otherwise)
                return Truth(
                    _or(_and(first.yes, one.yes), _and(first.no, other.yes)),
                    _or(_and(first.yes, one.no), _and(first.no, other.no)),
                )
            case Name(name) if name in self._ready.names:
                return self._truth(self._named(name))
            case _:
                raise CannotSay

    def _named(self, name: str) -> Node:
        return lazy(parse(self._ready.names[name].text)).root

    def _term(self, node: Node) -> _Term:
        match node:
            case Literal(value) if value is None or isinstance(value, (bool, str)):
                return _Constant(value)
            case If(condition, then, otherwise):
                return _Either(self._truth(condition), self._term(then), self._term(otherwise))
            case _:
                path = dotted(node)
                if path is None:
                    raise CannotSay
                return self._path(path)

    def _path(self, path: str) -> _Term:
        if path in self._ready.names:
            return self._term(self._named(path))
        if path in self._ready.questions:
            return self._answer(path)
        if path in self._ready.parties:
            return _Found(path)
        field = self._ready.field(path)
        if field is None or field.type in _NO_TEXT:
            raise CannotSay
        # What the first read does not ask for is open for the planner, whatever the register holds.
        return _Fact(path) if path in self._first.facts else _Open()

    def _answer(self, question: str) -> _Term:
        if question in self._answers:
            value = self._answers[question]
            if value is None or isinstance(value, (bool, str)):
                return _Constant(value)
            raise CannotSay
        declared = self._ready.questions[question]
        if declared.ask_when is None:
            return _Open()
        # Nobody will be asked: null. A silent register that leads to a question is for the planner to see.
        return _Either(self.said(declared.ask_when), _Open(), _Constant(None))


def _constant(test: Test) -> _Term:
    if isinstance(test, Literal) and isinstance(test.value, str):
        return _Constant(test.value)
    raise CannotSay


def _equal(left: _Term, right: _Term) -> Truth:
    match left, right:
        case (_Either(condition, then, otherwise), other) | (other, _Either(condition, then, otherwise)):
            one, two = _equal(then, other), _equal(otherwise, other)
            return Truth(
                _or(_and(condition.yes, one.yes), _and(condition.no, two.yes)),
                _or(_and(condition.yes, one.no), _and(condition.no, two.no)),
            )
        case (_Open(), _) | (_, _Open()):
            return _UNKNOWN
        case (_Constant(one), _Constant(two)):
            return Truth(one == two and type(one) is type(two), one != two)
        case (_Found(party), _Constant(None)) | (_Constant(None), _Found(party)):
            kind = f"{_at(party)}.type()"
            return Truth(f'({kind} == "null")', f'({kind} == "object")')
        case (_Fact(path), _Constant(None)) | (_Constant(None), _Fact(path)):
            return Truth(f"({_at(path)} == null)", f'({_at(path)} != null && {_at(path)} != "")')
        case (_Fact(path), _Constant(str(text))) | (_Constant(str(text)), _Fact(path)) if text:
            said = json.dumps(text)
            return Truth(f"({_at(path)} == {said})", f"({_at(path)} != {said})")
        case (_Fact(one), _Fact(two)):
            # Empty text is null for the planner.
            return Truth(
                f"({_at(one)} == {_at(two)})",
                f'({_at(one)} != {_at(two)} && {_at(one)} != "" && {_at(two)} != "")',
            )
        case _:
            raise CannotSay


def _at(path: str) -> str:
    return "$." + ".".join(json.dumps(part) for part in path.split("."))


def _not(truth: Truth) -> Truth:
    return Truth(truth.no, truth.yes)


def _and(*parts: bool | str) -> bool | str:
    if False in parts:
        return False
    left = list(dict.fromkeys(part for part in parts if isinstance(part, str)))
    return f"({' && '.join(left)})" if len(left) > 1 else left[0] if left else True


def _or(*parts: bool | str) -> bool | str:
    if True in parts:
        return True
    left = list(dict.fromkeys(part for part in parts if isinstance(part, str)))
    return f"({' || '.join(left)})" if len(left) > 1 else left[0] if left else False
