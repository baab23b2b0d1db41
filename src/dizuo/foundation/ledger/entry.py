"""What an entry is, and the exact bytes that its leaf covers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

HEADER: Final = "dizuo-entry/1"


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


def leaf_bytes(number: int, at: datetime, kind: str, body: str, commitment: bytes) -> bytes:
    """The bytes under an entry's leaf; ``body`` is PostgreSQL's text of the jsonb value.

    The same text is put together in sql/queries.sql (seal), where bodies need not travel; a test holds them equal.
    """
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds")[:-6]
    return (
        f"{HEADER}\nid {number}\nat {stamp}Z\nkind {kind}\nbody {body}\ncommitment {commitment.hex()}\n"
    ).encode()


def commitment_of(salt: bytes, subject: int | None, payload: str | None) -> bytes:
    """The salted commitment to what is personal; ``payload`` is PostgreSQL's text of the jsonb value."""
    who = "" if subject is None else str(subject)
    return hashlib.sha256(salt + f"{who}\n{payload or ''}".encode()).digest()
