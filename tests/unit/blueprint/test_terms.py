"""Lengths of time compared across units by the worst case."""

from __future__ import annotations

import pytest

from dizuo.foundation.blueprint.checks.terms import longer_than
from dizuo.foundation.blueprint.model import Length


def length(text: str) -> Length:
    number, unit = text.split()
    return Length(int(number), unit)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("promise", "statute", "longer"),
    [
        ("20 workday", "20 workday", False),
        ("21 workday", "20 workday", True),
        ("3 workday", "1 month", False),
        ("15 workday", "1 month", False),
        ("20 workday", "1 month", True),  # around Spring Festival
        ("1 month", "20 workday", True),
        ("5 workday", "7 calendar_day", True),  # around National Day
        ("7 calendar_day", "5 workday", True),  # ends on a workday, up to a week later
        ("1 workday", "1 calendar_day", False),  # a calendar term ends on the next workday too
        ("60 calendar_day", "2 month", True),  # from 31 December
        ("2 month", "60 calendar_day", True),
        ("12 month", "1 year", False),
        ("13 month", "1 year", True),
        ("1 year", "12 month", False),
        ("8 hour", "1 workday", False),
        ("2 work_hour", "1 workday", None),  # nobody can say without the hour of receipt
        ("48 hour", "1 calendar_day", True),
        ("0 workday", "1 calendar_day", False),
    ],
)
def test_longer_than(promise: str, statute: str, longer: bool | None) -> None:
    told = longer_than(length(promise), length(statute))
    if longer is None:
        assert told
    else:
        assert (told is not None) is longer, told


def test_the_worst_case_is_told_with_its_dates() -> None:
    told = longer_than(length("20 workday"), length("1 month"))
    assert told is not None
    assert told.startswith("（例如 20")
    assert "才到期，上限是 20" in told


def test_what_is_always_longer_needs_no_example() -> None:
    assert longer_than(length("2 month"), length("1 month")) == ""
