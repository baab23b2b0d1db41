"""A newborn's plan from invented facts (演示数据), without a database: the planner is pure, and so is the view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from dizuo.doors.citizen import DOOR
from dizuo.doors.citizen.form_facts import FormState, FormView
from dizuo.doors.citizen.views_form import FormMaker
from dizuo.engines.cases import Known, Plan, calendar_of, compiled, plan
from dizuo.engines.cases.answers import read_answers
from dizuo.engines.registers import Candidate, Fact, PartyState
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.web.templates import Templates

CITY = Path(__file__).resolve().parents[3] / "cities" / "wuxi"
NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
MOTHER, FATHER, HEAD = "320211199503071026", "320203199306154411", "320203196001011234"
FACTS: Mapping[str, Mapping[str, Any]] = {
    "applicant": {
        "name": "林晓晴",
        "surname": "林",
        "citizen_id": MOTHER,
        "phone": "19900000001",
        "residence_address": "梁溪区中山路 158 号 3 幢 402 室",
        "residence_division": "320213001",
    },
    "certificate": {
        "number": "Q320000001",
        "state": "1",
        "division": "320213001",
        "hospital": "无锡市妇幼保健院",
        "issued_on": "2026-11-18",
        "child_sex": "2",
        "born_at": "2026-11-16T08:42:00+08:00",
        "birth_place": "无锡市妇幼保健院",
        "birth_order": 1,
        "mother_name": "林晓晴",
        "mother_citizen_id": MOTHER,
        "father_name": "王启明",
        "father_citizen_id": FATHER,
    },
    "mother": {
        "name": "林晓晴",
        "surname": "林",
        "citizen_id": MOTHER,
        "ethnicity": "01",
        "household_no": "H2",
    },
    "father": {
        "name": "王启明",
        "surname": "王",
        "citizen_id": FATHER,
        "ethnicity": "01",
        "household_no": "H1",
    },
    "mother_household": {
        "household_no": "H2",
        "kind": "1",
        "head_citizen_id": MOTHER,
        "head_name": "林晓晴",
        "address": "滨湖区金城西路 66 号",
        "division": "320211001",
    },
    "father_household": {
        "household_no": "H1",
        "kind": "1",
        "head_citizen_id": HEAD,
        "head_name": "王建国",
        "address": "中山路 158 号 3 幢 402 室",
        "division": "320213001",
    },
    "marriage": {"registered_on": "2024-05-20"},
}
TWINS = (
    Candidate("Q1", {"child_sex": "2", "born_at": "2026-11-16T08:42:00+08:00", "birth_order": 1}),
    Candidate("Q2", {"child_sex": "1", "born_at": "2026-11-16T08:50:00+08:00", "birth_order": 2}),
)


@lru_cache(maxsize=1)
def city() -> City:
    return load_city(CITY)


@lru_cache(maxsize=1)
def templates() -> Templates:
    return Templates(DOOR.folder)


def known(*, twins: bool = False) -> Known:
    """Everything the invented registers hold; with twins, the certificate is still to be chosen."""
    parties: dict[str, PartyState] = {}
    facts: dict[str, Fact] = {}
    for party in city().matters["newborn"].parties:
        values = FACTS.get(party.id)
        if twins and party.id != "applicant":
            certificate = party.id == "certificate"
            parties[party.id] = PartyState("choose", None, TWINS) if certificate else PartyState("waiting")
        elif values is None:
            parties[party.id] = PartyState("missing")
        else:
            parties[party.id] = PartyState("found", str(values.get("citizen_id", party.id)))
            for name, field in city().registers[party.register].fields.items():
                date = dt.date(2026, 11, 18) if party.id == "certificate" else dt.date(2024, 5, 20)
                facts[f"{party.id}.{name}"] = Fact(
                    party.id, party.register, name, values.get(name), field.source, date, 7
                )
    return Known(parties, facts)


def made(answers: Mapping[str, str] | None = None, *, twins: bool = False) -> tuple[Plan, Known]:
    """The plan with these answers as typed."""
    matter, facts = city().matters["newborn"], known(twins=twins)
    checked = read_answers(compiled(city(), matter), answers or {}, NOW.date())
    return plan(matter, city(), facts, checked.values, NOW, calendar_of(city())), facts


def view(
    answers: Mapping[str, str] | None = None,
    state: FormState | None = None,
    *,
    lang: str = "zh",
    stepwise: bool = False,
    twins: bool = False,
) -> FormView:
    """The form's view of that plan."""
    found, facts = made(answers, twins=twins)
    maker = FormMaker(city(), city().matters["newborn"], found, facts.parties, lang, templates().words[lang])
    return maker.view(state or FormState(answers=answers or {}), stepwise=stepwise)
