"""A catalogue as Turtle (W3C RDF 1.1 Turtle), node after node."""

from __future__ import annotations

import re
from typing import Final

from .nodes import Iri, Literal, Node
from .vocabulary import PREFIXES

MEDIA_TYPE: Final = "text/turtle; charset=utf-8"
_SPECIAL: Final = re.compile(r'["\\\n\t\x7f-\x9f]')
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


BEGIN: Final = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items()) + "\n"
BETWEEN: Final = ""
END: Final = ""


def one(node: Node) -> str:
    """One node."""
    lines = [f"a {', '.join(node.types)}"] if node.types else []
    for name, value in node.properties:
        lines.append(f"{name} {_value(value)}")
    return f"<{node.iri}> " + " ;\n    ".join(lines) + " .\n"


def _value(value: Iri | Literal) -> str:
    if isinstance(value, Iri):
        return f"<{value.value}>"
    text = _SPECIAL.sub(_escape, value.value)
    if value.language:
        return f'"{text}"@{value.language}'
    return f'"{text}"^^{value.type}' if value.type else f'"{text}"'


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    return _ESCAPES.get(sign) or f"\\u{ord(sign):04X}"
