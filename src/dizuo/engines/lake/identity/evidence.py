"""Evidence in words: what each comparison says for or against, in the order of a waterfall from the prior to the total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dizuo.engines.lake.identity.spec import Model
from dizuo.engines.lake.review.evidence import Step, Waterfall, chance, meaning, strength

__all__ = ["Step", "Waterfall", "chance", "meaning", "strength", "waterfall"]

_UNKNOWN: Final = "无从比较（一方没有，或已由号码说明）"


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


def _round(bits: float) -> float:
    return round(bits, 2)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
