"""How names sound and look: readings from pypinyin, and characters that eyes and scanners take for one another.

A name has one reading here: the common one of each character, the surname's own for the first (单 shàn, 解 xiè). Two names that
sound alike are then a comparison of two short texts, and a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from pypinyin import Style, pinyin
from pypinyin.contrib.tone_convert import to_normal
from pypinyin.pinyin_dict import pinyin_dict

# Readings that a character has as a surname only; two characters first.
_SURNAMES: Final = {
    "单": "shan", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "任": "ren", "盖": "ge", "曾": "zeng", "朴": "piao",
    "秘": "bi", "员": "yun", "洗": "xian", "冼": "xian", "尹": "yin", "繁": "po", "召": "shao", "缪": "miao", "宁": "ning",
    "燕": "yan", "种": "chong", "折": "she", "黑": "he", "教": "jiao", "晟": "cheng", "乐": "yue", "覃": "qin", "翟": "zhai",
    "尉迟": "yu chi", "万俟": "mo qi", "长孙": "zhang sun", "澹台": "tan tai", "令狐": "ling hu", "单于": "chan yu",
}  # fmt: skip

# Sets of characters that are taken for one another when copied by hand, typed by shape or scanned. Written for this purpose;
# the first of a set stands for all.
_ALIKE: Final = (
    "未末", "土士", "己已巳", "戊戌戍", "日曰", "人入八", "申由甲", "晴睛", "杨扬", "昊吴", "泠冷", "宇字", "候侯", "昱显", "天夫",
    "王玉主", "莱菜", "炎焱", "千干于", "田由", "大太犬", "木本", "刀力", "云去", "白自", "目且", "月用", "毛手", "午牛", "今令",
    "丹舟", "开井", "元无", "兰三", "宜宣", "宏宠", "安女", "享亨", "亭享", "京凉", "佳住", "住往", "伟纬", "仁仕",
    "代伐", "伶怜", "俊峻骏竣", "倩情", "傅博", "博搏", "凯剀", "凤风", "刚钢", "利和", "列烈", "勤勒", "华毕", "卓阜", "卿聊",
    "友发", "哲誓", "喜嘉", "国图", "坚竖", "培陪", "墨黑", "奕弈", "妍研", "娟捐", "婷停", "嫒媛", "媛缓", "子孑", "孟盂", "宾滨",
    "密蜜", "尧饶", "岚风", "岩岸", "崇祟", "帅师", "席度", "庆厌", "廷延", "弘泓", "彬杉", "彤丹", "徐除", "忠患", "思恩", "恺凯",
    "悦说", "惠慧", "慕暮", "戴载", "拓柘", "振震", "敏繁", "斌赋", "新薪", "旭旮", "旺汪", "昌冒", "明朋", "春舂", "晓哓", "晨辰",
    "暖缓", "曼蔓", "朱未", "李季", "杰术", "林淋", "枫飒", "柏伯", "栋拣", "桂佳", "梁粱", "梅海", "楠南", "欣歆", "欢劝", "永水",
    "沈沉", "沙纱", "波披", "洁结", "洋详", "洪供", "浩皓", "涛焘", "淑椒", "清请", "渊洲", "澄橙", "灵炅", "炜伟", "焕唤", "爽奭",
    "玥钥", "玲铃", "珊姗", "珍诊", "琦倚", "琳淋", "瑜渝", "瑞端", "璐路", "瑶谣", "皓浩", "盈盁", "睿濬", "矜玲", "祥详", "祎袆",
    "福副", "科料", "立位", "竞竟", "筠均", "红江", "纯沌", "绍给", "维唯", "绮倚", "美羡", "翠卒", "聪总", "胡湖",
    "芬分", "芳方", "芷芝", "苏办", "英央", "茜西", "荣萦", "莉利", "莹萤", "菁青", "萍苹", "蒋将", "蓉容", "蔡察", "薇微", "虹红",
    "衡衍", "诗待", "诚城", "谭潭", "豪毫", "贝见", "超起", "轩杆", "辉挥", "达送", "远还", "邓邬", "邹郜", "郑郊",
    "郝赫", "钰珏", "铭名", "锋峰", "锦绵", "镇填", "闫阎", "闻间", "阳阴", "陈阵", "陶淘", "雅稚", "雨两",
    "雪霄", "雯文", "霖林", "静净", "韦书", "韵韻", "顾颐", "颖颍", "飞气", "馨磬", "马乌", "骁晓", "鹏朋", "鸿鸟", "鹤鸣",
)  # fmt: skip


def _classes() -> dict[int, str]:
    """Character → the character that stands for its set; a character stays in the first set that names it."""
    found: dict[str, str] = {}
    for group in _ALIKE:
        head = next((found[c] for c in group if c in found), group[0])
        for character in group:
            found.setdefault(character, head)
    return {ord(character): head for character, head in found.items() if character != head}


_SHAPES: Final = _classes()


@lru_cache(maxsize=65_536)
def _syllable(character: str) -> str:
    readings = pinyin_dict.get(ord(character))
    if readings:
        return to_normal(readings.split(",")[0])
    found = pinyin(character, style=Style.NORMAL, errors="default")
    return found[0][0] if found else character


def reading(name: str) -> str:
    """The reading of a name, syllables without tones joined by spaces; what is no Chinese character stays as it is."""
    surname = _SURNAMES.get(name[:2]) if len(name) > 2 else None
    if surname is not None:
        return " ".join((surname, *map(_syllable, name[2:])))
    if name[:1] in _SURNAMES:
        return " ".join((_SURNAMES[name[0]], *map(_syllable, name[1:])))
    return " ".join(map(_syllable, name))


def blurred(sound: str) -> str:
    """A reading as a Jiangnan ear hears it: z and zh, s and sh, c and ch, n and l, -n and -ng are one."""
    parts: list[str] = []
    for syllable in sound.split(" "):
        part = syllable
        if part[1:2] == "h" and part[:1] in "zcs":
            part = part[:1] + part[2:]
        if part.startswith("n"):
            part = "l" + part[1:]
        if part.endswith("ng") and len(part) > 3:
            part = part[:-1]
        parts.append(part)
    return " ".join(parts)


def outline(name: str) -> str:
    """The name with each character replaced by the one that stands for all that look like it."""
    return name.translate(_SHAPES)


def sounded(lines: str) -> tuple[str, str, str]:
    """Readings, blurred readings and outlines of names that stand one on a line, line by line; each reading begins with a blank.

    All names at once: a character is looked up in a table instead of called for, which matters for millions.
    """
    marked = _LEADING.sub(lambda found: _MARKS[found[0]], lines)
    return marked.translate(_SOUNDS), marked.translate(_BLURS), lines.translate(_SHAPES)


class _Spelling(dict[int, str]):
    """Code point → a blank and its syllable, found when first needed; surnames with a reading of their own stand as private characters."""

    def __init__(self, hear: Callable[[str], str]) -> None:
        super().__init__({ord("\n"): "\n"})
        self._hear = hear
        for surname, mark in _MARKS.items():
            self[ord(mark)] = " " + hear(_SURNAMES[surname])

    def __missing__(self, code: int) -> str:
        found = self[code] = " " + self._hear(_syllable(chr(code)))
        return found


_MARKS: Final = {surname: chr(0xF0000 + place) for place, surname in enumerate(_SURNAMES)}
_PAIRS = "|".join(surname for surname in _SURNAMES if len(surname) == 2)
_SINGLE = "".join(surname for surname in _SURNAMES if len(surname) == 1)
_LEADING: Final = re.compile(f"^(?:(?:{_PAIRS})(?=.)|[{_SINGLE}])", re.MULTILINE)
_SOUNDS: Final = _Spelling(str)
_BLURS: Final = _Spelling(blurred)
