"""Rows of loaded datasets: put together in the draft, looked at by the gate, released as a whole when they pass."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import asyncpg
import msgspec

from dizuo.engines.opendata.detect import KINDS, found, masked
from dizuo.engines.opendata.model import DatasetSeen
from dizuo.foundation.store import Queries, begin
from dizuo.foundation.store.transaction import Tx

from .asking import Asked
from .errors import CkanDeclared, CkanInvalid, CkanNotFound, CkanTaken
from .portal import Portal, Writer
from .reading import resource_of

QUERIES: Final = Queries.load("dizuo.engines.opendata", "ckan_rows.sql")
MOST: Final = 500_000
MOST_A_CALL: Final = 100_000
_FIELD: Final = re.compile(r"[^_\"\x00-\x1f][^\"\x00-\x1f]{0,62}")
_TYPES: Final = {
    "text": "text", "json": "text", "timestamp": "text", "time": "text", "varchar": "text", "int": "integer",
    "int4": "integer", "int8": "integer", "integer": "integer", "bigint": "integer", "numeric": "decimal",
    "float": "decimal", "float8": "decimal", "decimal": "decimal", "double precision": "decimal", "bool": "boolean",
    "boolean": "boolean", "date": "date",
}  # fmt: skip


async def datastore_create(portal: Portal, asked: Asked) -> dict[str, Any]:
    """A table for a resource of a loaded dataset: ``fields``, ``records``, ``primary_key``; one table a dataset.

    Errors: CkanKeyNeeded, CkanNotYours, CkanNotFound, CkanDeclared, CkanTaken, CkanInvalid.
    """
    writer = portal.must_write()
    told = asked.needed("resource_id")
    seen = await _mine(portal, told, writer)
    records = asked.things("records")
    fields = _fields(asked.things("fields"), records)
    keys = asked.words("primary_key")
    unknown = [key for key in keys if key not in {one["id"] for one in fields}]
    if unknown:
        raise CkanInvalid({"primary_key": f"没有字段“{unknown[0][:60]}”"})
    async with begin(portal.pool, portal.now) as tx:
        other = await tx.conn.fetchval(QUERIES["table_lock"], seen.id)
        if other is not None and other != told:
            raise CkanTaken(f"数据集 {seen.id} 已有一张表（资源 {other}）；一个数据集只放一张表。")
        await tx.conn.execute(QUERIES["table_put"], seen.id, told, fields, list(keys))
        await tx.conn.execute(QUERIES["rows_clear"], seen.id)
        await _put(tx, seen.id, fields, keys, records, "insert")
        gate = await _gate(tx, seen, writer)
    return {"resource_id": told, "fields": _shown(fields), "primary_key": list(keys), "gate": gate}


async def datastore_upsert(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Add or change rows: ``method`` upsert (by the key), insert or update. Errors: as datastore_create."""
    writer = portal.must_write()
    told = asked.needed("resource_id")
    method = asked.text("method", "upsert")
    if method not in ("upsert", "insert", "update"):
        raise CkanInvalid({"method": "应为 upsert、insert 或 update"})
    seen = await _mine(portal, told, writer)
    records = asked.things("records")
    async with begin(portal.pool, portal.now) as tx:
        fields, keys = await _table(tx, seen.id, told)
        if method != "insert" and not keys:
            raise CkanInvalid({"method": "这张表没有 primary_key，只能 insert"})
        await _put(tx, seen.id, fields, keys, records, method)
        gate = await _gate(tx, seen, writer)
    return {"resource_id": told, "method": method, "gate": gate}


async def datastore_delete(portal: Portal, asked: Asked) -> dict[str, Any]:
    """Take away the rows that match ``filters``, or without filters the whole table. Errors: as datastore_create."""
    writer = portal.must_write()
    told = asked.needed("resource_id")
    seen = await _mine(portal, told, writer)
    filters = asked.thing("filters")
    async with begin(portal.pool, portal.now) as tx:
        fields, _ = await _table(tx, seen.id, told)
        unknown = [name for name in filters if name not in {one["id"] for one in fields}]
        if unknown:
            raise CkanInvalid({"filters": f"没有字段“{unknown[0][:60]}”"})
        wanted: dict[str, list[str]] = {}
        for name, value in filters.items():
            listed = cast("list[Any]", value) if isinstance(value, list) else [value]
            wanted[name] = [str(one) if not isinstance(one, bool) else str(one).lower() for one in listed]
        await tx.conn.execute(QUERIES["rows_delete"], seen.id, wanted)
        gate = await _gate(tx, seen, writer)
    return {"resource_id": told, "filters": dict(filters), "gate": gate}


async def _mine(portal: Portal, told: str, writer: Writer) -> DatasetSeen:
    seen, _ = await resource_of(portal, told)
    if seen.origin != "loaded":
        raise CkanDeclared(name=seen.id)
    portal.must_write(seen.provider)
    del writer
    return seen


async def _table(tx: Tx, dataset: str, resource: str) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    other = await tx.conn.fetchval(QUERIES["table_lock"], dataset)
    row = await tx.conn.fetchrow(QUERIES["table_show"], dataset)
    if row is None or other != resource:
        raise CkanNotFound(what=f"{resource} 还没有表，请先 datastore_create")
    return [dict(one) for one in row["fields"]], tuple(row["keys"])


def _fields(told: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Columns as core keeps them; without ``fields`` the first record's keys, as text or number."""
    given = list(told) or [
        {
            "id": key,
            "type": "numeric" if isinstance(value, int | float) and not isinstance(value, bool) else "text",
        }
        for key, value in (records[0].items() if records else ())
    ]
    listed: list[dict[str, Any]] = []
    for one in given[:500]:
        name, kind = one.get("id"), str(one.get("type") or "text").lower()
        if not isinstance(name, str) or not _FIELD.fullmatch(name):
            raise CkanInvalid({"fields": "字段名要有 1 到 63 个字，不能以 _ 开头，不能有引号"})
        if kind not in _TYPES:
            raise CkanInvalid(
                {"fields": f"“{name}”的类型“{kind[:30]}”不支持；可用：{'、'.join(sorted(_TYPES))}"}
            )
        info = one.get("info")
        label: Mapping[str, Any] = cast("Mapping[str, Any]", info) if isinstance(info, dict) else {}
        listed.append({
            "id": name, "zh": str(label.get("label") or name)[:200], "en": "", "type": _TYPES[kind],
            "says": str(label.get("notes") or "")[:1000], "says_en": "", "unit": "", "facet": False,
        })  # fmt: skip
    names = [one["id"] for one in listed]
    if not names or len(set(names)) != len(names):
        raise CkanInvalid({"fields": "至少要有一个字段，名字不能重复"})
    return listed


def _shown(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": one["id"], "type": one["type"]} for one in fields]


async def _put(
    tx: Tx,
    dataset: str,
    fields: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    method: str,
) -> None:
    if len(records) > MOST_A_CALL:
        raise CkanInvalid({"records": f"一次最多 {MOST_A_CALL} 行"})
    ready: list[dict[str, Any]] = []
    for place, record in enumerate(records, 1):
        data = _row(fields, record, place)
        key = msgspec.json.encode([data[name] for name in keys]).decode() if keys else None
        ready.append({"key": key, "data": data})
    try:
        changed = await tx.conn.fetchval(QUERIES[f"rows_{method}"], dataset, ready)
    except asyncpg.UniqueViolationError:
        raise CkanInvalid({"records": "有两行的 primary_key 相同"}) from None
    if method == "update" and changed != len(ready):
        raise CkanInvalid({"records": f"{len(ready) - int(changed)} 行没有找到要改的原行"})


def _row(fields: Sequence[Mapping[str, Any]], record: Mapping[str, Any], place: int) -> dict[str, Any]:
    names = {one["id"] for one in fields}
    unknown = [name for name in record if name not in names and name != "_id"]
    if unknown:
        raise CkanInvalid({"records": f"第 {place} 行有没有声明的字段“{unknown[0][:60]}”"})
    return {one["id"]: _value(one, record.get(one["id"]), place) for one in fields}


def _value(field: Mapping[str, Any], value: Any, place: int) -> Any:
    """A value of the field's type. Errors: CkanInvalid with the row's place."""
    kind, name = field["type"], field["id"]
    if value is None or value == "":
        return None
    try:
        if kind == "integer":
            return int(value) if not isinstance(value, float) or value.is_integer() else _not(value)
        if kind == "decimal":
            number = float(value)
            return number if abs(number) < 1e300 else _not(value)
        if kind == "boolean":
            told = str(value).lower()
            return (
                told in ("true", "t", "1") if told in ("true", "t", "1", "false", "f", "0") else _not(value)
            )
        if kind == "date":
            return dt.date.fromisoformat(str(value)[:10]).isoformat()
    except (ValueError, TypeError, OverflowError):
        raise CkanInvalid({"records": f"第 {place} 行“{name}”的“{str(value)[:40]}”不是 {kind}"}) from None
    text = msgspec.json.encode(value).decode() if isinstance(value, dict | list) else str(value)
    if len(text) > 100_000 or "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise CkanInvalid({"records": f"第 {place} 行“{name}”太长，或有不能用的字符"})
    return text


def _not(value: object) -> Any:
    raise ValueError(value)


async def _gate(tx: Tx, seen: DatasetSeen, writer: Writer) -> dict[str, Any]:
    """Look at every row for direct identifiers of people; release them when there are none. Gives what was found."""
    rows = await tx.conn.fetch(QUERIES["rows_all"], seen.id)
    if len(rows) > MOST:
        raise CkanInvalid({"records": f"一张表最多 {MOST} 行"})
    digest = hashlib.sha256()
    columns: dict[str, list[object]] = {}
    for row in rows:
        digest.update(msgspec.json.encode([row["data"], None]) + b"\n")
        for name, value in row["data"].items():
            columns.setdefault(name, []).append(value)
    findings = findings_of(columns)
    kept = seen.extras["ckan"]["package"]
    shown = not kept["private"] and seen.extras["ckan"].get("wanted") != "draft"
    by = f"key:{writer.id}"
    version = await tx.conn.fetchval(
        QUERIES["release"], seen.id, by, shown, not findings, findings, digest.digest()
    )
    says = "；".join(one["says"] for one in findings)
    await tx.conn.execute(QUERIES["table_refused"], seen.id, says)
    return {"passed": not findings, "findings": findings, "version": version}


def findings_of(columns: Mapping[str, Sequence[object]]) -> list[dict[str, Any]]:
    """What of these columns looks like a person's number, telephone, name or address, in the form of the gate's report."""
    listed: list[dict[str, Any]] = []
    for name, values in columns.items():
        for kind, hits in found(values).items():
            listed.append({
                "code": "identifier", "column": name, "rows": len(hits), "stops": True,
                "says": f"“{name}”里有 {len(hits)} 处像{KINDS[kind]}。去掉这一列，或换成不能认出个人的写法。",
                "says_en": f"{len(hits)} values of “{name}” look like {kind}. Leave the column out or generalise it.",
                "examples": [masked(kind, value) for value in hits[:3]], "ways": [],
            })  # fmt: skip
    return listed
