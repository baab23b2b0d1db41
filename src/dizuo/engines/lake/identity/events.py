"""Telling what happened: events and doubtful pairs from the identity store into PostgreSQL, once each, through the ledger.

A reader downstream asks for the events after the last one it has dealt with (`events_after`); they come in order of ``seq`` and
never one before the last.
"""

# ruff: noqa: S608 - names of tables and numbers of our own, never anything delivered

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import psycopg

from dizuo.engines.lake.identity.evidence import waterfall
from dizuo.engines.lake.identity.score import evidence_sql
from dizuo.engines.lake.identity.settle import Decision
from dizuo.engines.lake.identity.spec import Model
from dizuo.engines.lake.identity.store import ENTITIES, Store
from dizuo.foundation.store import Pool
from dizuo.foundation.store.roles import LOADER

_CHUNK: Final = 500
_NAMES: Final = ("ord", "entity", "kind", "cid", "other_cid", "last_cid", "nodes", "record_id", "why", "who")
_SHOWN: Final = ("source", "name", "former_name", "sex", "birth_date", "citizen_id", "id_other", "uscc", "phone", "division", "address_rest", "as_of")  # fmt: skip


class DatabaseLike(Protocol):
    """What gives the loader's address; see `dizuo.foundation.store.Database`."""

    def dsn(self, role: str) -> str: ...


class IdentityEvent(msgspec.Struct, frozen=True):
    """What happened to an identity.

    ``kind``: new (``cid`` to ``last_cid`` are new), merge (``other_cid`` went into ``cid``), split and unmerge (``other_cid`` left
    ``cid``), move (``record_id`` went from ``other_cid`` to ``cid``). ``who``: the officials that judged, empty for the machine.
    ``entry`` is the ledger's entry.
    """

    seq: int
    run: int
    entity: str
    kind: str
    cid: int
    other_cid: int | None
    last_cid: int | None
    nodes: int
    record_id: str | None
    why: str
    who: str
    entry: int
    at: datetime


async def events_after(pool: Pool, after: int = 0, limit: int = 1000) -> tuple[IdentityEvent, ...]:
    """The events after a place (``seq``), in order; ask again with the last one's seq. Errors: the pool's."""
    rows = await pool.fetch(
        "SELECT seq, run, entity, kind, cid, other_cid, last_cid, nodes, record_id, why, who, entry, at FROM lake.identity_event"
        " WHERE seq > $1 ORDER BY seq LIMIT $2",
        after,
        max(1, min(limit, 10_000)),
    )
    return tuple(IdentityEvent(*row.values()) for row in rows)


def decisions(database: DatabaseLike) -> tuple[Decision, ...]:
    """What people have decided so far, the older first, as `link` wants it. Errors: psycopg.Error."""
    with psycopg.connect(database.dsn(LOADER)) as connection:
        rows = connection.execute(
            "SELECT p.left_record, p.right_record, p.state, string_agg(v.by, '、' ORDER BY v.at, v.by),"
            " (array_agg(v.reason ORDER BY v.at DESC, v.by))[1] FROM lake.identity_pair p"
            " JOIN lake.identity_vote v ON v.pair = p.id AND v.verdict = p.state WHERE p.decided_at IS NOT NULL"
            " GROUP BY p.id ORDER BY p.decided_at, p.id"
        ).fetchall()
    return tuple(Decision(str(r[0]), str(r[1]), r[2] == "same", str(r[3]), str(r[4])) for r in rows)


def tell_events(database: DatabaseLike, store: Store) -> int:
    """Enter all events of the store that the database lacks, each with its ledger entry; returns how many. May be repeated."""
    told = 0
    with psycopg.connect(database.dsn(LOADER)) as connection:
        row = connection.execute(
            "SELECT coalesce(max(run), 0) FROM lake.identity_event WHERE store = %s", [store.id]
        ).fetchone()
        since = int(row[0]) if row else 0
        for (run,) in store.rows("SELECT DISTINCT run FROM event WHERE run >= ? ORDER BY run", [since]):
            events = store.rows(
                "SELECT ord, entity, kind, cid, other, last, nodes, record_id, why, who FROM event WHERE run = ? ORDER BY ord",
                [run],
            )
            for start in range(0, len(events), _CHUNK):
                part = [dict(zip(_NAMES, event, strict=True)) for event in events[start : start + _CHUNK]]
                done = connection.execute(
                    "SELECT lake.tell_identity_events(%s, %s, %s::jsonb)",
                    [store.id, run, msgspec.json.encode(part).decode()],
                ).fetchone()
                connection.commit()
                told += int(done[0]) if done else 0
    return told


def ask_people(database: DatabaseLike, store: Store, models: Mapping[str, Model], most: int = 20_000) -> int:
    """Put the doubtful pairs of the last run before people, the likeliest first; returns how many are new in the queue.

    ``most``: no more than so many per entity; the others stay in the run's doubts file. A pair that was judged is not asked again.
    """
    asked = 0
    for entity in ENTITIES:
        rows = store.rows(
            "SELECT d.l, d.r, d.why FROM doubt d WHERE d.run = (SELECT max(run) FROM run) AND d.entity = ? ORDER BY d.w DESC, d.l, d.r LIMIT ?",
            [entity, most],
        )
        asked += _ask(
            database, store, models[entity], entity, [(int(a), int(b), str(why)) for a, b, why in rows]
        )
    return asked


def question_pair(
    database: DatabaseLike, store: Store, model: Model, left_record: str, right_record: str
) -> bool:
    """Put two records before people because somebody doubts that they are rightly one, or rightly two; False when they are asked about already.

    Errors: PairUnknown when a record is not known or both are written the same.
    """
    from dizuo.engines.lake.identity.errors import PairUnknown

    entity = model.shape.entity
    found = dict(
        store.rows(
            f"SELECT record_id, node FROM record_{entity} WHERE record_id IN (?, ?)",
            [left_record, right_record],
        )
    )
    if len(found) < 2 or found[left_record] == found[right_record]:
        raise PairUnknown(fix="请核对两条记录的编号；写法完全相同的两条记录不能分开。")
    one, other = sorted((int(found[left_record]), int(found[right_record])))
    chosen = {found[left_record]: left_record, found[right_record]: right_record}
    return bool(_ask(database, store, model, entity, [(one, other, "questioned")], chosen))


def _ask(
    database: DatabaseLike, store: Store, model: Model, entity: str, pairs: Sequence[tuple[int, int, str]], chosen: Mapping[int, str] | None = None,
) -> int:  # fmt: skip
    if not pairs:
        return 0
    sql = store.connection
    listed = ", ".join(f"({a}, {b}, '{why}')" for a, b, why in pairs)
    sql.execute(f"CREATE OR REPLACE TEMP TABLE asked AS SELECT * FROM (VALUES {listed}) v(l, r, why)")
    records = {
        int(node): str(record)
        for node, record in store.rows(
            f"SELECT node, min(record_id) FROM record_{entity} WHERE node IN (SELECT l FROM asked UNION SELECT r FROM asked) GROUP BY node"
        )
    } | dict(chosen or {})
    cids = dict(
        store.rows(
            f"SELECT node, cid FROM member_{entity} WHERE node IN (SELECT l FROM asked UNION SELECT r FROM asked)"
        )
    )
    people = store.number(f"SELECT count(*) FROM node_{entity}")
    sides = ", ".join(f"a.{c} AS {c}_l, b.{c} AS {c}_r" for c in model.shape.columns)
    weighed = sql.execute(
        evidence_sql(
            model,
            people,
            f"SELECT q.l, q.r, q.why, {sides} FROM asked q JOIN node_{entity} a ON a.node = q.l JOIN node_{entity} b ON b.node = q.r",
        )
    )
    names = [column[0] for column in weighed.description or ()]
    # A writing that no record has any more (it was delivered anew in another way) is nobody's: there is nothing to ask.
    rows = [
        row
        for row in (dict(zip(names, values, strict=True)) for values in weighed.fetchall())
        if row["l"] in records and row["r"] in records
    ]
    values = _values(store, sorted(records.values()))
    done = 0
    with psycopg.connect(database.dsn(LOADER)) as connection:
        # A lot at a time: a pair is asked about once however often this is repeated, and nobody waits for all of them.
        for start in range(0, len(rows), _CHUNK):
            lot = [
                _question(entity, row, model, people, records, cids, values)
                for row in rows[start : start + _CHUNK]
            ]
            done += _enter(connection, store, entity, lot)
            connection.commit()
    return done


def _question(
    entity: str, row: Mapping[str, Any], model: Model, people: int,
    records: Mapping[int, str], cids: Mapping[int, int], values: Mapping[str, dict[str, Any]],
) -> Mapping[str, object]:  # fmt: skip
    """One pair as `lake.identity_pair` keeps it; ``numbers`` are those of the people it is about."""
    sides = sorted((records[node], int(cids[node])) for node in (row["l"], row["r"]))
    left, right = (values.get(record, {}) for record, _ in sides)
    evidence = waterfall(model, people, row)
    return {
        "left_record": sides[0][0], "right_record": sides[1][0], "left_cid": sides[0][1], "right_cid": sides[1][1],
        "weight": evidence.bits, "why": row["why"], "evidence": evidence, "left_values": left, "right_values": right,
        "numbers": [side["citizen_id"] for side in (left, right) if side.get("citizen_id")],
    }  # fmt: skip


def _enter(
    connection: psycopg.Connection[tuple[Any, ...]],
    store: Store,
    entity: str,
    lot: Sequence[Mapping[str, object]],
) -> int:
    return connection.execute(
        "INSERT INTO lake.identity_pair (store, run, entity, left_record, right_record, left_cid, right_cid, weight, why, evidence,"
        " left_values, right_values, subjects) SELECT %s, %s, %s, q.left_record, q.right_record, q.left_cid, q.right_cid, q.weight,"
        " q.why, q.evidence, q.left_values, q.right_values, coalesce(registers.identities('citizen_id', q.numbers), '{}')"
        " FROM jsonb_to_recordset(%s::jsonb) AS q(left_record text, right_record text, left_cid bigint, right_cid bigint,"
        " weight double precision, why text, evidence jsonb, left_values jsonb, right_values jsonb, numbers text[])"
        " WHERE q.why = 'questioned' OR (SELECT p.id FROM lake.identity_pair p WHERE p.entity = %s"
        " AND p.left_record = q.left_record AND p.right_record = q.right_record LIMIT 1) IS NULL ON CONFLICT DO NOTHING",
        [
            store.id,
            store.number("SELECT max(run) FROM run"),
            entity,
            msgspec.json.encode(lot).decode(),
            entity,
        ],
    ).rowcount


def _values(store: Store, records: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the departments wrote in these records, from the mention files that are still there; the latest counts."""
    files = [
        path
        for (path,) in store.rows("SELECT DISTINCT path FROM mention_file ORDER BY path")
        if Path(path).is_file()
    ]
    if not files or not records:
        return {}
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    rows = store.rows(
        f"SELECT record_id, {', '.join(_SHOWN)} FROM read_parquet([{listed}], union_by_name = TRUE)"
        " WHERE record_id IN (SELECT unnest(?)) ORDER BY as_of NULLS FIRST",
        [list(records)],
    )
    return {
        str(row[0]): {name: value for name, value in zip(_SHOWN, row[1:], strict=True) if value is not None}
        for row in rows
    }
