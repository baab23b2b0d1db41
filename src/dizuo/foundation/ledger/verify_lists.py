"""Every list of tags that the log holds, made again from the leaves: a root that is not theirs could hide an entry from its person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from dizuo.foundation.ledger.merkle import Digest, Edge, leaf_hash
from dizuo.foundation.store.connection import Connection

# Plain columns of plain tables, as in `verify`.
_LISTS: Final = """
SELECT e.id, l.seq, e.body FROM ledger.entry e JOIN ledger.leaf l ON l.entry = e.id WHERE e.kind = 'ledger.tags' ORDER BY l.seq
"""
_TAGS: Final = "SELECT tag FROM ledger.leaf WHERE seq >= $1 AND seq < $2 AND tag IS NOT NULL ORDER BY tag"
_AT_ONCE: Final = 10_000


async def wrong_lists(connection: Connection, digest: Digest) -> AsyncIterator[tuple[int, int, str]]:
    """(entry, place, what it speaks of) of each list whose root or number of tags is not that of its leaves."""
    for row in await connection.fetch(_LISTS):
        body: Mapping[str, Any] = row["body"]
        low, high = body.get("from"), body.get("to")
        if not (isinstance(low, int) and isinstance(high, int) and 0 <= low < high <= row["seq"]):
            yield row["id"], row["seq"], "没有的叶子"
            continue
        edge = Edge(digest=digest)
        some: list[bytes] = []
        async for one in connection.cursor(_TAGS, low, high, prefetch=_AT_ONCE):
            some.append(leaf_hash(one["tag"], digest))
            if len(some) == _AT_ONCE:
                _grow(edge, some)
        _grow(edge, some)
        if (body.get("tags"), body.get("root")) != (edge.size, edge.root().hex()):
            yield row["id"], row["seq"], f"位置 {low}–{high - 1}"


def _grow(edge: Edge, leaves: list[bytes]) -> None:
    for _ in edge.grow(leaves, 64):
        pass
    leaves.clear()
