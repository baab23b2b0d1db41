"""What an entry is, and the exact bytes that its leaf covers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from dizuo.foundation.ledger.merkle import Digest, sha256

HEADER: Final = "dizuo-entry/1"
"""The first line of the leaves of the first version, which cover the entry itself."""
NUMBERED: Final = "dizuo-entry/2"
"""The first line of leaves with a tag, which cover the hash of the entry's content."""
CONTENT: Final = "dizuo-content/2"
TAG_SIZE: Final = 16


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry to append.

    ``body`` holds nothing personal and is covered by the proof; ``subject`` is the identity id of the person
    concerned and ``payload`` what may be erased one day: the proof covers only a salted commitment to both.
    """

    kind: str
    body: Mapping[str, Any]
    subject: int | None = None
    payload: Mapping[str, Any] | None = None


class EntryView(msgspec.Struct, frozen=True):
    """An entry as the person concerned sees it; ``seq`` is its place in the tree once sealed, ``payload`` may be erased."""

    id: int
    at: datetime
    kind: str
    body: Mapping[str, Any]
    payload: Mapping[str, Any] | None
    seq: int | None


def lines_of(header: str, number: int, at: datetime, kind: str, body: str, commitment: bytes) -> bytes:
    """What happened, as six lines; ``body`` is PostgreSQL's text of the jsonb value.

    The same text is put together in the database (ledger.content), where bodies need not travel; a test holds them equal.
    """
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds")[:-6]
    return (
        f"{header}\nid {number}\nat {stamp}Z\nkind {kind}\nbody {body}\ncommitment {commitment.hex()}\n"
    ).encode()


def numbered_leaf(tag: bytes, content: bytes, digest: Digest = sha256) -> bytes:
    """The bytes under a leaf with a tag: three lines that say nothing about anybody, so everybody may have them."""
    return f"{NUMBERED}\ntag {tag.hex()}\ncontent {digest(content).hex()}\n".encode()


def leaf_bytes(
    number: int, at: datetime, kind: str, body: str, commitment: bytes, tag: bytes | None = None, digest: Digest = sha256,
) -> bytes:  # fmt: skip
    """The bytes under an entry's leaf: of the first version without a tag, else of the second."""
    if tag is None:
        return lines_of(HEADER, number, at, kind, body, commitment)
    return numbered_leaf(tag, lines_of(CONTENT, number, at, kind, body, commitment), digest)


def extra_bytes(
    number: int, at: datetime, kind: str, body: str, commitment: bytes, tag: bytes | None
) -> bytes:
    """What a proof carries so that its leaf can be computed: the entry, and its tag where it has one."""
    if tag is None:
        return lines_of(HEADER, number, at, kind, body, commitment)
    return lines_of(CONTENT, number, at, kind, body, commitment) + f"tag {tag.hex()}\n".encode()


def leaf_of_extra(extra: bytes, digest: Digest = sha256) -> tuple[bytes, bytes, bytes | None]:
    """(the leaf's bytes, the entry's lines, its tag) from what a proof carries; other bytes are a leaf themselves."""
    if not extra.startswith(f"{CONTENT}\n".encode()):
        return extra, extra, None
    content, found, rest = extra.rpartition(b"\ntag ")
    text = rest.removesuffix(b"\n").decode("ascii", "replace")
    if not found or len(text) != 2 * TAG_SIZE or set(text) - set("0123456789abcdef"):
        return extra, extra, None
    tag = bytes.fromhex(text)
    return numbered_leaf(tag, content + b"\n", digest), content + b"\n", tag


def commitment_of(salt: bytes, subject: int | None, payload: str | None) -> bytes:
    """The salted commitment to what is personal; ``payload`` is PostgreSQL's text of the jsonb value."""
    who = "" if subject is None else str(subject)
    return hashlib.sha256(salt + f"{who}\n{payload or ''}".encode()).digest()
