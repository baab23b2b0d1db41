"""How two records agree, as tables; and that our SQL weighs as Splink does with the same weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dizuo.engines.lake.identity import nodes
from dizuo.engines.lake.identity.enterprise import ENTERPRISE
from dizuo.engines.lake.identity.errors import ModelUnfit
from dizuo.engines.lake.identity.evidence import chance, meaning, strength, waterfall
from dizuo.engines.lake.identity.learn import learn, splink_settings
from dizuo.engines.lake.identity.person import PERSON
from dizuo.engines.lake.identity.rehearsal import Rehearsal
from dizuo.engines.lake.identity.run import default_models
from dizuo.engines.lake.identity.score import Scoring, evidence_sql, prepare, score
from dizuo.engines.lake.identity.sounds import blurred, outline, reading
from dizuo.engines.lake.identity.spec import fitted, read_weights, write_weights

SCHEMA = pa.schema(
    [
        (n, pa.string())
        for n in ("record_id", "source", "mention", "entity", "name", "name_raw", "former_name", "sex")
    ]
    + [("birth_date", pa.date32())]
    + [(n, pa.string()) for n in ("citizen_id", "id_other", "uscc", "phone", "division", "address_rest")]
    + [("as_of", pa.date32())]
)
NUMBER = "320211198503071234"


def mention(record: str, **values: Any) -> dict[str, Any]:
    """A mention; what is not given is not known."""
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    row |= {
        "record_id": record,
        "source": record.split(":")[0],
        "entity": "person",
        "as_of": date(2026, 11, 1),
    }
    return row | values


def noded(
    rows: list[dict[str, Any]], entity: str = "person", *, apart: bool = False
) -> duckdb.DuckDBPyConnection:
    """A store in memory with these mentions as nodes."""
    store = duckdb.connect()
    store.register("given", pa.Table.from_pylist(rows, schema=SCHEMA))
    nodes.tell(store, entity, "given", 1, apart=apart)
    nodes.build(store, entity)
    return store


def agreement(
    one: Mapping[str, Any], other: Mapping[str, Any], entity: str = "person", people: int = 1_000_000
) -> dict[str, Any]:
    """The levels by name, and the total, of two mentions."""
    rows = [mention("a:1:self", entity=entity, **one), mention("b:2:self", entity=entity, **other)]
    store = noded(rows, entity, apart=True)
    model = default_models()[entity]
    sides = ", ".join(f"a.{c} AS {c}_l, b.{c} AS {c}_r" for c in model.shape.columns)
    found = store.execute(
        evidence_sql(
            model, people, f"SELECT {sides} FROM node_{entity} a JOIN node_{entity} b ON a.node < b.node"
        )
    )
    names = [column[0] for column in found.description or ()]
    row = dict(zip(names, found.fetchall()[0], strict=True))
    levels: dict[str, Any] = {"w": row["w"], "row": row}
    for comparison in model.shape.comparisons:
        place = row[f"level_{comparison.id}"]
        levels[comparison.id] = comparison.levels[place].id if place >= 0 else None
    return levels


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("王启明", "王启明", "exact"),
        ("王启明", "王起名", "sound"),
        ("王启明", "王琪铭", "sound"),
        ("单晓晴", "山晓晴", "sound"),
        ("陈婷婷", "陈停停", "sound"),
        ("李彬", "李杉", "shape"),
        ("赵珍珍", "赵真真", "sound"),
        ("张志强", "张自强", "near_sound"),
        ("阿依古丽·吐尔逊", "阿依古丽", "cut"),
        ("买买提·阿不都", "买买提阿不都", "cut"),
        ("王启明", "王启军", "one_character"),
        ("王启明", "王建国", "surname"),
        ("王启明", "李建国", "different"),
        ("MARIA SILVA", "MARIA SILVIA", "latin"),
        ("王启明", None, None),
    ],
)
def test_names(one: str, other: str | None, level: str | None) -> None:
    assert agreement({"name": one, "phone": "1"}, {"name": other, "phone": "2"})["name"] == level


def test_a_former_name_meets_a_name_on_either_side() -> None:
    old = {"name": "王招娣", "phone": "1"}
    new = {"name": "王雅文", "former_name": "王招娣", "phone": "2"}
    assert agreement(old, new)["name"] == agreement(new, old)["name"] == "former"


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ({"citizen_id": NUMBER}, {"citizen_id": NUMBER}, "equal"),
        ({"citizen_id": NUMBER}, {"id_other": "320211198503072134"}, "swapped"),
        ({"citizen_id": NUMBER}, {"id_other": "320211198503071239"}, "one_digit"),
        ({"citizen_id": NUMBER}, {"id_other": "32021119850307123"}, "one_digit"),
        ({"citizen_id": NUMBER}, {"id_other": "320211850307123"}, "ancestor"),
        ({"citizen_id": NUMBER}, {"id_other": "E12345678"}, "other_kind"),
        ({"citizen_id": NUMBER}, {"id_other": "320103197001019999"}, "wrong"),
        ({"citizen_id": NUMBER}, {"citizen_id": "320211198503071250"}, "different"),
        ({"citizen_id": NUMBER}, {}, None),
    ],
)
def test_numbers(one: dict[str, str], other: dict[str, str], level: str | None) -> None:
    assert agreement({"name": "王启明", **one}, {"name": "王启明", **other})["number"] == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        (date(1985, 3, 7), date(1985, 3, 7), "equal"),
        (date(1985, 3, 7), date(1985, 7, 3), "swapped"),
        (date(1985, 3, 7), date(1985, 3, 8), "one_part"),
        (date(1985, 3, 7), date(1958, 3, 7), "one_part"),
        (date(1985, 3, 7), date(1986, 4, 7), "different"),
        (date(1985, 3, 7), None, None),
    ],
)
def test_births(one: date, other: date | None, level: str | None) -> None:
    assert (
        agreement({"name": "王启明", "birth_date": one}, {"name": "王启明", "birth_date": other})["birth"]
        == level
    )


def test_an_equal_number_has_said_birth_and_sex_already() -> None:
    same = {"name": "王启明", "citizen_id": NUMBER, "birth_date": date(1985, 3, 7), "sex": "1"}
    found = agreement(same, {**same, "name": "王起明"})
    assert (found["number"], found["birth"], found["sex"]) == ("equal", None, None)
    other = agreement(same, {**same, "name": "李秀英", "birth_date": date(1987, 9, 1), "sex": "2"})
    assert (other["birth"], other["sex"]) == ("different", "different")
    assert other["w"] < found["w"] - 20


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        (("320211001003", "人民中路12号3幢402室"), ("320211001003", "人民中路12号3幢402室"), "equal"),
        (("320211001003", "人民中路12号3幢402室"), ("320211001000", "人民中路12-3-402"), "door"),
        (("320211001003", "人民中路12号3幢402室"), ("320211001003", "学前街8号201室"), "community"),
        (("320211001003", "人民中路12号"), ("320211001009", "学前街8号"), "town"),
        (("320211001003", "人民中路12号"), ("320205002001", "锡沪路8号"), "different"),
        (("320211001003", "人民中路12号"), (None, None), None),
    ],
)
def test_places(one: tuple[str, str], other: tuple[str | None, str | None], level: str | None) -> None:
    left, right = ({"name": "王启明", "division": d, "address_rest": r} for d, r in (one, other))
    assert agreement(left, right)["place"] == level


def test_a_telephone_of_many_names_is_weak_and_of_a_crowd_nothing() -> None:
    names = ["王启明", "李秀英", "张伟", "赵敏", "钱进", "孙立", "周舟", "吴双"]
    few = noded([mention(f"s:{n}:self", name=name, phone="13000000000") for n, name in enumerate(names[:3])])
    some = noded([mention(f"s:{n}:self", name=name, phone="13000000000") for n, name in enumerate(names)])
    crowd = noded(
        [mention(f"s:{n}:self", name=f"{name}{n}", phone="13000000000") for n in range(5) for name in names]
    )
    seen = [
        s.execute("SELECT DISTINCT phone_a IS NOT NULL, phone_s IS NOT NULL FROM node_person").fetchall()
        for s in (few, some, crowd)
    ]
    assert seen == [[(True, False)], [(False, True)], [(False, False)]]


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("无锡市梁味坊餐饮有限公司", "无锡市梁味坊餐饮有限公司", "exact"),
        ("无锡市梁味坊餐饮有限公司", "梁味坊餐饮有限责任公司", "core"),
        ("无锡市梁味坊餐饮有限公司", "梁味坊餐饮(无锡)有限公司", "inside"),
        ("无锡市梁味坊餐饮有限公司", "无锡市鼎盛建材有限公司", "different"),
    ],
)
def test_enterprise_names(one: str, other: str, level: str) -> None:
    found = agreement({"name": one, "phone": "1"}, {"name": other, "phone": "2"}, "enterprise")["name"]
    assert found == level or (level == "inside" and found == "near")


def test_enterprise_codes() -> None:
    code, near = "91320213DEM00001X5", "91320213DEM00010X5"
    assert (
        agreement({"name": "甲店", "uscc": code}, {"name": "乙店", "uscc": code}, "enterprise")["number"]
        == "equal"
    )
    assert (
        agreement({"name": "甲店", "uscc": code}, {"name": "乙店", "id_other": near}, "enterprise")["number"]
        == "near"
    )


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("单晓晴", "shan xiao qing"),
        ("万俟建国", "mo qi jian guo"),
        ("解放", "xie fang"),
        ("曾庆红", "zeng qing hong"),
        ("A王", "A wang"),
    ],
)
def test_readings(name: str, sound: str) -> None:
    assert reading(name) == sound


def test_blurring_and_outlines() -> None:
    assert blurred("zhang neng") == blurred("zan len")
    assert outline("陈杉") == outline("陈彬")
    assert outline("王") != outline("李")


def test_a_rare_name_is_worth_more_than_a_common_one() -> None:
    rows = [mention(f"s:{n}:self", name="张伟", phone=str(n)) for n in range(40)]
    rows += [mention(f"r:{n}:self", name="谌昀祎", phone=str(100 + n)) for n in range(2)]
    store = noded(rows)
    model = default_models()["person"]
    name = model.comparisons()[0]
    sides = ", ".join(f"a.{c} AS {c}_l, b.{c} AS {c}_r" for c in model.shape.columns)
    found = dict(
        store.execute(
            f"SELECT name_l, min({model.weight_sql(1000, name)}) FROM (SELECT {sides} FROM node_person a JOIN node_person b"
            " ON a.name = b.name AND a.node < b.node) GROUP BY name_l"
        ).fetchall()
    )
    assert found["谌昀祎"] - found["张伟"] == pytest.approx(math.log2(40 / 2), abs=0.01)


def test_evidence_says_in_chinese_what_speaks_for_and_against() -> None:
    found = agreement(
        {"name": "王启明", "birth_date": date(1985, 3, 7), "phone": "13900001111"},
        {"name": "王起明", "birth_date": date(1985, 7, 3), "phone": "13900001111"},
    )
    told = waterfall(default_models()["person"], 1_000_000, found["row"])
    words = {step.what: (step.says, step.strength) for step in told.steps}
    assert words["姓名"][0] == "同音不同字"
    assert words["出生日期"][0] == "日月颠倒"
    assert words["证件号码"] == ("无从比较（一方没有，或已由号码说明）", "")
    assert words["电话"][1] == "强烈支持"
    assert told.steps[0].what == "起点"
    assert told.bits == pytest.approx(sum(step.bits for step in told.steps), abs=0.05)
    assert told.steps[-1].total == told.bits
    assert "同一人" in told.says


@pytest.mark.parametrize(
    ("bits", "word", "says"),
    [
        (20, "强烈支持", "几乎可以肯定是同一人"),
        (0, "说明不了什么", "约 50.0% 的可能是同一人"),
        (-20, "强烈反对", "几乎可以肯定不是同一人"),
    ],
)
def test_words_for_bits(bits: float, word: str, says: str) -> None:
    assert (strength(bits), meaning(bits)) == (word, says)


@given(st.floats(-500, 500))
def test_a_probability_is_one(bits: float) -> None:
    assert 0.0 <= chance(bits) <= 1.0


def test_weights_of_another_structure_are_refused(tmp_path: Path) -> None:
    weights = default_models()["person"].weights
    with pytest.raises(ModelUnfit):
        fitted(ENTERPRISE, weights)
    write_weights(weights, tmp_path / "w.json")
    assert read_weights(tmp_path / "w.json") == weights
    (tmp_path / "w.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelUnfit, match=r"w\.json"):
        read_weights(tmp_path / "w.json")


def test_chances_follow_the_size_of_the_city() -> None:
    model = default_models()["person"]
    phone = next(c for c in model.comparisons() if c.id == "phone").levels[0]
    birth = next(c for c in model.comparisons() if c.id == "birth").levels[0]
    assert model.bits(phone, 8_000_000) - model.bits(phone, 1_000_000) == pytest.approx(3.0, abs=0.01)
    assert model.bits(birth, 8_000_000) == model.bits(birth, 1_000_000)
    assert model.prior_bits(8_000_001) == pytest.approx(model.prior_bits(1_000_001) - 3.0, abs=0.001)


@pytest.fixture(scope="module")
def small() -> duckdb.DuckDBPyConnection:
    return noded([m.row() for m in Rehearsal(900, seed=3, error_rate=0.3).mentions()], apart=True)


def test_learning_gives_sane_weights(small: duckdb.DuckDBPyConnection) -> None:
    rules = [
        "l.number = r.number",
        "l.blurred = r.blurred AND l.birth = r.birth",
        "l.phone_a = r.phone_a AND l.name = r.name",
    ]
    weights = learn(small, PERSON, "node_person", rules, lower=0, upper=6, learnt={"on": "test"}, pairs=2e5)
    model = fitted(PERSON, weights)
    bits = {
        (c.id, level.id): model.bits(level, weights.people) for c in model.comparisons() for level in c.levels
    }
    assert bits["name", "exact"] > bits["name", "sound"] > 0 > bits["name", "different"]
    assert bits["number", "equal"] > bits["number", "swapped"] > 5
    assert bits["birth", "equal"] > bits["birth", "swapped"] > 0 > bits["birth", "different"]
    assert 600 < weights.people < 1200
    for levels in weights.levels.values():
        assert sum(m for m, _ in levels.values()) == pytest.approx(1, abs=1e-3)


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 10_000))
def test_our_sql_weighs_as_splink_predicts(small: duckdb.DuckDBPyConnection, seed: int) -> None:
    """The same weights, the same pairs: Splink's match weight and ours agree for every comparison, frequencies included."""
    from splink import DuckDBAPI, Linker

    model = default_models()["person"]
    people = model.weights.people  # at the sample's own size no chance is scaled
    rule = "l.blurred = r.blurred"
    api: Any = DuckDBAPI(small)
    told = splink_settings(PERSON, model.weights, [rule]) | {
        "probability_two_random_records_match": 1 / people,
        "linker_uid": f"u{seed}",
    }
    _scale(told, model, people)
    linker = Linker(api.register("node_person"), told, log_level=None)
    predicted = {
        (min(a, b), max(a, b)): w
        for a, b, w in linker.inference.predict(threshold_match_probability=0).as_duckdbpyrelation()
        .select("node_l, node_r, match_weight").fetchall()
    }  # fmt: skip
    sides = ", ".join(f"l.{c} AS {c}_l, r.{c} AS {c}_r" for c in PERSON.columns)
    ours = small.execute(
        f"SELECT a, b, {model.total_sql(people)} FROM (SELECT l.node AS a, r.node AS b, {sides} FROM node_person l JOIN node_person r"
        f" ON {rule} AND l.node < r.node WHERE hash(l.node, {seed}) % 3 = 0)"
    ).fetchall()
    assert len(ours) > 100
    for a, b, w in ours:
        assert w == pytest.approx(predicted[min(a, b), max(a, b)], abs=0.02), (a, b)


def _scale(told: dict[str, Any], model: Any, people: int) -> None:
    """Give Splink the very chances that we use, after our floors."""
    for comparison, known in zip(told["comparisons"], model.comparisons(), strict=True):
        by_id = {level.id: level for level in known.levels}
        for level in comparison["comparison_levels"][1:]:
            mine = by_id[level["label_for_charts"]]
            u = model.chance(mine, people)
            level |= {"u_probability": u, "m_probability": min(1.0, u * 2 ** model.bits(mine, people))}


def test_every_true_pair_of_one_slip_is_proposed_and_passes() -> None:
    """One slip in an otherwise full record never separates it: each kind of slip alone, through keys and weights."""
    full = {
        "name": "王启明", "sex": "1", "birth_date": date(1985, 3, 7), "citizen_id": NUMBER, "phone": "13900001111",
        "division": "320211001003", "address_rest": "人民中路12号3幢402室",
    }  # fmt: skip
    slips: list[dict[str, Any]] = [
        {"name": "王起明"}, {"name": "王启军"}, {"citizen_id": None}, {"citizen_id": None, "id_other": "320211198503072134"},
        {"citizen_id": None, "id_other": "320211198503091234"}, {"birth_date": date(1985, 7, 3), "citizen_id": None},
        {"phone": "13800000000", "citizen_id": None}, {"address_rest": "学前街8号201室", "division": "320205002001", "citizen_id": None},
    ]  # fmt: skip
    for slip in slips:
        filler = [
            mention(f"x:{n}:self", name=f"李{chr(0x4E00 + n)}{chr(0x5000 + n)}", phone=str(n))
            for n in range(50)
        ]
        store = noded([mention("a:1:self", **full), mention("b:1:self", **(full | slip)), *filler])
        job = Scoring(default_models()["person"], "node_person", "pair", 1_000_000, 1)
        prepare(store, job)
        score(store, job, lambda key, part: False, lambda key, part: None)
        found = store.execute("SELECT max(w) FROM pair").fetchall()[0][0]
        assert found is not None, slip
        assert found >= job.model.weights.upper, slip


def test_parts_and_keys_give_each_pair_once_whatever_the_number_of_parts() -> None:
    store = noded([m.row() for m in Rehearsal(600, seed=5, error_rate=0.4).mentions()])
    outcomes = []
    for part in (10_000_000, 150):
        job = Scoring(default_models()["person"], "node_person", f"pair_{part}", 600, 1, part=part)
        prepare(store, job)
        score(store, job, lambda key, n: False, lambda key, n: None)
        outcomes.append(
            store.execute(f"SELECT l, r, max(w) FROM pair_{part} GROUP BY l, r ORDER BY l, r").fetchall()
        )
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0]) > 20


def test_a_crowded_block_is_left_out_and_reported() -> None:
    rows = [mention(f"s:{n}:self", name="张伟", birth_date=date(1990, 1, 1), phone=str(n)) for n in range(30)]
    store = noded(rows)
    job = Scoring(default_models()["person"], "node_person", "pair", 1000, 1, cap=10)
    prepare(store, job)
    crowds = score(store, job, lambda key, part: False, lambda key, part: None)
    assert {(c.key, c.blocks, c.nodes, c.largest) for c in crowds} >= {("name_birth", 1, 30, 30)}
    assert store.execute("SELECT count(*) FROM pair").fetchall()[0][0] == 0
