"""How the items of an application ended: done, refused or withdrawn. What was refused is never counted as done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from dizuo.engines.cases.context import Cases
from dizuo.engines.cases.errors import CaseNotFound
from dizuo.engines.cases.states import ItemState
from dizuo.engines.registers import Actor
from dizuo.foundation.store import Queries

ENDINGS: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "endings.sql")
_DONE = frozenset({ItemState.DONE, ItemState.FORWARDED, ItemState.ARCHIVED})
_REFUSED = frozenset({ItemState.REFUSED, ItemState.NOT_ACCEPTED, ItemState.SENT_BACK})
_DROPPED = frozenset({ItemState.WITHDRAWN, ItemState.VOID})


class Endings(msgspec.Struct, frozen=True):
    """Counts of items: all of them, done (办好), refused (不予办理、不予受理、退件), dropped (撤回、作废)."""

    total: int
    done: int
    refused: int
    dropped: int


def count_endings(states: Iterable[ItemState]) -> Endings:
    """Counts of these states; what is none of the three still goes on."""
    known = list(states)
    done, refused, dropped = (sum(state in kind for state in known) for kind in (_DONE, _REFUSED, _DROPPED))
    return Endings(len(known), done, refused, dropped)


async def endings_of(cases: Cases, actor: Actor, numbers: Sequence[str]) -> Mapping[str, Endings]:
    """The endings of a person's own applications (or the enterprise's acted for) by number."""
    if actor.subject is None:
        raise CaseNotFound()
    if not numbers:
        return {}
    rows = await cases.pool.fetch(ENDINGS["states_of"], actor.subject, actor.acting_for, list(numbers))
    states: dict[str, list[ItemState]] = {}
    for row in rows:
        states.setdefault(row["number"], []).append(ItemState(row["state"]))
    return {number: count_endings(found) for number, found in states.items()}
