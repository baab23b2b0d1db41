"""The count of a long list is kept for half a minute; a short one never is."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from dizuo.doors.citizen.counting_lately import LONG, Count, CountedLately
from dizuo.foundation.ledger import Counted


def count(entries: int) -> Count:
    numbers = {n: n for n in range(1, entries + 1)}
    return Count(Counted(1, entries, numbers, (), (), 0, 0), (), 0)


def at(seconds: float) -> Any:
    moment = dt.datetime(2026, 11, 24, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    return SimpleNamespace(now=lambda: moment)


def test_a_long_list_is_counted_once_in_half_a_minute() -> None:
    lately, long = CountedLately(), count(LONG)
    lately.keep(at(0), "a", 1, long)
    assert lately.get(at(29), "a", 1) is long
    assert lately.get(at(31), "a", 1) is None
    assert lately.get(at(-1), "a", 1) is None, "a clock that was put back keeps nothing"
    assert lately.get(at(1), "b", 1) is None, "another installation"
    assert lately.get(at(1), "a", 2) is None, "another person"


def test_a_short_list_is_counted_every_time() -> None:
    lately = CountedLately()
    lately.keep(at(0), "a", 1, count(LONG - 1))
    assert lately.get(at(1), "a", 1) is None


@pytest.mark.parametrize("people", [65, 100])
def test_only_so_many_are_kept(people: int) -> None:
    lately, long = CountedLately(), count(LONG)
    for person in range(people):
        lately.keep(at(0), "a", person, long)
    assert [lately.get(at(1), "a", person) is long for person in (0, people - 65, people - 64, people - 1)] == [
        False, False, True, True]  # fmt: skip
