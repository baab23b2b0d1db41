"""Declared rules over standard rows answer as the rule language's own interpreter does; shares, verdicts and scores."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from standard_sample import TODAY, kinds, rows, sources, wuxi

from dizuo.engines.lake.standard import (
    RuleResult,
    failing_rows,
    open_engine,
    results,
    rule_counts,
    score,
    stages_kept,
    standard_rows,
)
from dizuo.engines.lake.standard.truths import truth
from dizuo.foundation import rules
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.rules import RuleErrors

ENGINE = open_engine("1GB", 1)


def _fact(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return Decimal(value)
    return value.replace(tzinfo=SHANGHAI) if isinstance(value, dt.datetime) else value


@pytest.mark.parametrize("source", ["credit", "deaths", "hukou", "real_estate", "school_enrolment"])
def test_rules_answer_as_the_interpreter_does(source: str) -> None:
    declared = sources()[source]
    raw = ibis.memtable(rows(declared, 120), schema=kinds(declared))
    with stages_kept():
        table = ENGINE.to_pyarrow(standard_rows(raw, declared, wuxi()))
    assert table.num_rows
    standard = ibis.memtable(table)
    with stages_kept():
        counted = ENGINE.to_pyarrow(rule_counts(standard, declared, TODAY)).to_pylist()[0]
        failed = {
            (row["line"], row["rule"])
            for row in ENGINE.to_pyarrow(failing_rows(standard, declared, TODAY)).to_pylist()
        }
    expected: set[tuple[int, str]] = set()
    for rule in declared.quality:
        holds = rules.compile_python(rules.parse(rule.rule.text))
        for row in table.to_pylist():
            if holds({name: _fact(value) for name, value in row.items()}, today=TODAY) is not True:
                expected.add((row["line"], rule.id))
    assert failed == expected
    found = {result.rule: result for result in results(declared, counted)}
    for rule in declared.quality:
        assert found[rule.id].checked == table.num_rows
        assert found[rule.id].failed == sum(one == rule.id for _, one in expected)


SCHEMA = pa.schema(
    {
        "n": pa.int64(),
        "t": pa.string(),
        "d": pa.date32(),
        "m": pa.timestamp("us"),
        "b": pa.bool_(),
        "x": pa.decimal128(24, 4),
    }
)
TYPES = {
    "n": rules.NUMBER,
    "t": rules.TEXT,
    "d": rules.DATE,
    "m": rules.DATETIME,
    "b": rules.BOOLEAN,
    "x": rules.NUMBER,
}
ROWS = [
    {"n": 5, "t": "a-B_c d.e", "d": dt.date(2024, 1, 31), "m": dt.datetime(2024, 2, 29, 23, 59), "b": True, "x": Decimal("1.5000")},
    {"n": -1, "t": "", "d": dt.date(2000, 2, 29), "m": dt.datetime(2000, 1, 1), "b": False, "x": Decimal("-2.2500")},
    {"n": None, "t": None, "d": None, "m": None, "b": None, "x": None},
    {"n": 0, "t": "张三\n李", "d": dt.date(2026, 11, 23), "m": dt.datetime(2026, 11, 23, 8), "b": True, "x": Decimal("0.0000")},
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "n = 5", "n != 5", "n = null", "n < 3 and b", "n < 3 or b", "not(b)", "n between 0 and 5", "n in (0, 5)", "n in [0..5)",
        "n in (< 0, > 4)", 't in ("", "x")', 't = null or t = ""', "n + 1 > x * 2 - 1", "x >= 1.5", "abs(x) > 2", "floor(x) = 1",
        "ceiling(x) = -2", 'd + duration("P1M") > date("2024-02-28")', 'd - duration("P1Y") < date("2023-02-01")',
        'd + duration("P30D") <= today()', "date(m) >= d", "age(d, today()) >= 18", 'contains(t, "B")', 'starts with(t, "张")',
        'ends with(t, "e")', "string length(t) > 3", 'upper case(t) = "A-B_C D.E"', 'lower case(t) = "a-b_c d.e"',
        'matches(t, "^a-B_c d[.]e$")', 'matches(t, "^[a-z]-.*e$")', 'matches(t, "^张.+李$")', 'matches(t, "^$")', 'substring(t, 2, 2) = "-B"',
        'substring(t, -3) = "d.e"', "if b then n > 0 else n < 0", 'coalesce(t, "none") = "none"', "exists(d)", "is defined(n)",
        'm >= date and time("2024-02-29T00:00:00+08:00")', "d.year = 2024", "d.month + d.day = 34",
    ],
)  # fmt: skip
def test_a_rule_has_one_meaning(text: str) -> None:
    table = ibis.memtable(pa.Table.from_pylist(ROWS, schema=SCHEMA))
    try:
        holds = rules.compile_python(rules.parse(text))
    except RuleErrors:
        pytest.fail(f"the language does not know {text}")
    found = ENGINE.to_pyarrow(table.select(v=truth(text, table, TYPES, TODAY)))["v"].to_pylist()
    assert found == [holds({name: _fact(v) for name, v in row.items()}, today=TODAY) for row in ROWS]


@pytest.mark.parametrize(
    "text",
    [
        "some x in [1, 2] satisfies x = n",
        "count([1, 2]) = n",
        "n / 2 > 1",
        "n + 1",
        'd + duration("PT1H") > d',
    ],
)
def test_what_rows_cannot_answer_is_refused(text: str) -> None:
    table = ibis.memtable(pa.Table.from_pylist(ROWS, schema=SCHEMA))
    with pytest.raises(RuleErrors):
        truth(text, table, TYPES, TODAY)


def test_shares_verdicts_and_points() -> None:
    good = RuleResult("a", "completeness", 1000, 10, 0.99)
    assert (good.share, good.passed, good.points) == (0.99, True, 100.0)
    twice = RuleResult("b", "completeness", 1000, 20, 0.99)
    assert not twice.passed
    assert twice.points == pytest.approx(50.0)
    assert RuleResult("c", "accuracy", 1000, 1000, 0.9).points == pytest.approx(10.0)
    assert RuleResult("d", "accuracy", 0, 0, 1.0).passed
    assert RuleResult("e", "accuracy", 1000, 1, 1.0).points == pytest.approx(10.0)
    told = score([good, twice, RuleResult("c", "accuracy", 1000, 1000, 0.9)])
    assert told.by_dimension == {"completeness": 75.0, "accuracy": 10.0}
    assert told.total == 42.5
    assert score([]).total is None
