"""Application numbers (办件号): prefix, day, five digits, check digit — short enough to read out on the telephone."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_NUMBER: Final = re.compile(r"([A-Z]{2})(\d{8})(\d{5})(\d)")


def make_number(prefix: str, day: date, count: int) -> str:
    """The number of the ``count``-th submission of a day (counted from 0, below 100,000)."""
    digits = f"{day.year:04d}{day:%m%d}{count:05d}"
    return f"{prefix}{digits}{check_digit(digits)}"


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11,10 over decimal digits: finds every single wrong digit and nearly every transposition."""
    rest = 10
    for digit in digits:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return str((11 - rest) % 10)


def read_number(text: str) -> str | None:
    """The number in its canonical form, or None when it cannot be one; spaces, hyphens and case do not matter."""
    plain = re.sub(r"[\s\-－]", "", text).upper()
    found = _NUMBER.fullmatch(plain)
    if found is None or check_digit(found[2] + found[3]) != found[4]:
        return None
    return plain
