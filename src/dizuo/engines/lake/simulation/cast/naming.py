"""Names of the cast's families, drawn from the same table of words as everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from dizuo.engines.lake.simulation.alphabet import Span, alphabet
from dizuo.engines.lake.simulation.dice import Floats
from dizuo.engines.lake.simulation.text import listed


@dataclass(frozen=True, slots=True)
class Name:
    """A full name with its two parts; `surname` is empty for peoples who have none."""

    full: str
    surname: str
    given: str


class Namer:
    """Draws names; the same random generator gives the same names."""

    def __init__(self) -> None:
        self._table = alphabet()
        self._words = [str(word) for word in listed(self._table.words)]
        table = self._table
        self._weights = {
            id(one): [float(w) for w in one]
            for one in (table.surname_weights, table.male_weights, table.female_weights)
        }

    def name(self, rng: Random, sex: str, surname: str | None = None) -> Name:
        """A Han name for someone of `sex` ("1" male, "2" female); `surname` fixes a family's."""
        table = self._table
        weights = table.male_weights if sex == "1" else table.female_weights
        family = surname or self.surname(rng)
        given = self._drawn(rng, table.given, weights)
        if rng.random() < 0.8:
            given += self._drawn(rng, table.given, weights)
        return Name(family + given, family, given)

    def surname(self, rng: Random) -> str:
        return self._drawn(rng, self._table.surnames, self._table.surname_weights)

    def _drawn(self, rng: Random, span: Span, cumulated: Floats) -> str:
        place = rng.choices(range(span.size), cum_weights=self._weights[id(cumulated)])[0]
        return self._words[span.start + place]
