"""A catalogue as DCAT-AP sees it: what is told about it, its datasets, and the files and interfaces of each."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Said(msgspec.Struct, frozen=True):
    """A sentence in Chinese and, where there is one, in English."""

    zh: str
    en: str = ""


class Agent(msgspec.Struct, frozen=True):
    """Who publishes (foaf:Agent); ``iri`` is the organisation's page or a name of our own."""

    iri: str
    name: Said


class Licence(msgspec.Struct, frozen=True):
    """Under which terms data may be used (dct:LicenseDocument)."""

    iri: str
    title: str


class Service(msgspec.Struct, frozen=True):
    """An interface to data of the catalogue (dcat:DataService): where it is, its description for machines, who answers."""

    iri: str
    title: Said
    endpoint: str
    description: str
    page: str
    publisher: Agent
    contact: str
    laws: tuple[tuple[str, str], ...] = ()
    hvd: str = ""


class Distribution(msgspec.Struct, frozen=True):
    """One form in which a dataset is had: a file or an interface.

    ``format`` is a file ending such as csv; ``bytes`` −1 when unknown; ``sha256`` in hexadecimal or ''.
    """

    iri: str
    title: Said
    access_url: str
    download_url: str = ""
    format: str = ""
    media_type: str = ""
    bytes: int = -1
    sha256: str = ""
    issued: date | datetime | None = None
    modified: date | datetime | None = None
    licence: Licence | None = None
    rights: str = ""
    service: Service | None = None


class Dataset(msgspec.Struct, frozen=True):
    """One dataset (dcat:Dataset).

    ``cycle`` is the catalogue's update cycle (更新周期) as declared; ``access`` is public, restricted or closed; ``theme`` the
    field (领域) in Chinese; ``bbox`` west, south, east, north in degrees; ``laws`` the legal basis as (iri, name); ``source``
    where it was harvested from; ``hvd`` a category of high-value datasets or ''.
    """

    iri: str
    id: str
    title: Said
    notes: Said
    publisher: Agent | None
    landing: str
    contact: str = ""
    contact_page: str = ""
    theme: str = ""
    keywords: tuple[str, ...] = ()
    issued: date | datetime | None = None
    modified: date | datetime | None = None
    cycle: str = ""
    access: str = "public"
    bbox: tuple[float, float, float, float] | None = None
    period: tuple[date | None, date | None] | None = None
    version: str = ""
    provenance: str = ""
    source: str = ""
    hvd: str = ""
    laws: tuple[tuple[str, str], ...] = ()
    distributions: tuple[Distribution, ...] = ()


class Catalogue(msgspec.Struct, frozen=True):
    """The catalogue itself (dcat:Catalog)."""

    iri: str
    title: Said
    notes: Said
    publisher: Agent
    homepage: str
    contact: str
    licence: Licence | None = None
    issued: date | datetime | None = None
    modified: date | datetime | None = None
    laws: tuple[tuple[str, str], ...] = ()
    services: tuple[Service, ...] = ()
