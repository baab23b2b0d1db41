"""How the invented city's families come about: households, couples, children, the old and the alone.

Each maker draws one cluster of kin. Shares follow the shape of a lower-Yangtze city (about a fifth past 60,
one in six below 15); they are chosen for plausibility and are not statistics of any place.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from dizuo.engines.lake.ground import Ground
from dizuo.engines.lake.naming import Namer
from dizuo.engines.lake.numbering import SERIALS, Numberer, fifteen_digits, unified_code
from dizuo.engines.lake.people import Cluster, Door, Home, Household, Marriage, Person
from dizuo.foundation.blueprint.model import Division

# GB/T 4761 relations to the head of a household.
HEAD, HUSBAND, WIFE, SON, DAUGHTER, SON_IN_LAW, DAUGHTER_IN_LAW = "01", "11", "12", "20", "30", "28", "38"
GRANDSON, GRANDDAUGHTER, OTHER = "41", "42", "97"
_JOBS = [
    "教师",
    "工程师",
    "会计",
    "护士",
    "司机",
    "销售员",
    "车间操作工",
    "程序员",
    "厨师",
    "行政职员",
    "电工",
    "快递员",
    "仓库管理员",
    "物业管理员",
    "社区工作者",
    "质检员",
    "设计师",
    "收银员",
]
EMPLOYERS = 4_000
FIRST_EMPLOYER = SERIALS - 2 * EMPLOYERS  # apart from the serials of enterprises in the register
_FIRMS = ["智造", "精密机械", "纺织", "物联网科技", "环保设备", "电子", "食品", "商贸", "物流", "新材料"]


class Maker:
    """Everything a family is made from: one random generator, the ground, names and numbers."""

    def __init__(self, rng: Random, ground: Ground, namer: Namer, numberer: Numberer, today: date) -> None:
        self.rng = rng
        self.ground = ground
        self.namer = namer
        self.numberer = numberer
        self.today = today
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

    def person(
        self,
        sex: str,
        birth: date,
        near: Division,
        *,
        surname: str | None = None,
        ethnic: str | None = None,
        local: bool = False,
    ) -> Person:
        """One person with a number, not yet on any household's register."""
        rng = self.rng
        district = next((d for d in self.ground.districts if d.code == near.parent), self.ground.districts[0])
        region, native = self.ground.birth_region(rng, birth, district)
        if local:
            region, native = district.code, f"{self.ground.city}{district.name}"
        number, birth = self.numberer.citizen(region, birth, sex)
        people = ethnic or self.namer.ethnic(rng)
        name = self.namer.name(rng, sex, people, birth.year, surname)
        person = Person(
            number=number, name=name.full, surname=name.surname, given=name.given, sex=sex, birth=birth,
            ethnic=people, birth_region=region, native_place=native, phone=f"1990000{rng.randint(0, 9999):04d}",
        )  # fmt: skip
        # Numbers had 15 digits until 1999-10-01; whoever was registered before keeps the old form in history.
        if birth < date(1999, 10, 1) and rng.random() < 0.3:
            person.former_number = fifteen_digits(number)
        if rng.random() < 0.01 and person.surname:
            person.former_name = person.surname + self.namer.name(rng, sex, "01", birth.year, "某").given
        person.disabled = rng.random() < 0.02
        person.unknown_home = rng.random() < 0.04
        self._settle(person)
        return person

    def _settle(self, person: Person) -> None:
        rng, age = self.rng, person.age(self.today)
        if age < 16:
            person.education, person.occupation = ("90" if age < 6 else "80" if age < 12 else "70"), ""
            return
        person.education = rng.choices(("10", "20", "30", "60", "70", "80"), (3, 26, 20, 25, 18, 8))[0]
        last = 60 if person.sex == "1" else 55
        if age > last:
            person.occupation = "退休"
            person.senior_card = age >= 60 and rng.random() < 0.45
        elif age >= 22 and rng.random() < 0.8:
            person.occupation = rng.choice(_JOBS)
            self.employ(person, rng.randrange(EMPLOYERS))

    def employ(self, person: Person, employer: int) -> None:
        """Let somebody work at employer number `employer` (0..EMPLOYERS-1), which has one name and one code."""
        region = self.ground.districts[employer % len(self.ground.districts)].code
        person.works = True
        person.employer = f"{self.ground.city}演示{_FIRMS[employer % len(_FIRMS)]}{employer + 1}有限公司"
        person.employer_code = unified_code("91", region, FIRST_EMPLOYER + employer)

    def household(self, head: Person, door: Door, since: date | None = None) -> Household:
        """A household register (户) with its head."""
        self.households += 1
        start = since or self.between(
            max(head.birth + timedelta(days=6600), date(1985, 1, 1)), self.today - timedelta(days=200)
        )
        house = Household(
            f"{door.town.code[:9]}{self.households:08d}", head, door, start, door.suffix == "号"
        )
        house.add(head, HEAD)
        return house

    def marry(
        self, husband: Person, wife: Person, cluster: Cluster, *, on: date | None = None, ended: bool = False
    ) -> Marriage:
        """Register a marriage (结婚登记) and set both parties' state; ended: divorced since (离婚登记)."""
        self.marriages += 1
        earliest = max(husband.birth.replace(day=1), wife.birth.replace(day=1)) + timedelta(days=22 * 366)
        when = on or self.between(
            earliest, max(earliest, min(earliest + timedelta(days=2900), self.today - timedelta(days=330)))
        )
        when = min(when, self.today - timedelta(days=1))
        divorced = (
            self.between(when + timedelta(days=200), self.today - timedelta(days=90)) if ended else None
        )
        if divorced is not None and divorced <= when:
            divorced = when + timedelta(days=60)
        home = husband.household or wife.household
        region = home.door.town.parent if home else self.ground.districts[0].code
        certificate = f"J{region}-{when.year}-{self.marriages:07d}"
        marriage = Marriage(
            certificate, husband, wife, when, divorced, f"{self.ground.names[region]}民政局婚姻登记处", region
        )
        for one, other in ((husband, wife), (wife, husband)):
            one.marital = "40" if ended else "20"
            if not ended:
                one.spouse = other
                if one.relation in (HUSBAND, WIFE, SON_IN_LAW, DAUGHTER_IN_LAW):
                    one.joined = when  # they came onto this register by marrying
        cluster.marriages.append(marriage)
        return marriage

    def own(
        self,
        cluster: Cluster,
        house: Household,
        owner: Person,
        *,
        other: Person | None = None,
        wrong: bool | None = None,
    ) -> Home:
        """Register the dwelling (不动产登记); one in thirty has two digits of the door swapped."""
        self.homes += 1
        door = house.door.door
        swap = self.rng.random() < 0.033 if wrong is None else wrong
        registered = swapped(door) if swap else door
        when = self.between(date(2008, 1, 1), self.today - timedelta(days=120))
        town = house.door.town
        certificate = f"苏({when.year}){self.ground.city}不动产权第{self.homes:07d}号"
        unit = f"{town.parent}{int(town.code[6:9]):03d}{self.rng.randint(1, 40):03d}GB{self.rng.randint(1, 99999):05d}F{self.homes % 100_000_000:08d}"
        home = Home(certificate, unit, owner, other, house.door, registered, self.rng.randint(48, 168), when)
        cluster.homes.append(home)
        return home


def swapped(door: str) -> str:
    """The door with its last two different digits exchanged (402 → 420); with one more, when they are all alike."""
    for place in range(len(door) - 1, 0, -1):
        if door[place] != door[place - 1]:
            return door[: place - 1] + door[place] + door[place - 1] + door[place + 1 :]
    return door + "1"


def couple(
    maker: Maker, cluster: Cluster, wife_age: tuple[float, float], *, head: str = "husband"
) -> tuple[Household, Person, Person]:
    """A married couple on one register, usually with their own home."""
    rng = maker.rng
    town = maker.ground.town(rng)
    wife = maker.person("2", maker.day(*wife_age), town)
    years = wife.age(maker.today)
    husband = maker.person("1", maker.day(max(22.2, years - 1), max(23.5, years + 5)), town)
    first, second = (husband, wife) if head == "husband" else (wife, husband)
    house = maker.household(first, maker.ground.door(rng, town))
    house.add(second, WIFE if first is husband else HUSBAND)
    cluster.people += [first, second]
    cluster.households.append(house)
    maker.marry(husband, wife, cluster)
    if rng.random() < 0.75:
        maker.own(
            cluster,
            house,
            husband if rng.random() < 0.7 else wife,
            other=wife if rng.random() < 0.5 else None,
        )
    return house, husband, wife


def children(
    maker: Maker,
    cluster: Cluster,
    house: Household,
    father: Person | None,
    mother: Person,
    *,
    youngest: float = 0.3,
) -> list[Person]:
    """Children that the mother's age allows, on the given household's register."""
    rng = maker.rng
    age = mother.age(maker.today)
    count = rng.choices((0, 1, 2, 3), (14, 58, 26, 2))[0]
    born: list[Person] = []
    for _ in range(count):
        oldest = min(age - 20.5, 40.0)
        if oldest <= youngest:
            break
        years = rng.uniform(max(youngest, age - 42.0), oldest) if age - 42.0 < oldest else oldest
        if born and abs(born[-1].age(maker.today) - years) < 2:
            continue
        sex = rng.choice("12")
        parent = father if father is not None and (not mother.surname or rng.random() < 0.9) else mother
        ethnic = parent.ethnic
        child = maker.person(
            sex,
            maker.day(years, years + 0.5),
            house.door.town,
            surname=parent.surname or None,
            ethnic=ethnic,
            local=years < 9,
        )
        child.mother, child.father = mother, father
        by_head = house.head in (father, mother)
        house.add(
            child,
            (SON if sex == "1" else DAUGHTER) if by_head else (GRANDSON if sex == "1" else GRANDDAUGHTER),
        )
        cluster.people.append(child)
        born.append(child)
    return born


def three_generations(
    maker: Maker, cluster: Cluster, wife_age: tuple[float, float]
) -> tuple[Household, Person, Person]:
    """Grandparents' household with the son's (or daughter's) family on the same register."""
    rng = maker.rng
    town = maker.ground.town(rng)
    wife = maker.person("2", maker.day(*wife_age), town)
    years = wife.age(maker.today)
    with_son = rng.random() < 0.75
    husband = maker.person("1", maker.day(max(22.2, years - 1), max(23.5, years + 5)), town)
    child, partner = (husband, wife) if with_son else (wife, husband)
    grandfather = maker.person(
        "1",
        child.birth - timedelta(days=rng.randint(8200, 11000)),
        town,
        surname=child.surname or None,
        ethnic=child.ethnic,
    )
    grandmother = maker.person("2", grandfather.birth + timedelta(days=rng.randint(-300, 1500)), town)
    house = maker.household(
        grandfather, maker.ground.door(rng, town), since=maker.between(date(1990, 1, 1), date(2015, 1, 1))
    )
    house.add(grandmother, WIFE)
    house.add(child, SON if with_son else DAUGHTER)
    house.add(partner, DAUGHTER_IN_LAW if with_son else SON_IN_LAW)
    child.father, child.mother = grandfather, grandmother
    cluster.people += [grandfather, grandmother, child, partner]
    cluster.households.append(house)
    maker.marry(grandfather, grandmother, cluster)
    maker.marry(husband, wife, cluster)
    if rng.random() < 0.85:
        maker.own(cluster, house, grandfather, other=child if rng.random() < 0.3 else None)
    return house, husband, wife


def apart(
    maker: Maker, cluster: Cluster, wife_age: tuple[float, float], *, same_district: bool
) -> tuple[Household, Household, Person, Person]:
    """A married couple whose household registers are in two towns."""
    rng = maker.rng
    town = maker.ground.town(rng)
    other = maker.ground.other_town(rng, town, same_district)
    wife = maker.person("2", maker.day(*wife_age), other)
    years = wife.age(maker.today)
    husband = maker.person("1", maker.day(max(22.2, years - 1), max(23.5, years + 5)), town)
    cluster.people += [husband, wife]
    his = maker.household(husband, maker.ground.door(rng, town))
    hers = maker.household(wife, maker.ground.door(rng, other))
    cluster.households += [his, hers]
    maker.marry(husband, wife, cluster)
    maker.own(cluster, his, husband)
    if rng.random() < 0.4:
        maker.own(cluster, hers, wife)
    return his, hers, husband, wife


def alone(
    maker: Maker, cluster: Cluster, sex: str, age: tuple[float, float], *, widowed: bool = False
) -> tuple[Household, Person]:
    """One person on a register of their own."""
    rng = maker.rng
    town = maker.ground.town(rng)
    person = maker.person(sex, maker.day(*age), town)
    house = maker.household(person, maker.ground.door(rng, town))
    person.marital = "30" if widowed else "10"
    cluster.people.append(person)
    cluster.households.append(house)
    if rng.random() < 0.6:
        maker.own(cluster, house, person)
    return house, person


def divorced_parent(maker: Maker, cluster: Cluster) -> None:
    """Two households after a divorce; the children stay with one parent."""
    his, hers, husband, wife = apart(maker, cluster, (28, 52), same_district=maker.rng.random() < 0.6)
    cluster.marriages.pop()
    husband.spouse = wife.spouse = None
    maker.marry(husband, wife, cluster, ended=True)
    with_mother = maker.rng.random() < 0.6
    children(maker, cluster, hers if with_mother else his, husband, wife, youngest=3)


def ordinary(maker: Maker) -> Cluster:
    """One cluster without a newborn."""
    rng = maker.rng
    cluster = Cluster()
    kind = rng.choices(range(8), (27, 20, 15, 8, 10, 6, 4, 10))[0]
    if kind == 0:
        house, husband, wife = couple(
            maker, cluster, (26, 56), head=rng.choices(("husband", "wife"), (70, 30))[0]
        )
        children(maker, cluster, house, husband, wife)
    elif kind == 1:
        house, husband, wife = three_generations(maker, cluster, (25, 48))
        children(maker, cluster, house, husband, wife)
    elif kind == 2:
        couple(maker, cluster, (58, 84))
    elif kind == 3:
        sex = rng.choices("12", (30, 70))[0]
        alone(maker, cluster, sex, (63, 97), widowed=True)
    elif kind == 4:
        alone(maker, cluster, rng.choice("12"), (19, 45))
    elif kind == 5:
        couple(maker, cluster, (22.5, 33))
    elif kind == 6:
        divorced_parent(maker, cluster)
    else:
        his, hers, husband, wife = apart(maker, cluster, (25, 50), same_district=rng.random() < 0.4)
        children(maker, cluster, his if rng.random() < 0.6 else hers, husband, wife)
    return cluster
