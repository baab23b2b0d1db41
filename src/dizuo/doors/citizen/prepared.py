"""What is already prepared for somebody: matters whose occasion the registers know, planned with true counts.

A matter has an occasion when it requires a record besides the person's own, as a newborn's registration requires a
certificate that still waits. Looking it up is a read like any other and is entered, so the answer is kept for a
quarter of an hour and the front page does not read again on every visit.
"""

from __future__ import annotations

import time
from collections import OrderedDict

import msgspec

from dizuo.engines.cases import Cases, Form, open_form
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Matter
from dizuo.foundation.kernel.errors import Refused

KEEP_SECONDS = 900.0
KEEP_PEOPLE = 20_000


class Prepared(msgspec.Struct, frozen=True):
    """One matter ready to confirm: facts known, questions left, items; ``choose`` counts records to choose from."""

    matter: str
    known: int
    asked: int
    items: int
    choose: int


class PreparedShelf:
    """What was found for whom, for a while; one per process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[float, tuple[Prepared, ...]]] = OrderedDict()

    async def of(self, cases: Cases, actor: Actor) -> tuple[Prepared, ...]:
        """Everything prepared for the person. A refused read prepares nothing."""
        subject = actor.subject or 0
        kept = self._kept.get(subject)
        if kept is not None and time.monotonic() - kept[0] < KEEP_SECONDS:
            return kept[1]
        found: list[Prepared] = []
        for matter in cases.city.matters.values():
            if has_occasion(matter):
                one = await _prepare(cases, actor, matter)
                if one is not None:
                    found.append(one)
        self._kept[subject] = (time.monotonic(), tuple(found))
        self._kept.move_to_end(subject)
        while len(self._kept) > KEEP_PEOPLE:
            self._kept.popitem(last=False)
        return tuple(found)

    def forget(self, subject: int) -> None:
        """Look again next time: something was submitted, corrected or decided."""
        self._kept.pop(subject, None)


def has_occasion(matter: Matter) -> bool:
    """Whether the registers can know that it is time for this matter."""
    return matter.audience == "person" and any(party.required and not party.given for party in matter.parties)


async def _prepare(cases: Cases, actor: Actor, matter: Matter) -> Prepared | None:
    try:
        form: Form = await open_form(cases, actor, matter.id, {}, {}, case=f"home:{matter.id}")
    except Refused:
        return None
    plan = form.plan
    if plan.choose:
        return Prepared(matter.id, 0, 0, 0, max(len(form.known.parties[p].candidates) for p in plan.choose))
    if plan.eligible or not plan.applied:
        return None
    return Prepared(matter.id, plan.counts.known, plan.counts.questions, len(plan.applied), 0)
