"""The CKAN interface described for machines (OpenAPI 3.1), from the table of its actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dizuo.engines.opendata import ckan
from dizuo.foundation.blueprint import City

_NUMBERS: Final = frozenset({"limit", "offset", "rows", "start", "page", "facet.limit"})
_FLAGS: Final = frozenset(
    {"all_fields", "include_datasets", "include_drafts", "include_total", "distinct", "private"}
)
_NEEDED: Final = {
    "package_show": "id", "organization_show": "id", "group_show": "id", "tag_show": "id", "resource_show": "id",
    "datastore_search": "resource_id", "datastore_info": "id", "help_show": "name", "resource_search": "query",
}  # fmt: skip
_ANSWERS: Final = {
    "200": ("做完了", "Done"),
    "400": ("没有这个动作，或检索式读不懂", "Problem"),
    "403": ("要有密钥，或这把密钥不能改", "Problem"),
    "404": ("没有这个对象", "Problem"),
    "409": ("参数有问题", "Problem"),
    "413": ("请求太大", "Other"),
    "503": ("太费时间，或现在太忙", "Problem"),
}


def describe(city: City, version: str) -> Mapping[str, Any]:
    """One path an action: GET for those that read, POST for all."""
    paths: dict[str, Any] = {}
    for name, action in ckan.ACTIONS.items():
        path: dict[str, Any] = {"post": _post(name, action)}
        if not action.writes:
            path["get"] = _get(name, action)
        paths[f"/open/api/3/action/{name}"] = path
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{city.name.zh}开放数据 CKAN 接口", "version": version or "1"},
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
            "schemas": {
                "Done": _object(success={"const": True}, help={"type": "string"}, result={}),
                "Problem": {
                    "anyOf": [
                        {"type": "string"},
                        _object(success={"const": False}, help={"type": "string"}, error={"type": "object"}),
                    ]
                },
                "Other": {"type": "object"},
            },
        },
    }


def _get(name: str, action: ckan.Action) -> dict[str, Any]:
    parameters = [
        {
            "name": one,
            "in": "query",
            "required": _NEEDED.get(name) == one,
            "schema": _schema(one) if one in _NUMBERS | _FLAGS else {"type": "string"},
        }
        for one in action.takes
    ]
    return {
        "operationId": f"get_{name}",
        "summary": action.says,
        "parameters": parameters,
        "responses": _responses(),
    }


def _post(name: str, action: ckan.Action) -> dict[str, Any]:
    body: dict[str, Any] = {"type": "object", "properties": {one: _schema(one) for one in action.takes}}
    if needed := _NEEDED.get(name):
        body["required"] = [needed]
    told: dict[str, Any] = {
        "operationId": name,
        "summary": action.says,
        "requestBody": {"required": bool(needed), "content": {"application/json": {"schema": body}}},
        "responses": _responses(),
    }
    if action.writes:
        told["security"] = [{"key": []}]
    return told


def _schema(name: str) -> dict[str, Any]:
    if name in _NUMBERS:
        return {"type": "integer", "minimum": 0}
    if name in _FLAGS:
        return {"type": "boolean"}
    if name in ("filters",):
        return {"type": "object"}
    if name in ("tags", "groups", "extras", "resources", "records"):
        return {"type": "array", "items": {"type": "object"}}
    if name == "size":
        return {"type": ["integer", "null"]}
    if name in ("fields", "q"):
        return {}
    if name in ("facet.field", "fq_list", "primary_key", "organizations"):
        return {"type": ["array", "string"], "items": {"type": "string"}}
    return {"type": "string"}


def _responses() -> dict[str, Any]:
    return {
        status: {
            "description": says,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
        }
        for status, (says, schema) in _ANSWERS.items()
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
