"""The cast while it is being put together: persons, households, homes, marriages, births.

Builders, not facts: a cluster (some households that are kin) is filled in and then written as departments' rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from dizuo.foundation.blueprint.model import Division


@dataclass(frozen=True, slots=True)
class Door:
    """A dwelling: the street part shared by neighbours, and the door that departments sometimes type wrongly.

    ``above`` is what is written before the town: province, city and district.
    """

    town: Division
    above: str
    street: str
    door: str
    suffix: str = "室"

    def text(self, door: str | None = None) -> str:
        """The address in one line."""
        return f"{self.above}{self.town.name}{self.street}{door or self.door}{self.suffix}"


@dataclass(slots=True)
class Person:
    """A person of the cast. ``index`` numbers the cast; ``registered`` false: known here by a certificate only."""

    index: int
    number: str
    name: str
    surname: str
    sex: str
    birth: date
    ethnic: str
    native_place: str
    phone: str
    former_number: str | None = None
    employer: str | None = None
    employer_code: str | None = None
    works: bool = False
    settled_cost: int | None = None
    lives_at: Door | None = None
    household: Household | None = None
    relation: str = ""
    mother: Person | None = None
    father: Person | None = None

    def age(self, on: date) -> int:
        return on.year - self.birth.year - ((on.month, on.day) < (self.birth.month, self.birth.day))


@dataclass(slots=True)
class Household:
    index: int
    head: Person
    door: Door
    since: date
    members: list[Person] = field(default_factory=list[Person])

    def add(self, person: Person, relation: str) -> Person:
        """Enter someone on this household's register (常住户口), with the relation to its head in words."""
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
    office: str


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth with its certificate (出生医学证明). A parent from elsewhere has a number but no record here."""

    certificate: str
    sex: str
    born: datetime
    hospital: str
    place: str
    signed: date
    mother: Person
    father: Person | None
    weight: int
    weeks: int
    delivery: str
    order: int
    together: int = 1
    mother_name: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling as the real-estate register knows it (不动产登记); its door may differ from the household's."""

    certificate: str
    unit: str
    owner: Person
    door: Door
    door_registered: str
    area: int
    on: date
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Enterprise:
    code: str
    name: str
    legal: Person
    address: str
    authority: str
    capital: int
    industry: str
    scope: str
    founded: date
    staff: int


@dataclass(slots=True)
class Cluster:
    """Households that are kin, with everything that happened to them."""

    people: list[Person] = field(default_factory=list[Person])
    households: list[Household] = field(default_factory=list[Household])
    marriages: list[Marriage] = field(default_factory=list[Marriage])
    births: list[Birth] = field(default_factory=list[Birth])
    homes: list[Home] = field(default_factory=list[Home])
    enterprises: list[Enterprise] = field(default_factory=list[Enterprise])
