"""Verification: everything is computed again from the entries and held against what was signed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from dizuo.foundation.ledger.complete import key_after, tags_from
from dizuo.foundation.ledger.entry import numbered_leaf
from dizuo.foundation.ledger.errors import CheckpointInvalid
from dizuo.foundation.ledger.merkle import Edge, leaf_hash, sha256
from dizuo.foundation.ledger.notes import Checkpoint, PublicKey
from dizuo.foundation.ledger.tree import STEP
from dizuo.foundation.ledger.verify_lists import wrong_lists
from dizuo.foundation.store.connection import Connection, Row

Progress = Callable[[int, int], None]
"""Told (leaves done, leaves in all)."""

Kind = Literal[
    "altered",
    "removed",
    "reordered",
    "truncated",
    "forked",
    "unsealed",
    "erased",
    "checkpoint",
    "misnumbered",
]

_CHUNK: Final = 10_000
_PERSONS: Final = 2_000
_SHOWN: Final = 50

# Plain columns of plain tables: a stored function or a view could be made to tell an old story.
_ROWS: Final = r"""
SELECT l.seq, l.entry, l.hash, e.commitment,
       convert_to(CASE WHEN l.tag IS NULL THEN 'dizuo-entry/1' ELSE 'dizuo-content/2' END || E'\nid ' || e.id::text
           || E'\nat ' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
           || E'\nkind ' || e.kind || E'\nbody ' || e.body::text
           || E'\ncommitment ' || encode(e.commitment, 'hex') || E'\n', 'UTF8') AS covered,
       e.salt || convert_to(coalesce(e.subject::text, '') || E'\n' || coalesce(e.payload::text, ''), 'UTF8') AS personal,
       e.salt IS NULL AND (e.subject IS NOT NULL OR e.payload IS NOT NULL) AS unbound,
       e.erased_by, l.tag
FROM ledger.leaf l LEFT JOIN ledger.entry e ON e.id = l.entry
WHERE l.seq >= $1 AND l.seq < $2 ORDER BY l.seq
"""
_NUMBERS: Final = """
SELECT p.subject, p.first, p.first_key, p.next, p.next_key,
       array(SELECT l.tag FROM ledger.entry e JOIN ledger.leaf l ON l.entry = e.id
             WHERE e.subject = p.subject AND l.tag IS NOT NULL ORDER BY l.seq) AS tags
FROM ledger.person p WHERE p.subject > $1 ORDER BY p.subject LIMIT $2
"""
_ERASED_TAGS: Final = """
SELECT g.tag FROM ledger.erased_tag g JOIN ledger.leaf l ON l.entry = g.entry AND l.tag = g.tag
JOIN ledger.entry e ON e.id = g.entry WHERE g.tag = ANY ($1) AND e.erased_by IS NOT NULL
"""
# An opening says what lay under the seal. The sealed entry's own commitment is checked with its leaf.
_MISOPENED: Final = """
SELECT o.id FROM ledger.entry o JOIN ledger.entry s ON s.id = (o.body ->> 'entry')::bigint AND s.kind = 'sealed'
WHERE o.kind = 'sealed.opened' AND s.erased_by IS NULL
  AND (s.payload -> 'sealed' -> 'kind' IS DISTINCT FROM o.body -> 'kind'
       OR s.payload -> 'sealed' -> 'body' IS DISTINCT FROM o.body -> 'said') ORDER BY o.id LIMIT 50
"""
_NAMELESS: Final = """
SELECT e.id, l.seq FROM ledger.entry e JOIN ledger.leaf l ON l.entry = e.id
WHERE e.subject IS NOT NULL AND l.tag IS NOT NULL AND NOT EXISTS (SELECT FROM ledger.person p WHERE p.subject = e.subject)
ORDER BY l.seq LIMIT 50
"""
_NODES: Final = (
    "SELECT level, position, hash FROM ledger.node WHERE level = 4 AND position >= $1 AND position < $2"
)
_UPPER_NODES: Final = "SELECT level, position, hash FROM ledger.node WHERE level > 4"
_CHECKPOINTS: Final = "SELECT size, root, note FROM ledger.checkpoint ORDER BY size"
_UNJUSTIFIED: Final = """
SELECT e.id FROM ledger.entry e LEFT JOIN ledger.entry r ON r.id = e.erased_by AND r.kind = 'ledger.erase'
WHERE e.erased_by IS NOT NULL AND (r.id IS NULL OR NOT r.body -> 'entries' @> to_jsonb(e.id)) ORDER BY e.id LIMIT 50
"""
_UNSEALED: Final = """
SELECT count(*) AS pending,
       count(*) FILTER (WHERE (e.tx, e.id) <= (c.tx, c.entry)) AS skipped,
       min(e.id) FILTER (WHERE (e.tx, e.id) <= (c.tx, c.entry)) AS example
FROM ledger.entry e LEFT JOIN (SELECT tx, entry FROM ledger.checkpoint ORDER BY size DESC LIMIT 1) c ON true
WHERE NOT EXISTS (SELECT FROM ledger.leaf l WHERE l.entry = e.id)
"""


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was signed; ``message`` is for people, ``entry`` and ``seq`` where known."""

    kind: Kind
    message: str
    entry: int | None = None
    seq: int | None = None


@dataclass(frozen=True)
class Report:
    """What verification found. ``counts`` holds every problem by kind, ``problems`` the first fifty of each."""

    sealed: int
    pending: int
    erased: int
    checkpoints: int
    root: bytes
    problems: tuple[Problem, ...]
    counts: dict[Kind, int]
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.counts


async def verify(
    connection: Connection,
    key: PublicKey,
    *,
    kept: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Recompute every leaf, subtree and signed root, streamed, in one read-only snapshot; needs the owner's rights.

    ``kept`` is a checkpoint that somebody stored outside (a signed note): only that can show a ledger cut short or
    written anew together with its own checkpoints. Errors: CheckpointInvalid when ``kept`` is not signed by ``key``.
    """
    outside = Checkpoint.open(kept, key) if kept is not None else None
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # Leaves and entries are in nearly the same order: looking entries up beats joining the whole tables.
        await connection.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        return await _Verification(connection, key, outside, progress or _silent).run()


class _Verification:
    def __init__(
        self, connection: Connection, key: PublicKey, outside: Checkpoint | None, tell: Progress
    ) -> None:
        self._connection = connection
        self._key = key
        self._outside = outside
        self._tell = tell
        self._digest = key.digest
        self._edge = Edge(digest=key.digest)
        self._problems: list[Problem] = []
        self._counts: Counter[Kind] = Counter()
        self._erased = 0
        self._roots: dict[int, bytes] = {}
        self._upper: dict[tuple[int, int], bytes] = {}

    async def run(self) -> Report:
        began = time.perf_counter()
        total = await self._connection.fetchval("SELECT coalesce(max(seq) + 1, 0) FROM ledger.leaf")
        signed = await self._connection.fetch(_CHECKPOINTS)
        sizes = {row["size"] for row in signed} | ({self._outside.size} if self._outside else set[int]())
        for row in await self._connection.fetch(_UPPER_NODES):
            self._upper[row["level"], row["position"]] = row["hash"]
        for start in range(0, total, _CHUNK):
            await self._chunk(start, min(start + _CHUNK, total), sizes)
            self._tell(min(start + _CHUNK, total), total)
        for level, position in self._upper:
            self._add(Problem("checkpoint", f"多出一个第 {level} 层的节点 {position}"))
        self._check_checkpoints(signed, total)
        await self._check_erased()
        await self._check_numbers()
        async for entry, seq, what in wrong_lists(self._connection, self._digest):
            self._add(
                Problem("altered", f"第 {entry} 条里{what}的标签根不是那些叶子的：可能藏了条目", entry, seq)
            )
        pending = await self._check_unsealed()
        return Report(
            sealed=total,
            pending=pending,
            erased=self._erased,
            checkpoints=len(signed),
            root=self._edge.root(),
            problems=tuple(self._problems),
            counts=dict(self._counts),
            seconds=time.perf_counter() - began,
        )

    # ------------------------------------------------------------------ leaves

    async def _chunk(self, start: int, end: int, sizes: set[int]) -> None:
        rows = await self._connection.fetch(_ROWS, start, end)
        stored = await self._connection.fetch(_NODES, start >> STEP, (end + (1 << STEP) - 1) >> STEP)
        nodes = {(row["level"], row["position"]): row["hash"] for row in stored}
        if len(rows) != end - start or rows[0]["seq"] != start:
            self._report_gaps(rows, start, end)
        hashes = self._leaves(rows)
        cuts = sorted(size for size in sizes if start < size <= end)
        done = 0
        for cut in [*cuts, end]:
            self._grow(hashes[done : cut - start], nodes)
            done = cut - start
            if cut in sizes:
                self._roots[cut] = self._edge.root()
        for level, position in nodes:
            self._add(Problem("checkpoint", f"多出一个第 {level} 层的节点 {position}"))

    def _leaves(self, rows: Sequence[Row]) -> list[bytes]:
        """The leaf hashes computed from the entries themselves; where an entry is gone, the stored one stands in."""
        digest = self._digest
        hashes: list[bytes] = []
        for seq, entry, kept, commitment, covered, personal, unbound, erased_by, tag in rows:
            if covered is None:
                self._add(Problem("removed", f"第 {entry} 条被删除（位置 {seq}）", entry, seq))
                hashes.append(kept)
                continue
            value = leaf_hash(covered if tag is None else numbered_leaf(tag, covered, digest), digest)
            hashes.append(value)
            if value != kept:
                self._add(Problem("altered", f"第 {entry} 条的内容被改过（位置 {seq}）", entry, seq))
            if personal is not None:
                if sha256(personal) != commitment:
                    self._add(Problem("altered", f"第 {entry} 条的当事人或附带内容被改过", entry, seq))
            elif unbound or (commitment and erased_by is None):
                self._add(Problem("altered", f"第 {entry} 条的当事人或附带内容被换掉", entry, seq))
            elif commitment:
                self._erased += 1
        return hashes

    def _grow(self, hashes: Sequence[bytes], nodes: dict[tuple[int, int], bytes]) -> None:
        for level, position, value in self._edge.grow(hashes, STEP):
            kept = (nodes if level == STEP else self._upper).pop((level, position), None)
            if kept != value and level == STEP:
                first, last = position << level, ((position + 1) << level) - 1
                self._add(Problem("reordered", f"位置 {first}–{last} 的顺序或内容和编号时不同", seq=first))
            elif kept != value:
                self._add(Problem("checkpoint", f"第 {level} 层的节点 {position} 和条目不符"))

    def _report_gaps(self, rows: Sequence[Row], start: int, end: int) -> None:
        there = {row["seq"] for row in rows}
        for seq in range(start, end):
            if seq not in there:
                self._add(Problem("removed", f"位置 {seq} 空了：编号和条目都被删除", seq=seq))

    # --------------------------------------------------------------- signatures

    def _check_checkpoints(self, signed: Sequence[Row], total: int) -> None:
        for row in signed:
            try:
                checkpoint = Checkpoint.open(row["note"], self._key)
            except CheckpointInvalid as error:
                self._add(Problem("checkpoint", f"第 {row['size']} 条处的签名清单无效：{error.message}"))
                continue
            if checkpoint.size != row["size"] or checkpoint.root != row["root"]:
                self._add(Problem("checkpoint", f"第 {row['size']} 条处的签名清单被换过"))
            self._compare(checkpoint, total, "签名清单")
        if self._outside is not None:
            self._compare(self._outside, total, "您保存的签名清单")
        newest = signed[-1]["size"] if signed else 0
        if total > newest:
            self._add(Problem("checkpoint", f"位置 {newest}–{total - 1} 没有签名清单"))

    def _compare(self, checkpoint: Checkpoint, total: int, name: str) -> None:
        if checkpoint.size > total:
            gone = checkpoint.size - total
            self._add(
                Problem(
                    "truncated", f"{name}有 {checkpoint.size} 条，现在只有 {total} 条，末尾少了 {gone} 条"
                )
            )
        elif checkpoint.size and checkpoint.root != self._roots[checkpoint.size]:
            self._add(
                Problem(
                    "forked", f"前 {checkpoint.size} 条算出的根和{name}不同：有内容被改、删、换位或整段重写"
                )
            )

    async def _check_erased(self) -> None:
        for row in await self._connection.fetch(_UNJUSTIFIED):
            self._add(Problem("erased", f"第 {row['id']} 条被抹去而没有写明依据的条目", row["id"]))

    async def _check_numbers(self) -> None:
        """Every number of every person has one entry about that person, in the order of the leaves, or one that was erased."""
        await self._connection.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")
        for row in await self._connection.fetch(_MISOPENED):
            self._add(Problem("altered", f"第 {row['id']} 条公开的不是当初封存的内容", row["id"]))
        for row in await self._connection.fetch(_NAMELESS):
            self._add(Problem("misnumbered", f"第 {row['id']} 条有当事人却没有号", row["id"], row["seq"]))
        last = -(2**62)
        while rows := await self._connection.fetch(_NUMBERS, last, _PERSONS):
            last = rows[-1]["subject"]
            for row in rows:
                await self._check_person(row)

    async def _check_person(self, row: Row) -> None:
        right = dict(tags_from(row["first"], row["first_key"], row["next"] - 1))
        there = set(row["tags"])
        lacking = [number for number, tag in right.items() if tag not in there]
        if lacking:
            gone = await self._connection.fetch(_ERASED_TAGS, [right[number] for number in lacking])
            erased = {found["tag"] for found in gone}
            for number in lacking:
                if right[number] not in erased:
                    self._add(Problem("misnumbered", f"当事人 {row['subject']} 的第 {number} 号没有条目"))
        if list(row["tags"]) != [tag for tag in right.values() if tag in there]:
            self._add(Problem("misnumbered", f"当事人 {row['subject']} 的条目和编号不符，或次序不对"))
        key: bytes = row["first_key"]
        for _ in range(row["first"], row["next"]):
            key = key_after(key)
        if key != row["next_key"]:
            self._add(Problem("misnumbered", f"当事人 {row['subject']} 的编号钥匙被换过"))

    async def _check_unsealed(self) -> int:
        await self._connection.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")
        row = await self._connection.fetchrow(_UNSEALED)
        if row is None:
            return 0
        if row["skipped"]:
            self._add(
                Problem(
                    "unsealed",
                    f"有 {row['skipped']} 条插在已编号的条目之前，例如第 {row['example']} 条",
                    row["example"],
                )
            )
        return int(row["pending"])

    def _add(self, problem: Problem) -> None:
        self._counts[problem.kind] += 1
        if self._counts[problem.kind] <= _SHOWN:
            self._problems.append(problem)


def _silent(_done: int, _total: int) -> None:
    return None
