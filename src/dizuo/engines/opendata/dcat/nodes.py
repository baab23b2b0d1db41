"""What the writers write: nodes with properties, each with an address of its own.

No blank nodes: every part of a dataset has the dataset's address with a fragment, so that two forms of one catalogue are
equal as sets of triples and a harvester that comes again finds the same names.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

XSD: Final = "xsd:"
_FORBIDDEN: Final = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f-\x9f\ud800-\udfff]')
_UNSPOKEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "urn"})
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Iri(msgspec.Struct, frozen=True):
    """An address that points somewhere, clean of every sign that could end it early."""

    value: str


class Literal(msgspec.Struct, frozen=True):
    """Text with a language (zh, en), or with a type (``xsd:date``), or neither."""

    value: str
    language: str = ""
    type: str = ""


class Node(msgspec.Struct, frozen=True):
    """Something that has an address: its types and properties, names written ``dct:title``."""

    iri: str
    types: tuple[str, ...]
    properties: tuple[tuple[str, Iri | Literal], ...] = ()


def address(text: str) -> str:
    """A web address that may be written into any of the three forms, '' when it is none.

    Signs that end an address in Turtle, JSON-LD or XML are percent-encoded; only http, https, mailto, tel and urn are kept.
    """
    clean = _FORBIDDEN.sub(_percent, text.strip())
    clean = _BAD_PERCENT.sub("%25", clean)
    try:
        parts = urlsplit(clean)
    except ValueError:
        return ""
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES or (scheme in {"http", "https"} and not parts.netloc):
        return ""
    return clean.replace("[", "%5B").replace("]", "%5D") if "[" not in parts.netloc else clean


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in found[0].encode("utf-8", "replace"))


def said(text: str, language: str = "") -> Literal:
    """Text that each of the three forms can hold: one kind of line end, no sign that XML forbids."""
    clean = _UNSPOKEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return Literal(clean, language)


def moment(when: date | datetime) -> Literal:
    """A day or an instant with its zone, typed as DCAT-AP asks."""
    if isinstance(when, datetime):
        return Literal(when.replace(microsecond=0).isoformat(), type="xsd:dateTime")
    return Literal(when.isoformat(), type="xsd:date")
