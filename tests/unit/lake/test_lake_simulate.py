"""The invented city: the same every time, valid everywhere, with everybody that the stories need."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import tracemalloc
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import msgspec
import pytest

from dizuo.engines.lake import DemoPerson, Manifest, read_manifest, simulate
from dizuo.engines.lake.births import DECK
from dizuo.engines.lake.characters import cast
from dizuo.engines.lake.checking import Fault, RowCheck
from dizuo.engines.lake.errors import DeliveryFolderUnusable, NoTowns
from dizuo.engines.lake.families import Maker, swapped
from dizuo.engines.lake.ground import Ground
from dizuo.engines.lake.naming import RARE_CHARACTERS, Namer
from dizuo.engines.lake.numbering import Numberer
from dizuo.engines.lake.reading import open_delivery
from dizuo.engines.lake.records import Projection
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.model import Field, Words
from dizuo.foundation.kernel.identity import CitizenId
from dizuo.foundation.kernel.names import PersonName

ROOT = Path(__file__).resolve().parents[3]
TODAY = dt.date(2026, 11, 23)
PEOPLE = 6_000
# What only the declared sources feed; the clean demonstration has no rows of it.
ONLY_FROM_SOURCES = {
    "residence_permit", "school_enrolment", "vehicle", "disability_certificate", "credit_record"
}  # fmt: skip


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ROOT / "cities" / "wuxi")


@pytest.fixture(scope="module")
def folder(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("deliveries")
    simulate(city, out, PEOPLE, 7, TODAY)
    return out


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return read_manifest(folder)


@pytest.fixture(scope="module")
def rows(folder: Path, manifest: Manifest, city: City) -> dict[str, dict[str, dict[str, str]]]:
    """Every record by register and key, all departments' fields together, by field id."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for file in manifest.files:
        register = city.registers[file.register]
        ids = {field.name.zh: field.id for field in register.fields.values()}
        with (folder / file.path).open(encoding=file.encoding, newline="") as text:
            for row in csv.DictReader(text):
                named = {ids[name]: value for name, value in row.items() if name in ids}
                found[file.register][named[register.key]] |= named
    return found


def one(manifest: Manifest, key: str) -> DemoPerson:
    return next(person for person in manifest.demo if person.key == key)


def test_the_manifest_vouches_for_every_byte_and_says_it_is_invented(
    folder: Path, manifest: Manifest
) -> None:
    assert "演示数据" in manifest.notice
    assert {(f.department, f.register) for f in manifest.files} >= {
        ("psb", "person"),
        ("data", "person"),
        ("land", "real_estate"),
    }
    for file in manifest.files:
        content = (folder / file.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert content.decode(file.encoding).count("\n") - 1 == file.rows
    assert {f.encoding for f in manifest.files} == {"utf-8", "gb18030"}


def test_the_same_seed_and_day_give_the_same_bytes_and_another_seed_does_not(
    city: City, tmp_path: Path
) -> None:
    made = [simulate(city, tmp_path / str(n), 400, seed, TODAY) for n, seed in enumerate((1, 1, 2))]
    digests = [[f.sha256 for f in m.files] for m in made]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_every_cell_passes_the_checks_that_deliveries_must_pass(
    city: City, folder: Path, manifest: Manifest
) -> None:
    faults: Counter[str] = Counter()
    for file in manifest.files:
        opened = open_delivery(folder / file.path, file.encoding, file.delimiter)
        check = RowCheck(city, city.registers[file.register], file.department, opened.header, TODAY)
        for line in opened.lines():
            result = line.cells if isinstance(line.cells, Fault) else check.row(line.cells)
            if isinstance(result, Fault):
                faults[f"{file.path} {result.code} {result.column} {result.says}"] += 1
    assert not faults, faults.most_common(5)


def test_no_declared_field_is_left_to_chance(city: City) -> None:
    rng = Random(5)
    maker = Maker(rng, Ground(city), Namer(), Numberer(), TODAY)
    projection = Projection(city, rng, TODAY)
    seen: dict[str, set[str]] = defaultdict(set)
    for cluster in cast(maker).clusters:
        cluster.people[0].died = TODAY - dt.timedelta(days=9)
        for row in projection.rows(cluster):
            seen[row.register] |= set(row.values)
    assert set(seen) == set(city.registers) - ONLY_FROM_SOURCES
    missing = {
        r.id: sorted(set(r.fields) - seen[r.id])
        for r in city.registers.values()
        if r.id in seen and set(r.fields) - seen[r.id]
    }
    assert not missing, "records.py should know these fields"


def test_a_register_that_the_code_does_not_know_is_invented_by_type(city: City, tmp_path: Path) -> None:
    person = city.registers["person"]
    place = person.fields["citizen_id"].place

    def made(name: str, kind: str, codes: dict[str, Words] | None = None) -> Field:
        return msgspec.structs.replace(
            person.fields["citizen_id"],
            id=name,
            name=Words(f"演示{name}"),
            type=kind,
            source="health",
            codes=codes or {},
            place=place,
        )

    fields = {
        "citizen_id": made("citizen_id", "citizen_id"),
        "blood": made("blood", "code", {"A": Words("A型"), "B": Words("B型")}),
        "score": made("score", "number"),
        "fee": made("fee", "money"),
        "seen_on": made("seen_on", "date"),
        "fit": made("fit", "boolean"),
        "remark": made("remark", "text"),
    }
    register = msgspec.structs.replace(
        person, id="health_check", name=Words("体检"), owner="health", fields=fields
    )
    other = msgspec.structs.replace(city, registers={**city.registers, "health_check": register})
    manifest = simulate(other, tmp_path, 200, 1, TODAY)
    file = next(f for f in manifest.files if f.register == "health_check")
    assert file.rows == manifest.people
    opened = open_delivery(tmp_path / file.path, file.encoding, file.delimiter)
    check = RowCheck(other, register, "health", opened.header, TODAY)
    results = [check.row(line.cells) for line in opened.lines() if not isinstance(line.cells, Fault)]
    assert len(results) == file.rows
    assert not [r for r in results if isinstance(r, Fault)]


def test_the_number_of_people_is_what_was_asked_for(manifest: Manifest, rows) -> None:
    assert PEOPLE <= manifest.people <= PEOPLE + 12
    assert len(rows["person"]) == manifest.people


def test_numbers_agree_with_birth_and_sex_and_are_used_once(rows) -> None:
    for number, person in rows["person"].items():
        parsed = CitizenId.parse(number, TODAY)
        assert parsed.birth.isoformat() == person["birth_date"]
        assert parsed.sex.code == person["sex"]
        assert PersonName.check(person["name"]) == person["name"]
        if person["former_citizen_id"]:
            assert CitizenId.parse(person["former_citizen_id"], TODAY).value == number
            assert person["birth_date"] < "1999-10-01"


def test_historical_codes_and_births_elsewhere_occur(rows) -> None:
    regions = Counter(number[:6] for number in rows["person"])
    assert {"320202", "320203", "320204", "320222", "320223"} <= set(regions)
    elsewhere = sum(n for code, n in regions.items() if not code.startswith("32"))
    assert 0.05 < elsewhere / sum(regions.values()) < 0.3
    for number in rows["person"]:
        if number[:6] in ("320213", "320214"):
            assert number[6:10] >= "2014", "nobody has a code from before its division existed"


def test_every_household_has_a_living_head_and_counts_its_members(rows) -> None:
    members: dict[str, list[dict[str, str]]] = defaultdict(list)
    for person in rows["person"].values():
        members[person["household_no"]].append(person)
    assert set(members) == set(rows["household"])
    for number, house in rows["household"].items():
        living = [p for p in members[number] if p["state"] == "1"]
        assert int(house["members"]) == len(living)
        assert house["state"] == ("1" if living else "2")
        head = rows["person"][house["head_citizen_id"]]
        assert head["household_no"] == number
        assert head["relation_to_head"] == "02"
        assert head["state"] == "1" or not living
        assert {p["hukou_address"] for p in members[number]} == {house["address"]}


def test_parents_are_old_enough_and_children_bear_a_parents_name(rows) -> None:
    people = rows["person"]
    bearing = of = 0
    for child in people.values():
        for field in ("mother_citizen_id", "father_citizen_id"):
            parent = people.get(child[field])
            if parent is not None:
                assert int(child["birth_date"][:4]) - int(parent["birth_date"][:4]) >= 18
        names = {
            people[child[f]]["surname"]
            for f in ("mother_citizen_id", "father_citizen_id")
            if child[f] in people
        }
        if names - {""}:
            of += 1
            bearing += child["surname"] in names
    assert of > 500
    assert bearing / of > 0.97


def test_ages_and_districts_look_like_a_city(rows) -> None:
    people = [p for p in rows["person"].values() if p["state"] == "1"]
    ages = [TODAY.year - int(p["birth_date"][:4]) for p in people]
    assert 0.08 < sum(a < 15 for a in ages) / len(ages) < 0.25
    assert 0.15 < sum(a >= 60 for a in ages) / len(ages) < 0.40
    assert max(ages) >= 90
    sexes = Counter(p["sex"] for p in people)
    assert 0.85 < sexes["1"] / sexes["2"] < 1.15
    districts = Counter(p["division"][:6] for p in people)
    assert len(districts) == 7
    assert districts.most_common(1)[0][0] == "320281"
    assert len({p["division"] for p in people}) > 60


def test_minorities_dots_and_rare_characters_occur(rows) -> None:
    people = list(rows["person"].values())
    assert len({p["ethnicity"] for p in people}) > 15
    assert any("·" in p["name"] for p in people)
    assert any(ch in p["name"] for p in people for ch in RARE_CHARACTERS)
    assert any(ord(ch) > 0xFFFF for p in people for ch in p["name"])


def test_one_person_in_a_hundred_has_an_unregistered_newborn_in_every_constellation(
    rows, manifest: Manifest
) -> None:
    people, certificates = rows["person"], rows["birth_certificate"].values()
    new = [c for c in certificates if c["household_state"] == "0"]
    assert len(new) >= manifest.people / 100
    for birth in new:
        day = dt.date.fromisoformat(birth["born_at"][:10])
        assert TODAY - dt.timedelta(days=60) <= day <= TODAY
        assert birth["issued_on"] >= day.isoformat()
    married = {
        (m["husband_citizen_id"], m["wife_citizen_id"])
        for m in rows["marriage"].values()
        if m["state"] == "1"
    }
    seen: Counter[str] = Counter()
    for birth in new:
        mother, father = people.get(birth["mother_citizen_id"]), people.get(birth["father_citizen_id"])
        seen["twins"] += birth["plurality"] == "2"
        seen["single"] += birth["father_citizen_id"] == ""
        seen["father elsewhere"] += birth["father_citizen_id"] != "" and father is None
        seen["mother elsewhere"] += mother is None
        if mother is not None and father is not None:
            seen["two districts"] += mother["division"][:6] != father["division"][:6]
            seen["one household"] += mother["household_no"] == father["household_no"]
            seen["unmarried"] += (birth["father_citizen_id"], birth["mother_citizen_id"]) not in married
        if mother is not None:
            seen["name differs"] += birth["mother_name"] != mother["name"]
    assert min(seen.values()) >= 2, seen
    assert len(seen) == 8


def test_the_deck_deals_every_constellation() -> None:
    assert len(DECK) == 25
    assert len(set(DECK)) == 10


def test_some_addresses_differ_in_the_door_alone(rows) -> None:
    differ = same = 0
    heads = {h["head_citizen_id"]: h for h in rows["household"].values()}
    for home in rows["real_estate"].values():
        house = heads.get(home["owner_citizen_id"])
        if house is None:
            continue
        if house["address"] == home["address"]:
            same += 1
        else:
            differ += 1
            assert len(house["address"]) in (len(home["address"]), len(home["address"]) - 1)
    assert 0.01 < differ / (differ + same) < 0.08


@pytest.mark.parametrize(
    ("door", "other"), [("402", "420"), ("1103", "1130"), ("7", "71"), ("11", "111"), ("110", "101")]
)
def test_the_swapped_door(door: str, other: str) -> None:
    assert swapped(door) == other


def test_the_first_family_is_as_the_story_tells(manifest: Manifest, rows) -> None:
    people, lin, wang = rows["person"], one(manifest, "lin"), one(manifest, "wang")
    assert (lin.name, lin.citizen_id[:6], lin.citizen_id[-4:]) == ("林晓晴", "320211", "1026")
    assert (wang.name, wang.citizen_id[:6], wang.citizen_id[-4:]) == ("王启明", "320203", "4411")
    birth = next(c for c in rows["birth_certificate"].values() if c["mother_citizen_id"] == lin.citizen_id)
    assert (birth["born_at"], birth["child_sex"], birth["birth_place"]) == (
        "2026-11-16 08:42",
        "2",
        "无锡市妇幼保健院",
    )
    assert birth["father_citizen_id"] == wang.citizen_id
    house = rows["household"][people[wang.citizen_id]["household_no"]]
    assert house["head_name"] == "王建国"
    home = next(h for h in rows["real_estate"].values() if h["owner_citizen_id"] == house["head_citizen_id"])
    assert house["address"].endswith("中山路158号3幢402室")
    assert home["address"].endswith("中山路158号3幢420室")
    assert house["division"][:6] == "320213"
    assert people[lin.citizen_id]["division"][:6] == "320211"
    assert rows["medical_insurance"][lin.citizen_id]["kind"] == "310"


@pytest.mark.parametrize(
    "key", ["lin", "wang", "wang_head", "single", "twins", "anhui", "restaurant", "elder", "dotted", "rare"]
)
def test_every_named_character_is_on_record_in_any_size_of_city(
    city: City, tmp_path: Path, key: str, rows, manifest: Manifest
) -> None:
    person = one(manifest, key)
    assert rows["person"][person.citizen_id]["name"] == person.name
    small = simulate(city, tmp_path, 1, 99, TODAY)
    assert one(small, key).citizen_id == person.citizen_id


def test_everybody_offered_at_sign_in_is_on_record_under_a_key_of_their_own(manifest: Manifest, rows) -> None:
    assert len(manifest.demo) > 20
    assert (
        len({p.key for p in manifest.demo})
        == len({p.citizen_id for p in manifest.demo})
        == len(manifest.demo)
    )
    for person in manifest.demo:
        assert rows["person"][person.citizen_id]["name"] == person.name
        assert rows["person"][person.citizen_id]["state"] == "1"


def test_the_characters_are_who_they_are_said_to_be(manifest: Manifest, rows) -> None:
    people = rows["person"]
    certificates = list(rows["birth_certificate"].values())
    single = next(c for c in certificates if c["mother_citizen_id"] == one(manifest, "single").citizen_id)
    assert single["father_citizen_id"] == ""
    twins = [c for c in certificates if c["mother_citizen_id"] == one(manifest, "twins").citizen_id]
    assert [c["birth_order"] for c in twins] == ["1", "2"]
    anhui = next(c for c in certificates if c["mother_citizen_id"] == one(manifest, "anhui").citizen_id)
    assert anhui["father_citizen_id"].startswith("34")
    assert anhui["father_citizen_id"] not in people
    owner = one(manifest, "restaurant")
    assert owner.acts_for is not None
    shop = rows["enterprise"][owner.acts_for]
    assert (shop["legal_citizen_id"], shop["state"], shop["industry"]) == (owner.citizen_id, "1", "6210")
    assert 75 <= TODAY.year - int(people[one(manifest, "elder").citizen_id]["birth_date"][:4]) <= 77
    assert "·" in one(manifest, "dotted").name
    assert any(ord(ch) > 0xFFFF for ch in one(manifest, "rare").name)
    holders = {
        r["holder_citizen_id"] for r in rows["e_licence"].values() if r["licence_type"] == "senior_card"
    }
    assert one(manifest, "elder").citizen_id not in holders


def test_enterprises_are_marked_and_their_codes_cannot_be_real(rows) -> None:
    assert len(rows["enterprise"]) > 50
    for code, enterprise in rows["enterprise"].items():
        assert "演示" in enterprise["name"]
        assert code[8:11] == "DEM"


def test_memory_does_not_grow_with_the_city(city: City, tmp_path: Path) -> None:
    peaks = []
    for people in (1_000, 6_000):
        tracemalloc.start()
        simulate(city, tmp_path / str(people), people, 3, TODAY)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Only the used-up numbers per day and place may grow; people and rows must not stay.
    per_person = (peaks[1] - peaks[0]) / 5_000
    assert per_person < 600, f"{per_person:.0f} bytes a person"


def test_progress_is_told_to_the_end(city: City, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    simulate(city, tmp_path, 2_500, 3, TODAY, lambda *step: told.append(step))
    assert told[-1][1:] == (2_500, 2_500)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_city_without_towns_cannot_be_peopled(city: City, tmp_path: Path) -> None:
    bare = msgspec.structs.replace(
        city, divisions={c: d for c, d in city.divisions.items() if d.level != "town"}
    )
    with pytest.raises(NoTowns):
        simulate(bare, tmp_path, 10, 1, TODAY)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"kind": 5}'])
def test_a_folder_without_a_whole_manifest_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DeliveryFolderUnusable):
        read_manifest(tmp_path)
