"""Reading mentions: once, a part at a time, and to the same nodes; shared keys by sorting them."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dizuo.engines.lake.identity import Query, nodes
from dizuo.engines.lake.identity.asking import node_of
from dizuo.engines.lake.identity.rehearsal import Rehearsal
from dizuo.engines.lake.identity.run import default_models
from dizuo.engines.lake.identity.score import Scoring, prepare, score

COLUMNS = (
    "record_id", "entity", "name", "former_name", "sex", "birth_date", "citizen_id", "id_other", "uscc", "phone", "division",
    "address_rest", "as_of",
)  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.date32() if name in {"birth_date", "as_of"} else pa.string()) for name in COLUMNS]
)


def told(rows: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A store in memory to which these mentions of persons were told."""
    store = duckdb.connect()
    store.register("given", pa.Table.from_pylist(rows, schema=SCHEMA))
    nodes.tell(store, "person", "given", 1)
    return store


def test_grouped_in_parts_is_grouped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {name: row[name] for name in COLUMNS} for row in (m.row() for m in Rehearsal(150, seed=3).mentions())
    ]
    columns = "SELECT * FROM told_person ORDER BY node"
    whole = told(rows).execute(columns).fetchall()
    monkeypatch.setattr(nodes, "_PART", len(rows) // 7)
    parts = told(rows)
    assert parts.execute(columns).fetchall() == whole
    assert 150 < len(whole) < len(rows)
    # A day that comes later is grouped in parts as well, and says nothing new of the same.
    nodes.create_tables(parts, "person")
    parts.register("again", pa.Table.from_pylist(rows, schema=SCHEMA))
    assert nodes.tell(parts, "person", "again", 2) == 0


@pytest.mark.parametrize(
    "division",
    ["320211001001", "320211", "32021100100", "020211001001", "+32021100100", " 32021100100", "3202110010 1", "1.00000e+011", "3202110010011", "32021100100x", ""],
)  # fmt: skip
def test_a_division_is_digits_or_nothing(division: str) -> None:
    store = told(
        [
            {
                "record_id": "a:1:self",
                "entity": "person",
                "name": "周某",
                "division": division,
                "as_of": date(2026, 1, 1),
            }
        ]
    )
    found = store.execute("SELECT community_a, town_a FROM told_person").fetchall()[0]
    wanted = node_of("person", Query(name="周某", division=division))
    assert found == (wanted["community_a"], wanted["town_a"])


def test_a_record_said_twice_keeps_the_later() -> None:
    row: dict[str, Any] = {"record_id": "a:1:self", "entity": "person", "citizen_id": "320211198503071234"}
    old, new = (
        row | {"name": "周甲", "as_of": date(2026, 1, 1)},
        row | {"name": "周乙", "as_of": date(2026, 2, 1)},
    )
    other = row | {"record_id": "a:2:self", "name": "周甲", "as_of": date(2026, 1, 1)}
    store = told([new, old, other])
    said = store.execute(
        "SELECT record_id, name FROM said_person JOIN told_person USING (node) ORDER BY 1"
    ).fetchall()
    assert said == [("a:1:self", "周乙"), ("a:2:self", "周甲")]


@pytest.mark.parametrize("cap", [2, 300])
def test_pairs_are_those_that_share_a_key(cap: int) -> None:
    draw = Random(5)
    rows = [
        {name: row[name] for name in COLUMNS} for row in (m.row() for m in Rehearsal(120, seed=4).mentions())
    ]
    draw.shuffle(rows)
    store = told(rows)
    nodes.build(store, "person")
    job = Scoring(default_models()["person"], "node_person", "pair", 120, 1, cap=cap, part=50)
    prepare(store, job)
    crowds = score(store, job, lambda stage, part: False, lambda stage, part: None)
    keys = " UNION ALL ".join(
        f"SELECT '{key.id}' AS id, {sql} AS k, node FROM node_person"
        for key in job.model.shape.keys
        for sql in key.sql
    )
    store.execute(f"CREATE TABLE every_key AS SELECT * FROM ({keys}) WHERE k IS NOT NULL")
    blocks = "(SELECT id, k, count(*) AS n FROM every_key GROUP BY ALL)"
    wanted = store.execute(
        f"SELECT DISTINCT a.node, b.node FROM every_key a JOIN every_key b ON a.id = b.id AND a.k = b.k AND a.node < b.node"
        f" JOIN {blocks} s ON s.id = a.id AND s.k = a.k AND s.n <= {cap} ORDER BY ALL"
    ).fetchall()
    assert store.execute("SELECT DISTINCT l, r FROM pair_proposed ORDER BY ALL").fetchall() == wanted
    assert wanted
    large = store.execute(
        f"SELECT id, count(*), sum(n), max(n) FROM {blocks} WHERE n > {cap} GROUP BY id ORDER BY id"
    ).fetchall()
    assert [(c.key, c.blocks, c.nodes, c.largest) for c in crowds] == large
    assert bool(large) == (cap == 2)
