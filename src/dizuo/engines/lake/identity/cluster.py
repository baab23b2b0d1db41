"""Clusters: who is one, from weighed pairs; strong pairs first, and never past what must not be.

Components are found by passing the least label along the pairs (numpy, no loop over pairs). Only components in which something
is wrong (two valid numbers, two birth dates, too many nodes, a pair that people judged to be different) are then put together
again pair by pair, the heaviest first, leaving out the pairs that would join what must stay apart; those go to review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
LARGEST: Final = 24
"""So many nodes (different writings of one person) are not believed without a look."""
MUST: Final = 1000.0
"""The weight of a pair that people judged to be one."""


@dataclass(frozen=True)
class Pairs:
    """Weighed pairs as three arrays of one length; ``w`` in bits."""

    left: Ints
    right: Ints
    w: Floats


@dataclass(frozen=True)
class Facts:
    """What must not be mixed: rows of (vertex, valid number), (vertex, birth as yyyymmdd), and pairs judged to be different.

    ``legal``: rows of (vertex, whoever represents an enterprise of which no number is known, by number and by name).
    ``alias``: a number that is documented to be a correction of another counts as that other.
    """

    number_of: Ints
    number: Ints
    birth_of: Ints
    birth: Ints
    apart: tuple[tuple[int, int], ...] = ()
    alias: Mapping[int, int] = field(default_factory=dict[int, int])
    legal_of: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    legal: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Held:
    """A pair strong enough to join that was not joined: why is two_numbers, two_births, uncertain, too_many or judged."""

    left: int
    right: int
    w: float
    why: str


@dataclass(frozen=True)
class Clusters:
    """``vertices`` that occur in pairs, in ascending order, each with its cluster's least vertex; and the pairs held back."""

    vertices: Ints
    labels: Ints
    held: tuple[Held, ...]


def cluster(
    pairs: Pairs, facts: Facts, size: Mapping[int, int] | None = None, largest: int = LARGEST
) -> Clusters:
    """Join vertices by ``pairs`` (all of them strong enough). Deterministic: ties are broken by the vertices themselves.

    ``size``: how many nodes a vertex stands for already, when it is an identity of yesterday (default 1).
    """
    vertices, compact = np.unique(np.concatenate([pairs.left, pairs.right]), return_inverse=True)
    half = len(pairs.left)
    left, right = compact[:half], compact[half:]
    labels = components(len(vertices), left, right)
    wrong = _suspect(vertices, labels, facts, size or {}, largest)
    if not len(wrong):
        return Clusters(vertices, vertices[labels], ())
    bad = np.zeros(len(vertices), dtype=bool)
    bad[wrong] = True
    mine = np.flatnonzero(bad[labels[left]])
    order = mine[np.lexsort((pairs.right[mine], pairs.left[mine], -pairs.w[mine]))]
    careful = _Careful(vertices, facts, size or {}, largest, set(np.flatnonzero(bad[labels]).tolist()))
    held = [
        Held(int(pairs.left[i]), int(pairs.right[i]), float(pairs.w[i]), why)
        for i in order.tolist()
        if (why := careful.join(int(left[i]), int(right[i]), float(pairs.w[i])))
    ]
    for vertex in careful.vertices:
        labels[vertex] = careful.least(vertex)
    return Clusters(vertices, vertices[labels], tuple(held))


def components(count: int, left: Ints, right: Ints) -> Ints:
    """The least vertex of each vertex's component, by hooking and pointer jumping over whole arrays."""
    labels = np.arange(count, dtype=np.int64)
    while True:
        a, b = labels[left], labels[right]
        moving = a != b
        if not moving.any():
            return labels
        a, b = a[moving], b[moving]
        left, right = left[moving], right[moving]
        np.minimum.at(labels, np.maximum(a, b), np.minimum(a, b))
        while True:
            jumped = labels[labels]
            if np.array_equal(jumped, labels):
                break
            labels = jumped


def _suspect(vertices: Ints, labels: Ints, facts: Facts, size: Mapping[int, int], largest: int) -> Ints:
    """Labels of the components that need a careful look."""
    counts = np.bincount(labels, minlength=len(vertices))
    if size:
        for vertex, nodes in size.items():
            place = int(np.searchsorted(vertices, vertex))
            if place < len(vertices) and vertices[place] == vertex:
                counts[labels[place]] += nodes - 1
    found = [np.flatnonzero(counts > largest)]
    number = facts.number
    if facts.alias:
        number = np.fromiter((facts.alias.get(n, n) for n in number.tolist()), np.int64, len(number))
    for of, value in (
        (facts.number_of, number),
        (facts.birth_of, facts.birth),
        (facts.legal_of, facts.legal),
    ):
        place = np.searchsorted(vertices, of)
        place[place == len(vertices)] = 0
        here = vertices[place] == of if len(vertices) else np.zeros(len(of), dtype=bool)
        both = (
            np.unique(np.stack([labels[place[here]], value[here]]), axis=1)
            if here.any()
            else np.zeros((2, 0), np.int64)
        )
        label, times = np.unique(both[0], return_counts=True)
        found.append(label[times > 1])
    for one, other in facts.apart:
        places = np.searchsorted(vertices, [one, other])
        if (places < len(vertices)).all() and (vertices[places] == [one, other]).all():
            found.append(labels[places[:1]])
    return np.unique(np.concatenate(found)).astype(np.int64)


class _Careful:
    """Union-find that looks before it joins."""

    def __init__(
        self, vertices: Ints, facts: Facts, size: Mapping[int, int], largest: int, among: set[int]
    ) -> None:
        self.vertices = sorted(among)
        self._largest = largest
        self._parent = {vertex: vertex for vertex in self.vertices}
        self._size = {vertex: size.get(int(vertices[vertex]), 1) for vertex in self.vertices}
        place = {int(vertices[vertex]): vertex for vertex in self.vertices}
        self._numbers: dict[int, set[int]] = {}
        self._births: dict[int, set[int]] = {}
        self._legal: dict[int, set[int]] = {}
        self._apart: dict[int, set[int]] = {}
        for of, value in zip(facts.number_of.tolist(), facts.number.tolist(), strict=True):
            if of in place:
                self._numbers.setdefault(place[of], set()).add(facts.alias.get(value, value))
        for of, value in zip(facts.birth_of.tolist(), facts.birth.tolist(), strict=True):
            if of in place:
                self._births.setdefault(place[of], set()).add(value)
        for of, value in zip(facts.legal_of.tolist(), facts.legal.tolist(), strict=True):
            if of in place:
                self._legal.setdefault(place[of], set()).add(value)
        for one, other in facts.apart:
            if one in place and other in place:
                self._apart.setdefault(place[one], set()).add(place[other])
                self._apart.setdefault(place[other], set()).add(place[one])

    def least(self, vertex: int) -> int:
        """The least vertex of its cluster."""
        while self._parent[vertex] != vertex:
            self._parent[vertex] = self._parent[self._parent[vertex]]
            vertex = self._parent[vertex]
        return vertex

    def join(self, left: int, right: int, w: float) -> str:
        """Join two clusters; returns why not, or an empty text."""
        one, other = sorted((self.least(left), self.least(right)))
        if one == other:
            return ""
        why = self._against(one, other)
        if why and not (w >= MUST and why != "judged"):
            return why
        self._parent[other] = one
        self._size[one] += self._size[other]
        for kept in (self._numbers, self._births, self._legal):
            if other in kept:
                kept[one] = kept.get(one, set()) | kept.pop(other)
        for enemy in self._apart.pop(other, set()):
            self._apart.setdefault(one, set()).add(enemy)
            self._apart.setdefault(enemy, set()).add(one)
        return ""

    def _against(self, one: int, other: int) -> str:
        if any(self.least(enemy) == other for enemy in self._apart.get(one, ())):
            return "judged"
        numbers = self._numbers.get(one, set()), self._numbers.get(other, set())
        # An identity holds two numbers only where people said that one corrects the other.
        if numbers[0] and numbers[1] and numbers[0].isdisjoint(numbers[1]):
            return "two_numbers"
        births = self._births.get(one, set()), self._births.get(other, set())
        if births[0] and births[1] and not any(_compatible(a, b) for a in births[0] for b in births[1]):
            return "two_births"
        legal = self._legal.get(one, set()), self._legal.get(other, set())
        # No third record may join what the guard keeps apart: one name at one door, two people who answer for it.
        if legal[0] and legal[1] and legal[0].isdisjoint(legal[1]):
            return "uncertain"
        if self._size[one] + self._size[other] > self._largest:
            return "too_many"
        return ""


def _compatible(one: int, other: int) -> bool:
    """Whether two birth dates may be one written twice: at least two parts agree, or day and month are exchanged."""
    a, b = (one // 10_000, one // 100 % 100, one % 100), (other // 10_000, other // 100 % 100, other % 100)
    return sum(x == y for x, y in zip(a, b, strict=True)) >= 2 or a == (b[0], b[2], b[1])
