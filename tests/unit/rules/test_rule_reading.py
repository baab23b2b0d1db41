"""Reading rules: precedence, spans, and a way out for every slip."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.foundation.rules import RuleErrors, parse
from dizuo.foundation.rules.tree import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Filter,
    In,
    Literal,
    Logic,
    Member,
    Name,
    Negative,
    Not,
    Range,
    UnaryTest,
    children,
    walk,
)

a, b, c = Name("a"), Name("b"), Name("c")


def number(n: int) -> Literal:
    return Literal(Decimal(n))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", Arithmetic("+", a, Arithmetic("*", b, c))),
        ("(a + b) * c", Arithmetic("*", Arithmetic("+", a, b), c)),
        ("a - b - c", Arithmetic("-", Arithmetic("-", a, b), c)),
        ("a / b ** 2", Arithmetic("/", a, Arithmetic("**", b, number(2)))),
        ("-a + b", Arithmetic("+", Negative(a), b)),
        ("-3", number(-3)),
        ("a or b and c", Logic("or", (a, Logic("and", (b, c))))),
        ("a and b and c", Logic("and", (a, b, c))),
        ("(a or b) and c", Logic("and", (Logic("or", (a, b)), c))),
        ("not(a) and b", Logic("and", (Not(a), b))),
        ("a + 1 < b * 2", Compare("<", Arithmetic("+", a, number(1)), Arithmetic("*", b, number(2)))),
        ("a between 1 and 2 and b", Logic("and", (Between(a, number(1), number(2)), b))),
        ("a in [1..2)", In(a, (Range(number(1), number(2), True, False),))),
        ("a in (1..2]", In(a, (Range(number(1), number(2), False, True),))),
        ("a in (< 1, 2)", In(a, (UnaryTest("<", number(1)), number(2)))),
        ("a in ((1 + b)..2)", In(a, (Range(Arithmetic("+", number(1), b), number(2), False, False),))),
        ("a.b.c", Member(Member(a, "b"), "c")),
        ("a[b > 1].c", Member(Filter(a, Compare(">", b, number(1))), "c")),
        ("age(on: a, birth: b)", Call("age", (b, a))),
        ('substring(string: "x", start position: 2)', Call("substring", (Literal("x"), number(2)))),
        ("sum(list: a)", Call("sum", (a,))),
        ("母亲.户籍", Member(Name("母亲"), "户籍")),
        ("a // the rest is a remark\n + b /* and\nthis */", Arithmetic("+", a, b)),
        (r'"\u6881\"\\\n"', Literal('梁"\\\n')),
        ("1.50", Literal(Decimal("1.50"))),
        ("a = true", Compare("=", a, Literal(True))),
    ],
)
def test_trees(text: str, tree: object):
    assert parse(text).root == tree


def test_every_span_covers_its_own_text_and_lies_within_its_parent():
    text = 'if a.b in [1..(2 + c)] then not(d) else starts with(e, "无锡") and x[item.y = 1].z > -f'
    tree = parse(text)
    pieces = {text[node.span.start : node.span.end] for node, _ in walk(tree.root)}
    assert {
        text,
        "a.b",
        "[1..(2 + c)]",
        "2 + c",
        "not(d)",
        'starts with(e, "无锡")',
        "x[item.y = 1].z",
        "-f",
    } <= pieces
    for node, _ in walk(tree.root):
        for child in children(node):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end


@pytest.mark.parametrize(
    ("text", "marked", "message", "fix"),
    [
        ("", "", "规则是空的", "至少写一个条件"),
        ("a = ", "", "规则没有写完", None),
        ("a == 1", "==", "不能用“==”", "="),
        ("a && b", "&&", "不能用“&&”", "and"),
        ("!a", "!", "不能用“!”", "not("),
        ("a ≥ 1", "≥", "不能用“≥”", ">="),
        ("a <> 1", "<>", "不能用“<>”", "!="),
        ("f（a）", "（", "不能用“（”", "("),
        ("a = “x”", "“", "英文双引号", '"…"'),
        ("a = 'x'", "'", "英文双引号", '"…"'),
        ('a = "x', '"x', "文本没有结束", "补上"),
        (r'a = "\q"', r"\q", "不认识的转义", "\\\\"),
        (r'a = "\ud800"', r"\ud800", "不能有这个字符", "直接写"),
        ("a # b", "#", "不认识的字符“#”", "删去"),
        ("3个 = a", "3个", "既不是数字也不是名称", "不能以数字开头"),
        ("a /* b", "/*", "注释没有结束", "*/"),
        ("1" * 35, "1" * 35, "数字最多 34 位", "缩短"),
        ("a AND b", "AND", "关键字要小写", "and"),
        ("not a", "not", "要有括号", "not(条件)"),
        ("not(a, b)", "not(a, b)", "只接受一个条件", "not(条件)"),
        ("mother hukou = 1", "mother hukou", "名称里不能有空格", "mother_hukou"),
        ("start with(a, b)", "start with", "名称里不能有空格", "starts with"),
        ("agee(a, b)", "agee", "没有函数“agee”", "age"),
        ("age(a)", "age(a)", "需要 2 个参数，这里有 1 个", "age(birth, on)"),
        ("age(a, on: b, on: c)", "on", "写了两次", None),
        ("age(a, birth: b)", "b", "写了两次", "用法"),
        ("age(born: a, on: b)", "a", "没有参数“born”", None),
        ("age(birth: a, b)", "b", "后面不能再有不带名称的", "名称"),
        ("sum()", "sum()", "缺少参数", "sum("),
        ("a < b < c", "a < b <", "比较不能连写", "between"),
        ("a in 1 = true", "a in 1 =", "比较不能连写", "between"),
        ("[1..2] = a", "[1..2]", "区间只能用在 in 后面", "x in [1..5]"),
        ("a in [1..2", "", "区间要以 ] 或 ) 结束", None),
        ("(a", "", "应该是“)”", "右括号"),
        ("a)", ")", "应该是运算符或结尾", None),
        ("if a then b", "", "应该是“else”", "if 条件 then"),
        ("some x satisfies a", "satisfies", "应该是“in”", "some x in"),
        ("for 1 in a return b", "1", "应该是变量名", "for x in"),
        ("a between 1", "", "应该是“and”", "between 1 and 5"),
        ("{a: 1, a: 2}", "a", "字段“a”写了两次", "删去"),
        ("{1: 2}", "1", "以名称开头", "{a: 1"),
        ("a.1", "1", "“.”后面应该是名称", None),
        ('date("2026-02-30")', 'date("2026-02-30")', "“2026-02-30”不是有效的日期", '2026-11-01"'),
        ('duration("P1M3D")', 'duration("P1M3D")', "不是有效的时长", "不能混写"),
        ('time("25:00")', 'time("25:00")', "不是有效的时刻", None),
        ("duration(a)", "duration(a)", "要写一个常量文本", "duration("),
        ('@"tomorrow"', '@"tomorrow"', "不是日期、时刻或时长", '@"2026-11-01"'),
        ("a ** b", "b", "指数只能是 0 到 8", "x ** 2"),
        ("a ** 9", "9", "指数只能是 0 到 8", "x ** 2"),
    ],
)
def test_each_slip_is_marked_and_has_a_way_out(text: str, marked: str, message: str, fix: str | None):
    with pytest.raises(RuleErrors) as caught:
        parse(text)
    first = caught.value.errors[0]
    assert message in first.message
    assert text[first.start : first.end] == marked
    assert fix is None or fix in (first.fix or "")
    assert caught.value.http == 422


def test_several_faults_are_told_at_once_in_the_order_of_the_text():
    with pytest.raises(RuleErrors) as caught:
        parse("a == 1 && b = “x”")
    assert [fault.start for fault in caught.value.errors] == [2, 7, 14]
    with pytest.raises(RuleErrors) as caught:
        parse('age(a) > 1 and date("x") < b and a ** 9 > 0')
    assert len(caught.value.errors) == 3


def test_the_caret_counts_columns_of_chinese_and_finds_its_line():
    with pytest.raises(RuleErrors) as caught:
        parse('a = "无锡" and\n  母亲 == 1')
    assert caught.value.render() == "这里不能用“==”。\n2 |   母亲 == 1\n           ^^\n改法：等于请写 ="


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 4001, "规则太长：4001 个字符"),
        ("(" * 65 + "a" + ")" * 65, "嵌套太深"),
        ("-" * 100 + "a", "嵌套太深"),
        ("a" + " + a" * 70, "嵌套太深"),
        ("not(" * 70 + "a" + ")" * 70, "嵌套太深"),
        ("a in [" + "1," * 1000 + "1]", "列表太长：1001 项"),
        ("((((a ** 8) ** 8) ** 8) ** 8) > 1", "可能太大"),
    ],
)
def test_limits(text: str, message: str):
    with pytest.raises(RuleErrors) as caught:
        parse(text)
    assert message in caught.value.errors[0].message


def test_long_but_flat_rules_are_fine():
    assert parse(" or ".join(["a = 1"] * 300))
    assert parse("a in [" + ",".join(["1"] * 1000) + "]")


words = st.sampled_from(
    [
        "a",
        "b.c",
        "1",
        '"x"',
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        "..",
        ",",
        "in",
        "=",
        "<",
        "-",
        "**",
        "if",
        "then",
        "else",
        "some",
        "satisfies",
        "for",
        "return",
        "{",
        "}",
        ":",
        "@",
        "null",
        "age(",
        "between",
        "无锡",
        "date",
        ".",
    ]
)


@given(st.lists(words, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_gives_a_tree_or_faults_that_can_be_shown(text: str):
    try:
        tree = parse(text)
    except RuleErrors as errors:
        told = errors.render()
        places = [(fault.start, fault.end) for fault in errors.errors]
    else:
        told = text
        places = [(node.span.start, node.span.end) for node, _ in walk(tree.root)]
    assert told is not None
    assert all(0 <= start <= end <= max(len(text), 1) for start, end in places)
