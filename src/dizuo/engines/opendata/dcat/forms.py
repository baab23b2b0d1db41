"""The three forms of a catalogue, written piece by piece as its datasets come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final

import msgspec

from . import jsonld, rdfxml, turtle
from .graph import Teller
from .model import Catalogue, Dataset
from .nodes import Node


class Form(msgspec.Struct, frozen=True):
    """How a form begins, writes one node, divides two, ends."""

    media_type: str
    begin: str
    one: Callable[[Node], str]
    between: str
    end: str


FORMS: Final = {
    "ttl": Form(turtle.MEDIA_TYPE, turtle.BEGIN, turtle.one, turtle.BETWEEN, turtle.END),
    "jsonld": Form(jsonld.MEDIA_TYPE, jsonld.BEGIN, jsonld.one, jsonld.BETWEEN, jsonld.END),
    "rdf": Form(rdfxml.MEDIA_TYPE, rdfxml.BEGIN, rdfxml.one, rdfxml.BETWEEN, rdfxml.END),
}
"""Extension → form."""


def written(form: Form, nodes: Iterable[Node]) -> Iterator[str]:
    """A whole document in pieces of text, one a node."""
    yield form.begin
    between = ""
    for node in nodes:
        yield between + form.one(node)
        between = form.between
    yield form.end


async def streamed(
    form: Form, catalogue: Catalogue, batches: AsyncIterator[Iterable[Dataset]], after: Iterable[Node] = ()
) -> AsyncIterator[bytes]:
    """A whole catalogue as bytes, one piece a batch of datasets; ``after`` are nodes said at its end."""
    teller = Teller()
    yield (form.begin + _piece(form, teller.head(catalogue), "")).encode()
    async for batch in batches:
        told = _piece(form, (node for one in batch for node in teller.listed(catalogue, one)), form.between)
        if told:
            yield told.encode()
    yield (_piece(form, after, form.between) + form.end).encode()


def _piece(form: Form, nodes: Iterable[Node], lead: str) -> str:
    text = form.between.join(form.one(node) for node in nodes)
    return lead + text if text else ""
