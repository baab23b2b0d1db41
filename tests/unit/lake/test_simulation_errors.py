"""The error model: every slip is noted, comes about as often as declared, and nothing else goes wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.alphabet import alphabet
from dizuo.engines.lake.simulation.dice import Dice
from dizuo.engines.lake.simulation.firms import establish
from dizuo.engines.lake.simulation.households import FOREIGN
from dizuo.engines.lake.simulation.people import Plan, populate
from dizuo.engines.lake.simulation.places import Places
from dizuo.engines.lake.simulation.rates import KINDS, RATES, TRAITS
from dizuo.engines.lake.simulation.rows import Moment, Quarter, Rows, Said, Subjects
from dizuo.engines.lake.simulation.sources import MAKERS
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.kernel.identity import (
    CitizenId,
    CitizenIdBirthDate,
    CitizenIdCheckDigit,
    CitizenIdFuture,
    InvalidCitizenId,
    InvalidUnifiedCode,
    UnifiedCode,
)

ROOT = Path(__file__).resolve().parents[3]
DAY = dt.date(2026, 11, 23)
ANY_ID = {kind for kind in KINDS if kind.startswith("id_")}
Write = Callable[..., tuple[Subjects, Rows]]


@pytest.fixture(scope="module")
def quarter() -> Quarter:
    city = load_city(ROOT / "cities" / "wuxi")
    places = Places(city)
    plan = Plan(80_000, 3, DAY, 0)
    people = populate(places, plan, 0)
    return Quarter(places, plan, 0, people, establish(places, plan, 0, people), Dice(3, "block/0"))


@pytest.fixture(scope="module")
def write(quarter: Quarter) -> Write:
    """One source's first delivery; with `right` all slips corrected."""

    def written(source: str, *, right: bool = False) -> tuple[Subjects, Rows]:
        subjects = MAKERS[source].subjects(quarter)
        subjects = subjects.at(np.flatnonzero(subjects.day == 0))
        none = np.zeros(len(subjects), np.int64)
        return subjects, MAKERS[source].write(
            quarter, subjects, Moment(0, np.full(len(subjects), right), none)
        )

    return written


def has(said: Said, *kinds: str) -> np.ndarray:
    bits = sum(1 << KINDS.index(kind) for kind in kinds)
    return (said.errors & bits) != 0


def cells(rows: Rows, column: str, mask: np.ndarray | None = None) -> list[Any]:
    values = text.listed(rows.columns[column])
    return values if mask is None else [v for v, m in zip(values, mask, strict=True) if m]


def near(observed: float, declared: float, count: int) -> None:
    margin = 4.5 * np.sqrt(declared * (1 - declared) / count) + 0.02 * declared
    assert abs(observed - declared) <= margin, (observed, declared, count)


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("hukou", "citizen_id"),
        ("residence_permits", "id_number"),
        ("medical_insurance", "id_number"),
        ("school_enrolment", "citizen_id"),
        ("social_insurance", "citizen_id"),
    ],
)
def test_slips_come_as_often_as_declared(quarter: Quarter, write: Write, source: str, column: str) -> None:
    subjects, rows = write(source)
    said = rows.said[0]
    who, people, rates = subjects.person, quarter.people, RATES[source]
    native = people.kind[who] != FOREIGN
    kin = (people.mother[who] >= 0) | (people.spouse[who] >= 0)
    near(has(said, "id_missing").mean(), rates.id_missing, len(who))
    # The other slips of a number show only where it is not missing; kin's numbers come before typing errors.
    seen = native & ~has(said, "id_missing", "id_of_kin")
    for kind in ("id_transposed", "id_wrong_digit", "id_wrong_check", "id_full_width"):
        near(
            has(said, kind)[seen].mean() * (1.0 if kind != "id_transposed" else 1 / 0.9),
            getattr(rates, kind),
            int(seen.sum()),
        )
    near(has(said, "id_of_kin")[kin & native].mean(), rates.id_of_kin, int((kin & native).sum()))
    near(has(said, "stray_space")[native].mean(), rates.stray_space, int(native.sum()))
    former = people.has_former[who]
    near(has(said, "former_name")[former].mean(), rates.former_name, int(former.sum()))
    fifteen = people.fifteen[who] & seen & ~has(said, "id_transposed", "id_wrong_digit", "id_wrong_check")
    if fifteen.any():
        near(has(said, "id_15_digits")[fifteen].mean(), rates.id_15_digits, int(fifteen.sum()))
    if "address" in rows.columns:
        near(has(said, "address_old").mean(), rates.address_old, len(who))
        near(has(said, "address_missing").mean(), rates.address_missing, len(who))
    if "phone" in rows.columns:
        near(has(said, "phone_shared").mean(), rates.phone_shared, len(who))


def test_numbers_without_a_noted_slip_are_right_and_others_are_not(quarter: Quarter, write: Write) -> None:
    subjects, rows = write("real_estate")
    said = rows.said[0]
    people = quarter.people
    known = validity(load_city(ROOT / "cities" / "wuxi"))
    right = text.listed(text.ascii_rows(people.citizen[np.maximum(subjects.person, 0)]))
    foreign = (people.kind[np.maximum(subjects.person, 0)] == FOREIGN) | (subjects.firm >= 0)
    kinds = [{KINDS[n] for n in range(len(KINDS)) if bits >> n & 1} & ANY_ID for bits in said.errors.tolist()]
    met = dict.fromkeys(ANY_ID, 0)
    for place, value in enumerate(cells(rows, "owner_id")):
        if foreign[place]:
            continue
        for kind in kinds[place]:
            met[kind] += 1
        if not kinds[place]:
            assert value == right[place]
            assert CitizenId.parse(value, DAY, known).value == value
        elif "id_missing" in kinds[place]:
            assert value is None
        elif kinds[place] & {"id_transposed", "id_wrong_digit", "id_wrong_check"}:
            with pytest.raises((CitizenIdCheckDigit, CitizenIdBirthDate, CitizenIdFuture)):
                CitizenId.parse(value, DAY)
        elif "id_of_kin" in kinds[place]:
            assert CitizenId.parse(value, DAY).value != right[place]
        else:
            # 15 digits, full width, spaces and a small x all lead back to the number.
            assert value != right[place]
            assert CitizenId.parse(value, DAY).value == right[place]
    assert min(met.values()) > 0, met


def test_names_without_a_noted_slip_are_right_and_others_differ(quarter: Quarter, write: Write) -> None:
    subjects, rows = write("school_enrolment")
    said, people = rows.said[0], quarter.people
    right = text.listed(people.names.at(subjects.person).written())
    slips = {"homophone", "similar_character", "traditional", "former_name", "dot_variant", "name_truncated",
             "rare_character_lost", "stray_space", "name_missing"}  # fmt: skip
    wrong = has(said, *slips)
    table = alphabet()
    words = text.listed(table.words)
    for place, name in enumerate(cells(rows, "name")):
        if wrong[place]:
            assert name != right[place]
        else:
            assert name == right[place]
    sounds = {words[p]: int(table.sound_start[p]) for p in range(table.given.start, table.rare.start)}
    heard = has(said, "homophone") & ~has(said, "stray_space", "former_name")
    assert heard.sum() > 30
    for place in np.flatnonzero(heard):
        name, truth = cells(rows, "name")[place], str(right[place])
        pairs = [(a, b) for a, b in zip(name[1:], truth[1:], strict=True) if a != b]
        assert all(sounds[a] == sounds[b] for a, b in pairs)
    dotted = [p for p in range(len(right)) if "·" in str(right[p])]
    assert any(has(said, "dot_variant")[dotted])


def test_dates_and_sexes_are_exchanged_only_where_noted(quarter: Quarter, write: Write) -> None:
    subjects, rows = write("residence_permits")
    said, people = rows.said[0], quarter.people
    right = people.birth[subjects.person]
    swapped = has(said, "birth_swapped")
    assert swapped.sum() > 20
    for place, value in enumerate(cells(rows, "birth_date")):
        written, true = dt.date.fromisoformat(value), right[place].astype(dt.date)
        if swapped[place]:
            assert (written.year, written.month, written.day) == (true.year, true.day, true.month)
        else:
            assert written == true
    sex = np.array([{"男": 1, "女": 2}[value] for value in cells(rows, "sex")])
    assert np.array_equal(sex != people.sex[subjects.person], has(said, "sex_wrong"))


def test_corrected_rows_have_no_slips_left(quarter: Quarter, write: Write) -> None:
    for source in MAKERS:
        _, rows = write(source, right=True)
        # Who has no telephone has none, and a new number is long in coming; nothing else may remain.
        for said in rows.said:
            assert not (said.errors & ~np.int64(1 << KINDS.index("phone_missing"))).any(), source


def test_the_same_row_slips_the_same_way_again(write: Write) -> None:
    _, once = write("vehicles")
    _, again = write("vehicles")
    assert all(once.columns[name].equals(again.columns[name]) for name in once.columns)
    assert all(np.array_equal(a.errors, b.errors) for a, b in zip(once.said, again.said, strict=True))


def test_units_stand_where_their_codes_are_and_errors_are_theirs(quarter: Quarter, write: Write) -> None:
    subjects, rows = write("credit")
    person, unit = rows.said
    assert np.array_equal(person.present, ~unit.present)
    for place, code in enumerate(cells(rows, "subject_code")):
        if unit.present[place]:
            assert subjects.firm[place] >= 0
            if not has(unit, "uscc_wrong_digit")[place]:
                assert UnifiedCode.parse(code).value == code
            else:
                with pytest.raises(InvalidUnifiedCode):
                    UnifiedCode.parse(code)
        elif subjects.firm[place] >= 0:
            assert code is None
    firm_rows = subjects.firm >= 0
    personal = ANY_ID | {"homophone", "traditional", "former_name"}
    assert not has(person, *personal)[firm_rows].any()
    assert not has(person, "uscc_missing", "firm_name_short")[~firm_rows].any()


def test_foreigners_carry_passports_and_are_marked(quarter: Quarter, write: Write) -> None:
    subjects, rows = write("residence_permits")
    foreign = quarter.people.kind[subjects.person] == FOREIGN
    assert foreign.sum() > 50
    trait = np.int64(1 << TRAITS.index("foreigner"))
    assert np.array_equal((rows.said[0].traits & trait) != 0, foreign)
    for number in cells(rows, "id_number", foreign):
        if number is not None:
            with pytest.raises(InvalidCitizenId):
                CitizenId.parse(number, DAY)
    assert set(cells(rows, "id_kind", foreign)) == {"护照"}


def test_late_rows_were_updated_weeks_before(quarter: Quarter) -> None:
    subjects = MAKERS["medical_insurance"].subjects(quarter)
    ones = np.ones(len(subjects), np.int64)
    rows = MAKERS["medical_insurance"].write(quarter, subjects, Moment(1, ones == 0, ones))
    late = has(rows.said[0], "late")
    near(late.mean(), RATES["medical_insurance"].late, len(subjects))
    days = [dt.date.fromisoformat(value[:10]) for value in cells(rows, "updated_at")]
    tomorrow = DAY + dt.timedelta(days=1)
    for place, day in enumerate(days):
        assert (tomorrow - day).days in (range(5, 35) if late[place] else (0,))


def test_rates_of_every_source_are_declared() -> None:
    assert set(RATES) == set(MAKERS)
    assert len(KINDS) < 63
    assert max(RATES[s].homophone for s in RATES) < 0.05
