"""Patterns: the same answers as Python's own engine on the shared syntax, and no slow text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.foundation.rules.patterns import BadPattern, compile_pattern

atoms = st.sampled_from(["a", "b", "锡", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\.", "[a-c锡]", r"\S"])


def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda body: f"({body})")
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(group, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}"])).map("".join),
        st.tuples(st.sampled_from(["^", ""]), group, st.sampled_from(["$", ""])).map("".join),
    )


@given(st.recursive(atoms, extend, max_leaves=6), st.text("ab锡 1.\n", max_size=8))
def test_same_as_pythons_engine(pattern: str, text: str):
    python = pattern.replace("$", r"\Z")
    expected = re.search(python, text, re.ASCII | re.DOTALL) is not None
    assert compile_pattern(pattern).matches(text) is expected


@pytest.mark.parametrize(
    ("pattern", "at", "words"),
    [
        ("(a", 0, "括号没有关上"),
        ("a)", 1, "多了一个右括号"),
        ("[a", 0, "方括号没有写完"),
        ("[]", 0, "方括号没有写完"),
        ("[b-a]", 2, "从小到大"),
        ("*a", 0, "前面没有可重复的内容"),
        ("a**", 2, "不能连写"),
        ("a{2", 2, "重复次数写成"),
        ("a{3,2}", 2, "从小到大"),
        ("a{101}", 2, "最多 100"),
        ("^*", 0, "不能重复"),
        (r"(a)\1", 3, r"不支持 \1"),
        ("(?=a)", 0, "不支持 (?…)"),
        (r"\bword", 0, r"不支持 \b"),
        ("[[a]", 1, "[ 要写成"),
        (r"[\D]", 1, r"不能用 \D"),
        ("a\\", 1, "没有写完"),
        ("a" * 201, 0, "太长"),
        ("((a{100}){100}){100}", 0, "太大"),
        ("(" * 21 + ")" * 21, 20, "太深"),
    ],
)
def test_what_is_outside_the_syntax(pattern: str, at: int, words: str):
    with pytest.raises(BadPattern) as caught:
        compile_pattern(pattern)
    assert words in str(caught.value)
    assert caught.value.at == at


def test_patterns_that_ruin_backtracking_engines_stay_linear():
    # Exponential engines would need longer than the universe for any of these; this test would hang, not fail.
    for pattern in ("^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){12}", "^(a*)*b"):
        assert compile_pattern(pattern).matches("a" * 999 + "!") is (pattern.startswith("(.*a)"))


def test_a_text_beyond_the_limit_is_not_answered():
    assert compile_pattern("a").matches("a" * 1000) is True
    assert compile_pattern("a").matches("a" * 1001) is None
