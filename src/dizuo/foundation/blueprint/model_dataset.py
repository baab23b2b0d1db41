"""What an open dataset (开放数据集) looks like in memory: what it says, from what it is made, and how it is guarded.

A dataset is made in exactly one way: from what the city declares (divisions, items, clocks …), from a file of the city
folder, from a statistic that the running city keeps about itself, or by counting a register's records. Records leave a
register only as counts, and counts only through the publication gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from dizuo.foundation.blueprint.atoms import Place, Words

OpenType = Literal["unconditional", "conditional", "closed"]
DatasetCycle = Literal[
    "realtime",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "half_yearly",
    "yearly",
    "irregular",
    "never",
]
ValueType = Literal["text", "integer", "decimal", "date", "boolean"]
Identifier = Literal["none", "citizen_id", "name", "phone", "uscc", "address"]
Declared = Literal[
    "divisions",
    "villages",
    "items",
    "clocks",
    "organisations",
    "places",
    "laws",
    "registers",
    "datasets",
]
Statistic = Literal["work", "data_quality", "ledger"]
CountAs = Literal["value", "year", "month", "age_band", "district", "town", "head"]
Guard = Literal["refuse", "suppress", "noise"]


class DatasetField(msgspec.Struct, frozen=True):
    """One column (信息项). ``identifier`` says that it holds a person's direct identifier; ``institution`` says in words why
    content that looks like one is an institution's (a window's telephone), and the gate then lets it pass. ``quasi``: with
    others it may single somebody out. ``facet``: the page counts and filters by it."""

    id: str
    name: Words
    type: ValueType
    says: Words
    unit: str
    identifier: Identifier
    institution: Words
    quasi: bool
    facet: bool
    place: Place


class CountBy(msgspec.Struct, frozen=True):
    """One dimension of a count: the register's field ``of`` read ``as_`` (key `as`) goes into the column ``column``.

    ``width`` is the years of an age band or the characters of a head; bands from ``top`` upwards are one.
    """

    column: str
    of: str
    as_: CountAs
    width: int
    top: int
    place: Place


class Count(msgspec.Struct, frozen=True):
    """How many records of a register there are by some dimensions, into the column ``into``. ``where`` keeps records whose
    field has the value."""

    register: str
    where: Mapping[str, str]
    by: tuple[CountBy, ...]
    into: str
    place: Place


class Made(msgspec.Struct, frozen=True):
    """From what a dataset is made: exactly one of these is said; ``places`` names the list for declared places."""

    declared: Declared | None
    file: str
    statistic: Statistic | None
    count: Count | None
    list: str
    place: Place


class Gate(msgspec.Struct, frozen=True):
    """How a release is guarded (开放前审查). ``least``: groups and cells below it are small. ``guard``: what is done about
    small cells; ``noise`` means counts with differential privacy: ``epsilon`` is spent by each release, at most ``budget``
    over all releases of the dataset. ``totals``: dimensions over which totals are published too."""

    least: int
    guard: Guard
    epsilon: float
    budget: float
    totals: tuple[str, ...]
    place: Place


class Dataset(msgspec.Struct, frozen=True):
    """An open dataset (开放数据集). File: datasets/<id>.yaml, `kind: dataset/1`.

    ``theme`` is one of the fields of 中国开放数林; ``also`` are other words by which people look for it; ``shapes`` says that
    its rows have a geometry.
    """

    id: str
    title: Words
    abstract: Words
    provider: str
    theme: str
    open_type: OpenType
    condition: Words
    cycle: DatasetCycle
    licence: str
    spatial: Words
    temporal: Words
    also: tuple[str, ...]
    fields: Mapping[str, DatasetField]
    made: Made
    gate: Gate
    shapes: bool
    place: Place
