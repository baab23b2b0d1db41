"""The cities of this repository load, and what they declare arrives whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dizuo.foundation.blueprint import check_city, load_city, load_examples
from dizuo.foundation.blueprint.model import Length

CITIES = Path(__file__).parents[3] / "cities"


@pytest.mark.parametrize("name", ["template", "wuxi"])
def test_the_city_has_no_error(name: str) -> None:
    report = check_city(CITIES / name)
    assert not report.errors, report.render()
    assert report.city is not None
    assert report.city.id == name
    assert len(report.city.version) == 64


def test_the_template_is_one_register_one_matter_one_item() -> None:
    city = load_city(CITIES / "template")
    assert list(city.registers) == ["person"]
    (matter,) = city.matters.values()
    (item,) = matter.items
    assert item.promise == Length(10, "workday")
    assert city.clocks[item.clock].length == Length(60, "calendar_day")
    assert matter.parties[0].given
    assert [need.facts for need in item.needs] == [
        ("applicant.citizen_id", "applicant.name", "applicant.address", "applicant.division")
    ]
    assert matter.words["submit"].en == "Submit"
    assert city.registers["person"].fields["name"].datum == "person.name"
    (example,) = load_examples(CITIES / "template")
    assert example.matter == "id_card"
    assert example.then["applies"] == ("card",)


def test_wuxi_declares_what_the_first_one_thing_needs() -> None:
    city = load_city(CITIES / "wuxi")
    newborn = city.matters["newborn"]
    assert len(newborn.items) >= 8
    assert len({item.department for item in newborn.items}) >= 5
    certificate = next(party for party in newborn.parties if party.id == "certificate")
    assert certificate.match == ((("mother_citizen_id", "father_citizen_id"), "applicant.citizen_id"),)
    assert city.matters["restaurant"].audience == "enterprise"
    assert {"person", "household", "marriage", "birth_certificate", "enterprise"} <= set(city.registers)
    for register in city.registers.values():
        assert all(field.source in city.organisations for field in register.fields.values())


def test_places_point_into_the_files() -> None:
    city = load_city(CITIES / "wuxi")
    lines = (CITIES / "wuxi" / "matters" / "newborn" / "matter.yaml").read_text(encoding="utf-8").splitlines()
    for item in city.matters["newborn"].items:
        place = item.steps[0].place
        assert place.file == "matters/newborn/matter.yaml"
        assert lines[place.line - 1][place.col - 1 :].startswith(("name:", "{"))
