"""Births with their certificates: the last sixty days' newborns who are not on any household register yet,
in every constellation that registration must handle, and older ones who are.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from dizuo.engines.lake.families import Maker, alone, apart, children, couple, three_generations
from dizuo.engines.lake.ground import ELSEWHERE
from dizuo.engines.lake.people import Birth, Cluster, Person
from dizuo.foundation.kernel.clock_source import SHANGHAI

UNREGISTERED_DAYS = 60

# One deck of twenty-five holds every constellation, so that small cities have all of them too.
DECK: tuple[str, ...] = (
    *("together",) * 8, *("three_generations",) * 3, *("apart_district",) * 4, *("apart_town",) * 2,
    *("father_elsewhere",) * 2, "mother_elsewhere", "unmarried", "unmarried", "single_mother", "twins", "name_differs",
)  # fmt: skip


def newborn(maker: Maker, kind: str) -> Cluster:
    """One cluster with a newborn of the last sixty days; `kind` is one of the names in DECK."""
    cluster = Cluster()
    age = (21.5, 40.0)
    if kind == "three_generations":
        _, husband, wife = three_generations(maker, cluster, age)
        _born(maker, cluster, wife, husband)
    elif kind in ("apart_district", "apart_town"):
        _, _, husband, wife = apart(maker, cluster, age, same_district=kind == "apart_town")
        _born(maker, cluster, wife, husband)
    elif kind == "father_elsewhere":
        _, mother = alone(maker, cluster, "2", age)
        father = _stranger(maker, "1", mother)
        maker.marry(father, mother, cluster)
        _born(maker, cluster, mother, father, father_registered=False)
    elif kind == "mother_elsewhere":
        _, father = alone(maker, cluster, "1", (23, 42))
        mother = _stranger(maker, "2", father)
        maker.marry(father, mother, cluster)
        _born(maker, cluster, mother, father, mother_registered=False)
    elif kind == "unmarried":
        _, mother = alone(maker, cluster, "2", age)
        _, father = alone(maker, cluster, "1", (23, 42))
        _born(maker, cluster, mother, father)
    elif kind == "single_mother":
        _, mother = alone(maker, cluster, "2", age)
        _born(maker, cluster, mother, None)
    elif kind == "twins":
        _, husband, wife = couple(maker, cluster, age)
        _born(maker, cluster, wife, husband, count=2)
    else:
        house, husband, wife = couple(maker, cluster, age)
        if maker.rng.random() < 0.35:
            children(maker, cluster, house, husband, wife, youngest=2.5)
        _born(maker, cluster, wife, husband, misspelt=kind == "name_differs")
    return cluster


def _stranger(maker: Maker, sex: str, partner: Person) -> Person:
    """A partner from another province: a number on the certificate, no record in this city's registers."""
    region, place = maker.rng.choice([e for e in ELSEWHERE if not e[0].startswith("32")])
    birth = partner.birth + timedelta(days=maker.rng.randint(-1200, 900))
    number, birth = maker.numberer.citizen(region, birth, sex)
    name = maker.namer.name(maker.rng, sex, "01", birth.year)
    return Person(number, name.full, name.surname, name.given, sex, birth, "01", region, place, partner.phone)


def _born(
    maker: Maker,
    cluster: Cluster,
    mother: Person,
    father: Person | None,
    *,
    count: int = 1,
    mother_registered: bool = True,
    father_registered: bool = True,
    misspelt: bool = False,
) -> None:
    rng = maker.rng
    days = rng.randint(2, UNREGISTERED_DAYS - 2)
    start = datetime.combine(
        maker.today - timedelta(days=days), time(rng.randint(0, 23), rng.randint(0, 59)), SHANGHAI
    )
    parent = father if (not mother_registered and father is not None) else mother
    town = parent.household.door.town if parent.household else maker.ground.town(rng)
    hospital = hospital_of(maker, town.parent)
    older = sum(1 for p in cluster.people if p.mother is mother)
    for order in range(count):
        cluster.births.append(
            certificate(
                maker, mother, father, start + timedelta(minutes=7 * order), hospital, town.parent,
                sex=rng.choice("12"), order=older + order + 1, twins=count > 1,
                mother_registered=mother_registered, father_registered=father_registered,
                mother_name=_misspelt(mother.name) if misspelt else None,
            )
        )  # fmt: skip


def certificate(
    maker: Maker,
    mother: Person,
    father: Person | None,
    born: datetime,
    hospital: str,
    region: str,
    *,
    sex: str,
    order: int,
    twins: bool = False,
    child: Person | None = None,
    mother_registered: bool = True,
    father_registered: bool = True,
    mother_name: str | None = None,
) -> Birth:
    """A birth certificate (出生医学证明): number of one letter and nine digits, signed two days after birth."""
    maker.births += 1
    rng = maker.rng
    signed = min(born.date() + timedelta(days=2), maker.today)
    mean, spread = (2480, 320) if twins else (3280, 400)
    weight = max(1500, min(4600, int(rng.gauss(mean, spread)) // 10 * 10))
    return Birth(
        certificate=f"Y{born:%y}{maker.births:07d}", sex=sex, born=born, hospital=hospital, region=region, signed=signed,
        mother=mother, father=father, child=child, weight=weight, length=max(42, min(55, round(weight / 65))),
        weeks=rng.choices((36, 37, 38, 39, 40, 41), (4, 12, 26, 32, 20, 6))[0],
        delivery=rng.choices(("1", "2", "3"), (56, 40, 4))[0], order=order,
        mother_registered=mother_registered, father_registered=father_registered, mother_name=mother_name,
    )  # fmt: skip


def registered_births(maker: Maker, cluster: Cluster) -> None:
    """Certificates of children under three who are on a household register already."""
    for child in [p for p in cluster.people if p.mother is not None and p.age(maker.today) < 3]:
        mother = child.mother
        if mother is None or child.household is None:
            continue
        region = child.household.door.town.parent
        at = datetime.combine(child.birth, time(maker.rng.randint(0, 23), maker.rng.randint(0, 59)), SHANGHAI)
        order = 1 + sum(1 for p in cluster.people if p.mother is mother and p.birth < child.birth)
        cluster.births.append(
            certificate(
                maker,
                mother,
                child.father,
                at,
                hospital_of(maker, region),
                region,
                sex=child.sex,
                order=order,
                child=child,
            )
        )


def hospital_of(maker: Maker, region: str) -> str:
    district = maker.ground.names.get(region, maker.ground.city)
    return maker.rng.choice(
        (
            f"{maker.ground.city}妇幼保健院",
            f"{maker.ground.city}人民医院",
            f"{district}人民医院",
            f"{district}妇幼保健院",
        )
    )


def _misspelt(name: str) -> str:
    """The name as a hospital's clerk heard it: one character replaced by a common homophone, or its twin."""
    sounds = {
        "晴": "情",
        "静": "婧",
        "丽": "莉",
        "芳": "方",
        "燕": "艳",
        "颖": "影",
        "娟": "涓",
        "霞": "侠",
        "红": "虹",
        "玲": "铃",
        "敏": "闽",
    }
    for place in range(len(name) - 1, 0, -1):
        if name[place] in sounds:
            return name[:place] + sounds[name[place]] + name[place + 1 :]
    return name[:-1] + ("佳" if name[-1] != "佳" else "嘉")


def on(day: date, hour: int, minute: int) -> datetime:
    """A moment on the city's clock."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)
