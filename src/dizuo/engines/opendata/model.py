"""What may be seen of open datasets: frozen facts, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

FieldType = Literal["text", "integer", "decimal", "date", "boolean"]
Value = str | int | float | bool | None
FORMATS: Final = ("csv", "xlsx", "json", "jsonl", "parquet")
"""Download formats of every dataset; those with shapes have geojson too."""


class Column(msgspec.Struct, frozen=True):
    """One column (信息项); ``en`` and the sentences may be empty."""

    id: str
    zh: str
    en: str = ""
    type: FieldType = "text"
    says: str = ""
    says_en: str = ""
    unit: str = ""
    facet: bool = False

    def called(self, lang: str) -> str:
        """The name in the reader's language."""
        return self.en if lang == "en" and self.en else self.zh


class DatasetSeen(msgspec.Struct, frozen=True):
    """A dataset as everybody sees it. ``version`` 0: never released. ``rows``, ``digest`` (hex), ``epsilon``, ``accuracy``
    and ``report`` are those of the version served; ``rating`` is the mean of ``ratings`` marks from 1 to 5."""

    id: str
    origin: Literal["declared", "loaded", "harvested"]
    title: str
    title_en: str
    abstract: str
    abstract_en: str
    provider: str
    theme: str
    open_type: Literal["unconditional", "conditional", "closed"]
    condition: str
    condition_en: str
    cycle: str
    licence: str
    spatial: str
    temporal: str
    also: tuple[str, ...]
    columns: tuple[Column, ...]
    formats: tuple[str, ...]
    shapes: bool
    made: Mapping[str, Any]
    state: Literal["published", "refused", "withdrawn"]
    version: int
    extras: Mapping[str, Any]
    first_published: datetime | None
    updated_at: datetime | None
    changed_at: datetime
    rows: int = 0
    digest: str = ""
    epsilon: float = 0.0
    accuracy: float | None = None
    report: int | None = None
    entry: int | None = None
    downloads: int = 0
    calls: int = 0
    rating: float = 0.0
    ratings: int = 0

    def called(self, lang: str) -> str:
        """The title in the reader's language."""
        return self.title_en if lang == "en" and self.title_en else self.title

    def told(self, lang: str) -> str:
        """The abstract in the reader's language."""
        return self.abstract_en if lang == "en" and self.abstract_en else self.abstract

    def column(self, id: str) -> Column | None:
        """The column of this id, None when there is none."""
        return next((one for one in self.columns if one.id == id), None)


class VersionSeen(msgspec.Struct, frozen=True):
    """One release of a dataset."""

    version: int
    released_at: datetime
    rows: int
    digest: str
    epsilon: float
    accuracy: float | None
    report: int | None
    entry: int


class Row(msgspec.Struct, frozen=True):
    """One row: its place in the release (from 1), its values by column, its geometry (GeoJSON) or None."""

    n: int
    data: Mapping[str, Value]
    shape: Mapping[str, Any] | None = None


class GateReport(msgspec.Struct, frozen=True):
    """What the gate found before a release, kept whether it passed or not; ``digest`` (hex) is of the rows looked at."""

    id: int
    at: datetime
    by: str
    passed: bool
    rows: int
    digest: str
    findings: tuple[Mapping[str, Any], ...]
    entry: int


class Stopped(msgspec.Struct, frozen=True):
    """A dataset whose last release the gate stopped; ``shown``: an earlier release is still served. ``stops`` findings did it."""

    id: str
    title: str
    title_en: str
    provider: str
    shown: bool
    at: datetime
    rows: int
    stops: int
