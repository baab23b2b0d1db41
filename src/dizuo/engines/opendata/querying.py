"""Rows by condition: the one place where a statement about somebody's question is put together.

Names of columns and values go as parameters, operators come from a table of ours, so nothing that is asked becomes SQL; and a
question that takes too long is stopped.
"""

# ruff: noqa: S608 - pieces of our own only

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

import asyncpg
import msgspec

from dizuo.engines.opendata.errors import RowsQueryInvalid, RowsQuerySlow
from dizuo.engines.opendata.model import Column, DatasetSeen, Row
from dizuo.foundation.store import Pool

BUDGET_MS: Final = 2_000
LARGEST: Final = 1_000
FACET_VALUES: Final = 30
_DEEPEST: Final = 1_000_000
_OPERATORS: Final[Mapping[str, str]] = {
    "eq": "=", "ne": "IS DISTINCT FROM", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=",
}  # fmt: skip
_OTHERS: Final = ("has", "starts", "in", "empty")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


class Condition(msgspec.Struct, frozen=True):
    """A column held against a value: eq, ne, gt, gte, lt, lte, has (contains), starts, in (values parted by |), empty (yes/no)."""

    column: str
    operator: str
    value: str


class RowQuery(msgspec.Struct, frozen=True):
    """What is asked of a dataset's rows. ``text`` must stand in some text column; ``sort`` are (column, descending)."""

    conditions: tuple[Condition, ...] = ()
    text: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int = 50
    offset: int = 0


class RowsFound(msgspec.Struct, frozen=True):
    """One page of rows; ``total`` counts all that fit."""

    rows: tuple[Row, ...]
    total: int


def parse_query(columns: Sequence[Column], asked: Iterable[tuple[str, str]]) -> RowQuery:
    """The query of an address: ``column=value``, ``column__gt=5``, ``_sort=-people,age``, ``_limit``, ``_offset``, ``q``.

    Errors: RowsQueryInvalid with a sentence for every part that is wrong.
    """
    known = {column.id: column for column in columns}
    wrong: dict[str, str] = {}
    conditions: list[Condition] = []
    text, sort, numbers = "", (), {"_limit": 50, "_offset": 0}
    for name, value in asked:
        if "\x00" in value:
            wrong[name] = "这里有不能出现的字符。"
        elif name == "q":
            text = value.strip()[:100]
        elif name in numbers:
            numbers[name] = _number(name, value, wrong)
        elif name == "_sort":
            sort = _sort(value, known, wrong)
        elif value != "":
            column, _, operator = name.partition("__")
            found = _condition(known.get(column), column, operator or "eq", value, wrong)
            if found is not None:
                conditions.append(found)
    if len(conditions) > 20:
        wrong["_"] = "条件最多 20 个。"
    if wrong:
        raise RowsQueryInvalid(wrong)
    return RowQuery(tuple(conditions), text, sort, numbers["_limit"], numbers["_offset"])


def _number(name: str, value: str, wrong: dict[str, str]) -> int:
    most = LARGEST if name == "_limit" else _DEEPEST
    if not re.fullmatch(r"[0-9]{1,7}", value) or not (name == "_offset" or int(value)) or int(value) > most:
        wrong[name] = f"{name} 要写 {'0' if name == '_offset' else '1'} 到 {most:,} 的整数。"
        return 0
    return int(value)


def _sort(value: str, known: Mapping[str, Column], wrong: dict[str, str]) -> tuple[tuple[str, bool], ...]:
    parts = [part.strip() for part in value.split(",") if part.strip()][:4]
    unknown = [part for part in parts if part.lstrip("-") not in known]
    if unknown:
        wrong["_sort"] = f"没有字段 {unknown[0].lstrip('-')[:40]}，不能按它排。"
        return ()
    return tuple((part.lstrip("-"), part.startswith("-")) for part in parts)


def _condition(
    column: Column | None, name: str, operator: str, value: str, wrong: dict[str, str]
) -> Condition | None:
    if column is None:
        wrong[name[:60]] = f"没有字段 {name[:40]}。"
    elif operator not in (*_OPERATORS, *_OTHERS):
        wrong[f"{name}__{operator[:20]}"] = (
            f"没有方式 {operator[:20]}，有的是 {'、'.join((*_OPERATORS, *_OTHERS))}。"
        )
    elif len(value) > 500:
        wrong[name] = "值太长，最多 500 个字。"
    elif operator == "empty" and value not in ("yes", "no"):
        wrong[name] = "empty 后面写 yes 或 no。"
    elif operator not in ("empty", "has", "starts"):
        values = value.split("|") if operator == "in" else [value]
        if len(values) > 100 or not all(_fits(column, one) for one in values):
            wrong[name] = f"“{value[:40]}”不是{_TYPES[column.type]}。"
        else:
            return Condition(name, operator, value)
    else:
        return Condition(name, operator, value)
    return None


_TYPES: Final = {
    "integer": "整数",
    "decimal": "数",
    "date": "日期",
    "boolean": "true 或 false",
    "text": "文字",
}


def _fits(column: Column, value: str) -> bool:
    if column.type in ("integer", "decimal"):
        return _NUMBER.fullmatch(value) is not None
    if column.type == "date":
        return _DATE.fullmatch(value) is not None
    return column.type != "boolean" or value in ("true", "false")


class _Builder:
    """Parameters of one statement, numbered as they come; pieces of SQL only from here."""

    def __init__(self, seen: DatasetSeen) -> None:
        self.given: list[object] = [seen.id, seen.version]
        self._columns = {column.id: column for column in seen.columns}

    def add(self, value: object, kind: str) -> str:
        self.given.append(value)
        return f"${len(self.given)}::{kind}"

    def where(self, query: RowQuery) -> str:
        parts = ["r.dataset = $1", "r.version = $2", *(self._holds(one) for one in query.conditions)]
        if query.text:
            # Only values, and of them only texts: a column's name is no find.
            texts = [c.id for c in self._columns.values() if c.type == "text"]
            parts.append(
                f"EXISTS (SELECT FROM unnest({self.add(texts, 'text[]')}) c"
                f" WHERE position(lower({self.add(query.text, 'text')}) IN lower(r.data ->> c)) > 0)"
            )
        return " AND ".join(parts)

    def order(self, query: RowQuery) -> str:
        parts = [f"{self.value(name)} {'DESC' if down else 'ASC'} NULLS LAST" for name, down in query.sort]
        return ", ".join([*parts, "r.n"])

    def value(self, name: str) -> str:
        kind = self._columns[name].type
        field = self.add(name, "text")
        if kind in ("integer", "decimal"):
            return f"(CASE WHEN jsonb_typeof(r.data -> {field}) = 'number' THEN (r.data ->> {field})::numeric END)"
        return f'(r.data ->> {field}) COLLATE "C"'

    def _holds(self, one: Condition) -> str:
        column = self._columns[one.column]
        if one.operator in ("empty", "has", "starts"):
            return self._holds_text(one)
        number = column.type in ("integer", "decimal")
        if one.operator == "in":
            values = one.value.split("|")
            return f"{self.value(one.column)} = ANY ({self.add(values, 'text[]')}{'::numeric[]' if number else ''})"
        value = f"{self.add(one.value, 'text')}{'::numeric' if number else ''}"
        return f"{self.value(one.column)} {_OPERATORS[one.operator]} {value}"

    def _holds_text(self, one: Condition) -> str:
        text = f"(r.data ->> {self.add(one.column, 'text')})"
        if one.operator == "empty":
            return f"({text} IS NULL OR {text} = '') = {self.add(one.value == 'yes', 'boolean')}"
        if one.operator == "has":
            return f"position(lower({self.add(one.value, 'text')}) IN lower({text})) > 0"
        return f"starts_with({text}, {self.add(one.value, 'text')})"


async def rows_found(pool: Pool, seen: DatasetSeen, query: RowQuery) -> RowsFound:
    """One page of the rows that fit. Errors: RowsQuerySlow, the pool's."""
    made = _Builder(seen)
    where, order = made.where(query), made.order(query)
    page = f"LIMIT {made.add(query.limit, 'bigint')} OFFSET {made.add(query.offset, 'bigint')}"
    if not query.conditions and not query.text:
        statement = f"SELECT r.n, r.data, r.shape FROM opendata.row r WHERE {where} ORDER BY {order} {page}"
        rows = await _within_budget(pool, statement, made.given)
        return RowsFound(tuple(Row(row["n"], row["data"], row["shape"]) for row in rows), seen.rows)
    statement = f"SELECT r.n, r.data, r.shape, count(*) OVER () AS total FROM opendata.row r WHERE {where} ORDER BY {order} {page}"
    rows = await _within_budget(pool, statement, made.given)
    if rows or not query.offset:
        total = int(rows[0]["total"]) if rows else 0
    else:
        total = (await rows_found(pool, seen, RowQuery(query.conditions, query.text, (), 1, 0))).total
    return RowsFound(tuple(Row(row["n"], row["data"], row["shape"]) for row in rows), total)


async def facet(pool: Pool, seen: DatasetSeen, query: RowQuery, column: str) -> tuple[tuple[str, int], ...]:
    """The values of a column among the rows that fit all conditions but those on itself, most frequent first.

    Errors: RowsQuerySlow, the pool's.
    """
    rest = tuple(one for one in query.conditions if one.column != column)
    made = _Builder(seen)
    where = made.where(RowQuery(rest, query.text))
    text = f"r.data ->> {made.add(column, 'text')}"
    rows = await _within_budget(
        pool,
        f"SELECT {text} AS value, count(*) AS rows FROM opendata.row r WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {FACET_VALUES}",
        made.given,
    )
    counted = [(str(row["value"]), int(row["rows"])) for row in rows if row["value"]]
    return tuple(sorted(counted, key=lambda pair: (-pair[1], _natural(pair[0]))))


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """5 before 10, also within a text."""
    parts = re.split(r"([0-9]{1,9})", text)
    return tuple((int(part), "") if at % 2 else (-1, part) for at, part in enumerate(parts))


async def stream_rows(
    pool: Pool, seen: DatasetSeen, query: RowQuery, batch: int = 2_000
) -> AsyncIterator[tuple[Row, ...]]:
    """All rows that fit, in the order of the release, batch by batch, so that none is ever whole in memory.

    Errors: RowsQuerySlow, the pool's.
    """
    last = 0
    while True:
        made = _Builder(seen)
        where = made.where(query)
        statement = (
            f"SELECT r.n, r.data, r.shape FROM opendata.row r WHERE {where} AND r.n > {made.add(last, 'bigint')}"
            f" ORDER BY r.n LIMIT {made.add(batch, 'bigint')}"
        )
        rows = await _within_budget(pool, statement, made.given)
        if rows:
            yield tuple(Row(row["n"], row["data"], row["shape"]) for row in rows)
            last = int(rows[-1]["n"])
        if len(rows) < batch:
            return


async def _within_budget(pool: Pool, statement: str, given: Sequence[object]) -> Sequence[asyncpg.Record]:
    try:
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(f"SET LOCAL statement_timeout = {BUDGET_MS}")
            return await connection.fetch(statement, *given)  # pyright: ignore[reportReturnType]
    except asyncpg.QueryCanceledError as error:
        raise RowsQuerySlow() from error
