"""What a rule computes with: FEEL's values, equality, order and arithmetic, with null as the third truth value.

The same operations are written in SQL by ``compile_sql``; a property test holds the two equal. Two choices make
that possible: numbers are exact decimals and a quotient keeps twelve decimal places, rounded half away from
zero; text is compared by code point.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from typing import Any, TypeGuard, cast

import msgspec

from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.terms import add_months
from dizuo.foundation.rules.tree import Months

Value = object
"""None, bool, Decimal, str, date, datetime, time, timedelta, Months, list of values, dict of values."""

QUOTIENT_PLACES = 12
MAX_SCALE = 12
# Wide enough for every number that the size limit of the parser admits: sums and products are exact.
_EXACT = Context(prec=20_000, rounding=ROUND_HALF_UP)
_ZERO = Decimal(0)


_AS_IS = frozenset({type(None), str, bool, dict, date, time, timedelta, Months})
_KINDS: Mapping[type[object], type[object]] = {
    kind: kind for kind in (bool, Decimal, str, datetime, date, time, timedelta, Months, list, dict)
}
_UNORDERED = (bool, list, dict)


def feel(value: object) -> Value:
    """A Python value as a FEEL value; what FEEL does not know (bytes, NaN, other objects) becomes null."""
    kind = type(value)
    if kind in _AS_IS:  # by far the most
        return value
    if kind is int:
        return Decimal(cast(int, value))
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, Enum):
        return feel(value.value)
    if isinstance(value, datetime):
        return None if value.tzinfo is None else to_shanghai(value)
    if isinstance(value, (date, time, timedelta, Months)):
        return value
    if isinstance(value, float):
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [feel(item) for item in cast("Sequence[object]", value)]
    if isinstance(value, (str, int)):
        return str(value) if isinstance(value, str) else Decimal(int(value))
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    return None


def is_list(value: Value) -> TypeGuard[list[Value]]:
    return isinstance(value, list)


# --- truth ------------------------------------------------------------------------------------------------


def negate(value: Value) -> bool | None:
    return not value if isinstance(value, bool) else None


# --- equality and order -----------------------------------------------------------------------------------


def _kind(value: Value) -> type[object]:
    """The kind of a value; subclasses (an enumeration of texts) count as what they are made of."""
    kind = _KINDS.get(type(value))
    if kind is None:
        kind = next((known for known in _KINDS if isinstance(value, known)), dict)
    return kind


def equal(left: Value, right: Value) -> bool | None:
    """DMN 1.5 table 42: null equals null only; values of different kinds do not compare (null)."""
    if left is None or right is None:
        return left is right
    kind = _kind(left)
    if kind is not _kind(right):
        return None
    if kind is list:
        mine, theirs = cast("list[Value]", left), cast("list[Value]", right)
        return len(mine) == len(theirs) and all(
            equal(a, b) is True for a, b in zip(mine, theirs, strict=True)
        )
    if kind is dict:
        a, b = cast("Mapping[str, object]", left), cast("Mapping[str, object]", right)
        return a.keys() == b.keys() and all(equal(feel(a[key]), feel(b[key])) is True for key in a)
    return left == right


def unequal(left: Value, right: Value) -> bool | None:
    return negate(equal(left, right))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Value], bool | None]:
    def run(left: Value, right: Value) -> bool | None:
        if left is None or right is None:
            return None
        kind = _kind(left)
        if kind is not _kind(right) or kind in _UNORDERED:
            return None
        return compare(left, right)

    return run


less = _ordered(operator.lt)
less_or_equal = _ordered(operator.le)
greater = _ordered(operator.gt)
greater_or_equal = _ordered(operator.ge)

COMPARISONS: Mapping[str, Callable[[Value, Value], bool | None]] = {
    "=": equal,
    "!=": unequal,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
}


def both(left: bool | None, right: bool | None) -> bool | None:
    """Three-valued and."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def member(value: Value, items: Sequence[Value]) -> bool:
    return any(equal(value, item) is True for item in items)


# --- arithmetic -------------------------------------------------------------------------------------------


def add(left: Value, right: Value) -> Value:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _EXACT.add(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, (timedelta, Months)) and isinstance(right, date):
        left, right = right, left
    return _shift(left, right, 1)


def subtract(left: Value, right: Value) -> Value:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _EXACT.subtract(left, right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left - right
    if type(left) is date and type(right) is date:
        return left - right
    return _shift(left, right, -1)


def _shift(left: Value, right: Value, sign: int) -> Value:
    """A date, a moment or a duration, moved by a duration; null beyond the years 1 to 9999."""
    try:
        if isinstance(right, timedelta):
            step = sign * right
            if isinstance(left, datetime):
                return left + step
            if isinstance(left, date):
                return left + timedelta(days=step.days)  # .days rounds down, as midnight plus the step would
            return left + step if isinstance(left, timedelta) else None
        if isinstance(right, Months):
            if isinstance(left, Months):
                return Months(left.n + sign * right.n)
            if isinstance(left, datetime):
                return datetime.combine(_month_shift(left.date(), sign * right.n), left.timetz())
            return _month_shift(left, sign * right.n) if isinstance(left, date) else None
    except (OverflowError, ValueError):
        return None
    return None


def _month_shift(day: date, n: int) -> date:
    if not MINYEAR <= (day.year * 12 + day.month - 1 + n) // 12 <= MAXYEAR:
        raise OverflowError
    return add_months(day, n)


def multiply(left: Value, right: Value) -> Value:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _EXACT.multiply(left, right)
    return None


def divide(left: Value, right: Value) -> Value:
    """The quotient to twelve decimal places, half away from zero; null when dividing by zero."""
    if not (isinstance(left, Decimal) and isinstance(right, Decimal)) or right == _ZERO:
        return None
    truncated = _EXACT.divide_int(left.scaleb(QUOTIENT_PLACES + 1, _EXACT), right)
    return round_half_up(truncated.scaleb(-QUOTIENT_PLACES - 1, _EXACT), QUOTIENT_PLACES)


def power(left: Value, right: Value) -> Value:
    if not isinstance(left, Decimal) or not isinstance(right, Decimal):
        return None
    result = Decimal(1)
    for _ in range(int(right)):
        result = _EXACT.multiply(result, left)
    return result


def minus(value: Value) -> Value:
    if isinstance(value, Decimal):
        return _EXACT.minus(value)
    if isinstance(value, timedelta):
        return -value
    return Months(-value.n) if isinstance(value, Months) else None


def round_half_up(number: Decimal, scale: int) -> Decimal:
    """To ``scale`` decimal places, ties away from zero (DMN 1.5 table 73)."""
    return number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _EXACT)


ARITHMETIC: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}


# --- parts of a value -------------------------------------------------------------------------------------

PARTS = ("year", "month", "day", "weekday", "hour", "minute", "days", "years", "months")


def part(value: Value, name: str) -> Value:
    """A field of a record, a part of a date, a moment or a duration; over a list, of each item."""
    if type(value) is dict:
        return feel(cast("dict[str, object]", value).get(name))
    if isinstance(value, Mapping):
        return feel(cast("Mapping[str, object]", value).get(name))
    if isinstance(value, list):
        return [part(item, name) for item in cast("list[Value]", value)]
    if isinstance(value, date):
        if name in ("year", "month", "day"):
            return Decimal(getattr(value, name))
        if name == "weekday":
            return Decimal(value.isoweekday())
        if isinstance(value, datetime) and name in ("hour", "minute"):
            return Decimal(getattr(value, name))
    if isinstance(value, timedelta) and name == "days":
        return Decimal(abs(value).days * (1 if value >= timedelta(0) else -1))
    if isinstance(value, Months) and name in ("years", "months"):
        years = abs(value.n) // 12 * (1 if value.n >= 0 else -1)
        return Decimal(years if name == "years" else value.n - 12 * years)
    return None
