"""What rules answer in Python: facts nested or flat, three truth values, lists, limits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import pytest

from dizuo.foundation.rules import Months, RuleTooLong, compile_python, parse

TODAY = date(2026, 11, 23)


class Colour(StrEnum):
    RED = "red"


class Child(msgspec.Struct):
    name: str
    age: int


FACTS: dict[str, Any] = {
    "mother": {"hukou": {"district": "梁溪区"}, "married": True},
    "child.birth_date": date(2026, 11, 1),
    "children": [{"name": "甲", "age": 3}, {"name": "乙", "age": 20}, {"name": "丙"}],
    "count_of": 2,
    "ratio": 0.1,
    "colour": Colour.RED,
    "first": Child("丁", 1),
    "at": datetime(2026, 11, 22, 16, 30, tzinfo=UTC),
    "nothing": None,
    "bytes": b"x",
    "nan": float("nan"),
    "naive": datetime(2026, 1, 1),
}


def run(text: str, facts: dict[str, Any] | None = None) -> object:
    return compile_python(parse(text))(FACTS if facts is None else facts, TODAY)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('mother.hukou.district = "梁溪区"', True),
        ("child.birth_date.year", Decimal(2026)),  # a flat fact, then a part of it
        ("age(child.birth_date, today()) < 1", True),
        ("mother.hukou.street", None),
        ("nobody.at.all", None),
        ("nobody = null", True),
        ("count_of + 1", Decimal(3)),
        ("ratio * 3 = 0.3", True),
        ('colour = "red"', True),
        ("first.age", Decimal(1)),
        ("date(at)", date(2026, 11, 23)),
        ("bytes = null and nan = null and naive = null", True),
        # three truth values
        ("nothing and false", False),
        ("nothing and true", None),
        ("nothing or true", True),
        ("not(nothing)", None),
        ("1 < nothing", None),
        ("if nothing then 1 else 2", Decimal(2)),
        ("nothing between 1 and 2", None),
        ("5 between nothing and 2", False),
        ("nothing in [1..2]", None),
        ("3 in (< nothing, > 2)", True),
        ('1 = "1"', None),  # different kinds do not compare
        ('1 + "1"', None),
        # lists
        ("children.name", ["甲", "乙", "丙"]),
        ("count(children)", Decimal(3)),
        ("children[1].name", "甲"),
        ("children[-1].name", "丙"),
        ("children[9]", None),
        ("children[item.age < 18].name", ["甲"]),
        ("children[count_of].name", "乙"),
        ("some c in children satisfies c.age > 18", True),
        ("every c in children satisfies c.age > 1", None),  # one age is not known
        ("every c in children satisfies c.age > 10", False),
        ("some c in [] satisfies true", False),
        ("every c in [] satisfies false", True),
        ("some c in nothing satisfies true", None),
        ("for c in children return c.age + 1", [Decimal(4), Decimal(21), None]),
        ("for x in [1, 2], y in [10, 20] return x + y", [Decimal(n) for n in (11, 21, 12, 22)]),
        ("for x in [[1, 2], [3]], y in x return y", [Decimal(n) for n in (1, 2, 3)]),
        ("some x in [1, 2], y in [2, 3] satisfies x = y", True),
        ("for item in [1] return [5, 6][item = 6]", [[Decimal(6)]]),
        ("nothing[1]", None),
        ("[1, 2] = [1, 2]", True),
        ("{a: 1, b: [2]}.b", [Decimal(2)]),
        ("{a: 1} = {a: 1}", True),
        ("concatenate([1], [2, 3])", [Decimal(n) for n in (1, 2, 3)]),
        ("distinct values([1, 2, 1, null, null])", [Decimal(1), Decimal(2), None]),
        ('string join(["a", null, "b"], "-")', "a-b"),
        ('string join(["a", "b"])', "ab"),
        ("sum([1, null])", None),
        ("min([3, 1, 2])", Decimal(1)),
        ("max(1, 5, 2)", Decimal(5)),
        ("sum([])", None),
        ("count(nothing)", None),
        ("all([true, null])", None),
        ("any([false, true, null])", True),
        ("all([])", True),
        # texts
        ('"a" + "b"', "ab"),
        ('substring("无锡市梁溪区", 4)', "梁溪区"),
        ('substring("无锡", 0)', None),
        ('substring("无锡", 1.5)', None),
        ('upper case("abcé")', "ABCé"),
        ('matches("320211199001011234", "^[0-9]{17}[0-9X]$")', True),
        ('matches("ab\\n", "b$")', False),  # $ is the end, not the last line
        # numbers
        ("0.1 + 0.2", Decimal("0.3")),
        ("2 / 3", Decimal("0.666666666667")),
        ("-2 / 3", Decimal("-0.666666666667")),
        ("round half up(2.345, 2)", Decimal("2.35")),
        ("round half up(1, 13)", None),
        ("floor(-1.5) + ceiling(-1.5) + abs(-1)", Decimal(-2)),
        ("2 ** 3", Decimal(8)),
        # time
        ('date("2026-01-31") + duration("P1M")', date(2026, 2, 28)),
        ('today() - date("2026-11-01")', timedelta(days=22)),
        ('(today() - date("2026-11-01")).days', Decimal(22)),
        ('duration("P1Y2M").years', Decimal(1)),
        ('duration("P1Y") + duration("P2M")', Months(14)),
        ("today().weekday", Decimal(1)),
        ('date and time("2026-11-23T08:30:00Z").hour', Decimal(16)),
        ('time("08:30") < time("09:00:00")', True),
        ('@"P1D" < @"PT25H"', True),
    ],
)
def test_answers(text: str, answer: object):
    got = run(text)
    assert got == answer
    assert type(got) is type(answer)


def test_bound_variables_do_not_leak_and_hide_facts():
    assert run("(some x in [1] satisfies x = 1) and x = 9", {"x": 9}) is True
    assert run("[for x in [1, 2] return x, [x]]", {"x": 9}) == [[Decimal(1), Decimal(2)], [Decimal(9)]]
    assert run("(every x in [1, 2] satisfies x > 1) or x = 9", {"x": 9}) is True


def test_flat_and_nested_facts_may_be_mixed_and_the_longest_path_wins():
    facts = {"a": {"b": 1, "c": 2}, "a.b": 10}
    assert run("[a.b, a.c]", facts) == [Decimal(10), Decimal(2)]


def test_a_rule_cannot_be_made_to_run_for_ever():
    big = {"xs": list(range(1000))}
    with pytest.raises(RuleTooLong) as caught:
        run("some a in xs, b in xs, c in xs satisfies a + b + c < 0", big)
    assert "10000" in caught.value.message
    assert run("some a in xs satisfies a = 999", big) is True


def test_a_rule_reaches_nothing_but_its_facts():
    assert run("first.__class__") is None
    assert run("first.__class__.__mro__") is None
    assert run("mother.keys") is None
