"""Invented numbers with right check digits: citizen numbers, unified codes.

Every number is made up. A citizen number has a valid structure (GB 11643-1999), so it may by chance equal a real
one; the name beside it is drawn independently. Unified codes carry the marker `DEM` and cannot be a real body's.
"""

from __future__ import annotations

from datetime import date, timedelta

from dizuo.foundation.kernel.identity import citizen_check_digit, org_check_character, uscc_check_character

_USCC_CHARSET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SERIALS = 31**5


def citizen_number(region: str, birth: date, sequence: int) -> str:
    """An 18-character citizen number; `sequence` 1..999, odd for men, even for women."""
    body = f"{region}{birth:%Y%m%d}{sequence:03d}"
    return body + citizen_check_digit(body)


def fifteen_digits(number: str) -> str:
    """The first-generation 15-digit form of an 18-character number: no century, no check digit."""
    return number[:6] + number[8:17]


def unified_code(kind: str, region: str, serial: int) -> str:
    """A synthetic unified social credit code (统一社会信用代码, GB 32100-2015).

    `kind` is the two leading characters (91 enterprise, 92 individual business); `serial` below 31**5.
    """
    tail = ""
    for _ in range(5):
        serial, digit = divmod(serial, 31)
        tail = _USCC_CHARSET[digit] + tail
    organisation = "DEM" + tail
    body = kind + region + organisation + org_check_character(organisation)
    return body + uscc_check_character(body)


class Numberer:
    """Gives each person an unused citizen number; memory grows with days and regions, not with people."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, date, str], int] = {}
        self._reserved: set[str] = set()

    def reserve(self, number: str) -> None:
        """Keep a named character's number out of the drawing."""
        self._reserved.add(number)

    def citizen(self, region: str, birth: date, sex: str) -> tuple[str, date]:
        """A number, and the birth date it carries (moved by a day when the day's 499 sequences are used up)."""
        while True:
            key = (region, birth, sex)
            step = self._next.get(key, 0)
            if step >= 499:
                birth -= timedelta(days=1)
                continue
            self._next[key] = step + 1
            # A stride prime to 499 scatters the sequences, as several police stations issuing in one day do.
            order = (step * 137 + 61 + birth.day * 7) % 499
            number = citizen_number(region, birth, order * 2 + (1 if sex == "1" else 2))
            if number not in self._reserved:
                return number, birth
