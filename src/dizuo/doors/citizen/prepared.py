"""What is already prepared for somebody: matters whose occasion the registers know, planned with true counts.

A matter has an occasion when it requires a record besides the person's own, as a newborn's registration requires a
certificate that still waits. That record alone is looked for first; only where it exists is the form planned. Either
is a read like any other and entered, so the answer is kept: an occasion for a quarter of an hour, and that there is
none for four hours, because departments deliver a few times a day.
"""

from __future__ import annotations

import time
from collections import OrderedDict

import msgspec

from dizuo.engines.cases import Cases, Home, first_look, occasion_of, open_form
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Matter
from dizuo.foundation.kernel.errors import Refused

KEEP_SECONDS = 900.0
KEEP_NOTHING_SECONDS = 4 * 3600.0
KEEP_PEOPLE = 20_000
AT_HOME = "home:"
"""The case of a read for the front page is this and the matter."""

_Applied = frozenset[tuple[str, bool]]


class Prepared(msgspec.Struct, frozen=True):
    """One matter ready to confirm: facts known, questions left, items; ``choose`` counts records to choose from."""

    matter: str
    known: int
    asked: int
    items: int
    choose: int


class _Kept(msgspec.Struct, frozen=True):
    """An answer, until when it is good, and the person's own applications for the matter when it was found."""

    until: float
    applied: _Applied
    found: Prepared | None


class PreparedShelf:
    """What was found for whom, for a while; one per process, on the application's state."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, dict[str, _Kept]] = OrderedDict()

    async def of(self, cases: Cases, actor: Actor, mine: Home) -> tuple[Prepared, ...]:
        """Everything prepared for the person; ``mine`` is what they applied for. A refused read prepares nothing."""
        subject = actor.subject or 0
        kept = self._kept.setdefault(subject, {})
        self._kept.move_to_end(subject)
        while len(self._kept) > KEEP_PEOPLE:
            self._kept.popitem(last=False)
        found = [
            await _one(cases, actor, matter, kept, _applied(mine, matter.id))
            for matter in cases.city.matters.values()
            if has_occasion(cases, matter)
        ]
        return tuple(one for one in found if one is not None)

    def forget(self, subject: int) -> None:
        """Look again next time: a record is about to change."""
        self._kept.pop(subject, None)


async def _one(
    cases: Cases, actor: Actor, matter: Matter, kept: dict[str, _Kept], applied: _Applied
) -> Prepared | None:
    last, now = kept.get(matter.id), time.monotonic()
    # Whatever was submitted or ended meanwhile, in this process or another, makes the answer old.
    if last is not None and now < last.until and last.applied == applied:
        return last.found
    found = None if _only_one(matter, applied) else await _prepare(cases, actor, matter)
    good = KEEP_NOTHING_SECONDS if found is None else KEEP_SECONDS
    kept[matter.id] = _Kept(now + good, applied, found)
    return found


def has_occasion(cases: Cases, matter: Matter) -> bool:
    """Whether the registers can know that it is time for this matter; no read for any other."""
    return matter.audience == "person" and first_look(cases.matter(matter.id)) is not None


def _applied(mine: Home, matter: str) -> _Applied:
    lines = (*mine.running, *mine.ended)
    return frozenset((line.number, line.state.ended) for line in lines if line.matter == matter)


def _only_one(matter: Matter, applied: _Applied) -> bool:
    """Whether an application that runs leaves nothing else to apply for: known without a read.

    Of records to choose from (twins' certificates) another may still wait.
    """
    several = any(party.required and party.pick == "choose" for party in matter.parties)
    return not several and any(not ended for _, ended in applied)


async def _prepare(cases: Cases, actor: Actor, matter: Matter) -> Prepared | None:
    case = AT_HOME + matter.id
    try:
        occasion = await occasion_of(cases, actor, matter.id, case)
        if occasion is None:
            return None
        if occasion.choose:
            return Prepared(matter.id, 0, 0, 0, occasion.records)
        plan = (await open_form(cases, actor, matter.id, {}, {}, case=case)).plan
    except Refused:
        return None
    if plan.choose or plan.eligible or not plan.applied:
        return None
    return Prepared(matter.id, plan.counts.known, plan.counts.questions, len(plan.applied), 0)
