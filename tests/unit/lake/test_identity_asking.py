"""One record against everybody: the Python twins say what the SQL says, and the right identity comes first."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_identity_comparing import NUMBER, SCHEMA, mention, noded

from dizuo.engines.lake.identity import Query, Resolver, build_index, default_models, link, open_store
from dizuo.engines.lake.identity.asking import keys_of, node_of
from dizuo.engines.lake.identity.errors import IndexMissing
from dizuo.engines.lake.identity.rehearsal import Rehearsal
from dizuo.engines.lake.identity.score import evidence_sql
from dizuo.engines.lake.identity.twins import damerau, guarded, jaro_winkler, levenshtein, weigh

QUERY = [name for name in Query.__struct_fields__ if name in SCHEMA.names]
ODD = [
    mention("o:1:self", name="MARIA SILVA", id_other="E12345678", phone="+44 20 7946", birth_date=date(1990, 2, 3)),
    mention("o:2:self", name="MARIA SILVIA", id_other="E12345679", sex="9", phone="13900001111"),
    mention("o:3:self", name="买买提·阿不都", citizen_id=NUMBER, address_rest="12-3-402", division="320211"),
    mention("o:4:self", name="买买提阿不都", id_other="320211850307123", address_rest="前村134号", division="320211001"),
    mention("o:5:self", name="买买提", id_other="320211198503072134", division="320211001003", address_rest="人民中路12号3幢402室"),
    mention("o:6:self", name="欧阳建国", former_name="欧阳建华", sex="1", birth_date=date(1985, 7, 3), phone="0510-88888888"),
    mention("o:7:self", name="欧阳建华", sex="2", birth_date=date(1985, 3, 7), id_other="123456789012345678901"),
    mention("o:8:self", citizen_id="320211198502301238", birth_date=date(1985, 3, 8)),
    mention("o:9:self", name=" 李 ", former_name="李", division="3202110010031234", address_rest="无门牌"),
]  # fmt: skip


def rows(entity: str) -> list[dict[str, Any]]:
    made = Rehearsal(250, seed=21, error_rate=0.5)
    if entity == "enterprise":
        odd = [
            mention("q:1:self", entity=entity, name="梁味坊餐饮(无锡)有限公司", id_other="91320213DEM00001X"),
            mention("q:2:self", entity=entity, name="有限公司", uscc="91320213DEM00001X5"),
            mention("q:3:self", entity=entity, uscc="91320213DEM00010X5", phone="88001234"),
        ]
        heads = [
            mention(f"{kind}:{n}:legal", name=name, **number)
            for kind, n, name, number in (
                ("enterprises", 1, "王启明", {"citizen_id": NUMBER}), ("licences", 1, "王启明", {"id_other": "E12345678"}), ("enterprises", 2, "李 ", {}),
                ("licences", 2, "赵敏", {}), ("enterprises", 3, "王启明", {"citizen_id": NUMBER}), ("credit", 3, "王启", {"citizen_id": NUMBER}),
            )
        ]  # fmt: skip
        return [*odd, *heads, *(m.row() for m in made.enterprises(300))]
    return [*ODD, *(m.row() for m in made.mentions())]


@pytest.mark.parametrize("entity", ["person", "enterprise"])
def test_python_makes_the_node_and_keys_that_sql_makes(entity: str) -> None:
    shape = default_models()[entity].shape
    given_rows = rows(entity)
    store = noded(given_rows, entity, apart=True)
    columns = [c for c in shape.columns if c not in {"name_tf", "phone_a", "phone_b", "phone_s", "place_a"}]
    keys = [key for k in shape.keys for key in k.lasting_sql]
    found = store.execute(
        f"SELECT s.record_id, {', '.join(columns)}, [x FOR x IN [{', '.join(keys)}] IF x IS NOT NULL], phone_a, phone_s, place_a"
        f" FROM node_{entity} JOIN said_{entity} s USING (node)"
    ).fetchall()
    by_record = {row["record_id"]: row for row in given_rows}
    whole = 0
    for record, *values in found:
        legal = by_record.get(record.rpartition(":")[0] + ":legal", {})
        head = {"legal_name": legal.get("name"), "legal_id": legal.get("citizen_id") or legal.get("id_other")}
        node = node_of(entity, Query(**{name: by_record[record][name] for name in QUERY}, **head))
        *told, sql_keys, phone, shared, place = values
        assert {c: node[c] for c in columns} == dict(zip(columns, told, strict=True)), record
        # The store knows which telephones and doors are crowded, a single record does not.
        mine = keys_of(shape.keys, node)
        assert set(sql_keys) <= mine, record
        if (
            (phone or shared or not node["phone_a"])
            and place == node["place_a"]
            and phone == node["phone_a"] == (shared or phone)
        ):
            whole += mine == set(sql_keys) or shared is None
    assert len(found) > 250
    assert whole > 50


@pytest.mark.parametrize("entity", ["person", "enterprise"])
def test_python_weighs_as_sql_weighs(entity: str) -> None:
    """Every comparator, every level, frequencies and the guard, on thousands of pairs of which most share something."""
    model = default_models()[entity]
    store = noded(rows(entity), entity, apart=True)
    sides = ", ".join(f"a.{c} AS {c}_l, b.{c} AS {c}_r" for c in model.shape.columns)
    more = "a.legal_name_a IS NOT NULL AND b.legal_name_a IS NOT NULL" if entity == "enterprise" else "FALSE"
    near = f"a.number = b.number OR left(a.name, 1) = left(b.name, 1) OR {more} OR a.town_a = b.town_a OR hash(a.node, b.node) % 20 = 0"
    store.execute(
        f"CREATE TABLE pairs AS SELECT {sides} FROM node_{entity} a JOIN node_{entity} b ON a.node < b.node AND ({near}) ORDER BY hash(a.node, b.node)"
        " LIMIT 6000"
    )
    guard = model.shape.guard or "FALSE"
    cursor = store.execute(
        f"SELECT *, coalesce({guard}, FALSE) AS guarded FROM ({evidence_sql(model, 50_000, 'FROM pairs')})"
    )
    names = [column[0] for column in cursor.description or ()]
    seen: set[tuple[str, int]] = set()
    found = cursor.fetchall()
    for values in found:
        row = dict(zip(names, values, strict=True))
        one, other = ({c: row[f"{c}_{side}"] for c in model.shape.columns} for side in "lr")
        mine = weigh(model, 50_000, one, other)
        for comparison in model.shape.comparisons:
            level = f"level_{comparison.id}"
            assert mine[level] == row[level], (comparison.id, one, other)
            seen.add((comparison.id, mine[level]))
        assert mine["w"] == pytest.approx(row["w"], abs=1e-3)
        assert guarded(entity, mine, one, other) == row["guarded"]
    assert len(found) > 3000
    assert len(seen) > (25 if entity == "person" else 16)


@given(st.text("abc张章", max_size=9), st.text("abc张章", max_size=9))
def test_distances_are_duckdbs(one: str, other: str) -> None:
    sql, close = duckdb.execute(
        "SELECT levenshtein(?, ?), jaro_winkler_similarity(?, ?)", [one, other, one, other]
    ).fetchall()[0]
    assert levenshtein(one.encode(), other.encode()) == sql
    assert jaro_winkler(one, other) == pytest.approx(close, abs=1e-9)


@given(st.text("0123", max_size=8), st.text("0123", max_size=8))
def test_an_exchange_is_one_slip(one: str, other: str) -> None:
    sql = duckdb.execute("SELECT damerau_levenshtein(?, ?)", [one, other]).fetchall()[0][0]
    # DuckDB also counts exchanges across other edits; where one slip is enough, both agree.
    assert (damerau(one, other) == 1) == (sql == 1)
    assert damerau(one, other) >= sql


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int], list[dict[str, Any]]]:
    """An index of an invented city, its map, its mentions."""
    folder = tmp_path_factory.mktemp("resolve")
    made = [m.row() for m in Rehearsal(700, seed=31, error_rate=0.2).mentions()]
    pq.write_table(pa.Table.from_pylist(made, schema=SCHEMA), folder / "m.parquet")
    with open_store(folder / "store", memory="500MB") as store:
        report = link(store, [folder / "m.parquet"])
        about = build_index(store, "person", default_models()["person"], folder / "index")
        assert about.nodes == store.number("SELECT count(*) FROM node_person")
        build_index(
            store, "person", default_models()["person"], folder / "index"
        )  # again: the pointer just moves
    cids = dict(duckdb.execute(f"SELECT record_id, cid FROM read_parquet('{report.map_file}')").fetchall())
    return folder / "index", cids, made


def test_a_record_finds_its_identity_first(city: tuple[Path, dict[str, int], list[dict[str, Any]]]) -> None:
    index, cids, made = city
    chosen = random.Random(1).sample([m for m in made if m["citizen_id"] or m["birth_date"]], 200)
    with Resolver(index, "person", default_models()["person"]) as resolver:
        right = 0
        for row in chosen:
            found = resolver.resolve(Query(**{name: row[name] for name in QUERY}))
            right += bool(found) and found[0].cid == cids[row["record_id"]]
            assert [c.weight for c in found] == sorted((c.weight for c in found), reverse=True)
            assert len({c.cid for c in found}) == len(found)
    assert right >= 198


def test_a_slip_still_finds_with_evidence_and_a_stranger_finds_nobody(
    city: tuple[Path, dict[str, int], list[dict[str, Any]]],
) -> None:
    index, cids, made = city
    row = next(
        m for m in made if m["source"] == "social_insurance" and m["citizen_id"] and len(m["name"]) == 3
    )
    with Resolver(index, "person", default_models()["person"]) as resolver:
        (best, *_) = resolver.resolve(
            Query(name=row["name"], birth_date=row["birth_date"], sex=row["sex"], phone=row["phone"])
        )
        assert best.cid == cids[row["record_id"]]
        assert best.verdict == "same"
        assert any(step.what == "出生日期" and step.says == "相同" for step in best.evidence.steps)
        assert best.evidence.bits == pytest.approx(best.weight, abs=0.05)
        assert resolver.resolve(Query(name="查无此", birth_date=date(1901, 1, 1))) == ()
        assert resolver.resolve(Query()) == ()
        hostile = resolver.resolve(
            Query(name="'; DROP TABLE node_person; --", id_other="' OR 1=1 --", phone="' OR ''='")
        )
        assert hostile == ()


def test_no_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        Resolver(tmp_path, "person", default_models()["person"])
