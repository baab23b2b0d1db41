"""Rules of a source (FEEL subset) as Ibis expressions over its standard rows, with the answers of `compile_python`.

What neither rows nor engines have is refused with the place in the rule: lists of records, loops, quantifiers, powers,
divisions, durations that are not constants. Null is as in FEEL: equal to null, and otherwise the answer to whatever
asks about it.
"""

from __future__ import annotations

import calendar
import datetime as dt
import operator
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from ibis.expr.types import BooleanValue

from dizuo.engines.lake.standard.terms import Rows, Text, Truth, Value, every, ibis, some
from dizuo.foundation import rules
from dizuo.foundation.rules.check import infer
from dizuo.foundation.rules.errors import RuleError, RuleErrors
from dizuo.foundation.rules.patterns import MAX_SUBJECT, compile_pattern
from dizuo.foundation.rules.tree import (
    AnyNode,
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    Expression,
    If,
    In,
    ListOf,
    Literal,
    Logic,
    Member,
    Months,
    Name,
    Negative,
    Not,
    Range,
    Scalar,
    Test,
    Tree,
    UnaryTest,
)
from dizuo.foundation.rules.types import DATE, DATETIME, NULL, Type

_KINDS: Mapping[Type, str] = {
    rules.TEXT: "string",
    rules.NUMBER: "decimal(24, 4)",
    rules.BOOLEAN: "boolean",
    rules.DATE: "date",
    rules.DATETIME: "timestamp",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OPERATORS: Mapping[str, Any] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def truth(text: str, table: Rows, types: Mapping[str, Type], today: dt.date) -> Truth:
    """A rule as a boolean over the rows of ``table``; ``today`` answers `today()`.

    Shapes: ``types`` maps the names that the rule may use to their types; they are columns of ``table``.
    Errors: RuleErrors for a rule that does not type-check or says what rows cannot answer.
    """
    tree = rules.parse(text)
    kind, known = infer(tree, dict(types))
    found = _Compiler(tree, table, known, today).write(tree.root, rules.BOOLEAN)
    if kind not in (rules.BOOLEAN, NULL) or not isinstance(found, BooleanValue):
        raise RuleErrors(text, [RuleError(f"这里要一个判断（是或否），表达式给的是{kind}。", 0, len(text))])
    return found


class _Compiler:
    def __init__(self, tree: Tree, table: Rows, types: Mapping[int, Type], today: dt.date) -> None:
        self.tree = tree
        self.table = table
        self.types = types
        self.today = today

    def refuse(self, node: AnyNode, message: str) -> NoReturn:
        raise RuleErrors(self.tree.text, [RuleError(message, node.span.start, node.span.end)])

    def kind(self, *nodes: Expression) -> Type:
        """The first type among nodes that is not null's."""
        return next((k for node in nodes if (k := self.types[id(node)]) != NULL), NULL)

    def write(self, node: Expression, want: Type = NULL) -> Value:
        if self.types[id(node)] == NULL:
            return ibis.null(_KINDS.get(want, "string"))
        match node:
            case Literal(value):
                return self.literal(node, value)
            case Name(name):
                return self.table[name]
            case Negative(operand):
                return -self.number(operand)
            case Arithmetic():
                return self.arithmetic(node)
            case Compare(op, left, right):
                kind = self.kind(left, right)
                return self.compare(op, self.write(left, kind), self.write(right, kind))
            case Logic(op, items):
                return (every if op == "and" else some)([self.boolean(item) for item in items])
            case Not(operand):
                return ~self.boolean(operand)
            case Between(value, low, high):
                kind = self.kind(value, low, high)
                return self.write(value, kind).between(self.write(low, kind), self.write(high, kind))
            case In(value, tests):
                return self.member(value, tests)
            case If(condition, then, otherwise):
                kind = self.kind(then, otherwise)
                choose = self.boolean(condition)
                return ibis.cases((choose, self.write(then, kind)), else_=self.write(otherwise, kind))
            case Call(function, arguments):
                return self.call(node, function, arguments)
            case Member():
                return self.part(node)
            case _:
                return self.refuse(node, "列表、循环和记录不能用在一行一行的规则里。")

    # --- leaves -----------------------------------------------------------------------------------------------

    def literal(self, node: Literal, value: Scalar) -> Value:
        if isinstance(value, Decimal):
            return ibis.literal(int(value)) if value == int(value) else ibis.literal(value, "decimal(24, 4)")
        if isinstance(value, dt.timedelta | Months | dt.time):
            return self.refuse(node, "时长只能加在日期后面，或从日期里减去。")
        if isinstance(value, dt.datetime):
            return ibis.literal(value.replace(tzinfo=None))
        return ibis.literal(value)

    def part(self, node: Member) -> Value:
        target = self.write(node.target)
        if node.name in ("year", "month", "day") and self.types[id(node.target)] in (DATE, DATETIME):
            return {"year": target.year, "month": target.month, "day": target.day}[node.name]()
        return self.refuse(node, f"“{node.name}”不能用在一行一行的规则里。")

    def boolean(self, node: Expression) -> Truth:
        return self.write(node, rules.BOOLEAN)

    def text(self, node: Expression) -> Text:
        return self.write(node, rules.TEXT)

    def number(self, node: Expression) -> Value:
        return self.write(node, rules.NUMBER)

    # --- comparison -------------------------------------------------------------------------------------------

    @staticmethod
    def compare(op: Comparison, left: Value, right: Value) -> Value:
        if op == "=":
            return left.identical_to(right)
        if op == "!=":
            return ~left.identical_to(right)
        return _OPERATORS[op](left, right)

    def member(self, value: Expression, tests: Sequence[Test]) -> Value:
        constants = [t.value for t in tests if isinstance(t, Literal) and isinstance(t.value, str)]
        if len(constants) == len(tests):
            return self.text(value).isin(constants).fill_null(False)
        return some([self.test(value, test) for test in tests])

    def test(self, value: Expression, test: Test) -> Truth:
        match test:
            case Range(low, high, low_closed, high_closed):
                kind = self.kind(value, low, high)
                x, bottom, top = self.write(value, kind), self.write(low, kind), self.write(high, kind)
                above = self.compare(">=" if low_closed else ">", x, bottom)
                found = above & self.compare("<=" if high_closed else "<", x, top)
            case UnaryTest(op, right):
                kind = self.kind(value, right)
                found = self.compare(op, self.write(value, kind), self.write(right, kind))
            case ListOf(items):
                found = some([self.test(value, item) for item in items])
            case _:
                kind = self.kind(value, test)
                found = self.compare("=", self.write(value, kind), self.write(test, kind))
        return found

    # --- arithmetic -------------------------------------------------------------------------------------------

    def arithmetic(self, node: Arithmetic) -> Value:
        left, right = self.types[id(node.left)], self.types[id(node.right)]
        if left in (DATE, DATETIME) and isinstance(node.right, Literal) and node.op in ("+", "-"):
            return self.moved(node, left)
        if left == rules.TEXT and node.op == "+":
            return self.text(node.left).concat(self.text(node.right))
        if left == right == rules.NUMBER and node.op in ("+", "-", "*"):
            a, b = self.number(node.left), self.number(node.right)
            return {"+": a + b, "-": a - b, "*": a * b}[node.op]
        return self.refuse(node, f"这里的“{node.op}”不能用在一行一行的规则里。")

    def moved(self, node: Arithmetic, kind: Type) -> Value:
        """A day or a moment moved by a constant duration; months end where the shorter month ends."""
        assert isinstance(node.right, Literal)
        step, start = node.right.value, self.write(node.left, kind)
        kept = _KINDS[kind]
        if isinstance(step, Months):
            by = ibis.interval(months=step.n)
            year, month = divmod(9_999 * 12 + 11 - step.n, 12)
            last = dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1])
        elif isinstance(step, dt.timedelta) and (kind == DATETIME or not step.seconds):
            seconds = step.days * 86_400 + step.seconds
            last = dt.date.max - dt.timedelta(days=step.days + (step.seconds > 0))
            by = ibis.interval(seconds=seconds) if kind == DATETIME else ibis.interval(days=step.days)
        else:
            return self.refuse(node, "日期只能加减整天、整月的时长。")
        far = start + by if node.op == "+" else start - by
        if node.op == "-":
            return far.cast(kept)
        # 长期 is 9999-12-31: what lies behind the calendar's end is null, and no engine leaves its calendar.
        return ibis.cases((start.cast("date") > last, ibis.null(kept)), else_=far.cast(kept))

    # --- functions --------------------------------------------------------------------------------------------

    def call(self, node: Call, name: str, arguments: Sequence[Expression]) -> Value:
        match name:
            case "today":
                return ibis.literal(self.today)
            case "date":
                moment = self.write(arguments[0], DATETIME)
                return moment.date()
            case "age":
                return self.age(*(self.write(one, DATE) for one in arguments))
            case "coalesce":
                kind = self.kind(*arguments)
                return ibis.coalesce(*(self.write(one, kind) for one in arguments))
            case "exists" | "is defined":
                return self.write(arguments[0]).notnull()
            case "contains":
                return self.text(arguments[0]).contains(self.text(arguments[1]))
            case "starts with":
                return self.text(arguments[0]).startswith(self.text(arguments[1]))
            case "ends with":
                whole, end = self.text(arguments[0]), self.text(arguments[1])
                return whole.right(end.length()) == end
            case "string length":
                return self.text(arguments[0]).length()
            case "upper case":
                return self.text(arguments[0]).translate(_LETTERS, _LETTERS.upper())
            case "lower case":
                return self.text(arguments[0]).translate(_LETTERS.upper(), _LETTERS)
            case "matches":
                return self.matches(node, arguments)
            case "substring":
                return self.substring(node, arguments)
            case "abs":
                return self.number(arguments[0]).abs()
            case "floor":
                return self.number(arguments[0]).floor()
            case "ceiling":
                return self.number(arguments[0]).ceil()
            case _:
                return self.refuse(node, f"{name} 不能用在一行一行的规则里。")

    def age(self, birth: Value, on: Value) -> Value:
        earlier = on.month() * 100 + on.day() < birth.month() * 100 + birth.day()
        years = on.year() - birth.year() - ibis.cases((earlier, 1), else_=0)
        return ibis.cases((on >= birth, years), else_=ibis.null("int64"))

    def matches(self, node: Call, arguments: Sequence[Expression]) -> Value:
        pattern = arguments[1]
        if not isinstance(pattern, Literal):
            return self.refuse(node, "模式要写成常量。")
        subject = self.text(arguments[0])
        found = subject.re_search(_portable(compile_pattern(str(pattern.value)).sql))
        return ibis.cases((subject.length() <= MAX_SUBJECT, found), else_=ibis.null("boolean"))

    def substring(self, node: Call, arguments: Sequence[Expression]) -> Value:
        numbers = [a.value for a in arguments[1:] if isinstance(a, Literal) and isinstance(a.value, Decimal)]
        if len(numbers) != len(arguments) - 1 or any(n != int(n) for n in numbers):
            return self.refuse(node, "substring 的起点和长度要写成整数常量。")
        start, length = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 10_000
        if start == 0 or length < 0:
            return ibis.null("string")
        whole = self.text(arguments[0])
        return whole.substr(start - 1, length) if start > 0 else whole.right(-start).left(length)


_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)", re.DOTALL)


def _portable(pattern: str) -> str:
    """A pattern of `foundation.rules` in what RE2 and Java both read."""

    def said(escape: re.Match[str]) -> str:
        what = escape[1]
        if what == "Z":
            return "\\z"
        if len(what) == 5:
            return f"\\x{{{what[1:]}}}"
        return what if what in "_ " else escape[0]

    return "(?s)" + _ESCAPE.sub(said, pattern)
