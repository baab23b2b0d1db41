"""Subscriptions and downloads, described for machines (OpenAPI 3.1), beside the exchange's own document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dizuo.foundation.blueprint import City

from .api_exchange import PREFIX

_LARGEST: Final = (1 << 62) - 1
_WRONG: Final = {
    "400": "请求体读不出来",
    "401": "没有签名，或签名没有通过检查",
    "403": "授权不允许，或地址不能推送",
    "404": "没有这一项，或它不是您单位的",
    "409": "请求用过了，或位置、部分不对",
    "413": "请求体太大",
    "422": "请求里有不符合说明的内容",
    "429": "太频繁，或今天的次数用完了",
    "503": "暂时办不了，请看 Retry-After",
}
_NUMBER: Final[dict[str, object]] = {"type": "integer", "minimum": 0, "maximum": _LARGEST}
_GRANT: Final[dict[str, object]] = {
    "type": "integer",
    "minimum": 1,
    "maximum": _LARGEST,
    "description": "用哪一项授权",
}
_TEXT: Final[dict[str, object]] = {"type": "string"}


def _object(properties: Mapping[str, object], optional: tuple[str, ...] = ()) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


_SCHEMAS: Final[dict[str, object]] = {
    "Subscribe": _object(
        {
            "grant": _GRANT,
            "channel": {"enum": ["webhook", "stream"], "description": "webhook：我们推送；stream：您来取"},
            "target": {
                "type": "string",
                "maxLength": 500,
                "description": "只有 webhook 才写：公开可达的 https 地址",
            },
            "batch": {
                "type": "integer",
                "minimum": 1,
                "maximum": 200,
                "description": "一次推送几条；1 为逐条",
            },
            "after": {
                **_NUMBER,
                "type": ["integer", "null"],
                "description": "从哪个位置之后；不写为从现在起",
            },
        },
        ("target", "batch", "after"),
    ),
    "Back": _object({"after": _NUMBER}),
    "Nothing": {"type": "object"},
    "Subscription": _object(
        {
            "ok": {"const": True},
            "subscription": _NUMBER,
            "grant": _NUMBER,
            "consumer": _TEXT,
            "resource": _TEXT,
            "register": _TEXT,
            "channel": {"enum": ["webhook", "stream"]},
            "target": _TEXT,
            "batch": {"type": "integer"},
            "position": {**_NUMBER, "description": "到这里为止您都收到了"},
            "state": {"enum": ["open", "paused", "ended"]},
            "why": _TEXT,
            "failures": {"type": "integer", "description": "连续失败了几次"},
            "last_error": _TEXT,
            "retry_at": {"type": ["string", "null"], "format": "date-time"},
            "delivered": _NUMBER,
            "delivered_at": {"type": ["string", "null"], "format": "date-time"},
            "opened_at": {"type": "string", "format": "date-time"},
            "circuit": {"enum": ["closed", "failing", "open"]},
        }
    ),
    "Subscriptions": _object(
        {
            "ok": {"const": True},
            "subscriptions": {"type": "array", "items": {"$ref": "#/components/schemas/Subscription"}},
        }
    ),
    "Download": _object(
        {
            "grant": _GRANT,
            "format": {"enum": ["parquet", "csv", "arrow"]},
            "fields": {"type": "array", "maxItems": 200, "items": {"type": "string", "maxLength": 100}},
            "part_size": {"type": "integer", "minimum": 100, "maximum": 100_000},
        },
        ("format", "fields", "part_size"),
    ),
    "Manifest": {
        "type": "object",
        "required": ["ok", "id", "format", "fields", "types", "feed_position", "state", "parts"],
        "properties": {
            "ok": {"const": True},
            "id": {"type": "string", "format": "uuid"},
            "format": {"enum": ["parquet", "csv", "arrow"]},
            "fields": {"type": "array", "items": _TEXT},
            "types": {"type": "array", "items": _TEXT},
            "feed_position": {**_NUMBER, "description": "此后的变更：从这个位置订阅"},
            "state": {"enum": ["open", "complete", "stopped"]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
        },
    },
    "Part": _object(
        {
            "part": _NUMBER,
            "first_ref": {"type": ["integer", "null"], "description": "第一条记录的编号"},
            "last_ref": {"type": ["integer", "null"]},
            "final": {"type": "boolean", "description": "后面没有了"},
            "entries": {**_NUMBER, "description": "为其中的人记了几条账"},
            "rows": {"type": ["integer", "null"]},
            "bytes": {"type": ["integer", "null"]},
            "sha256": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
            "unreadable": {"type": ["integer", "null"], "description": "与声明的类型不符、因此空着的值"},
        }
    ),
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "ok", "code", "message", "fix", "number"],
        "properties": {
            "ok": {"const": False},
            "code": _TEXT,
            "message": _TEXT,
            "fix": {"type": ["string", "null"]},
        },
    },
}


def describe(city: City, version: str) -> Mapping[str, Any]:
    """The document of nine operations, every one signed like the rest of the exchange."""
    one = f"{PREFIX}/subscriptions/{{subscription}}"
    bulk = f"{PREFIX}/bulk"
    number = {"name": "subscription", "in": "path", "required": True, "schema": _NUMBER}
    id = {"name": "bulk", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    part = {
        "name": "part",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": 1 << 30},
    }
    files = {name: {"schema": {"type": "string", "format": "binary"}} for name in _FILES}
    stream = {"text/event-stream": {"schema": _TEXT}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{city.name.zh}政务数据订阅和批量接口", "version": version or "1"},
        "paths": {
            f"{PREFIX}/subscriptions": {
                "post": _operation("subscribe", "订阅一个登记簿的变更", "Subscription", "Subscribe"),
                "get": _operation("subscriptions", "本单位的订阅", "Subscriptions"),
            },
            one: {
                "parameters": [number],
                "get": _operation("subscription", "一个订阅的情况", "Subscription"),
            },
            f"{one}/events": {"parameters": [number], "get": _operation("events", "事件流（SSE）", stream)},
            f"{one}/replay": {
                "parameters": [number],
                "post": _operation("replay", "从较早的位置重来", "Subscription", "Back"),
            },
            f"{one}/end": {
                "parameters": [number],
                "post": _operation("end", "结束订阅", "Subscription", "Nothing"),
            },
            bulk: {"post": _operation("download", "开始批量下载", "Manifest", "Download")},
            f"{bulk}/{{bulk}}": {"parameters": [id], "get": _operation("manifest", "下载清单", "Manifest")},
            f"{bulk}/{{bulk}}/parts/{{part}}": {
                "parameters": [id, part],
                "get": _operation("part", "其中一部分", files),
            },
        },
        "components": {
            "securitySchemes": {"signature": {"type": "apiKey", "in": "header", "name": "Signature"}},
            "schemas": _SCHEMAS,
        },
    }


_FILES: Final = ("text/csv", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")


def _operation(
    name: str, says: str, answered: str | Mapping[str, object], asked: str | None = None
) -> dict[str, Any]:
    content = _json(answered) if isinstance(answered, str) else answered
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told: dict[str, Any] = {
        "operationId": name,
        "summary": says,
        "security": [{"signature": []}],
        "responses": {
            "200": {"description": "答复", "content": content},
            **{status: {"description": why, "content": problem} for status, why in _WRONG.items()},
        },
    }
    if asked is not None:
        told["requestBody"] = {"required": True, "content": _json(asked)}
    return told


def _json(schema: str) -> dict[str, object]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
