"""Scoring: pairs that share a key, weighed in SQL, key by key and hash part by hash part, so that memory stays bounded.

Only nodes whose key occurs at least twice are looked at, and only pairs that pass the lower threshold leave the statement. A pair
that an earlier single-valued key has already proposed is not weighed again. A key shared by more than ``cap`` nodes proposes
nothing; how many there are is reported, never hidden.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import duckdb

from dizuo.engines.lake.identity.spec import Comparison, Key, Model

Connection = duckdb.DuckDBPyConnection
CAP: Final = 300
PART: Final = 6_000_000
"""About how many keyed rows one part holds."""


@dataclass(frozen=True)
class Crowd:
    """Blocks of a key that were too big to compare: how many, how many nodes in them, the largest."""

    key: str
    blocks: int
    nodes: int
    largest: int


@dataclass(frozen=True)
class Scoring:
    """Names of the tables of one entity and how far to go. ``fresh``: only pairs with a node that this run touched."""

    model: Model
    nodes: str
    edges: str
    people: int
    run: int
    fresh: bool = False
    cap: int = CAP
    part: int = PART


def parts_of(job: Scoring) -> int:
    """How many hash parts each key is cut into."""
    return max(1, -(-job.people // job.part))


def score(
    store: Connection, job: Scoring, done: Callable[[str, int], bool], finish: Callable[[str, int], None]
) -> tuple[Crowd, ...]:
    """Weigh the pairs of all keys and append (l, r, w) to the table ``job.edges``; l < r, w in bits, pairs may repeat.

    ``done`` tells whether a key's part is already there, ``finish`` notes it; each part is one transaction with its note.
    """
    count = parts_of(job)
    for place, key in enumerate(job.model.shape.keys):
        for part in range(count):
            if done(key.id, part):
                continue
            store.execute("BEGIN")
            try:
                _score_part(store, job, place, part, count)
                finish(key.id, part)
                store.execute("COMMIT")
            except BaseException:
                store.execute("ROLLBACK")
                raise
    return crowds(store, job)


def crowds(store: Connection, job: Scoring) -> tuple[Crowd, ...]:
    """The blocks left out of this run, by key."""
    rows = store.execute(
        f"SELECT key, count(*), sum(nodes)::BIGINT, max(nodes) FROM {job.edges}_crowd GROUP BY key ORDER BY key"
    ).fetchall()
    return tuple(
        Crowd(str(key), int(blocks), int(nodes), int(largest)) for key, blocks, nodes, largest in rows
    )


def prepare(store: Connection, job: Scoring) -> None:
    """Empty tables for this run's pairs and crowds, unless a run that was stopped left some."""
    store.execute(f"CREATE TABLE IF NOT EXISTS {job.edges} (l BIGINT, r BIGINT, w FLOAT)")
    store.execute(f"CREATE TABLE IF NOT EXISTS {job.edges}_crowd (key VARCHAR, k UBIGINT, nodes BIGINT)")


def _score_part(store: Connection, job: Scoring, place: int, part: int, count: int) -> None:
    key = job.model.shape.keys[place]
    columns = ", ".join(f"n.{column}" for column in job.model.shape.columns)
    earlier = [(n, k) for n, k in enumerate(job.model.shape.keys[:place]) if len(k.sql) == 1]
    seen = "".join(f", {_unless_crowded(store, job, k)} AS x{n}" for n, k in earlier)
    where = f" AND k % {count} = {part}" if count > 1 else ""
    asks = f"touched = {job.run}" if job.fresh else "TRUE"
    asks += f" AND ({key.only})" if key.only else ""
    keyed = " UNION ".join(f"SELECT {sql} AS k, node, {asks} AS asks FROM {job.nodes}" for sql in key.sql)
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT k, node, asks FROM ({keyed}) WHERE k IS NOT NULL{where}"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE block_size AS SELECT k, count(*) AS nodes FROM keyed"
        " GROUP BY k HAVING count(*) > 1 AND bool_or(asks)"
    )
    store.execute(
        f"INSERT INTO {job.edges}_crowd SELECT '{key.id}', k, nodes FROM block_size WHERE nodes > {job.cap}"
    )
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE block AS SELECT h.k, n.node, n.touched = {job.run} AS fresh, {columns}{seen} FROM {job.nodes} n"
        f" JOIN (SELECT k, node FROM keyed SEMI JOIN (SELECT k FROM block_size WHERE nodes <= {job.cap}) USING (k)) h ON h.node = n.node"
    )
    pairs = ["a.node < b.node"]
    pairs += [f"(a.x{n} = b.x{n}) IS NOT TRUE" for n, _ in earlier]
    if job.fresh:
        pairs.append("(a.fresh OR b.fresh)")
    sides = ", ".join(f"a.{c} AS {c}_l, b.{c} AS {c}_r" for c in job.model.shape.columns)
    store.execute(
        f"INSERT INTO {job.edges} SELECT l, r, ({job.model.guarded_sql('w')})::FLOAT FROM"
        f" (SELECT *, ({job.model.total_sql(job.people)})::FLOAT AS w FROM"
        f" (SELECT a.node AS l, b.node AS r, {sides} FROM block a JOIN block b ON a.k = b.k AND {' AND '.join(pairs)}))"
        f" WHERE w >= {job.model.weights.lower}"
    )
    for table in ("block", "block_size", "keyed"):
        store.execute(f"DROP TABLE {table}")


def _unless_crowded(store: Connection, job: Scoring, key: Key) -> str:
    """An earlier key's value, null where its block was left out: those pairs have not been weighed yet."""
    if not store.execute(f"SELECT count(*) FROM {job.edges}_crowd WHERE key = ?", [key.id]).fetchall()[0][0]:
        return key.sql[0]
    left_out = f"SELECT k FROM {job.edges}_crowd WHERE key = '{key.id}'"
    return f"CASE WHEN ({key.sql[0]}) NOT IN ({left_out}) THEN {key.sql[0]} END"


def evidence_sql(model: Model, people: int, pairs: str) -> str:
    """For each row of ``pairs`` (columns ``*_l``, ``*_r``): per comparison the level's place and its bits, and the total."""

    def told(comparison: Comparison) -> str:
        weight = model.weight_sql(people, comparison)
        return f"{model.level_sql(comparison)} AS level_{comparison.id}, {weight} AS bits_{comparison.id}"

    told_all = ", ".join(told(comparison) for comparison in model.comparisons())
    return f"SELECT *, {told_all}, {model.total_sql(people)} AS w FROM ({pairs})"
