"""What every part of the SQL compiler needs: columns, parameters, bound names, arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from dizuo.foundation.rules.errors import RuleError, RuleErrors
from dizuo.foundation.rules.tree import AnyNode, Expression, ListOf, Literal, Member, Name, Tree, dotted
from dizuo.foundation.rules.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    TEXT,
    TIME,
    ListType,
    Type,
    join,
)

# How each type lives in SQL: durations are seconds or months, so that they compare as FEEL compares them.
SQL_TYPES: Mapping[Type, str] = {
    TEXT: "text",
    NUMBER: "numeric",
    BOOLEAN: "boolean",
    DATE: "date",
    DATETIME: "timestamptz",
    TIME: "time",
    DAYS: "numeric",
    MONTHS: "numeric",
    NULL: "text",
}
CITY = "INTERVAL '8 hours'"  # Asia/Shanghai, fixed since 1991: no time-zone tables needed
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """Where a fact lives: an SQL expression, quoted by the caller, and the fact's type.

    The expression must yield text, numeric, boolean, date, timestamptz or time; for ListType, an array of those.
    """

    sql: str
    type: Type


class SqlText(ABC):
    """The growing text of one rule, with its parameters."""

    def __init__(
        self,
        tree: Tree,
        columns: Mapping[str, SqlColumn],
        types: Mapping[int, Type],
        today: date | None,
        first: int,
    ) -> None:
        self.tree = tree
        self.columns = columns
        self.types = types
        self.today = today
        self.first = first
        self.params: list[object] = []
        self.aliases = 0

    def refuse(self, node: AnyNode, message: str, fix: str | None = None) -> NoReturn:
        raise RuleErrors(self.tree.text, [RuleError(message, node.span.start, node.span.end, fix)])

    def type_of(self, node: Expression) -> Type:
        return self.types[id(node)]

    def param(self, value: object, kind: Type) -> str:
        self.params.append(value)
        return f"${self.first + len(self.params) - 1}::{SQL_TYPES[kind]}"

    def bind(self, parts: Sequence[str], body: Callable[[Sequence[str]], str]) -> str:
        """``body`` over names for the parts, each computed once."""
        self.aliases += 1
        names = [f"dz{self.aliases}_{index}" for index in range(len(parts))]
        given = ", ".join(f"{part} AS {name}" for part, name in zip(parts, names, strict=True))
        return f"(SELECT {body(names)} FROM (SELECT {given} OFFSET 0) AS dz{self.aliases})"  # noqa: S608

    @abstractmethod
    def write(self, node: Expression, want: Type = NULL) -> str: ...

    @abstractmethod
    def part(self, node: Member) -> str: ...

    def shared(self, *nodes: Expression) -> Type:
        kind: Type = NULL
        for node in nodes:
            kind = join(kind, self.type_of(node)) or kind
        return kind

    def sql_type(self, kind: Type) -> str:
        if isinstance(kind, ListType):
            return f"{SQL_TYPES.get(kind.item, 'text')}[]"
        return SQL_TYPES.get(kind, "text")

    def collated(self, text: str, kind: Type) -> str:
        return f'{text} COLLATE "C"' if kind == TEXT else text

    def path(self, node: Name | Member) -> str:
        found = dotted(node)
        if found is not None and found in self.columns:
            return f"({self.columns[found].sql})"
        if isinstance(node, Member):
            return self.part(node)
        return self.refuse(node, f"“{node.name}”是记录，不能整个写成 SQL。", "请写到具体的字段")

    def among(self, x: str, array: str) -> str:
        self.aliases += 1
        alias = f"dz{self.aliases}"
        return f"EXISTS (SELECT 1 FROM unnest({array}) AS {alias}({alias}_v) WHERE {alias}_v IS NOT DISTINCT FROM {x})"  # noqa: S608

    def array(self, node: Expression, want: Type) -> str:
        """A list as an array: a list of scalars written out, or a column that is one."""
        kind = self.type_of(node)
        item = kind.item if isinstance(kind, ListType) else kind
        item = want if item == NULL else item
        if isinstance(item, ListType) or item not in SQL_TYPES:
            self.refuse(node, "只有文本、数字、日期等的列表能写成 SQL。")
        if isinstance(node, ListOf):
            return self.array_of(node.items, item)
        if isinstance(node, (Name, Member)) and dotted(node) in self.columns:
            return self.path(node)
        if isinstance(node, Literal):
            return f"NULL::{SQL_TYPES[item]}[]"
        return self.refuse(node, "SQL 里只能用写出来的列表，或本身是数组的列。")

    def array_of(self, items: Sequence[Expression], item: Type) -> str:
        return f"ARRAY[{', '.join(self.write(one, item) for one in items)}]::{SQL_TYPES[item]}[]"
