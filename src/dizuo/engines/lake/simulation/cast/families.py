"""How the cast's families come about: couples, three generations under one roof, parents whose registers are in two towns."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from dizuo.engines.lake.simulation.cast.ground import Ground
from dizuo.engines.lake.simulation.cast.model import Cluster, Door, Home, Household, Marriage, Person
from dizuo.engines.lake.simulation.cast.naming import Namer
from dizuo.engines.lake.simulation.cast.numbering import Numberer, fifteen_digits, unified_code
from dizuo.foundation.blueprint.model import Division

HEAD, SPOUSE, SON, DAUGHTER, SON_IN_LAW, DAUGHTER_IN_LAW = "户主", "配偶", "子", "女", "女婿", "儿媳"
_FIRMS = ("智造", "精密机械", "纺织", "物联网科技", "环保设备", "电子", "食品", "商贸", "物流", "新材料")
_EMPLOYERS = 900
FIRST_SERIAL = 31**5 - 2 * _EMPLOYERS
"""Where the serials of the cast's enterprises begin: far above those of the blocks."""


class Maker:
    """Everything a family is made from: one random generator, the ground, names and numbers."""

    def __init__(self, rng: Random, ground: Ground, today: date) -> None:
        self.rng = rng
        self.ground = ground
        self.namer = Namer()
        self.numberer = Numberer()
        self.today = today
        self.people = 0
        self.households = 0
        self.marriages = 0
        self.homes = 0
        self.births = 0

    def day(self, youngest: float, oldest: float) -> date:
        """A birthday of somebody between two ages in years."""
        days = self.rng.uniform(youngest * 365.25, oldest * 365.25)
        return self.today - timedelta(days=int(days) + 1)

    def between(self, first: date, last: date) -> date:
        return first + timedelta(days=self.rng.randint(0, max(0, (last - first).days)))

    def named(
        self, name: str, surname: str, sex: str, birth: date, region: str, native: str, ethnic: str = "01"
    ) -> Person:
        """One person with a number, not yet on any household's register."""
        self.people += 1
        number, birth = self.numberer.citizen(region, birth, sex)
        person = Person(
            index=self.people, number=number, name=name, surname=surname, sex=sex, birth=birth, ethnic=ethnic,
            native_place=native, phone=f"1990000{self.people:04d}",
        )  # fmt: skip
        # Numbers had 15 digits until 1999-10-01; whoever was registered before keeps the old form in history.
        if birth < date(1999, 10, 1):
            person.former_number = fifteen_digits(number)
        return person

    def person(self, sex: str, birth: date, near: Division, surname: str | None = None) -> Person:
        """A person by chance, born where they live."""
        name = self.namer.name(self.rng, sex, surname)
        region = self.ground.region(self.rng, near.parent, birth)
        made = self.named(name.full, name.surname, sex, birth, region, self.ground.above(near.parent))
        if 22 <= made.age(self.today) < 58 and self.rng.random() < 0.8:
            self.employ(made, self.rng.randrange(_EMPLOYERS))
        return made

    def employ(self, person: Person, employer: int) -> None:
        """Let somebody work at employer number `employer`, which has one name and one code."""
        region = self.ground.districts[employer % len(self.ground.districts)].code
        person.works = True
        person.employer = (
            f"{self.ground.city}演示{_FIRMS[employer % len(_FIRMS)]}{employer % _EMPLOYERS + 1}有限公司"
        )
        person.employer_code = unified_code(91, region, FIRST_SERIAL + employer % _EMPLOYERS)

    def household(self, head: Person, door: Door, since: date | None = None) -> Household:
        """A household register (户) with its head."""
        self.households += 1
        start = since or self.between(
            max(head.birth + timedelta(days=6600), date(1985, 1, 1)), self.today - timedelta(days=200)
        )
        house = Household(self.households, head, door, start)
        house.add(head, HEAD)
        return house

    def marry(self, husband: Person, wife: Person, cluster: Cluster, *, on: date | None = None) -> None:
        """Register a marriage (结婚登记)."""
        self.marriages += 1
        earliest = max(husband.birth.replace(day=1), wife.birth.replace(day=1)) + timedelta(days=22 * 366)
        latest = max(earliest, min(earliest + timedelta(days=2900), self.today - timedelta(days=330)))
        when = min(on or self.between(earliest, latest), self.today - timedelta(days=1))
        home = husband.household or wife.household
        region = home.door.town.parent if home else self.ground.districts[0].code
        cluster.marriages.append(
            Marriage(
                f"J{region}-{when.year}-{self.marriages:07d}", husband, wife, when, f"{self.ground.names[region]}民政局婚姻登记处"
            )
        )  # fmt: skip

    def own(
        self, cluster: Cluster, house: Household, owner: Person, *,
        other: Person | None = None, door: str | None = None, area: int | None = None, on: date | None = None,
    ) -> None:  # fmt: skip
        """Register the dwelling (不动产登记), a certificate for each owner; `door` is what the register writes."""
        town, rng = house.door.town, self.rng
        self.homes += 1
        unit = f"{town.parent}{int(town.code[6:9]):03d}{rng.randint(1, 40):03d}GB{rng.randint(1, 99999):05d}F{self.homes:08d}"
        when = on or self.between(date(2008, 1, 1), self.today - timedelta(days=120))
        space = area or rng.randint(48, 168)
        for place, one in enumerate((owner,) if other is None else (owner, other)):
            certificate = f"苏({when.year}){self.ground.city}不动产权第{self.homes * 10 + place:07d}号"
            home = Home(
                certificate, unit, one, house.door, door or house.door.door, space, when, other is not None
            )
            cluster.homes.append(home)


def swapped(door: str) -> str:
    """The door with its last two different digits exchanged (402 → 420); with one more, when they are all alike."""
    for place in range(len(door) - 1, 0, -1):
        if door[place] != door[place - 1]:
            return door[: place - 1] + door[place] + door[place - 1] + door[place + 1 :]
    return door + "1"


def _pair(
    maker: Maker, town: Division, other: Division, wife_age: tuple[float, float]
) -> tuple[Person, Person]:
    """Husband and wife of an age, living in two towns or one."""
    wife = maker.person("2", maker.day(*wife_age), other)
    years = wife.age(maker.today)
    return maker.person("1", maker.day(max(22.2, years - 1), max(23.5, years + 5)), town), wife


def couple(maker: Maker, cluster: Cluster, wife_age: tuple[float, float]) -> tuple[Person, Person]:
    """A married couple on one register, usually with their own home."""
    rng = maker.rng
    town = maker.ground.town(rng)
    husband, wife = _pair(maker, town, town, wife_age)
    house = maker.household(husband, maker.ground.door(rng, town))
    house.add(wife, SPOUSE)
    cluster.people += [husband, wife]
    cluster.households.append(house)
    maker.marry(husband, wife, cluster)
    if rng.random() < 0.75:
        maker.own(cluster, house, husband, other=wife if rng.random() < 0.5 else None)
    return husband, wife


def three_generations(maker: Maker, cluster: Cluster, wife_age: tuple[float, float]) -> tuple[Person, Person]:
    """Grandparents' household with the son's (or daughter's) family on the same register."""
    rng = maker.rng
    town = maker.ground.town(rng)
    husband, wife = _pair(maker, town, town, wife_age)
    with_son = rng.random() < 0.75
    child, partner = (husband, wife) if with_son else (wife, husband)
    older = child.birth - timedelta(days=rng.randint(8200, 11000))
    grandfather = maker.person("1", older, town, child.surname)
    grandmother = maker.person("2", older + timedelta(days=rng.randint(-300, 1500)), town)
    house = maker.household(
        grandfather, maker.ground.door(rng, town), maker.between(date(1995, 1, 1), date(2015, 1, 1))
    )
    house.add(grandmother, SPOUSE)
    house.add(child, SON if with_son else DAUGHTER)
    house.add(partner, DAUGHTER_IN_LAW if with_son else SON_IN_LAW)
    child.father, child.mother = grandfather, grandmother
    cluster.people += [grandfather, grandmother, child, partner]
    cluster.households.append(house)
    maker.marry(grandfather, grandmother, cluster)
    maker.marry(husband, wife, cluster)
    maker.own(cluster, house, grandfather, door=swapped(house.door.door) if rng.random() < 0.3 else None)
    return husband, wife


def apart(
    maker: Maker, cluster: Cluster, wife_age: tuple[float, float], *, same_district: bool
) -> tuple[Person, Person]:
    """A married couple whose household registers are in two towns."""
    rng = maker.rng
    town = maker.ground.town(rng)
    other = maker.ground.other_town(rng, town, same_district)
    husband, wife = _pair(maker, town, other, wife_age)
    cluster.people += [husband, wife]
    for one, where in ((husband, town), (wife, other)):
        house = maker.household(one, maker.ground.door(rng, where))
        cluster.households.append(house)
        if one is husband:
            maker.own(cluster, house, husband)
    maker.marry(husband, wife, cluster)
    return husband, wife


def alone(maker: Maker, cluster: Cluster, sex: str, age: tuple[float, float]) -> Person:
    """One person on a register of their own."""
    town = maker.ground.town(maker.rng)
    person = maker.person(sex, maker.day(*age), town)
    house = maker.household(person, maker.ground.door(maker.rng, town))
    cluster.people.append(person)
    cluster.households.append(house)
    if maker.rng.random() < 0.6:
        maker.own(cluster, house, person)
    return person
