"""The exchange's interface, described for machines (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dizuo.engines.exchange import delivery
from dizuo.foundation.blueprint import City

_PREFIX = "/data/exchange/v1"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _text(least: int, most: int, says: str, **more: object) -> dict[str, object]:
    # U+0000 is the one character that a database cannot keep.
    plain = "^[^\\u0000]*$"
    return {
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "pattern": plain,
        "description": says,
        **more,
    }


def _object(properties: Mapping[str, object], optional: tuple[str, ...] = ()) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


_CITED: dict[str, object] = {
    "resource": _text(1, 100, "资源代码"),
    "matter": _text(0, 100, "为哪一个事项（代号）；授权是为其他职责的，写空"),
    "basis": _text(1, 100, "法律依据，法:条，如 pipl-2021:34"),
    "case": _text(1, 100, "办件编号"),
    "fields": {
        "type": "array",
        "minItems": 1,
        "maxItems": delivery.MOST_FIELDS,
        "items": _text(1, 100, "数据项"),
        "description": "要哪些数据项；授权以外的不给，列在 withheld 里",
    },
    "purpose": _text(0, 500, "用途；写了就要与授权一致"),
    "grant": {
        "type": "integer",
        "minimum": 1,
        "maximum": 1 << 62,
        "description": "用哪一项授权；不写则由系统选",
    },
}
_SUBJECT: dict[str, object] = {
    "oneOf": [
        _object(
            {"citizen_id": {"type": "string", "pattern": "^[0-9]{17}[0-9X]$", "description": "公民身份号码"}}
        ),
        _object(
            {
                "uscc": {
                    "type": "string",
                    "pattern": "^[0-9A-HJ-NPQRTUWXY]{18}$",
                    "description": "统一社会信用代码",
                }
            }
        ),
        _object({"key": _text(1, 200, "登记簿自己的编号")}),
    ]
}
_RECORD = _object(
    {
        "fields": {"type": "object", "additionalProperties": _ref("Value")},
        "entry": {"type": "integer", "description": "用数账本条目号，当事人看得到"},
    }
)
_VALUE = _object(
    {
        "value": {"type": ["string", "number", "boolean", "null"]},
        "source": {"type": "string", "description": "数源单位"},
        "as_of": {"type": ["string", "null"], "format": "date", "description": "数源单位这条记录的日期"},
    }
)
_RESULT: dict[str, object] = {
    "state": {
        "enum": ["found", "missing", "refused"],
        "description": "查到、没有这个人的记录、号码无效没有查",
    },
    "entry": {"type": ["integer", "null"]},
    "records": {"type": "array", "items": _ref("Record")},
}
_HEAD: dict[str, object] = {
    "ok": {"const": True},
    "resource": {"type": "string"},
    "grant": {"type": "integer"},
    "version": {"type": "integer"},
    "purpose": {"type": "string"},
    "matter": {"type": "string"},
    "basis": {"type": "string"},
    "case": {"type": "string"},
    "withheld": {"type": "array", "items": {"type": "string"}, "description": "要了但不在授权里的数据项"},
}
_PROBLEM: dict[str, object] = {
    "type": "object",
    "required": ["type", "title", "status", "ok", "code", "message", "fix", "number"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "出了什么事"},
        "status": {"type": "integer"},
        "ok": {"const": False},
        "code": {"type": "string", "description": "每个代码见 docs/know/errors.md"},
        "message": {"type": "string"},
        "fix": {"type": ["string", "null"], "description": "怎么办"},
        "fields": {"type": "object", "description": "哪一处不对"},
        "reasons": {
            "type": "array",
            "description": "越过了哪些界限，一次说全",
            "items": _object({name: {"type": "string"} for name in ("rule", "law", "zh", "en")}),
        },
        "law_text": {"type": "string"},
        "entry": {"type": ["integer", "null"], "description": "这次拒绝的账本条目号"},
        "number": {"type": "string", "description": "来电时请报这个编号"},
    },
}
_GRANT = _object(
    {
        **{
            name: {"type": "string"}
            for name in ("resource", "title", "purpose", "matter", "basis", "law_text")
        },
        **{name: {"type": "integer"} for name in ("grant", "version", "per_day", "used_today")},
        **{name: {"type": "array", "items": {"type": "string"}} for name in ("fields", "methods")},
        **{name: {"type": "string", "format": "date"} for name in ("starts", "expires")},
        "state": {"enum": ["open", "suspended", "expired", "revoked", "ended"]},
    }
)
_KEYS: dict[str, object] = {
    "type": "object",
    "required": ["keys"],
    "properties": {
        "keys": {"type": "array", "items": {"type": "object", "required": ["kty", "crv", "kid", "alg", "x"]}}
    },
}
_WRONG = {
    "400": "请求体或签名头读不出来",
    "401": "没有签名，或签名、摘要、时间、密钥不对",
    "403": "超出共享授权",
    "409": "重放，或顺序不对",
    "413": "请求体太大",
    "422": "内容不符合本说明",
    "429": "到了每日上限，或太频繁；请看 Retry-After",
    "503": "暂时办不了；请看 Retry-After",
}


def describe(city: City, version: str) -> Mapping[str, Any]:
    """The document: four operations; signed ones name the headers of RFC 9421 and RFC 9530."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{city.name.zh}政务数据共享接口",
            "version": version or "1",
            "description": "每次调用都要签名（HTTP Message Signatures，RFC 9421），答复也有签名，并与请求绑定。",
        },
        "paths": {
            f"{_PREFIX}/query": {"post": _post("query", "查一个人、一家企业或一条记录", "Query", "Queried")},
            f"{_PREFIX}/batch": {
                "post": _post("batch", f"查最多 {delivery.MOST_SUBJECTS} 个", "Batch", "Answered")
            },
            f"{_PREFIX}/grants": {"get": _get("grants", "本部门有哪些授权", "Grants", signed=True)},
            f"{_PREFIX}/keys": {"get": _get("keys", "答复用的公钥（JWK Set）", "Keys", signed=False)},
        },
        "components": {
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": "与 Signature-Input 一起，覆盖 @method、@target-uri、content-digest、content-type；"
                    "参数 created、expires、nonce、keyid、tag；ed25519 或 sm2-sm3。",
                }
            },
            "schemas": {
                "Subject": _SUBJECT,
                "Value": _VALUE,
                "Record": _RECORD,
                "Problem": _PROBLEM,
                "Keys": _KEYS,
                "Query": _object({**_CITED, "subject": _ref("Subject")}, ("purpose", "grant")),
                "Batch": _object(
                    {
                        **_CITED,
                        "subjects": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": delivery.MOST_SUBJECTS,
                            "items": _ref("Subject"),
                        },
                    },
                    ("purpose", "grant"),
                ),
                "Queried": _object({**_HEAD, **_RESULT}),
                "Answered": _object(
                    {
                        **_HEAD,
                        "results": {
                            "type": "array",
                            "items": _object(
                                {"n": {"type": "integer", "description": "第几个，从 0 起"}, **_RESULT}
                            ),
                        },
                    }
                ),
                "Grants": _object(
                    {
                        "ok": {"const": True},
                        "consumer": {"type": "string"},
                        "grants": {"type": "array", "items": _GRANT},
                    }
                ),
            },
        },
    }


def _post(name: str, says: str, asked: str, answered: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": says,
        "security": [{"signature": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(asked)}}},
        "responses": _responses(answered, signed=True),
    }


def _get(name: str, says: str, answered: str, *, signed: bool) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": says,
        "security": [{"signature": []}] if signed else [],
        "responses": _responses(answered, signed=signed),
    }


def _responses(answered: str, *, signed: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "200": {"description": "答复", "content": {"application/json": {"schema": _ref(answered)}}}
    }
    if signed:
        for status, says in _WRONG.items():
            found[status] = {
                "description": says,
                "content": {"application/problem+json": {"schema": _ref("Problem")}},
            }
    return found
