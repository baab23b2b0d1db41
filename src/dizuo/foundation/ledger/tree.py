"""Reading the kept tree: the hash of any full subtree from a few dozen rows.

Kept are the leaves and every fourth level above them. A subtree between two kept levels is put together from at most
eight hashes of the level below, so a proof over a billion entries reads about two hundred short rows in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dizuo.foundation.ledger.errors import LedgerBroken
from dizuo.foundation.ledger.merkle import Digest, Span, node_hash, sha256
from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.queries import Queries

STEP: Final = 4
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


async def heads(connection: Connection, spans: Sequence[Span], digest: Digest = sha256) -> dict[Span, bytes]:
    """The hashes of full subtrees. Errors: LedgerBroken when a kept hash is missing."""
    if not spans:
        return {}
    ranges = {span: _kept_range(span) for span in spans}
    asked = sorted(set(ranges.values()))
    rows = await connection.fetch(
        _QUERIES["nodes"],
        [level for level, _, _ in asked],
        [low for _, low, _ in asked],
        [high for _, _, high in asked],
    )
    kept: dict[Span, bytes] = {(row["level"], row["position"]): row["hash"] for row in rows}
    return {span: _fold(kept, *ranges[span], digest) for span in spans}


def _kept_range(span: Span) -> tuple[int, int, int]:
    """(kept level, from, to) of the hashes below a subtree."""
    level, position = span
    base = level - level % STEP
    width = 1 << (level - base)
    return base, position * width, (position + 1) * width


def _fold(kept: dict[Span, bytes], level: int, low: int, high: int, digest: Digest) -> bytes:
    try:
        values = [kept[level, position] for position in range(low, high)]
    except KeyError as error:
        raise LedgerBroken(f"缺少第 {level} 层的节点 {error.args[0][1]}") from None
    while len(values) > 1:
        values = [node_hash(values[n], values[n + 1], digest) for n in range(0, len(values), 2)]
    return values[0]
