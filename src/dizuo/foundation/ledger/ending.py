"""Where a person's list ends: lines from which anybody sees that no leaf under a checkpoint bears the person's next tag.

Of each run of leaves with a list: the entry that holds the list's root, and the two neighbours between which the tag would stand. Of the
leaves behind them: the leaves themselves.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dizuo.foundation.ledger.entry import CONTENT, extra_bytes, lines_of
from dizuo.foundation.ledger.merkle import Digest, full_subtrees, inclusion_ranges, leaf_hash
from dizuo.foundation.ledger.proofs import range_heads
from dizuo.foundation.ledger.segments import BLOCK, cut, head_over
from dizuo.foundation.ledger.tree import heads
from dizuo.foundation.store.connection import Connection, Row
from dizuo.foundation.store.queries import Queries

MOST_REST: Final = 8_192
"""Leaves without a list, up to which a file carries them: 64 characters each."""
_BUNDLE: Final = 256
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
Run = tuple[int, int]


async def ending(connection: Connection, size: int, tag: bytes, digest: Digest) -> list[str]:
    """The lines about a tag and the first ``size`` leaves; none when it cannot be shown shortly now (lists lag behind, older leaves).

    `tags PLACE ENTRY PATH LEFT RIGHT` for each list, `rest FROM EDGE LEAVES` at the end. Errors: LedgerBroken.
    """
    chosen = await connection.fetch(_QUERIES["segments"], size)
    begin = chosen[-1]["high"] if chosen else 0
    if size - begin > MOST_REST:
        return []
    rest = await _rest(connection, begin, size, digest)
    if rest is None:
        return []
    ranges = {row["low"]: inclusion_ranges(row["seq"], size) for row in chosen}
    flat = sorted({one for some in ranges.values() for one in some})
    known = dict(zip(flat, await range_heads(connection, flat, digest), strict=True))
    between = await _neighbours(connection, chosen, tag, digest)
    lines: list[str] = []
    for row in chosen:
        extra = extra_bytes(row["id"], row["at"], row["kind"], row["body"], row["commitment"], row["tag"])
        path = _joined(known[one] for one in ranges[row["low"]])
        lines.append(
            " ".join(["tags", str(row["seq"]), _base64(extra), path, *between[row["low"], row["high"]]])
        )
    spans = full_subtrees(0, begin)
    edge = await heads(connection, spans, digest)
    lines.append(f"rest {begin} {_joined(edge[span] for span in spans)} {_base64(rest) or '-'}")
    return lines


async def _rest(connection: Connection, low: int, high: int, digest: Digest) -> bytes | None:
    """Tag and hash of the content of each leaf; None when one of them is older than tags."""
    pieces: list[bytes] = []
    for start in range(low, high, _BUNDLE):
        for row in await connection.fetch(_QUERIES["bundle"], start, min(start + _BUNDLE, high)):
            if row["tag"] is None:
                return None
            content = lines_of(CONTENT, row["id"], row["at"], row["kind"], row["body"], row["commitment"])
            pieces += [row["tag"], digest(content)]
    return b"".join(pieces)


async def _neighbours(
    connection: Connection, chosen: Sequence[Row], tag: bytes, digest: Digest
) -> Mapping[Run, tuple[str, str]]:
    """By run: the tag before and the tag behind ours in its list, each with its number and path; '-' beyond an end."""
    blocks: dict[Run, tuple[list[bytes], list[bytes]]] = {
        (row["low"], row["high"]): ([], []) for row in chosen
    }
    lows, highs = [row["low"] for row in chosen], [row["high"] for row in chosen]
    for row in await connection.fetch(_QUERIES["block_heads"], lows, highs):
        firsts, hashes = blocks[row["low"], row["high"]]
        firsts.append(row["first"])
        hashes.append(row["hash"])
    # Ours would stand in the last block that begins before it; who comes behind it may begin the next.
    at = {run: bisect_right(firsts, tag) - 1 for run, (firsts, _) in blocks.items()}
    wanted = [
        (*run, number) for run, (firsts, _) in blocks.items() for number in (at[run], at[run] + 1) if 0 <= number < len(firsts)
    ]  # fmt: skip
    rows: Sequence[Row] = ()
    if wanted:
        rows = await connection.fetch(_QUERIES["block_tags"], *map(list, zip(*wanted, strict=True)))
    tags = {(row["low"], row["block"]): cut(row["tags"]) for row in rows}
    found: dict[Run, tuple[str, str]] = {}
    for run, (firsts, hashes) in blocks.items():
        number, left, right = at[run], "-", "-"
        if number >= 0:
            here = tags[run[0], number]
            inside = bisect_right(here, tag)
            above = _path(hashes, number, digest)  # over both, nearly always
            left = _placed(here, number, inside - 1, above, digest)
            if inside < len(here):
                right = _placed(here, number, inside, above, digest)
        if right == "-" and number + 1 < len(firsts):
            above = _path(hashes, number + 1, digest)
            right = _placed(tags[run[0], number + 1], number + 1, 0, above, digest)
        found[run] = left, right
    return found


def _placed(tags: Sequence[bytes], block: int, inside: int, above: Sequence[bytes], digest: Digest) -> str:
    """NUMBER:TAG:PATH of one tag of a list."""
    leaves = [leaf_hash(one, digest) for one in tags]
    path = [*_path(leaves, inside, digest), *above]
    return f"{block * BLOCK + inside}:{tags[inside].hex()}:{_joined(path)}"


def _path(values: Sequence[bytes], index: int, digest: Digest) -> list[bytes]:
    return [head_over(values[start:end], digest) for start, end in inclusion_ranges(index, len(values))]


def _joined(values: Iterable[bytes]) -> str:
    return ",".join(map(_base64, values)) or "-"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
