"""What a register (基础库中的一个登记簿) looks like in memory: its fields, each with its one source, and its terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from dizuo.foundation.blueprint.atoms import LawRef, Place, Words
from dizuo.foundation.blueprint.model_catalogue import CatalogueTerms

FieldType = Literal[
    "text", "number", "boolean", "date", "datetime", "code", "division", "citizen_id", "uscc", "money"
]


class Field(msgspec.Struct, frozen=True):
    """One field of a register, with its one source (一数一源).

    `datum` names the concept; two fields may not give one datum two sources. `level` is L1..L4 (GB/T 43697
    general data, names of our own). `notable` fields are named on the page when they were *not* read.
    `fallback` are the organisations or sources that are asked, in this order, where `source` says nothing.
    """

    id: str
    name: Words
    type: FieldType
    datum: str
    source: str
    basis: LawRef
    level: Literal["L1", "L2", "L3", "L4"]
    personal: bool
    lookup: bool
    notable: bool
    codes: Mapping[str, Words]
    verified: bool
    place: Place
    code_system: str = ""
    fallback: tuple[str, ...] = ()


class Register(msgspec.Struct, frozen=True):
    """A register (基础库中的一个登记簿). File: registers/<id>.yaml, `kind: register/1`.

    `subjects` are the fields (of type citizen_id or uscc) that name whom a record is about: these persons see
    every read of it. `entity` registers (person, enterprise) have one record per subject.
    """

    id: str
    name: Words
    base: Literal["person", "enterprise", "licence", "geography", "credit"]
    owner: str
    entity: bool
    key: str
    subjects: tuple[str, ...]
    fields: Mapping[str, Field]
    correction_clock: str
    place: Place
    catalogue: CatalogueTerms | None = None
