"""The named characters: in every invented city under the same numbers, and delivered so that their stories hold."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest

from dizuo.engines.lake import errors
from dizuo.engines.lake.simulation import read_sources, simulate_sources
from dizuo.engines.lake.simulation.cast import company
from dizuo.engines.lake.simulation.cast.births import DECK
from dizuo.engines.lake.simulation.cast.families import swapped
from dizuo.engines.lake.simulation.cast.rows import Line, Writer
from dizuo.engines.lake.simulation.numbers import MOST_BLOCKS, cast_number, sequences
from dizuo.foundation.blueprint import City, load_city
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.kernel.identity import CitizenId
from dizuo.foundation.kernel.names import PersonName

WUXI = load_city(Path(__file__).parents[3] / "cities" / "wuxi")
TODAY = dt.date(2026, 11, 23)
NAMED = ("lin", "wang", "wang_head", "single", "twins", "anhui", "restaurant", "elder", "dotted", "rare")


def lines(city: City = WUXI) -> list[Line]:
    writer = Writer(Random(1), TODAY, 1, 200_000)
    return [line for cluster in company(city, TODAY).clusters for line in writer.lines(cluster)]


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines():
        found.setdefault(line.source, []).append(line)
    return found


@pytest.fixture(scope="module")
def number() -> dict[str, str]:
    return {person.key: person.citizen_id for person in company(WUXI, TODAY).people}


def cells(rows: dict[str, list[Line]], source: str, column: str, value: str) -> dict[str, str | None]:
    return dict(next(line.cells for line in rows[source] if line.cells.get(column) == value))


def test_everybody_is_there_whatever_the_size_and_the_seed(number: dict[str, str]) -> None:
    assert list(number)[: len(NAMED)] == list(NAMED)
    assert len(number) == len(set(number.values())) == len(NAMED) + len(DECK)
    assert {p.key: p.citizen_id for p in company(WUXI, TODAY).people} == number


def test_their_numbers_are_right_and_no_block_of_people_has_them(rows: dict[str, list[Line]]) -> None:
    known = validity(WUXI)
    for line in rows["hukou"]:
        text = str(line.cells["citizen_id"])
        parsed = CitizenId.parse(text, TODAY)
        assert f"{parsed.birth:%Y%m%d}" == line.cells["birth_date"]
        assert line.cells["sex"] == {"1": "男", "2": "女"}[parsed.sex.code]
        assert known(text[:6], parsed.birth)
        name = str(line.cells["name"])
        assert PersonName.check(name) == name
    # A thousand of one sex, region and day: the blocks move their birthdays rather than take the cast's number.
    day = np.full(1_000, "1990-05-04", "datetime64[D]")
    one = np.ones(1_000, np.int64)
    order, moved = sequences(one * 320211, day, one, one * -1, 0, 1)
    given = {(str(d), int(n)) for d, n in zip(moved, order, strict=True)}
    assert len(given) == 1_000
    for d in np.unique(moved):
        assert (str(d), int(cast_number(320211, d, 1)[14:17])) not in given
    assert MOST_BLOCKS == 496


def test_every_cell_has_a_declared_column_and_every_row_its_keys(rows: dict[str, list[Line]]) -> None:
    for source, mine in rows.items():
        declared = WUXI.sources[source]
        required = {c.id for c in declared.columns.values() if c.required}
        for line in mine:
            assert set(line.cells) <= set(declared.columns)
            assert all(line.cells.get(name) for name in required)
            assert line.key == line.cells[declared.row_key]
            assert set(line.said) <= {mention.id for mention in declared.mentions}
        assert len({line.key for line in mine}) == len(mine)


def test_the_first_family_is_as_the_story_tells(rows: dict[str, list[Line]], number: dict[str, str]) -> None:
    birth = cells(rows, "births", "mother_id", number["lin"])
    assert (birth["born_at"], birth["sex"], birth["hospital"]) == (
        "2026-11-16 08:42:00",
        "2",
        "无锡市妇幼保健院",
    )
    assert birth["father_id"] == number["wang"]
    assert birth["household_state"] == "未落户"
    father, head = (cells(rows, "hukou", "citizen_id", number[key]) for key in ("wang", "wang_head"))
    assert father["household_no"] == head["household_no"]
    assert str(head["address"]).endswith("中山路158号3幢402室")
    # The land registry has another door and the grandfather's number of fifteen digits.
    home = cells(rows, "real_estate", "owner_id", number["wang_head"][:6] + number["wang_head"][8:17])
    assert str(home["address"]).endswith("中山路158号3幢420室")
    assert cells(rows, "medical_insurance", "id_number", number["lin"])["name"] == "林晓情"


def test_the_others_are_who_they_are_said_to_be(rows: dict[str, list[Line]], number: dict[str, str]) -> None:
    assert cells(rows, "births", "mother_id", number["single"])["father_id"] is None
    twins = [line.cells for line in rows["births"] if line.cells["mother_id"] == number["twins"]]
    assert [(t["birth_order"], t["plurality"]) for t in twins] == [("1", "2"), ("2", "2")]
    father = str(cells(rows, "births", "mother_id", number["anhui"])["father_id"])
    assert father.startswith("34")
    assert father not in {line.cells["citizen_id"] for line in rows["hukou"]}
    shop = cells(rows, "enterprises", "legal_representative_id", number["restaurant"])
    assert (shop["state"], shop["industry"]) == ("存续", "6210")
    elder = CitizenId.parse(number["elder"], TODAY).birth
    assert 75 <= TODAY.year - elder.year <= 77
    assert "·" in str(cells(rows, "hukou", "citizen_id", number["dotted"])["name"])
    assert any(ord(c) > 0xFFFF for c in str(cells(rows, "hukou", "citizen_id", number["rare"])["name"]))
    assert all("演示" in str(line.cells["name"]) for line in rows["enterprises"])


def test_newborns_come_in_every_constellation(rows: dict[str, list[Line]]) -> None:
    people = {str(line.cells["citizen_id"]): line.cells for line in rows["hukou"]}
    married = {(line.cells["husband_id"], line.cells["wife_id"]) for line in rows["marriage"]}
    seen: Counter[str] = Counter()
    for line in rows["births"]:
        birth = line.cells
        mother, father = people.get(str(birth["mother_id"])), people.get(str(birth["father_id"]))
        seen["twins"] += birth["plurality"] == "2"
        seen["single"] += birth["father_id"] is None
        seen["father elsewhere"] += birth["father_id"] is not None and father is None
        seen["mother elsewhere"] += mother is None
        if mother and father:
            seen["one household"] += mother["household_no"] == father["household_no"]
            seen["two districts"] += str(mother["address"])[:9] != str(father["address"])[:9]
            seen["unmarried"] += (birth["father_id"], birth["mother_id"]) not in married
        if mother:
            seen["name differs"] += birth["mother_name"] != mother["name"]
    assert len(seen) == 8
    assert min(seen.values()) >= 1, seen
    assert len(set(DECK)) == 10


@pytest.mark.parametrize(
    ("door", "other"), [("402", "420"), ("1103", "1130"), ("7", "71"), ("11", "111"), ("110", "101")]
)
def test_the_swapped_door(door: str, other: str) -> None:
    assert swapped(door) == other


def test_the_cast_is_a_block_more_and_nothing_else_changes(tmp_path: Path) -> None:
    city = msgspec.structs.replace(
        WUXI, sources={n: WUXI.sources[n] for n in ("hukou", "births", "disabled")}
    )
    without = simulate_sources(city, tmp_path / "a", people=400, seed=3, day=TODAY, workers=1)
    made = simulate_sources(
        city, tmp_path / "b", people=400, seed=3, day=TODAY, days=1, snapshots=True, workers=1, cast=True
    )
    assert without.demo == ()
    assert read_sources(tmp_path / "b").demo == company(WUXI, TODAY).people
    plain = (tmp_path / "a" / without.deliveries[0].path).read_bytes()
    whole = (tmp_path / "b" / made.deliveries[0].path).read_bytes()
    assert whole.startswith(plain)
    own = Counter(line.source for line in lines(city))
    assert made.deliveries[0].rows - without.deliveries[0].rows == own["hukou"]
    # A snapshot of the next day holds them still, a delivery of changes does not.
    next_day = {d.source: d for d in made.deliveries if d.day > TODAY}
    assert "林晓晴" in (tmp_path / "b" / next_day["hukou"].path).read_bytes().decode("gb18030")
    assert "林晓晴" not in (tmp_path / "b" / next_day["births"].path).read_text("utf-8")


def test_a_city_without_towns_has_no_cast() -> None:
    bare = msgspec.structs.replace(
        WUXI, divisions={c: d for c, d in WUXI.divisions.items() if d.level != "town"}
    )
    with pytest.raises(errors.NoTowns):
        company(bare, TODAY)
