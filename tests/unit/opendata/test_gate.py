"""The gate finds whatever could name or single out somebody, says what would help, and what it lets pass tells nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.engines.opendata.counted import TOTAL, Table, with_totals
from dizuo.engines.opendata.detect import found, masked
from dizuo.engines.opendata.gate import inspect, passes
from dizuo.engines.opendata.hiding import hidden, small_cells, worked_out
from dizuo.engines.opendata.noise import accuracy, noised
from dizuo.foundation.blueprint.model import Place, Words
from dizuo.foundation.blueprint.model_dataset import Count, CountBy, Dataset, DatasetField, Gate, Made

AT = Place("datasets/x.yaml", 1, 1)


def field(id: str, kind: str = "text", **rest: Any) -> DatasetField:
    given: dict[str, Any] = {"identifier": "none", "institution": Words(""), "quasi": False, **rest}
    return DatasetField(id, Words(id, id), kind, Words(""), "", facet=False, place=AT, **given)  # type: ignore[arg-type]


def dataset(*fields: DatasetField, gate: Gate | None = None, count: Count | None = None) -> Dataset:
    return Dataset(
        "x", Words("x"), Words("x"), "data", "business", "unconditional", Words(""), "yearly", "", Words(""), Words(""), (),
        {one.id: one for one in fields}, Made(None, "x.csv" if count is None else "", None, count, "", AT),
        gate or Gate(0, "refuse", 0.0, 0.0, (), AT), False, AT,
    )  # fmt: skip


# --- direct identifiers, by content ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["联系 11010519491231002X", "无"], "citizen_id"),
        (["１１０１０５１９４９１２３１００２Ｘ"], "citizen_id"),
        (["请打13812345678找他"], "phone"),
        (["+86 138-1234-5678"], "phone"),
        (["someone@example.com"], "email"),
        (["王小明", "李雷", "欧阳修", "阿依古丽·买买提"], "name"),
        (["长江路12号", "太湖大道88号201室", "学前街3号"], "address"),
    ],
)
def test_content_gives_itself_away(values: list[str], kind: str) -> None:
    assert kind in found(values)


@pytest.mark.parametrize(
    "values",
    [
        ["110105194912310021", "20261123000000000001"],  # a wrong check digit; a case number
        ["12345", "0510-81234567"],
        ["梁溪区", "江阴市", "宜兴市", "滨湖区", "惠山区"],
        ["东亭街道", "安镇街道", "周庄镇", "顾山镇", "华士镇"],
        ["有限责任公司", "个体工商户", "合伙企业"],
        ["工作日", "自然日", "小时"],
    ],
)
def test_what_names_nobody_is_let_pass(values: list[str]) -> None:
    assert found(values) == {}


def test_examples_in_a_report_name_nobody() -> None:
    assert masked("name", "王小明") == "王＊＊"
    assert not any(sign.isdigit() for sign in masked("citizen_id", "11010519491231002X"))


def test_an_identifier_stops_by_declaration_and_by_content() -> None:
    declared = inspect(dataset(field("who", identifier="name")), [{"who": "甲"}])
    assert [one.code for one in declared] == ["declared_identifier"]
    seen = inspect(dataset(field("note")), [{"note": "手机 13812345678"}])
    assert [(one.code, one.rows) for one in seen] == [("identifier", 1)]
    assert not passes(declared)
    assert not passes(seen)


def test_an_institution_passes_with_its_reason_kept_but_never_with_a_citizen_number() -> None:
    office = field("phone", institution=Words("窗口的电话", "an office's"))
    told = inspect(dataset(office), [{"phone": "13812345678"}])
    assert passes(told)
    assert "窗口的电话" in told[0].says
    assert not passes(inspect(dataset(office), [{"phone": "11010519491231002X"}]))


# --- uniqueness -----------------------------------------------------------------------------------------


def test_rows_that_single_somebody_out_stop_and_the_best_way_out_comes_first_with_its_effect() -> None:
    people = [{"age": 30 + n % 10, "town": f"32020500{1 + n % 3}"} for n in range(60)]
    people.append({"age": 101, "town": "320205001"})
    one = dataset(
        field("age", "integer", quasi=True), field("town", quasi=True), gate=Gate(5, "refuse", 0, 0, (), AT)
    )
    (finding,) = inspect(one, people)
    assert finding.code == "unique"
    assert finding.rows == 61  # two rows a combination, all below five
    lefts = [way.left for way in finding.ways]
    assert lefts == sorted(lefts)
    coarse = {(way.column, way.how_en): way.left for way in finding.ways}
    assert coarse["age", "bands of 10 years"] == 1  # only the one of 101 is still alone
    # The effect is what really comes out, not an estimate.
    again = [{"age": str(row["age"] // 10 * 10), "town": row["town"]} for row in people]
    (rest,) = inspect(one, again)
    assert rest.rows == 1


def test_big_enough_groups_pass() -> None:
    rows = [{"age": 30, "town": "320205001"}] * 5
    one = dataset(
        field("age", "integer", quasi=True), field("town", quasi=True), gate=Gate(5, "refuse", 0, 0, (), AT)
    )
    assert inspect(one, rows) == ()


# --- small cells and what totals give away ----------------------------------------------------------------


def counting(gate: Gate) -> Dataset:
    by = (CountBy("a", "a", "value", 5, 85, AT), CountBy("b", "b", "value", 5, 85, AT))
    return dataset(
        field("a"), field("b"), field("n", "integer"), gate=gate, count=Count("r", {}, by, "n", AT)
    )


def test_small_cells_stop_and_so_does_a_hidden_cell_that_a_total_gives_away() -> None:
    one = counting(Gate(5, "suppress", 0, 0, ("b",), AT))
    plain = with_totals(Table({("x", "1"): 3, ("x", "2"): 40}, {}), ["a", "b"], ["b"])
    assert [f.code for f in inspect(one, [], plain)] == ["small_cell"]
    alone = Table({("x", "1"): None, ("x", "2"): 40}, {("x", TOTAL): 43})
    assert [f.code for f in inspect(one, [], alone)] == ["disclosed"]


def test_two_totals_together_give_away_what_neither_does_alone() -> None:
    """A 2×2 block hidden of a table with all margins but one row's: elimination finds it, looking row by row does not."""
    cells: dict[tuple[str, ...], int | None] = {
        ("x", "1"): None,
        ("x", "2"): None,
        ("y", "1"): None,
        ("y", "2"): 9,
    }
    totals: dict[tuple[str, ...], int | None] = {
        (TOTAL, "1"): 12,
        (TOTAL, "2"): 20,
        ("x", TOTAL): 18,
        ("y", TOTAL): 14,
    }
    assert worked_out(Table(cells, totals)) == {("x", "1"), ("x", "2"), ("y", "1")}
    assert worked_out(Table({**cells, ("y", "2"): None}, totals)) == frozenset()


@given(st.integers(0, 10_000))
def test_after_hiding_nothing_small_is_shown_and_nothing_hidden_can_be_worked_out(seed: int) -> None:
    dice = random.Random(seed)
    size = dice.randint(2, 5)
    cells: dict[tuple[str, ...], int | None] = {
        (str(a), str(b)): dice.choice([0, 1, 2, 3, 8, 30, 400])
        for a in range(size)
        for b in range(dice.randint(2, 5))
    }
    whole = with_totals(Table(cells, {}), ["a", "b"], dice.choice([["a"], ["b"], ["a", "b"]]))
    truth = {**whole.cells, **whole.totals}
    made = hidden(whole, 5)
    assert small_cells(made, 5) == frozenset()
    assert worked_out(made) == frozenset()
    # What is shown is true.
    assert all(
        number is None or number == truth[key] for key, number in {**made.cells, **made.totals}.items()
    )
    # And what one total hides together is not small itself.
    for total, members in made.groups():
        gone = [key for key in members if made.cells[key] is None]
        if gone and made.totals[total] is not None:
            assert not 0 < sum(truth[key] or 0 for key in gone) < 5


def test_a_table_without_small_cells_is_shown_whole() -> None:
    whole = with_totals(
        Table({("x", "1"): 5, ("x", "2"): 0, ("y", "1"): 9, ("y", "2"): 7}, {}), ["a", "b"], ["a", "b"]
    )
    assert hidden(whole, 5).cells == whole.cells


# --- noise ------------------------------------------------------------------------------------------------


def test_noise_is_drawn_anew_from_opendp_and_is_as_accurate_as_said() -> None:
    truth = {(str(n),): 1000 for n in range(2000)}
    made = [noised(Table(truth, {}), 0.5).cells for _ in range(2)]
    assert made[0] != made[1]
    off = [abs((number or 0) - 1000) for number in made[0].values()]
    bound = accuracy(0.5)
    # 95 % lie within the bound; a draw of 2,000 is off by more than 3 points less often than once in a million.
    assert 0.92 < sum(one <= bound for one in off) / len(off) < 1
    mean = sum((number or 0) - 1000 for number in made[0].values()) / len(off)
    assert abs(mean) < 0.5


def test_no_count_is_below_zero() -> None:
    made = noised(Table({(str(n),): 0 for n in range(500)}, {}), 0.1)
    assert min(number or 0 for number in made.cells.values()) == 0
    assert max(number or 0 for number in made.cells.values()) > 0
