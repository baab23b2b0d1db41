"""Types: what fits, every fault at once, and what to write instead."""

from __future__ import annotations

import pytest

from dizuo.foundation.rules import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DAYS,
    MONTHS,
    NULL,
    NUMBER,
    TEXT,
    ListType,
    RuleErrors,
    Type,
    check,
    context,
    environment,
    parse,
)

ENV = environment(
    {
        "mother.hukou.district": TEXT,
        "child.birth_date": DATE,
        "child.name": TEXT,
        "n": NUMBER,
        "married": BOOLEAN,
        "at": DATETIME,
        "children": ListType(context({"age": NUMBER, "name": TEXT})),
        "codes": ListType(TEXT),
        "anything": ANY,
    }
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n + 1", NUMBER),
        ('child.name + "x"', TEXT),
        ('child.birth_date + duration("P1M")', DATE),
        ('duration("P1D") + at', DATETIME),
        ("today() - child.birth_date", DAYS),
        ('duration("P1Y") - duration("P1M")', MONTHS),
        ("child.birth_date.year", NUMBER),
        ("n > 1 and married", BOOLEAN),
        ("if married then 1 else null", NUMBER),
        ("null + n", NULL),
        ("children.name", ListType(TEXT)),
        ("children[item.age < 18]", ListType(context({"age": NUMBER, "name": TEXT}))),
        ("children[1].name", TEXT),
        ("for c in children return c.age * 2", ListType(NUMBER)),
        ("every c in children, d in codes satisfies c.name = d", BOOLEAN),
        ("[1, null, 2]", ListType(NUMBER)),
        ("{a: 1, b: n}", context({"a": NUMBER, "b": NUMBER})),
        ("{a: 1}.a", NUMBER),
        ("min(codes)", TEXT),
        ("max(1, n)", NUMBER),
        ("sum(children.age)", NUMBER),
        ('coalesce(child.name, "无")', TEXT),
        ("concatenate(codes, [child.name])", ListType(TEXT)),
        ("distinct values(codes)", ListType(TEXT)),
        ("n in codes or n in (1, 2)", None),
        ("anything > 1 and anything.field = 2", BOOLEAN),
        ("child.name in codes", BOOLEAN),
        ("child.name = null", BOOLEAN),
        ("date(at) = today()", BOOLEAN),
        ("round half up(n / 3, 2)", NUMBER),
    ],
)
def test_types(text: str, kind: Type | None):
    if kind is None:
        with pytest.raises(RuleErrors):
            check(parse(text), ENV)
    else:
        assert check(parse(text), ENV) == kind


@pytest.mark.parametrize(
    ("text", "marked", "message", "fix"),
    [
        ("mothre.hukou = 1", "mothre", "不认识“mothre”", "mother"),
        ('mother.hukou.distrct = "x"', "distrct", "没有“distrct”", "district"),
        ("child.birth_date.yeer", "yeer", "没有“yeer”", "year"),
        ("n.x", "x", "数字没有“x”", None),
        ('n > "3"', '"3"', "数字不能和文本比较", "12"),
        ('child.birth_date > "2026-01-01"', '"2026-01-01"', "日期不能和文本比较", "date("),
        ("married > true", "married", "是否不能比较大小", "="),
        ("n = child.name", "n = child.name", "数字不能和文本比较", None),
        ("n + child.name", "n + child.name", "不能用“+”计算", "不能相加"),
        ("child.birth_date + 3", "child.birth_date + 3", "不能用“+”计算", "duration"),
        ("at - child.birth_date", "at - child.birth_date", "不能用“-”计算", None),
        ("-child.name", "child.name", "负号后面应该是", None),
        ("n and married", "n", "and 和 or 两边应该是是否", "true 或 false"),
        ("not(n)", "n", "not 里面应该是是否", None),
        ("if n then 1 else 2", "n", "if 的条件应该是是否", None),
        ('if married then 1 else "x"', '"x"', "类型要相同：前面是数字，这里是文本", None),
        ('[1, "x"]', '"x"', "列表里各项的类型要相同", None),
        ('n in ["a".."b"]', '"a"', "数字不能和文本比较", None),
        ("n in codes", "codes", "数字不能和文本比较", None),
        ('n between 1 and "2"', '"2"', "数字不能和文本比较", None),
        ("some c in n satisfies true", "n", "in 后面应该是列表", "[a, b]"),
        ("some c in children satisfies c.age", "c.age", "satisfies 后面应该是是否", None),
        ("some c in children satisfies c.agee > 1", "agee", "没有“agee”", "age"),
        ("child.name[1]", "child.name", "只有列表能用 [ ] 筛选", None),
        ("children[item.name]", "item.name", "[ ] 里面应该是", None),
        ("sum(codes)", "codes", "sum 的 list 应该是数字", None),
        ("count(1, 2)", "count(1, 2)", "count 里应该是一个列表", "count([a, b])"),
        ("age(child.name, today())", "child.name", "age 的 birth 应该是日期，这里是文本", "date("),
        ("list contains(n, 1)", "n", "应该是列表", None),
        ("list contains(codes, 1)", "1", "文本不能和数字比较", None),
        ("string length(n)", "n", "应该是文本", None),
        ("matches(child.name, child.name)", "child.name", "模式要写成常量文本", "matches(x"),
        ('matches(child.name, "(a")', '"(a"', "模式第 1 个字符处：括号没有关上", None),
        ('coalesce(1, "x")', '"x"', "coalesce 里各项的类型要相同", None),
    ],
)
def test_faults_are_marked_and_told(text: str, marked: str, message: str, fix: str | None):
    with pytest.raises(RuleErrors) as caught:
        check(parse(text), ENV)
    told = [fault for fault in caught.value.errors if message in fault.message]
    assert told, caught.value.render()
    assert marked in {text[fault.start : fault.end] for fault in told}
    assert fix is None or fix in (told[0].fix or "")


def test_all_faults_at_once_and_none_that_follows_from_another():
    with pytest.raises(RuleErrors) as caught:
        check(parse('mothre.x > 1 and n = "1" and chld.name + 1 = 2 and not(n)'), ENV)
    assert [fault.message for fault in caught.value.errors] == [
        "不认识“mothre”。",
        "数字不能和文本比较。",
        "不认识“chld”。",
        "not 里面应该是是否，这里是数字。",
    ]


def test_an_environment_from_paths():
    env = environment({"a.b.c": TEXT, "a.b.d": NUMBER, "a.e": DATE, "f": BOOLEAN})
    assert check(parse("a.b.c"), env) == TEXT
    assert check(parse("a.b.d"), env) == NUMBER
    assert check(parse("a.e"), env) == DATE
    merged = environment({"a": context({"x": TEXT}), "a.y": NUMBER})
    assert check(parse("a.x"), merged) == TEXT
    assert check(parse("a.y"), merged) == NUMBER
    with pytest.raises(ValueError, match="both"):
        environment({"a": TEXT, "a.b": TEXT})
