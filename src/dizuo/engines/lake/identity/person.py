"""Persons: how a Chinese record is compared, degree by degree, and which keys bring two records together.

A node is one person as one or more departments wrote him: all mentions with the same number and the same name (`nodes`). It keeps
two telephones and two addresses; ``number`` is the citizen number, or another document's when ``number_ok`` is false.
"""

from __future__ import annotations

from typing import Final

from dizuo.engines.lake.identity.spec import Comparison, Key, Level, Shape

SHARED_PHONE: Final = 4
"""A telephone of this many nodes is an office's or an agent's as likely as a household's."""
CROWDED: Final = 24
"""A telephone or a door of this many nodes says nothing about who somebody is."""


def either(a: str, b: str) -> str:
    """SQL: whether one of two values of the left equals one of two of the right."""
    return f"({a}_l IN ({a}_r, {b}_r) OR {b}_l IN ({a}_r, {b}_r))"


def _same_characters(count: int) -> str:
    """How many of the first places hold the same character."""
    return " + ".join(
        f"(substr(name_l, {place}, 1) = substr(name_r, {place}, 1))::INT" for place in range(1, count + 1)
    )


_SAME_NUMBER = "(number_l = number_r AND number_ok_l AND number_ok_r)"

NAME: Final = Comparison(
    "name", "姓名", "name_l IS NULL OR name_r IS NULL",
    (
        Level("exact", "完全相同", "name_l = name_r", tf="name_tf"),
        Level("former", "与曾用名相同", "former_l = name_r OR former_r = name_l"),
        Level("sound", "同音不同字", "sound_l = sound_r AND length(name_l) = length(name_r)"),
        Level("shape", "字形相近", "outline_l = outline_r"),
        Level("near_sound", "读音相近", "blurred_l = blurred_r"),
        Level(
            "cut", "一方是另一方的一部分",
            "least(length(name_l), length(name_r)) >= 3 AND length(name_l) <> length(name_r)"
            " AND (starts_with(name_l, name_r) OR starts_with(name_r, name_l)"
            " OR replace(name_l, '·', '') = replace(name_r, '·', ''))",
        ),
        Level("latin", "拼写相近", "regexp_matches(name_l, '^[A-Za-z]') AND jaro_winkler_similarity(name_l, name_r) >= 0.9"),
        Level(
            "one_character", "差一个字",
            "length(name_l) = length(name_r) AND"
            f" (length(name_l) BETWEEN 3 AND 4 AND {_same_characters(4)} >= 3"
            " OR length(name_l) >= 5 AND levenshtein(name_l, name_r) <= 3)",
        ),
        Level("surname", "只有姓相同", "substr(name_l, 1, 1) = substr(name_r, 1, 1)"),
        Level("different", "不同"),
    ),
)  # fmt: skip

NUMBER: Final = Comparison(
    "number", "证件号码", "number_l IS NULL OR number_r IS NULL",
    (
        Level("equal", "相同", "number_l = number_r", fixed_u=2e-9),
        Level(
            "swapped", "两位颠倒",
            "length(number_l) = length(number_r) AND length(number_l) >= 8"
            " AND levenshtein(number_l, number_r) = 2 AND damerau_levenshtein(number_l, number_r) = 1",
            fixed_u=2e-8,
        ),
        Level(
            "one_digit", "差一位",
            "abs(length(number_l) - length(number_r)) <= 1 AND least(length(number_l), length(number_r)) >= 8"
            " AND damerau_levenshtein(number_l, number_r) = 1",
            fixed_u=2e-7,
        ),
        Level(
            "ancestor", "一方是另一方的15位旧号",
            "(length(number_l) = 15 AND length(number_r) = 18 AND number_l = left(number_r, 6) || substr(number_r, 9, 9))"
            " OR (length(number_r) = 15 AND length(number_l) = 18 AND number_r = left(number_l, 6) || substr(number_l, 9, 9))",
            fixed_u=2e-8,
        ),
        Level("other_kind", "证件种类不同", "number_ok_l <> number_ok_r AND least(length(number_l), length(number_r)) < 15"),
        Level("wrong", "不同，且至少一方校验不过", "NOT (number_ok_l AND number_ok_r)"),
        Level("different", "不同，两方校验都对"),
    ),
)  # fmt: skip

BIRTH: Final = Comparison(
    # A number holds the birth date: where the numbers agree, an agreeing birth date is no second witness.
    "birth", "出生日期", f"birth_l IS NULL OR birth_r IS NULL OR ({_SAME_NUMBER} AND birth_l = birth_r)",
    (
        Level("equal", "相同", "birth_l = birth_r"),
        Level(
            "swapped", "日月颠倒",
            "year(birth_l) = year(birth_r) AND month(birth_l) = day(birth_r) AND day(birth_l) = month(birth_r)",
        ),
        Level(
            "one_part", "年、月、日有一项不同",
            "(year(birth_l) = year(birth_r))::INT + (month(birth_l) = month(birth_r))::INT + (day(birth_l) = day(birth_r))::INT = 2",
        ),
        Level("different", "不同"),
    ),
    "birth_l IS NULL OR birth_r IS NULL",
)  # fmt: skip

SEX: Final = Comparison(
    "sex", "性别", f"sex_l IS NULL OR sex_r IS NULL OR ({_SAME_NUMBER} AND sex_l = sex_r)",
    (Level("equal", "相同", "sex_l = sex_r"), Level("different", "不同")),
    "sex_l IS NULL OR sex_r IS NULL",
)  # fmt: skip

PHONE: Final = Comparison(
    "phone", "电话", "coalesce(phone_a_l, phone_b_l, phone_s_l) IS NULL OR coalesce(phone_a_r, phone_b_r, phone_s_r) IS NULL",
    (
        Level("equal", "相同", either("phone_a", "phone_b"), shrinks=True),
        Level("shared", "相同，但多人共用", "phone_s_l = phone_s_r", shrinks=True),
        Level("different", "不同"),
    ),
)  # fmt: skip

PLACE: Final = Comparison(
    "place", "地址",
    # Without a town on both sides only an equal door says something.
    f"(town_a_l IS NULL OR town_a_r IS NULL) AND NOT coalesce({either('place_a', 'place_b')}, FALSE)",
    (
        Level("equal", "门牌完全相同", either("place_a", "place_b"), shrinks=True),
        Level("door", "同一区县，楼栋和室号相同", either("door_a", "door_b")),
        Level("community", "同一社区（村）", either("community_a", "community_b")),
        Level("town", "同一镇街", either("town_a", "town_b")),
        Level("different", "不同"),
    ),
)  # fmt: skip

_ONLY_SHARED = (
    "CASE WHEN phone_s IS DISTINCT FROM phone_a AND phone_s IS DISTINCT FROM phone_b THEN phone_s END"
)
_DAY = "substr(born, 1, 4) || least(substr(born, 5, 2), substr(born, 7, 2)) || greatest(substr(born, 5, 2), substr(born, 7, 2))"

KEYS: Final = (
    Key("number", "证件号码相同", (("n", "number"),)),
    Key("name_birth", "姓名或曾用名的读音与出生日期（日月可颠倒）", (("nb", "blurred", _DAY), ("nb", "former_blurred", _DAY))),
    Key("name_phone", "姓名读音与电话", tuple(("np", "blurred", phone) for phone in ("phone_a", "phone_b", _ONLY_SHARED))),
    Key("name_door", "姓名读音与门牌", tuple(("nd", "blurred", door) for door in ("door_a", "door_b", "place_a", "place_b"))),
    Key(
        "name_number", "姓名读音与号码的地区、顺序码",
        (("nr", "blurred", "CASE WHEN length(number) = 18 THEN left(number, 6) || substr(number, 15, 3) END"),),
    ),
    Key("birth_phone", "出生日期与电话", tuple(("bp", "born", phone) for phone in ("phone_a", "phone_b"))),
    Key("birth_door", "出生日期、性别与门牌", tuple(("bd", "born", "sex", door) for door in ("door_a", "door_b"))),
    Key("surname_birth", "姓、性别、出生日期与镇街", tuple(("sb", "substr(outline, 1, 1)", "born", "sex", town) for town in ("town_a", "town_b"))),
)  # fmt: skip

COLUMNS: Final = (
    "name", "name_tf", "former", "sound", "blurred", "outline", "number", "number_ok", "birth", "sex", "phone_a", "phone_b", "phone_s",
    "place_a", "place_b", "door_a", "door_b", "community_a", "community_b", "town_a", "town_b",
)  # fmt: skip

# However heavy, such a pair is a person's to judge. Members of a household share door, telephone and surname, twins the birth date
# too, so nothing of that makes up for another name; and a number under quite another name is often a relative's.
_NAMES_AGREE: Final = " OR ".join(
    f"({level.when})" for level in NAME.levels if level.id not in {"one_character", "surname", "different"}
)
_NUMBERS_AGREE: Final = " OR ".join(f"({level.when})" for level in NUMBER.levels[:4])
_KIN: Final = f"substr(name_l, 1, 1) = substr(name_r, 1, 1) OR ({NAME.levels[7].when})"
GUARD: Final = (
    f"name_l IS NOT NULL AND name_r IS NOT NULL AND NOT coalesce({_NAMES_AGREE}, FALSE)"
    f" AND NOT (coalesce({_NUMBERS_AGREE}, FALSE) AND coalesce({_KIN}, FALSE))"
)

PERSON: Final = Shape("person", COLUMNS, (NAME, NUMBER, BIRTH, SEX, PHONE, PLACE), KEYS, GUARD)
