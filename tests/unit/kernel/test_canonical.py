"""Canonical bytes: the RFC 8785 rules that apply to a JSON without fractions."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.foundation.kernel.canonical import MAX_SAFE_INTEGER, canonical_json

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | text | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


def reference(value: Any) -> str:
    """RFC 8785 written down once more, slowly, with the standard library."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{reference(key)}:{reference(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(reference, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(values)
def test_equals_the_slow_reference_and_round_trips(value: Any):
    encoded = canonical_json(value)
    assert encoded == reference(value).encode()
    assert json.loads(encoded) == value


@given(st.dictionaries(text, scalars, max_size=6))
def test_key_order_of_the_input_does_not_matter(value: dict[str, Any]):
    assert canonical_json(value) == canonical_json(dict(reversed(list(value.items()))))


def test_keys_sort_by_utf16_units_not_code_points():
    # U+20BB7 𠮷 (a rare surname character) is D842 DFB7 in UTF-16 and so comes before U+FF10.
    assert canonical_json({"\uff10": 1, "\U00020bb7": 2}) == '{"\U00020bb7":2,"\uff10":1}'.encode()


@pytest.mark.parametrize(
    ("value", "error", "place"),
    [
        ({"fee": 1.5}, ValueError, "$.fee"),
        ([float("nan")], ValueError, "$[0]"),
        ({"a": [2**53]}, ValueError, "$.a[0]"),
        ({1: "x"}, TypeError, "$"),
        ({"on": date(2026, 11, 1)}, TypeError, "$.on"),
        ({"name": "\ud800"}, ValueError, "$.name"),
        (b"x", TypeError, "$"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_place(
    value: object, error: type[Exception], place: str
):
    with pytest.raises(error) as caught:
        canonical_json(value)
    assert str(caught.value).startswith(place + ":")


def test_whole_floats_are_integers_and_depth_is_bounded():
    assert canonical_json([2.0, -0.0]) == b"[2,0]"
    nested: list[object] = []
    for _ in range(200):
        nested = [nested]
    with pytest.raises(ValueError, match="deeper"):
        canonical_json(nested)
