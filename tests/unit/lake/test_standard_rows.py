"""From raw rows to standard rows, mentions and rejected rows: every row is accounted for, every shape is the contract's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from standard_sample import kinds, rows, sources, wuxi

from dizuo.engines.lake.standard import SCHEMA, SENTENCES, Outputs, Standardised, open_engine, standardise
from dizuo.foundation.blueprint.lineage import names_of

DELIVERED = dt.date(2026, 11, 22)
ENGINE = open_engine("1GB", 1)
TYPES = {"date": pa.date32(), "datetime": pa.timestamp("us"), "integer": pa.int64(), "boolean": pa.bool_()}


def land(
    folder: Path, source: str, columns: dict[str, list[Any]]
) -> tuple[Standardised, dict[str, list[dict[str, Any]]]]:
    """What became of rows of a source, and the files' contents."""
    declared = sources()[source]
    raw = folder / "raw.parquet"
    filled = {name: columns.get(name, [None] * len(columns["line"])) for name in kinds(declared)}
    schema = pa.schema([(n, pa.int64() if n == "line" else pa.string()) for n in kinds(declared)])
    pq.write_table(pa.table(filled, schema=schema), raw)
    out = Outputs(folder / "s.parquet", folder / "m.parquet", folder / "r.parquet", folder / "f.parquet")
    told = standardise(raw, declared, wuxi(), out, DELIVERED, ENGINE)
    files = {
        "standard": out.standard,
        "mentions": out.mentions,
        "rejected": out.rejected,
        "failing": folder / "f.parquet",
    }
    return told, {name: pq.read_table(path).to_pylist() for name, path in files.items()}


@pytest.mark.parametrize("source", ["births", "credit", "enterprises", "hukou", "real_estate"])
def test_every_row_is_standard_or_rejected(tmp_path: Path, source: str) -> None:
    declared = sources()[source]
    columns = rows(declared, 240)
    told, files = land(tmp_path, source, columns)
    assert told.rows == 240 == told.standard + told.rejected
    assert told.standard > 0
    lines = sorted([row["line"] for row in files["standard"]] + [row["line"] for row in files["rejected"]])
    assert lines == columns["line"]
    headers = {column.column for column in declared.columns.values() if column.required}
    for row in files["rejected"]:
        assert row["column"] in headers
        assert row["says"] == SENTENCES[row["code"]]
        assert row["code"] != "missing" or not (row["raw"] or "").strip()
    schema = pq.read_schema(tmp_path / "s.parquet")
    for name, standard in names_of(declared).items():
        if standard == "decimal":
            assert pa.types.is_decimal(schema.field(name).type)
        else:
            assert schema.field(name).type == TYPES.get(standard, pa.string()), name
    for column in declared.columns.values():
        if column.required:
            assert all(row[column.id] is not None for row in files["standard"])
    assert told.rules
    _mentions_are_right(tmp_path, source, files["mentions"])
    failed = {rule.rule: rule.failed for rule in told.rules}
    assert {rule: sum(f["rule"] == rule for f in files["failing"]) for rule in failed} == failed


def _mentions_are_right(folder: Path, source: str, found: list[dict[str, Any]]) -> None:
    """The shape that identity reads."""
    kind = {"string": pa.string(), "date": pa.date32()}
    schema = pq.read_schema(folder / "m.parquet")
    assert [(f.name, f.type) for f in schema] == [(name, kind[k]) for name, k in SCHEMA.items()]
    entities = {mention.id: mention.entity for mention in sources()[source].mentions}
    assert {row["mention"] for row in found} == set(entities)
    for row in found:
        assert row["record_id"].startswith(f"{source}:")
        assert row["record_id"].endswith(f":{row['mention']}")
        assert row["entity"] == entities[row["mention"]]
        assert row["as_of"] is not None
        assert row["sex"] in ("1", "2", None)
        assert " " not in (row["name"] or "")
        assert row["name"] or row["citizen_id"] or row["id_other"] or row["uscc"]


HUKOU = {
    "line": [2, 3, 4, 5], "person_no": ["P1", "P2", "P3", None], "household_no": ["H1"] * 4,
    "name": ["張 偉", "买买提・阿不都", None, "李四"], "citizen_id": ["11010519491231002X", "110105194912310021", "E1", None],
    "sex": ["男性", "不详", "X", "1"], "birth_date": ["1949/12/31", "31/12/1949", "", "1990-01-01"],
    "address": ["无锡市锡山区东亭街道年余社区1号", "崇安区中山路8号", "江阴", "宜兴"],
    "state": ["在册", "1", "1", "1"], "updated_at": ["2026-11-20 08:00:00"] * 4,
}  # fmt: skip


Landed = tuple[Standardised, dict[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    return land(tmp_path_factory.mktemp("household"), "hukou", HUKOU)


def test_a_row_of_the_household_register(household: Landed) -> None:
    told, files = household
    one, two = sorted(files["standard"], key=lambda row: row["line"])
    assert (one["row_key"], one["name"], one["name_raw"], one["sex"], one["state"]) == (
        "P1",
        "张伟",
        "張 偉",
        "1",
        "1",
    )
    assert (one["birth_date"], one["citizen_id"], one["citizen_id_state"]) == (
        dt.date(1949, 12, 31), "11010519491231002X", "ok",
    )  # fmt: skip
    assert one["updated_at"] == dt.datetime(2026, 11, 20, 8)
    assert one["address_division"] == "320205400017"
    assert one["address_town_mca"] == "320205001"
    assert one["address_rest"] == "1号"
    assert one["faults"] is None
    assert (two["citizen_id"], two["citizen_id_state"], two["birth_date"]) == (None, "bad_check", None)
    assert two["address_division"] == "320213"
    assert two["faults"] == "citizen_id:bad_check birth_date:bad_date"
    assert told.faults == {"birth_date": {"bad_date": 1}, "citizen_id": {"bad_check": 1}}
    assert [
        (r["line"], r["column"], r["code"], r["raw"])
        for r in sorted(files["rejected"], key=lambda r: r["line"])
    ] == [
        (4, "姓名", "missing", None),
        (5, "人员编号", "missing", None),
    ]


def test_what_identity_gets_of_a_row(household: Landed) -> None:
    _, files = household
    one, two = sorted(files["mentions"], key=lambda row: row["record_id"])
    assert one["record_id"] == "hukou:P1:self"
    assert (one["name"], one["name_raw"], one["citizen_id"], one["id_other"]) == (
        "张伟", "張 偉", "11010519491231002X", None,
    )  # fmt: skip
    assert (one["sex"], one["division"], one["address_rest"], one["as_of"]) == (
        "1", "320205400017", "1号", dt.date(2026, 11, 20),
    )  # fmt: skip
    assert (two["citizen_id"], two["id_other"], two["sex"]) == (None, "110105194912310021", None)


def test_a_step_may_be_repeated(household: Landed, tmp_path: Path) -> None:
    (tmp_path / "s.parquet").write_bytes(b"left by a crash")
    (tmp_path / "m.parquet.part").write_bytes(b"left by a crash")
    again, files = land(tmp_path, "hukou", HUKOU)
    assert again == household[0]
    for name, rows_found in household[1].items():
        assert sorted(files[name], key=str) == sorted(rows_found, key=str)
    assert not list(tmp_path.glob("*.part"))


def test_an_empty_delivery_gives_empty_files(tmp_path: Path) -> None:
    told, files = land(tmp_path, "hukou", {"line": []})
    assert (told.rows, told.standard, told.rejected, told.mentions) == (0, 0, 0, 0)
    assert all(rule.passed for rule in told.rules)
    assert all(not found for found in files.values())


def test_the_engine_keeps_to_its_memory() -> None:
    engine = open_engine("512MB", 1)
    assert engine.to_pyarrow(ibis.literal(1)).as_py() == 1
    (limit,) = engine.raw_sql("SELECT current_setting('memory_limit')").fetchone()
    assert limit.startswith(("488", "512"))
