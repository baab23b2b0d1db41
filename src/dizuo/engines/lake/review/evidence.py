"""Evidence in words, as people read it: each step of a waterfall from the prior to the total."""

from __future__ import annotations

import math
from typing import Final

import msgspec

_STRENGTH: Final = (
    (10.0, "强烈支持"), (3.0, "支持"), (0.5, "略支持"), (-0.5, "说明不了什么"), (-3.0, "略反对"), (-8.0, "反对"),
)  # fmt: skip


class Step(msgspec.Struct, frozen=True):
    """One step of the waterfall: what was compared, how it agrees, how many bits that adds, and the sum so far."""

    id: str
    what: str
    says: str
    bits: float
    total: float
    strength: str


class Waterfall(msgspec.Struct, frozen=True):
    """All steps, the total in bits and what it means."""

    steps: tuple[Step, ...]
    bits: float
    probability: float
    says: str


def strength(bits: float) -> str:
    """How strongly so many bits speak, in a word."""
    return next((word for least, word in _STRENGTH if bits >= least), "强烈反对")


def chance(bits: float) -> float:
    """The probability of so many bits of odds."""
    return 1.0 / (1.0 + math.pow(2.0, -max(min(bits, 60.0), -60.0)))


def meaning(bits: float, subject: str = "人") -> str:
    """A total in words, without false precision."""
    share = chance(bits)
    if share >= 0.9999:
        return f"几乎可以肯定是同一{subject}"
    if share <= 0.0001:
        return f"几乎可以肯定不是同一{subject}"
    return f"约 {share:.1%} 的可能是同一{subject}"
