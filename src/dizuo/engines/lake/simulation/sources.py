"""The sources that the simulator can write: for each, whom its rows are about and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dizuo.engines.lake.simulation import (
    source_business,
    source_family,
    source_insured,
    source_person,
    source_property,
)
from dizuo.engines.lake.simulation.rows import Subjecting, Writing


@dataclass(frozen=True, slots=True)
class Maker:
    """How one source is made."""

    subjects: Subjecting
    write: Writing


MAKERS: Mapping[str, Maker] = {
    "hukou": Maker(source_person.hukou_subjects, source_person.hukou),
    "residence_permits": Maker(source_person.permit_subjects, source_person.permits),
    "marriage": Maker(source_family.marriage_subjects, source_family.marriage),
    "births": Maker(source_family.birth_subjects, source_family.births),
    "deaths": Maker(source_family.death_subjects, source_family.deaths),
    "social_insurance": Maker(source_insured.social_subjects, source_insured.social),
    "medical_insurance": Maker(source_insured.medical_subjects, source_insured.medical),
    "school_enrolment": Maker(source_person.school_subjects, source_person.school),
    "real_estate": Maker(source_property.estate_subjects, source_property.estate),
    "vehicles": Maker(source_property.vehicle_subjects, source_property.vehicles),
    "enterprises": Maker(source_business.firm_subjects, source_business.enterprises),
    "licences": Maker(source_business.licence_subjects, source_business.licences),
    "disabled": Maker(source_person.disabled_subjects, source_person.disabled),
    "credit": Maker(source_business.credit_subjects, source_business.credit),
}
