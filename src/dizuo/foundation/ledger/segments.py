"""Lists of tags (标签段): the sorted tags of whole runs of leaves, each with its root as an entry of the log.

Made behind the sealer, off its way. With them a person's file shows shortly that no leaf bears the person's next tag (`ending`).
A root says what the operator says it says: `verify` and tools/verify_mine.py compute it again from the leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, NamedTuple

import asyncpg

from dizuo.foundation.ledger.entry import TAG_SIZE
from dizuo.foundation.ledger.merkle import Digest, Edge, leaf_hash
from dizuo.foundation.ledger.suites import suite_named
from dizuo.foundation.store.connection import Connection, Pool
from dizuo.foundation.store.pool import CONNECTION_LOST
from dizuo.foundation.store.queries import Queries

KIND: Final = "ledger.tags"
RUN: Final = 1_024
"""Leaves of the shortest run; sixteen runs make one of the next length."""
FAN: Final = 16
LENGTHS: Final = 4
BLOCK: Final = 256
LOCK: Final = 7_315_003
PAUSE: Final = 1.0
"""Seconds between looks at what was sealed since: at some thousand entries a second a file can still carry what has no list yet."""
_TIDY: Final = 3_600.0
_MOST: Final = 64
_TALLER: Final = 64
"""No subtree is so high: none is to be told."""
_SLICE: Final = 65_536
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


class Block(NamedTuple):
    """A full subtree of a list, or what is left at its end: its number, first tag, tags, head."""

    number: int
    first: bytes
    tags: bytes
    head: bytes


class TagList:
    """A list as it grows in order: blocks of 256 tags, their heads, and the root over all (RFC 9162, leaves are tags)."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._blocks = Edge(digest=digest)
        self._rest: list[bytes] = []
        self.count = 0

    def add(self, tags: Iterable[bytes], *, last: bool = False) -> list[Block]:
        """Take the next tags; gives the blocks that are whole now, with ``last`` also the one that is not."""
        self._rest += tags
        done = len(self._rest) if last else len(self._rest) - len(self._rest) % BLOCK
        made = [self._block(self._rest[n : min(n + BLOCK, done)]) for n in range(0, done, BLOCK)]
        del self._rest[:done]
        return made

    def _block(self, tags: Sequence[bytes]) -> Block:
        number = self._blocks.size
        head = tags_head(tags, self._digest)
        self._blocks.append(head)
        self.count += len(tags)
        return Block(number, tags[0], b"".join(tags), head)

    def root(self) -> bytes:
        """The root over what was taken; call it after the last."""
        return self._blocks.root()


def tags_head(tags: Iterable[bytes], digest: Digest) -> bytes:
    """The head of the tree over these tags."""
    return head_over([leaf_hash(tag, digest) for tag in tags], digest)


def head_over(values: Iterable[bytes], digest: Digest) -> bytes:
    """The head of the tree over these hashes."""
    edge = Edge(digest=digest)
    for _ in edge.grow(values, _TALLER):
        pass
    return edge.root()


def cut(tags: bytes) -> list[bytes]:
    """Tags one after another as a list."""
    return [tags[n : n + TAG_SIZE] for n in range(0, len(tags), TAG_SIZE)]


async def make_segments(pool: Pool, *, run: int = RUN) -> int:
    """Make the lists that are due, at most 64; returns how many. ``pool`` signs in as dizuo_sealer; processes take turns."""
    for made in range(_MOST):
        async with pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                return made
            due = await _due(connection, run)
            if due is None:
                return made
            await _make(connection, *due)
    return _MOST


async def let_parts_go(pool: Pool) -> None:
    """Delete the blocks of runs that have been part of a longer run with a list for a day."""
    await pool.execute(_QUERIES["let_blocks_go"])


async def segments_by_the_clock(pool: Pool, stop: asyncio.Event) -> None:
    """Make lists of tags, and let those go that longer ones replace, until ``stop`` is set. A lost database is waited for."""
    clock = asyncio.get_running_loop().time
    tidied = -_TIDY
    while not stop.is_set():
        try:
            if await make_segments(pool) == _MOST:
                continue
            if clock() - tidied >= _TIDY:
                await let_parts_go(pool)
                tidied = clock()
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            pass  # the sealer says so; what was not made is made next time
        try:
            await asyncio.wait_for(stop.wait(), PAUSE)
        except TimeoutError:
            continue


async def _due(connection: Connection, run: int) -> tuple[int, int, int] | None:
    """(from, to, length of its parts) of a run whose list can be made now; the shortest have no parts."""
    head = await connection.fetchrow(_QUERIES["last_checkpoint"])
    reach, part = head["size"] if head else 0, 0
    for length in (run * FAN**n for n in range(LENGTHS)):
        low: int = await connection.fetchval(_QUERIES["segments_to"], length)
        if low + length <= reach:
            return low, low + length, part
        reach, part = low, length
    return None


async def _make(connection: Connection, low: int, high: int, part: int) -> None:
    made = TagList(suite_named(await connection.fetchval(_QUERIES["suite"])).digest)
    async for tags in _in_order(connection, low, high, part):
        # Hashing a long list takes seconds: the sealer of this process goes on meanwhile.
        await _keep(connection, low, high, await asyncio.to_thread(made.add, tags))
    await _keep(connection, low, high, made.add((), last=True))
    root = made.root()
    body = {"from": low, "to": high, "tags": made.count, "root": root.hex()}
    entry = await connection.fetchval(_QUERIES["enter_tags"], body)
    await connection.execute(_QUERIES["add_segment"], low, high, made.count, root, entry)


async def _keep(connection: Connection, low: int, high: int, blocks: Sequence[Block]) -> None:
    if blocks:
        numbers, firsts, tags, hashes = zip(*blocks, strict=True)
        await connection.execute(_QUERIES["add_blocks"], low, high, numbers, firsts, tags, hashes)


async def _in_order(connection: Connection, low: int, high: int, part: int) -> AsyncIterator[list[bytes]]:
    """The tags of a run in order, some ten thousand at once: from its leaves, or from the lists of its parts."""
    if not part:
        yield [row["tag"] for row in await connection.fetch(_QUERIES["run_tags"], low, high)]
        return
    slices = max(1, min(_SLICE, (high - low) // _SLICE))
    # Tags are hashes: even in their first two bytes.
    bounds = [(n * 65_536 // slices).to_bytes(2, "big") + bytes(TAG_SIZE - 2) for n in range(slices)]
    for begin, end in zip(bounds, [*bounds[1:], None], strict=True):
        rows = await connection.fetch(_QUERIES["part_blocks"], low, high, part, begin, end)
        yield await asyncio.to_thread(_between, [row["tags"] for row in rows], begin, end)


def _between(blocks: Sequence[bytes], begin: bytes, end: bytes | None) -> list[bytes]:
    found = [tag for block in blocks for tag in cut(block)]
    return sorted(tag for tag in found if tag >= begin and (end is None or tag < end))
