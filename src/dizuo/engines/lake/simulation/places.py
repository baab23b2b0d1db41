"""The invented city's addresses: real towns and communities, invented roads, numbers and buildings.

An address is a row of numbers (community, road, number, building, room); how it is written depends on who writes.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from dizuo.engines.lake.errors import NoTowns
from dizuo.engines.lake.simulation.dice import Dice, Flags, Floats, Ints, spots
from dizuo.engines.lake.simulation.text import Column, column, join, listed, take, where
from dizuo.foundation.blueprint.divisions import validity
from dizuo.foundation.blueprint.model import City

_HEADS = [
    "锡梁",
    "清惠",
    "春申",
    "湖畔",
    "蠡景",
    "运河",
    "梅园",
    "芦庄",
    "新锡",
    "永丰",
    "广益",
    "长泰",
    "凤栖",
    "金桂",
    "望湖",
    "向阳",
    "兴隆",
    "文渊",
    "学士",
    "状元",
    "太和",
    "通济",
    "南塘",
    "北塘",
    "东林",
    "西漳",
    "青石",
    "柳岸",
    "杏林",
    "荷塘",
    "瑞云",
    "祥和",
    "建业",
    "勤丰",
    "友好",
    "胜利",
    "和平",
    "民丰",
    "惠新",
    "前洲",
]
_TAILS = ["路", "东路", "西路", "街", "北路", "南路", "巷", "大道"]
ROADS = column(["".join((head, tail)) for head in _HEADS for tail in _TAILS])
_ROADS_EACH = 14
_ESTATE_HEADS = [
    "锦绣",
    "阳光",
    "香樟",
    "金色",
    "翠竹",
    "银杏",
    "御景",
    "春江",
    "云湖",
    "天鹅",
    "蓝湾",
    "水岸",
    "明珠",
    "玉兰",
    "紫荆",
    "书香",
    "嘉禾",
    "康乐",
    "吉祥",
    "福满",
    "东方",
    "世纪",
    "观澜",
    "枫林",
]
_ESTATE_TAILS = ["花园", "新村", "家园", "苑", "公寓", "华庭", "名邸", "里", "小区", "湾"]
ESTATES = column(["".join((head, tail)) for head in _ESTATE_HEADS for tail in _ESTATE_TAILS])
_ESTATES_EACH = 6
_LANES = column(
    ["东巷上", "西巷上", "前村", "后村", "大浜", "河西头", "桥头", "新村", "南浜", "北庄", "祠堂头", "塘南"]
)
_NUMBERS = column([str(n) for n in range(2_000)])

FULL, CITY, COMMUNITY, ESTATE, ROAD = range(5)
"""Ways of writing: from the province down; from the city; with community and estate; estate alone; road alone."""


@dataclass(slots=True)
class Addresses:
    """Addresses of a block. Shapes: int64 arrays of one length; rows are added at the end, never changed."""

    community: Ints
    road: Ints
    number: Ints
    building: Ints
    room: Ints
    rural: Flags

    def plus(self, more: Addresses) -> Addresses:
        return Addresses(
            np.concatenate([self.community, more.community]), np.concatenate([self.road, more.road]),
            np.concatenate([self.number, more.number]), np.concatenate([self.building, more.building]),
            np.concatenate([self.room, more.room]), np.concatenate([self.rural, more.rural]),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.community)


class Places:
    """The city's districts, towns and communities as tables. Errors: NoTowns when the city declares none."""

    def __init__(self, city: City) -> None:
        districts = {
            d.code: d for d in city.divisions.values() if d.level == "district" and d.valid_to is None
        }
        towns = {d.code: d for d in city.divisions.values() if d.level == "town" and d.valid_to is None}
        villages = [
            d for d in city.divisions.values()
            if d.level == "village" and d.valid_to is None and d.parent in towns
        ]  # fmt: skip
        if not villages:
            raise NoTowns(city=city.name.zh)
        self.district_codes = sorted({towns[v.parent].parent for v in villages})
        self.town_codes = sorted({v.parent for v in villages})
        place = {code: n for n, code in enumerate(self.district_codes)}
        spot = {code: n for n, code in enumerate(self.town_codes)}
        self.town_of = np.array([spot[v.parent] for v in villages], np.int64)
        self.district_of_town = np.array([place[towns[c].parent] for c in self.town_codes], np.int64)
        self.district_of = self.district_of_town[self.town_of]
        self.weights = _weights(self.district_codes, self.district_of)
        self.is_village = np.array(["村委" in v.name or "村民委" in v.name for v in villages])
        self._province = province(city)
        self.city = city.name.zh
        names = [districts[c].name for c in self.district_codes]
        self.district_names = column(names)
        self._county_city = np.array([n.endswith("市") for n in names])
        # Park administrations of the statistics system are no part of anybody's address.
        self._town_names = column(
            [towns[c].name if towns[c].name.endswith(("街道", "镇", "乡")) else "" for c in self.town_codes]
        )
        self.town_full_names = column([towns[c].name for c in self.town_codes])
        self._communities = column([_spoken(v.name) for v in villages])
        self.district_regions = np.array([int(c) for c in self.district_codes], np.int64)
        self.births = _births(city, self.district_codes)

    def district_words(self) -> list[str]:
        """The districts' names, in the order of their places."""
        return [str(word) for word in listed(self.district_names)]

    def draw(self, rng: np.random.Generator, count: int) -> Addresses:
        """New addresses, spread over the communities by weight."""
        return self._at(rng, spots(self.weights, rng.random(count) * self.weights[-1]))

    def near(self, rng: np.random.Generator, community: Ints, near: Flags) -> Addresses:
        """Other addresses: in the same town where `near`, else anywhere."""
        anywhere = self.draw(rng, len(community)).community
        return self._at(rng, np.where(near, community, anywhere))

    def _at(self, rng: np.random.Generator, community: Ints) -> Addresses:
        count = len(community)
        town = self.town_of[community]
        road = (town * 53 + rng.integers(0, _ROADS_EACH, count) * 7) % len(ROADS)
        return Addresses(
            community, road, rng.integers(1, 489, count), rng.integers(1, 61, count),
            rng.integers(1, 19, count) * 100 + rng.integers(1, 5, count),
            self.is_village[community] & (rng.random(count) < 0.6),
        )  # fmt: skip

    def written(self, where_at: Addresses, rows: Ints, style: Ints) -> Column:
        """The addresses at `rows` in words, each in its style (FULL .. ROAD)."""
        community, rural = where_at.community[rows], where_at.rural[rows]
        town, district = self.town_of[community], self.district_of[community]
        county_city = self._county_city[district]
        parts: list[Column | str] = [
            where(style == FULL, self._province, ""),
            where((style == FULL) | ((style == CITY) & ~county_city), self.city, ""),
            where(style != ESTATE, take(self.district_names, district), ""),
            where((style != ROAD) | rural, take(self._town_names, town), ""),
        ]
        named = (style == COMMUNITY) | (style == FULL) | rural
        parts.append(where(named, take(self._communities, community), ""))
        lane = take(_LANES, where_at.road[rows] % len(_LANES))
        parts += [where(rural, lane, ""), where(rural, _number(where_at.number[rows] % 180 + 1), "")]
        parts.append(where(rural, "号", ""))
        on_road = ~rural & ((style == FULL) | (style == CITY) | (style == ROAD))
        parts += [
            where(on_road, take(ROADS, where_at.road[rows]), ""),
            where(on_road, _number(where_at.number[rows]), ""),
            where(on_road, "号", ""),
        ]
        in_estate = ~rural & (style != FULL) & (style != CITY)
        estate = (town * 11 + where_at.road[rows] % _ESTATES_EACH * 17) % len(ESTATES)
        parts += [
            where(in_estate, take(ESTATES, estate), ""),
            where(rural, "", _number(where_at.building[rows])),
            where(rural, "", take(column(["幢", "幢", "幢", "-", "号楼"]), style)),
            where(rural, "", _number(where_at.room[rows])),
            where(rural | (style == ESTATE), "", "室"),
        ]
        return join(*parts)


def _number(values: Ints) -> Column:
    return take(_NUMBERS, values)


def _spoken(name: str) -> str:
    """How people write a community: 门楼社区居委会 is 门楼社区, 高遥村村民委员会 is 高遥村."""
    for tail in ("居民委员会", "村民委员会", "居委会", "村委会"):
        name = name.removesuffix(tail)
    return name


def province(city: City) -> str:
    """The name of the city's province, as addresses begin with it; empty for one that this table does not know."""
    return {"32": "江苏省", "33": "浙江省", "34": "安徽省", "31": "上海市"}.get(city.code[:2], "")


def _weights(districts: list[str], district_of: Ints) -> Floats:
    """Cumulated weight of each community: its district's residents shared out evenly."""
    text = (files("dizuo.engines.lake") / "weights" / "district_population_2020.csv").read_text("utf-8")
    rows = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    people = {row[0]: float(row[1]) for row in list(rows)[1:]}
    counts = np.bincount(district_of, minlength=len(districts))
    each = np.array([people.get(code, 5_000.0 * counts[n]) for n, code in enumerate(districts)]) / counts
    return np.cumsum(each[district_of])


class Births:
    """The six-digit codes under which a birth could be numbered, by year and present district.

    Shapes: `start` and `size` are (years, districts) into `codes`. Source: the city's declared history of codes.
    """

    first_year = 1900

    def __init__(self, codes: Ints, start: Ints, size: Ints) -> None:
        self.codes = codes
        self.start = start
        self.size = size

    def region(self, dice: Dice, rows: Ints, years: Ints, district: Ints) -> Ints:
        year = np.clip(years - self.first_year, 0, len(self.start) - 1)
        offset = dice.below("birth-region", rows, self.size[year, district])
        return self.codes[self.start[year, district] + offset]


def _births(city: City, districts: list[str]) -> Births:
    was_valid = validity(city)
    every = sorted({d.code for d in city.geography.history if d.level == "district"} | set(districts))
    codes: list[int] = []
    years = range(Births.first_year, 2101)
    start = np.zeros((len(years), len(districts)), np.int64)
    size = np.ones_like(start)
    for y, year in enumerate(years):
        ends = (dt.date(year, 1, 1), dt.date(year, 12, 31))
        valid = [code for code in every if all(was_valid(code, day) for day in ends)] or sorted(districts)
        # Before a district's own code there were others, whose successors the city does not declare: any of them.
        gone = [code for code in valid if code not in districts] or valid
        for d, district in enumerate(districts):
            kin = [district] * 6 + valid if district in valid else gone
            start[y, d], size[y, d] = len(codes), len(kin)
            codes += [int(code) for code in kin]
    return Births(np.array(codes, np.int64), start, size)
