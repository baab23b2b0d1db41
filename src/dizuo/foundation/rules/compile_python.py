"""A tree as a Python closure; nothing is ever given to ``eval`` or ``exec``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from dizuo.foundation.kernel.errors import DizuoError
from dizuo.foundation.rules import values
from dizuo.foundation.rules.functions import FUNCTIONS
from dizuo.foundation.rules.tree import (
    Arithmetic,
    Between,
    Binding,
    Call,
    Compare,
    ContextOf,
    Expression,
    Filter,
    For,
    If,
    In,
    ListOf,
    Literal,
    Logic,
    Member,
    Name,
    Negative,
    Not,
    Quantified,
    Range,
    Test,
    Tree,
    UnaryTest,
    dotted,
)
from dizuo.foundation.rules.values import Value

MAX_STEPS = 10_000


class RuleTooLong(DizuoError):
    """规则要看的列表太长（超过 {most} 项），没有算完。"""

    http = 422
    fix = "请先筛选列表，或把规则改为对单项判断。"


class Compiled(Protocol):
    """A rule ready to run: facts in, value out; ``today`` answers ``today()``."""

    def __call__(self, facts: Mapping[str, object], today: date | None = None) -> Value: ...


@dataclass(slots=True)
class _Scope:
    facts: Mapping[str, object]
    today: date | None
    frames: tuple[tuple[str, Value], ...] = ()
    steps: int = 0

    def bound(self, name: str) -> tuple[str, Value] | None:
        for frame in reversed(self.frames):
            if frame[0] == name:
                return frame
        return None

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise RuleTooLong(most=MAX_STEPS)


Getter = Callable[[Any], Value]
Resolve = Callable[[str], Getter | None]
_Run = Callable[[_Scope], Value]
_TestRun = Callable[[_Scope, Value], Value]


def compile_python(tree: Tree, resolve: Resolve | None = None) -> Compiled:
    """The rule as a function of facts.

    Shapes: facts are nested mappings (``{"child": {"birth_date": …}}``), or flat by dotted path, or both; a missing
    fact is null. The result is a FEEL value: numbers are Decimal. Errors: RuleTooLong when lists are longer than
    the budget, ValueError when the rule says ``today()`` and no day is given.

    ``resolve`` may say, once per path of the rule, how to get it, as a FEEL value, from the caller's own facts; for
    a path that it answers with None the facts are searched as above.
    """
    run = _compile(tree.root, resolve)

    def compiled(facts: Mapping[str, object], today: date | None = None) -> Value:
        return run(_Scope(facts, today))

    return compiled


def _compile(node: Expression, resolve: Resolve | None) -> _Run:
    match node:
        case Literal(value):
            return lambda scope: value
        case Name() | Member():
            return _path(node, resolve)
        case Negative(operand):
            inner = _compile(operand, resolve)
            return lambda scope: values.minus(inner(scope))
        case Arithmetic(op, left, right):
            return _binary(values.ARITHMETIC[op], _compile(left, resolve), _compile(right, resolve))
        case Compare("=" | "!=" as op, left, Literal(None)):
            present, wanted = _compile(left, resolve), op == "="
            return lambda scope: (present(scope) is None) is wanted
        case Compare(op, left, right):
            return _binary(values.COMPARISONS[op], _compile(left, resolve), _compile(right, resolve))
        case Logic("and", items):
            return _fold([_compile(item, resolve) for item in items], decisive=False)
        case Logic(_, items):
            return _fold([_compile(item, resolve) for item in items], decisive=True)
        case Not(operand):
            inner = _compile(operand, resolve)
            return lambda scope: values.negate(inner(scope))
        case Between(value, low, high):
            return _between(_compile(value, resolve), _compile(low, resolve), _compile(high, resolve))
        case In(value, tests):
            return _in(_compile(value, resolve), [_test(test, resolve) for test in tests])
        case If(condition, then, otherwise):
            choose, yes, no = (
                _compile(condition, resolve),
                _compile(then, resolve),
                _compile(otherwise, resolve),
            )
            return lambda scope: yes(scope) if choose(scope) is True else no(scope)
        case Quantified(kind, bindings, condition):
            return _quantified(kind == "some", _sources(bindings, resolve), _compile(condition, resolve))
        case For(bindings, body):
            return _loop(_sources(bindings, resolve), _compile(body, resolve))
        case ListOf(items):
            runs = [_compile(item, resolve) for item in items]
            return lambda scope: [run(scope) for run in runs]
        case ContextOf(entries):
            fields = [(entry.key, _compile(entry.value, resolve)) for entry in entries]
            return lambda scope: {key: run(scope) for key, run in fields}
        case Filter(target, condition):
            if isinstance(condition, Literal) and isinstance(condition.value, Decimal):
                return _item(_compile(target, resolve), condition.value)
            return _filter(_compile(target, resolve), _compile(condition, resolve))
        case Call(function, arguments):
            return _call(function, [_compile(argument, resolve) for argument in arguments])


def _binary(apply: Callable[[Value, Value], Value], left: _Run, right: _Run) -> _Run:
    return lambda scope: apply(left(scope), right(scope))


def _path(node: Name | Member, resolve: Resolve | None) -> _Run:
    path = dotted(node)
    if path is None:
        assert isinstance(node, Member)
        target, name = _compile(node.target, resolve), node.name
        return lambda scope: values.part(target(scope), name)
    names = path.split(".")
    known = None if resolve is None else resolve(path)
    if known is not None:
        return _resolved(known, names)
    # Facts may be flat by path: the longest stored prefix wins, the rest are parts of its value.
    prefixes = [(".".join(names[:n]), names[n:]) for n in range(len(names), 0, -1)]

    def run(scope: _Scope) -> Value:
        bound = scope.bound(names[0]) if scope.frames else None
        if bound is not None:
            return _parts(bound[1], names[1:])
        for prefix, rest in prefixes:
            if prefix in scope.facts:
                return _parts(values.feel(scope.facts[prefix]), rest)
        return None

    return run


def _resolved(known: Getter, names: Sequence[str]) -> _Run:
    def run(scope: _Scope) -> Value:
        if scope.frames:
            bound = scope.bound(names[0])
            if bound is not None:
                return _parts(bound[1], names[1:])
        return known(scope.facts)

    return run


def _parts(value: Value, names: Sequence[str]) -> Value:
    for name in names:
        value = values.part(value, name)
    return value


def _fold(runs: Sequence[_Run], decisive: bool) -> _Run:
    def run(scope: _Scope) -> Value:
        result: bool | None = not decisive
        for one in runs:
            value = one(scope)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                result = None
        return result

    return run


def _between(value: _Run, low: _Run, high: _Run) -> _Run:
    def run(scope: _Scope) -> Value:
        found = value(scope)
        above = values.greater_or_equal(found, low(scope))
        return values.both(above, values.less_or_equal(found, high(scope)))

    return run


def _in(value: _Run, tests: Sequence[_TestRun]) -> _Run:
    def run(scope: _Scope) -> Value:
        found = value(scope)
        result: bool | None = False
        for test in tests:
            held = test(scope, found)
            if held is True:
                return True
            if held is None:
                result = None
        return result

    return run


def _test(test: Test, resolve: Resolve | None) -> _TestRun:
    match test:
        case Range(low, high, low_closed, high_closed):
            bottom, top = _compile(low, resolve), _compile(high, resolve)
            above = values.greater_or_equal if low_closed else values.greater
            below = values.less_or_equal if high_closed else values.less
            return lambda scope, value: values.both(above(value, bottom(scope)), below(value, top(scope)))
        case UnaryTest(op, right):
            compare, bound = values.COMPARISONS[op], _compile(right, resolve)
            return lambda scope, value: compare(value, bound(scope))
        case _:
            one = _compile(test, resolve)

            def run(scope: _Scope, value: Value) -> Value:
                wanted: Value = one(scope)
                if values.is_list(wanted) and not values.is_list(value):
                    return values.member(value, wanted)
                return values.equal(value, wanted)

            return run


def _combinations(scope: _Scope, bindings: Sequence[tuple[str, _Run]]) -> Iterator[_Scope | None]:
    """The scope with every combination of bound items; None when a source is not a list."""
    if not bindings:
        yield scope
        return
    (name, source), *rest = bindings
    items = source(scope)
    if not values.is_list(items):
        yield None
        return
    frames = scope.frames
    for item in items:
        scope.step()
        scope.frames = (*frames, (name, item))
        yield from _combinations(scope, rest)
    scope.frames = frames


def _sources(bindings: Sequence[Binding], resolve: Resolve | None) -> list[tuple[str, _Run]]:
    return [(binding.name, _compile(binding.source, resolve)) for binding in bindings]


def _quantified(some: bool, sources: Sequence[tuple[str, _Run]], condition: _Run) -> _Run:
    def run(scope: _Scope) -> Value:
        frames = scope.frames
        result: bool | None = not some
        for inner in _combinations(scope, sources):
            held = None if inner is None else condition(inner)
            if held is some:
                result = some
                break
            if not isinstance(held, bool):
                result = None
        scope.frames = frames
        return result

    return run


def _loop(sources: Sequence[tuple[str, _Run]], body: _Run) -> _Run:
    def run(scope: _Scope) -> Value:
        frames = scope.frames
        found: list[Value] = []
        for inner in _combinations(scope, sources):
            if inner is None:
                scope.frames = frames
                return None
            found.append(body(inner))
        return found

    return run


def _filter(target: _Run, condition: _Run) -> _Run:
    def run(scope: _Scope) -> Value:
        source = target(scope)
        if source is None:
            return None
        items = source if values.is_list(source) else [source]
        frames = scope.frames
        kept: list[Value] = []
        try:
            for item in items:
                scope.step()
                scope.frames = (*frames, ("item", item))
                held = condition(scope)
                if isinstance(held, Decimal):
                    return _nth(items, held)
                if held is True:
                    kept.append(item)
        finally:
            scope.frames = frames
        return kept

    return run


def _item(target: _Run, position: Decimal) -> _Run:
    def run(scope: _Scope) -> Value:
        source: Value = target(scope)
        if source is None:
            return None
        return _nth(source if values.is_list(source) else [source], position)

    return run


def _nth(items: Sequence[Value], position: Decimal) -> Value:
    """The n-th item, from 1; from the end for a negative number; null beyond."""
    index = int(position)
    if index != position or index == 0 or abs(index) > len(items):
        return None
    return items[index - 1 if index > 0 else index]


def _call(name: str, arguments: Sequence[_Run]) -> _Run:
    function = FUNCTIONS[name]
    if name == "today":
        return _today
    if name == "coalesce":
        return _coalesce(arguments)
    apply = function.run
    if not function.spread:
        return lambda scope: apply(*[argument(scope) for argument in arguments])

    def run(scope: _Scope) -> Value:
        given = [argument(scope) for argument in arguments]
        if len(given) == 1:
            if given[0] is None:
                return None
            given = given[0] if values.is_list(given[0]) else given
        return apply(given)

    return run


def _coalesce(arguments: Sequence[_Run]) -> _Run:
    def run(scope: _Scope) -> Value:
        for argument in arguments:  # later ones are not even looked at
            value = argument(scope)
            if value is not None:
                return value
        return None

    return run


def _today(scope: _Scope) -> Value:
    if scope.today is None:
        raise ValueError("this rule says today(); pass today= so that the caller's clock decides")
    return scope.today
