"""The built-in functions in SQL, with the answers of ``functions``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from dizuo.foundation.rules import values
from dizuo.foundation.rules.patterns import MAX_SUBJECT, compile_pattern
from dizuo.foundation.rules.sql_text import CITY, SqlText
from dizuo.foundation.rules.tree import Call, Expression, ListOf, Literal
from dizuo.foundation.rules.types import BOOLEAN, DATE, DATETIME, NULL, NUMBER, TEXT, ListType, Type, join


class FunctionWriter(SqlText):
    """The part of the SQL compiler that writes calls."""

    def call(self, node: Call, name: str, arguments: Sequence[Expression]) -> str:
        if name in ("count", "sum", "min", "max", "all", "any"):
            return self.aggregate(node, name, arguments)
        if name in ("list contains", "exists", "is defined") and isinstance(
            self.type_of(arguments[0]), ListType
        ):
            return self.about_list(name, arguments)
        if name == "list contains":
            return "NULL::boolean"  # the list is the constant null: nothing else type-checks
        if name == "today":
            if self.today is None:
                raise ValueError("this rule says today(); pass today= so that the caller's clock decides")
            return self.param(self.today, DATE)
        if name == "coalesce":
            kind = self.shared(*arguments)
            return f"COALESCE({', '.join(self.write(one, kind) for one in arguments)})"
        if name in _CONSTANT_TAIL:
            return self.with_constants(node, name, arguments)
        wants = _WANTS.get(name, TEXT)
        written = [self.write(one, wants) for one in arguments]
        if name == "age":
            return self.bind(written, _age)
        if name == "ends with":
            return self.bind(written, lambda x: f"right({x[0]}, char_length({x[1]})) = {x[1]}")
        if name not in _TEMPLATES:
            self.refuse(node, f"{name} 不能写成 SQL。")
        return _TEMPLATES[name].format(*written)

    def aggregate(self, node: Call, name: str, arguments: Sequence[Expression]) -> str:
        one = arguments[0] if len(arguments) == 1 else None
        want = BOOLEAN if name in ("all", "any") else NUMBER
        if one is not None and (isinstance(self.type_of(one), ListType) or self.type_of(one) == NULL):
            if name == "count" and isinstance(one, ListOf):
                return self.param(Decimal(len(one.items)), NUMBER)
            array, column = self.array(one, want), not isinstance(one, ListOf)
            kind = self.type_of(one)
            item = kind.item if isinstance(kind, ListType) else want
        else:
            item = self.shared(*arguments)
            array, column = self.array_of(arguments, want if item == NULL else item), False
        if name == "count":
            return f"cardinality({array})::numeric"
        self.aliases += 1
        v = f"dz{self.aliases}_v"
        source = f"FROM unnest({array}) AS dz{self.aliases}({v})"
        if name in ("all", "any"):
            decisive = f"bool_or(NOT {v})" if name == "all" else f"bool_or({v})"
            answers = ("FALSE", "TRUE") if name == "all" else ("TRUE", "FALSE")
            result = f"CASE WHEN {decisive} THEN {answers[0]} WHEN bool_or({v} IS NULL) THEN NULL ELSE {answers[1]} END"
        else:
            result = f"CASE WHEN count({v}) = count(*) THEN {name}({self.collated(v, item)}) END"
        folded = f"(SELECT {result} {source})"
        return f"(CASE WHEN {array} IS NOT NULL THEN {folded} END)" if column else folded

    def about_list(self, name: str, arguments: Sequence[Expression]) -> str:
        source = arguments[0]
        kind = self.type_of(source)
        item = kind.item if isinstance(kind, ListType) else NULL
        if name == "list contains":
            item = join(item, self.type_of(arguments[1])) or item
            array = self.array(source, item)
            held = self.among(self.write(arguments[1], item), array)
            return held if isinstance(source, ListOf) else f"(CASE WHEN {array} IS NOT NULL THEN {held} END)"
        array = self.array(source, item)
        return (
            f"({array} IS NOT NULL)" if name == "is defined" else f"COALESCE(cardinality({array}) > 0, FALSE)"
        )

    def with_constants(self, node: Call, name: str, arguments: Sequence[Expression]) -> str:
        """Functions whose later arguments must be constants, because SQL reads them differently at run time."""
        head, tail = arguments[0], arguments[1:]
        constants: list[object] = []
        for argument in tail:
            value = argument.value if isinstance(argument, Literal) else None
            if name != "matches" and not (isinstance(value, Decimal) and value == int(value)):
                self.refuse(argument, f"写成 SQL 时，{name} 的这个参数要是整数常量。")
            constants.append(value)
        if name == "matches":
            pattern = self.param(compile_pattern(str(constants[0])).sql, TEXT)
            return self.bind(
                [self.write(head, TEXT)],
                lambda x: (
                    f'CASE WHEN char_length({x[0]}) <= {MAX_SUBJECT} THEN {x[0]} COLLATE "C" ~ {pattern} END'
                ),
            )
        numbers = [int(str(constant)) for constant in constants]
        if name == "round half up":
            scale = numbers[0] if numbers else 0
            kept = abs(scale) <= values.MAX_SCALE
            return f"round({self.write(head, NUMBER)}, {scale})" if kept else "NULL::numeric"
        start, length = numbers[0], numbers[1] if len(numbers) > 1 else 10_000
        if start == 0 or length < 0 or max(abs(start), length) > 2**31 - 1:
            return "NULL::text"
        text = self.write(head, TEXT)
        if start < 0:
            return f"left(right({text}, {-start}), {length})"
        return f"left(substr({text}, {start}), {length})"


def _age(names: Sequence[str]) -> str:
    birth, on = names

    def day(of: str) -> str:
        return f"EXTRACT(month FROM {of}) * 100 + EXTRACT(day FROM {of})"

    years = f"EXTRACT(year FROM {on}) - EXTRACT(year FROM {birth})"
    return (
        f"CASE WHEN {on} >= {birth} THEN {years} - CASE WHEN {day(on)} < {day(birth)} THEN 1 ELSE 0 END END"
    )


_CONSTANT_TAIL = ("matches", "round half up", "substring")
_WANTS: Mapping[str, Type] = {
    "floor": NUMBER,
    "ceiling": NUMBER,
    "abs": NUMBER,
    "age": DATE,
    "date": DATETIME,
}
_TEMPLATES: Mapping[str, str] = {
    "contains": "(strpos({0}, {1}) > 0)",
    "starts with": "starts_with({0}, {1})",
    "string length": "char_length({0})::numeric",
    "upper case": 'upper({0} COLLATE "C")',
    "lower case": 'lower({0} COLLATE "C")',
    "is defined": "({0} IS NOT NULL)",
    "exists": "({0} IS NOT NULL)",
    "date": f"({{0}} AT TIME ZONE {CITY})::date",
    "floor": "floor({0})",
    "ceiling": "ceil({0})",
    "abs": "abs({0})",
}
