"""The named demo characters (演示人物): they exist in every simulated city, whatever its size.

Their stories are those that the pages are judged by: a father's register with two spellings of one door, a single
mother, twins, a father from another province, a restaurant, an elderly woman, a name with a dot, a rare character.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from dizuo.engines.lake.births import certificate, on
from dizuo.engines.lake.business import enterprise
from dizuo.engines.lake.families import (
    DAUGHTER_IN_LAW,
    SON,
    WIFE,
    Maker,
)
from dizuo.engines.lake.numbering import SERIALS, citizen_number, fifteen_digits
from dizuo.engines.lake.people import Cluster, Door, Household, Person


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Someone offered by the demonstration sign-in: who they are, in a phrase, and whom they may act for."""

    key: str
    citizen_id: str
    name: str
    note_zh: str
    note_en: str
    acts_for: str | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    clusters: tuple[Cluster, ...]
    people: tuple[DemoPerson, ...]


class _Stage:
    """Makes fixed persons at fixed doors."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def number(self, region: str, sequence: int, born: date, check: str | None = None) -> tuple[str, date]:
        """A fixed number; with `check` given, the nearest earlier birthday whose number ends so."""
        while True:
            number = citizen_number(region, born, sequence)
            if check is None or number[-1] == check:
                self.maker.numberer.reserve(number)
                return number, born
            born -= timedelta(days=1)

    def person(
        self,
        surname: str,
        given: str,
        region: str,
        sequence: int,
        age: float,
        *,
        check: str | None = None,
        dot: bool = False,
        ethnic: str = "01",
    ) -> Person:
        born = self.maker.today - timedelta(days=int(age * 365.25) + 40)
        number, born = self.number(region, sequence, born, check)
        sex = "1" if sequence % 2 else "2"
        person = Person(
            number=number, name=f"{given}·{surname}" if dot else surname + given, surname="" if dot else surname, given=given,
            sex=sex, birth=born, ethnic=ethnic, birth_region=region, native_place=self.maker.ground.city,
            phone=f"1990000{sequence:04d}", education="20",
        )  # fmt: skip
        if born < date(1999, 10, 1):
            person.former_number = fifteen_digits(number)
        return person

    def door(self, town_name: str, street: str, door: str) -> Door:
        town = self.maker.ground.town_named(town_name)
        village = self.maker.ground.village(self.maker.rng, town)
        return Door(town, village, self.maker.ground.names[town.parent], street, door)

    def work(self, person: Person, occupation: str) -> Person:
        person.occupation = occupation
        self.maker.employ(person, int(person.number[14:17]))
        return person

    def house(self, cluster: Cluster, head: Person, door: Door, since: date) -> Household:
        house = self.maker.household(head, door, since)
        cluster.households.append(house)
        cluster.people.append(head)
        return house


def cast(maker: Maker) -> Cast:
    """All characters; dates are relative to the simulation's day."""
    stage = _Stage(maker)
    scenes = (
        _lin_and_wang,
        _single_mother,
        _twins,
        _father_from_anhui,
        _restaurant,
        _elder,
        _dotted_name,
        _rare_character,
    )
    clusters: list[Cluster] = []
    people: list[DemoPerson] = []
    for scene in scenes:
        cluster, offered = scene(stage)
        clusters.append(cluster)
        people += offered
    return Cast(tuple(clusters), tuple(people))


def _lin_and_wang(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    head = stage.person("王", "建国", "320202", 315, 61)
    head.occupation = "退休"
    grandmother = stage.person("陈", "秀英", "320203", 228, 59)
    father = stage.work(stage.person("王", "启明", "320203", 441, 32, check="1"), "工程师")
    mother = stage.work(stage.person("林", "晓晴", "320211", 102, 30, check="6"), "教师")
    mother.settled_cost = 2140
    house = stage.house(cluster, head, stage.door("崇安寺街道", "中山路158号3幢", "402"), date(2019, 4, 12))
    house.add(grandmother, WIFE)
    house.add(father, SON)
    father.father, father.mother = head, grandmother
    hers = stage.house(cluster, mother, stage.door("蠡湖街道", "金城西路66号12幢", "1103"), date(2021, 6, 8))
    mother.lives_at = house.door
    cluster.people += [grandmother, father]
    maker.marry(head, grandmother, cluster, on=date(1989, 10, 1))
    maker.marry(father, mother, cluster, on=date(2024, 5, 20))
    home = maker.own(cluster, house, head, other=father, wrong=True)
    cluster.homes[-1] = type(home)(
        home.certificate, home.unit, home.owner, home.co_owner, home.door, "420", 96, date(2018, 11, 3)
    )
    maker.own(cluster, hers, mother, wrong=False)
    born = on(maker.today - timedelta(days=7), 8, 42)
    hospital = f"{maker.ground.city}妇幼保健院"
    region = house.door.town.parent
    cluster.births.append(certificate(maker, mother, father, born, hospital, region, sex="2", order=1))
    return cluster, [
        DemoPerson("lin", mother.number, mother.name, "刚生了女儿，和爸爸户口不在一个区", "New mother; the parents' household registers are in two districts"),
        DemoPerson("wang", father.number, father.name, "新手爸爸，要确认共同同意", "New father, asked for his consent"),
        DemoPerson("wang_head", head.number, head.name, "户主，孩子的爷爷", "Head of the household, the grandfather"),
    ]  # fmt: skip


def _single_mother(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    mother = stage.work(stage.person("许", "曼", "320211", 326, 33), "设计师")
    house = stage.house(cluster, mother, stage.door("旺庄街道", "长江路88号5幢", "601"), date(2020, 3, 16))
    maker.own(cluster, house, mother, wrong=False)
    born = on(maker.today - timedelta(days=12), 15, 7)
    cluster.births.append(
        certificate(
            maker,
            mother,
            None,
            born,
            f"{maker.ground.city}人民医院",
            house.door.town.parent,
            sex="1",
            order=1,
        )
    )
    return cluster, [
        DemoPerson(
            "single",
            mother.number,
            mother.name,
            "单亲妈妈，出生证上只有她",
            "Single mother, the only parent on the certificate",
        )
    ]


def _twins(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    father = stage.work(stage.person("顾", "一鸣", "320281", 517, 31), "质检员")
    mother = stage.person("陆", "思琪", "320281", 404, 29)
    house = stage.house(cluster, father, stage.door("澄江街道", "通渡路210号8幢", "902"), date(2022, 9, 5))
    house.add(mother, WIFE)
    cluster.people.append(mother)
    maker.marry(father, mother, cluster, on=date(2022, 8, 4))
    maker.own(cluster, house, father, other=mother, wrong=False)
    born = on(maker.today - timedelta(days=9), 6, 15)
    for order, sex in ((1, "1"), (2, "2")):
        at = born + timedelta(minutes=6 * (order - 1))
        cluster.births.append(
            certificate(
                maker,
                mother,
                father,
                at,
                "江阴市人民医院",
                house.door.town.parent,
                sex=sex,
                order=order,
                twins=True,
            )
        )
    return cluster, [DemoPerson("twins", mother.number, mother.name, "双胞胎的妈妈", "Mother of twins")]


def _father_from_anhui(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    mother = stage.work(stage.person("周", "婷婷", "320205", 248, 24), "护士")
    house = stage.house(cluster, mother, stage.door("东亭街道", "华夏路51号2幢", "305"), date(2023, 2, 20))
    father = stage.person("程", "亮", "340802", 633, 28)
    maker.marry(father, mother, cluster, on=date(2025, 1, 8))
    born = on(maker.today - timedelta(days=15), 22, 31)
    cluster.births.append(
        certificate(
            maker,
            mother,
            father,
            born,
            f"{maker.ground.city}妇幼保健院",
            house.door.town.parent,
            sex="1",
            order=1,
            father_registered=False,
        )
    )
    return cluster, [
        DemoPerson(
            "anhui",
            mother.number,
            mother.name,
            "孩子爸爸的户口在安徽",
            "The father's household register is in Anhui",
        )
    ]


def _restaurant(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    owner = stage.person("周", "立新", "320204", 559, 41)
    owner.occupation = "个体经营"
    house = stage.house(cluster, owner, stage.door("惠山街道", "惠河路120号6幢", "203"), date(2016, 5, 9))
    maker.own(cluster, house, owner, wrong=False)
    shop = enterprise(
        maker, owner, SERIALS - 1, trade=0, name=f"{maker.ground.city}梁味坊餐饮有限公司（演示）", days=24
    )
    # The place must hold its seats: a hall above the fire inspection's threshold, in the owner's own town.
    shop = type(shop)(
        shop.code, shop.name, shop.kind, owner, house.door.town, f"{maker.ground.city}{house.door.district_name}惠山街道惠河路86-2号",
        500_000, shop.industry, shop.industry_name, shop.scope, shop.founded, 320, 12, "存续",
    )  # fmt: skip
    cluster.enterprises.append(shop)
    return cluster, [
        DemoPerson(
            "restaurant",
            owner.number,
            owner.name,
            "要开一家餐饮店的法定代表人",
            "Legal representative about to open a restaurant",
            shop.code,
        )
    ]


def _elder(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    elder = stage.person("赵", "玉珍", "320203", 142, 76)
    elder.occupation, elder.marital, elder.education = "退休", "30", "70"
    house = stage.house(cluster, elder, stage.door("金匮街道", "永乐路33号17幢", "102"), date(1996, 7, 1))
    maker.own(cluster, house, elder, wrong=False)
    return cluster, [
        DemoPerson("elder", elder.number, elder.name, "76 岁，用长辈版", "Aged 76, uses the elder view")
    ]


def _dotted_name(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    father = stage.work(stage.person("韩", "磊", "320211", 779, 34), "电工")
    mother = stage.person("吐尔逊", "阿依古丽", "320211", 862, 31, dot=True, ethnic="05")
    house = stage.house(cluster, father, stage.door("荣巷街道", "梁溪路301号9幢", "504"), date(2018, 10, 22))
    house.add(mother, WIFE)
    cluster.people.append(mother)
    maker.marry(father, mother, cluster, on=date(2021, 9, 17))
    born = on(maker.today - timedelta(days=20), 11, 3)
    cluster.births.append(
        certificate(
            maker,
            mother,
            father,
            born,
            f"{maker.ground.city}人民医院",
            house.door.town.parent,
            sex="2",
            order=1,
        )
    )
    return cluster, [
        DemoPerson("dotted", mother.number, mother.name, "姓名里有间隔号", "A name with a middle dot")
    ]


def _rare_character(stage: _Stage) -> tuple[Cluster, list[DemoPerson]]:
    maker, cluster = stage.maker, Cluster()
    head = stage.person("沈", "永康", "320223", 731, 60)
    head.occupation = "退休"
    father = stage.work(stage.person("沈", "𬭎", "320282", 913, 30), "程序员")
    mother = stage.work(stage.person("许", "静怡", "320282", 936, 28), "会计")
    house = stage.house(cluster, head, stage.door("宜城街道", "荆溪路18号4幢", "702"), date(2005, 12, 1))
    house.add(father, SON)
    house.add(mother, DAUGHTER_IN_LAW)
    father.father = head
    cluster.people += [father, mother]
    maker.marry(father, mother, cluster, on=date(2024, 10, 10))
    head.marital = "30"
    maker.own(cluster, house, head, wrong=False)
    born = on(maker.today - timedelta(days=5), 19, 26)
    cluster.births.append(
        certificate(maker, mother, father, born, "宜兴市人民医院", house.door.town.parent, sex="1", order=1)
    )
    return cluster, [
        DemoPerson("rare", father.number, father.name, "姓名里有生僻字", "A name with a rare character")
    ]
