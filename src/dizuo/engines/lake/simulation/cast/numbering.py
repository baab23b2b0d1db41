"""Numbers of the cast: citizen numbers that no block of people uses, keys of rows in departments' systems."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from dizuo.engines.lake.simulation.dice import scattered
from dizuo.engines.lake.simulation.numbers import cast_number, unified_codes


def fifteen_digits(number: str) -> str:
    """The first-generation 15-digit form of an 18-character number: no century, no check digit."""
    return number[:6] + number[8:17]


def transposed(number: str) -> str:
    """The number with two neighbouring digits of its sequence exchanged, as a typist does it."""
    for place in range(16, 13, -1):
        if number[place] != number[place - 1]:
            return number[: place - 1] + number[place] + number[place - 1] + number[place + 1 :]
    return number[:10] + number[11] + number[10] + number[12:]


def unified_code(kind: int, region: str, serial: int) -> str:
    """A unified social credit code with the marker `DEM`. Shapes: `kind` 91 or 92, `serial` below 31**5."""
    one = unified_codes(np.array([kind]), np.array([int(region)]), np.array([serial]))
    return one[0].tobytes().decode("ascii")


def keyed(prefix: str, row: int, salt: int, digits: int = 10) -> str:
    """A row's key as a department's system gives it: the same permutation that the blocks use."""
    return f"{prefix}{int(scattered(np.array([row], np.int64), digits, salt)[0]):0{digits}d}"


class Numberer:
    """Gives each person a citizen number of the cast's own."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def citizen(self, region: str, birth: date, sex: str) -> tuple[str, date]:
        """A number and the birth date it carries: the nearest day before on which the cast's number is free."""
        while True:
            number = cast_number(int(region), np.datetime64(birth, "D"), int(sex))
            if number not in self._given:
                self._given.add(number)
                return number, birth
            birth -= timedelta(days=1)
