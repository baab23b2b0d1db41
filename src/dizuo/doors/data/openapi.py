"""The interface for pushing, described for machines (OpenAPI 3.1), from what the city declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dizuo.engines.lake import intake
from dizuo.foundation.blueprint import City
from dizuo.foundation.blueprint.model_source import Source

_VERDICT = {
    "type": "object",
    "required": ["row", "verdict"],
    "properties": {
        "row": {"type": "integer", "minimum": 1, "description": "第几条，从 1 起"},
        "verdict": {"enum": ["accepted", "rejected"]},
        "column": {"type": "string", "description": "哪一栏，空为整条"},
        "code": {"type": "string"},
        "says": {"type": "string", "description": "为什么，一句话"},
    },
}
_PUSHED = {
    "type": "object",
    "required": ["ok", "delivery", "push", "accepted", "rejected", "rows", "replayed"],
    "properties": {
        "ok": {"const": True},
        "delivery": {"type": "integer", "description": "交付编号，可在 /data/deliveries/编号 查看进展"},
        "push": {"type": "integer"},
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Verdict"}},
        "replayed": {"type": "boolean", "description": "这一批以前收过，只算一次"},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["ok", "code", "message", "fix", "number"],
    "properties": {
        "ok": {"const": False},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "fix": {"type": ["string", "null"], "description": "怎么办"},
        "fields": {"type": "object"},
        "number": {"type": "string", "description": "来电时请报这个编号"},
    },
}
_REFUSED = {
    "401": "没有密钥，或密钥不对、已停用、已过期",
    "403": "这把密钥是别的数据源的",
    "404": "没有申报这个数据源",
    "409": "幂等键已用在另一批内容上，或这个数据源不是推送方式",
    "413": "请求体太大",
    "422": "请求体读不出来",
    "429": "太频繁，请看 Retry-After",
}


def describe(city: City, version: str) -> Mapping[str, Any]:
    """The document for a city: one operation, one schema for each source that is pushed."""
    pushed = [source for source in city.sources.values() if source.delivery.format == "push"]
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{city.name.zh}数据推送接口", "version": version or "1"},
        "paths": {"/data/api/sources/{source}/rows": {"post": _operation([source.id for source in pushed])}},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Verdict": _VERDICT,
                "Pushed": _PUSHED,
                "Problem": _PROBLEM,
                **{source.id: _record(source) for source in pushed},
            },
        },
    }


def _operation(sources: list[str]) -> dict[str, Any]:
    records = {"anyOf": [{"$ref": f"#/components/schemas/{id}"} for id in sources]} if sources else {}
    several = {"type": "array", "minItems": 1, "maxItems": intake.MAX_RECORDS, "items": records}
    return {
        "summary": "推送一条或一批记录；落盘之后才回答，每条有结论",
        "security": [{"key": []}],
        "parameters": [
            {"name": "source", "in": "path", "required": True, "schema": {"type": "string", "enum": sources}},
            {
                "name": "Idempotency-Key", "in": "header", "required": False,
                "schema": {"type": "string", "maxLength": 200},
                "description": "同一批重试时用同一个键；不写时，内容相同就算同一批",
            },
        ],
        "requestBody": {
            "required": True,
            "description": f"最大 {intake.MAX_PUSH >> 20} MB，UTF-8",
            "content": {
                "application/json": {"schema": {"anyOf": [records, several]}},
                "application/x-ndjson": {"schema": {"type": "string", "description": "每行一个对象"}},
            },
        },
        "responses": {
            "202": {"description": "已收下", **_json("Pushed")},
            **{status: {"description": why, **_json("Problem")} for status, why in _REFUSED.items()},
        },
    }  # fmt: skip


def _json(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _record(source: Source) -> dict[str, Any]:
    """A record of a source by its headers. A value may be a number, but one that loses digits is refused when it comes."""
    columns = source.columns.values()
    needed = [column.column for column in columns if column.required or column.id == source.row_key]
    return {
        "type": "object",
        "title": source.name.zh,
        "required": needed,
        "properties": {column.column: {"type": _types(column.column in needed)} for column in columns},
    }


def _types(needed: bool) -> list[str]:
    return ["string", "number", "boolean"] if needed else ["string", "number", "boolean", "null"]
