"""Whole columns of invented numbers with right check digits: citizen numbers, unified codes, telephones, passports.

A citizen number has a valid structure (GB 11643-1999), so it may by chance equal a real one; the name beside it is
drawn independently. Unified codes carry the marker `DEM` in the organisation part and cannot be a real body's.
Telephones begin with prefixes that no operator was given (161, 163, 164, 168, 169).
"""

from __future__ import annotations

import numpy as np

from dizuo.engines.lake.simulation.dice import Ints, scattered
from dizuo.engines.lake.simulation.text import Column, Days, Digits, ascii_rows, digits_of

_SLOTS = 497
"""Sequence numbers of a day and sex: 996 to 999 were kept for centenarians when 15-digit numbers were given out."""
MOST_BLOCKS = _SLOTS - 1
"""The last slot of every day belongs to the cast."""
_WEIGHTS = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), np.int64)
_CHECKS = np.frombuffer(b"10X98765432", np.uint8)
_CHARSET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)
_VALUE31 = np.zeros(128, np.int64)
_VALUE31[_CHARSET] = np.arange(31)
_VALUE36 = np.zeros(128, np.int64)
_VALUE36[np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)] = np.arange(36)
_USCC_WEIGHTS = np.array([pow(3, n, 31) for n in range(17)], np.int64)
_ORG_WEIGHTS = np.array((3, 7, 9, 10, 5, 8, 4, 2), np.int64)


def check_digits(numbers: Digits) -> Digits:
    """The 18th character for each row's first 17 digits (ISO 7064 MOD 11-2); shape (rows,)."""
    return _CHECKS[(numbers[:, :17].astype(np.int64) - 48) @ _WEIGHTS % 11]


def citizen_numbers(region: Ints, birth: Days, sequence: Ints) -> Digits:
    """18 characters for each person; `sequence` 1..999, odd for men."""
    out = np.empty((len(region), 18), np.uint8)
    out[:, :6] = digits_of(region, 6)
    out[:, 6:14] = digits_of(_yyyymmdd(birth), 8)
    out[:, 14:17] = digits_of(sequence, 3)
    out[:, 17] = check_digits(out)
    return out


def _yyyymmdd(days: Days) -> Ints:
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]")
    year = years.astype(np.int64) + 1970
    month = (months - years).astype(np.int64) + 1
    day = (days - months).astype(np.int64) + 1
    return year * 10_000 + month * 100 + day


def sequences(region: Ints, birth: Days, sex: Ints, twin: Ints, block: int, blocks: int) -> tuple[Ints, Days]:
    """Sequence numbers such that no two persons of the city share region, day and number; and the days they carry.

    Each block of people owns every `blocks`-th of a day's 496 numbers, so blocks need not know each other. Where a
    day's numbers are used up the birth moves a day back, as a crowded police station's registers do; a twin (`twin`: place of the other, -1 none) moves along, as long as a day
    has room for both.
    """
    slots = len(range(block, MOST_BLOCKS, blocks))
    days = birth.astype("datetime64[D]").astype(np.int64)
    rank = np.zeros(len(days), np.int64)
    together = np.flatnonzero(twin >= 0)
    while True:
        group = (region * 100_000 + days + 50_000) * 2 + sex % 2
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        sizes = np.diff(np.r_[first, len(ordered)])
        rank[order] = np.arange(len(ordered)) - np.repeat(first, sizes)
        over = rank >= slots
        if not over.any():
            break
        if slots > 2:
            over[together] |= over[twin[together]]
        days[over] -= 1
    step = block + rank * blocks
    # A stride prime to 497 scatters the numbers, as several police stations issuing on one day do.
    order = (step * 137 + 61 + days * 7) % _SLOTS
    return order * 2 + np.where(sex == 1, 1, 2), days.astype("datetime64[D]")


def cast_number(region: int, birth: np.datetime64, sex: int) -> str:
    """The one number that the cast has for a region, day and sex; no block of people uses it."""
    day = np.array([birth], "datetime64[D]")
    order = (MOST_BLOCKS * 137 + 61 + day.astype(np.int64) * 7) % _SLOTS
    sequence = order * 2 + (1 if sex == 1 else 2)
    return citizen_numbers(np.array([region], np.int64), day, sequence)[0].tobytes().decode("ascii")


def fifteen(numbers: Digits) -> Digits:
    """The first-generation 15-digit forms: no century, no check digit."""
    return np.concatenate([numbers[:, :6], numbers[:, 8:17]], axis=1)


def unified_codes(kind: Ints, region: Ints, serial: Ints) -> Digits:
    """Unified social credit codes (GB 32100-2015): `kind` 91 or 92, organisation part `DEM` and the serial in base 31."""
    out = np.empty((len(kind), 18), np.uint8)
    out[:, :2] = digits_of(kind, 2)
    out[:, 2:8] = digits_of(region, 6)
    out[:, 8:11] = np.frombuffer(b"DEM", np.uint8)
    rest = (serial * 17_000_023 + 1_234_567) % 31**5  # prime to 31: no two serials meet
    for place in range(15, 10, -1):
        rest, digit = np.divmod(rest, 31)
        out[:, place] = _CHARSET[digit]
    organisation = 11 - _VALUE36[out[:, 8:16]] @ _ORG_WEIGHTS % 11
    out[:, 16] = np.frombuffer(b"0123456789X0", np.uint8)[organisation]
    out[:, 17] = unified_checks(out)
    return out


def unified_checks(codes: Digits) -> Digits:
    """The 18th character for each row's first 17; shape (rows,)."""
    total = _VALUE31[codes[:, :17]] @ _USCC_WEIGHTS
    return _CHARSET[(31 - total % 31) % 31]


def telephones(rows: Ints, prefix: int) -> Ints:
    """Telephone numbers of eleven digits, one for each row number below 10**8; never a subscriber's."""
    return np.int64(prefix) * 10**8 + scattered(rows % 10**8, 8, prefix)


def passports(rows: Ints) -> Column:
    """Passport numbers of a letter and eight digits."""
    out = np.empty((len(rows), 9), np.uint8)
    out[:, 0] = 65 + rows % 26
    out[:, 1:] = digits_of(scattered(rows % 10**8, 8, 3), 8)
    return ascii_rows(out)
