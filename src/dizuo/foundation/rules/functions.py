"""The built-in functions: names, parameters, types and what they compute.

Names and parameter names are those of DMN 1.5 (10.3.4) wherever it has the function; ``age``, ``coalesce`` and
``exists`` are ours. SQL for the same functions is in ``compile_sql``, Chinese in ``explain_zh``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, cast

from dizuo.foundation.rules import values
from dizuo.foundation.rules.patterns import compile_pattern
from dizuo.foundation.rules.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    NULL,
    NUMBER,
    ORDERED,
    TEXT,
    ListType,
    Type,
    join,
)
from dizuo.foundation.rules.values import Value

Accepts = tuple[Type, ...] | Literal["any", "list"]


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    accepts: Accepts
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """One built-in; with ``spread`` a single list argument or any number of items may be given."""

    name: str
    parameters: tuple[Parameter, ...]
    result: Callable[[Sequence[Type]], Type]
    run: Callable[..., Value]
    spread: bool = False
    variadic: bool = False

    def usage(self) -> str:
        names = [f"[{p.name}]" if p.optional else p.name for p in self.parameters]
        return f"{self.name}({', '.join(names)}{', …' if self.variadic or self.spread else ''})"


def _always(kind: Type) -> Callable[[Sequence[Type]], Type]:
    return lambda arguments: kind


def _item(arguments: Sequence[Type]) -> Type:
    """The type of the items: of the one list, or of all arguments."""
    if len(arguments) == 1 and isinstance(arguments[0], ListType):
        return arguments[0].item
    return _joined(arguments)


def _joined(arguments: Sequence[Type]) -> Type:
    kind: Type = NULL
    for argument in arguments:
        kind = join(kind, argument) or ANY
    return kind


def _joined_list(arguments: Sequence[Type]) -> Type:
    items = [argument.item if isinstance(argument, ListType) else argument for argument in arguments]
    return ListType(_joined(items))


def _all_items(items: Sequence[Value], kind: type[object]) -> bool:
    return all(isinstance(item, kind) for item in items)


def _sum(items: Sequence[Value]) -> Value:
    if not items or not _all_items(items, Decimal):
        return None
    total: Value = items[0]
    for item in items[1:]:
        total = values.add(total, item)
    return total


def _extreme(
    wins: Callable[[Value, Value], bool | None],
) -> Callable[[Sequence[Value]], Value]:
    def run(items: Sequence[Value]) -> Value:
        if not items:
            return None
        best = items[0]
        for item in items[1:]:
            better = wins(item, best)
            if better is None:
                return None
            best = item if better else best
        return best if len(items) > 1 or values.equal(best, best) else None

    return run


def _fold(decisive: bool) -> Callable[[Sequence[Value]], Value]:
    def run(items: Sequence[Value]) -> Value:
        if any(item is decisive for item in items):
            return decisive
        return (not decisive) if all(item is (not decisive) for item in items) else None

    return run


def _texts(run: Callable[[str, str], Value]) -> Callable[[Value, Value], Value]:
    def guarded(left: Value, right: Value) -> Value:
        return run(left, right) if isinstance(left, str) and isinstance(right, str) else None

    return guarded


def _text(run: Callable[[str], Value]) -> Callable[[Value], Value]:
    return lambda value: run(value) if isinstance(value, str) else None


def _number(run: Callable[[Decimal], Value]) -> Callable[[Value], Value]:
    return lambda value: run(value) if isinstance(value, Decimal) else None


_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _substring(text: Value, start: Value, length: Value = Decimal(10_000)) -> Value:
    if not (isinstance(text, str) and isinstance(start, Decimal) and isinstance(length, Decimal)):
        return None
    first, count = int(start), int(length)
    if first == 0 or first != start or count != length or count < 0:
        return None
    rest = text[first - 1 :] if first > 0 else text[max(len(text) + first, 0) :]
    return rest[:count]


def _matches(text: Value, pattern: Value) -> Value:
    if not (isinstance(text, str) and isinstance(pattern, str)):
        return None
    return compile_pattern(pattern).matches(text)


def _round_half_up(number: Value, scale: Value = Decimal(0)) -> Value:
    if not (isinstance(number, Decimal) and isinstance(scale, Decimal)) or scale != int(scale):
        return None
    return values.round_half_up(number, int(scale)) if abs(scale) <= values.MAX_SCALE else None


def _join_text(items: Value, delimiter: Value = "") -> Value:
    if not isinstance(items, list) or not isinstance(delimiter, str):
        return None
    texts = [item for item in cast("list[Value]", items) if item is not None]
    return delimiter.join(cast("list[str]", texts)) if _all_items(texts, str) else None


def _concatenate(*lists: Value) -> Value:
    joined: list[Value] = []
    for one in lists:
        joined.extend(cast("list[Value]", one) if isinstance(one, list) else [one])
    return joined


def _distinct(items: Value) -> Value:
    if not isinstance(items, list):
        return None
    kept: list[Value] = []
    for item in cast("list[Value]", items):
        if not values.member(item, kept):
            kept.append(item)
    return kept


def _age(birth: Value, on: Value) -> Value:
    if not (isinstance(birth, date) and isinstance(on, date)) or on < birth:
        return None
    return Decimal(on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day)))


def _coalesce(*items: Value) -> Value:
    return next((item for item in items if item is not None), None)


def _exists(value: Value) -> Value:
    return value is not None and value != []


def _count(items: Sequence[Value]) -> Value:
    return Decimal(len(items))


def _is_defined(value: Value) -> Value:
    return value is not None


def _list_contains(items: Value, element: Value) -> Value:
    return values.member(element, cast("list[Value]", items)) if isinstance(items, list) else None


def _to_date(value: Value) -> Value:
    return value.date() if isinstance(value, datetime) else None


_TEXT: Accepts = (TEXT,)
_NUM: Accepts = (NUMBER,)
_BOTH_TEXTS = (Parameter("string", _TEXT), Parameter("match", _TEXT))

_ALL = (
    Function("count", (Parameter("list", "list"),), _always(NUMBER), _count, spread=True),
    Function("sum", (Parameter("list", _NUM),), _always(NUMBER), _sum, spread=True),
    Function("min", (Parameter("list", ORDERED),), _item, _extreme(values.less), spread=True),
    Function("max", (Parameter("list", ORDERED),), _item, _extreme(values.greater), spread=True),
    Function("all", (Parameter("list", (BOOLEAN,)),), _always(BOOLEAN), _fold(False), spread=True),
    Function("any", (Parameter("list", (BOOLEAN,)),), _always(BOOLEAN), _fold(True), spread=True),
    Function("contains", _BOTH_TEXTS, _always(BOOLEAN), _texts(lambda s, m: m in s)),
    Function("starts with", _BOTH_TEXTS, _always(BOOLEAN), _texts(str.startswith)),
    Function("ends with", _BOTH_TEXTS, _always(BOOLEAN), _texts(str.endswith)),
    Function(
        "substring",
        (Parameter("string", _TEXT), Parameter("start position", _NUM), Parameter("length", _NUM, True)),
        _always(TEXT),
        _substring,
    ),
    Function(
        "string length", (Parameter("string", _TEXT),), _always(NUMBER), _text(lambda s: Decimal(len(s)))
    ),
    Function(
        "upper case", (Parameter("string", _TEXT),), _always(TEXT), _text(lambda s: s.translate(_UPPER))
    ),
    Function(
        "lower case", (Parameter("string", _TEXT),), _always(TEXT), _text(lambda s: s.translate(_LOWER))
    ),
    Function("matches", (Parameter("input", _TEXT), Parameter("pattern", _TEXT)), _always(BOOLEAN), _matches),
    Function(
        "string join",
        (Parameter("list", (ListType(TEXT),)), Parameter("delimiter", _TEXT, True)),
        _always(TEXT),
        _join_text,
    ),
    Function(
        "list contains",
        (Parameter("list", "list"), Parameter("element", "any")),
        _always(BOOLEAN),
        _list_contains,
    ),
    Function("concatenate", (Parameter("list", "any"),), _joined_list, _concatenate, variadic=True),
    Function("distinct values", (Parameter("list", "list"),), lambda a: a[0], _distinct),
    Function("is defined", (Parameter("value", "any"),), _always(BOOLEAN), _is_defined),
    Function("exists", (Parameter("value", "any"),), _always(BOOLEAN), _exists),
    Function("coalesce", (Parameter("value", "any"),), _joined, _coalesce, variadic=True),
    Function("age", (Parameter("birth", (DATE,)), Parameter("on", (DATE,))), _always(NUMBER), _age),
    Function("today", (), _always(DATE), lambda: None),
    Function("date", (Parameter("from", (DATETIME,)),), _always(DATE), _to_date),
    Function(
        "floor", (Parameter("n", _NUM),), _always(NUMBER), _number(lambda n: n.to_integral_value(ROUND_FLOOR))
    ),
    Function(
        "ceiling",
        (Parameter("n", _NUM),),
        _always(NUMBER),
        _number(lambda n: n.to_integral_value(ROUND_CEILING)),
    ),
    Function(
        "round half up",
        (Parameter("n", _NUM), Parameter("scale", _NUM, True)),
        _always(NUMBER),
        _round_half_up,
    ),
    Function(
        "abs", (Parameter("n", _NUM),), _always(NUMBER), _number(lambda n: values.minus(n) if n < 0 else n)
    ),
)

FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}
