"""The error model: which slips each department's rows have, how often. docs/know/simulation.md shows it as a table."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Chances of each slip, per row, or among the rows that can have it (said behind each).

    All are assumptions, chosen to be plausible and to give every kind enough cases; no statistics were found.
    """

    homophone: float = 0.012
    similar_character: float = 0.005
    traditional: float = 0.002
    former_name: float = 0.3  # among persons with a former name
    dot_variant: float = 0.35  # among names with a dot
    name_truncated: float = 0.06  # among names with a dot
    rare_character_lost: float = 0.25  # among names with a character outside GBK
    stray_space: float = 0.008
    name_missing: float = 0.0005
    id_15_digits: float = 0.0  # among persons born before 1999 who once had such a number
    id_transposed: float = 0.003
    id_wrong_digit: float = 0.003
    id_wrong_check: float = 0.002
    id_of_kin: float = 0.0006  # among persons with a mother or spouse
    id_missing: float = 0.01
    id_full_width: float = 0.002
    id_lower_case: float = 0.2  # among numbers that end in X
    id_spaced: float = 0.002
    birth_swapped: float = 0.008  # among dates whose day is at most 12
    sex_wrong: float = 0.001
    phone_shared: float = 0.01
    phone_old: float = 0.3  # among persons who changed their number
    phone_missing: float = 0.05
    phone_spaced: float = 0.01
    address_old: float = 0.08
    address_missing: float = 0.02
    uscc_wrong_digit: float = 0.004
    uscc_missing: float = 0.03
    firm_name_short: float = 0.03
    firm_name_brackets: float = 0.05
    firm_name_former: float = 0.3  # among enterprises that were renamed
    firm_name_homophone: float = 0.01
    repeated_row: float = 0.001
    late: float = 0.004


def _scaled(factor: float, **own: float) -> Rates:
    """All rates times a factor, but for those given; rates among special rows stay."""
    base = Rates()
    return msgspec.structs.replace(
        base, **{field: getattr(base, field) * factor for field in _SCALED if field not in own}, **own
    )


_SCALED = (
    "homophone", "similar_character", "traditional", "stray_space", "name_missing", "id_transposed", "id_wrong_digit",
    "id_wrong_check", "id_of_kin", "id_missing", "id_full_width", "id_spaced", "birth_swapped", "sex_wrong",
    "phone_shared", "phone_missing", "address_old", "address_missing", "uscc_wrong_digit", "firm_name_homophone",
)  # fmt: skip

RATES: Mapping[str, Rates] = {
    "hukou": _scaled(
        0.15, former_name=0.0, id_missing=0.0005, dot_variant=0.05, name_truncated=0.0, rare_character_lost=0.02,
        address_old=0.03, address_missing=0.001, repeated_row=0.0003,
    ),
    "residence_permits": _scaled(1.0, address_old=0.15, id_missing=0.002),
    "marriage": _scaled(0.5, id_15_digits=0.03, id_missing=0.004),
    "births": _scaled(0.9, id_missing=0.02),
    "deaths": _scaled(1.0, id_15_digits=0.03, id_missing=0.04),
    "social_insurance": _scaled(0.6, id_15_digits=0.02, id_missing=0.002, former_name=0.2),
    "medical_insurance": _scaled(0.8, id_15_digits=0.01, id_missing=0.006),
    "school_enrolment": _scaled(1.3, id_missing=0.02),
    "real_estate": _scaled(1.5, id_15_digits=0.12, id_missing=0.03, former_name=0.5, address_missing=0.002),
    "vehicles": _scaled(1.2, id_15_digits=0.05, id_missing=0.008),
    "enterprises": _scaled(0.8, uscc_missing=0.0, uscc_wrong_digit=0.0, firm_name_short=0.0, firm_name_former=0.05,
                           firm_name_homophone=0.0, id_15_digits=0.02, id_missing=0.06),
    "licences": _scaled(0.6, id_missing=0.003),
    "disabled": _scaled(1.1, id_missing=0.004),
    "credit": _scaled(1.0, id_missing=0.05),
}  # fmt: skip
"""Rates of each source."""

KINDS = Rates.__struct_fields__
"""The names of the kinds of slip, in the order of their bits in an error word."""
TRAITS = ("twin", "foreigner", "newborn", "unnamed", "dotted", "rare_character")
"""What makes a mention hard without being an error; kept beside the errors in the truth."""
