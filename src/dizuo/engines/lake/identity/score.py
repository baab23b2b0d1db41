"""Scoring: which pairs share a key, found once whatever the number of keys they share, and each weighed once in SQL.

All keys of all nodes stand in one narrow table of hashes; what occurs once is dropped before anything is joined, so only nodes that
meet somebody are ever looked at again. Pairs are numbers until they are weighed, and only those that pass the lower threshold leave
the statement. Both halves go hash part by hash part, so that memory stays bounded. A key shared by more than ``cap`` nodes proposes
nothing; how many there are is reported, never hidden.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow
from numpy.typing import NDArray

from dizuo.engines.lake.identity.spec import Comparison, Model

Connection = duckdb.DuckDBPyConnection
_pa: Final[Any] = pyarrow
CAP: Final = 300
PART: Final = 500_000
"""About how many nodes' keys one part of the search holds."""
PAIRS: Final = 2_000_000
"""About how many pairs are weighed at once."""
_PLACES: Final = 16
"""A hash ends in the number of its key, so that keys never meet one another: so many keys a model may have."""


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
    """How many hash parts the search for pairs is cut into."""
    return max(1, -(-job.people // job.part))


def score(
    store: Connection, job: Scoring, done: Callable[[str, int], bool], finish: Callable[[str, int], None]
) -> tuple[Crowd, ...]:
    """Weigh the pairs of all keys and append (l, r, w) to the table ``job.edges``; l < r, w in bits, each pair once.

    ``done`` tells whether a part of a stage (propose, weigh) is already there, ``finish`` notes it; each part is one transaction
    with its note.
    """
    missing = [part for part in range(parts_of(job)) if not done("propose", part)]
    if missing:
        store.execute(f"CREATE OR REPLACE TEMP TABLE keyed AS {_keyed(job)}")
        for part in missing:
            with _whole(store):
                _propose(store, job, part, parts_of(job))
                finish("propose", part)
        store.execute("DROP TABLE keyed")
    proposed = int(store.execute(f"SELECT count(*) FROM {job.edges}_proposed").fetchall()[0][0])
    chunks = -(-proposed // PAIRS)
    for chunk in range(chunks):
        if not done("weigh", chunk):
            with _whole(store):
                _weigh(store, job, chunk, chunks)
                finish("weigh", chunk)
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
    store.execute(f"CREATE TABLE IF NOT EXISTS {job.edges}_proposed (l BIGINT, r BIGINT)")
    store.execute(f"CREATE TABLE IF NOT EXISTS {job.edges}_crowd (key VARCHAR, nodes BIGINT)")


def tables_of(edges: str) -> tuple[str, ...]:
    """The tables that `prepare` makes."""
    return edges, f"{edges}_proposed", f"{edges}_crowd"


def _keyed(job: Scoring) -> str:
    """Every key of every node as (k, node, fresh); of an increment only keys that one of its own nodes has."""
    values = [
        f"({sql} & {2**64 - _PLACES}::UBIGINT) | {place}::UBIGINT"
        for place, key in enumerate(job.model.shape.keys)
        for sql in key.sql
    ]
    each = f"unnest([{', '.join(values)}])"
    if not job.fresh:
        return f"SELECT k, node FROM (SELECT {each} AS k, node FROM {job.nodes}) WHERE k IS NOT NULL"
    mine = f"SELECT k, node, TRUE AS fresh FROM (SELECT {each} AS k, node FROM {job.nodes} WHERE touched = {job.run}) WHERE k IS NOT NULL"
    others = f"SELECT k, node, FALSE AS fresh FROM (SELECT {each} AS k, node FROM {job.nodes} WHERE touched <> {job.run})"
    return f"WITH mine AS MATERIALIZED ({mine}) FROM mine UNION ALL FROM ({others}) SEMI JOIN mine USING (k)"


def _propose(store: Connection, job: Scoring, part: int, count: int) -> None:
    """The pairs of one part of the keys, each pair once."""
    mine = f"WHERE (k >> 4) % {count} = {part}" if count > 1 else ""
    store.register("block_size", _shared_keys(store, mine))
    names = ", ".join(f"'{key.id}'" for key in job.model.shape.keys)
    store.execute(
        f"INSERT INTO {job.edges}_crowd SELECT [{names}][(k & {_PLACES - 1}::UBIGINT)::BIGINT + 1], nodes FROM block_size"
        f" WHERE nodes > {job.cap}"
    )
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE block AS FROM keyed SEMI JOIN (SELECT k FROM block_size WHERE nodes <= {job.cap}) USING (k)"
    )
    fresh = " AND (a.fresh OR b.fresh)" if job.fresh else ""
    store.execute(
        f"INSERT INTO {job.edges}_proposed SELECT DISTINCT a.node, b.node FROM block a JOIN block b ON a.k = b.k AND a.node < b.node{fresh}"
    )
    store.execute("DROP TABLE block")
    store.unregister("block_size")


def _shared_keys(store: Connection, mine: str) -> Any:
    """The keys that occur more than once with how often, as an Arrow table (k, nodes); ``mine``: which keys of ``keyed``.

    Nearly all keys occur once: sorting them costs a fifth of counting each.
    """
    keys: NDArray[np.uint64] = np.sort(store.execute(f"SELECT k FROM keyed {mine}").fetchnumpy()["k"])
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    nodes = np.diff(starts, append=len(keys))
    more = nodes > 1
    return _pa.table({"k": keys[starts[more]], "nodes": nodes[more]})


def _weigh(store: Connection, job: Scoring, chunk: int, chunks: int) -> None:
    """Weigh one chunk of the proposed pairs; parts may have proposed a pair more than once."""
    mine = f"WHERE l % {chunks} = {chunk}" if chunks > 1 else ""
    sides = ", ".join(f"a.{c} AS {c}_l, b.{c} AS {c}_r" for c in job.model.shape.columns)
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE chosen AS SELECT DISTINCT l, r FROM {job.edges}_proposed {mine}"
    )
    # Most nodes meet nobody: their columns are not read twice.
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE side AS SELECT node, {', '.join(job.model.shape.columns)} FROM {job.nodes}"
        " WHERE node IN (SELECT l FROM chosen UNION ALL SELECT r FROM chosen)"
    )
    store.execute(
        f"INSERT INTO {job.edges} SELECT l, r, ({job.model.guarded_sql('w')})::FLOAT FROM"
        f" (SELECT *, ({job.model.total_sql(job.people)})::FLOAT AS w FROM"
        f" (SELECT p.l, p.r, {sides} FROM chosen p JOIN side a ON a.node = p.l JOIN side b ON b.node = p.r))"
        f" WHERE w >= {job.model.weights.lower}"
    )
    for table in ("chosen", "side"):
        store.execute(f"DROP TABLE {table}")


@contextmanager
def _whole(store: Connection) -> Iterator[None]:
    """All of it or nothing."""
    store.execute("BEGIN")
    try:
        yield
    except BaseException:
        store.execute("ROLLBACK")
        raise
    store.execute("COMMIT")


def evidence_sql(model: Model, people: int, pairs: str) -> str:
    """For each row of ``pairs`` (columns ``*_l``, ``*_r``): per comparison the level's place and its bits, and the total."""

    def told(comparison: Comparison) -> str:
        weight = model.weight_sql(people, comparison)
        return f"{model.level_sql(comparison)} AS level_{comparison.id}, {weight} AS bits_{comparison.id}"

    told_all = ", ".join(told(comparison) for comparison in model.comparisons())
    return f"SELECT *, {told_all}, {model.total_sql(people)} AS w FROM ({pairs})"
