"""What a linking model is: comparisons with levels, each level with its weight, and the keys that propose pairs.

A pair of records is worth the sum of its levels' bits (Fellegi and Sunter 1969, A Theory for Record Linkage): log2(m / u), where
m is how often two records of one person agree so and u how often two strangers do. The conditions are SQL over ``name_l`` and
``name_r``; Splink estimates m and u with the very same text (`learn`), and `score` runs it without Splink.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from dizuo.engines.lake.identity.errors import ModelUnfit

_SMALLEST: Final = 1e-10
"""No agreement is taken for rarer than this: beyond it the model would know more than its sample."""
_SLIP: Final = 5e-4
"""Anything can be written wrong once in two thousand times: no single disagreement is a proof."""


class Level(msgspec.Struct, frozen=True):
    """One degree of agreement (比对等级). ``when`` is SQL, empty for the last level (everything else).

    ``shrinks``: the chance that strangers agree so shrinks with the number of people (a household's telephone), so u is scaled
    from the sample to the city. ``tf``: a column with the value's relative frequency, which then takes the place of u.
    ``fixed_u`` and ``fixed_m``: given by reason instead of estimated.
    """

    id: str
    zh: str
    when: str = ""
    m: float = 0.5
    u: float = 0.5
    shrinks: bool = False
    tf: str = ""
    fixed_u: float | None = None
    fixed_m: float | None = None


class Comparison(msgspec.Struct, frozen=True):
    """One thing compared (比对项); where ``absent`` holds, nothing is known and the comparison is worth 0 bits.

    ``absent_when_learning``: a narrower condition for learning, where ``absent`` leaves out what another comparison has said already.
    """

    id: str
    zh: str
    absent: str
    levels: tuple[Level, ...]
    absent_when_learning: str = ""


class Key(msgspec.Struct, frozen=True):
    """A blocking key (分块键): records that share one of its values are compared. ``values``: each a tag and SQL over node columns."""

    id: str
    zh: str
    values: tuple[tuple[str, ...], ...]

    @property
    def sql(self) -> tuple[str, ...]:
        """SQL of each value: a hash that is quick and good within one run; null when a part is (DuckDB hashes nulls like values)."""
        return tuple(self._known(parts, f"hash('{tag}', {', '.join(parts)})") for tag, *parts in self.values)

    @property
    def lasting_sql(self) -> tuple[str, ...]:
        """SQL of each value as a number that Python and later versions of DuckDB find again; see `asking.lasting`."""
        return tuple(
            self._known(parts, lasting_sql(f"concat_ws('|', '{tag}', {', '.join(parts)})"))
            for tag, *parts in self.values
        )

    @staticmethod
    def _known(parts: Sequence[str], value: str) -> str:
        return f"CASE WHEN {' AND '.join(f'({part}) IS NOT NULL' for part in parts)} THEN {value} END"


def lasting_sql(text: str) -> str:
    """SQL of a text's number that does not depend on the version of anything: the first half of its MD5, for finding, not for secrecy."""
    return f"(md5_number({text}) >> 64)::UBIGINT"


class Shape(msgspec.Struct, frozen=True):
    """The structure of a model: what code knows. ``columns`` are those of a node that comparisons read.

    ``guard``: SQL; a pair for which it holds is never joined by the machine, it stays just below ``upper``.
    """

    entity: str
    columns: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    keys: tuple[Key, ...]
    guard: str = ""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What learning gives, kept as JSON: per comparison and level [m, u], and where it was learnt.

    ``people``: how many the sample was about, so that chances can be scaled to any size of city; ``lower`` and ``upper`` in bits:
    below lower strangers, from upper the same, between them a person looks.
    """

    entity: str
    levels: dict[str, dict[str, tuple[float, float]]]
    people: int
    lower: float
    upper: float
    learnt: dict[str, str] = {}


class Model(msgspec.Struct, frozen=True):
    """A shape with its weights."""

    shape: Shape
    weights: Weights

    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons with the learnt m and u in place."""
        given = self.weights.levels
        return tuple(
            msgspec.structs.replace(
                comparison,
                levels=tuple(
                    msgspec.structs.replace(
                        level, m=given[comparison.id][level.id][0], u=given[comparison.id][level.id][1]
                    )
                    for level in comparison.levels
                ),
            )
            for comparison in self.shape.comparisons
        )

    def prior_bits(self, people: int) -> float:
        """Bits before anything is compared: one in ``people`` is the person a record speaks of."""
        return -math.log2(max(people - 1, 1))

    def bits(self, level: Level, people: int) -> float:
        """What a level is worth in a city of ``people``, without the frequency of its value."""
        return math.log2(max(level.m, _SLIP) / self.chance(level, people))

    def chance(self, level: Level, people: int) -> float:
        """u of a level, scaled to the city."""
        if level.shrinks:  # at least one other person shares it, however few pairs the sample showed
            return min(1.0, max(level.u * self.weights.people, 1.0) / max(people, 1))
        return min(1.0, max(level.u, _SMALLEST))

    def weight_sql(self, people: int, comparison: Comparison) -> str:
        """The bits of one comparison as a SQL expression over ``*_l`` and ``*_r``."""
        arms: list[str] = [f"WHEN {comparison.absent} THEN 0e0"]
        for level in comparison.levels[:-1]:
            bits = f"{self.bits(level, people):.6f}e0"
            if level.tf:
                u = self.chance(level, people)
                bits = f"{bits} + coalesce(log2({u:.12g} / greatest({level.tf}_l, {level.tf}_r, {_SMALLEST})), 0.0)"
            arms.append(f"WHEN {level.when} THEN {bits}")
        return f"CASE {' '.join(arms)} ELSE {self.bits(comparison.levels[-1], people):.6f}e0 END"

    def total_sql(self, people: int) -> str:
        """The whole weight of a pair in bits as a SQL expression."""
        parts = (self.weight_sql(people, comparison) for comparison in self.comparisons())
        return " + ".join((f"({self.prior_bits(people):.6f}e0)", *parts))

    def guarded_sql(self, w: str) -> str:
        """A weight (SQL) as the machine may use it: where the guard holds, no more than a hundredth below ``upper``."""
        if not self.shape.guard:
            return w
        top = self.weights.upper
        return f"CASE WHEN {w} >= {top} AND ({self.shape.guard}) THEN {top - 0.01} ELSE {w} END"

    def level_sql(self, comparison: Comparison) -> str:
        """The place of the level that holds (0 first; -1 absent) as a SQL expression."""
        arms = [f"WHEN {comparison.absent} THEN -1"]
        arms += [f"WHEN {level.when} THEN {place}" for place, level in enumerate(comparison.levels[:-1])]
        return f"CASE {' '.join(arms)} ELSE {len(comparison.levels) - 1} END"


def fitted(shape: Shape, weights: Weights) -> Model:
    """A model from its parts. Errors: ModelUnfit when the weights are those of another structure."""
    wanted = {c.id: [level.id for level in c.levels] for c in shape.comparisons}
    found = {name: list(levels) for name, levels in weights.levels.items()}
    if weights.entity != shape.entity or {k: set(v) for k, v in wanted.items()} != {
        k: set(v) for k, v in found.items()
    }:
        missing = [
            f"{c}.{level}"
            for c, levels in wanted.items()
            for level in levels
            if level not in found.get(c, ())
        ]
        raise ModelUnfit(entity=shape.entity, missing="、".join(missing[:5]) or "比对项不同")
    return Model(shape, weights)


def plain(
    shape: Shape,
    levels: Mapping[str, Mapping[str, tuple[float, float]]],
    people: int,
    partners: float,
    lower: float,
    upper: float,
) -> Model:
    """A model from weights written by hand, for a place that has not learnt yet."""
    return fitted(shape, Weights(shape.entity, {c: dict(v) for c, v in levels.items()}, people, lower, upper))


def read_weights(path: Path) -> Weights:
    """Weights from a JSON file. Errors: ModelUnfit when it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Weights)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelUnfit(entity=path.name, missing=str(error)) from error


def write_weights(weights: Weights, path: Path) -> None:
    """Weights as JSON that people can read and compare."""
    text = msgspec.json.format(msgspec.json.encode(weights), indent=1)
    path.write_bytes(text + b"\n")
