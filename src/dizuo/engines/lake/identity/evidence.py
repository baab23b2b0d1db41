"""Evidence in words: what each comparison says for or against, in the order of a waterfall from the prior to the total."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dizuo.engines.lake.identity.spec import Model

_STRENGTH: Final = (
    (10.0, "强烈支持"), (3.0, "支持"), (0.5, "略支持"), (-0.5, "说明不了什么"), (-3.0, "略反对"), (-8.0, "反对"),
)  # fmt: skip
_UNKNOWN: Final = "无从比较（一方没有，或已由号码说明）"


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


def waterfall(model: Model, people: int, row: Mapping[str, Any]) -> Waterfall:
    """The evidence of a pair from a row of `score.evidence_sql` (``level_*``, ``bits_*``, ``name_tf_l`` and ``name_tf_r``)."""
    total = model.prior_bits(people)
    subject = "人" if model.shape.entity == "person" else "家"
    steps = [
        Step(
            "prior",
            "起点",
            f"约 {people:,} {subject}里任取一{subject}，恰好是同一{subject}的可能很小",
            _round(total),
            _round(total),
            "",
        )
    ]
    for comparison in model.shape.comparisons:
        place, bits = int(row[f"level_{comparison.id}"]), float(row[f"bits_{comparison.id}"])
        total += bits
        if place < 0:
            steps.append(Step(comparison.id, comparison.zh, _UNKNOWN, 0.0, _round(total), ""))
            continue
        level = comparison.levels[place]
        says = level.zh
        if level.tf:
            namesakes = max(
                round(max(_number(row.get(f"{level.tf}_l")), _number(row.get(f"{level.tf}_r"))) * people), 1
            )
            says += f"（同名约 {namesakes:,} {subject}）" if namesakes > 1 else "（没有别人同名）"
        steps.append(Step(comparison.id, comparison.zh, says, _round(bits), _round(total), strength(bits)))
    return Waterfall(tuple(steps), _round(total), chance(total), meaning(total, subject))


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


def _round(bits: float) -> float:
    return round(bits, 2)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
