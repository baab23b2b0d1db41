"""A catalogue as JSON-LD 1.1: one @graph, one object a node, the context inside so that nobody fetches it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .nodes import Iri, Literal, Node
from .vocabulary import PREFIXES

MEDIA_TYPE: Final = "application/ld+json"
_json: Final = msgspec.json.Encoder().encode


BEGIN: Final = f'{{"@context":{_json(PREFIXES).decode()},"@graph":['
BETWEEN: Final = ",\n"
END: Final = "]}\n"


def one(node: Node) -> str:
    """One node."""
    return _json(_node(node)).decode()


def _node(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"@id": node.iri}
    if node.types:
        found["@type"] = list(node.types)
    for name, value in node.properties:
        found.setdefault(name, []).append(_value(value))
    return found


def _value(value: Iri | Literal) -> dict[str, str]:
    if isinstance(value, Iri):
        return {"@id": value.value}
    if value.language:
        return {"@value": value.value, "@language": value.language}
    return {"@value": value.value, "@type": value.type} if value.type else {"@value": value.value}
