"""The promises of the planner, held against every matter of the demonstration city with random people."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dizuo.engines.cases.answers import complete, read_answers
from dizuo.engines.cases.compiled import CompiledMatter, calendar_of, compiled
from dizuo.engines.cases.examples import read_from
from dizuo.engines.cases.plan import needs_to_read, plan
from dizuo.engines.cases.plan_model import Known, Plan, PlannedQuestion
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.kernel.clocks import Deadline, Unknown

CITY = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
CALENDAR = calendar_of(CITY)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
MATTERS = [compiled(CITY, matter) for matter in CITY.matters.values()]
SEVERAL = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_BY_TYPE = {
    "date": st.sampled_from([None, "1990-05-20", "2026-11-16"]),
    "datetime": st.sampled_from([None, "2026-11-16T08:42:00+08:00"]),
    "number": st.sampled_from([None, "0", "12", "400"]),
    "money": st.sampled_from([None, "2140.00"]),
    "boolean": st.sampled_from([None, True, False]),
    "division": st.sampled_from([None, "320213001", "320211003", "320205"]),
    "citizen_id": st.sampled_from([None, "A", "B", "C"]),
}
_TEXT = st.sampled_from([None, "林晓晴", "欧阳明", "1", "0", "01", "310"])


@st.composite
def people(draw: st.DrawFn, ready: CompiledMatter) -> dict[str, dict[str, Any]]:
    """Records for the parties of a matter: some missing, their fields silent or of any value."""
    records: dict[str, dict[str, Any]] = {}
    for party in ready.matter.parties:
        if not party.given and draw(st.booleans()) and draw(st.booleans()):
            continue
        record: dict[str, Any] = {}
        for field in CITY.registers[party.register].fields.values():
            if field.codes:
                record[field.id] = draw(st.sampled_from([None, *field.codes]))
            else:
                record[field.id] = draw(_BY_TYPE.get(field.type, _TEXT))
        records[party.id] = record
    return records


@st.composite
def situations(draw: st.DrawFn) -> tuple[CompiledMatter, dict[str, dict[str, Any]], dict[str, str]]:
    ready = draw(st.sampled_from(MATTERS))
    records = draw(people(ready))
    answers = {
        question.id: draw(_answer(ready, question))
        for question in ready.matter.questions
        if draw(st.booleans())
    }
    return ready, records, answers


def _answer(ready: CompiledMatter, question: Any) -> st.SearchStrategy[str]:
    if question.options_from is not None:
        return st.sampled_from([place.id for place in CITY.places[question.options_from.places]][:5])
    if question.options:
        return st.sampled_from([option.value for option in question.options])
    return st.sampled_from(
        {
            "number": ["80", "500"],
            "phone": ["13812345678"],
            "date": ["2026-11-20"],
            "boolean": ["true", "false"],
            "address": ["中山路 158 号"],
        }.get(question.type, ["沐言"])
    )


def _plan(ready: CompiledMatter, records: Any, answers: dict[str, str]) -> tuple[Plan, Known, set[str], Any]:
    checked = read_answers(ready, answers, NOW.date())
    known, read = read_from(ready, records, checked.values, NOW)
    return plan(ready.matter, CITY, known, checked.values, NOW, CALENDAR), known, read, checked


def _choose(ready: CompiledMatter, question: PlannedQuestion) -> str:
    if question.options:
        return question.options[0].value
    return {
        "number": "80",
        "phone": "13812345678",
        "date": "2026-11-20",
        "boolean": "true",
        "address": "无锡市梁溪区中山路 158 号",
    }.get(question.type) or ("110101199003074477" if question.check == "citizen_id" else "沐言")


@SEVERAL
@given(situations())
def test_nothing_known_is_asked(situation: Any) -> None:
    ready, records, answers = situation
    made, known, _, _ = _plan(ready, records, answers)
    for question in made.questions:
        fact = ready.questions[question.id].if_silent
        if fact is not None and fact in known.facts:
            assert known.facts[fact].value in (None, "")


@SEVERAL
@given(situations())
def test_no_fact_is_read_that_nothing_needs(situation: Any) -> None:
    ready, records, answers = situation
    made, _, read, _ = _plan(ready, records, answers)
    wanted = set(ready.deciding.facts)
    for item in ready.matter.items:
        planned = made.item(item.id)
        if planned.applies or item.id in ready.sure or planned.applies is None:
            wanted |= {fact for need in item.needs for fact in need.facts}
    for item in ready.matter.items:  # what decides whether a need exists is itself needed
        wanted |= set(ready.reads_of([need.when for need in item.needs]).facts)
    assert read <= wanted
    for (
        item
    ) in made.items:  # an item that is out by a fact, not by a missing record, lets nothing more be read
        if item.applies is False and item.id not in ready.sure:
            only_here = {f for n in ready.items[item.id].needs for f in n.facts} - set(ready.deciding.facts)
            for other in ready.matter.items:
                if other.id != item.id:
                    only_here -= {f for n in other.needs for f in n.facts}
            assert not read & only_here


@SEVERAL
@given(situations())
def test_answering_what_is_asked_completes_the_plan(situation: Any) -> None:
    ready, records, answers = situation
    answers = dict(answers)
    for _ in range(len(ready.matter.questions) * 2 + 1):
        made, known, _, checked = _plan(ready, records, answers)
        missing = complete(made, checked)
        if not missing:
            break
        question = next(q for q in made.questions if q.id in missing)
        if not question.options and question.type == "choice":
            return  # nobody can answer: every option hangs on a fact that is missing
        answers[question.id] = _choose(ready, question)
    else:
        pytest.fail(f"never complete: {missing}")
    if made.eligible:
        assert made.questions == ()
        assert made.promised is None
        return
    assert made.undecided == ()
    wanted = needs_to_read(ready.matter, CITY, known, checked.values, NOW)
    assert wanted.nothing
    asked = {question.id for question in made.questions}
    for item in made.applied:
        for answer in ready.items[item.id].answers:
            assert answer in asked or answer not in checked.values or ready.questions[answer]
        for fact in item.needs_facts:
            party = fact.partition(".")[0]
            assert fact in known.facts or known.parties[party].state != "found"


@SEVERAL
@given(situations())
def test_only_what_an_applying_item_or_a_decision_needs_is_asked(situation: Any) -> None:
    ready, records, answers = situation
    made, _, _, _ = _plan(ready, records, answers)
    wanted = set(ready.deciding.answers) | set(ready.always_asked)
    for item in made.applied:
        declared = ready.items[item.id]
        wanted |= set(declared.answers) | ready.item_reads(declared).answers
    for question in ready.matter.questions:
        if question.id in wanted:
            wanted |= ready.reads_of([question.ask_when]).answers
    for item in ready.matter.items:
        wanted |= set(ready.reads_of([need.when for need in item.needs]).answers)
    for consent in ready.matter.consents:
        wanted |= set(ready.reads_of([consent.when]).answers)
    assert {question.id for question in made.questions} <= wanted


@SEVERAL
@given(situations())
def test_promises_follow_the_graph_and_the_whole_is_the_last(situation: Any) -> None:
    ready, records, answers = situation
    made, _, _, _ = _plan(ready, records, answers)
    promises = {item.id: item.promise for item in made.applied}
    for item in made.applied:
        assert isinstance(item.promise, (Deadline, Unknown))
        for before in item.waits_for:
            first, then = promises[before], item.promise
            if isinstance(first, Deadline) and isinstance(then, Deadline):
                assert first.at <= then.at
        if isinstance(item.promise, Deadline) and isinstance(item.statute, Deadline):
            assert item.promise.at <= item.statute.at
    if made.applied and not made.eligible:
        ends = [p for p in promises.values() if isinstance(p, Deadline)]
        if len(ends) == len(promises):
            assert isinstance(made.promised, Deadline)
            assert made.promised.at == max(end.at for end in ends)


@SEVERAL
@given(situations())
def test_the_same_again_is_the_same(situation: Any) -> None:
    ready, records, answers = situation
    first, second = _plan(ready, records, answers)[0], _plan(ready, records, answers)[0]
    assert first == second


def test_an_unpublished_year_makes_the_promise_unknown() -> None:
    ready = compiled(CITY, CITY.matters["newborn"])
    records = _family()
    late = datetime(2026, 12, 30, 9, 0, tzinfo=SHANGHAI)
    checked = read_answers(ready, {"household_with": "father"}, late.date())
    known, _ = read_from(ready, records, checked.values, late)
    made = plan(ready.matter, CITY, known, checked.values, late, CALENDAR)
    assert isinstance(made.promised, Unknown)
    assert "2027" in made.promised.reason
    assert made.counts.days is None


def _family() -> dict[str, dict[str, Any]]:
    mother = {
        "citizen_id": "M",
        "name": "林晓晴",
        "surname": "林",
        "ethnicity": "01",
        "phone": "13800000000",
        "residence_address": "中山路 158 号",
        "household_no": "H2",
    }
    return {
        "applicant": mother,
        "mother": mother,
        "father": {
            "citizen_id": "F",
            "name": "王启明",
            "surname": "王",
            "ethnicity": "01",
            "household_no": "H1",
        },
        "certificate": {
            "number": "C1",
            "state": "1",
            "child_sex": "2",
            "born_at": "2026-11-16T08:42:00+08:00",
            "mother_citizen_id": "M",
            "father_citizen_id": "F",
            "father_name": "王启明",
            "mother_name": "林晓晴",
            "division": "320213",
        },
        "father_household": {
            "household_no": "H1",
            "division": "320213001",
            "head_citizen_id": "G",
            "head_name": "王建国",
            "address": "中山路 402 室",
        },
        "father_head": {"citizen_id": "G", "name": "王建国"},
        "mother_household": {
            "household_no": "H2",
            "division": "320211003",
            "head_citizen_id": "M",
            "head_name": "林晓晴",
            "address": "金城西路 8 号",
        },
    }


def test_newborn_both_parents_here() -> None:
    ready = compiled(CITY, CITY.matters["newborn"])
    made, _, read, _ = _plan(ready, _family(), {})
    assert [q.id for q in made.questions] == ["surname", "given_name", "household_with", "clinic", "delivery"]
    assert [q.number for q in made.questions] == [1, 1, 2, 3, 4]
    assert made.counts.asked == 5
    assert made.counts.needed == made.counts.asked + made.counts.known
    assert made.item("certificate").done_already
    assert made.item("enrol").waits_for == ("household",)
    assert not any("weight" in fact or "diagnosis" in fact for fact in read)
    assert "birth_certificate.weight_g" in dict(made.not_read)


def test_consent_names_the_others_and_never_the_applicant() -> None:
    ready = compiled(CITY, CITY.matters["newborn"])
    made, _, _, _ = _plan(ready, _family(), {"household_with": "father"})
    parties = {consent.id: consent.parties for consent in made.consents}
    assert parties["other_parent"] == ("father",)
    assert parties["father_side_head"] == ("father_head",)


def test_a_weekend_start_counts_from_monday() -> None:
    ready = compiled(CITY, CITY.matters["newborn"])
    checked = read_answers(ready, {"household_with": "father"}, NOW.date())
    known, _ = read_from(ready, _family(), checked.values, NOW)
    saturday = NOW + timedelta(days=5)
    made = plan(ready.matter, CITY, known, checked.values, saturday, CALENDAR)
    household = made.item("household").promise
    assert isinstance(household, Deadline)
    assert household.date.isoformat() == "2026-12-03"
