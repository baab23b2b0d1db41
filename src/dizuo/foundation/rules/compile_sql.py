"""A tree as PostgreSQL (≥ 15), with the same answers as ``compile_python``.

Where SQL and FEEL differ, the text says more than it seems to need: ``IS NOT DISTINCT FROM`` because null equals
null in FEEL; ``COLLATE "C"`` because text is ordered by code point; ``div`` because ``numeric`` division rounds by
the operands' scales; sub-selects with ``OFFSET 0`` where an operand is used twice, so that neither the text nor the
plan grows by doubling. Constants are always parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dizuo.foundation.rules import values
from dizuo.foundation.rules.check import infer
from dizuo.foundation.rules.sql_functions import FunctionWriter
from dizuo.foundation.rules.sql_text import CITY, SECONDS_A_DAY, SqlColumn
from dizuo.foundation.rules.tree import (
    Arithmetic,
    Between,
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
    Months,
    Name,
    Negative,
    Not,
    Quantified,
    Range,
    Scalar,
    Test,
    Tree,
    UnaryTest,
)
from dizuo.foundation.rules.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    TEXT,
    ListType,
    Type,
    environment,
    join,
)

MAX_SQL = 100_000


@dataclass(frozen=True, slots=True)
class SqlFragment:
    """An SQL expression with ``$n`` places and their values in order."""

    text: str
    params: tuple[object, ...]
    type: Type


def compile_sql(
    tree: Tree, columns: Mapping[str, SqlColumn], *, today: date | None = None, first: int = 1
) -> SqlFragment:
    """The rule as an SQL expression.

    Shapes: ``columns`` maps dotted paths to columns; ``first`` is the number of the first placeholder; ``today``
    answers ``today()``. As a WHERE condition, null means "not chosen". Errors: RuleErrors for a rule that does not
    type-check, and for parts that SQL does not say: loops, quantifiers, records, filters, lists of lists.
    """
    kind, types = infer(tree, environment({path: column.type for path, column in columns.items()}))
    writer = _Writer(tree, columns, types, today, first)
    text = writer.write(tree.root, kind)
    if len(text) > MAX_SQL:
        writer.refuse(tree.root, "这条规则写成 SQL 太长。", "请拆成几条规则。")
    return SqlFragment(text, tuple(writer.params), kind)


class _Writer(FunctionWriter):
    # --- nodes --------------------------------------------------------------------------------------------

    def write(self, node: Expression, want: Type = NULL) -> str:
        """The node; ``want`` is the type that a null without one takes from its surroundings."""
        if self.type_of(node) == NULL:  # whatever it is made of, it can only be null
            return f"NULL::{self.sql_type(want)}"
        match node:
            case Literal(value):
                return self.literal(value, self.type_of(node), want)
            case Name() | Member():
                return self.path(node)
            case Negative(operand):
                return f"(- {self.write(operand, want if want != NULL else NUMBER)})"
            case Arithmetic():
                return self.arithmetic(node)
            case Compare(op, left, right):
                kind = self.shared(left, right)
                return self.compare(op, self.write(left, kind), self.write(right, kind), kind)
            case Logic(op, items):
                return "(" + f" {op.upper()} ".join(self.write(item, BOOLEAN) for item in items) + ")"
            case Not(operand):
                return f"(NOT {self.write(operand, BOOLEAN)})"
            case Between(value, low, high):
                kind = self.shared(value, low, high)
                bounds = f"{self.write(low, kind)} AND {self.write(high, kind)}"
                return f"({self.collated(self.write(value, kind), kind)} BETWEEN {bounds})"
            case In(value, tests):
                return self.member(value, tests)
            case If(condition, then, otherwise):
                kind = join(self.shared(then, otherwise), want) or want
                choose = self.write(condition, BOOLEAN)
                return f"(CASE WHEN {choose} THEN {self.write(then, kind)} ELSE {self.write(otherwise, kind)} END)"
            case Call(function, arguments):
                return self.call(node, function, arguments)
            case ListOf():
                return self.refuse(node, "SQL 里列表只能放在 in 后面或函数里。")
            case For() | Quantified():
                return self.refuse(
                    node, "for、some、every 不能写成 SQL。", "请改用登记表里的汇总字段，或在程序里判断。"
                )
            case ContextOf():
                return self.refuse(node, "记录不能写成 SQL。")
            case Filter():
                return self.refuse(node, "列表筛选不能写成 SQL。")

    def literal(self, value: Scalar, kind: Type, want: Type) -> str:
        if value is None:
            return f"NULL::{self.sql_type(want)}"
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, timedelta):
            return self.param(_seconds(value), DAYS)
        if isinstance(value, Months):
            return self.param(Decimal(value.n), MONTHS)
        return self.param(value, kind)

    def part(self, node: Member) -> str:
        """A part of a date, a moment or a duration."""
        kind, name = self.type_of(node.target), node.name
        field = "isodow" if name == "weekday" else name
        target = self.write(node.target, kind)
        if kind == DATE:
            return f"EXTRACT({field} FROM {target})::numeric"
        if kind == DATETIME:
            return f"EXTRACT({field} FROM {target} AT TIME ZONE {CITY})::numeric"
        if kind == DAYS:
            return f"div({target}, {SECONDS_A_DAY})"
        if kind == MONTHS:
            return f"div({target}, 12)" if name == "years" else f"mod({target}, 12)"
        return self.refuse(node, f"“{name}”不能写成 SQL。", "请给它指定一列")

    # --- comparison ---------------------------------------------------------------------------------------

    def compare(self, op: str, left: str, right: str, kind: Type) -> str:
        if op == "=":
            return f"({left} IS NOT DISTINCT FROM {right})"
        if op == "!=":
            return f"({left} IS DISTINCT FROM {right})"
        return f"({self.collated(left, kind)} {op} {right})"

    def member(self, value: Expression, tests: Sequence[Test]) -> str:
        kind = self.type_of(value)
        for test in tests:
            for below in _operands(test):
                other = self.type_of(below)
                kind = join(kind, other.item if isinstance(other, ListType) else other) or kind
        written = self.write(value, kind)
        if len(tests) == 1 and not _uses_twice(tests[0]):
            return self.test(written, kind, tests[0])
        return self.bind(
            [written], lambda names: " OR ".join(self.test(names[0], kind, test) for test in tests)
        )

    def test(self, x: str, kind: Type, test: Test) -> str:
        match test:
            case Range(low, high, low_closed, high_closed):
                bottom, top = self.write(low, kind), self.write(high, kind)
                if low_closed and high_closed:
                    return f"({self.collated(x, kind)} BETWEEN {bottom} AND {top})"
                above = self.compare(">=" if low_closed else ">", x, bottom, kind)
                return f"({above} AND {self.compare('<=' if high_closed else '<', x, top, kind)})"
            case UnaryTest(op, right):
                return self.compare(op, x, self.write(right, kind), kind)
            case _:
                if not isinstance(self.type_of(test), ListType):
                    return self.compare("=", x, self.write(test, kind), kind)
                among = self.array(test, kind)
                held = self.among(x, among)
                # A list that is null equals a value that is null, and contains nothing.
                return (
                    held
                    if isinstance(test, ListOf)
                    else f"(CASE WHEN {among} IS NULL THEN {x} IS NULL ELSE {held} END)"
                )

    # --- arithmetic ---------------------------------------------------------------------------------------

    def arithmetic(self, node: Arithmetic) -> str:
        left, right = self.type_of(node.left), self.type_of(node.right)
        a, b = self.write(node.left, left), self.write(node.right, right)
        if node.op == "/":
            scale = values.QUOTIENT_PLACES
            return f"round(div({a} * 1e{scale + 1}, NULLIF({b}, 0)) * 1e-{scale + 1}, {scale})"
        if node.op == "**":
            return self.power(a, node.right)
        if left == TEXT:
            return f"({a} || {b})"
        if node.op == "-" and left == right and left in (DATE, DATETIME):
            return (
                f"(({a} - {b})::numeric * {SECONDS_A_DAY})"
                if left == DATE
                else f"EXTRACT(epoch FROM {a} - {b})"
            )
        if right in (DATE, DATETIME):
            left, right, a, b = right, left, b, a
        if left == DATE:
            return self.move_date(a, node.op, b, right)
        if left == DATETIME:
            return self.move_moment(a, node.op, b, right)
        return f"({a} {node.op} {b})"

    def power(self, base: str, exponent: Expression) -> str:
        assert isinstance(exponent, Literal)
        assert isinstance(exponent.value, Decimal)  # the parser admits nothing else
        times = int(exponent.value)
        return self.bind([base], lambda x: " * ".join([*x] * times) if times else f"{x[0]} * 0 + 1")

    # Moving a day or a moment counts from the first day of year 1 and gives null outside the years 1 to 9999,
    # before PostgreSQL could raise "out of range".

    def move_date(self, day: str, op: str, step: str, kind: Type) -> str:
        def moved(names: Sequence[str]) -> str:
            d, s = names[0], names[1] if op == "+" else f"(- {names[1]})"
            if kind == MONTHS:
                return f"CASE WHEN {_within_years(d, s)} THEN ({d} + make_interval(months => {s}::int))::date END"
            # rounded down, as midnight plus the step would fall
            days = f"({d} - {_FIRST_DAY} + div({s}, {SECONDS_A_DAY}) - (mod({s}, {SECONDS_A_DAY}) < 0)::int)"
            return f"CASE WHEN {days} BETWEEN 0 AND {_LAST_DAY} THEN {_FIRST_DAY} + {days}::int END"

        return self.bind([day, step], moved)

    def move_moment(self, moment: str, op: str, step: str, kind: Type) -> str:
        def moved(names: Sequence[str]) -> str:
            t, s = f"({names[0]} AT TIME ZONE {CITY})", names[1] if op == "+" else f"(- {names[1]})"
            if kind == MONTHS:
                return f"CASE WHEN {_within_years(t, s)} THEN {t} + make_interval(months => {s}::int) END"
            seconds = f"(EXTRACT(epoch FROM {t} - {_FIRST_MOMENT}) + {s})"
            days, rest = f"div({seconds}, {SECONDS_A_DAY})::int", f"mod({seconds}, {SECONDS_A_DAY})::float8"
            whole = f"{_FIRST_MOMENT} + make_interval(days => {days}, secs => {rest})"
            last = (_LAST_DAY + 1) * SECONDS_A_DAY
            return f"CASE WHEN {seconds} >= 0 AND {seconds} < {last} THEN {whole} END"

        return f"({self.bind([moment, step], moved)} AT TIME ZONE {CITY})"


_FIRST_DAY = "DATE '0001-01-01'"
_FIRST_MOMENT = "TIMESTAMP '0001-01-01'"
_LAST_DAY = (date.max - date.min).days


def _within_years(day: str, months: str) -> str:
    first, last = date.min.year * 12, date.max.year * 12 + 11
    return (
        f"EXTRACT(year FROM {day}) * 12 + EXTRACT(month FROM {day}) - 1 + {months} BETWEEN {first} AND {last}"
    )


def _operands(test: Test) -> tuple[Expression, ...]:
    match test:
        case Range(low, high, _, _):
            return (low, high)
        case UnaryTest(_, right):
            return (right,)
        case _:
            return (test,)


def _uses_twice(test: Test) -> bool:
    """Whether the tested value appears twice in the SQL of a test."""
    if isinstance(test, Range):
        return not (test.low_closed and test.high_closed)
    return not isinstance(test, (UnaryTest, ListOf, Literal))


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length.days * SECONDS_A_DAY + length.seconds) + Decimal(length.microseconds).scaleb(-6)
