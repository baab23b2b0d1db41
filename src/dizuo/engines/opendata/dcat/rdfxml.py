"""A catalogue as RDF/XML (W3C RDF 1.1 XML Syntax), for harvesters that read nothing else."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from .nodes import Iri, Literal, Node
from .vocabulary import PREFIXES

MEDIA_TYPE: Final = "application/rdf+xml; charset=utf-8"


_NAMES: Final = " ".join(f'xmlns:{name}="{iri}"' for name, iri in PREFIXES.items())
BEGIN: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF {_NAMES}>\n'
BETWEEN: Final = ""
END: Final = "</rdf:RDF>\n"


def one(node: Node) -> str:
    """One node."""
    lines = [f"<rdf:Description rdf:about={quoteattr(node.iri)}>"]
    for kind in node.types:
        lines.append(f"  <rdf:type rdf:resource={quoteattr(_full(kind))}/>")
    for name, value in node.properties:
        lines.append(_property(name, value))
    return "\n".join([*lines, "</rdf:Description>\n"])


def _property(name: str, value: Iri | Literal) -> str:
    if isinstance(value, Iri):
        return f"  <{name} rdf:resource={quoteattr(value.value)}/>"
    mark = ""
    if value.language:
        mark = f' xml:lang="{value.language}"'
    elif value.type:
        mark = f" rdf:datatype={quoteattr(_full(value.type))}"
    return f"  <{name}{mark}>{escape(value.value)}</{name}>"


def _full(name: str) -> str:
    prefix, _, rest = name.partition(":")
    return PREFIXES[prefix] + rest
