"""Chance that belongs to a row and not to a moment: the same row throws the same dice whoever asks, and when.

A counter-based hash (splitmix64) of (seed, salt, row) replaces a random generator wherever a row may be written
again: tomorrow's delivery repeats today's misspelling, and the number of workers changes nothing.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _A
    state = (state ^ (state >> np.uint64(27))) * _B
    return state ^ (state >> np.uint64(31))


class Dice:
    """Throws for rows; `scope` keeps two users of one salt apart (a source, a day)."""

    def __init__(self, seed: int, scope: str = "") -> None:
        self._seed = seed
        self._scope = scope

    def within(self, scope: str) -> Dice:
        """Dice of a narrower scope."""
        return Dice(self._seed, f"{self._scope}/{scope}")

    def bits(self, salt: str, rows: Ints) -> NDArray[np.uint64]:
        """64 random bits for each row number."""
        digest = hashlib.blake2b(f"{self._seed}{self._scope}/{salt}".encode(), digest_size=8).digest()
        with np.errstate(over="ignore"):
            return _mixed(
                (rows.astype(np.uint64) + np.uint64(1)) * _STEP + np.uint64(int.from_bytes(digest, "little"))
            )

    def unit(self, salt: str, rows: Ints) -> Floats:
        """A number in [0, 1) for each row."""
        return (self.bits(salt, rows) >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))

    def chance(self, salt: str, rows: Ints, rate: float) -> Flags:
        """True for a share of `rate` of the rows."""
        return self.unit(salt, rows) < rate

    def below(self, salt: str, rows: Ints, n: int | Ints) -> Ints:
        """A whole number in [0, n) for each row; `n` may differ by row and is taken as at least 1."""
        return (self.unit(salt, rows) * np.maximum(n, 1)).astype(np.int64)

    def pick(self, salt: str, rows: Ints, cumulated: Floats) -> Ints:
        """An index for each row, by cumulated weights."""
        return spots(cumulated, self.unit(salt, rows) * cumulated[-1])


def spots(cumulated: Floats, thrown: Floats) -> Ints:
    """Into which stretch of the cumulated weights each throw falls."""
    found = np.zeros(len(thrown), np.int64)
    found[:] = np.searchsorted(cumulated, thrown, "right")  # pyright: ignore[reportUnknownMemberType]
    return np.minimum(found, len(cumulated) - 1)


def scattered(numbers: Ints, digits: int, salt: int) -> Ints:
    """Each number below 10**digits sent to another one, none twice: serial numbers that do not count.

    Shapes: `digits` at most 10; numbers below 10**digits. A product with a number prime to ten is a permutation.
    """
    size = 10**digits
    factor = (size // 5 * 3 + 7 + salt * 20) % size
    while factor % 2 == 0 or factor % 5 == 0:
        factor += 1
    # Below 2**63: size is at most 10**10, so the number is cut into two halves before it is multiplied.
    high, low = np.divmod(numbers % size, 1 << 20)
    product = ((high * factor) % size * (1 << 20) % size + low * factor % size) % size
    return (product + salt * 7_919) % size
