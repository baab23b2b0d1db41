"""Counties outside the city where residents were born or come from, with the codes of their time."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from dizuo.engines.lake.simulation.dice import Floats, Ints
from dizuo.engines.lake.simulation.text import Column, column


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Shapes: one row a county; `before` is the code until the year `since` (the same code when nothing changed)."""

    names: Column
    code: Ints
    before: Ints
    since: Ints
    weights: Floats

    def region(self, county: Ints, years: Ints) -> Ints:
        """The code under which somebody born there in that year was numbered (no number is older than 1984)."""
        return np.where(np.maximum(years, 1984) < self.since[county], self.before[county], self.code[county])


@cache
def elsewhere() -> Elsewhere:
    """The table, read once a process from the package's data."""
    text = (files("dizuo.engines.lake.simulation") / "data" / "regions.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    return Elsewhere(
        column([row[1] for row in rows]),
        np.array([int(row[0]) for row in rows], np.int64),
        np.array([int(row[3] or row[0]) for row in rows], np.int64),
        np.array([int(row[2] or 0) for row in rows], np.int64),
        np.cumsum([float(row[4]) for row in rows]),
    )
