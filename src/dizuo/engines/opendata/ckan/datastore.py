"""DataStore: rows of a resource by filters, words, sorting and paging. Every field name and value is a parameter."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, Final, cast

import asyncpg
import msgspec

from dizuo.engines.opendata.errors import ConditionalOnly, RowsQuerySlow
from dizuo.engines.opendata.model import Column, DatasetSeen
from dizuo.foundation.kernel.cells import harmless

from .asking import Asked
from .errors import CkanInvalid, CkanNotFound, SqlRefused
from .portal import Portal
from .query import parse_sort
from .reading import BUDGET_MS, resource_of
from .where import Condition

MOST_ROWS: Final = 32_000
_TYPES: Final = {"text": "text", "integer": "int", "decimal": "numeric", "date": "date", "boolean": "bool"}
_NUMBERS: Final = frozenset({"integer", "decimal"})


async def datastore_search_sql(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Refused: SQL of strangers is not run here, not even read. Errors: SqlRefused, always."""
    raise SqlRefused()


async def datastore_info(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Fields and number of rows of a resource. Errors: CkanNotFound."""
    told = asked.text("id") or asked.needed("resource_id")
    seen = await table_of(portal, told)
    return {
        "meta": {"id": told, "count": seen.rows, "table_type": "BASE TABLE", "version": seen.version},
        "fields": [
            {"id": one.id, "type": _TYPES[one.type], "info": {"label": one.zh, "notes": one.says}}
            for one in seen.columns
        ],
    }


async def table_of(portal: Portal, told: str) -> DatasetSeen:
    """The dataset whose rows a resource has. Errors: CkanNotFound; ConditionalOnly where an agreement is needed."""
    seen, resource = await resource_of(portal, told)
    if seen.open_type != "unconditional":
        raise ConditionalOnly()
    if not resource["datastore_active"] or not seen.version:
        raise CkanNotFound(what=f"{told[:100]} 没有可以查询的数据行")
    return seen


async def datastore_search(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Rows of a resource.

    ``filters`` {field: value or values}; ``q`` a text looked for as a substring in all fields, or {field: text};
    ``fields``, ``sort``, ``distinct``, ``limit`` (at most 32,000), ``offset``, ``include_total``, ``records_format``
    objects, lists, csv or tsv. Errors: CkanInvalid, CkanNotFound, ConditionalOnly, RowsQuerySlow.
    """
    told = asked.text("resource_id") or asked.needed("id")
    seen = await table_of(portal, told)
    search = Search(seen, asked)
    try:
        async with portal.pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(f"SET LOCAL statement_timeout = {BUDGET_MS}")
            rows = await connection.fetch(search.statement, *search.values)
            total = len(rows)
            if search.counts:
                total = await connection.fetchval(search.count_statement, *search.count_values)
    except asyncpg.QueryCanceledError:
        raise RowsQuerySlow() from None
    return search.answer([cast("list[Any]", row["vals"]) for row in rows], total, told)


class Search:
    """One search as SQL. Its text is made of this file's words and the places of parameters only."""

    def __init__(self, seen: DatasetSeen, asked: Asked) -> None:
        self._condition = Condition()
        self._seen = seen
        self._asked = asked
        self._columns = {one.id: one for one in seen.columns}
        self.limit = asked.whole("limit", 100, most=MOST_ROWS)
        self.offset = asked.whole("offset", 0)
        self.counts = asked.flag("include_total", True)
        self._format = asked.text("records_format", "objects")
        if self._format not in ("objects", "lists", "csv", "tsv"):
            raise CkanInvalid({"records_format": "应为 objects、lists、csv 或 tsv"})
        self._distinct = asked.flag("distinct")
        self._fields = self._chosen()
        where = self._where()
        self.count_values = tuple(self._condition.values)
        vals = ", ".join(self._value(name) for name in self._fields)
        picked = f"SELECT {'DISTINCT ' if self._distinct else ''}jsonb_build_array({vals}) AS vals"
        rows = f"FROM opendata.row r WHERE {where}"
        tail = f" LIMIT {int(self.limit)} OFFSET {int(self.offset)}"
        if self._distinct:
            self.count_values = tuple(self._condition.values)
            self.count_statement = f"SELECT count(*) FROM ({picked} {rows}) one"  # noqa: S608
            self.statement = f"SELECT vals FROM ({picked} {rows}) one ORDER BY {self._order_distinct()}{tail}"  # noqa: S608
        else:
            self.count_statement = f"SELECT count(*) {rows}"
            self.statement = f"{picked} {rows} ORDER BY {self._order()}{tail}"
        self.values = tuple(self._condition.values)

    def answer(self, rows: Sequence[Sequence[Any]], total: int, told: str) -> dict[str, Any]:
        """What CKAN answers."""
        found: dict[str, Any] = {
            "resource_id": told,
            "include_total": self.counts,
            "records_format": self._format,
            "limit": self.limit,
            "offset": self.offset,
            "fields": [self._field(name) for name in self._fields],
            "records": self._records(rows),
            "_links": self._links(told),
        }
        if self.counts:
            found |= {"total": total, "total_was_estimated": False}
        return found

    def _links(self, told: str) -> dict[str, str]:
        from urllib.parse import urlencode

        base = "/api/3/action/datastore_search?"
        kept = {
            name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for name, value in self._asked.told.items()
            if name not in ("limit", "offset", "resource_id", "id")
        }
        first = {"resource_id": told, **kept, "limit": self.limit}
        return {
            "start": base + urlencode(first),
            "next": base + urlencode({**first, "offset": self.offset + self.limit}),
        }

    def _field(self, name: str) -> dict[str, Any]:
        if name == "_id":
            return {"id": "_id", "type": "int"}
        column = self._columns[name]
        return {"id": name, "type": _TYPES[column.type], "info": {"label": column.zh, "notes": column.says}}

    def _records(self, rows: Sequence[Sequence[Any]]) -> Any:
        if self._format == "objects":
            return [dict(zip(self._fields, row, strict=True)) for row in rows]
        if self._format == "lists":
            return [list(row) for row in rows]
        text = StringIO()
        writer = csv.writer(text, delimiter="," if self._format == "csv" else "\t", lineterminator="\n")
        writer.writerows([_disarmed(value) for value in row] for row in rows)
        return text.getvalue()

    def _chosen(self) -> list[str]:
        wanted = list(self._asked.words("fields"))
        if not wanted:
            return ([] if self._distinct else ["_id"]) + list(self._columns)
        self._must_know("fields", wanted)
        return wanted

    def _must_know(self, what: str, names: Sequence[str]) -> None:
        unknown = [name for name in names if name != "_id" and name not in self._columns]
        if unknown:
            raise CkanInvalid({what: f"没有字段“{unknown[0][:60]}”"})

    def _value(self, name: str) -> str:
        return "to_jsonb(r.n)" if name == "_id" else f"r.data->({self._condition.value(name)}::text)"

    def _text(self, name: str) -> str:
        return "r.n::text" if name == "_id" else f"r.data->>({self._condition.value(name)}::text)"

    def _where(self) -> str:
        version = f"{self._condition.value(self._seen.id)}::text AND r.version = {self._condition.value(self._seen.version)}::int"
        pieces = [f"r.dataset = {version}"]
        filters = self._asked.thing("filters")
        self._must_know("filters", list(filters))
        for name, wanted in list(filters.items())[:100]:
            listed: list[Any] = cast("list[Any]", wanted) if isinstance(wanted, list) else [wanted]
            pieces.append(self._equal(name, listed))
        q = self._asked.loose("q")
        if isinstance(q, dict):
            told = cast("Mapping[str, Any]", q)
            self._must_know("q", list(told))
            pieces += [self._holds(name, str(text)) for name, text in list(told.items())[:50]]
        elif text := self._asked.text("q").strip():
            names = [one.id for one in self._columns.values()][:200]
            pieces += [
                f"({' OR '.join(self._holds(name, word) for name in names) or 'false'})"
                for word in text.split()[:10]
            ]
        return " AND ".join(pieces)

    def _equal(self, name: str, wanted: Sequence[Any]) -> str:
        if len(wanted) > 1_000 or any(isinstance(one, dict | list) for one in wanted):
            raise CkanInvalid({"filters": f"“{name[:60]}”应为一个值，或不超过 1000 个值的列表"})
        column = self._columns.get(name)
        texts = [one for one in (_plain(value) for value in wanted) if one is not None]
        ways: list[str] = []
        if None in wanted:
            ways.append(f"{self._text(name)} IS NULL")
        if column is not None and column.type in _NUMBERS:
            ways.append(f"{self._number(name)} = ANY ({self._condition.value(_numbers(texts))}::numeric[])")
        else:
            ways.append(f"{self._text(name)} = ANY ({self._condition.value(texts)}::text[])")
        return f"({' OR '.join(ways)})"

    def _number(self, name: str) -> str:
        """The value as a number, NULL for whatever is none, so that no row can break a query."""
        place = f"{self._condition.value(name)}::text"
        return f"CASE WHEN jsonb_typeof(r.data->({place})) = 'number' THEN (r.data->>({place}))::numeric END"

    def _holds(self, name: str, text: str) -> str:
        if "\x00" in text or len(text) > 500:
            raise CkanInvalid({"q": "有不能用的字符，或太长"})
        return f"strpos(lower({self._text(name)}), lower({self._condition.value(text)}::text)) > 0"

    def _sorts(self) -> tuple[tuple[str, bool], ...]:
        return parse_sort(self._asked.text("sort"), ("_id", *self._columns))

    def _order(self) -> str:
        pieces: list[str] = []
        for name, descending in self._sorts():
            column = self._columns.get(name)
            number = column is not None and column.type in _NUMBERS
            expression = "r.n" if name == "_id" else self._number(name) if number else self._text(name)
            pieces.append(f"{expression} {'DESC' if descending else 'ASC'} NULLS LAST")
        return ", ".join([*pieces, "r.n"])

    def _order_distinct(self) -> str:
        pieces: list[str] = []
        for name, descending in self._sorts():
            if name not in self._fields:
                raise CkanInvalid({"sort": f"用 distinct 时只能按选出的字段排序，“{name[:60]}”不在里面"})
            pieces.append(f"vals->{self._fields.index(name)} {'DESC' if descending else 'ASC'}")
        return ", ".join([*pieces, "vals"])


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise CkanInvalid({"filters": "有不能用的字符"})
    return text


def _numbers(texts: Sequence[str]) -> list[Any]:
    """What of the values is a number; the others equal none."""
    from decimal import Decimal, InvalidOperation

    found: list[Any] = []
    for text in texts:
        try:
            number = Decimal(text)
        except InvalidOperation:
            continue
        if number.is_finite() and abs(number.adjusted()) < 100:
            found.append(number)
    return found


def _disarmed(value: Any) -> Any:
    """A cell that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers."""
    return harmless(value) if isinstance(value, str) else value


def columns_of(fields: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Columns as kept with a loaded table."""
    return msgspec.convert(list(fields), tuple[Column, ...])
