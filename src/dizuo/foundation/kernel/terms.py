"""Terms (时限) as declared: units, lengths, and what may stop a clock. ``clocks`` runs them."""

from __future__ import annotations

import calendar as months
from datetime import date
from enum import StrEnum
from typing import Self

import msgspec

from dizuo.foundation.kernel.errors import Invalid


class Unit(StrEnum):
    """The six units of a term; 工作日 and 自然日 are never interchangeable."""

    WORKDAY = "workday"
    CALENDAR_DAY = "calendar_day"
    WORK_HOUR = "work_hour"
    HOUR = "hour"
    MONTH = "month"
    YEAR = "year"

    @property
    def word(self) -> str:
        return _UNIT_WORDS[self]


_UNIT_WORDS = {
    Unit.WORKDAY: "个工作日",
    Unit.CALENDAR_DAY: "日",
    Unit.WORK_HOUR: "个工作小时",
    Unit.HOUR: "小时",
    Unit.MONTH: "个月",
    Unit.YEAR: "年",
}

# A unit's length in hours, shortest and longest, for comparing a promise with a statute across units. A workday
# is never shorter than a day; the longest run of days off so far is 9, so n workdays span at most 10 n days.
_SPAN_HOURS = {
    Unit.WORKDAY: (24, 240),
    Unit.CALENDAR_DAY: (24, 24),
    Unit.WORK_HOUR: (1, 240),
    Unit.HOUR: (1, 1),
    Unit.MONTH: (28 * 24, 31 * 24),
    Unit.YEAR: (365 * 24, 366 * 24),
}


class Duration(msgspec.Struct, frozen=True):
    """A length of time as a law words it: a number and a unit. ``n`` = 0 is 当场, on the spot."""

    n: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("a duration must not be negative")

    def words(self) -> str:
        """The duration in Chinese, as in 20 个工作日."""
        return "当场" if self.n == 0 else f"{self.n} {self.unit.word}"

    def exceeds(self, other: Duration) -> bool | None:
        """Whether this is longer than ``other`` on every calendar; None when it depends on the dates."""
        if self.unit == other.unit:
            return self.n > other.n
        mine, theirs = _SPAN_HOURS[self.unit], _SPAN_HOURS[other.unit]
        if self.n * mine[0] > other.n * theirs[1]:
            return True
        if self.n * mine[1] <= other.n * theirs[0]:
            return False
        return None


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A clock as declared: its length in law, the city's promise, and how it may be extended.

    ``law`` is the legal source; ``verified`` whether someone checked it against the text. ``promise`` is 承诺时限,
    ``starts_on`` the event that starts it (收件, 受理 …), in the law's word.
    """

    id: str
    duration: Duration
    law: str
    verified: bool
    starts_on: str
    promise: Duration | None = None
    extension: Duration | None = None
    extension_approver: str | None = None


class PauseReason(StrEnum):
    """What may stop a clock: 补正, and the eight special procedures of 行政许可法第四十五条."""

    CORRECTION = "correction"
    HEARING = "hearing"
    TENDER = "tender"
    AUCTION = "auction"
    INSPECTION = "inspection"
    TESTING = "testing"
    QUARANTINE = "quarantine"
    APPRAISAL = "appraisal"
    EXPERT_REVIEW = "expert_review"

    @property
    def word(self) -> str:
        return _PAUSE_WORDS[self]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reason by its identifier or its Chinese word. Errors: Invalid for anything else."""
        for reason in cls:
            if text == reason.value or text == reason.word:
                return reason
        raise Invalid(
            {
                "reason": f"“{text[:20]}”不能停表：只有补正和听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审可以。"
            },
            fix="其他情况请申请延期，或者在时限内决定。（行政许可法第四十五条）",
        )


_PAUSE_WORDS = {
    PauseReason.CORRECTION: "补正",
    PauseReason.HEARING: "听证",
    PauseReason.TENDER: "招标",
    PauseReason.AUCTION: "拍卖",
    PauseReason.INSPECTION: "检验",
    PauseReason.TESTING: "检测",
    PauseReason.QUARANTINE: "检疫",
    PauseReason.APPRAISAL: "鉴定",
    PauseReason.EXPERT_REVIEW: "专家评审",
}


def add_months(day: date, n: int) -> date:
    """The same day number ``n`` months later, or that month's last day (民法典第二百零二条)."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))
