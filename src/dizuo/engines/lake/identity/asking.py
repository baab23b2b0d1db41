"""A record as a node, in Python: what `nodes` makes of a mention in SQL, for one record that somebody asks about right now.

The twin of the statements in `nodes` and of the key values in `person` and `enterprise`; a test holds both equal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from dizuo.engines.lake.identity.enterprise import FORM_PATTERN, PLACE_PATTERN
from dizuo.engines.lake.identity.sounds import blurred, outline, reading
from dizuo.engines.lake.identity.spec import Key

Node = dict[str, Any]


class Query(msgspec.Struct, frozen=True):
    """A record to look for, with the names and forms of the contract's mentions; what is not known is None."""

    name: str | None = None
    former_name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    citizen_id: str | None = None
    id_other: str | None = None
    uscc: str | None = None
    phone: str | None = None
    division: str | None = None
    address_rest: str | None = None
    legal_name: str | None = None
    legal_id: str | None = None


def lasting(*parts: object) -> int:
    """The number of a text made of parts (nulls left out); the twin of `spec.lasting_sql` over concat_ws."""
    text = "|".join(str(part) for part in parts if part is not None)
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest(), "little") >> 64


def node_of(entity: str, query: Query) -> Node:
    """The columns that comparisons and keys read. Whether many share a telephone is not known of a single record."""
    name = (query.name or "").strip(" ") or None
    strong = query.citizen_id if entity == "person" else query.uscc
    other = query.id_other if query.id_other and 5 <= len(query.id_other) <= 30 else None
    node: Node = {
        "name": name,
        "name_tf": None,
        "number": strong if strong is not None else other,
        "number_ok": strong is not None,
    }
    node |= _contact(query)
    return node | (_person(query, name, node) if entity == "person" else _enterprise(query, name))


def keys_of(keys: tuple[Key, ...], node: Mapping[str, Any]) -> set[int]:
    """The values of all keys of a node."""
    found: set[int] = set()
    for key in keys:
        for tag, *parts in key.values:
            values = [_PARTS[part](node) if part in _PARTS else node[part] for part in parts]
            if all(value is not None for value in values):
                found.add(lasting(tag, *values))
    return found


def core(name: str | None) -> str | None:
    """The core of an enterprise's name; the twin of `enterprise.CORE`."""
    if name is None:
        return None
    plain = re.sub(PLACE_PATTERN, "", name.replace("(", "（").replace(")", "）"), count=1)
    return re.sub(FORM_PATTERN, "", plain, count=1) or name


def _enterprise(query: Query, name: str | None) -> Node:
    legal = {
        "legal_id": ("id", query.legal_id),
        "legal_name": ("name", (query.legal_name or "").strip(" ") or None),
    }
    node: Node = {"core": core(name)}
    for column, (tag, text) in legal.items():
        node |= {f"{column}_a": lasting(f"{tag}|{text}") if text else None, f"{column}_b": None}
    return node


def _person(query: Query, name: str | None, node: Node) -> Node:
    former = (query.former_name or "").strip(" ") or None
    if name is None or former == name:
        former = None
    number: str | None = node["number"]
    strong: bool = node["number_ok"]
    own = _own_birth(number)
    sex = int(query.sex) if query.sex and re.fullmatch(r"[0-9]{1,2}", query.sex) else None
    born = query.birth_date.strftime("%Y%m%d") if query.birth_date else None
    if born is None and number is not None:
        born = number[6:14] if len(number) == 18 else "19" + number[6:12] if len(number) == 15 else None
    if sex is None and strong and number is not None and number[16:17].isdigit():
        sex = 2 - int(number[16]) % 2
    sound = reading(name) if name else None
    return {
        "former": former,
        "sound": lasting(sound) if sound else None,
        "blurred": lasting(blurred(sound)) if sound else None,
        "outline": outline(name) if name else None,
        "former_blurred": lasting(blurred(reading(former))) if former else None,
        "birth": query.birth_date or (own if strong else None),
        "born": born,
        "sex": sex,
    }


def _own_birth(number: str | None) -> date | None:
    """The birth date that an 18-digit number holds."""
    try:
        return (
            date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
            if number and len(number) == 18
            else None
        )
    except ValueError:
        return None


def _contact(query: Query) -> Node:
    phone = None
    if query.phone:
        phone = (
            int(query.phone) if re.fullmatch(r"[0-9]{1,19}", query.phone) else lasting(f"tel|{query.phone}")
        )
    division = (
        int(query.division.ljust(12, "0"))
        if query.division and re.fullmatch(r"[0-9]{6,12}", query.division)
        else None
    )
    rest = query.address_rest or None
    district = division // 1_000_000 if division is not None else None
    numbers: list[str] = re.findall(r"[0-9]+", rest or "")
    return {
        "phone_a": phone,
        "phone_b": None,
        "phone_s": phone,
        "community_a": division if division is not None and division % 1000 else None,
        "community_b": None,
        "town_a": division // 1000 if division is not None and division // 1000 % 1000 else None,
        "town_b": None,
        "place_a": lasting(district, rest) if numbers else None,
        "place_b": None,
        "door_a": lasting(district, numbers[-2], numbers[-1]) if len(numbers) > 1 else None,
        "door_b": None,
    }


def _day(node: Mapping[str, Any]) -> str | None:
    """The birth date with day and month in order of size: exchanged ones meet."""
    born = node["born"]
    return born[:4] + min(born[4:6], born[6:8]) + max(born[4:6], born[6:8]) if born is not None else None


def _region_and_order(node: Mapping[str, Any]) -> str | None:
    number = node["number"]
    return number[:6] + number[14:17] if number is not None and len(number) == 18 else None


def _left(count: int) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda node: node["core"][:count] if node["core"] is not None else None


_PARTS: Final[Mapping[str, Callable[[Mapping[str, Any]], object]]] = {
    "substr(born, 1, 4) || least(substr(born, 5, 2), substr(born, 7, 2)) || greatest(substr(born, 5, 2), substr(born, 7, 2))": _day,
    "CASE WHEN phone_s IS DISTINCT FROM phone_a AND phone_s IS DISTINCT FROM phone_b THEN phone_s END": lambda node: (
        node["phone_s"] if node["phone_s"] not in (node["phone_a"], node["phone_b"]) else None
    ),
    "CASE WHEN length(number) = 18 THEN left(number, 6) || substr(number, 15, 3) END": _region_and_order,
    "substr(outline, 1, 1)": lambda node: node["outline"][:1] if node["outline"] is not None else None,
    "left(core, 2)": _left(2),
    "left(core, 4)": _left(4),
}
