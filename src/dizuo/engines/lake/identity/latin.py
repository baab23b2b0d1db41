"""Persons written in Latin letters, as other countries' registers have them: given name, surname, street, suburb, postcode.

For foreign lists, and to measure the engine on a published set (FEBRL 4, Christen 2008) that nobody here has written.
"""

from __future__ import annotations

from typing import Final

from dizuo.engines.lake.identity.spec import Comparison, Key, Level, Shape


def _name(column: str, zh: str) -> Comparison:
    """A name by Jaro–Winkler, with the frequency of the value where it is the same."""
    a, b = f"{column}_l", f"{column}_r"
    return Comparison(
        column, zh, f"{a} IS NULL OR {b} IS NULL",
        (
            Level("exact", "完全相同", f"{a} = {b}", tf=f"{column}_tf"),
            Level("close", "拼写很近", f"jaro_winkler_similarity({a}, {b}) >= 0.92"),
            Level("near", "拼写相近", f"jaro_winkler_similarity({a}, {b}) >= 0.8 OR damerau_levenshtein({a}, {b}) = 1"),
            Level("different", "不同"),
        ),
    )  # fmt: skip


def _digits(column: str, zh: str) -> Comparison:
    """A number by how many digits are written wrong."""
    a, b = f"{column}_l", f"{column}_r"
    return Comparison(
        column, zh, f"{a} IS NULL OR {b} IS NULL",
        (
            Level("equal", "相同", f"{a} = {b}"),
            Level("one_digit", "差一位或两位颠倒", f"damerau_levenshtein({a}, {b}) = 1"),
            Level("two_digits", "差两位", f"damerau_levenshtein({a}, {b}) = 2"),
            Level("different", "不同"),
        ),
    )  # fmt: skip


_CROSSED: Final = Comparison(
    "names", "姓与名", "given_l IS NULL OR given_r IS NULL OR surname_l IS NULL OR surname_r IS NULL",
    (Level("crossed", "姓与名颠倒", "given_l = surname_r AND surname_l = given_r"), Level("not", "没有颠倒")),
)  # fmt: skip

KEYS: Final = (
    Key("number", "号码相同", (("ln", "number"),)),
    Key("names", "姓、名相同（可颠倒）", (("lx", "least(given, surname)", "greatest(given, surname)"),)),
    Key("birth_name", "出生日期与名的首字母", (("lb", "birth", "left(given, 1)"), ("ls", "birth", "left(surname, 1)"))),
    Key("birth_place", "出生日期与邮编", (("lp", "birth", "postcode"),)),
    Key("surname_place", "姓与邮编", (("la", "surname", "postcode"),)),
    Key("given_place", "名与邮编", (("lg", "given", "postcode"),)),
    Key("street_place", "街道与邮编", (("lt", "street", "postcode"),)),
    Key("name_street", "名与街道", (("li", "given", "street"), ("lj", "surname", "street"))),
    Key("name_suburb", "姓名与地方", (("lk", "given", "suburb"), ("ll", "surname", "suburb"))),
)  # fmt: skip

COLUMNS: Final = (
    "given", "given_tf", "surname", "surname_tf", "street", "street_tf", "suburb", "suburb_tf", "postcode", "birth", "number",
)  # fmt: skip

LATIN: Final = Shape(
    "latin", COLUMNS,
    (
        _name("given", "名"), _name("surname", "姓"), _CROSSED, _name("street", "街道"), _name("suburb", "地方"), _digits("postcode", "邮编"),
        _digits("birth", "出生日期"), _digits("number", "号码"),
    ),
    KEYS,
)  # fmt: skip
