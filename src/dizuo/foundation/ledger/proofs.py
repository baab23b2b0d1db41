"""Proofs that a person can keep: one text file that anybody checks without the database (C2SP tlog-proof v1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from dizuo.foundation.ledger.entry import CONTENT, HEADER, EntryView, extra_bytes, leaf_of_extra
from dizuo.foundation.ledger.errors import EntryNotSealed, EntryUnknown, ProofInvalid
from dizuo.foundation.ledger.merkle import (
    Digest,
    consistency_ranges,
    full_subtrees,
    inclusion_ranges,
    leaf_hash,
    range_head,
    verify_inclusion,
)
from dizuo.foundation.ledger.notes import Checkpoint, PublicKey
from dizuo.foundation.ledger.suites import suite_named
from dizuo.foundation.ledger.tree import heads
from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.queries import Queries

FORMAT: Final = "c2sp.org/tlog-proof@v1"
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Proven:
    """What a valid proof shows: this entry stands at ``index`` of the ``checkpoint``'s tree."""

    id: int
    at: datetime
    kind: str
    body: Mapping[str, Any]
    commitment: bytes
    index: int
    checkpoint: Checkpoint
    tag: bytes | None = None


async def entries_of(
    connection: Connection, subject: int, *, before: int | None = None, limit: int = 50
) -> list[EntryView]:
    """Entries about one person, newest first, for 我的数据 (个人信息保护法 §45); ``before`` is the last id of the page above.

    The caller enters this reading in the ledger as well.
    """
    rows = await connection.fetch(_QUERIES["entries_of"], subject, before, limit)
    return [
        EntryView(row["id"], row["at"], row["kind"], row["body"], row["payload"], row["seq"]) for row in rows
    ]


async def proof(connection: Connection, entry: int) -> bytes:
    """The proof of one entry under the newest checkpoint, the newest that witnesses signed if there is one, as a text file (``.tlog-proof``).

    It holds the entry without anything personal, its path, and the signed checkpoint. Errors: EntryUnknown,
    EntryNotSealed (a moment after it was made), LedgerBroken.
    """
    row = await connection.fetchrow(_QUERIES["covered"], entry)
    if row is None:
        raise EntryUnknown(entry)
    head = None
    if row["seq"] is not None:
        head = await connection.fetchrow(_QUERIES["proving_checkpoint"], row["seq"])
    if head is None:
        raise EntryNotSealed(entry)
    ranges = inclusion_ranges(row["seq"], head["size"])
    path = await range_heads(connection, ranges, suite_named(head["suite"]).digest)
    extra = extra_bytes(row["id"], row["at"], row["kind"], row["body"], row["commitment"], row["tag"])
    lines = [
        FORMAT,
        f"extra {_base64(extra)}",
        f"index {row['seq']}",
        *map(_base64, path),
        "",
        head["note"] + head["cosignatures"],
    ]
    return "\n".join(lines).encode()


async def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` entries only added to the tree of ``old``, for witnesses and auditors."""
    suite = suite_named(await connection.fetchval(_QUERIES["suite"]))
    return await range_heads(connection, consistency_ranges(old, new), suite.digest)


async def range_heads(
    connection: Connection, ranges: Sequence[tuple[int, int]], digest: Digest
) -> list[bytes]:
    """The heads of ranges of leaves, from one look at the kept tree. Errors: LedgerBroken."""
    spans = [span for start, end in ranges for span in full_subtrees(start, end)]
    known = await heads(connection, spans, digest)
    return [range_head(start, end, known.__getitem__, digest) for start, end in ranges]


def verify_proof(text: bytes | str, key: PublicKey) -> Proven:
    """Check a proof with nothing but the ledger's public key. Errors: ProofInvalid, CheckpointInvalid."""
    if len(text) > _LIMIT:
        raise ProofInvalid("文件太大")
    try:
        whole = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise ProofInvalid("不是文本文件") from error
    above, separator, note = whole.partition("\n\n")
    lines = above.split("\n")
    if not separator or lines[0] != FORMAT:
        raise ProofInvalid(f"第一行应是 {FORMAT}")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise ProofInvalid("第二、三行应是 extra 和 index")
    covered = _unbase64(lines[1].removeprefix("extra "))
    index = lines[2].removeprefix("index ")
    if not (index.isascii() and index.isdigit() and len(index) < 19):
        raise ProofInvalid("index 不是数字")
    if len(lines) > 3 + 64:
        raise ProofInvalid("路径太长")
    checkpoint = Checkpoint.open(note, key)
    path = [_unbase64(line) for line in lines[3:]]
    leaf, content, tag = leaf_of_extra(covered, key.digest)
    value = leaf_hash(leaf, key.digest)
    if not verify_inclusion(int(index), checkpoint.size, value, path, checkpoint.root, key.digest):
        raise ProofInvalid("条目、位置或路径被改过，算不出签过名的根")
    return read_lines(content, tag, int(index), checkpoint)


def read_lines(covered: bytes, tag: bytes | None, index: int, checkpoint: Checkpoint) -> Proven:
    """The entry's six lines. They are signed for by now, so what does not fit comes from another program."""
    names = ["id", "at", "kind", "body", "commitment"]
    lines = covered.decode("utf-8", "replace").split("\n")
    if (
        len(lines) != 7
        or lines[0] != (HEADER if tag is None else CONTENT)
        or any(not line.startswith(f"{name} ") for name, line in zip(names, lines[1:6], strict=True))
    ):
        raise ProofInvalid("条目的格式不认识，可能来自更新的版本")
    number, at, kind, body, commitment = (
        line.removeprefix(f"{name} ") for name, line in zip(names, lines[1:6], strict=True)
    )
    try:
        return Proven(
            int(number),
            datetime.fromisoformat(at),
            kind,
            msgspec.json.decode(body),
            bytes.fromhex(commitment),
            index,
            checkpoint,
            tag,
        )
    except (ValueError, msgspec.DecodeError) as error:
        raise ProofInvalid("条目的格式不认识，可能来自更新的版本") from error


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofInvalid("有一行不是 base64") from error
