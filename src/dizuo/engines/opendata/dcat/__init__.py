"""The catalogue in DCAT-AP 3.0.1, the vocabulary that European and many other portals harvest.

1. ``model``       what is told of a catalogue, a dataset, a file; ``vocabulary`` the controlled words.
2. ``Teller``      from that to nodes, streamed; nothing is remembered but the names already said.
3. ``FORMS``       Turtle, JSON-LD and RDF/XML of the same nodes; ``written`` at once, ``streamed`` as datasets come.
4. ``told_dataset``  an open dataset of ours in these words.
"""

from __future__ import annotations

from .forms import FORMS, Form, streamed, written
from .graph import Teller
from .model import Agent, Catalogue, Dataset, Distribution, Licence, Said, Service
from .nodes import Iri, Literal, Node, address
from .telling import Place, told_catalogue, told_dataset, view_of_page
from .vocabulary import media_type_of

__all__ = [
    "FORMS",
    "Agent",
    "Catalogue",
    "Dataset",
    "Distribution",
    "Form",
    "Iri",
    "Licence",
    "Literal",
    "Node",
    "Place",
    "Said",
    "Service",
    "Teller",
    "address",
    "media_type_of",
    "streamed",
    "told_catalogue",
    "told_dataset",
    "view_of_page",
    "written",
]
