"""Enterprises and self-employed: compared by unified code, name, legal representative, place and telephone.

A name has three parts that carry nothing about who it is: the place in front, the form behind, and brackets. What is left is the
core (字号与行业); "无锡市梁味坊餐饮有限公司" and "梁味坊餐饮有限责任公司" have one core.
"""

from __future__ import annotations

from typing import Final

from dizuo.engines.lake.identity.person import PHONE, PLACE, either
from dizuo.engines.lake.identity.spec import Comparison, Key, Level, Shape

PLACE_PATTERN: Final = "^(江苏省?)?(无锡市?|江阴市?|宜兴市?)?((梁溪|锡山|惠山|滨湖|新吴|崇安|南长|北塘)区|无锡新区|经开区|经济开发区|高新区)?"
FORM_PATTERN: Final = "(股份有限公司|有限责任公司|有限公司|集团公司|集团|总公司|公司|合伙企业（有限合伙）|（有限合伙）|（普通合伙）|（个人独资）|（个体工商户）|（演示）)+$"

CORE: Final = (
    f"coalesce(nullif(regexp_replace(regexp_replace(replace(replace(t.name, '(', '（'), ')', '）'), '{PLACE_PATTERN}', ''), '{FORM_PATTERN}', ''), ''),"
    " t.name)"
)
"""SQL over ``t.name``: the name without place and form; the whole name when nothing else is left."""

NAME: Final = Comparison(
    "name", "名称", "name_l IS NULL OR name_r IS NULL",
    (
        # No two enterprises of one registration authority may have one name (企业名称登记管理规定).
        Level("exact", "完全相同", "name_l = name_r", fixed_u=2e-8),
        Level("core", "去掉地名和组织形式后相同", "core_l = core_r", fixed_u=5e-7, fixed_m=0.02),
        Level(
            "inside", "一方包含另一方",
            "least(length(core_l), length(core_r)) >= 4 AND (contains(core_l, core_r) OR contains(core_r, core_l))",
        ),
        Level("near", "相近", "jaro_winkler_similarity(core_l, core_r) >= 0.92"),
        # Enterprises change their names; where the code is the same, expectation maximisation takes that for another enterprise.
        Level("different", "不同", fixed_m=0.02),
    ),
)  # fmt: skip

NUMBER: Final = Comparison(
    "number", "统一社会信用代码", "number_l IS NULL OR number_r IS NULL",
    (
        Level("equal", "相同", "number_l = number_r", fixed_u=1e-10),
        Level("near", "差一位或两位颠倒", "length(number_l) >= 8 AND damerau_levenshtein(number_l, number_r) = 1", fixed_u=1e-6),
        Level("wrong", "不同，且至少一方校验不过", "NOT (number_ok_l AND number_ok_r)"),
        Level("different", "不同，两方校验都对"),
    ),
)  # fmt: skip

_LEGAL_KNOWN: Final = "((legal_id_a_l IS NOT NULL AND legal_id_a_r IS NOT NULL) OR (legal_name_a_l IS NOT NULL AND legal_name_a_r IS NOT NULL))"
LEGAL: Final = Comparison(
    "legal", "法定代表人", f"NOT {_LEGAL_KNOWN}",
    (
        # By reason: about one entry in twenty is older than the last change of representative; one person represents several enterprises.
        Level("equal", "证件号码相同", either("legal_id_a", "legal_id_b"), fixed_m=0.9, fixed_u=1e-5),
        Level("name", "姓名相同", either("legal_name_a", "legal_name_b"), fixed_m=0.05, fixed_u=2e-4),
        Level("different", "不同", fixed_m=0.05, fixed_u=0.99979),
    ),
)  # fmt: skip

# Two firms may have one name at one address (a counter each, a number of a shared office); where the codes do not say that they are
# one and the law answers for them are two people, people judge.
GUARD: Final = (
    f"{_LEGAL_KNOWN} AND NOT coalesce({either('legal_id_a', 'legal_id_b')}, FALSE)"
    f" AND NOT coalesce({either('legal_name_a', 'legal_name_b')}, FALSE)"
    f" AND NOT coalesce({NUMBER.levels[0].when} OR ({NUMBER.levels[1].when}), FALSE)"
)

KEYS: Final = (
    Key("number", "统一社会信用代码相同", (("en", "number"),)),
    Key("core", "名称主体相同", (("ec", "core"),)),
    Key("name_phone", "名称前两字与电话", tuple(("ep", "left(core, 2)", phone) for phone in ("phone_a", "phone_b"))),
    Key("name_door", "名称前两字与门牌", tuple(("ed", "left(core, 2)", door) for door in ("door_a", "door_b"))),
    Key("name_town", "名称前四字与镇街", tuple(("et", "left(core, 4)", town) for town in ("town_a", "town_b"))),
)  # fmt: skip

COLUMNS: Final = (
    "name", "core", "number", "number_ok", "legal_id_a", "legal_id_b", "legal_name_a", "legal_name_b",
    "phone_a", "phone_b", "phone_s", "place_a", "place_b", "door_a", "door_b",
    "community_a", "community_b", "town_a", "town_b",
)  # fmt: skip

ENTERPRISE: Final = Shape("enterprise", COLUMNS, (NAME, NUMBER, LEGAL, PHONE, PLACE), KEYS, GUARD)
