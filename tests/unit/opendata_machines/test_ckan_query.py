"""The part of Solr's syntax that is taken becomes a tree; everything else is refused, and nothing reaches SQL as text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.engines.opendata.ckan.errors import CkanQueryInvalid
from dizuo.engines.opendata.ckan.query import All, Everything, Not, Range, Some, Term, parse, parse_sort
from dizuo.engines.opendata.ckan.where import Condition


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", Everything()),
        ("*:*", Everything()),
        ("*", Everything()),
        ("停车", Term("", "停车")),
        ("停车 车位", All((Term("", "停车"), Term("", "车位")))),
        ('"公共 停车"', Term("", "公共 停车")),
        ('"a \\" b"', Term("", 'a " b')),
        ("title:停车", Term("title", "停车")),
        ('organization:"transport_bureau"', Term("organization", "transport_bureau")),
        ("tags:(a OR b)", Some((Term("tags", "a"), Term("tags", "b")))),
        ("a OR b c", Some((Term("", "a"), All((Term("", "b"), Term("", "c")))))),
        ("+a -b", All((Term("", "a"), Not(Term("", "b"))))),
        ("NOT res_format:PDF", Not(Term("res_format", "PDF"))),
        ("name:park*", Term("name", "park", prefix=True)),
        ("tags:*", Everything("tags")),
        ("a-b c", All((Term("", "a-b"), Term("", "c")))),
        ("metadata_modified:[2026-01-01 TO *]", Range("metadata_modified", "2026-01-01", None)),
        (
            "metadata_modified:{2026-01-01T00:00:00Z TO 2026-02-01T00:00:00Z}",
            Range("metadata_modified", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", inclusive=False),
        ),
        ("title:(停车 AND (免费 OR 夜间))", All((Term("title", "停车"), Some((Term("title", "免费"), Term("title", "夜间")))))),
    ],
)  # fmt: skip
def test_a_query_becomes_a_tree(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "{!func}sum(a,b)", "_query_:\"{!dismax}x\"", "_val_:\"recip(x)\"", "a^2", "a~2", "/rege.x/", "(a", "a)", "title:",
        "title:[a", "title:[a TO b", "[a TO b]", "a*b", "*a", "?x", "AND a", "a OR", "title:(name:b)", "(" * 40 + "a", "-",
        " ".join(["a"] * 500), "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_not_taken_is_refused(text: str) -> None:
    with pytest.raises(CkanQueryInvalid):
        parse(text)


@pytest.mark.parametrize("text", ["nosuch:a", "title:[a TO b]", "metadata_modified:[NOW-1DAY TO *]", "metadata_modified:[9999-12-31T23:00:00-12:00 TO *]"])  # fmt: skip
def test_unknown_fields_and_moments_are_refused(text: str) -> None:
    with pytest.raises(CkanQueryInvalid):
        Condition().of(parse(text))


@given(st.text(max_size=80))
def test_no_text_of_a_query_reaches_the_sql(text: str) -> None:
    """Whatever is sent, the condition's own text has no quote but those of this program, and all values are parameters."""
    condition = Condition()
    try:
        made = condition.of(parse(text))
    except CkanQueryInvalid:
        return
    known = condition_words(made)
    assert known == "", known
    assert sorted({int(one) for one in re.findall(r"\$(\d+)", made)}) == list(
        range(1, len(condition.values) + 1)
    )


def condition_words(made: str) -> str:
    """What of a condition is not made of the words that the program itself writes."""
    from dizuo.engines.opendata.ckan import where

    left = made
    pieces = sorted(
        [
            where._TEXT,
            *where._ONE.values(),
            *where._SAID.values(),
            *where._MANY.values(),
            *where._WHEN.values(),
        ],
        key=len,
        reverse=True,
    )
    for piece in pieces:
        left = left.replace(piece, "")
    ours = (
        r"\$\d+|::text|::timestamptz|strpos|starts_with|lower|coalesce|EXISTS|SELECT|FROM|unnest|WHERE|one->>'value'|"
        r"one->>'key'|one|NOT|AND|OR|true|false|cardinality|jsonb_array_elements|d\.extras->'ckan'->'package'->'extras'|"
        r"'\[\]'|''|'x'|<>|>=|<=|[><=(),0\s]"
    )
    return re.sub(ours, "", left)


@pytest.mark.parametrize("text", ["title; DROP TABLE x", "nosuch asc", "title asc desc", "title sideways"])
def test_a_sort_outside_the_list_is_refused(text: str) -> None:
    with pytest.raises(CkanQueryInvalid):
        parse_sort(text, ("title", "name"))


def test_a_sort_is_read() -> None:
    assert parse_sort("title asc, name DESC", ("title", "name")) == (("title", False), ("name", True))
