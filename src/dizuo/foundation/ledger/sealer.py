"""The one writer that gives entries their places in the tree and signs the tree's head."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from dizuo.foundation.ledger.entry import numbered_leaf
from dizuo.foundation.ledger.errors import LedgerBroken
from dizuo.foundation.ledger.merkle import Edge, full_subtrees, leaf_hash, sha256
from dizuo.foundation.ledger.notes import Checkpoint, Signer
from dizuo.foundation.ledger.suites import INTERNATIONAL
from dizuo.foundation.ledger.tree import STEP, heads
from dizuo.foundation.store.connection import Connection, Pool, Row
from dizuo.foundation.store.pool import CONNECTION_LOST
from dizuo.foundation.store.queries import Queries

LOCK: Final = 7_315_002
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_log = logging.getLogger(__name__)


class _Placed(NamedTuple):
    """An entry that has its leaf now."""

    entry: int
    hash: bytes


class Sealer:
    """Seals what has been committed; any number of processes may run one, the database lets one write at a time.

    ``interval`` is the least time in seconds from the beginning of one sealing to that of the next, ``batch`` the most
    entries under one statement. An entry waits for at most one interval and its own sealing. Writers wake nobody: NOTIFY
    makes the commits of all writers take turns, and a look that finds nothing costs less than a millisecond.
    """

    def __init__(
        self, pool: Pool, key: Signer, origin: str, *, interval: float = 0.25, batch: int = 20_000
    ) -> None:
        self._pool = pool
        self._key = key
        self._origin = origin
        self._interval = interval
        self._batch = batch
        self._digest = key.public.digest
        self._edge: Edge | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until ``stop`` is set, then once more. A lost database is waited for; a broken ledger ends it.

        Errors: LedgerBroken.
        """
        clock = asyncio.get_running_loop().time
        while True:
            last = stop.is_set()
            until = clock() + self._interval
            try:
                await self.seal_once()
            except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
                self._edge = None
                _log.warning("sealing waits for the database: %s", error)
            if last:
                return
            try:
                # From beginning to beginning: what is sealed slowly is not waited for twice.
                await asyncio.wait_for(stop.wait(), max(until - clock(), self._interval / 10))
            except TimeoutError:
                continue

    async def seal_once(self) -> int:
        """Seal everything that is due; returns how many entries. Zero also when another process is sealing.

        Errors: LedgerBroken when what is stored does not lead to the last signed root.
        """
        sealed = 0
        while True:
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                        return sealed
                    count = await self._seal_batch(connection)
            except BaseException:
                self._edge = None  # it may be ahead of what was committed
                raise
            sealed += count
            if count < self._batch:
                return sealed

    async def _seal_batch(self, connection: Connection) -> int:
        await connection.execute(_QUERIES["open_due"])  # what opens now is placed at the next sealing
        head = await connection.fetchrow(_QUERIES["last_checkpoint"])
        edge = await self._edge_at(connection, head)
        size, tx, entry = (head["size"], head["tx"], head["entry"]) if head else (0, "0", 0)
        await self._check_suite(connection, head)
        if head and await connection.fetchval(_QUERIES["moved"], tx):
            rows = await self._placed(connection, size, "0", 0, moved=True)
            # Start counting anew from this server's own numbers, once the entries it brought along are under a head.
            last_tx, last_entry = "0", 0
            if len(rows) == self._batch:
                last_tx, last_entry = tx, entry
            elif not rows:
                return 0
            else:
                last_tx = str(
                    await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
                )
        else:
            rows = await self._placed(connection, size, tx, entry, moved=False)
            if not rows:
                return 0
            last_entry = rows[-1].entry
            last_tx = str(await connection.fetchval(_QUERIES["tx_of"], last_entry))
        await self._keep(connection, edge, [row.hash for row in rows], last_tx, last_entry)
        return len(rows)

    async def _check_suite(self, connection: Connection, head: Row | None) -> None:
        """One suite for the life of a ledger: the first checkpoint chooses it."""
        own, chosen = self._key.public.suite.name, head["suite"] if head else None
        if head is None and own != INTERNATIONAL.name:
            if await connection.fetchval(_QUERIES["suite"]) is None:
                await connection.execute(_QUERIES["choose_suite"], own)
        elif head is not None and (chosen or INTERNATIONAL.name) != own:
            raise LedgerBroken(f"账本用的是 {chosen or INTERNATIONAL.name}，钥匙却是 {own} 的")

    async def _placed(
        self, connection: Connection, size: int, tx: str, entry: int, *, moved: bool
    ) -> list[_Placed]:
        """What is due, with its leaves kept: hashed in the database, or here where the database lacks the hash."""
        if self._digest is sha256:
            rows = await connection.fetch(_QUERIES["place"], size, tx, entry, self._batch, moved)
            return [_Placed(row["entry"], row["hash"]) for row in rows]
        rows = await connection.fetch(_QUERIES["number"], size, tx, entry, self._batch, moved)
        hashes = [
            leaf_hash(numbered_leaf(row["tag"], row["content"], self._digest), self._digest) for row in rows
        ]
        await connection.execute(
            _QUERIES["add_leaves"],
            [row["seq"] for row in rows], [row["entry"] for row in rows], hashes, [row["tag"] for row in rows],
        )  # fmt: skip
        return [_Placed(row["entry"], value) for row, value in zip(rows, hashes, strict=True)]

    async def _keep(
        self, connection: Connection, edge: Edge, hashes: Sequence[bytes], tx: str, entry: int
    ) -> None:
        nodes = list(edge.grow(hashes, STEP))
        if nodes:
            levels, positions, values = zip(*nodes, strict=True)
            await connection.execute(_QUERIES["add_nodes"], levels, positions, values)
        checkpoint = Checkpoint(self._origin, edge.size, edge.root())
        note = checkpoint.signed(self._key)
        await connection.execute(_QUERIES["add_checkpoint"], edge.size, checkpoint.root, note, tx, entry)

    async def _edge_at(self, connection: Connection, head: Row | None) -> Edge:
        """The right edge at the last checkpoint: the one in memory, or read back and checked against the signature."""
        size = head["size"] if head else 0
        if self._edge is None or self._edge.size != size:
            spans = full_subtrees(0, size)
            known = await heads(connection, spans, self._digest)
            self._edge = Edge(size, [known[span] for span in spans], self._digest)
        if head:
            signed = Checkpoint.open(head["note"], self._key.public)
            if (signed.size, signed.root) != (size, self._edge.root()) or signed.origin != self._origin:
                self._edge = None
                raise LedgerBroken(f"第 {size} 条处，存着的节点和签过的根不同")
        return self._edge
