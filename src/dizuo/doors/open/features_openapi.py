"""The interface to spatial data described for machines (OpenAPI 3.0), from the datasets that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dizuo.engines.opendata import DatasetSeen, features

_TYPES: Final = {
    "text": "string",
    "integer": "integer",
    "decimal": "number",
    "date": "string",
    "boolean": "boolean",
}
_LINKS: Final = {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}


def describe(
    city: str, version: str, server: str, prefix: str, listed: Sequence[DatasetSeen]
) -> Mapping[str, Any]:
    """The document, with addresses below ``server``: the fixed addresses, and for every dataset its items with its own properties."""
    paths: dict[str, Any] = {
        "": _get("getLandingPage", "有什么", "Landing"),
        "/conformance": _get("getConformance", "符合的标准", "Conformance"),
        "/collections": _get("getCollections", "空间数据集", "Collections"),
    }
    for seen in listed:
        path = f"/collections/{seen.id}"
        paths[path] = _get(f"describe_{seen.id}", seen.title, "Collection")
        paths[f"{path}/items"] = _get(
            f"items_{seen.id}", f"{seen.title}：要素", "FeatureCollection", _parameters(seen), True
        )
        feature = [{"name": "feature", "in": "path", "required": True, "schema": {"type": "string"}}]
        paths[f"{path}/items/{{feature}}"] = _get(
            f"item_{seen.id}", f"{seen.title}：一条", "Feature", feature, True
        )
    paths = {prefix + path: told for path, told in paths.items()}
    return {
        "openapi": "3.0.3",
        "info": {"title": f"{city}开放空间数据", "version": version or "1"},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS},
    }


def _parameters(seen: DatasetSeen) -> list[dict[str, Any]]:
    fixed: list[dict[str, Any]] = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": features.MOST, "default": features.LIMIT}},
        {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999}},
        {
            "name": "bbox", "in": "query", "style": "form", "explode": False, "description": "西,南,东,北",
            "schema": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
        },
        {"name": "datetime", "in": "query", "description": "时刻或 甲/乙（RFC 3339）", "schema": {"type": "string"}},
    ]  # fmt: skip
    own = [
        {"name": one.id, "in": "query", "description": one.zh, "schema": {"type": "string"}}
        for one in seen.columns
        if one.id not in ("limit", "offset", "bbox", "datetime", "f", "bbox-crs")
    ]
    return fixed + own


def _get(
    id: str, says: str, schema: str, parameters: Sequence[Mapping[str, Any]] = (), geojson: bool = False
) -> dict[str, Any]:
    kind = "application/geo+json" if geojson else "application/json"
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told: dict[str, Any] = {
        "operationId": id.replace("-", "_"),
        "summary": says,
        "responses": {
            "200": {
                "description": says,
                "content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
            },
            "503": {"description": "太费时间，已停下", "content": problem},
        },
    }
    if parameters:
        told["parameters"] = list(parameters)
        told["responses"]["400"] = {"description": "参数有问题", "content": problem}
        told["responses"]["404"] = {"description": "没有", "content": problem}
    return {"get": told}


def _object(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_SCHEMAS: Final[dict[str, Any]] = {
    "Link": _object(
        ("href", "rel"), href={"type": "string"}, rel={"type": "string"}, type={"type": "string"}
    ),
    "Landing": _object(("links",), title={"type": "string"}, links=_LINKS),
    "Conformance": _object(("conformsTo",), conformsTo={"type": "array", "items": {"type": "string"}}),
    "Collection": _object(("id", "links"), id={"type": "string"}, links=_LINKS),
    "Collections": _object(
        ("links", "collections"),
        links=_LINKS,
        collections={"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
    ),
    "Feature": _object(
        ("type", "id", "geometry", "properties"),
        type={"type": "string", "enum": ["Feature"]},
        id={"type": "integer"},
        geometry={"type": "object", "nullable": True},
        properties={"type": "object"},
    ),
    "FeatureCollection": _object(
        ("type", "features", "numberReturned"),
        type={"type": "string", "enum": ["FeatureCollection"]},
        features={"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
        links=_LINKS,
        timeStamp={"type": "string"},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
    ),
    "Problem": _object(
        ("ok", "code", "message"), ok={"type": "boolean"}, code={"type": "string"}, message={"type": "string"}
    ),
}
