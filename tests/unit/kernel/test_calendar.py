"""The working calendar against the published one, day by day, and what a city adds."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dizuo.foundation.kernel.calendar import UnknownYear, WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI

CITY = WorkCalendar()
known_days = st.dates(date(2004, 1, 1), date(2026, 12, 31))
moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 10, 31)).map(lambda m: m.replace(tzinfo=SHANGHAI))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_every_published_day_agrees():
    day = date(2004, 1, 1)
    while day <= date(2026, 12, 31):
        assert CITY.is_workday(day) is chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2026-02-14", True),  # Saturday, made up for the Spring Festival
        ("2026-02-16", False),  # the eve
        ("2026-02-23", False),  # the ninth day of the holiday
        ("2026-10-10", True),  # Saturday, made up for the National Day
        ("2026-11-23", True),
        ("2026-11-22", False),
        ("2003-06-02", None),
        ("2027-01-04", None),
    ],
)
def test_known_days_and_unknown_years(day: str, working: bool | None):
    assert CITY.is_workday(date.fromisoformat(day)) is working


def test_a_city_adds_a_year_and_corrects_a_published_one():
    city = WorkCalendar(
        {
            2027: ([date(2027, 1, 1)], [date(2027, 1, 2)]),
            2026: ([date(2026, 7, 10)], []),  # a typhoon day off
        }
    )
    assert city.is_workday(date(2027, 1, 1)) is False
    assert city.is_workday(date(2027, 1, 2)) is True
    assert city.is_workday(date(2027, 1, 3)) is False
    assert city.is_workday(date(2027, 1, 4)) is True
    assert city.is_workday(date(2026, 7, 10)) is False
    assert city.is_workday(date(2026, 10, 10)) is True
    assert city.add_workdays(date(2026, 12, 31), 2) == date(2027, 1, 4)
    assert city.knows(2027)
    assert not city.knows(2028)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({2027: ([date(2026, 1, 1)], [])}, "listed under 2027"),
        ({2027: ([date(2027, 1, 1)], [date(2027, 1, 1)])}, "both a holiday"),
    ],
)
def test_contradictory_overrides_are_refused(
    overrides: dict[int, tuple[list[date], list[date]]], message: str
):
    with pytest.raises(ValueError, match=message):
        WorkCalendar(overrides)


@pytest.mark.parametrize(
    "hours", [[], [["12:00", "08:00"]], [["08:00", "12:00"], ["11:00", "17:00"]], [["08:00"]]]
)
def test_hours_that_make_no_sense_are_refused(hours: list[list[str]]):
    with pytest.raises(ValueError, match="working period"):
        WorkCalendar(hours=hours)


@given(known_days.filter(lambda d: d < date(2026, 6, 1)), st.integers(1, 120))
def test_adding_and_counting_workdays_are_inverse(day: date, n: int):
    end = CITY.add_workdays(day, n)
    assert chinese_calendar.is_workday(end)
    assert CITY.count_workdays(day, end) == n
    assert sum(chinese_calendar.is_workday(d) for d in chinese_calendar.get_dates(day, end)[1:]) == n


@given(known_days.filter(lambda d: d < date(2026, 12, 25)))
def test_rolling_stops_at_the_first_workday(day: date):
    rolled = CITY.roll(day)
    assert chinese_calendar.is_workday(rolled)
    assert CITY.count_workdays(day - timedelta(days=1), rolled) == 1 if day > date(2004, 1, 1) else True


def test_counting_into_an_unknown_year_says_which_and_how_to_mend_it():
    with pytest.raises(UnknownYear) as caught:
        CITY.add_workdays(date(2026, 12, 31), 1)
    assert caught.value.year == 2027
    assert "2027 年" in caught.value.message
    assert "2027" in (caught.value.fix or "")
    assert CITY.add_workdays(date(2027, 5, 1), 0) == date(2027, 5, 1)


@pytest.mark.parametrize(
    ("moment", "after_hours", "day"),
    [
        ("2026-11-23T17:30", "next_workday", "2026-11-23"),
        ("2026-11-23T17:31", "next_workday", "2026-11-24"),
        ("2026-11-23T03:00", "next_workday", "2026-11-23"),
        ("2026-11-20T20:00", "next_workday", "2026-11-23"),
        ("2026-11-21T10:00", "next_workday", "2026-11-23"),
        ("2026-11-21T10:00", "same_day", "2026-11-21"),
        ("2026-11-23T23:59", "same_day", "2026-11-23"),
    ],
)
def test_the_day_of_receipt(moment: str, after_hours: str, day: str):
    city = WorkCalendar(after_hours="same_day" if after_hours == "same_day" else "next_workday")
    assert city.receipt_day(at(moment)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-23T09:00", 2, "2026-11-23T11:00"),
        ("2026-11-23T11:00", 2, "2026-11-23T14:30"),  # across lunch
        ("2026-11-23T12:30", 1, "2026-11-23T14:30"),  # starts in the break
        ("2026-11-23T09:30", 7, "2026-11-24T09:00"),
        ("2026-11-23T08:30", 7.5, "2026-11-23T17:30"),  # a full day ends at closing time
        ("2026-11-20T17:00", 1, "2026-11-23T09:00"),  # across a weekend
        ("2026-11-20T17:30", 7.5, "2026-11-23T17:30"),
        ("2026-11-21T10:00", 15, "2026-11-24T17:30"),
        ("2026-09-30T17:00", 1, "2026-10-08T09:00"),  # across the National Day
    ],
)
def test_working_time(start: str, hours: float, end: str):
    assert CITY.add_working_time(at(start), timedelta(hours=hours)) == at(end)
    assert CITY.working_time(at(start), at(end)) == timedelta(hours=hours)


@given(moments, st.integers(1, 200_000))
def test_adding_and_measuring_working_time_are_inverse(start: datetime, seconds: int):
    amount = timedelta(seconds=seconds)
    end = CITY.add_working_time(start, amount)
    assert CITY.working_time(start, end) == amount
    assert CITY.is_workday(end.date())


@given(moments, moments, moments)
@settings(max_examples=60)
def test_working_time_adds_up(a: datetime, b: datetime, c: datetime):
    a, b, c = sorted((a, b, c))
    assert CITY.working_time(a, b) + CITY.working_time(b, c) == CITY.working_time(a, c)
