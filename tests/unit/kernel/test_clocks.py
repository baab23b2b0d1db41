"""Statutory clocks: examples from the law as a table, then properties against the published calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.clocks import (
    AlreadyExtended,
    AlreadyPaused,
    Amount,
    ClockState,
    Deadline,
    Duration,
    Level,
    NotExtendable,
    NotPaused,
    PauseReason,
    Term,
    TooLateToExtend,
    Unit,
    Unknown,
    WrongOrder,
    due,
    extend,
    left,
    level,
    pause,
    promise_due,
    promise_left,
    resume,
    start,
    used,
)
from dizuo.foundation.kernel.errors import Invalid

CITY = WorkCalendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def term(n: int, unit: Unit, *, promise: int | None = None, extension: int | None = None) -> Term:
    return Term(
        id="t",
        duration=Duration(n, unit),
        promise=None if promise is None else Duration(promise, unit),
        extension=None if extension is None else Duration(extension, unit),
        extension_approver="本机关负责人",
        law="行政许可法第四十二条",
        verified=True,
        starts_on="受理",
    )


DECIDE = term(20, Unit.WORKDAY, extension=10)


def deadline(state: ClockState, now: datetime | None = None) -> Deadline:
    end = due(state, CITY, now)
    assert isinstance(end, Deadline), end
    return end


def due_day(state: ClockState) -> str:
    return deadline(state).date.isoformat()


@pytest.mark.parametrize(
    ("law", "n", "unit", "started", "ends"),
    [
        ("行政许可法§32 补正告知 5 日", 5, "workday", "2026-09-24T10:00", "2026-10-09"),
        ("行政许可法§42 决定 20 日", 20, "workday", "2026-11-02T09:00", "2026-11-30"),
        ("行政许可法§42 跨春节", 20, "workday", "2026-02-09T09:00", "2026-03-13"),
        ("行政许可法§42 联合办理 45 日", 45, "workday", "2026-03-02T09:00", "2026-05-08"),
        ("行政许可法§44 送达 10 日", 10, "workday", "2026-04-29T09:00", "2026-05-15"),
        ("信访工作条例§34 60 日", 60, "calendar_day", "2026-03-02T09:00", "2026-05-06"),
        ("信访工作条例§22 15 日", 15, "calendar_day", "2026-11-02T09:00", "2026-11-17"),
        ("市场主体登记管理条例§24 30 日", 30, "calendar_day", "2026-08-31T09:00", "2026-09-30"),
        ("同上，末日是国庆假期", 30, "calendar_day", "2026-09-05T09:00", "2026-10-08"),
        ("户口登记条例§7 一个月", 1, "month", "2026-10-15T03:00", "2026-11-16"),
        ("户口登记条例§7 一个月，当日对应", 1, "month", "2026-10-23T03:00", "2026-11-23"),
        ("1 月 31 日起一个月", 1, "month", "2026-01-31T12:00", "2026-02-28"),
        ("闰年 1 月 31 日起一个月", 1, "month", "2024-01-31T12:00", "2024-02-29"),
        ("个保法§56 三年", 3, "year", "2023-02-28T09:00", "2026-02-28"),
        ("2 月 29 日起一年", 1, "year", "2024-02-29T09:00", "2025-02-28"),
        ("政府信息公开条例§33 20 个工作日", 20, "workday", "2025-09-18T09:00", "2025-10-22"),
        ("江苏12345 咨询 3 个工作日，周五收", 3, "workday", "2026-11-20T16:00", "2026-11-25"),
        ("下班后提交视为次工作日收到", 5, "workday", "2026-11-02T18:00", "2026-11-10"),
        ("周六提交视为周一收到", 5, "workday", "2026-11-07T10:00", "2026-11-16"),
        ("当场办结", 0, "workday", "2026-11-02T09:00", "2026-11-02"),
    ],
)
def test_examples_from_the_law(law: str, n: int, unit: str, started: str, ends: str):
    state = start(term(n, Unit(unit)), at(started))
    assert due_day(state) == ends, law
    assert deadline(state).at == at(f"{ends}T17:30")


@pytest.mark.parametrize(
    ("n", "unit", "started", "ends"),
    [
        (
            24,
            "hour",
            "2026-10-01T08:00",
            "2026-10-02T08:00",
        ),  # 网络数据安全管理条例§10: nights and holidays count
        (4, "work_hour", "2026-11-23T15:30", "2026-11-24T10:30"),
        (2, "work_hour", "2026-11-20T17:00", "2026-11-23T10:00"),
    ],
)
def test_hour_terms_end_to_the_minute(n: int, unit: str, started: str, ends: str):
    assert deadline(start(term(n, Unit(unit)), at(started))).at == at(ends)


def test_same_day_receipt_when_the_city_says_so():
    city = WorkCalendar(after_hours="same_day")
    end = due(start(term(5, Unit.WORKDAY), at("2026-11-07T10:00")), city)
    assert isinstance(end, Deadline)
    assert end.date == date(2026, 11, 13)


def test_an_unpublished_year_is_unknown_and_says_what_to_do():
    end = due(start(DECIDE, at("2026-12-15T09:00")), CITY)
    assert isinstance(end, Unknown)
    assert "2027 年" in end.reason
    assert "2027" in end.fix
    assert end.not_before == date(2027, 1, 1)
    far = due(start(term(6, Unit.MONTH), at("2026-11-23T09:00")), CITY)
    assert isinstance(far, Unknown)
    assert far.not_before == date(2027, 5, 23)


def test_correction_stops_the_clock_and_moves_the_end():
    state = start(DECIDE, at("2026-11-02T09:00"))
    stopped = pause(state, at("2026-11-04T10:00"), PauseReason.CORRECTION)
    assert isinstance(due(stopped, CITY), Unknown)
    provisional = deadline(stopped, at("2026-11-06T10:00"))
    assert (provisional.date, provisional.provisional) == (date(2026, 12, 2), True)
    again = resume(stopped, at("2026-11-09T10:00"))
    assert due_day(again) == "2026-12-03"
    assert used(again, at("2026-11-10T09:00"), CITY) == Amount(3, Unit.WORKDAY)
    assert left(again, at("2026-11-10T09:00"), CITY) == Amount(17, Unit.WORKDAY)


def test_a_pause_within_one_day_changes_nothing():
    state = start(DECIDE, at("2026-11-02T09:00"))
    same = resume(pause(state, at("2026-11-04T10:00"), PauseReason.TESTING), at("2026-11-04T15:00"))
    assert due_day(same) == due_day(state)


def test_a_stop_on_the_last_day_leaves_the_day_of_resumption_and_a_later_stop_nothing():
    state = start(term(5, Unit.WORKDAY), at("2026-11-02T09:00"))
    on_time = resume(pause(state, at("2026-11-09T16:00"), PauseReason.CORRECTION), at("2026-11-12T10:00"))
    assert due_day(on_time) == "2026-11-12"
    late = pause(state, at("2026-11-09T18:00"), PauseReason.CORRECTION)
    assert due_day(late) == "2026-11-09"
    assert level(late, at("2026-11-10T09:00"), CITY) is Level.BLACK
    assert used(late, at("2026-11-11T09:00"), CITY) == Amount(7, Unit.WORKDAY)


def test_calendar_terms_pause_by_calendar_days_and_still_roll_over():
    state = start(term(30, Unit.CALENDAR_DAY), at("2026-10-12T09:00"))
    assert due_day(state) == "2026-11-11"
    stopped = resume(pause(state, at("2026-10-20T09:00"), PauseReason.HEARING), at("2026-10-23T09:00"))
    assert due_day(stopped) == "2026-11-16"  # the 14th is a Saturday


def test_hour_terms_pause_to_the_minute():
    state = start(term(24, Unit.HOUR), at("2026-11-23T08:00"))
    stopped = resume(pause(state, at("2026-11-23T10:00"), PauseReason.APPRAISAL), at("2026-11-23T11:30"))
    assert deadline(stopped).at == at("2026-11-24T09:30")
    working = start(term(4, Unit.WORK_HOUR), at("2026-11-23T15:30"))
    stopped = resume(pause(working, at("2026-11-23T17:00"), PauseReason.HEARING), at("2026-11-24T09:30"))
    assert deadline(stopped).at == at("2026-11-24T13:30") - timedelta(hours=1, minutes=30)


@pytest.mark.parametrize("word", ["补正", "听证", "招标", "拍卖", "检验", "检测", "检疫", "鉴定", "专家评审"])
def test_the_nine_reasons_are_known_by_their_legal_word(word: str):
    assert PauseReason.parse(word).word == word
    assert PauseReason.parse(PauseReason.parse(word).value).word == word


def test_there_are_no_other_reasons():
    assert len(PauseReason) == 9
    with pytest.raises(Invalid) as caught:
        PauseReason.parse("领导出差")
    assert "领导出差" in caught.value.message
    assert "第四十五条" in (caught.value.fix or "")


def test_one_extension_with_approver_and_reason():
    state = start(DECIDE, at("2026-11-02T09:00"))
    longer = extend(state, at("2026-11-27T09:00"), "张主任", "需要实地核查", CITY)
    assert due_day(longer) == "2026-12-14"
    with pytest.raises(AlreadyExtended):
        extend(longer, at("2026-11-28T09:00"), "张主任", "再延", CITY)
    with pytest.raises(NotExtendable):
        extend(start(term(20, Unit.WORKDAY), at("2026-11-02T09:00")), at("2026-11-03T09:00"), "a", "b", CITY)
    with pytest.raises(TooLateToExtend) as late:
        extend(state, at("2026-12-01T09:00"), "张主任", "忘了", CITY)
    assert "2026-11-30" in late.value.message
    with pytest.raises(Invalid) as missing:
        extend(state, at("2026-11-27T09:00"), " ", "", CITY)
    assert set(missing.value.fields) == {"approver", "reason"}
    assert "本机关负责人" in missing.value.fields["approver"]


def test_the_promise_moves_with_the_extension():
    state = start(term(20, Unit.WORKDAY, promise=5, extension=10), at("2026-11-02T09:00"))
    longer = extend(state, at("2026-11-05T09:00"), "张主任", "需要实地核查", CITY)
    for one, day in ((state, date(2026, 11, 9)), (longer, date(2026, 11, 23))):
        end = promise_due(one, CITY)
        assert isinstance(end, Deadline)
        assert end.date == day
    assert promise_left(state, at("2026-11-04T09:00"), CITY) == Amount(3, Unit.WORKDAY)
    assert promise_due(start(DECIDE, at("2026-11-02T09:00")), CITY) is None
    assert promise_left(start(DECIDE, at("2026-11-02T09:00")), at("2026-11-04T09:00"), CITY) is None


@pytest.mark.parametrize(
    ("duration", "promise", "extension", "promised", "statute"),
    [
        ("20 workday", "4 work_hour", "10 workday", "2026-11-16T14:30", "2026-12-14T17:30"),
        ("20 workday", "36 hour", "2 calendar_day", "2026-11-05T21:00", "2026-12-02T17:30"),
        ("48 hour", "1 workday", "24 hour", "2026-11-04T17:30", "2026-11-05T09:00"),
        (
            "20 workday",
            "5 workday",
            "5 calendar_day",
            "2026-11-16T17:30",
            "2026-12-07T17:30",
        ),  # both roll over
        ("30 calendar_day", "3 workday", "10 work_hour", "2026-11-09T17:30", "2026-12-04T17:30"),
        ("16 work_hour", "1 workday", "1 work_hour", "2026-11-04T17:30", "2026-11-04T11:00"),
    ],
)
def test_promise_and_extension_may_be_in_other_units(
    duration: str, promise: str, extension: str, promised: str, statute: str
):
    def length(text: str) -> Duration:
        n, unit = text.split()
        return Duration(int(n), Unit(unit))

    mixed = Term(
        id="t",
        duration=length(duration),
        promise=length(promise),
        extension=length(extension),
        law="",
        verified=False,
        starts_on="",
    )
    longer = extend(start(mixed, at("2026-11-02T09:00")), at("2026-11-02T10:00"), "负责人", "理由", CITY)
    end = promise_due(longer, CITY)
    assert isinstance(end, Deadline)
    assert (end.at, deadline(longer).at) == (at(promised), at(statute))


def test_pause_and_resume_refuse_what_cannot_have_happened():
    state = start(DECIDE, at("2026-11-02T09:00"))
    with pytest.raises(NotPaused):
        resume(state, at("2026-11-03T09:00"))
    with pytest.raises(WrongOrder):
        pause(state, at("2026-11-01T09:00"), PauseReason.HEARING)
    stopped = pause(state, at("2026-11-04T09:00"), PauseReason.HEARING)
    with pytest.raises(AlreadyPaused, match="听证"):
        pause(stopped, at("2026-11-05T09:00"), PauseReason.TESTING)
    with pytest.raises(WrongOrder):
        resume(stopped, at("2026-11-03T09:00"))
    running = resume(stopped, at("2026-11-05T09:00"))
    with pytest.raises(WrongOrder):
        pause(running, at("2026-11-04T12:00"), PauseReason.TESTING)


@pytest.mark.parametrize(
    ("now", "colour"),
    [
        ("2026-11-02T10:00", "green"),
        ("2026-11-09T10:00", "green"),  # 5 of 10 promised days left
        ("2026-11-11T10:00", "green"),  # 3 left
        ("2026-11-12T10:00", "yellow"),  # 2 left = 20 %
        ("2026-11-16T17:30", "yellow"),  # the promised day, to its last minute
        ("2026-11-16T17:31", "red"),
        ("2026-11-30T17:30", "red"),
        ("2026-11-30T17:31", "black"),
    ],
)
def test_colours_follow_the_promise_then_the_statute(now: str, colour: str):
    state = start(term(20, Unit.WORKDAY, promise=10), at("2026-11-02T09:00"))
    assert level(state, at(now), CITY) is Level(colour)


def test_one_workday_left_is_yellow_even_when_it_is_half_the_term():
    state = start(term(2, Unit.WORKDAY), at("2026-11-02T09:00"))
    assert level(state, at("2026-11-02T10:00"), CITY) is Level.GREEN
    assert level(state, at("2026-11-03T10:00"), CITY) is Level.YELLOW
    days = start(term(30, Unit.CALENDAR_DAY), at("2026-10-12T09:00"))
    assert level(days, at("2026-11-04T10:00"), CITY) is Level.GREEN
    assert level(days, at("2026-11-05T10:00"), CITY) is Level.YELLOW
    hours = start(term(24, Unit.HOUR), at("2026-11-23T08:00"))
    assert level(hours, at("2026-11-23T20:00"), CITY) is Level.GREEN
    assert level(hours, at("2026-11-24T04:00"), CITY) is Level.YELLOW
    assert level(hours, at("2026-11-24T08:01"), CITY) is Level.BLACK


def test_a_clock_that_stands_still_does_not_turn_red():
    state = pause(
        start(term(5, Unit.WORKDAY), at("2026-11-02T09:00")), at("2026-11-03T09:00"), PauseReason.HEARING
    )
    assert level(state, at("2026-11-27T09:00"), CITY) is Level.GREEN
    assert left(state, at("2026-11-27T09:00"), CITY) == Amount(4, Unit.WORKDAY)


def test_the_promise_gives_a_colour_while_the_statute_lies_in_an_unpublished_year():
    state = start(term(30, Unit.WORKDAY, promise=5), at("2026-12-01T09:00"))
    assert isinstance(due(state, CITY), Unknown)
    assert level(state, at("2026-12-02T09:00"), CITY) is Level.GREEN
    assert level(state, at("2026-12-31T09:00"), CITY) is Level.RED
    assert isinstance(level(state, at("2027-01-05T09:00"), CITY), Unknown)
    assert isinstance(level(start(DECIDE, at("2026-12-15T09:00")), at("2026-12-16T09:00"), CITY), Unknown)


def test_overdue_is_negative():
    state = start(term(5, Unit.WORKDAY), at("2026-11-02T09:00"))
    assert left(state, at("2026-11-09T09:00"), CITY) == Amount(0, Unit.WORKDAY)
    assert left(state, at("2026-11-12T09:00"), CITY) == Amount(-3, Unit.WORKDAY)
    assert left(start(term(24, Unit.HOUR), at("2026-11-23T08:00")), at("2026-11-24T08:30"), CITY) == Amount(
        -1, Unit.HOUR
    )


def test_words_and_comparison_of_durations():
    assert Duration(20, Unit.WORKDAY).words() == "20 个工作日"
    assert Duration(0, Unit.WORKDAY).words() == "当场"
    assert Duration(21, Unit.WORKDAY).exceeds(Duration(20, Unit.WORKDAY)) is True
    assert Duration(20, Unit.WORKDAY).exceeds(Duration(20, Unit.WORKDAY)) is False
    assert Duration(20, Unit.CALENDAR_DAY).exceeds(Duration(20, Unit.WORKDAY)) is False
    assert Duration(2, Unit.MONTH).exceeds(Duration(30, Unit.CALENDAR_DAY)) is True
    assert Duration(45, Unit.CALENDAR_DAY).exceeds(Duration(20, Unit.WORKDAY)) is None
    assert Duration(1, Unit.CALENDAR_DAY).exceeds(Duration(24, Unit.HOUR)) is False
    with pytest.raises(ValueError, match="negative"):
        Duration(-1, Unit.HOUR)


# --- properties against the published calendar --------------------------------------------------------------

starts = st.datetimes(datetime(2004, 1, 5), datetime(2026, 3, 1)).map(lambda m: m.replace(tzinfo=SHANGHAI))
lengths = st.integers(1, 60)


def workdays_between(after: date, until: date) -> int:
    return sum(1 for day in chinese_calendar.get_dates(after, until)[1:] if chinese_calendar.is_workday(day))


@given(starts, lengths)
def test_exactly_n_workdays_lie_after_receipt_up_to_due(moment: datetime, n: int):
    end = deadline(start(term(n, Unit.WORKDAY), moment)).date
    assert chinese_calendar.is_workday(end)
    assert workdays_between(CITY.receipt_day(moment), end) == n


@given(starts, starts, lengths)
def test_who_comes_later_is_never_due_earlier(a: datetime, b: datetime, n: int):
    a, b = sorted((a, b))
    for unit in Unit:
        assume(unit not in (Unit.MONTH, Unit.YEAR) or b.year + n < 2026)
        assert deadline(start(term(n, unit), a)).at <= deadline(start(term(n, unit), b)).at


@given(starts, st.integers(1, 40), st.sampled_from([Unit.CALENDAR_DAY, Unit.MONTH]))
def test_calendar_terms_end_on_the_first_workday_not_before_the_nominal_end(
    moment: datetime, n: int, unit: Unit
):
    assume(unit is Unit.CALENDAR_DAY or n <= 9)
    end = deadline(start(term(n, unit), moment)).date
    day = moment.date()
    if unit is Unit.CALENDAR_DAY:
        nominal = day + timedelta(days=n)
    else:
        month = day.month + n  # counted from 0, this is the month after the one in which the term ends
        last = date(day.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        nominal = last.replace(day=min(day.day, last.day))
    assert end >= nominal
    assert chinese_calendar.is_workday(end)
    assert not any(chinese_calendar.is_workday(d) for d in chinese_calendar.get_dates(nominal, end)[:-1])


@given(starts, lengths, st.integers(0, 40), st.integers(0, 30))
def test_a_pause_of_k_workdays_moves_the_end_by_k_workdays(
    moment: datetime, n: int, offset: int, length: int
):
    state = start(term(n, Unit.WORKDAY), moment)
    plain = deadline(state).date
    stop = moment + timedelta(days=offset)
    assume(stop <= deadline(state).at)
    back = stop + timedelta(days=length)
    stopped = resume(pause(state, stop, PauseReason.CORRECTION), back)
    first = max(stop.date(), CITY.receipt_day(moment))
    k = workdays_between(first, CITY.receipt_day(back)) if CITY.receipt_day(back) > first else 0
    assert deadline(stopped).date == CITY.add_workdays(plain, k)


@given(
    starts,
    lengths,
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=4),
    st.integers(0, 90),
)
def test_used_and_left_always_make_the_whole_term(
    moment: datetime, n: int, gaps: list[tuple[int, int]], later: int
):
    state, clock = start(term(n, Unit.WORKDAY), moment), moment
    for run, stand in gaps:
        clock += timedelta(days=run)
        state = pause(state, clock, PauseReason.EXPERT_REVIEW)
        clock += timedelta(days=stand)
        state = resume(state, clock)
    now = max(clock, moment) + timedelta(days=later)
    assume(CITY.receipt_day(now) == now.date() >= CITY.receipt_day(clock))
    spent, rest = used(state, now, CITY), left(state, now, CITY)
    assert isinstance(spent, Amount)
    assert isinstance(rest, Amount)
    assert spent.n + rest.n == n


@given(starts, lengths, st.integers(1, 20))
def test_an_extension_adds_exactly_its_days(moment: datetime, n: int, extra: int):
    state = start(term(n, Unit.WORKDAY, extension=extra), moment)
    longer = extend(state, moment, "负责人", "理由", CITY)
    assert deadline(longer).date == CITY.add_workdays(deadline(state).date, extra)


@given(starts, lengths, st.integers(0, 100))
def test_colours_only_darken_while_the_clock_runs(moment: datetime, n: int, later: int):
    order = [Level.GREEN, Level.YELLOW, Level.RED, Level.BLACK]
    state = start(term(n + 5, Unit.WORKDAY, promise=n), moment)
    a, b = (level(state, moment + timedelta(days=d), CITY) for d in (later, later + 1))
    assert isinstance(a, Level)
    assert isinstance(b, Level)
    assert order.index(a) <= order.index(b)
