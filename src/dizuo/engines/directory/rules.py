"""What the directory decides, as pure functions: lengths of sessions, mandates in force, units for a place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator

from dizuo.engines.directory.errors import MandateInvalid
from dizuo.engines.directory.model import Mandate, Unit
from dizuo.foundation.blueprint.divisions import chain
from dizuo.foundation.blueprint.model import City, Division

IDLE = dt.timedelta(minutes=30)
ABSOLUTE = dt.timedelta(hours=12)
TOUCH_AFTER = dt.timedelta(seconds=60)
"""A session's last use is written at most this often; a session may therefore end up to a minute early, never late."""
LONGEST_MANDATE = dt.timedelta(days=366)
WINDOW_POWER = "window.serve"


def ends_at(started_at: dt.datetime, seen_at: dt.datetime) -> dt.datetime:
    """When a session ends: 30 minutes after it was last used, 12 hours after it began at the latest."""
    return min(seen_at + IDLE, started_at + ABSOLUTE)


def in_force(mandate: Mandate, on: dt.date) -> bool:
    """Whether a mandate holds on a day: within its period, both days included, and not revoked."""
    return mandate.revoked_at is None and mandate.valid_from <= on <= mandate.valid_to


def check_mandate(
    giver: int,
    proxy: int,
    matters: Collection[str],
    first: dt.date,
    last: dt.date,
    today: dt.date,
    city: City,
) -> None:
    """Refuse a mandate that nobody should give. Errors: MandateInvalid with every field that is wrong."""
    wrong: dict[str, str] = {}
    if giver == proxy:
        wrong["proxy"] = "代办人不能是您自己"
    unknown = [matter for matter in matters if matter not in city.matters]
    if unknown:
        wrong["matters"] = f"没有“{unknown[0][:40]}”这件事"
    if last < first:
        wrong["valid_to"] = "结束日期在开始日期之前"
    elif last < today:
        wrong["valid_to"] = "结束日期已经过去"
    elif last - first > LONGEST_MANDATE:
        wrong["valid_to"] = "授权最长一年，到期可以再授权"
    if first < today:
        wrong["valid_from"] = "开始日期已经过去"
    if wrong:
        raise MandateInvalid(wrong)


def units(city: City) -> Iterator[Unit]:
    """Every unit that the declarations say exists: one per division of the organisation's level."""
    by_level: dict[str, list[Division]] = {}
    for division in city.divisions.values():
        if division.valid_to is None:
            by_level.setdefault(division.level, []).append(division)
    for organisation in city.organisations.values():
        for division in by_level.get(organisation.units_at, []):
            name = organisation.unit_name.zh.replace("{division}", division.name)
            yield Unit(f"{organisation.id}:{division.code}", organisation.id, division.code, name)


def unit_for(city: City, organisation: str, place: str) -> str | None:
    """The id of the organisation's unit that is responsible for a division code of either system, or None."""
    declared = city.organisations.get(organisation)
    if declared is None:
        return None
    for division in chain(city, place):
        if division.level == declared.units_at:
            return f"{organisation}:{division.code}"
    return None
