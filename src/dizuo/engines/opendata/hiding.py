"""Small cells: hide them, hide as many others as it takes that nobody works them out, and find out whether somebody can.

Whoever knows the totals has one equation per total. What is hidden can be worked out exactly if the equations leave it no
choice; so the test is linear algebra over the hidden cells, not a look at each total alone. Counts are compared with
integers and fractions: no rounding decides about a disclosure.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from dizuo.engines.opendata.counted import Key, Table

_MOST_UNKNOWNS = 4_000


def small_cells(made: Table, least: int) -> frozenset[Key]:
    """Cells and totals from 1 to below ``least`` that are shown."""
    shown = [*made.cells.items(), *made.totals.items()]
    return frozenset(key for key, number in shown if number is not None and 0 < number < least)


def worked_out(made: Table, truth: Mapping[Key, int] | None = None, least: int = 0) -> frozenset[Key]:
    """The hidden cells that the totals give away.

    A cell is given away when the equations fix it, or when all that a total hides together is below ``least`` (``truth``
    knows the hidden numbers; without it only the equations are looked at).
    """
    unknown = [key for key, number in [*made.cells.items(), *made.totals.items()] if number is None]
    place = {key: at for at, key in enumerate(unknown)}
    equations: list[dict[int, Fraction]] = []
    given: set[Key] = set()
    for total, members in made.groups():
        hidden = [key for key in members if made.cells[key] is None]
        whole = made.totals[total] is not None
        if not hidden:
            if not whole:
                given.add(total)
            continue
        row = {place[key]: Fraction(1) for key in hidden}
        if not whole:
            row[place[total]] = Fraction(-1)
        elif truth is not None and 0 < sum(truth[key] for key in hidden) < least:
            given.update(hidden)
        equations.append(row)
    for at in _fixed(equations):
        given.add(unknown[at])
    return frozenset(given)


def _fixed(equations: list[dict[int, Fraction]]) -> list[int]:
    """The unknowns with one possible value: those alone in a row of the reduced form (Gauss, sparse)."""
    reduced: dict[int, dict[int, Fraction]] = {}
    for equation in equations:
        row = dict(equation)
        for pivot in [at for at in row if at in reduced]:
            if pivot in row:
                _take(row, reduced[pivot], row[pivot])
        if not row:
            continue
        pivot = min(row)
        factor = row[pivot]
        row = {at: value / factor for at, value in row.items()}
        for other in reduced.values():
            if pivot in other:
                _take(other, row, other[pivot])
        reduced[pivot] = row
        if len(reduced) > _MOST_UNKNOWNS:
            break
    return [pivot for pivot, row in reduced.items() if len(row) == 1]


def _take(row: dict[int, Fraction], other: Mapping[int, Fraction], times: Fraction) -> None:
    for at, value in other.items():
        left = row.get(at, Fraction(0)) - times * value
        if left:
            row[at] = left
        else:
            row.pop(at, None)


def hidden(made: Table, least: int) -> Table:
    """The table with its small cells hidden, and the smallest others that it takes that none can be worked out.

    A total that is small is hidden too. Ends always: each round hides at least one cell more.
    """
    small = small_cells(made, least)
    truth = {key: number or 0 for key, number in [*made.cells.items(), *made.totals.items()]}
    gone = set(small)
    while True:
        now = Table(
            {key: None if key in gone else number for key, number in made.cells.items()},
            {key: None if key in gone else number for key, number in made.totals.items()},
            small,
        )
        open_ = worked_out(now, truth, least)
        if not open_:
            return now
        gone |= _more(now, truth, open_)


def _more(now: Table, truth: Mapping[Key, int], open_: frozenset[Key]) -> set[Key]:
    """For every total through which something is given away: one more of its cells, the smallest that says something."""
    found: set[Key] = set()
    for total, members in now.groups():
        touched = total in open_ or any(key in open_ for key in members)
        if not touched or any(key in found for key in members):
            continue
        shown = [key for key in members if now.cells[key] is not None]
        # An empty cell helps nobody to hide: it is known to be empty far too often.
        best = sorted(shown, key=lambda key: (truth[key] == 0, truth[key], key))
        if best:
            found.add(best[0])
        elif now.totals[total] is not None:
            found.add(total)
    if not found:
        found.update(total for total, _ in now.groups() if now.totals[total] is not None)
    return found
