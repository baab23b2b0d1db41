"""The characters that invented names are written with, and which character each is mistaken for.

Every name is three places in one table of words (surname, first and second character; or name, dot, father's name),
so that an error is an index looked up in another table: homophone, look-alike, traditional form.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from dizuo.engines.lake.simulation.dice import Dice, Floats, Ints
from dizuo.engines.lake.simulation.text import Column, column

DOTS = ("·", "•", "・", "．", "‧", ".", " ", "")
"""Ways in which departments write the dot of minorities' names (U+00B7 is right)."""

# Characters outside the old GBK set: CJK extensions A, B, C, D and E as found in real people's names.
RARE_CHARACTERS = (
    "䶮", "㛃", "㳚", "䴖", "𠅤", "𠙶", "𡒄", "𣲘", "𤧛", "𤩽", "𥔲", "𦒍", "𧿹", "𨱏", "𪣻", "𪩘", "𫍯", "𫍽", "𫖯", "𫘝", "𫟼",
    "𬀩", "𬇕", "𬍛", "𬎆", "𬒈", "𬘡", "𬘯", "𬙂", "𬬭", "𬬻", "𬭎", "𬭸", "𬳽", "𬴊", "𬶮",
)  # fmt: skip

_DOT_MEN = [
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
    "艾山江",
    "买合木提",
    "热合木",
    "阿迪力江",
    "依力亚斯",
    "麦麦提明",
    "木合塔尔",
    "帕尔哈提",
    "赛尔江",
    "加尼别克",
    "叶尔肯",
    "巴哈提",
    "阿布力孜",
    "伊力哈木",
    "海拉提",
    "吾拉木",
]
_DOT_WOMEN = [
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
    "古丽巴哈尔",
    "阿孜古丽",
    "米热古丽",
    "努尔古丽",
    "阿依努尔",
    "茹鲜古丽",
    "巴哈古丽",
    "热孜万古丽",
    "麦尔耶姆",
    "古丽仙",
    "阿米娜",
    "萨依普",
]
_DOT_FATHERS = [
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
    "肉孜",
    "买提尼亚孜",
    "库尔班江",
    "尼亚孜",
    "赛买提",
    "沙吾提",
    "达吾提",
    "阿西木",
    "哈斯木",
    "托乎提",
    "木沙",
    "艾买提",
    "吐尼亚孜",
    "马木提",
    "阿吾提",
    "牙生",
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
    "索朗",
    "达瓦",
    "边巴",
    "强巴",
    "仁青",
    "曲珍",
    "益西",
    "贡嘎",
    "顿珠",
    "坚赞",
]
_LATIN_FAMILIES = [
    "SMITH",
    "MUELLER",
    "TANAKA",
    "KIM",
    "NGUYEN",
    "GARCIA",
    "ROSSI",
    "DUBOIS",
    "IVANOVA",
    "JOHNSON",
    "SCHMIDT",
    "SATO",
    "PARK",
    "TRAN",
    "SILVA",
    "KUMAR",
    "ANDERSSON",
    "BROWN",
    "WEBER",
    "SUZUKI",
    "LEE",
    "PHAM",
    "LOPEZ",
    "MARTIN",
    "PETROV",
    "TAYLOR",
    "FISCHER",
    "YAMADA",
    "CHOI",
    "SINGH",
    "OLSEN",
    "WILSON",
]
_LATIN_GIVEN = [
    "JOHN",
    "ANNA",
    "HIROSHI",
    "MINJI",
    "VAN",
    "THI",
    "CARLOS",
    "MARIA",
    "LUCA",
    "CLAIRE",
    "OLGA",
    "DAVID",
    "LUKAS",
    "YUKI",
    "JIHOON",
    "RAHUL",
    "ERIK",
    "EMMA",
    "PETER",
    "LAURA",
    "KENJI",
    "SOYEON",
    "DUC",
    "ELENA",
    "IVAN",
    "SARAH",
    "JONAS",
    "AKIKO",
    "PRIYA",
    "LARS",
    "MEGAN",
    "THOMAS",
]
# Given names that only the old have, as whole words (one table place each, second place empty).
_OLD_MEN = [
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
    "泉根",
    "仁根",
    "洪生",
    "荣根",
    "锡泉",
    "阿二",
    "坤大",
    "洪兴",
    "根兴",
    "耀良",
    "炳泉",
    "培荣",
]
_OLD_WOMEN = [
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
    "阿凤",
    "杏珍",
    "梅娣",
    "荷娣",
    "菊英",
    "凤珍",
    "银娣",
    "宝珍",
    "素芬",
    "秀芳",
    "云珍",
    "林妹",
]


_OFFERED = 24


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the table of words."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Alphabet:
    """All words, their slips, and the weights to draw them by.

    Shapes: `slips` are int64 arrays as long as `words`; a word that has no such slip points to itself. Words of
    one sound lie together in `sounding`, from `sound_start`, `sound_size` of them.
    """

    words: Column
    traditional: Ints
    similar: Ints
    sounding: Ints
    sound_start: Ints
    sound_size: Ints
    surnames: Span
    surname_weights: Floats
    given: Span
    male_weights: Floats
    female_weights: Floats
    rare: Span
    dots: Span
    dot_men: Span
    dot_women: Span
    dot_fathers: Span
    tibetan: Span
    latin_families: Span
    latin_given: Span
    old_men: Span
    old_women: Span
    unknown: int
    space: int
    empty: int = 0

    def homophone(self, dice: Dice, rows: Ints, places: Ints) -> Ints:
        """Another word of the same sound for each place; the same place where there is none."""
        size = self.sound_size[places]
        hit = self.sounding[self.sound_start[places] + dice.below("homophone", rows, size)]
        again = self.sounding[
            self.sound_start[places] + (dice.below("homophone", rows, size) + 1) % np.maximum(size, 1)
        ]
        return np.where(hit == places, again, hit)


@cache
def alphabet() -> Alphabet:
    """The table, read once a process from the package's data."""
    surnames = _table("surnames.csv")
    given = _table("given.csv")
    words: list[str] = [""]

    def span(fresh: list[str]) -> Span:
        start = len(words)
        words.extend(fresh)
        return Span(start, len(fresh))

    s = span([row[0] for row in surnames])
    g = span([row[0] for row in given])
    rare = span(list(RARE_CHARACTERS))
    dots = span(list(DOTS))
    dot_men, dot_women, dot_fathers, tibetan, families, latin, old_men, old_women = (
        span(part)
        for part in (_DOT_MEN, _DOT_WOMEN, _DOT_FATHERS, _TIBETAN, _LATIN_FAMILIES, _LATIN_GIVEN, _OLD_MEN, _OLD_WOMEN)
    )  # fmt: skip
    unknown = span(["?"]).start
    space = span([" "]).start

    surname_places = {words[place]: place for place in range(s.start, s.start + s.size)}
    given_places = {words[place]: place for place in range(g.start, g.start + g.size)}
    forms: dict[int, str] = {}
    sounds: dict[str, list[int]] = defaultdict(list)
    for base, rows, kind in ((s, surnames, "s"), (g, given, "g")):
        for offset, row in enumerate(rows):
            # Tones are forgotten: typists pick from what the input method offers for the bare syllable.
            sounds[kind + "".join(c for c in row[-2] if not c.isdigit())].append(base.start + offset)
            forms[base.start + offset] = row[-1]
    extra: dict[str, int] = {}

    def place_of(word: str) -> int:
        if word not in extra:
            extra[word] = len(words)
            words.append(word)
        return extra[word]

    forms_at = {place: place_of(form) for place, form in forms.items() if form != words[place]}
    similar_at: dict[int, int] = {}
    for written, mistaken in _table("similar.csv"):
        for table in (given_places, surname_places):
            if written in table:
                similar_at.setdefault(table[written], given_places.get(mistaken) or place_of(mistaken))
    total = len(words)
    traditional, similar = _itself(total, forms_at), _itself(total, similar_at)
    sounding: list[int] = []
    start, size = np.zeros(total, np.int64), np.ones(total, np.int64)
    for group in sounds.values():
        # Rare characters are not typed by mistake: only the commonest of a sound are offered.
        start[group], size[group] = len(sounding), min(len(group), _OFFERED)
        sounding.extend(group[:_OFFERED])
    alone = np.setdiff1d(np.arange(total), np.array([p for group in sounds.values() for p in group]))
    start[alone] = len(sounding) + np.arange(len(alone))
    sounding.extend(int(place) for place in alone)
    return Alphabet(
        column(words), traditional, similar, np.array(sounding, np.int64), start, size,
        s, np.cumsum([float(row[1]) for row in surnames]),
        g, np.cumsum([float(row[1]) for row in given]), np.cumsum([float(row[2]) for row in given]),
        rare, dots, dot_men, dot_women, dot_fathers, tibetan, families, latin, old_men, old_women, unknown, space,
    )  # fmt: skip


def _itself(total: int, changed: dict[int, int]) -> Ints:
    """Every place itself, but for the changed ones."""
    places = np.arange(total, dtype=np.int64)
    places[list(changed)] = list(changed.values())
    return places


def _table(name: str) -> list[list[str]]:
    text = (files("dizuo.engines.lake.simulation") / "data" / name).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]
