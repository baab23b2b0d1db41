"""The catalogue in DCAT-AP 3.0.1, the vocabulary that European and many other portals harvest.

1. ``model``       what is told of a catalogue, a dataset, a file; ``vocabulary`` the controlled words.
2. ``Teller``      from that to nodes, streamed; nothing is remembered but the names already said.
3. ``WRITERS``     Turtle, JSON-LD and RDF/XML of the same nodes.
4. ``read``        the same three, as other portals write them, for harvesting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from . import jsonld as _jsonld
from . import rdfxml as _rdfxml
from . import turtle as _turtle
from .graph import Teller
from .jsonld import jsonld
from .model import Agent, Catalogue, Dataset, Distribution, Licence, Said, Service
from .nodes import Iri, Literal, Node, address
from .rdfxml import rdfxml
from .turtle import turtle
from .vocabulary import media_type_of

Writer = Callable[[Iterable[Node]], Iterator[str]]

WRITERS: Final[dict[str, tuple[str, Writer]]] = {
    "ttl": (_turtle.MEDIA_TYPE, turtle),
    "jsonld": (_jsonld.MEDIA_TYPE, jsonld),
    "rdf": (_rdfxml.MEDIA_TYPE, rdfxml),
}
"""Extension → (media type, writer)."""

__all__ = [
    "WRITERS",
    "Agent",
    "Catalogue",
    "Dataset",
    "Distribution",
    "Iri",
    "Licence",
    "Literal",
    "Node",
    "Said",
    "Service",
    "Teller",
    "address",
    "jsonld",
    "media_type_of",
    "rdfxml",
    "turtle",
]
