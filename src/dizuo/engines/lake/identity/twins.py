"""The comparators once more, in Python: for one record against a few candidates, where planning a SQL statement would take longer.

Every function is the twin of a condition in `person` or `enterprise`; a test holds each pair equal to what the SQL says on
thousands of pairs. None is unknown, as null is in SQL: a condition with an unknown does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from math import log2
from typing import Any, Final

from dizuo.engines.lake.identity.spec import Comparison, Model

Node = Mapping[str, Any]
Holds = Callable[[Node, Node], bool]


def weigh(model: Model, people: int, one: Node, other: Node) -> dict[str, Any]:
    """Levels and bits of a pair in the form of a row of `score.evidence_sql`, and the total ``w``."""
    row: dict[str, Any] = {}
    total = model.prior_bits(people)
    for comparison, bits in _bits(model, people):
        place = level_of(model.shape.entity, comparison, one, other)
        worth = bits[place] if place >= 0 else 0.0
        if place >= 0 and (tf := comparison.levels[place].tf):
            frequency = max(
                (value for value in (one.get(tf), other.get(tf)) if value is not None), default=None
            )
            row |= {f"{tf}_l": one.get(tf), f"{tf}_r": other.get(tf)}
            if frequency is not None:
                worth += log2(model.chance(comparison.levels[place], people) / max(frequency, 1e-10))
        row |= {f"level_{comparison.id}": place, f"bits_{comparison.id}": worth}
        total += worth
    return row | {"w": total}


def level_of(entity: str, comparison: Comparison, one: Node, other: Node) -> int:
    """The place of the level that holds, -1 where nothing can be compared."""
    if _ABSENT[entity, comparison.id](one, other):
        return -1
    for place, level in enumerate(comparison.levels[:-1]):
        if _HOLDS[entity, comparison.id, level.id](one, other):
            return place
    return len(comparison.levels) - 1


def guarded(entity: str, levels: Mapping[str, Any], one: Node, other: Node) -> bool:
    """Whether the machine may not join the pair however heavy it is; see ``GUARD`` of `person` and `enterprise`."""
    if entity == "enterprise":
        return levels["level_legal"] == 2 and levels["level_number"] not in (0, 1)
    if one["name"] is None or other["name"] is None or 0 <= levels["level_name"] <= 6:
        return False
    kin = one["name"][:1] == other["name"][:1] or _one_character(one, other)
    return not (0 <= levels["level_number"] <= 3 and kin)


@lru_cache(maxsize=8)
def _bits_of(key: int, people: int) -> tuple[tuple[Comparison, tuple[float, ...]], ...]:
    model = _MODELS[key]
    return tuple((c, tuple(model.bits(level, people) for level in c.levels)) for c in model.comparisons())


_MODELS: Final[dict[int, Model]] = {}


def _bits(model: Model, people: int) -> tuple[tuple[Comparison, tuple[float, ...]], ...]:
    _MODELS.setdefault(id(model), model)
    return _bits_of(id(model), people)


# ---------------------------------------------------------------------- conditions


def _equal(column: str) -> Holds:
    return lambda a, b: a[column] is not None and a[column] == b[column]


def _unknown(*columns: str) -> Holds:
    """Nothing known on one side: all of the columns are null there."""
    return lambda a, b: all(a[c] is None for c in columns) or all(b[c] is None for c in columns)


def _either(column: str) -> Holds:
    first, second = f"{column}_a", f"{column}_b"

    def holds(a: Node, b: Node) -> bool:
        mine = {a[first], a[second]} - {None}
        return bool(mine & {b[first], b[second]})

    return holds


def _former(a: Node, b: Node) -> bool:
    return (a["former"] is not None and a["former"] == b["name"]) or (
        b["former"] is not None and b["former"] == a["name"]
    )


def _cut(a: Node, b: Node) -> bool:
    one, other = a["name"], b["name"]
    if min(len(one), len(other)) < 3 or len(one) == len(other):
        return False
    return one.startswith(other) or other.startswith(one) or one.replace("·", "") == other.replace("·", "")


def _latin(a: Node, b: Node) -> bool:
    return bool(re.match(r"[A-Za-z]", a["name"])) and jaro_winkler(a["name"], b["name"]) >= 0.9


def _one_character(a: Node, b: Node) -> bool:
    one, other = a["name"], b["name"]
    if len(one) != len(other):
        return False
    if 3 <= len(one) <= 4:
        # SQL compares four places; beyond the end both are empty and agree.
        return sum(one[n : n + 1] == other[n : n + 1] for n in range(4)) >= 3
    return len(one) >= 5 and levenshtein(one.encode(), other.encode()) <= 3


def _swapped_number(a: Node, b: Node) -> bool:
    one, other = a["number"], b["number"]
    if len(one) != len(other) or len(one) < 8:
        return False
    places = [n for n, (x, y) in enumerate(zip(one, other, strict=True)) if x != y]
    return (
        len(places) == 2
        and places[1] - places[0] == 1
        and one[places[0]] == other[places[1]]
        and one[places[1]] == other[places[0]]
    )


def _near_number(a: Node, b: Node) -> bool:
    one, other = a["number"], b["number"]
    return abs(len(one) - len(other)) <= 1 and min(len(one), len(other)) >= 8 and damerau(one, other) == 1


def _near_code(a: Node, b: Node) -> bool:
    return len(a["number"]) >= 8 and damerau(a["number"], b["number"]) == 1


def _ancestor(a: Node, b: Node) -> bool:
    one, other = sorted((a["number"], b["number"]), key=len)
    return len(one) == 15 and len(other) == 18 and one == other[:6] + other[8:17]


def _other_kind(a: Node, b: Node) -> bool:
    return a["number_ok"] != b["number_ok"] and min(len(a["number"]), len(b["number"])) < 15


def _same_number(a: Node, b: Node) -> bool:
    return bool(a["number"] is not None and a["number"] == b["number"] and a["number_ok"] and b["number_ok"])


def _birth_swapped(a: Node, b: Node) -> bool:
    one, other = a["birth"], b["birth"]
    return one.year == other.year and one.month == other.day and one.day == other.month


def _birth_part(a: Node, b: Node) -> bool:
    one: date = a["birth"]
    other: date = b["birth"]
    return (one.year == other.year) + (one.month == other.month) + (one.day == other.day) == 2


def _said_by_number(column: str) -> Holds:
    def holds(a: Node, b: Node) -> bool:
        return a[column] is None or b[column] is None or (_same_number(a, b) and a[column] == b[column])

    return holds


def _no_place(a: Node, b: Node) -> bool:
    return (a["town_a"] is None or b["town_a"] is None) and not _either("place")(a, b)


def _inside(a: Node, b: Node) -> bool:
    one, other = a["core"], b["core"]
    return min(len(one), len(other)) >= 4 and (one in other or other in one)


_ABSENT: Final[Mapping[tuple[str, str], Holds]] = {
    ("person", "name"): _unknown("name"),
    ("person", "number"): _unknown("number"),
    ("person", "birth"): _said_by_number("birth"),
    ("person", "sex"): _said_by_number("sex"),
    ("person", "phone"): _unknown("phone_a", "phone_b", "phone_s"),
    ("person", "place"): _no_place,
    ("enterprise", "name"): _unknown("name"),
    ("enterprise", "number"): _unknown("number"),
    ("enterprise", "legal"): lambda a, b: _unknown("legal_id_a")(a, b) and _unknown("legal_name_a")(a, b),
    ("enterprise", "phone"): _unknown("phone_a", "phone_b", "phone_s"),
    ("enterprise", "place"): _no_place,
}
_CONTACT: Final[Mapping[tuple[str, str], Holds]] = {
    ("phone", "equal"): _either("phone"),
    ("phone", "shared"): _equal("phone_s"),
    ("place", "equal"): _either("place"),
    ("place", "door"): _either("door"),
    ("place", "community"): _either("community"),
    ("place", "town"): _either("town"),
}
_HOLDS: Final[Mapping[tuple[str, str, str], Holds]] = {
    ("person", "name", "exact"): _equal("name"),
    ("person", "name", "former"): _former,
    ("person", "name", "sound"): lambda a, b: _equal("sound")(a, b) and len(a["name"]) == len(b["name"]),
    ("person", "name", "shape"): _equal("outline"),
    ("person", "name", "near_sound"): _equal("blurred"),
    ("person", "name", "cut"): _cut,
    ("person", "name", "latin"): _latin,
    ("person", "name", "one_character"): _one_character,
    ("person", "name", "surname"): lambda a, b: a["name"][:1] == b["name"][:1],
    ("person", "number", "equal"): _equal("number"),
    ("person", "number", "swapped"): _swapped_number,
    ("person", "number", "one_digit"): _near_number,
    ("person", "number", "ancestor"): _ancestor,
    ("person", "number", "other_kind"): _other_kind,
    ("person", "number", "wrong"): lambda a, b: not (a["number_ok"] and b["number_ok"]),
    ("person", "birth", "equal"): _equal("birth"),
    ("person", "birth", "swapped"): _birth_swapped,
    ("person", "birth", "one_part"): _birth_part,
    ("person", "sex", "equal"): _equal("sex"),
    ("enterprise", "name", "exact"): _equal("name"),
    ("enterprise", "name", "core"): _equal("core"),
    ("enterprise", "name", "inside"): _inside,
    ("enterprise", "name", "near"): lambda a, b: jaro_winkler(a["core"], b["core"]) >= 0.92,
    ("enterprise", "legal", "equal"): _either("legal_id"),
    ("enterprise", "legal", "name"): _either("legal_name"),
    ("enterprise", "number", "equal"): _equal("number"),
    ("enterprise", "number", "near"): _near_code,
    ("enterprise", "number", "wrong"): lambda a, b: not (a["number_ok"] and b["number_ok"]),
    **{(entity, *key): holds for entity in ("person", "enterprise") for key, holds in _CONTACT.items()},
}


# -------------------------------------------------------------------------- texts


def levenshtein(one: bytes, other: bytes) -> int:
    """Insertions, deletions and substitutions between two byte strings, as DuckDB counts them."""
    row = list(range(len(other) + 1))
    for n, x in enumerate(one, 1):
        before, row[0] = row[0], n
        for m, y in enumerate(other, 1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (x != y))
    return row[-1]


def damerau(one: str, other: str) -> int:
    """As Levenshtein, and an exchange of two neighbours counts one."""
    if one == other:
        return 0
    above: list[int] = []
    row = list(range(len(other) + 1))
    for n, x in enumerate(one, 1):
        last, above, row = above, row, [n]
        for m, y in enumerate(other, 1):
            cost = min(above[m] + 1, row[m - 1] + 1, above[m - 1] + (x != y))
            if n > 1 and m > 1 and x == other[m - 2] and one[n - 2] == y:
                cost = min(cost, last[m - 2] + 1)
            row.append(cost)
    return row[-1]


def jaro_winkler(one: str, other: str) -> float:
    """Jaro–Winkler similarity of two texts by their UTF-8 bytes, as DuckDB has it (prefix of four, scale 0.1 above 0.7)."""
    a, b = one.encode(), other.encode()
    if not a or not b:
        return 0.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    taken = [False] * len(b)
    mine: list[int] = []
    for n, x in enumerate(a):
        for m in range(max(0, n - reach), min(len(b), n + reach + 1)):
            if not taken[m] and b[m] == x:
                taken[m] = True
                mine.append(x)
                break
    if not mine:
        return 0.0
    theirs = [y for m, y in enumerate(b) if taken[m]]
    crossed = sum(x != y for x, y in zip(mine, theirs, strict=True)) // 2
    jaro = (len(mine) / len(a) + len(mine) / len(b) + (len(mine) - crossed) / len(mine)) / 3
    prefix = 0
    for x, y in zip(a[:4], b[:4], strict=False):
        if x != y:
            break
        prefix += 1
    return jaro + prefix * 0.1 * (1 - jaro) if jaro > 0.7 else jaro
