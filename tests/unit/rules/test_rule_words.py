"""Rules in Chinese, and which facts they read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dizuo.foundation.rules import Clause, clauses, explain, parse, paths

WORDS = {
    "mother.hukou.district": "母亲的户籍所在区",
    "mother.phone": "母亲的手机号码",
    "child.birth_date": "孩子的出生日期",
    "child.name": "孩子的姓名",
    "married": "父母已登记结婚",
    "n": "人数",
    "area": "经营面积",
    "children": "子女",
    "children.age": "子女的年龄",
}
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            'mother.hukou.district = "梁溪区" and age(child.birth_date, today()) < 1',
            "母亲的户籍所在区是梁溪区，并且孩子未满 1 周岁",
        ),
        ("age(child.birth_date, today()) >= 16", "孩子已满 16 周岁"),
        ('18 <= age(child.birth_date, @"2026-09-01")', "孩子在 2026 年 9 月 1 日时已满 18 周岁"),
        (
            "n in [1..5] or (n > 10 and married)",
            "人数在 1 到 5 之间（含两端），或者（人数大于 10，并且父母已登记结婚为“是”）",
        ),
        ("n in (1..5]", "人数在 1 到 5 之间（不含前者）"),
        ("n in (< 1, >= 5)", "人数小于 1或者不少于 5"),
        ('mother.hukou.district in ("梁溪区", "惠山区")', "母亲的户籍所在区是梁溪区、惠山区之一"),
        ('not(mother.hukou.district in ["梁溪区", "惠山区"])', "母亲的户籍所在区不是梁溪区、惠山区之一"),
        ('mother.hukou.district != "梁溪区"', "母亲的户籍所在区不是梁溪区"),
        ("child.name = null", "没有孩子的姓名"),
        ("is defined(mother.phone)", "已有母亲的手机号码"),
        ("not(exists(mother.phone))", "没有母亲的手机号码"),
        ("married = false", "父母已登记结婚为“否”"),
        ("married", "父母已登记结婚为“是”"),
        ('child.birth_date < date("2026-01-01")', "孩子的出生日期早于 2026 年 1 月 1 日"),
        ('today() <= child.birth_date + duration("P1M")', "今天不晚于孩子的出生日期加 1 个月"),
        ('today() - child.birth_date < duration("P30D")', "从孩子的出生日期到今天的时间短于 30 天"),
        ("area between 50 and 300.50", "经营面积在 50 到 300.5 之间"),
        ("area / 3 > 2", "经营面积除以 3 大于 2"),
        ("count(children) >= 3", "子女的数量不少于 3"),
        ("some c in children satisfies c.age < 18", "子女中至少有一个满足“子女的年龄小于 18”"),
        ('contains(child.name, "·")', "孩子的姓名包含“·”"),
        (
            "if married then n > 1 else n > 2",
            "如果父母已登记结婚为“是”，则要求人数大于 1，否则要求人数大于 2",
        ),
        ("child.birth_date.year = 2026", "孩子的出生日期的年份等于 2026"),
        ("true", "总是成立"),
        ("unknown.path = 1", "unknown.path 等于 1"),
        ("not(n > 1 and married)", "不满足“人数大于 1，并且父母已登记结婚为“是””"),
    ],
)
def test_plain_chinese(text: str, chinese: str):
    assert explain(parse(text), WORDS) == chinese


FACTS: dict[str, Any] = {
    "mother": {"hukou": {"district": "惠山区"}},
    "child.birth_date": date(2026, 11, 1),
    "n": 4,
}


def test_with_facts_it_tells_which_part_held():
    rule = parse('mother.hukou.district = "梁溪区" and age(child.birth_date, today()) < 1 and married')
    assert explain(rule, WORDS, FACTS, TODAY) == (
        "母亲的户籍所在区是梁溪区（不符合，母亲的户籍所在区：惠山区），"
        "并且孩子未满 1 周岁（符合），并且父母已登记结婚为“是”（还不知道）"
    )
    assert clauses(rule, WORDS, FACTS, TODAY) == [
        Clause("母亲的户籍所在区是梁溪区", False, (("母亲的户籍所在区", "惠山区"),)),
        Clause("孩子未满 1 周岁", True, (("孩子的出生日期", date(2026, 11, 1)),)),
        Clause("父母已登记结婚为“是”", None, (("父母已登记结婚", None),)),
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('mother.hukou.district = "x" and n > 1', {"mother.hukou.district", "n"}),
        ("if a then b else c.d", {"a", "b", "c.d"}),
        ("x in (y, < z.w, [lo..hi])", {"x", "y", "z.w", "lo", "hi"}),
        ("some c in children satisfies c.age < limit", {"children.age", "limit"}),
        ("some c in children satisfies true", {"children"}),
        ("for c in children, d in c.toys return d.name", {"children.toys.name"}),
        ("count(children[item.age < 18])", {"children", "children.age"}),
        ("children[item.age < 18].name", {"children.age", "children.name"}),
        ("age(birth: p.born, on: today())", {"p.born"}),
        ("for x in [a, b] return x.y", {"a", "b"}),
        ("{k: a.b}.k = 1", {"a.b"}),
        ("1 + 2 = 3", set[str]()),
        ("(some x in xs satisfies x = 1) and x = 2", {"xs", "x"}),
    ],
)
def test_paths(text: str, read: set[str]):
    assert paths(parse(text)) == read


def test_paths_are_cut_to_known_facts():
    rule = parse("child.birth_date.year = 2026 and other.thing = 1")
    assert paths(rule, known={"child.birth_date"}) == {"child.birth_date", "other.thing"}
