"""From a catalogue to its nodes, one dataset after another: nothing but the names already said is kept in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final
from urllib.parse import quote

from .model import Agent, Catalogue, Dataset, Distribution, Licence, Said, Service
from .nodes import Iri, Literal, Node, address, moment, said
from .vocabulary import (
    ACCESS,
    AUTHORITY,
    FILE_TYPES,
    FREQUENCIES,
    HVD,
    HVD_SCHEME,
    IANA,
    LANGUAGES,
    THEME_NAMES,
    THEMES,
    media_type_of,
)

_Properties = list[tuple[str, Iri | Literal]]
# SPDX's own name begins with http; the code list of DCAT-AP 3.0.1 (mdr-vocabularies) takes it with https only.
_SHA256: Final = "https://spdx.org/rdf/terms#checksumAlgorithm_sha256"


class Teller:
    """Makes the nodes of one document and says every shared thing (publisher, code, licence) once, where first used."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._waiting: list[Node] = []

    def document(self, catalogue: Catalogue, datasets: Iterable[Dataset]) -> Iterator[Node]:
        """All nodes of a catalogue."""
        yield from self.head(catalogue)
        for dataset in datasets:
            yield from self.listed(catalogue, dataset)

    def head(self, catalogue: Catalogue) -> Iterator[Node]:
        """What is said of the catalogue itself and of its interfaces."""
        yield self._catalogue(catalogue)
        yield from self._told()

    def listed(self, catalogue: Catalogue, dataset: Dataset) -> Iterator[Node]:
        """A dataset, with the catalogue's triple that it belongs to it."""
        yield Node(catalogue.iri, (), (("dcat:dataset", Iri(dataset.iri)),))
        yield from self.dataset(dataset)

    def dataset(self, dataset: Dataset) -> Iterator[Node]:
        """One dataset, its distributions, and whatever shared thing they name first."""
        yield self._dataset(dataset)
        for distribution in dataset.distributions:
            yield self._distribution(distribution, dataset)
        yield from self._told()

    def _told(self) -> Iterator[Node]:
        waiting, self._waiting = self._waiting, []
        yield from waiting

    def _catalogue(self, catalogue: Catalogue) -> Node:
        found: _Properties = [
            *_both("dct:title", catalogue.title),
            *_both("dct:description", catalogue.notes),
            ("dct:publisher", self._agent(catalogue.publisher)),
            ("foaf:homepage", self._document(catalogue.homepage)),
            ("dct:language", self._language("zh")),
            ("dcat:themeTaxonomy", self._scheme("data-theme", "Data theme")),
            ("dct:spatial", self._china()),
            *(("dcat:service", self._service(service)) for service in catalogue.services),
            *(("dcatap:applicableLegislation", self._law(*law)) for law in catalogue.laws),
            *_moments(catalogue.issued, catalogue.modified),
        ]
        if catalogue.licence:
            found.append(("dct:license", self._licence(catalogue.licence)))
        return Node(catalogue.iri, ("dcat:Catalog",), tuple(found))

    def _dataset(self, dataset: Dataset) -> Node:
        found: _Properties = [
            *_both("dct:title", dataset.title),
            *_both("dct:description", dataset.notes if dataset.notes.zh else dataset.title),
            ("dct:identifier", said(dataset.id)),
            ("dct:language", self._language("zh")),
            ("dct:accessRights", self._access(dataset.access)),
            ("dcat:contactPoint", self._contact(dataset.iri, dataset.contact, dataset.contact_page)),
            *(("dcat:keyword", said(word, "zh")) for word in dict.fromkeys(dataset.keywords) if word.strip()),
            *(("dcatap:applicableLegislation", self._law(*law)) for law in dataset.laws),
            *(("dcat:distribution", Iri(one.iri)) for one in dataset.distributions),
            *_moments(dataset.issued, dataset.modified),
        ]
        if dataset.publisher:
            found.append(("dct:publisher", self._agent(dataset.publisher)))
        if landing := address(dataset.landing):
            found.append(("dcat:landingPage", self._document(landing)))
        if frequency := FREQUENCIES.get(dataset.cycle):
            found.append(("dct:accrualPeriodicity", self._code("frequency", frequency, "dct:Frequency")))
        if theme := THEMES.get(dataset.theme, dataset.theme if dataset.theme in THEME_NAMES else ""):
            found.append(("dcat:theme", self._code("data-theme", theme, "", THEME_NAMES[theme])))
        if dataset.version:
            found.append(("dcat:version", said(dataset.version)))
        if dataset.hvd in HVD:
            found.append(("dcatap:hvdCategory", self._hvd(dataset.hvd)))
        found += self._where_and_when(dataset)
        return Node(dataset.iri, ("dcat:Dataset",), tuple(found))

    def _where_and_when(self, dataset: Dataset) -> _Properties:
        found: _Properties = []
        if dataset.bbox:
            west, south, east, north = dataset.bbox
            ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
            box = Literal(f"POLYGON(({ring}))", type="geo:wktLiteral")
            found.append(
                ("dct:spatial", self._part(dataset.iri, "where", "dct:Location", ("dcat:bbox", box)))
            )
        if dataset.period and any(dataset.period):
            first, last = dataset.period
            ends = [("dcat:startDate", moment(first))] if first else []
            ends += [("dcat:endDate", moment(last))] if last else []
            found.append(("dct:temporal", self._part(dataset.iri, "when", "dct:PeriodOfTime", *ends)))
        if dataset.provenance:
            told = ("rdfs:label", said(dataset.provenance, "zh"))
            found.append(
                ("dct:provenance", self._part(dataset.iri, "origin", "dct:ProvenanceStatement", told))
            )
        if source := address(dataset.source):
            found.append(("prov:wasDerivedFrom", self._thing(source)))
        return found

    def _distribution(self, one: Distribution, dataset: Dataset) -> Node:
        found: _Properties = [
            *_both("dct:title", one.title),
            ("dcat:accessURL", self._thing(address(one.access_url) or dataset.landing)),
            *(("dcatap:applicableLegislation", self._law(*law)) for law in dataset.laws),
            *_moments(one.issued, one.modified),
        ]
        if download := address(one.download_url):
            found.append(("dcat:downloadURL", self._thing(download)))
        if kind := FILE_TYPES.get(one.format.lower()):
            found.append(("dct:format", self._code("file-type", kind, "dct:MediaTypeOrExtent")))
        if media := media_type_of(one.format, one.media_type):
            found.append(("dcat:mediaType", self._typed(IANA + quote(media, safe="/.+-"), "dct:MediaType")))
        if one.bytes >= 0:
            found.append(("dcat:byteSize", Literal(str(one.bytes), type="xsd:nonNegativeInteger")))
        if one.licence:
            found.append(("dct:license", self._licence(one.licence)))
        if one.rights:
            told = ("rdfs:label", said(one.rights, "zh"))
            found.append(("dct:rights", self._part(one.iri, "rights", "dct:RightsStatement", told)))
        if one.service:
            found.append(("dcat:accessService", self._service(one.service)))
            self._waiting.append(Node(one.service.iri, (), (("dcat:servesDataset", Iri(dataset.iri)),)))
        if one.sha256:
            self._typed(_SHA256, "spdx:ChecksumAlgorithm")
            value = ("spdx:checksumValue", Literal(one.sha256, type="xsd:hexBinary"))
            parts = (("spdx:algorithm", Iri(_SHA256)), value)
            found.append(("spdx:checksum", self._part(one.iri, "sum", "spdx:Checksum", *parts)))
        return Node(one.iri, ("dcat:Distribution",), tuple(found))

    # ------------------------------------------------------------ shared things

    def _service(self, service: Service) -> Iri:
        """An interface, said whole where it is named first; which datasets it serves is said with each of them."""
        if service.iri in self._known:
            return Iri(service.iri)
        found: _Properties = [
            *_both("dct:title", service.title),
            ("dcat:endpointURL", self._thing(service.endpoint)),
            ("dcat:endpointDescription", self._thing(service.description)),
            ("foaf:page", self._document(service.page)),
            ("dct:publisher", self._agent(service.publisher)),
            ("dct:accessRights", self._access("public")),
            ("dcat:contactPoint", self._contact(service.iri, service.contact, service.page)),
            *(("dcatap:applicableLegislation", self._law(*law)) for law in service.laws),
        ]
        if service.hvd in HVD:
            found.append(("dcatap:hvdCategory", self._hvd(service.hvd)))
        return self._say(Node(service.iri, ("dcat:DataService",), tuple(found)))

    def _say(self, node: Node) -> Iri:
        if node.iri not in self._known:
            self._known.add(node.iri)
            self._waiting.append(node)
        return Iri(node.iri)

    def _typed(self, iri: str, kind: str) -> Iri:
        return self._say(Node(iri, (kind,)))

    def _thing(self, iri: str) -> Iri:
        """Something elsewhere. That it is a resource holds of everything; the shapes ask that it be said."""
        node = Node(address(iri), ("rdfs:Resource",))
        self._waiting.append(node)
        return Iri(node.iri)

    def _document(self, iri: str) -> Iri:
        """A page. Every dataset has one of its own, so it is said with it and not remembered."""
        node = Node(address(iri), ("foaf:Document",))
        self._waiting.append(node)
        return Iri(node.iri)

    def _part(self, whole: str, name: str, kind: str, *found: tuple[str, Iri | Literal]) -> Iri:
        """A part of a dataset: said once with it, and not remembered, so that memory stays the same."""
        node = Node(f"{whole}#{name}", (kind,), found)
        self._waiting.append(node)
        return Iri(node.iri)

    def _agent(self, agent: Agent) -> Iri:
        return self._say(Node(agent.iri, ("foaf:Agent",), tuple(_both("foaf:name", agent.name))))

    def _contact(self, whole: str, told: str, page: str) -> Iri:
        """Whom to ask: a name and a page; a telephone number or address only when the city gives one."""
        found: _Properties = [("vcard:fn", said(told or "公共数据开放平台", "zh"))]
        if page := address(page):
            found.append(("vcard:hasURL", self._typed(page, "rdfs:Resource")))
        return self._part(whole, "contact", "vcard:Kind", *found)

    def _licence(self, licence: Licence) -> Iri:
        return self._say(
            Node(address(licence.iri), ("dct:LicenseDocument",), (("dct:title", said(licence.title)),))
        )

    def _law(self, iri: str, name: str) -> Iri:
        return self._say(Node(address(iri), ("eli:LegalResource",), (("dct:title", said(name, "zh")),)))

    def _scheme(self, table: str, title: str) -> Iri:
        return self._say(
            Node(AUTHORITY + table, ("skos:ConceptScheme",), (("dct:title", said(title, "en")),))
        )

    def _code(self, table: str, code: str, kind: str, names: tuple[str, str] | None = None) -> Iri:
        zh, en = names or ("", code)
        found: _Properties = [
            ("skos:inScheme", Iri(AUTHORITY + table)),
            *_both("skos:prefLabel", Said(zh, en)),
        ]
        kinds = ("skos:Concept", kind) if kind else ("skos:Concept",)
        return self._say(Node(f"{AUTHORITY}{table}/{code}", kinds, tuple(found)))

    def _access(self, access: str) -> Iri:
        return self._code("access-right", ACCESS.get(access, "NON_PUBLIC"), "dct:RightsStatement")

    def _language(self, language: str) -> Iri:
        return self._code("language", LANGUAGES[language], "dct:LinguisticSystem")

    def _china(self) -> Iri:
        return self._code("country", "CHN", "dct:Location", ("中国", "China"))

    def _hvd(self, category: str) -> Iri:
        code, zh, en = HVD[category]
        found = (("skos:inScheme", Iri(HVD_SCHEME)), *_both("skos:prefLabel", Said(zh, en)))
        return self._say(Node(f"http://data.europa.eu/bna/{code}", ("skos:Concept",), found))


def _both(name: str, words: Said) -> list[tuple[str, Iri | Literal]]:
    found: list[tuple[str, Iri | Literal]] = []
    for text, language in ((words.zh, "zh"), (words.en, "en")):
        if (literal := said(text, language)).value:
            found.append((name, literal))
    return found


def _moments(issued: date | None, modified: date | None) -> list[tuple[str, Iri | Literal]]:
    found: list[tuple[str, Iri | Literal]] = []
    if issued:
        found.append(("dct:issued", moment(issued)))
    if modified:
        found.append(("dct:modified", moment(modified)))
    return found
