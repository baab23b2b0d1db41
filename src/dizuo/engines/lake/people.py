"""The invented city's people while they are being invented: persons, households, homes, marriages, births.

Builders, not facts: a cluster (some households that are kin) is filled in, projected to departments' rows by
`records` and forgotten, so that memory does not grow with the number of people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from dizuo.foundation.blueprint.model import Division


@dataclass(frozen=True, slots=True)
class Door:
    """A dwelling: the street part shared by neighbours, and the door that departments sometimes type wrongly."""

    town: Division
    village: Division | None
    district_name: str
    street: str
    door: str
    suffix: str = "室"

    def text(self, city: str, door: str | None = None) -> str:
        """The address in one line; a county-level city (县级市) is not written under the city above it."""
        above = "" if self.district_name.endswith("市") else city
        return f"{above}{self.district_name}{self.street}{door or self.door}{self.suffix}"


@dataclass(slots=True)
class Person:
    number: str
    name: str
    surname: str
    given: str
    sex: str
    birth: date
    ethnic: str
    birth_region: str
    native_place: str
    phone: str
    former_number: str | None = None
    former_name: str | None = None
    marital: str = "10"
    education: str = "20"
    occupation: str = ""
    employer: str | None = None
    employer_code: str | None = None
    works: bool = False
    died: date | None = None
    disabled: bool = False
    senior_card: bool = False
    settled_cost: int | None = None
    lives_at: Door | None = None
    unknown_home: bool = False
    joined: date | None = None
    household: Household | None = None
    relation: str = "99"
    mother: Person | None = None
    father: Person | None = None
    spouse: Person | None = None

    def age(self, on: date) -> int:
        return on.year - self.birth.year - ((on.month, on.day) < (self.birth.month, self.birth.day))


@dataclass(slots=True)
class Household:
    number: str
    head: Person
    door: Door
    since: date
    rural: bool = False
    members: list[Person] = field(default_factory=list[Person])

    def add(self, person: Person, relation: str) -> Person:
        """Enter someone on this household's register (常住户口); relation to head per GB/T 4761."""
        person.household = self
        person.relation = relation
        self.members.append(person)
        return person


@dataclass(frozen=True, slots=True)
class Marriage:
    certificate: str
    husband: Person
    wife: Person
    on: date
    divorced: date | None
    office: str
    region: str


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth with its certificate (出生医学证明). A parent from elsewhere has a number but no record here."""

    certificate: str
    sex: str
    born: datetime
    hospital: str
    region: str
    signed: date
    mother: Person
    father: Person | None
    child: Person | None
    weight: int
    length: int
    weeks: int
    delivery: str
    order: int
    mother_registered: bool = True
    father_registered: bool = True
    mother_name: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling as the real-estate register knows it (不动产登记); its door may differ from the household's."""

    certificate: str
    unit: str
    owner: Person
    co_owner: Person | None
    door: Door
    door_registered: str
    area: int
    on: date


@dataclass(frozen=True, slots=True)
class Enterprise:
    code: str
    name: str
    kind: str
    legal: Person
    town: Division
    address: str
    capital: int
    industry: str
    industry_name: str
    scope: str
    founded: date
    area: int
    staff: int
    state: str


@dataclass(slots=True)
class Cluster:
    """Households that are kin, with everything that happened to them."""

    people: list[Person] = field(default_factory=list[Person])
    households: list[Household] = field(default_factory=list[Household])
    marriages: list[Marriage] = field(default_factory=list[Marriage])
    births: list[Birth] = field(default_factory=list[Birth])
    homes: list[Home] = field(default_factory=list[Home])
    enterprises: list[Enterprise] = field(default_factory=list[Enterprise])
