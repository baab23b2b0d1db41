"""The machine as a table, and the pure rules of the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.engines.cases import ApplicationState, Event, ItemState, read_number
from dizuo.engines.cases.compare import differences
from dizuo.engines.cases.compiled import calendar_of, compiled
from dizuo.engines.cases.errors import NotPossibleNow
from dizuo.engines.cases.machine import TRANSITIONS, application_state, may, next_state
from dizuo.engines.cases.numbers import check_digit, make_number
from dizuo.engines.cases.plan_model import Known
from dizuo.engines.cases.rules import advance, fix_notice_until, remedy, scopes_of, unit_of
from dizuo.engines.cases.scope import Scope
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI

CITY = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
S, E = ItemState, Event


@pytest.mark.parametrize("state", list(ItemState))
@pytest.mark.parametrize("event", list(Event))
def test_only_what_the_table_holds_can_happen(state: ItemState, event: Event) -> None:
    if may(state, event):
        assert next_state(state, event) is TRANSITIONS[event][state]
    else:
        with pytest.raises(NotPossibleNow) as caught:
            next_state(state, event)
        assert state.word in caught.value.message


def test_nothing_happens_to_an_ended_item_but_archiving() -> None:
    for state in S:
        if state.ended:
            assert {event for event in E if may(state, event)} <= {E.ARCHIVE}


def test_until_the_decision_everybody_may_withdraw_and_nobody_after() -> None:
    for state in S:
        assert may(state, E.WITHDRAW) == state.before_decision
    assert not may(S.DECIDED_YES, E.WITHDRAW)


def test_every_state_and_event_has_its_word() -> None:
    assert all(state.word for state in S)
    assert all(event.word for event in E)


def test_every_state_can_be_reached() -> None:
    reached = {S.SUBMITTED} | {after for moves in TRANSITIONS.values() for after in moves.values()}
    assert reached | {S.VOID} == set(S)


@pytest.mark.parametrize(
    ("items", "whole"),
    [
        ([S.REVIEWING, S.DONE], ApplicationState.PARTLY_DONE),
        ([S.REVIEWING, S.WAITING], ApplicationState.RUNNING),
        ([S.CONSENT, S.DONE], ApplicationState.WAITING_FOR_CONSENT),
        ([S.FIX_AWAITED, S.DONE], ApplicationState.WAITING_FOR_APPLICANT),
        ([S.RETURNED, S.CONSENT], ApplicationState.WAITING_FOR_APPLICANT),
        ([S.DONE, S.ARCHIVED], ApplicationState.DONE),
        ([S.DONE, S.WITHDRAWN], ApplicationState.DONE),
        ([S.DONE, S.REFUSED], ApplicationState.PARTLY_REFUSED),
        ([S.REFUSED, S.SENT_BACK], ApplicationState.REFUSED),
        ([S.WITHDRAWN, S.WITHDRAWN], ApplicationState.WITHDRAWN),
        ([S.WITHDRAWN, S.SENT_BACK], ApplicationState.REFUSED),
    ],
)
def test_the_application_follows_its_items(items: list[ItemState], whole: ApplicationState) -> None:
    assert application_state(items) is whole


@given(st.lists(st.sampled_from(list(ItemState)), min_size=1))
def test_an_application_has_ended_exactly_when_all_items_have(items: list[ItemState]) -> None:
    assert application_state(items).ended == all(item.ended for item in items)


@given(st.dates(), st.integers(0, 99_999))
def test_numbers_read_back_however_they_are_typed(day: object, count: int) -> None:
    number = make_number("WX", day, count)  # type: ignore[arg-type]
    assert read_number(number) == number
    assert read_number(f" {number[:6].lower()}-{number[6:]} ") == number


@given(st.integers(0, 99_999), st.integers(2, 14), st.integers(1, 9))
def test_one_wrong_digit_is_found(count: int, place: int, by: int) -> None:
    number = make_number("WX", datetime(2026, 11, 23).date(), count)
    digit = (int(number[place]) + by) % 10
    assert read_number(number[:place] + str(digit) + number[place + 1 :]) is None


def test_the_check_digit_is_that_of_iso_7064() -> None:
    assert check_digit("0794") == "5"  # the standard's own example for MOD 11,10


@pytest.mark.parametrize(
    "text", ["", "WX", "WX2026112300372", "320211199603151023", "' OR 1=1 --", "WX" + "9" * 40]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_number(text) is None


def test_an_auto_item_with_good_checks_needs_nobody() -> None:
    ready = compiled(CITY, CITY.matters["newborn"])
    position = advance(ready, ready.items["household"], (), None)
    assert [(step.step, step.kind, step.power) for step in position.open] == [
        ("review", "judge", "psb.household.decide")
    ]
    assert advance(ready, ready.items["household"], ("intake", "review"), None).decided


def test_an_auto_check_that_cannot_be_verified_goes_to_whoever_has_the_power() -> None:
    ready = compiled(CITY, CITY.matters["newborn"])
    scope = Scope(ready, Known({}, {}), {}, datetime(2026, 11, 23).date())
    position = advance(ready, ready.items["enrol"], (), scope)
    assert [(step.power, step.exceptions) for step in position.open] == [
        ("medical.enrol.decide", ("registered",))
    ]


def test_fix_notice_is_five_workdays_after_receipt() -> None:
    calendar = calendar_of(CITY)
    friday_evening = datetime(2026, 11, 20, 20, 0, tzinfo=SHANGHAI)
    until = fix_notice_until(friday_evening, calendar)
    assert until is not None
    assert until.date().isoformat() == "2026-11-30"  # received on Monday the 23rd
    assert fix_notice_until(friday_evening + timedelta(days=60), calendar) is None


def test_the_remedy_names_both_bodies_and_both_terms() -> None:
    text = remedy(CITY.organisations["psb"])
    assert "60 日" in text
    assert "6 个月" in text
    assert CITY.organisations["psb"].review_body.zh in text


def test_work_is_seen_from_its_village_up_to_the_city() -> None:
    assert scopes_of("320213001") == ("", "320213", "320213001")
    assert unit_of(CITY, "psb", "320213001003") == "320213001"
    assert unit_of(CITY, "medical", "320213001") == "320213"
    assert unit_of(CITY, "data", "320213001") == CITY.code


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_comparison_loses_nothing(left: str, right: str) -> None:
    mine, theirs = differences(left, right)
    assert "".join(piece for piece, _ in mine) == left
    assert "".join(piece for piece, _ in theirs) == right
    if left == right:
        assert not any(differs for _, differs in (*mine, *theirs))


def test_a_door_number_differs_as_a_whole() -> None:
    mine, theirs = differences("3 幢 402 室", "3 幢 420 室")
    assert ("402", True) in mine
    assert ("420", True) in theirs
