"""How a column becomes standard: a few stages of expressions over the table, all columns of a source side by side.

Every stage is one SELECT over the one before, so that nothing is computed twice. A stage names its columns after the
column it works on (`<id>__…`); the last one leaves the value under `<id>__value`, a fault's code under `<id>__fault`
and further parts under the names that the lake's contract gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dizuo.engines.lake.standard.characters import SPACES, UNSEEN, Table
from dizuo.engines.lake.standard.terms import Rows, Text, Truth, Value, ibis

Term = Callable[[Rows], Value]
Stage = Mapping[str, Term]

MAX_CELL = 4_000
_EDGES = f"^[{SPACES}{UNSEEN}]+|[{SPACES}{UNSEEN}]+\\z"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The stages of one column. ``parts`` are the columns of the standard row that it yields beside its value."""

    stages: tuple[Stage, ...]
    parts: tuple[str, ...] = ()


def text(table: Rows, name: str) -> Text:
    """A text column of a table."""
    return table[name]


def either(*branches: tuple[Truth, Value | str | int | None], other: object) -> Value:
    """CASE: the first branch that holds; the engines compute a branch only for the rows that take it."""
    return ibis.cases(*branches, else_=other)


def nothing(kind: str = "string") -> Value:
    return ibis.null(kind)


def emptied(value: Text) -> Text:
    """Null for an empty text."""
    return value.nullif("")


def trimmed(value: Text) -> Text:
    """Without blanks and unseen characters at both ends; null when nothing is left."""
    return emptied(value.re_replace(_EDGES, ""))


def written(value: Text, table: Table) -> Text:
    """The text with the characters of a table replaced, where it has any."""
    return either((value.re_search(table.needed), value.translate(table.source, table.target)), other=value)


def joined(*pieces: Text | str) -> Text:
    """Texts one after the other; null when any is null."""
    first = pieces[0]
    start = ibis.literal(first) if isinstance(first, str) else first
    return start.concat(*pieces[1:]) if len(pieces) > 1 else start


def staged(table: Rows, recipes: Sequence[Recipe]) -> Rows:
    """The table with every recipe's columns, stage by stage."""
    depth = max((len(recipe.stages) for recipe in recipes), default=0)
    for level in range(depth):
        columns: dict[str, Value] = {}
        for recipe in recipes:
            if level < len(recipe.stages):
                columns |= {name: term(table) for name, term in recipe.stages[level].items()}
        table = table.mutate(**columns)
    return table


@contextmanager
def stages_kept() -> Iterator[None]:
    """Compile within it: Ibis would otherwise merge the stages into one SELECT and write shared parts many times."""
    before = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = before
