"""The named characters (演示人物): they exist in every simulated city, whatever its size.

Their stories are those that the pages are judged by: a father's register with two spellings of one door, a single
mother, twins, a father from another province, a restaurant, an elderly woman, a name with a dot, a rare character.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from dizuo.engines.lake.demonstration import DemoPerson
from dizuo.engines.lake.simulation.cast.births import certificate, on
from dizuo.engines.lake.simulation.cast.families import (
    DAUGHTER_IN_LAW,
    FIRST_SERIAL,
    SON,
    SPOUSE,
    Maker,
    swapped,
)
from dizuo.engines.lake.simulation.cast.model import Cluster, Door, Enterprise, Household, Person
from dizuo.engines.lake.simulation.cast.numbering import unified_code


@dataclass(frozen=True, slots=True)
class Scene:
    """Some people who belong together, and those of them whom sign-in offers."""

    cluster: Cluster
    people: tuple[DemoPerson, ...]


class _Stage:
    """Makes fixed persons at fixed doors."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def person(
        self, surname: str, given: str, region: str, sex: str, age: float, *, dot: bool = False, ethnic: str = "01"
    ) -> Person:  # fmt: skip
        maker = self.maker
        born = maker.today - timedelta(days=int(age * 365.25) + 20 + maker.people * 37 % 300)
        native = maker.ground.city if region.startswith("3202") else "安徽省安庆市迎江区"
        name = f"{given}·{surname}" if dot else surname + given
        return maker.named(name, "" if dot else surname, sex, born, region, native, ethnic)

    def door(self, town_name: str, street: str, door: str) -> Door:
        return self.maker.ground.at(self.maker.ground.town_named(town_name), street, door)

    def work(self, person: Person, employer: int) -> Person:
        self.maker.employ(person, employer)
        return person

    def house(self, cluster: Cluster, head: Person, door: Door, since: date) -> Household:
        house = self.maker.household(head, door, since)
        cluster.households.append(house)
        cluster.people.append(head)
        return house


def scenes(maker: Maker) -> tuple[Scene, ...]:
    """All characters; dates are relative to the simulation's day."""
    stage = _Stage(maker)
    return (
        _lin_and_wang(stage),
        _single_mother(stage),
        _twins(stage),
        _father_from_anhui(stage),
        _restaurant(stage),
        _elder(stage),
        _dotted_name(stage),
        _rare_character(stage),
    )


def _lin_and_wang(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    head = stage.person("王", "建国", "320202", "1", 61)
    grandmother = stage.person("陈", "秀英", "320203", "2", 59)
    father = stage.work(stage.person("王", "启明", "320203", "1", 32), 441)
    mother = stage.work(stage.person("林", "晓晴", "320211", "2", 30), 102)
    mother.settled_cost = 2140
    house = stage.house(cluster, head, stage.door("崇安寺街道", "中山路158号3幢", "402"), date(2019, 4, 12))
    house.add(grandmother, SPOUSE)
    house.add(father, SON)
    father.father, father.mother = head, grandmother
    hers = stage.house(cluster, mother, stage.door("蠡湖街道", "金城西路66号12幢", "1103"), date(2021, 6, 8))
    mother.lives_at = house.door
    cluster.people += [grandmother, father]
    maker.marry(head, grandmother, cluster, on=date(1989, 10, 1))
    maker.marry(father, mother, cluster, on=date(2024, 5, 20))
    maker.own(cluster, house, head, other=father, door=swapped("402"), area=96, on=date(2018, 11, 3))
    maker.own(cluster, hers, mother)
    born = on(maker.today - timedelta(days=7), 8, 42)
    hospital = f"{maker.ground.city}妇幼保健院"
    region = house.door.town.parent
    cluster.births.append(certificate(maker, mother, father, born, hospital, region, sex="2"))
    return Scene(cluster, (
        DemoPerson("lin", mother.number, mother.name, "刚生了女儿，和爸爸户口不在一个区", "New mother; the parents' household registers are in two districts"),
        DemoPerson("wang", father.number, father.name, "新手爸爸，要确认共同同意", "New father, asked for his consent"),
        DemoPerson("wang_head", head.number, head.name, "户主，孩子的爷爷", "Head of the household, the grandfather"),
    ))  # fmt: skip


def _single_mother(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    mother = stage.work(stage.person("许", "曼", "320211", "2", 33), 326)
    mother.settled_cost = 3140
    house = stage.house(cluster, mother, stage.door("旺庄街道", "长江路88号5幢", "601"), date(2020, 3, 16))
    maker.own(cluster, house, mother)
    born, hospital = on(maker.today - timedelta(days=12), 15, 7), f"{maker.ground.city}人民医院"
    cluster.births.append(certificate(maker, mother, None, born, hospital, house.door.town.parent, sex="1"))
    offered = DemoPerson(
        "single", mother.number, mother.name, "单亲妈妈，出生证上只有她", "Single mother, the only parent on the certificate"
    )  # fmt: skip
    return Scene(cluster, (offered,))


def _twins(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    father = stage.work(stage.person("顾", "一鸣", "320281", "1", 31), 517)
    mother = stage.person("陆", "思琪", "320281", "2", 29)
    house = stage.house(cluster, father, stage.door("澄江街道", "通渡路210号8幢", "902"), date(2022, 9, 5))
    house.add(mother, SPOUSE)
    cluster.people.append(mother)
    maker.marry(father, mother, cluster, on=date(2022, 8, 4))
    maker.own(cluster, house, father, other=mother)
    born = on(maker.today - timedelta(days=9), 6, 15)
    for order, sex in ((1, "1"), (2, "2")):
        at = born + timedelta(minutes=6 * (order - 1))
        region = house.door.town.parent
        cluster.births.append(
            certificate(maker, mother, father, at, "江阴市人民医院", region, sex=sex, order=order, together=2)
        )
    return Scene(
        cluster, (DemoPerson("twins", mother.number, mother.name, "双胞胎的妈妈", "Mother of twins"),)
    )


def _father_from_anhui(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    mother = stage.work(stage.person("周", "婷婷", "320205", "2", 24), 248)
    house = stage.house(cluster, mother, stage.door("东亭街道", "华夏路51号2幢", "305"), date(2023, 2, 20))
    father = stage.person("程", "亮", "340802", "1", 28)
    maker.marry(father, mother, cluster, on=date(2025, 1, 8))
    born, hospital = on(maker.today - timedelta(days=15), 22, 31), f"{maker.ground.city}妇幼保健院"
    cluster.births.append(certificate(maker, mother, father, born, hospital, house.door.town.parent, sex="1"))
    offered = DemoPerson(
        "anhui",
        mother.number,
        mother.name,
        "孩子爸爸的户口在安徽",
        "The father's household register is in Anhui",
    )
    return Scene(cluster, (offered,))


def _restaurant(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    owner = stage.person("周", "立新", "320204", "1", 41)
    house = stage.house(cluster, owner, stage.door("惠山街道", "惠河路120号6幢", "203"), date(2016, 5, 9))
    maker.own(cluster, house, owner)
    town = house.door.town
    # The place must hold its seats: a hall above the fire inspection's threshold, in the owner's own town.
    shop = Enterprise(
        code=unified_code(91, town.parent, FIRST_SERIAL - 1), name=f"{maker.ground.city}梁味坊餐饮有限公司（演示）", legal=owner,
        address=f"{house.door.above}{town.name}惠河路86-2号", authority=f"{maker.ground.names[town.parent]}市场监督管理局",
        capital=50, industry="6210", scope="餐饮服务（正餐）", founded=maker.today - timedelta(days=24), staff=12,
    )  # fmt: skip
    cluster.enterprises.append(shop)
    offered = DemoPerson(
        "restaurant", owner.number, owner.name, "要开一家餐饮店的法定代表人", "Legal representative about to open a restaurant", shop.code
    )  # fmt: skip
    return Scene(cluster, (offered,))


def _elder(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    elder = stage.person("赵", "玉珍", "320203", "2", 76)
    house = stage.house(cluster, elder, stage.door("金匮街道", "永乐路33号17幢", "102"), date(1996, 7, 1))
    maker.own(cluster, house, elder)
    offered = DemoPerson("elder", elder.number, elder.name, "76 岁，用长辈版", "Aged 76, uses the elder view")
    return Scene(cluster, (offered,))


def _dotted_name(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    father = stage.work(stage.person("韩", "磊", "320211", "1", 34), 779)
    mother = stage.person("吐尔逊", "阿依古丽", "320211", "2", 31, dot=True, ethnic="05")
    house = stage.house(cluster, father, stage.door("荣巷街道", "梁溪路301号9幢", "504"), date(2018, 10, 22))
    house.add(mother, SPOUSE)
    cluster.people.append(mother)
    maker.marry(father, mother, cluster, on=date(2021, 9, 17))
    born, hospital = on(maker.today - timedelta(days=20), 11, 3), f"{maker.ground.city}人民医院"
    cluster.births.append(certificate(maker, mother, father, born, hospital, house.door.town.parent, sex="2"))
    offered = DemoPerson("dotted", mother.number, mother.name, "姓名里有间隔号", "A name with a middle dot")
    return Scene(cluster, (offered,))


def _rare_character(stage: _Stage) -> Scene:
    maker, cluster = stage.maker, Cluster()
    head = stage.person("沈", "永康", "320223", "1", 60)
    father = stage.work(stage.person("沈", "𬭎", "320282", "1", 30), 913)
    mother = stage.work(stage.person("许", "静怡", "320282", "2", 28), 936)
    house = stage.house(cluster, head, stage.door("宜城街道", "荆溪路18号4幢", "702"), date(2005, 12, 1))
    house.add(father, SON)
    house.add(mother, DAUGHTER_IN_LAW)
    father.father = head
    cluster.people += [father, mother]
    maker.marry(father, mother, cluster, on=date(2024, 10, 10))
    maker.own(cluster, house, head)
    born = on(maker.today - timedelta(days=5), 19, 26)
    cluster.births.append(
        certificate(maker, mother, father, born, "宜兴市人民医院", house.door.town.parent, sex="1")
    )
    offered = DemoPerson("rare", father.number, father.name, "姓名里有生僻字", "A name with a rare character")
    return Scene(cluster, (offered,))
