"""Settling: which identity every node has after this run. Yesterday's identities stay; what happens to them is an event.

An identity of yesterday is one vertex, older before newer, so that the oldest of a cluster keeps its number (cid). Only pairs of
this run move anything: a new node joins an identity or makes one, two identities that turn out to be one are merged, and two that
people judged to be different are taken apart, each piece with the number it had before it was merged.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dizuo.engines.lake.identity.cluster import MUST, Clusters, Facts, Ints, Pairs, cluster
from dizuo.engines.lake.identity.store import Store

_OLD: Final = 1 << 62
"""Vertices: a node is its number (below 2^62); identity c is c - 2^62, so older ones come first."""
_CONTINUED: Final = 40.0
"""Bits that a department's own record is still about the same person after it was changed."""


@dataclass(frozen=True)
class Decision:
    """What two officials judged (必连／禁连): two records are one person or are not. ``who`` and ``reason`` go into the event."""

    left: str
    right: str
    same: bool
    who: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Settled:
    """Counts of one entity's run."""

    new: int
    joined: int
    merged: int
    split: int
    moved: int
    held: int
    doubtful: int


def settle(store: Store, entity: str, upper: float, decisions: Sequence[Decision]) -> Settled:
    """Give every node its identity, write events and doubts; call it inside one transaction.

    Reads ``pair_<entity>`` (l, r, w), ``said_<entity>``, ``told_<entity>``.
    """
    work = _Settling(store, entity, upper, decisions)
    split = work.take_apart()
    work.gather()
    clusters = work.clusters()
    new, joined, merged = work.assign(clusters)
    moved = work.move_records()
    doubtful = work.keep_doubts(clusters)
    return Settled(new, joined, merged, split, moved, len(clusters.held), doubtful)


class _Settling:
    def __init__(self, store: Store, entity: str, upper: float, decisions: Sequence[Decision]) -> None:
        self._store = store
        self._sql = store.connection
        self._e = entity
        self._upper = upper
        self._events: list[tuple[Any, ...]] = []
        self._ord = store.number("SELECT max(ord) FROM event WHERE run = ?", [store.run])
        self._judge(decisions)

    # ------------------------------------------------------------------ before

    def _judge(self, decisions: Sequence[Decision]) -> None:
        """Decisions as pairs of nodes: table ``judged`` (l, r, same, who, reason). The last decision of a pair counts."""
        last = {(min(d.left, d.right), max(d.left, d.right)): d for d in decisions}
        given = list(last.values())
        columns = {
            "a": ("string", [d.left for d in given]),
            "b": ("string", [d.right for d in given]),
            "same": ("bool", [d.same for d in given]),
            "who": ("string", [d.who for d in given]),
            "reason": ("string", [d.reason for d in given]),
        }
        e = self._e
        with self._store.lent("given", columns):
            # A record of this run speaks through its new node, any other through the one it has. Where nobody judged, nobody is looked up.
            asked = "record_id IN (SELECT a FROM given UNION SELECT b FROM given)" if given else "FALSE"
            self._sql.execute(
                f"CREATE OR REPLACE TEMP TABLE spoken AS SELECT record_id, node FROM said_{e} WHERE {asked}"
                f" UNION ALL SELECT record_id, node FROM record_{e} WHERE {asked}"
                f" AND record_id NOT IN (SELECT record_id FROM said_{e})"
            )
            self._sql.execute(
                "CREATE OR REPLACE TEMP TABLE judged AS SELECT x.node AS l, y.node AS r, g.same, g.who, g.reason FROM given g"
                " JOIN spoken x ON x.record_id = g.a JOIN spoken y ON y.record_id = g.b WHERE x.node <> y.node"
            )

    def take_apart(self) -> int:
        """Split identities that hold two nodes judged to be different; returns how many pieces went."""
        e = self._e
        torn = self._store.rows(
            f"SELECT x.cid, j.l, j.r, j.who, j.reason FROM judged j JOIN member_{e} x ON x.node = j.l"
            f" JOIN member_{e} y ON y.node = j.r WHERE NOT j.same AND x.cid = y.cid ORDER BY 1, 2, 3"
        )
        went = 0
        for cid in sorted({int(row[0]) for row in torn}):
            mine = [row for row in torn if row[0] == cid]
            went += self._split(cid, mine)
        return went

    def _split(self, cid: int, judged: list[tuple[Any, ...]]) -> int:
        e, run = self._e, self._store.run
        links = self._sql.execute(
            f"SELECT l, r, max(w) AS w FROM link_{e} WHERE l IN (SELECT node FROM member_{e} WHERE cid = {cid})"
            f" AND r IN (SELECT node FROM member_{e} WHERE cid = {cid}) GROUP BY l, r"
        ).fetchnumpy()
        members = self._store.rows(
            f"SELECT node, origin FROM member_{e} WHERE cid = ? ORDER BY origin, node", [cid]
        )
        loops = np.array([node for node, _ in members], np.int64)  # so that every node is a vertex
        apart = tuple((int(row[1]), int(row[2])) for row in judged)
        found = cluster(
            Pairs(
                np.concatenate([np.asarray(links["l"], np.int64), loops]),
                np.concatenate([np.asarray(links["r"], np.int64), loops]),
                np.concatenate([np.asarray(links["w"], np.float32), np.zeros(len(loops), np.float32)]),
            ),
            self._facts(f"SELECT node AS v, node FROM member_{e} WHERE cid = {cid}", apart),
        )
        label_of = dict(zip(found.vertices.tolist(), found.labels.tolist(), strict=True))
        pieces: dict[int, list[tuple[int, int]]] = {}
        for node, origin in members:
            pieces.setdefault(label_of[node], []).append((int(origin), int(node)))
        ordered = sorted(pieces.values(), key=min)
        used = {cid}
        who, reason = str(judged[0][3]), str(judged[0][4])
        for piece in ordered[1:]:
            origins = [origin for origin, _ in piece if origin not in used]
            revived = min(origins) if origins else None
            if revived is None:
                revived = self._take_cids(1)
                kind = "split"
            else:
                kind = "unmerge"
            used.add(revived)
            nodes = [node for _, node in piece]
            self._sql.execute(
                f"UPDATE member_{e} SET cid = ?, since = ? WHERE node IN ({_list(nodes)})", [revived, run]
            )
            self._sql.execute(
                f"DELETE FROM link_{e} WHERE (l IN ({_list(nodes)})) <> (r IN ({_list(nodes)}))"
                f" AND (l IN ({_list(nodes)}) OR r IN ({_list(nodes)}))"
            )
            self._tell(kind, cid, revived, nodes=len(nodes), why=f"核定为不同的人：{reason}", who=who)
        return len(ordered) - 1

    # ------------------------------------------------------------------ gather

    def gather(self) -> None:
        """The pairs of this run between vertices: table ``strong`` (a, b, w) and ``vertex`` (v, node).

        ``known`` (record_id, node, was) are the records of this run that were said before, ``rewritten`` those that speak through
        another node now: everybody's records are gone through once.
        """
        e = self._e
        self._sql.execute(
            f"CREATE OR REPLACE TEMP TABLE known AS SELECT s.record_id, s.node, o.node AS was FROM said_{e} s"
            f" JOIN record_{e} o USING (record_id)"
        )
        self._sql.execute("CREATE OR REPLACE TEMP TABLE rewritten AS FROM known WHERE node <> was")
        self._sql.execute(
            f"CREATE OR REPLACE TEMP TABLE best AS SELECT l, r, max(w) AS w FROM pair_{e} WHERE w >= {self._upper} GROUP BY l, r"
            f" UNION ALL SELECT least(l, r), greatest(l, r), {MUST}::FLOAT FROM judged WHERE same"
            # A record that its department changed is about the same person, unless the numbers say otherwise.
            f" UNION ALL SELECT DISTINCT least(s.node, s.was), greatest(s.node, s.was), {_CONTINUED}::FLOAT FROM rewritten s"
            f" ANTI JOIN member_{e} m ON m.node = s.node"
        )
        self._sql.execute(
            f"CREATE OR REPLACE TEMP TABLE strong AS SELECT a, b, max(w) AS w FROM (SELECT coalesce(x.cid - {_OLD}, l) AS a,"
            f" coalesce(y.cid - {_OLD}, r) AS b, w FROM best LEFT JOIN member_{e} x ON x.node = l LEFT JOIN member_{e} y ON y.node = r)"
            " WHERE a <> b GROUP BY a, b"
        )
        self._sql.execute(
            "CREATE OR REPLACE TEMP TABLE vertex AS WITH named AS (SELECT a AS v FROM strong UNION SELECT b FROM strong)"
            " SELECT v, v AS node FROM named WHERE v >= 0"
            f" UNION ALL SELECT v, m.node FROM named JOIN member_{e} m ON m.cid = v + {_OLD} WHERE v < 0"
        )

    def clusters(self) -> Clusters:
        """What belongs together."""
        found = self._sql.execute("SELECT a, b, w FROM strong ORDER BY a, b").fetchnumpy()
        e = self._e
        apart = self._store.rows(
            f"SELECT coalesce(x.cid - {_OLD}, l), coalesce(y.cid - {_OLD}, r) FROM judged LEFT JOIN member_{e} x ON x.node = l"
            f" LEFT JOIN member_{e} y ON y.node = r WHERE NOT same"
        )
        sizes = self._store.rows("SELECT v, count(*) FROM vertex WHERE v < 0 GROUP BY v HAVING count(*) > 1")
        pairs = Pairs(
            np.asarray(found["a"], np.int64),
            np.asarray(found["b"], np.int64),
            np.asarray(found["w"], np.float32),
        )
        facts = self._facts("SELECT v, node FROM vertex", tuple((int(a), int(b)) for a, b in apart if a != b))
        return cluster(pairs, facts, {int(v): int(n) for v, n in sizes})

    def _facts(self, vertices: str, apart: tuple[tuple[int, int], ...]) -> Facts:
        told = f"told_{self._e}"
        numbers = self._sql.execute(
            f"SELECT DISTINCT v, (hash(t.number) >> 2)::BIGINT AS x FROM ({vertices}) JOIN {told} t USING (node) WHERE t.number_ok"
        ).fetchnumpy()
        births = self._sql.execute(
            "SELECT DISTINCT v, strftime(coalesce(t.birth_own, t.birth), '%Y%m%d')::BIGINT AS x"
            f" FROM ({vertices}) JOIN {told} t USING (node) WHERE t.birth IS NOT NULL"
        ).fetchnumpy()

        legal_of, legal = np.zeros(0, np.int64), np.zeros(0, np.int64)
        if self._e == "enterprise":
            each = "unnest([legal_id_a, legal_id_b, legal_name_a, legal_name_b])"
            found = self._sql.execute(
                f"SELECT DISTINCT v, (x >> 2)::BIGINT AS x FROM (SELECT v, {each} AS x FROM ({vertices}) JOIN {told} t USING (node)"
                " WHERE t.number IS NULL) WHERE x IS NOT NULL"
            ).fetchnumpy()
            legal_of, legal = np.asarray(found["v"], np.int64), np.asarray(found["x"], np.int64)

        def whole(column: Any) -> Ints:
            return np.asarray(column, np.int64)

        return Facts(
            whole(numbers["v"]), whole(numbers["x"]), whole(births["v"]), whole(births["x"]), apart, legal_of=legal_of, legal=legal
        )  # fmt: skip

    # ------------------------------------------------------------------ assign

    def assign(self, found: Clusters) -> tuple[int, int, int]:
        """Write identities of new nodes and merges of old ones; returns (new identities, nodes that joined, merges)."""
        e, run = self._e, self._store.run
        with self._store.lent("labelled", {"v": ("int64", found.vertices), "label": ("int64", found.labels)}):
            self._sql.execute("CREATE OR REPLACE TEMP TABLE label AS SELECT v, label FROM labelled")
        lost = self._store.rows(
            f"SELECT label + {_OLD}, v + {_OLD} FROM label WHERE v < 0 AND label <> v ORDER BY 1, 2"
        )
        self._merge([(int(kept), int(gone)) for kept, gone in lost])
        # Every node without an identity (this run told of it first): that of its cluster's oldest identity, or a new one for its cluster.
        self._sql.execute(
            f"CREATE OR REPLACE TEMP TABLE homeless AS SELECT t.node, coalesce(b.label, t.node) AS home"
            f" FROM (SELECT node FROM told_{e} WHERE touched = {run}) t ANTI JOIN member_{e} m ON m.node = t.node"
            " LEFT JOIN label b ON b.v = t.node"
        )
        fresh = self._house()
        first = self._store.number("SELECT next_cid FROM counter") - fresh
        if fresh:
            self._tell("new", first, None, last=first + fresh - 1, nodes=fresh, why="首次出现", who="")
        joined = self._store.number("SELECT count(*) FROM homeless WHERE home < 0")
        self._sql.execute(
            f"INSERT INTO link_{e} SELECT l, r, w FROM best b JOIN member_{e} x ON x.node = l JOIN member_{e} y ON y.node = r"
            f" WHERE x.cid = y.cid AND NOT EXISTS (SELECT 1 FROM link_{e} k WHERE k.l = b.l AND k.r = b.r)"
        )
        return fresh, joined, len(lost)

    def _house(self) -> int:
        """Give the homeless their identities, new ones in the order of their homes; returns how many are new."""
        e, run = self._e, self._store.run
        rows = self._sql.execute("SELECT node, home FROM homeless").fetchnumpy()
        node, home = np.asarray(rows["node"], np.int64), np.asarray(rows["home"], np.int64)
        new = home >= 0
        homes, place = np.unique(home[new], return_inverse=True)
        cid = home + _OLD
        cid[new] = self._take_cids(len(homes)) + place
        with self._store.lent("housed", {"node": ("int64", node), "cid": ("int64", cid)}):
            self._sql.execute(f"INSERT INTO member_{e} SELECT node, cid, cid, {run} FROM housed")
        return len(homes)

    def _merge(self, lost: Sequence[tuple[int, int]]) -> None:
        """Let identities (kept, gone) become one, in this order; all at once, for each look goes through everybody."""
        if not lost:
            return
        e, run = self._e, self._store.run
        columns = {
            "kept": ("int64", [kept for kept, _ in lost]),
            "gone": ("int64", [gone for _, gone in lost]),
        }
        with self._store.lent("given", columns):
            self._sql.execute("CREATE OR REPLACE TEMP TABLE merging AS SELECT kept, gone FROM given")
        self._sql.execute(
            f"CREATE OR REPLACE TEMP TABLE mine AS SELECT node, cid, coalesce(g.kept, cid) AS home FROM member_{e}"
            " LEFT JOIN merging g ON g.gone = cid"
            " WHERE cid IN (SELECT kept FROM merging UNION SELECT gone FROM merging)"
        )
        # The oldest is kept and the others come in their order: what brought one in is its best pair with those before it.
        found = self._store.rows(
            "SELECT greatest(x.cid, y.cid) AS gone, b.w, j.who, j.reason FROM best b JOIN mine x ON x.node = b.l JOIN mine y ON y.node = b.r"
            " LEFT JOIN judged j ON j.same AND least(j.l, j.r) = b.l AND greatest(j.l, j.r) = b.r"
            " WHERE x.cid <> y.cid AND x.home = y.home ORDER BY b.w, j.who NULLS FIRST"
        )
        reasons = {int(row[0]): row[1:] for row in found}
        sizes = dict(
            self._store.rows(
                "SELECT cid, count(*) FROM mine SEMI JOIN merging g ON g.gone = cid GROUP BY cid"
            )
        )
        self._sql.execute(
            f"UPDATE member_{e} SET cid = g.kept, since = {run} FROM merging g WHERE member_{e}.cid = g.gone"
        )
        for kept, gone in lost:
            weight, who, reason = reasons.get(gone, (None, None, None))
            if who is not None:
                why = f"核定为同一人：{reason}"
            elif weight is None:
                why = "新到的记录把两个身份连在一起"
            elif weight == _CONTINUED:
                why = "同一部门的同一条记录改写后相连"
            else:
                why = f"自动比对，权重 {weight:.1f}"
            self._tell("merge", kept, gone, nodes=int(sizes.get(gone, 0)), why=why, who=str(who or ""))

    def move_records(self) -> int:
        """Take over which node each record speaks through; a record that changed to another identity is an event."""
        e, run = self._e, self._store.run
        if not self._store.number(f"SELECT count(*) FROM record_{e}"):
            # The first run: what was said is the record itself, so the table changes its name and nothing is copied.
            self._sql.execute(f"DROP TABLE record_{e}")
            self._sql.execute(f"ALTER TABLE said_{e} RENAME TO record_{e}")
            self._sql.execute(f"ALTER TABLE record_{e} DROP COLUMN as_of")
            self._sql.execute(f"ALTER TABLE record_{e} ADD COLUMN since INTEGER DEFAULT {run}")
            self._sql.execute(f"ALTER TABLE record_{e} ALTER COLUMN since DROP DEFAULT")
            self._write_events()
            return 0
        moved = self._store.rows(
            f"SELECT s.record_id, x.cid, y.cid FROM rewritten s JOIN member_{e} x ON x.node = s.was"
            f" JOIN member_{e} y ON y.node = s.node WHERE x.cid <> y.cid ORDER BY 1"
        )
        for record, before, after in moved:
            self._tell(
                "move",
                int(after),
                int(before),
                nodes=1,
                record=str(record),
                why="部门改写了这条记录，写法已是另一人",
                who="",
            )
        self._sql.execute(
            f"DELETE FROM record_{e} WHERE node IN (SELECT was FROM rewritten) AND record_id IN (SELECT record_id FROM rewritten)"
        )
        self._sql.execute(
            f"INSERT INTO record_{e} SELECT s.record_id, s.node, {run} FROM said_{e} s"
            " WHERE record_id NOT IN (SELECT record_id FROM known WHERE node = was)"
        )
        self._write_events()
        return len(moved)

    def keep_doubts(self, found: Clusters) -> int:
        """Pairs for people: uncertain ones between two identities, and strong ones that were held back. Returns how many."""
        e, run = self._e, self._store.run
        held = [pair for pair in found.held if pair.why != "judged"]
        columns = {
            "a": ("int64", [min(pair.left, pair.right) for pair in held]),
            "b": ("int64", [max(pair.left, pair.right) for pair in held]),
            "why": ("string", [pair.why for pair in held]),
        }
        with self._store.lent("given", columns):
            self._sql.execute("CREATE OR REPLACE TEMP TABLE held AS SELECT a, b, why FROM given")
        self._sql.execute(
            f"INSERT INTO doubt WITH pair AS (SELECT l, r, max(w) AS w FROM pair_{e} GROUP BY l, r), named AS (SELECT pair.*,"
            f" coalesce(p.v, l) AS a, coalesce(q.v, r) AS b FROM pair LEFT JOIN vertex p ON p.node = l LEFT JOIN vertex q ON q.node = r)"
            f" SELECT DISTINCT ON (least(x.cid, y.cid), greatest(x.cid, y.cid)) {run}, '{e}', l, r, w,"
            f" coalesce(h.why, 'uncertain') FROM named n JOIN member_{e} x ON x.node = l JOIN member_{e} y ON y.node = r"
            " LEFT JOIN held h ON h.a = least(n.a, n.b) AND h.b = greatest(n.a, n.b)"
            f" WHERE x.cid <> y.cid AND (h.why IS NOT NULL OR w < {self._upper})"
            " AND NOT EXISTS (SELECT 1 FROM judged j WHERE least(j.l, j.r) = n.l AND greatest(j.l, j.r) = n.r)"
            " ORDER BY least(x.cid, y.cid), greatest(x.cid, y.cid), w DESC, l, r"
        )
        return self._store.number("SELECT count(*) FROM doubt WHERE run = ? AND entity = ?", [run, e])

    # ------------------------------------------------------------------ events

    def _take_cids(self, count: int) -> int:
        first = self._store.number("SELECT next_cid FROM counter")
        self._sql.execute("UPDATE counter SET next_cid = ?", [first + count])
        return first

    def _tell(
        self,
        kind: str,
        cid: int,
        other: int | None,
        *,
        nodes: int,
        why: str,
        who: str,
        last: int | None = None,
        record: str | None = None,
    ) -> None:
        self._ord += 1
        self._events.append(
            (self._store.run, self._ord, self._e, kind, cid, other, last, nodes, record, why, who)
        )

    def _write_events(self) -> None:
        kinds = [
            "int32",
            "int32",
            "string",
            "string",
            "int64",
            "int64",
            "int64",
            "int64",
            "string",
            "string",
            "string",
        ]
        columns = {
            f"c{n}": (kind, [event[n] for event in self._events]) for n, kind in enumerate(kinds)
        }  # in the order of the table's columns
        with self._store.lent("given", columns):
            self._sql.execute("INSERT INTO event SELECT * FROM given")
        self._events = []


def _list(nodes: Sequence[int]) -> str:
    return ", ".join(map(str, nodes))
