"""The types of rules. Every type also holds null: a fact may be unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dizuo.foundation.rules.tree import Months, Scalar


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A type without parts; ``word`` is what a person calls it."""

    name: str
    word: str

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True, slots=True)
class ListType:
    item: Type

    def __str__(self) -> str:
        return f"{self.item}的列表"


@dataclass(frozen=True, slots=True)
class ContextType:
    """A record with named fields, in order."""

    fields: tuple[tuple[str, Type], ...]

    def get(self, name: str) -> Type | None:
        return next((kind for key, kind in self.fields if key == name), None)

    def __str__(self) -> str:
        return "记录"


Type = ScalarType | ListType | ContextType

TEXT = ScalarType("text", "文本")
NUMBER = ScalarType("number", "数字")
BOOLEAN = ScalarType("boolean", "是否")
DATE = ScalarType("date", "日期")
DATETIME = ScalarType("datetime", "日期时间")
TIME = ScalarType("time", "时刻")
DAYS = ScalarType("days", "天数时长")
MONTHS = ScalarType("months", "年月时长")
NULL = ScalarType("null", "空值")
ANY = ScalarType("any", "任意")

ORDERED = (NUMBER, TEXT, DATE, DATETIME, TIME, DAYS, MONTHS)
BY_NAME: Mapping[str, ScalarType] = {
    kind.name: kind for kind in (TEXT, NUMBER, BOOLEAN, DATE, DATETIME, TIME, DAYS, MONTHS, ANY)
}


def context(fields: Mapping[str, Type]) -> ContextType:
    return ContextType(tuple(fields.items()))


def environment(paths: Mapping[str, Type]) -> dict[str, Type]:
    """Types by first name, from types by dotted path (``child.birth_date``).

    Errors: ValueError when one path is both a value and a record.
    """
    groups: dict[str, dict[str, Type]] = {}
    plain: dict[str, Type] = {}
    for path, kind in paths.items():
        first, _, rest = path.partition(".")
        if rest:
            groups.setdefault(first, {})[rest] = kind
        else:
            plain[first] = kind
    for first, rest in groups.items():
        known = plain.get(first)
        if known is not None and not isinstance(known, ContextType):
            raise ValueError(f"{first} is both a value ({known}) and a record")
        inner = environment(rest)
        plain[first] = context({**dict(known.fields), **inner} if known is not None else inner)
    return plain


def type_of(value: Scalar) -> ScalarType:
    """The type of a constant."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, Decimal):
        return NUMBER
    if isinstance(value, str):
        return TEXT
    if isinstance(value, datetime):
        return DATETIME
    if isinstance(value, date):
        return DATE
    if isinstance(value, time):
        return TIME
    if isinstance(value, timedelta):
        return DAYS
    assert isinstance(value, Months)
    return MONTHS


def join(left: Type, right: Type) -> Type | None:
    """The type that holds both, or None when they do not mix."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if ANY in (left, right):
        return ANY
    if isinstance(left, ListType) and isinstance(right, ListType):
        item = join(left.item, right.item)
        return None if item is None else ListType(item)
    if isinstance(left, ContextType) and isinstance(right, ContextType):
        names = [name for name, _ in left.fields]
        if names != [name for name, _ in right.fields]:
            return None
        joined = [(name, join(kind, right.get(name) or NULL)) for name, kind in left.fields]
        if any(kind is None for _, kind in joined):
            return None
        return ContextType(tuple((name, kind) for name, kind in joined if kind is not None))
    return None
