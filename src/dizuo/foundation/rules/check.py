"""Types of a rule against the facts it may use: every fault at once, each with a way out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence

from dizuo.foundation.rules.errors import RuleError, RuleErrors
from dizuo.foundation.rules.functions import FUNCTIONS, Function, Parameter
from dizuo.foundation.rules.patterns import BadPattern, compile_pattern
from dizuo.foundation.rules.tree import (
    AnyNode,
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
    Span,
    Test,
    Tree,
    UnaryTest,
)
from dizuo.foundation.rules.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    ORDERED,
    TEXT,
    TIME,
    ContextType,
    ListType,
    Type,
    join,
    type_of,
)

_PARTS: Mapping[Type, tuple[str, ...]] = {
    DATE: ("year", "month", "day", "weekday"),
    DATETIME: ("year", "month", "day", "weekday", "hour", "minute"),
    DAYS: ("days",),
    MONTHS: ("years", "months"),
}
_WRITE: Mapping[Type, str] = {
    DATE: 'date("2026-11-01")',
    DATETIME: 'date and time("2026-11-01T08:30:00")',
    TIME: 'time("08:30:00")',
    NUMBER: "12，不加引号",
    TEXT: '"…"，加英文双引号',
    BOOLEAN: "true 或 false",
    DAYS: 'duration("P3D")',
    MONTHS: 'duration("P1M")',
}

# What + and - give, by the types of their two sides.
_SUMS: Mapping[tuple[str, Type, Type], Type] = {
    ("+", NUMBER, NUMBER): NUMBER,
    ("-", NUMBER, NUMBER): NUMBER,
    ("+", TEXT, TEXT): TEXT,
    ("-", DATE, DATE): DAYS,
    ("-", DATETIME, DATETIME): DAYS,
    **{("+", duration, kind): kind for duration in (DAYS, MONTHS) for kind in (DATE, DATETIME)},
    **{(op, kind, duration): kind for op in "+-" for duration in (DAYS, MONTHS) for kind in (DATE, DATETIME)},
    **{(op, duration, duration): duration for op in "+-" for duration in (DAYS, MONTHS)},
}


def check(tree: Tree, env: Mapping[str, Type]) -> Type:
    """The type of a rule.

    Shapes: ``env`` maps first names to types; ``types.environment`` makes it from dotted paths. Errors: RuleErrors
    with every fault, each at its place.
    """
    return infer(tree, env)[0]


def infer(tree: Tree, env: Mapping[str, Type]) -> tuple[Type, Mapping[int, Type]]:
    """The type of a rule and of each of its nodes, by ``id``; for the compilers. Errors: RuleErrors."""
    checker = _Checker(env)
    kind = checker.visit(tree.root)
    if checker.faults:
        raise RuleErrors(tree.text, checker.faults)
    return kind, checker.types


class _Checker:
    def __init__(self, env: Mapping[str, Type]) -> None:
        self.scopes: list[Mapping[str, Type]] = [env]
        self.faults: list[RuleError] = []
        self.types: dict[int, Type] = {}

    def fault(self, node: AnyNode, message: str, fix: str | None = None) -> Type:
        self.faults.append(RuleError(message, node.span.start, node.span.end, fix))
        return ANY  # no fault follows from a fault

    def visit(self, node: Expression) -> Type:
        kind = self.infer(node)
        self.types[id(node)] = kind
        return kind

    def infer(self, node: Expression) -> Type:
        match node:
            case Literal(value):
                return type_of(value)
            case Name(name):
                return self.name(node, name)
            case Member(target, name):
                return self.member(node, self.visit(target), name)
            case Negative(operand):
                return self.expect(operand, (NUMBER, DAYS, MONTHS), "负号后面")
            case Arithmetic():
                return self.arithmetic(node)
            case Compare(op, left, right):
                return self.compare(node, op, left, right)
            case Logic(_, items):
                for item in items:
                    self.expect(item, (BOOLEAN,), "and 和 or 两边")
                return BOOLEAN
            case Not(operand):
                self.expect(operand, (BOOLEAN,), "not 里面")
                return BOOLEAN
            case Between(value, low, high):
                self.ordered(value, self.visit(value), (low, high))
                return BOOLEAN
            case In(value, tests):
                kind = self.visit(value)
                for test in tests:
                    self.test(value, kind, test)
                return BOOLEAN
            case If(condition, then, otherwise):
                self.expect(condition, (BOOLEAN,), "if 的条件")
                return self.mix(node, (then, otherwise), "then 和 else 后面的类型要相同")
            case Quantified(_, bindings, condition):
                self.scoped(bindings, lambda: self.expect(condition, (BOOLEAN,), "satisfies 后面"))
                return BOOLEAN
            case For(bindings, body):
                return ListType(self.scoped(bindings, lambda: self.visit(body)))
            case ListOf(items):
                return ListType(self.mix(node, items, "列表里各项的类型要相同"))
            case ContextOf(entries):
                return ContextType(tuple((entry.key, self.visit(entry.value)) for entry in entries))
            case Filter(target, condition):
                return self.filter(target, condition)
            case Call(function, arguments):
                return self.call(node, FUNCTIONS[function], arguments)

    # --- names --------------------------------------------------------------------------------------------

    def name(self, node: AnyNode, name: str) -> Type:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        known = [key for scope in self.scopes for key in scope]
        return self.fault(node, f"不认识“{name}”。", _similar(name, known))

    def member(self, node: Member, target: Type, name: str) -> Type:
        if target in (ANY, NULL):
            return target
        if isinstance(target, ListType):
            return ListType(self.member(node, target.item, name))
        known = (
            [key for key, _ in target.fields] if isinstance(target, ContextType) else _PARTS.get(target, ())
        )
        found = target.get(name) if isinstance(target, ContextType) else (NUMBER if name in known else None)
        if found is not None:
            return found
        at = Span(node.span.end - len(name), node.span.end)
        self.faults.append(RuleError(f"{target}没有“{name}”。", at.start, at.end, _similar(name, known)))
        return ANY

    def scoped(self, bindings: Sequence[Binding], body: Callable[[], Type]) -> Type:
        for binding in bindings:
            source = self.visit(binding.source)
            if not isinstance(source, ListType) and source not in (ANY, NULL):
                self.fault(binding.source, f"in 后面应该是列表，这里是{source}。", "写成 x in [a, b]")
            self.scopes.append({binding.name: source.item if isinstance(source, ListType) else ANY})
        kind = body()
        del self.scopes[len(self.scopes) - len(bindings) :]
        return kind

    def filter(self, target: Expression, condition: Expression) -> Type:
        source = self.visit(target)
        if not isinstance(source, ListType) and source not in (ANY, NULL):
            self.fault(target, f"只有列表能用 [ ] 筛选，这里是{source}。")
        item = source.item if isinstance(source, ListType) else ANY
        self.scopes.append({"item": item})
        kind = self.expect(condition, (BOOLEAN, NUMBER), "[ ] 里面")
        self.scopes.pop()
        return item if kind == NUMBER else (ANY if kind == ANY else ListType(item))

    # --- operators ----------------------------------------------------------------------------------------

    def expect(self, node: Expression, wanted: Iterable[Type], where: str) -> Type:
        kind = self.visit(node)
        wanted = tuple(wanted)
        if kind in wanted or kind in (ANY, NULL):
            return kind
        words = "或".join(str(one) for one in wanted)
        return self.fault(node, f"{where}应该是{words}，这里是{kind}。", _how_to_write(wanted))

    def arithmetic(self, node: Arithmetic) -> Type:
        left, right = self.visit(node.left), self.visit(node.right)
        if NULL in (left, right):
            return NULL  # arithmetic with null is null
        if ANY in (left, right):
            return ANY
        if node.op in ("*", "/", "**"):
            if left == right == NUMBER:
                return NUMBER
        elif (node.op, left, right) in _SUMS:
            return _SUMS[node.op, left, right]
        fix = None
        if TEXT in (left, right) and NUMBER in (left, right):
            fix = "数字和文本不能相加。"
        elif NUMBER in (left, right) and (left in _PARTS or right in _PARTS):
            fix = '日期加减要用时长，例如 date + duration("P3D")'
        return self.fault(node, f"{left}和{right}不能用“{node.op}”计算。", fix)

    def compare(self, node: Compare, op: str, left: Expression, right: Expression) -> Type:
        kind = self.visit(left)
        if op in ("=", "!="):
            other = self.visit(right)
            if join(kind, other) is None:
                self.mismatch(node, kind, other)
        else:
            self.ordered(left, kind, (right,))
        return BOOLEAN

    def ordered(self, value: AnyNode, kind: Type, others: Sequence[Expression]) -> None:
        if kind not in (*ORDERED, ANY, NULL):
            self.fault(value, f"{kind}不能比较大小。", "只能用 = 或 !=")
        for other in others:
            bound = self.visit(other)
            if join(kind, bound) is None:
                self.mismatch(other, kind, bound)
            elif bound not in (*ORDERED, ANY, NULL):
                self.fault(other, f"{bound}不能比较大小。", "只能用 = 或 !=")

    def mismatch(self, node: AnyNode, left: Type, right: Type) -> None:
        self.fault(node, f"{left}不能和{right}比较。", _how_to_write((left,)))

    def test(self, value: Expression, kind: Type, test: Test) -> None:
        match test:
            case Range(low, high, _, _):
                self.ordered(value, kind, (low, high))
            case UnaryTest("=" | "!=", right):
                other = self.visit(right)
                if join(kind, other) is None:
                    self.mismatch(right, kind, other)
            case UnaryTest(_, right):
                self.ordered(value, kind, (right,))
            case _:
                other = self.visit(test)
                item = other.item if isinstance(other, ListType) and not isinstance(kind, ListType) else other
                if join(kind, item) is None:
                    self.mismatch(test, kind, item)

    def mix(self, node: AnyNode, items: Sequence[Expression], rule: str) -> Type:
        kind: Type = NULL
        for item in items:
            other = self.visit(item)
            joined = join(kind, other)
            if joined is None:
                return self.fault(item, f"{rule}：前面是{kind}，这里是{other}。", _how_to_write((kind,)))
            kind = joined
        return kind

    # --- functions ----------------------------------------------------------------------------------------

    def call(self, node: Call, function: Function, arguments: Sequence[Expression]) -> Type:
        kinds = [self.visit(argument) for argument in arguments]
        if function.spread and not (
            len(kinds) == 1 and (isinstance(kinds[0], ListType) or kinds[0] in (ANY, NULL))
        ):
            if function.name == "count":
                self.fault(node, "count 里应该是一个列表。", "写成 count([a, b])")
            item = self.mix(node, arguments, f"{function.name} 里各项的类型要相同")
            self.accept(function, function.parameters[0], arguments[0], item)
            return function.result([item])
        if function.spread:
            one = kinds[0]
            self.accept(
                function, function.parameters[0], arguments[0], one.item if isinstance(one, ListType) else one
            )
            return function.result(kinds)
        if function.variadic:
            if function.name == "coalesce":
                return self.mix(node, arguments, "coalesce 里各项的类型要相同")
            return function.result(kinds)
        for parameter, argument, kind in zip(function.parameters, arguments, kinds, strict=False):
            self.accept(function, parameter, argument, kind)
        if function.name == "list contains" and isinstance(kinds[0], ListType):
            if join(kinds[0].item, kinds[1]) is None:
                self.mismatch(arguments[1], kinds[0].item, kinds[1])
        elif function.name == "matches":
            self.pattern(arguments[1])
        return function.result(kinds)

    def accept(self, function: Function, parameter: Parameter, argument: Expression, kind: Type) -> None:
        accepts = parameter.accepts
        if accepts == "any" or kind in (ANY, NULL):
            return
        if accepts == "list":
            if not isinstance(kind, ListType) and not function.spread:
                self.fault(argument, f"{function.name} 的 {parameter.name} 应该是列表，这里是{kind}。")
            return
        if kind in accepts or (
            isinstance(kind, ListType) and kind.item in (ANY, NULL) and not function.spread
        ):
            return
        words = "或".join(str(one) for one in accepts)
        self.fault(
            argument,
            f"{function.name} 的 {parameter.name} 应该是{words}，这里是{kind}。",
            _how_to_write(accepts) if len(accepts) == 1 else f"用法：{function.usage()}",
        )

    def pattern(self, node: Expression) -> None:
        if not isinstance(node, Literal) or not isinstance(node.value, str):
            self.fault(node, "matches 的模式要写成常量文本。", '写成 matches(x, "^[0-9]+$")')
            return
        try:
            compile_pattern(node.value)
        except BadPattern as bad:
            self.fault(node, f"模式第 {bad.at + 1} 个字符处：{bad}。")


def _how_to_write(wanted: Sequence[Type]) -> str | None:
    ways = [_WRITE[one] for one in wanted if one in _WRITE]
    return f"{wanted[0]}写成 {ways[0]}" if len(ways) == 1 else None


def _similar(name: str, known: Sequence[str]) -> str | None:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"您是不是要写 {close[0]}？"
    return f"可用的有：{'、'.join(sorted(set(known))[:12])}" if known else None
