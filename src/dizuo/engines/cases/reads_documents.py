"""Result documents as their holder sees them, and as anybody may check them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.context import READS, Cases
from dizuo.engines.cases.documents import content_hash
from dizuo.engines.cases.errors import CaseNotFound
from dizuo.engines.cases.reads_citizen import who
from dizuo.engines.registers import Actor


class DocumentLine(msgspec.Struct, frozen=True):
    """One document in a list."""

    number: str
    name: str
    kind: str
    licence_type: str
    issuer_name: str
    issued_at: datetime
    state: str
    trust_level: str
    application: str
    title: str


class DocumentView(msgspec.Struct, frozen=True):
    """A document with its content. ``intact`` says whether the content still has the hash that was entered."""

    number: str
    name: str
    licence_type: str
    issuer_name: str
    holder_name: str
    fields: tuple[tuple[str, str], ...]
    trust_level: str
    sha256: str
    check_code: str
    state: str
    issued_at: datetime
    application: str
    intact: bool


async def documents_of(cases: Cases, actor: Actor) -> tuple[DocumentLine, ...]:
    """Own documents (or the enterprise's acted for), newest first."""
    rows = await cases.pool.fetch(READS["documents_of"], actor.acting_for or who(actor))
    return tuple(DocumentLine(**{name: row[name] for name in DocumentLine.__struct_fields__}) for row in rows)


async def document_page(cases: Cases, actor: Actor, number: str) -> DocumentView:
    """One's own document. Errors: CaseNotFound for anybody else's, as if it did not exist."""
    row = await cases.pool.fetchrow(READS["document"], number)
    if row is None or row["holder"] != (actor.acting_for if actor.acting_for is not None else who(actor)):
        raise CaseNotFound()
    return _document(row)


async def check_document(cases: Cases, number: str, code: str) -> DocumentView:
    """What anybody may learn with number and code: that it is genuine and valid; no content, the name masked.

    Errors: CaseNotFound for a wrong code, as for a wrong number.
    """
    row = await cases.pool.fetchrow(READS["document"], number.strip().upper())
    typed = code.replace("-", "").replace(" ", "").upper()
    if row is None or row["check_code"].replace("-", "") != typed:
        raise CaseNotFound(fix="请核对证照编号和核验码。")
    view = _document(row)
    holder = view.holder_name[:1] + "*" * (len(view.holder_name) - 1)
    return msgspec.structs.replace(view, fields=(), holder_name=holder, application="")


def _document(row: Any) -> DocumentView:
    fields = tuple((pair[0], pair[1]) for pair in row["fields"])
    digest = content_hash(
        row["number"], row["name"], row["issuer_name"], row["holder_name"], fields, row["issued_at"]
    )
    return DocumentView(
        number=row["number"],
        name=row["name"],
        licence_type=row["licence_type"],
        issuer_name=row["issuer_name"],
        holder_name=row["holder_name"],
        fields=fields,
        trust_level=row["trust_level"],
        sha256=bytes(row["sha256"]).hex(),
        check_code=row["check_code"],
        state=row["state"],
        issued_at=row["issued_at"],
        application=row["application"],
        intact=bytes(row["sha256"]) == digest,
    )
