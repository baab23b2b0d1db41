"""How good a delivery is: the declared rules over its standard rows, by the six dimensions of GB/T 36344-2018.

A rule holds for a row when it is true of it; a rule that cannot be answered because a value is missing does not hold
(a rule that means to spare such rows says so: `valid_to = null or …`). A delivery passes a rule when the share of rows
for which it holds is at least what the rule promises.

Score of a source: for each dimension the mean of its rules' points, for the source the mean of its dimensions'. A rule
that reaches its promise has 100 points; below, points fall in proportion to the share of failing rows over the share
that the promise allows: twice as many failures as allowed leave 50 points, ten times 10. A promise of 1 allows one row
in ten thousand here. Dimensions without a rule do not count, and the score says how many had one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from dizuo.engines.lake.standard.terms import Rows, ibis
from dizuo.engines.lake.standard.truths import truth
from dizuo.foundation import rules
from dizuo.foundation.blueprint.lineage import names_of
from dizuo.foundation.blueprint.model_source import Dimension, Source
from dizuo.foundation.rules import Type

DIMENSIONS: Mapping[Dimension, str] = {
    "normativity": "规范性",
    "completeness": "完整性",
    "accuracy": "准确性",
    "consistency": "一致性",
    "timeliness": "时效性",
    "accessibility": "可访问性",
}
_TYPES: Mapping[str, Type] = {
    "date": rules.DATE,
    "datetime": rules.DATETIME,
    "integer": rules.NUMBER,
    "decimal": rules.NUMBER,
    "boolean": rules.BOOLEAN,
}
_NO_PROMISE = 0.0001


class RuleResult(msgspec.Struct, frozen=True):
    """What one rule found in one delivery."""

    rule: str
    dimension: Dimension
    checked: int
    failed: int
    at_least: float

    @property
    def share(self) -> float:
        """The share of rows for which it holds, 0..1; 1 of no rows."""
        return 1.0 if not self.checked else (self.checked - self.failed) / self.checked

    @property
    def passed(self) -> bool:
        return self.share >= self.at_least

    @property
    def points(self) -> float:
        """0..100, see the module."""
        allowed = max(1.0 - self.at_least, _NO_PROMISE)
        return 100.0 if self.passed else 100.0 * allowed / max(1.0 - self.share, allowed)


class Score(msgspec.Struct, frozen=True):
    """The score of a delivery: points of each dimension that has a rule, and their mean; None without any rule."""

    by_dimension: Mapping[Dimension, float]
    total: float | None


def types_of(source: Source) -> dict[str, Type]:
    """The names that a source's rules may use, with their types in the rule language."""
    return {name: _TYPES.get(standard, rules.TEXT) for name, standard in names_of(source).items()}


def rule_counts(standard: Rows, source: Source, today: dt.date) -> Rows:
    """One row: `checked`, and for each rule the number of rows for which it does not hold, named by its id.

    Errors: RuleErrors for a rule that rows cannot answer.
    """
    counts = {"checked": standard.count()}
    for rule in source.quality:
        held = truth(rule.rule.text, standard, types_of(source), today).fill_null(False)
        counts[f"rule_{rule.id}"] = (~held).sum().fill_null(0)
    return standard.aggregate(**counts)


def results(source: Source, counted: Mapping[str, object]) -> tuple[RuleResult, ...]:
    """The results from the one row of `rule_counts`."""
    checked = _count(counted["checked"])
    return tuple(
        RuleResult(rule.id, rule.dimension, checked, _count(counted[f"rule_{rule.id}"]), rule.at_least)
        for rule in source.quality
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def failing_rows(standard: Rows, source: Source, today: dt.date) -> Rows:
    """Which rows fail which rule: `line`, `row_key`, `rule`, for the department's report."""
    found: list[Rows] = []
    for rule in source.quality:
        held = truth(rule.rule.text, standard, types_of(source), today).fill_null(False)
        failed = standard.filter(~held)
        found.append(failed.select("line", "row_key", rule=ibis.literal(rule.id)))
    if not found:
        return standard.filter(ibis.literal(False)).select("line", "row_key", rule=ibis.null("string"))
    return ibis.union(*found) if len(found) > 1 else found[0]


def score(found: Iterable[RuleResult]) -> Score:
    """The points of a delivery's rules put together."""
    points: dict[Dimension, list[float]] = {}
    for result in found:
        points.setdefault(result.dimension, []).append(result.points)
    means: dict[Dimension, float] = {
        dimension: _mean(points[dimension]) for dimension in DIMENSIONS if dimension in points
    }
    return Score(means, _mean(list(means.values())) if means else None)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2)
