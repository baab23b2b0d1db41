"""When a source's next delivery is due, and how late it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from dizuo.engines.lake.freshness import freshness, period_after
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import Length
from dizuo.foundation.kernel.calendar import WorkCalendar

CITY = load_city(Path(__file__).resolve().parents[3] / "cities" / "wuxi")
CALENDAR = WorkCalendar(CITY.calendar_overrides, CITY.working_hours, CITY.after_hours)


@pytest.mark.parametrize(
    ("last", "cycle", "ends"),
    [
        (date(2026, 11, 20), "daily", date(2026, 11, 21)),
        (date(2026, 11, 20), "realtime", date(2026, 11, 21)),
        (date(2026, 11, 20), "weekly", date(2026, 11, 27)),
        (date(2026, 10, 31), "monthly", date(2026, 11, 30)),
        (date(2026, 11, 12), "monthly", date(2026, 11, 30)),
        (date(2026, 1, 31), "monthly", date(2026, 2, 28)),
        (date(2026, 9, 30), "quarterly", date(2026, 12, 31)),
        (date(2026, 8, 31), "quarterly", date(2026, 9, 30)),
        (date(2025, 12, 31), "yearly", date(2026, 12, 31)),
    ],
)
def test_the_next_period_ends(last: date, cycle: str, ends: date) -> None:
    assert period_after(last, cycle) == ends


@pytest.mark.parametrize(
    ("today", "late"),
    # Delivered up to Thursday; Friday's delivery is due on the next working day, Monday.
    [(date(2026, 11, 21), 0), (date(2026, 11, 23), 0), (date(2026, 11, 24), 1), (date(2026, 12, 3), 10)],
)
def test_a_promise_in_working_days_waits_for_monday(today: date, late: int) -> None:
    source = CITY.sources["hukou"]
    assert (source.delivery.cycle, source.delivery.due.unit) == ("daily", "workday")
    found = freshness(source, date(2026, 11, 19), today, CALENDAR)
    assert (found.period, found.due, found.late) == (date(2026, 11, 20), date(2026, 11, 23), late)


def test_nothing_is_promised_before_the_first_delivery() -> None:
    found = freshness(CITY.sources["hukou"], None, date(2026, 11, 23), CALENDAR)
    assert (found.period, found.due, found.late) == (None, None, 0)


def test_a_year_whose_holidays_are_not_known_makes_the_due_day_unknown() -> None:
    found = freshness(CITY.sources["hukou"], date(2031, 5, 1), date(2031, 6, 1), CALENDAR)
    assert (found.due, found.late) == (None, 0)


def test_days_are_counted_when_the_promise_is_in_days() -> None:
    hukou = CITY.sources["hukou"]
    delivery = msgspec.structs.replace(hukou.delivery, due=Length(2, "calendar_day"))
    found = freshness(
        msgspec.structs.replace(hukou, delivery=delivery), date(2026, 11, 17), date(2026, 11, 23), CALENDAR
    )
    assert (found.due, found.late) == (date(2026, 11, 20), 3)
