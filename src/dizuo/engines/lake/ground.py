"""The invented city's ground: where people live and are born, drawn from the declared divisions."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from importlib.resources import files
from itertools import accumulate
from random import Random

from dizuo.engines.lake.errors import NoTowns
from dizuo.engines.lake.people import Door
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.blueprint.model import City, Division

_ROADS = [
    "中山路",
    "人民路",
    "解放路",
    "学前街",
    "县前街",
    "五爱路",
    "永乐路",
    "清扬路",
    "槐古路",
    "运河路",
    "梁清路",
    "蠡溪路",
    "鸿桥路",
    "湖滨路",
    "震泽路",
    "和风路",
    "长江路",
    "新光路",
    "春潮路",
    "旺庄路",
    "锡沪路",
    "东亭路",
    "华夏路",
    "团结路",
    "安国路",
    "友谊路",
    "惠澄路",
    "政和路",
    "文惠路",
    "澄江路",
    "通渡路",
    "朝阳路",
    "虹桥路",
    "环科路",
    "氿滨路",
    "陶都路",
    "荆溪路",
    "解放东路",
    "教育路",
    "健康路",
    "向阳路",
    "新民路",
    "兴源路",
    "广石路",
    "凤翔路",
    "惠河路",
    "青祁路",
    "太湖大道",
    "金城西路",
    "观山路",
]

# Places outside the city whose 6-digit code is unchanged since citizen numbers began.
ELSEWHERE: tuple[tuple[str, str], ...] = (
    ("340802", "安徽省安庆市迎江区"), ("340202", "安徽省芜湖市镜湖区"), ("320102", "江苏省南京市玄武区"),
    ("320302", "江苏省徐州市鼓楼区"), ("310101", "上海市黄浦区"), ("410102", "河南省郑州市中原区"),
    ("420102", "湖北省武汉市江岸区"), ("360102", "江西省南昌市东湖区"), ("370102", "山东省济南市历下区"),
    ("610102", "陕西省西安市新城区"), ("350102", "福建省福州市鼓楼区"), ("450102", "广西壮族自治区南宁市兴宁区"),
    ("530102", "云南省昆明市五华区"), ("520102", "贵州省贵阳市南明区"), ("230102", "黑龙江省哈尔滨市道里区"),
)  # fmt: skip


class Ground:
    """Draws dwellings and birth places. Errors: NoTowns when the city declares no town."""

    def __init__(self, city: City) -> None:
        self.city = city.name.zh
        self.districts = [d for d in city.divisions.values() if d.level == "district" and d.valid_to is None]
        self._towns: dict[str, list[Division]] = defaultdict(list)
        self._villages: dict[str, list[Division]] = defaultdict(list)
        for division in city.divisions.values():
            if division.valid_to is not None:
                continue
            if division.level == "town":
                self._towns[division.parent].append(division)
            elif division.level == "village":
                self._villages[division.parent].append(division)
        self.districts = [d for d in self.districts if self._towns[d.code]]
        if not self.districts:
            raise NoTowns(city=self.city)
        self.names = {d.code: d.name for d in self.districts}
        people = _population()
        self._weights = list(
            accumulate(people.get(d.code, 5_000.0 * len(self._towns[d.code])) for d in self.districts)
        )
        self._town_weights = {
            d.code: list(accumulate(3.0 + len(self._villages[t.code]) for t in self._towns[d.code]))
            for d in self.districts
        }
        self._was_valid = validity(city)
        self._ever = sorted(
            {d.code for d in city.geography.history if d.level == "district"} | set(self.names)
        )
        self._valid: dict[int, list[str]] = {}

    def district(self, rng: Random) -> Division:
        return rng.choices(self.districts, cum_weights=self._weights)[0]

    def town(self, rng: Random, district: Division | None = None) -> Division:
        where = district or self.district(rng)
        return rng.choices(self._towns[where.code], cum_weights=self._town_weights[where.code])[0]

    def town_named(self, name: str) -> Division:
        """The town of that name, else the first one: characters must exist in any city."""
        for towns in self._towns.values():
            for town in towns:
                if town.name == name:
                    return town
        return self._towns[self.districts[0].code][0]

    def other_town(self, rng: Random, than: Division, same_district: bool) -> Division:
        """Another town, in the same district or in another one; the same town when there is no other."""
        if same_district:
            rest = [t for t in self._towns[than.parent] if t.code != than.code]
        else:
            rest = [t for d in self.districts if d.code != than.parent for t in self._towns[d.code]]
        return rng.choice(rest) if rest else than

    def village(self, rng: Random, town: Division) -> Division | None:
        villages = self._villages[town.code]
        return rng.choice(villages) if villages else None

    def door(self, rng: Random, town: Division) -> Door:
        """A dwelling in the town: a flat, or a farmhouse where the village is a villagers' committee."""
        village = self.village(rng, town)
        district = self.names[town.parent]
        if village is not None and "村" in village.name and "社区" not in village.name and rng.random() < 0.6:
            place = village.name.removesuffix("村委会").removesuffix("村民委员会").removesuffix("村")
            lane = rng.choice(("东巷上", "西巷上", "前村", "后村", "大浜", "河西头", "桥头", "新村"))
            return Door(
                town, village, district, f"{town.name}{place}村{lane}", str(rng.randint(1, 180)), "号"
            )
        road = rng.choice(_ROADS)
        street = f"{road}{rng.randint(1, 488)}号{rng.randint(1, 40)}幢"
        return Door(town, village, district, street, f"{rng.randint(1, 18)}{rng.randint(1, 4):02d}")

    def shop(self, rng: Random, town: Division) -> str:
        district = self.names[town.parent]
        above = "" if district.endswith("市") else self.city
        return f"{above}{district}{rng.choice(_ROADS)}{rng.randint(1, 488)}-{rng.randint(1, 30)}号"

    def birth_region(self, rng: Random, birth: date, near: Division) -> tuple[str, str]:
        """(6-digit code valid at that birth, native place). One in six was born outside the city."""
        if rng.random() < 0.16:
            code, place = rng.choice(ELSEWHERE)
            return code, place
        if near.code in self._valid_in(birth) and rng.random() < 0.8:
            return near.code, f"{self.city}{near.name}"
        code = rng.choice(self._valid_in(birth))
        return code, self.city

    def _valid_in(self, birth: date) -> list[str]:
        """District codes under which a child born that year could be given a number."""
        if birth.year not in self._valid:
            days = (date(birth.year, 1, 1), date(birth.year, 12, 31))
            codes = [code for code in self._ever if all(self._was_valid(code, day) for day in days)]
            self._valid[birth.year] = codes or sorted(self.names)
        return self._valid[birth.year]


def _population() -> dict[str, float]:
    text = (files("dizuo.engines.lake") / "weights" / "district_population_2020.csv").read_text("utf-8")
    rows = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: float(row[1]) for row in list(rows)[1:]}
