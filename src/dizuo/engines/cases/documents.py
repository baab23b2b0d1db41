"""Result documents (结果证照): made from the case's facts, numbered, hashed, and checkable by anyone with the code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.context import QUERIES
from dizuo.engines.cases.scope import Open, Scope
from dizuo.engines.cases.shows import field_words
from dizuo.engines.cases.work import Work
from dizuo.foundation.blueprint.model import Document, Item
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.kernel.clock_source import to_shanghai

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no letter that can be read as a digit


class DocumentDraft(msgspec.Struct, frozen=True):
    """A document ready to be entered."""

    number: str
    kind: str
    licence_type: str
    name: str
    issuer: str
    issuer_name: str
    fields: tuple[tuple[str, str], ...]
    trust_level: str
    sha256: bytes
    check_code: str


def draft_document(
    ready: CompiledMatter, item: Item, scope: Scope, case: str, holder: str, at: datetime
) -> DocumentDraft | None:
    """The document of an item with its fields filled; None when the item issues none.

    A field that cannot be told is left out rather than guessed.
    """
    declared = next((d for d in ready.matter.documents if d.id == item.document), None)
    if declared is None:
        return None
    fields: list[tuple[str, str]] = []
    for label, expression in declared.fields:
        value = scope.value(ready.compile(expression))
        if isinstance(value, Open) or value is None:
            continue
        fields.append((label.zh, field_words(ready.field(expression.text.strip()), value).zh))
    number = f"{declared.licence_type.upper().replace('_', '')[:12]}-{case}-{_position(ready, item):02d}"
    organisation = ready.city.organisations[declared.issuer]
    digest = document_hash(number, declared, organisation.name.zh, holder, tuple(fields), at)
    return DocumentDraft(
        number=number,
        kind=declared.id,
        licence_type=declared.licence_type,
        name=declared.name.zh,
        issuer=declared.issuer,
        issuer_name=organisation.name.zh,
        fields=tuple(fields),
        trust_level=declared.trust_level,
        sha256=digest,
        check_code=check_code(digest),
    )


def _position(ready: CompiledMatter, item: Item) -> int:
    return [i.id for i in ready.matter.items].index(item.id) + 1


def document_hash(
    number: str,
    declared: Document,
    issuer: str,
    holder: str,
    fields: tuple[tuple[str, str], ...],
    at: datetime,
) -> bytes:
    """SHA-256 over the canonical JSON of everything printed on the document."""
    return content_hash(number, declared.name.zh, issuer, holder, fields, at)


def content_hash(
    number: str, name: str, issuer: str, holder: str, fields: tuple[tuple[str, str], ...], at: datetime
) -> bytes:
    content: Mapping[str, object] = {
        "number": number,
        "name": name,
        "issuer": issuer,
        "holder": holder,
        "fields": [list(pair) for pair in fields],
        "issued_at": to_shanghai(at).isoformat(timespec="seconds"),
    }
    return hashlib.sha256(canonical_json(dict(content))).digest()


def check_code(digest: bytes) -> str:
    """A short code to read out or type in (核验码): 12 characters of the hash, in groups of four."""
    number = int.from_bytes(digest[:8], "big") >> 4
    code = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(55, -1, -5))
    return "-".join(code[i : i + 4] for i in range(0, 12, 4))


async def issue(work: Work, item_id: str, scope: Scope) -> DocumentDraft | None:
    """Enter the document of a granted item, once."""
    item = work.ready.items[item_id]
    application = work.application
    made = draft_document(work.ready, item, scope, application.number, application.holder_name, work.tx.now)
    if made is None:
        return None
    await work.tx.conn.execute(
        QUERIES["insert_document"],
        made.number,
        application.id,
        item_id,
        made.kind,
        made.licence_type,
        made.name,
        made.issuer,
        made.issuer_name,
        application.acting_for or application.applicant,
        application.holder_name,
        [list(pair) for pair in made.fields],
        made.trust_level,
        made.sha256,
        made.check_code,
        work.tx.now,
    )
    return made
