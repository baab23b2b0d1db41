"""What people type: read, typed, or refused with a sentence; never a crash."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dizuo.engines.cases.answers import read_answers
from dizuo.engines.cases.compiled import compiled
from dizuo.engines.cases.effects import scalar
from dizuo.engines.cases.planned_questions import answer_text, value_text
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI

CITY = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
NEWBORN = compiled(CITY, CITY.matters["newborn"])
RESTAURANT = compiled(CITY, CITY.matters["restaurant"])
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("ready", [NEWBORN, RESTAURANT])
@given(data=st.data())
def test_no_text_breaks_the_reading(ready: object, data: st.DataObject) -> None:
    questions = [q.id for q in ready.matter.questions]  # type: ignore[attr-defined]
    given_text = {q: data.draw(st.text(max_size=60)) for q in questions}
    checked = read_answers(ready, given_text, TODAY)  # type: ignore[arg-type]
    for question in questions:
        if given_text[question].strip():
            assert (question in checked.values) != (question in checked.errors)
    again = {name: answer_text(value) or "" for name, value in checked.values.items()}
    assert read_answers(ready, again, TODAY).values == checked.values  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("given_name", "1"),
        ("given_name", "沐\u200b言"),
        ("given_name", "沐\ue000"),
        ("given_name", "x" * 10_000_000),
        ("phone", "12345"),
        ("father_id", "320211199603151020"),
        ("father_id", "320211203003151029"),
        ("mail_address", "路"),
        ("surname", "grandfather"),
        ("clinic", "../../etc/passwd"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(question: str, text: str) -> None:
    checked = read_answers(NEWBORN, {question: text}, TODAY)
    assert question not in checked.values
    assert len(checked.errors[question]) < 200


def test_a_chosen_place_is_a_context() -> None:
    place = CITY.places["clinics"][0]
    checked = read_answers(NEWBORN, {"clinic": place.id}, TODAY)
    assert checked.values["clinic"] == {
        "id": place.id,
        "name": place.name,
        "division": place.division,
        "address": place.address,
        "hours": place.hours,
        "phone": place.phone,
    }


def test_unknown_answers_are_left_out() -> None:
    assert read_answers(NEWBORN, {"nobody_asked": "x", "given_name": "  "}, TODAY).values == {}


@pytest.mark.parametrize(
    ("value", "shown", "kept"),
    [
        (True, "是", True),
        (date(2026, 11, 6), "2026 年 11 月 6 日", "2026-11-06"),
        (
            datetime(2026, 11, 16, 8, 42, tzinfo=SHANGHAI),
            "2026 年 11 月 16 日 08:42",
            "2026-11-16T08:42:00+08:00",
        ),
        (Decimal("2140.00"), "2140", 2140),
        (Decimal("85.5"), "85.5", "85.5"),
        (None, "", None),
    ],
)
def test_values_are_shown_and_kept(value: object, shown: str, kept: object) -> None:
    assert value_text(value) == shown
    assert scalar(value) == kept
