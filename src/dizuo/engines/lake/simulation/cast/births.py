"""Newborns of the last weeks who are on no household register yet, in every constellation that registration must handle."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from dizuo.engines.lake.simulation.cast.families import Maker, alone, apart, couple, three_generations
from dizuo.engines.lake.simulation.cast.ground import ELSEWHERE
from dizuo.engines.lake.simulation.cast.model import Birth, Cluster, Person
from dizuo.foundation.kernel.clock_source import SHANGHAI

_DAYS = 60
# Every constellation, the usual ones more often.
DECK: tuple[str, ...] = (
    *("together",) * 8, *("three_generations",) * 3, *("apart_district",) * 4, *("apart_town",) * 2,
    *("father_elsewhere",) * 2, "mother_elsewhere", "unmarried", "unmarried", "single_mother", "twins", "name_differs",
)  # fmt: skip


def newborn(maker: Maker, kind: str) -> Cluster:
    """One cluster with a newborn of the last sixty days; `kind` is one of the names in DECK."""
    cluster = Cluster()
    age = (21.5, 40.0)
    if kind == "three_generations":
        husband, wife = three_generations(maker, cluster, age)
        _born(maker, cluster, wife, husband)
    elif kind in ("apart_district", "apart_town"):
        husband, wife = apart(maker, cluster, age, same_district=kind == "apart_town")
        _born(maker, cluster, wife, husband)
    elif kind == "father_elsewhere":
        mother = alone(maker, cluster, "2", age)
        father = _stranger(maker, "1", mother)
        maker.marry(father, mother, cluster)
        _born(maker, cluster, mother, father)
    elif kind == "mother_elsewhere":
        father = alone(maker, cluster, "1", (23, 42))
        mother = _stranger(maker, "2", father)
        maker.marry(father, mother, cluster)
        _born(maker, cluster, mother, father)
    elif kind == "unmarried":
        mother = alone(maker, cluster, "2", age)
        father = alone(maker, cluster, "1", (23, 42))
        _born(maker, cluster, mother, father)
    elif kind == "single_mother":
        _born(maker, cluster, alone(maker, cluster, "2", age), None)
    else:
        husband, wife = couple(maker, cluster, age)
        _born(maker, cluster, wife, husband, count=1 + (kind == "twins"), misspelt=kind == "name_differs")
    return cluster


def _stranger(maker: Maker, sex: str, partner: Person) -> Person:
    """A partner from another province: a number on the certificate, no record in this city's registers."""
    region, place = maker.rng.choice(ELSEWHERE)
    name = maker.namer.name(maker.rng, sex)
    birth = partner.birth + timedelta(days=maker.rng.randint(-1200, 900))
    return maker.named(name.full, name.surname, sex, birth, region, place)


def _born(
    maker: Maker,
    cluster: Cluster,
    mother: Person,
    father: Person | None,
    *,
    count: int = 1,
    misspelt: bool = False,
) -> None:
    rng = maker.rng
    start = on(
        maker.today - timedelta(days=rng.randint(2, _DAYS - 2)), rng.randint(0, 23), rng.randint(0, 59)
    )
    parent = mother if mother.household is not None or father is None else father
    town = parent.household.door.town if parent.household else maker.ground.town(rng)
    hospital = f"{rng.choice((maker.ground.city, maker.ground.names[town.parent]))}{rng.choice(('妇幼保健院', '人民医院'))}"
    for order in range(1, count + 1):
        cluster.births.append(
            certificate(
                maker, mother, father, start + timedelta(minutes=7 * (order - 1)), hospital, town.parent,
                sex=rng.choice("12"), order=order, together=count,
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
    order: int = 1,
    together: int = 1,
    mother_name: str | None = None,
) -> Birth:
    """A birth certificate (出生医学证明): number of one letter and nine digits, signed two days after birth."""
    maker.births += 1
    rng = maker.rng
    mean, spread = (2480, 320) if together > 1 else (3280, 400)
    return Birth(
        certificate=f"Y{born:%y}{maker.births:07d}", sex=sex, born=born, hospital=hospital, place=maker.ground.above(region),
        signed=min(born.date() + timedelta(days=2), maker.today), mother=mother, father=father,
        weight=max(1500, min(4600, int(rng.gauss(mean, spread)) // 10 * 10)), weeks=rng.choice((37, 38, 39, 39, 40, 40, 41)),
        delivery=rng.choices(("顺产", "剖宫产", "阴道助产"), (56, 40, 4))[0], order=order, together=together, mother_name=mother_name,
    )  # fmt: skip


def _misspelt(name: str) -> str:
    """The name as a hospital's clerk heard it: one character replaced by a common homophone, or its twin."""
    sounds = {"晴": "情", "静": "婧", "丽": "莉", "芳": "方", "燕": "艳", "颖": "影", "娟": "涓", "霞": "侠", "红": "虹",
              "玲": "铃", "敏": "闽"}  # fmt: skip
    for place in range(len(name) - 1, 0, -1):
        if name[place] in sounds:
            return name[:place] + sounds[name[place]] + name[place + 1 :]
    return name[:-1] + ("佳" if name[-1] != "佳" else "嘉")


def on(day: date, hour: int, minute: int) -> datetime:
    """A moment on the city's clock."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)
