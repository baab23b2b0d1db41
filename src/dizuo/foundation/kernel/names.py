"""Personal names: the normal form of a Chinese name, and of a foreigner's name in Latin letters.

The check accepts every ideograph of Unicode that a Chinese name may hold, however rare, and names the first
character that may not stand in one, because "格式错误" helps nobody. Nothing is blocked for looking like code: a
script or an SQL fragment simply contains characters that no name has.
"""

from __future__ import annotations

import unicodedata

from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.saying import Said


class InvalidName(Invalid):
    """姓名不正确。"""


INTERPUNCT = "\u00b7"
_ENGLISH = {
    "看不见的字形选择符": "an invisible variation selector",
    "看不见的控制字符": "an invisible control character",
    "自造字，各系统显示不一": "a private character, which systems show differently",
    "空格": "a space",
    "部首符号，不是汉字": "a radical and no character",
    "数字": "a digit",
    "字母": "a letter",
    "外文字母": "a foreign letter",
    "表情或图形符号": "an emoji or a picture",
    "标点或符号": "punctuation or a symbol",
}
# Keyboards and old systems write the dot of minority and foreign names in six ways; GB 18030 text uses U+00B7.
_DOTS = dict.fromkeys(map(ord, "•・‧･∙⋅"), INTERPUNCT)

# Ideographs by block. Python's own tables stop at the Unicode version it was built with; names do not.
_IDEOGRAPHS = (
    (0x3007, 0x3007),  # 〇
    (0x3400, 0x4DBF),  # extension A
    (0x4E00, 0x9FFF),  # unified ideographs
    (0xFA0E, 0xFA29),  # the twelve unified ones of the compatibility block; the others normalise away
    (0x20000, 0x2A6DF),  # extension B
    (0x2A700, 0x2B81F),  # extensions C, D
    (0x2B820, 0x2EBEF),  # extensions E, F
    (0x2EBF0, 0x2EE5D),  # extension I
    (0x30000, 0x323AF),  # extensions G, H
    (0x323B0, 0x33479),  # extension J
)


def is_ideograph(character: str) -> bool:
    """Whether a character is a Chinese character of Unicode, in any block."""
    code = ord(character)
    return any(low <= code <= high for low, high in _IDEOGRAPHS)


class PersonName:
    """姓名: checks that give back the normal form to store."""

    @staticmethod
    def check(text: str, max_length: int = 30, field: str = "name") -> str:
        """The normal form of a Chinese name (NFC, U+00B7 as the dot, no outer spaces).

        Shapes: 1 to ``max_length`` characters, all ideographs, with single dots between them. Errors: InvalidName
        with the message under ``field``; it names the first character that does not belong and its place.
        """
        name = _tidy(text, max_length, field).translate(_DOTS)
        for position, character in enumerate(name, start=1):
            if character != INTERPUNCT and not is_ideograph(character):
                raise _offending(character, position, field)
        if name[0] == INTERPUNCT or name[-1] == INTERPUNCT or INTERPUNCT * 2 in name:
            raise InvalidName(
                {
                    field: Said(
                        "“·”只能写在两个字之间，一处写一个。",
                        "The dot “·” stands between two characters, one at a time.",
                    )
                },
                fix="请按身份证件上的姓名填写，例如：买买提·阿不都。",
            )
        return name

    @staticmethod
    def check_latin(text: str, max_length: int = 60, field: str = "name") -> str:
        """The normal form of a foreigner's name in Latin letters, as in a passport.

        Shapes: 1 to ``max_length`` Latin letters (accents too) with single spaces, hyphens, apostrophes and full
        stops between them. Errors: InvalidName with the message under ``field``.
        """
        name = " ".join(_tidy(text, max_length, field).replace("’", "'").split())
        for position, character in enumerate(name, start=1):
            if character in " -'.":
                continue
            if not _is_latin(character):
                raise InvalidName(
                    {field: f"外文姓名第 {position} 个字符{_shown(character)}不是拉丁字母。"},
                    fix="请按护照上的拉丁字母姓名填写；中文姓名请填在“姓名”一栏。",
                )
        if not _is_latin(name[0]) or not (_is_latin(name[-1]) or name[-1] == "."):
            raise InvalidName({field: "外文姓名应以字母开头和结尾。"}, fix="请按护照上的拉丁字母姓名填写。")
        return name


def _tidy(text: str, max_length: int, field: str) -> str:
    if (
        len(text) > 4 * max_length + 40
    ):  # before any other work: a field may arrive with ten million characters
        raise _too_long(len(text), max_length, field)
    name = unicodedata.normalize("NFC", text).strip(" \t\r\n\u3000\u00a0")
    if not name:
        raise InvalidName({field: Said("请填写姓名。", "Please enter the name.")})
    if len(name) > max_length:
        raise _too_long(len(name), max_length, field)
    return name


def _too_long(count: int, max_length: int, field: str) -> InvalidName:
    return InvalidName(
        {
            field: Said(
                f"姓名最多 {max_length} 个字，您填了 {count} 个。",
                f"A name has at most {max_length} characters; you entered {count}.",
            )
        },
        fix="姓名确实更长的，请到窗口办理，不影响您的权利。",
    )


def _is_latin(character: str) -> bool:
    return character.isalpha() and unicodedata.name(character, "").startswith("LATIN ")


def _shown(character: str, *, in_english: bool = False) -> str:
    """The character in quotes, or only its code point when it cannot be seen."""
    code = f"U+{ord(character):04X}"
    visible = character.isprintable() and not unicodedata.category(character).startswith(("M", "C", "Z"))
    if in_english:
        return f" “{character}” ({code})" if visible else f" ({code})"
    return f"“{character}”（{code}）" if visible else f"（{code}）"


def _offending(character: str, position: int, field: str) -> InvalidName:
    kind, fix = _kind_of(character)
    says = Said(
        f"姓名第 {position} 个字{_shown(character)}是{kind}，不能写在姓名里。",
        f"Character {position} of the name{_shown(character, in_english=True)} is {_ENGLISH[kind]}"
        " and cannot stand in a name.",
    )
    return InvalidName({field: says}, fix=fix)


def _kind_of(character: str) -> tuple[str, str]:
    plain = "请按身份证件上的姓名填写。"
    code, category = ord(character), unicodedata.category(character)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return "看不见的字形选择符", "请删去这个字后面的不可见字符，或重新输入这个字。"
    if category in ("Cc", "Cf") or code in (0x115F, 0x1160, 0x3164):
        return "看不见的控制字符", "请删去后重新输入，不要从网页或文档里复制。"
    if category == "Co":
        return "自造字，各系统显示不一", "请用标准字库中的这个字；打不出来的，请到窗口由工作人员录入。"
    if category.startswith("Z"):
        return "空格", "请删去姓名中间的空格；少数民族姓名请用“·”分隔。"
    compatible = unicodedata.normalize("NFKC", character)
    if compatible != character and len(compatible) == 1 and is_ideograph(compatible):
        return "部首符号，不是汉字", f"请改为汉字“{compatible}”。"
    if category.startswith("N"):
        return "数字", plain
    if _is_latin(character) or character.isalpha():
        if _is_latin(compatible[0]):
            return "字母", "中文姓名不写字母；外国人请填写“外文姓名”。"
        return "外文字母", plain
    if category == "So" or code >= 0x1F000:
        return "表情或图形符号", plain
    return "标点或符号", plain
