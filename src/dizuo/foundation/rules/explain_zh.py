"""A rule in plain Chinese, for the person whose application it decides.

``explain(tree, words)`` says what the rule asks; with values it also says which part held. The words come from the
city's declarations (``mother.hukou.district`` → 母亲的户籍所在区); a path without words is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dizuo.foundation.rules.compile_python import compile_python
from dizuo.foundation.rules.paths import paths
from dizuo.foundation.rules.tree import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
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
    Months,
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
from dizuo.foundation.rules.types import DATE, DATETIME, DAYS, MONTHS, NUMBER, TIME, Type, type_of
from dizuo.foundation.rules.values import Value, is_list


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of a rule: its words, whether it held (None: not known), and the facts it read."""

    text: str
    held: bool | None
    facts: tuple[tuple[str, Value], ...]


def explain(
    tree: Tree,
    words: Mapping[str, str],
    values: Mapping[str, object] | None = None,
    today: date | None = None,
) -> str:
    """The rule as a sentence without a full stop.

    With ``values`` (facts as for ``compile_python``), each condition is followed by （符合）, （不符合：the facts）
    or （还不知道）.
    """
    teller = _Teller(words)
    if values is None:
        return teller.tell(tree.root)
    return _sentence(tree.root, lambda node: _judged(_clause(node, teller, values, today)))


def clauses(
    tree: Tree, words: Mapping[str, str], values: Mapping[str, object], today: date | None = None
) -> list[Clause]:
    """The conditions that the rule joins with and/or, each judged on its own; for a list on a page."""
    teller = _Teller(words)
    return [_clause(node, teller, values, today) for node in _conditions(tree.root)]


def _conditions(node: Expression) -> list[Expression]:
    if isinstance(node, Logic):
        return [leaf for item in node.items for leaf in _conditions(item)]
    return [node]


def _sentence(node: Expression, leaf: Callable[[Expression], str]) -> str:
    """Conditions joined in words; a group inside another stands in parentheses."""
    if not isinstance(node, Logic):
        return leaf(node)
    parts = [f"（{_sentence(item, leaf)}）" if isinstance(item, Logic) else leaf(item) for item in node.items]
    return ("，并且" if node.op == "and" else "，或者").join(parts)


def _clause(node: Expression, teller: _Teller, values: Mapping[str, object], today: date | None) -> Clause:
    part = Tree("", node)
    held = compile_python(part)(values, today)
    facts = tuple(
        (teller.path(path), compile_python(Tree("", _node_of(path)))(values)) for path in sorted(paths(part))
    )
    return Clause(teller.tell(node), held if isinstance(held, bool) else None, facts)


def _node_of(path: str) -> Expression:
    first, *rest = path.split(".")
    node: Expression = Name(first)
    for name in rest:
        node = Member(node, name)
    return node


def _judged(clause: Clause) -> str:
    if clause.held is None:
        return f"{clause.text}（还不知道）"
    if clause.held:
        return f"{clause.text}（符合）"
    known = "，".join(f"{name}：{value_words(fact)}" for name, fact in clause.facts)
    return f"{clause.text}（不符合，{known}）" if known else f"{clause.text}（不符合）"


# --- values -----------------------------------------------------------------------------------------------


def value_words(value: Value) -> str:
    """A value as a person reads it: 2026 年 11 月 1 日, 1 年 6 个月, 是, 空."""
    if value is None:
        return "空"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    if isinstance(value, datetime):
        return f"{_day(value)} {value:%H:%M}"
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, timedelta):
        return _length(value)
    if isinstance(value, Months):
        return _months(value.n)
    if is_list(value):
        return "、".join(value_words(item) for item in value) or "空列表"
    return str(value)


def _day(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def _length(length: timedelta) -> str:
    sign, length = ("负 " if length < timedelta(0) else ""), abs(length)
    hours, rest = divmod(length.seconds, 3600)
    parts = [(length.days, "天"), (hours, "小时"), (rest // 60, "分钟"), (rest % 60, "秒")]
    return sign + (" ".join(f"{n} {unit}" for n, unit in parts if n) or "0 天")


def _months(n: int) -> str:
    years, months = divmod(abs(n), 12)
    words = " ".join(f"{count} {unit}" for count, unit in ((years, "年"), (months, "个月")) if count)
    return ("负 " if n < 0 else "") + (words or "0 个月")


# --- expressions ------------------------------------------------------------------------------------------

_FLIPPED: Mapping[Comparison, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NUMBERS = {"=": "等于", "!=": "不等于", "<": "小于", "<=": "不超过", ">": "大于", ">=": "不少于"}
_DATES = {"=": "是", "!=": "不是", "<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"}
_LENGTHS = {"=": "是", "!=": "不是", "<": "短于", "<=": "不超过", ">": "长于", ">=": "不短于"}
_OTHERS = {**_NUMBERS, "=": "是", "!=": "不是"}
_AGES = {
    "<": "未满 {n} 周岁",
    "<=": "不超过 {n} 周岁",
    ">": "超过 {n} 周岁",
    ">=": "已满 {n} 周岁",
    "=": "是 {n} 周岁",
    "!=": "不是 {n} 周岁",
}
_SIGNS = {"+": "加", "-": "减", "*": "乘以", "/": "除以", "**": "的乘方："}
_PARTS = {
    "year": "年份",
    "month": "月份",
    "day": "日",
    "weekday": "星期",
    "hour": "小时",
    "minute": "分钟",
    "days": "天数",
    "years": "整年数",
    "months": "月数",
}
_TRUTHS = {
    "contains": "{0}包含“{1}”",
    "starts with": "{0}以“{1}”开头",
    "ends with": "{0}以“{1}”结尾",
    "list contains": "{0}中有{1}",
    "is defined": "已有{0}",
    "exists": "已有{0}",
    "matches": "{0}符合格式 {1}",
    "all": "{0}全部为“是”",
    "any": "{0}至少有一个为“是”",
}
_VALUES = {
    "count": "{0}的数量",
    "sum": "{0}的合计",
    "min": "{0}中最小的",
    "max": "{0}中最大的",
    "string length": "{0}的字数",
    "floor": "{0}（舍去小数）",
    "ceiling": "{0}（有小数则进一）",
    "round half up": "{0}（四舍五入）",
    "abs": "{0}的绝对值",
    "upper case": "{0}（大写）",
    "lower case": "{0}（小写）",
    "date": "{0}的日期",
    "distinct values": "{0}（去重）",
    "age": "从{0}到{1}的周岁",
    "today": "今天",
}


class _Teller:
    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = words
        self.bound: dict[str, str] = {}

    # --- conditions ---------------------------------------------------------------------------------------

    def tell(self, node: Expression) -> str:
        """A condition as a clause."""
        match node:
            case Logic():
                return _sentence(node, self.tell)
            case Compare(op, left, right):
                return self.compare(op, left, right)
            case Not(In(value, tests)):
                return f"{self.value(value)}不{self.tests(tests)}"
            case Not(Call("exists" | "is defined", (value,))):
                return f"没有{self.value(value)}"
            case Not(Compare("=", left, right)):
                return self.compare("!=", left, right)
            case Not((Name() | Member()) as path):
                return f"{self.value(path)}为“否”"
            case Not(operand):
                return f"不满足“{self.tell(operand)}”"
            case Between(value, low, high):
                return f"{self.value(value)}在 {self.value(low)} 到 {self.value(high)} 之间"
            case In(value, tests):
                return f"{self.value(value)}{self.tests(tests)}"
            case Quantified(kind, bindings, condition):
                sources = self.bind([(one.name, one.source) for one in bindings])
                what = "至少有一个" if kind == "some" else "每一个都"
                return f"{sources}中{what}满足“{self.tell(condition)}”"
            case If(condition, then, otherwise):
                return f"如果{self.tell(condition)}，则要求{self.tell(then)}，否则要求{self.tell(otherwise)}"
            case Literal(True):
                return "总是成立"
            case Literal(False):
                return "总是不成立"
            case Name() | Member():
                return f"{self.value(node)}为“是”"
            case _:
                return self.value(node)

    def compare(self, op: Comparison, left: Expression, right: Expression) -> str:
        if isinstance(left, Literal) and not isinstance(right, Literal):
            return self.compare(_FLIPPED.get(op, op), right, left)
        if isinstance(right, Literal) and right.value is None and op in ("=", "!="):
            return f"{'没有' if op == '=' else '已有'}{self.value(left)}"
        if isinstance(right, Literal) and isinstance(right.value, bool) and op in ("=", "!="):
            return self.tell(left) if right.value is (op == "=") else self.tell(Not(left))
        if isinstance(left, Call) and left.function == "age" and len(left.arguments) == 2:
            return self.age(op, left.arguments[0], left.arguments[1], right)
        verb = self.verbs(left, right)[op]
        subject = self.value(left)
        gap = " " if subject[-1:].isascii() and subject[-1:].isalnum() else ""
        return f"{subject}{gap}{verb}{_spaced(self.value(right))}"

    def age(self, op: Comparison, birth: Expression, on: Expression, years: Expression) -> str:
        """``age(child.birth_date, today()) < 1`` as 孩子未满 1 周岁."""
        who = self.value(birth)
        for ending in ("的出生日期", "出生日期"):
            if who.endswith(ending) and len(who) > len(ending):
                who = who[: -len(ending)]
                break
        when = "" if isinstance(on, Call) and on.function == "today" else f"在{_spaced(self.value(on))}时"
        return f"{who}{when}{_AGES[op].format(n=self.value(years))}"

    def verbs(self, left: Expression, right: Expression) -> Mapping[str, str]:
        kind = self.kind(right) or self.kind(left)
        if kind in (DATE, DATETIME, TIME):
            return _DATES
        if kind in (DAYS, MONTHS):
            return _LENGTHS
        return _NUMBERS if kind == NUMBER else _OTHERS

    def kind(self, node: Expression) -> Type | None:
        """The type as far as the form of an expression tells it."""
        match node:
            case Literal(value) if value is not None:
                return type_of(value)
            case Call("today" | "date", _):
                return DATE
            case Call(
                "count" | "sum" | "age" | "string length" | "floor" | "ceiling" | "abs" | "round half up", _
            ):
                return NUMBER
            case Arithmetic("+" | "-", left, right):
                kinds = {self.kind(left), self.kind(right)}
                if kinds & {DATE, DATETIME}:
                    return DAYS if kinds <= {DATE, DATETIME} else DATE
                return NUMBER if NUMBER in kinds else None
            case Arithmetic():
                return NUMBER
            case _:
                return None

    def tests(self, tests: Sequence[Test]) -> str:
        plain = [item for test in tests for item in (test.items if isinstance(test, ListOf) else (test,))]
        if all(isinstance(test, Literal) for test in plain):
            words = "、".join(self.value(test) for test in plain if isinstance(test, Literal))
            return f"是{words}之一" if len(plain) > 1 else f"是{words}"
        return "或者".join(self.test(test) for test in tests)

    def test(self, test: Test) -> str:
        match test:
            case Range(low, high, low_closed, high_closed):
                ends = {(True, True): "含两端", (True, False): "不含后者", (False, True): "不含前者"}
                note = ends.get((low_closed, high_closed), "不含两端")
                return f"在{_spaced(self.value(low))} 到{_spaced(self.value(high))} 之间（{note}）"
            case UnaryTest(op, right):
                return f"{self.verbs(right, right)[op]}{_spaced(self.value(right))}"
            case Literal() | ListOf():
                return self.tests((test,)) if not isinstance(test, ListOf) else f"在{self.value(test)}之中"
            case _:
                return f"在{self.value(test)}之中"

    # --- values -------------------------------------------------------------------------------------------

    def path(self, path: str) -> str:
        first, dot, rest = path.partition(".")
        if first in self.bound:
            path = self.bound[first] + dot + rest
        known = path
        while known not in self.words and "." in known:
            known = known.rpartition(".")[0]
        if known not in self.words:
            return path
        parts = [part for part in path[len(known) :].split(".") if part]
        return self.words[known] + "".join(f"的{_PARTS.get(part, part)}" for part in parts)

    def bind(self, bindings: Sequence[tuple[str, Expression]]) -> str:
        told: list[str] = []
        for name, source in bindings:
            told.append(self.value(source))
            self.bound[name] = self.resolved(source) or name
        return "、".join(told)

    def resolved(self, node: Expression) -> str | None:
        path = dotted(node)
        if path is None:
            return None
        first, dot, rest = path.partition(".")
        return self.bound.get(first, first) + dot + rest

    def value(self, node: Expression) -> str:
        """An expression as a noun phrase."""
        match node:
            case Literal(value):
                return value_words(value)
            case Name() | Member():
                path = dotted(node)
                if path is not None:
                    return self.path(path)
                return (
                    f"{self.value(node.target)}的{_PARTS.get(node.name, node.name)}"
                    if isinstance(node, Member)
                    else ""
                )
            case Negative(operand):
                return f"负的{self.value(operand)}"
            case Arithmetic("-", Call("today", ()), right):
                return f"从{self.value(right)}到今天的时间"
            case Arithmetic("-", left, Call("today", ())):
                return f"从今天到{self.value(left)}的时间"
            case Arithmetic(op, left, right):
                return f"{self.grouped(left)}{_SIGNS[op]}{_spaced(self.grouped(right))}"
            case If(condition, then, otherwise):
                return (
                    f"（如果{self.tell(condition)}，则为{self.value(then)}，否则为{self.value(otherwise)}）"
                )
            case ListOf(items):
                return "、".join(self.value(item) for item in items) or "空列表"
            case ContextOf(entries):
                return "，".join(f"{entry.key}为{self.value(entry.value)}" for entry in entries)
            case Filter(target, Literal(value)) if isinstance(value, Decimal):
                return f"{self.value(target)}的第 {value_words(value)} 项"
            case Filter(target, condition):
                self.bound["item"] = self.resolved(target) or "item"
                return f"{self.value(target)}中“{self.tell(condition)}”的项"
            case For(bindings, body):
                sources = self.bind([(one.name, one.source) for one in bindings])
                return f"{sources}中每一项的{self.value(body)}"
            case Call(function, arguments):
                return self.call(function, arguments)
            case _:
                return f"“{self.tell(node)}”"

    def grouped(self, node: Expression) -> str:
        return f"（{self.value(node)}）" if isinstance(node, Arithmetic) else self.value(node)

    def call(self, name: str, arguments: Sequence[Expression]) -> str:
        told = [self.value(argument) for argument in arguments]
        if name == "coalesce":
            return "，没有时用".join(told)
        template = _TRUTHS.get(name) or _VALUES.get(name)
        if template is None:
            return f"{name}（{'，'.join(told)}）"
        if len(told) > 1 and name in ("sum", "min", "max", "all", "any", "count"):
            told = ["、".join(told)]
        return template.format(*told)


def _spaced(words: str) -> str:
    """A space before what begins with a figure or a Latin letter, as Chinese typography wants."""
    return f" {words}" if words[:1].isascii() and words[:1].isalnum() else words
