"""Complete for a person: how many entries there are about somebody, and a file with which that person proves that none is missing.

The numbers and tags are made by the sealer (sql: ledger.place). Whoever has a person's first key computes every tag of
theirs; nobody else can say which leaves are about one person.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dizuo.foundation.ledger.ending import ending
from dizuo.foundation.ledger.entry import extra_bytes
from dizuo.foundation.ledger.errors import NothingAbout
from dizuo.foundation.ledger.merkle import inclusion_ranges
from dizuo.foundation.ledger.proofs import range_heads
from dizuo.foundation.ledger.suites import suite_named
from dizuo.foundation.store.connection import Connection, Row
from dizuo.foundation.store.queries import Queries

FORMAT: Final = "dizuo-complete/2"
"""The second form also says where the list ends; the offline verifier reads both."""
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


def tag_of(key: bytes) -> bytes:
    """The tag of the number whose key this is: 16 bytes."""
    return hashlib.sha256(b"\x02" + key).digest()[:16]


def key_after(key: bytes) -> bytes:
    """The key of the next number; there is no way back."""
    return hashlib.sha256(b"\x03" + key).digest()


def tags_from(first: int, key: bytes, last: int) -> Iterator[tuple[int, bytes]]:
    """(number, tag) from the first that can be told to the last."""
    for number in range(first, last + 1):
        yield number, tag_of(key)
        key = key_after(key)


@dataclass(frozen=True)
class Counted:
    """How the entries about a person are numbered: ``first`` to ``last`` (0 to 0 when there is none).

    ``numbers``: of each entry that has one, by its id. ``erased`` and ``missing``: numbers under which nothing can be shown,
    lawfully or not. ``waiting``: entries that get a number in a moment. ``older``: entries from before there were numbers.
    """

    first: int
    last: int
    numbers: dict[int, int]
    erased: tuple[int, ...]
    missing: tuple[int, ...]
    waiting: int
    older: int

    @property
    def whole(self) -> bool:
        """Nothing is missing."""
        return not self.missing


async def _look(
    connection: Connection, subject: int
) -> tuple[Counted, dict[int, Row], dict[int, Row], list[Row], bytes]:
    """(what is counted, entries by number, erased ones by number, older ones, the first key)."""
    rows = await connection.fetch(_QUERIES["places_of"], subject)
    about = await connection.fetchrow(_QUERIES["numbers_of"], subject)
    first, key, last = (about["first"], about["first_key"], about["last"]) if about else (1, b"", 0)
    tags = {tag: number for number, tag in tags_from(first, key, last)}
    found = {tags[row["tag"]]: row for row in rows if row["tag"] in tags}
    lacking = [tag for tag, number in tags.items() if number not in found]
    gone = (
        {tags[row["tag"]]: row for row in await connection.fetch(_QUERIES["erased_places"], lacking)}
        if lacking
        else {}
    )
    older = [row for row in rows if row["seq"] is not None and row["tag"] is None]
    told = Counted(
        first=first if last else 0,
        last=last,
        numbers={row["id"]: number for number, row in found.items()},
        erased=tuple(sorted(gone)),
        missing=tuple(sorted(n for n in tags.values() if n not in found and n not in gone)),
        waiting=sum(row["seq"] is None for row in rows),
        older=len(older),
    )
    return told, found, gone, older, key


async def complete_proof(connection: Connection, subject: int) -> bytes:
    """Everything about one person as a text file, from which `tools/verify_mine.py` proves that no entry is missing, nor behind the last.

    It holds the person's key, each entry with its number and path under one signed checkpoint, and nothing that names anybody.
    Whoever has the file can tell which entries are about the person: it is for that person alone. Errors: NothingAbout when
    nothing about the person is under a checkpoint yet, LedgerBroken.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        told, found, gone, older, key = await _look(connection, subject)
        rows = [*found.values(), *gone.values(), *older]
        head = None
        if rows:
            head = await connection.fetchrow(_QUERIES["proving_checkpoint"], max(row["seq"] for row in rows))
        if head is None:
            raise NothingAbout()
        ranges = [inclusion_ranges(row["seq"], head["size"]) for row in rows]
        flat = sorted({one for some in ranges for one in some})
        digest = suite_named(head["suite"]).digest
        values = await range_heads(connection, flat, digest)
        known = dict(zip(flat, values, strict=True))
        lines = [FORMAT, f"first {told.first or 1} {key.hex()}", f"last {told.last}"]
        lines += [_line(f"entry {n}", row, known, head["size"]) for n, row in sorted(found.items())]
        lines += [_line(f"erased {n}", row, known, head["size"]) for n, row in sorted(gone.items())]
        lines += [_line("older", row, known, head["size"]) for row in older]
        if told.last:
            lines += await ending(connection, head["size"], _next_tag(told, key), digest)
        return "\n".join([*lines, "", head["note"] + head["cosignatures"]]).encode()


def _next_tag(told: Counted, key: bytes) -> bytes:
    for _ in range(told.first, told.last + 1):
        key = key_after(key)
    return tag_of(key)


def _line(name: str, row: Row, known: dict[tuple[int, int], bytes], size: int) -> str:
    extra = extra_bytes(row["id"], row["at"], row["kind"], row["body"], row["commitment"], row["tag"])
    path: Sequence[bytes] = [known[one] for one in inclusion_ranges(row["seq"], size)]
    return " ".join([name, str(row["seq"]), _base64(extra), ",".join(map(_base64, path)) or "-"])


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
