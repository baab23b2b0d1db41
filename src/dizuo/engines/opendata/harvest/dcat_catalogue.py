"""A catalogue in DCAT (Turtle, JSON-LD or RDF/XML), whole or in Hydra pages. Nothing that a document names is fetched to read it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec

from dizuo.engines.opendata.dcat.telling import TAKEN
from dizuo.engines.opendata.dcat.vocabulary import FREQUENCIES, PREFIXES

from .errors import CatalogueUnreadable
from .found import SECOND_HAND, Found, Page

LARGEST: Final = 64 << 20
_FORMS: Final = {
    "text/turtle": "turtle", "application/x-turtle": "turtle", "text/n3": "turtle", "application/n-triples": "turtle",
    "application/ld+json": "json-ld", "application/json": "json-ld", "application/rdf+xml": "xml", "text/xml": "xml",
    "application/xml": "xml",
}  # fmt: skip
_ENDINGS: Final = {".ttl": "turtle", ".jsonld": "json-ld", ".json": "json-ld", ".rdf": "xml", ".xml": "xml"}
_CYCLES: Final = {code: word for word, code in reversed(FREQUENCIES.items()) if word.isascii()}
# A theme of the European table covers several fields of ours; the nearest is taken.
_THEMES: Final = {
    "AGRI": "agriculture", "ECON": "business", "EDUC": "education", "ENVI": "environment", "GOVE": "institutions",
    "HEAL": "health", "JUST": "safety", "REGI": "housing", "SOCI": "livelihood", "TRAN": "transport",
}  # fmt: skip
_LANGUAGES: Final = ("zh", "zh-cn", "zh-hans", "", "en")
ACCEPT: Final = "text/turtle, application/ld+json;q=0.9, application/rdf+xml;q=0.8"


def read_dcat(body: bytes, media_type: str, url: str) -> Page:
    """The records of a document and where the next page is. Errors: CatalogueUnreadable."""
    if len(body) > LARGEST:
        raise CatalogueUnreadable(why=f"超过 {LARGEST >> 20} MB，请对方分页")
    form = _form(body, media_type, url)
    _harmless(body, form)
    rdflib: Any = importlib.import_module("rdflib")
    graph: Any = rdflib.Graph(bind_namespaces="none")
    try:
        graph.parse(data=body, format=form, publicID=url)
    except Exception as error:  # the parsers raise what they like on what is not theirs
        raise CatalogueUnreadable(why=f"不是能读的 {form}（{type(error).__name__}）") from None
    reader = _Reader(graph, rdflib)
    records = tuple(reader.records())
    if not records and not reader.is_catalogue():
        raise CatalogueUnreadable(why="里面没有 dcat:Dataset，也没有 dcat:Catalog")
    return Page(records, reader.next())


def _form(body: bytes, media_type: str, url: str) -> str:
    told = _FORMS.get(media_type.partition(";")[0].strip().lower())
    if told:
        return told
    path = url.partition("?")[0]
    for ending, form in _ENDINGS.items():
        if path.endswith(ending):
            return form
    start = body[:500].lstrip(b"\xef\xbb\xbf \t\r\n")
    return "json-ld" if start[:1] in b"{[" else "xml" if start[:5] in (b"<?xml", b"<rdf:") else "turtle"


def _harmless(body: bytes, form: str) -> None:
    """No entity that grows or reads files, no context that would be fetched. Errors: CatalogueUnreadable."""
    if form == "xml":
        if re.search(rb"<!\s*ENTITY", body, re.IGNORECASE) or b"\x00" in body[:1000]:
            raise CatalogueUnreadable(why="XML 里不能有实体声明")
    elif form == "json-ld":
        try:
            told = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise CatalogueUnreadable(why="不是 JSON") from None
        if _fetches(told):
            raise CatalogueUnreadable(why="JSON-LD 的 @context 在别处；请对方把 @context 写在文件里")


def _fetches(told: Any) -> bool:
    """Whether a context somewhere in a document is the address of another document."""
    waiting: list[Any] = [told]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += cast("list[Any]", one)
        elif isinstance(one, dict):
            facts = cast("dict[str, Any]", one)
            if "@import" in facts:
                return True
            context = facts.get("@context")
            parts = cast("list[Any]", context) if isinstance(context, list) else [context]
            if any(isinstance(part, str) for part in parts):
                return True
            waiting += facts.values()
    return False


class _Reader:
    """Reads datasets out of a graph."""

    def __init__(self, graph: Any, rdflib: Any) -> None:
        self._graph = graph
        self._iri = rdflib.URIRef
        self._blank = rdflib.BNode
        self._type = self._named("rdf:type")

    def _named(self, name: str) -> Any:
        prefix, _, rest = name.partition(":")
        return self._iri(PREFIXES[prefix] + rest)

    def is_catalogue(self) -> bool:
        """Whether there is a catalogue, if only an empty one."""
        return (None, self._type, self._named("dcat:Catalog")) in self._graph

    def next(self) -> str:
        """The address of the next Hydra page, ''."""
        for name in ("hydra:next", "hydra:nextPage"):
            for found in self._graph.objects(None, self._named(name)):
                return str(found)
        return ""

    def records(self) -> Iterable[Found]:
        """Every dataset, by its address."""
        subjects = set(self._graph.subjects(self._type, self._named("dcat:Dataset")))
        for subject in sorted(subjects, key=str):
            yield self._record(subject)

    def _record(self, subject: Any) -> Found:
        told = self._text(subject, "dct:identifier")
        identifier = told if isinstance(subject, self._blank) else str(subject)
        if not identifier:
            return Found(str(subject)[:200], fault="没有地址，也没有 dct:identifier")
        title = self._text(subject, "dct:title")
        if not title:
            return Found(identifier, fault="没有标题（dct:title）")
        origin = self._one(subject, "dct:provenance")
        if self._one(subject, "prov:wasDerivedFrom") is not None and self._text(
            origin, "rdfs:label"
        ).startswith(TAKEN):
            return Found(identifier, fault=SECOND_HAND)
        publisher = self._one(subject, "dct:publisher")
        named = self._text(publisher, "foaf:name") if publisher is not None else ""
        distributions = sorted(self._graph.objects(subject, self._named("dcat:distribution")), key=str)
        licences = [self._last(one, "dct:license", whole=True) for one in (subject, *distributions)]
        theme = self._last(subject, "dcat:theme")
        extras = {
            "theme": _THEMES.get(theme, theme),
            "issued": self._text(subject, "dct:issued"),
            "modified": self._text(subject, "dct:modified"),
            "update_cycle": _CYCLES.get(self._last(subject, "dct:accrualPeriodicity"), ""),
        }
        landing = self._last(subject, "dcat:landingPage", whole=True)
        package: dict[str, Any] = {
            "title": title,
            "notes": self._text(subject, "dct:description"),
            "license_id": next((one for one in licences if one), "")[:100],
            "url": landing,
            "version": self._text(subject, "dcat:version"),
            "tags": [
                {"name": str(one)[:100]} for one in self._graph.objects(subject, self._named("dcat:keyword"))
            ],
            "extras": [{"key": key, "value": value} for key, value in extras.items() if value],
            "resources": [self._resource(one) for one in distributions],
        }
        name = told or identifier.rstrip("/").rpartition("/")[2]
        return Found(identifier, name, named, landing or identifier, package)

    def _resource(self, subject: Any) -> dict[str, Any]:
        media = self._last(subject, "dcat:mediaType", whole=True)
        size = self._text(subject, "dcat:byteSize").partition(".")[0]
        sum_ = self._one(subject, "spdx:checksum") or subject
        return {
            "id": "",
            "name": self._text(subject, "dct:title"),
            "description": self._text(subject, "dct:description"),
            "url": self._last(subject, "dcat:downloadURL", whole=True)
            or self._last(subject, "dcat:accessURL", whole=True),
            "format": self._last(subject, "dct:format").upper()[:60],
            "mimetype": "/".join(media.split("/")[-2:])[:120] if "/" in media else "",
            "size": int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None,
            "hash": self._text(sum_, "spdx:checksumValue")[:200],
        }

    def _one(self, subject: Any, name: str) -> Any:
        return self._graph.value(subject, self._named(name), any=True)

    def _text(self, subject: Any, name: str) -> str:
        """The literal in the language that comes first in our list."""
        found = list(self._graph.objects(subject, self._named(name)))
        if not found:
            return ""

        def rank(one: Any) -> tuple[int, str]:
            language = (getattr(one, "language", None) or "").lower()
            return (_LANGUAGES.index(language) if language in _LANGUAGES else 99, str(one))

        return str(min(found, key=rank)).strip()

    def _last(self, subject: Any, name: str, *, whole: bool = False) -> str:
        """An address told by a property: whole, or its last part, which in code lists is the code. A literal is itself."""
        found = self._one(subject, name)
        if found is None or isinstance(found, self._blank):
            return self._text(found, "rdfs:label") if found is not None and not whole else ""
        return str(found) if whole else re.split(r"[/#]", str(found).rstrip("/"))[-1]
