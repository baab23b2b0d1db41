"""Whose records a form shows, as far as what was read says so."""

from __future__ import annotations

from planned import FATHER, MOTHER, city, known

from dizuo.doors.citizen.own_records import of_others
from dizuo.engines.registers import PartyState

NEWBORN = city().matters["newborn"]


def test_a_mothers_form() -> None:
    facts = known()
    others = of_others(city(), NEWBORN, facts.parties, facts.facts)
    assert others == {"father", "father_household"}


def test_a_fathers_form_shows_the_mirror() -> None:
    facts = known()
    parties = {**facts.parties, "applicant": PartyState("found", FATHER)}
    read = {name: fact for name, fact in facts.facts.items() if not name.startswith("applicant.")}
    assert of_others(city(), NEWBORN, parties, read) == {"mother", "mother_household", "father_household"}


def test_what_was_not_read_stays_open() -> None:
    facts = known()
    read = {n: f for n, f in facts.facts.items() if n != "father_household.head_citizen_id"}
    assert "father_household" not in of_others(city(), NEWBORN, facts.parties, read)
    assert of_others(city(), NEWBORN, {}, {}) == frozenset()
    assert "mother" not in of_others(city(), NEWBORN, {"applicant": PartyState("found", MOTHER)}, {})


def test_an_enterprises_records_are_its_representatives_to_report() -> None:
    matter = city().matters["restaurant"]
    given = next(party.id for party in matter.parties if party.given)
    parties = {party.id: PartyState("found", party.id) for party in matter.parties}
    assert (
        of_others(city(), matter, {**parties, given: PartyState("found", "91320213MA1N0000XX")}, {})
        == frozenset()
    )
