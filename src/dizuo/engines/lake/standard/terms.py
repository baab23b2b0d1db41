"""Ibis, as this package speaks of it.

Ibis annotates its methods more narrowly than it takes arguments (a text where it says StringValue), so that a strict
checker refuses its plain use. The names below say what is meant; the checker lets them pass, the tests do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import ibis as _ibis

Rows = Any
"""A table expression."""
Value = Any
"""A column expression of any type."""
Text = Any
Truth = Any
Whole = Any
"""Column expressions of text, boolean and whole numbers."""

ibis: Any = _ibis
Engine = Any
"""An Ibis backend: DuckDB, Spark."""


def every(truths: Iterable[Truth]) -> Truth:
    return reduce(lambda a, b: a & b, truths)


def some(truths: Iterable[Truth]) -> Truth:
    return reduce(lambda a, b: a | b, truths)


def total(numbers: Iterable[Whole]) -> Whole:
    return reduce(lambda a, b: a + b, numbers)
