"""What a department's source (数据源) looks like in memory: its contract, columns, mentions, feeds and quality rules.

A source says what one department delivers, in which form and how often, what every column means, of whom a row
speaks (mentions), which register fields it supplies (feeds) and how good it has to be (quality). The stages of the
lake read nothing else, so a new source needs no code.

Names in rules and feeds are columns of the standard rows: a column's id, or one of its parts (``PARTS``), for example
``address_division`` for the division found in the address column ``address``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from dizuo.foundation.blueprint.atoms import Expression, LawRef, Length, Place, Words
from dizuo.foundation.blueprint.model_catalogue import CatalogueTerms

Format = Literal["csv", "xlsx", "jsonl", "parquet", "table", "push"]
Encoding = Literal["utf-8", "utf-8-sig", "gb18030"]
Mode = Literal["full", "changes"]
Cycle = Literal["realtime", "daily", "weekly", "monthly", "quarterly", "yearly"]
Standard = Literal[
    "text",
    "name",
    "citizen_id",
    "uscc",
    "date",
    "datetime",
    "phone",
    "address",
    "division",
    "code",
    "integer",
    "decimal",
    "boolean",
]
Dimension = Literal["normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility"]

# What standardising adds beside a column, as `<column>_<part>`; all are text.
PARTS: Mapping[str, tuple[str, ...]] = {
    "name": ("raw", "surname", "given", "form"),
    "citizen_id": ("state", "other"),
    "address": ("norm", "division", "town_mca", "rest"),
}


class SourceTable(msgspec.Struct, frozen=True):
    """A table in the department's own PostgreSQL (前置库), pulled by its watermark: rows whose column ``watermark``
    (a column id of the source) is not older than the last one seen. Headers are the table's column names."""

    schema: str
    name: str
    watermark: str
    place: Place


class SourceDelivery(msgspec.Struct, frozen=True):
    """How and when a source arrives (交换方式、更新周期).

    ``mode``: full is a snapshot of everything, changes only what is new or changed. ``due`` is the freshness promise,
    counted from the end of a period of ``cycle``. A full delivery with more than ``largest_drop`` (share, 0..1) fewer
    rows than the one before is held. ``delimiter`` is for csv only; ``table`` for table only.
    """

    format: Format
    encoding: Encoding
    delimiter: str
    mode: Mode
    cycle: Cycle
    due: Length
    largest_drop: float
    table: SourceTable | None
    place: Place


class SourceColumn(msgspec.Struct, frozen=True):
    """One column of a delivery: ``id`` is our name, ``column`` its header, ``as_`` (key `as`) the standardiser.

    A code column names its code list: ``register`` (`register.field` that holds it) or ``codes`` of its own. A
    delivered value is a code, the Chinese name of a code, or one of ``synonyms`` (as delivered → code). ``basis`` is
    the column's own legal basis where the source's is not enough. A number is multiplied by ``times`` when it is
    standardised, so that it has our unit (注册资本（万元）: 10000).
    """

    id: str
    column: str
    as_: Standard
    required: bool
    personal: bool
    basis: LawRef | None
    register: str
    codes: Mapping[str, Words]
    synonyms: Mapping[str, str]
    place: Place
    code_system: str = ""
    verified: bool = True
    times: int = 1


class Mention(msgspec.Struct, frozen=True):
    """A person or an enterprise that a row speaks of (主体); every other value is a column id, or empty.

    A ``citizen_id`` or ``uscc`` may name a text column that holds either kind of number (主体代码): it is read as the
    kind that the mention wants, and ``when`` (a truth about the standard row) tells which mention a row makes. Whose
    name and numbers are all empty in a row is not mentioned by it.
    """

    id: str
    entity: Literal["person", "enterprise"]
    name: str
    citizen_id: str
    uscc: str
    sex: str
    birth_date: str
    phone: str
    address: str
    former_name: str
    when: Expression | None
    place: Place

    @property
    def columns(self) -> Mapping[str, str]:
        """What is said of the mentioned one: role → column id, without what is not said."""
        return {role: getattr(self, role) for role in ROLES if getattr(self, role)}


ROLES: tuple[str, ...] = (
    "name",
    "citizen_id",
    "uscc",
    "sex",
    "birth_date",
    "phone",
    "address",
    "former_name",
)


class Feed(msgspec.Struct, frozen=True):
    """Golden fields that a source supplies: register field → column of the standard row (id or part).

    ``of`` is the mention whose record is meant, empty for a register that is not about one subject; a row without
    that mention feeds nothing, nor does one for which ``when`` (a truth about the standard row) does not hold.
    """

    register: str
    of: str
    fields: Mapping[str, str]
    place: Place
    when: Expression | None = None


class QualityRule(msgspec.Struct, frozen=True):
    """A rule of quality in one of the six dimensions of GB/T 36344-2018 (规范性、完整性、准确性、一致性、时效性、可访问性).

    ``rule`` is a truth about one standard row; unknown counts as not held. ``at_least`` is the share of rows (0..1)
    for which it has to hold.
    """

    id: str
    dimension: Dimension
    says: Words
    rule: Expression
    at_least: float
    place: Place


class Source(msgspec.Struct, frozen=True):
    """What one department delivers (数据源). File: sources/<id>.yaml, `kind: source/1`.

    ``steward`` is a post of the department, who answers for quality. ``row_key`` is the column that identifies a row
    in the department's own system, ``as_of`` the column that tells when the department last changed it (empty: the
    delivery's own date counts).
    """

    id: str
    name: Words
    department: str
    system: Words
    basis: LawRef | None
    steward: str
    delivery: SourceDelivery
    row_key: str
    as_of: str
    columns: Mapping[str, SourceColumn]
    mentions: tuple[Mention, ...]
    feeds: tuple[Feed, ...]
    quality: tuple[QualityRule, ...]
    place: Place
    catalogue: CatalogueTerms | None = None

    def mention(self, id: str) -> Mention:
        """The mention of this id. Errors: KeyError."""
        return {mention.id: mention for mention in self.mentions}[id]
