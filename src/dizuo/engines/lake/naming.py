"""Invented Chinese names: weighted surnames, given names by sex, minorities' names and rare characters.

The frequency files and their licences are in `names/` beside this module.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate
from random import Random

# GB/T 3304-1991 codes with a rough share of a lower-Yangtze city's population, in parts per 50,000.
ETHNIC_SHARES: dict[str, int] = {
    "02": 60, "03": 80, "04": 15, "05": 12, "06": 160, "07": 60, "08": 80, "09": 40, "10": 25, "11": 70,
    "12": 30, "13": 25, "14": 25, "15": 90, "16": 12, "17": 8, "18": 12, "19": 8, "20": 3, "21": 3,
    "22": 6, "23": 5, "24": 4, "25": 3, "26": 5, "27": 4, "28": 3, "29": 2, "30": 3, "31": 3,
    "32": 5, "33": 4, "34": 2, "35": 2, "36": 3, "37": 6, "38": 2, "39": 2, "40": 2, "41": 2,
    "42": 2, "43": 2, "44": 2, "45": 2, "46": 2, "47": 2, "48": 2, "49": 2, "50": 2, "51": 2,
    "52": 2, "53": 2, "54": 2, "55": 2, "56": 2,
}  # fmt: skip
# Peoples whose registered names commonly join two parts with U+00B7.
_DOTTED = frozenset({"02", "05", "17", "29", "41", "43", "44", "50"})
_DOT_MALE = [
    "艾力",
    "买买提",
    "阿不都热合曼",
    "吐尔逊",
    "哈那提",
    "叶尔江",
    "巴特尔",
    "苏赫",
    "阿里木江",
    "努尔兰",
    "库尔班",
    "玉素甫",
]
_DOT_FEMALE = [
    "古丽娜尔",
    "阿依古丽",
    "热依汗",
    "萨仁",
    "托娅",
    "迪丽努尔",
    "玛依拉",
    "阿勒腾",
    "帕提古丽",
    "娜仁",
    "早热古丽",
    "阿曼古丽",
]
_DOT_FATHER = [
    "阿不都拉",
    "热合曼",
    "依明江",
    "吾买尔",
    "白音",
    "别克",
    "卡德尔",
    "朝鲁",
    "司马义",
    "托合提",
    "伊布拉音",
    "哈孜",
]
_TIBETAN = [
    "扎西",
    "多吉",
    "次仁",
    "旺堆",
    "平措",
    "丹增",
    "洛桑",
    "格桑",
    "央金",
    "卓玛",
    "拉姆",
    "德吉",
    "白玛",
    "尼玛",
]

# Characters outside the old GBK set: CJK extensions A, B, C, D and E as found in real people's names.
RARE_CHARACTERS = (
    "䶮", "㛃", "㳚", "䴖", "𠅤", "𠙶", "𡒄", "𣲘", "𤧛", "𤩽", "𥔲", "𦒍", "𧿹", "𨱏", "𪣻", "𪩘", "𫍯", "𫍽", "𫖯", "𫘝", "𫟼",
    "𬀩", "𬇕", "𬍛", "𬎆", "𬒈", "𬘡", "𬘯", "𬙂", "𬬭", "𬬻", "𬭎", "𬭸", "𬳽", "𬴊", "𬶮",
)  # fmt: skip
_OLDER_MALE = [
    "建国",
    "国强",
    "建华",
    "志明",
    "永康",
    "福根",
    "阿大",
    "金根",
    "林根",
    "兴泉",
    "伯泉",
    "锡明",
    "卫国",
    "解放",
    "援朝",
    "国平",
    "建平",
    "志强",
]
_OLDER_FEMALE = [
    "秀英",
    "桂英",
    "玉兰",
    "凤英",
    "秀珍",
    "阿珍",
    "惠芬",
    "金娣",
    "招娣",
    "素珍",
    "月琴",
    "玉珍",
    "建英",
    "美娟",
    "惠珍",
    "根娣",
    "秀娟",
    "雪芳",
]


@dataclass(frozen=True, slots=True)
class Name:
    """A full name with its two parts; `surname` is empty for peoples who have none."""

    full: str
    surname: str
    given: str


class Namer:
    """Draws names; the same random generator gives the same names."""

    def __init__(self) -> None:
        self._surnames, self._surname_weights = _weighted("surnames.csv", (1,))
        self._male, self._male_weights = _weighted("given_characters.csv", (1,), least=40)
        self._female, self._female_weights = _weighted("given_characters.csv", (2,), least=40)
        self._ethnic = list(ETHNIC_SHARES)
        self._ethnic_weights = list(accumulate(ETHNIC_SHARES.values()))

    def ethnic(self, rng: Random) -> str:
        """A GB/T 3304 code, `01` (汉族) in nearly all cases."""
        if rng.random() * 50_000 >= self._ethnic_weights[-1]:
            return "01"
        return rng.choices(self._ethnic, cum_weights=self._ethnic_weights)[0]

    def surname(self, rng: Random) -> str:
        return rng.choices(self._surnames, cum_weights=self._surname_weights)[0]

    def name(self, rng: Random, sex: str, ethnic: str, born: int, surname: str | None = None) -> Name:
        """A name for someone of `sex` ("1" male, "2" female) born in year `born`; `surname` fixes a family's."""
        if ethnic in _DOTTED and surname is None:
            first = rng.choice(_DOT_MALE if sex == "1" else _DOT_FEMALE)
            return Name(f"{first}·{rng.choice(_DOT_FATHER)}", "", first)
        if ethnic == "04" and surname is None:
            full = "".join(rng.sample(_TIBETAN, 2))
            return Name(full, "", full)
        family = surname or self.surname(rng)
        given = self._given(rng, sex, born)
        return Name(family + given, family, given)

    def _given(self, rng: Random, sex: str, born: int) -> str:
        if born < 1968 and rng.random() < 0.35:
            return rng.choice(_OLDER_MALE if sex == "1" else _OLDER_FEMALE)
        characters = self._male if sex == "1" else self._female
        weights = self._male_weights if sex == "1" else self._female_weights
        first = rng.choices(characters, cum_weights=weights)[0]
        if rng.random() < 0.0015:
            first = rng.choice(RARE_CHARACTERS)
        if rng.random() < (0.3 if 1965 < born < 2000 else 0.12):
            return first
        second = rng.choices(characters, cum_weights=weights)[0]
        return first + (second if second != first or rng.random() < 0.2 else rng.choice("怡宁轩文"))


def _weighted(file: str, columns: tuple[int, ...], least: float = 0) -> tuple[list[str], list[float]]:
    text = (files("dizuo.engines.lake") / "names" / file).read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    words: list[str] = []
    weights: list[float] = []
    for row in rows:
        weight = sum(float(row[column]) for column in columns)
        if weight > least:
            words.append(row[0])
            weights.append(weight)
    return words, list(accumulate(weights))
