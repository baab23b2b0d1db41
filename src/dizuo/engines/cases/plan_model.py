"""What a plan is: which items apply, what they need, what is asked, what is read, and when it will be done."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dizuo.engines.registers import Fact, PartyState
from dizuo.foundation.blueprint.model import Baseline, Place, ServicePlace, Words
from dizuo.foundation.kernel.clocks import Deadline, Unknown

Value = object
"""A typed value of the expression language: text, Decimal, bool, date, datetime, list, context or None."""


class Known(msgspec.Struct, frozen=True):
    """What has been read so far: parties by id, facts by ``party.field``. A fact that is absent was not read."""

    parties: Mapping[str, PartyState]
    facts: Mapping[str, Fact]


class Unmet(msgspec.Struct, frozen=True):
    """A condition of the matter (办理条件) that does not hold, in the city's words."""

    words: Words
    place: Place


class PlannedOption(msgspec.Struct, frozen=True):
    """One answer on offer. ``label`` and ``detail`` are ready to show."""

    value: str
    label: Words
    detail: Words


class PlannedQuestion(msgspec.Struct, frozen=True):
    """A question that must be answered now; questions of one group share a number."""

    id: str
    number: int
    asks: Words
    hint: Words
    reason: Words
    type: str
    options: tuple[PlannedOption, ...]
    more: int
    value: str | None
    group: str
    autofill: str
    max_length: int
    check: str
    error: str | None = None


class Silent(msgspec.Struct, frozen=True):
    """A fact that its register does not hold, and is therefore asked, with the reason."""

    question: str
    fact: str
    reason: Words


class PlannedItem(msgspec.Struct, frozen=True):
    """One item (事项) as planned. ``applies`` is None while an answer or a fact is missing to decide it."""

    id: str
    name: Words
    applies: bool | None
    why: Words
    needs_facts: tuple[str, ...]
    needs_answers: tuple[str, ...]
    waits_for: tuple[str, ...]
    department: str
    unit_place: str | None
    statute: Deadline | Unknown | None
    promise: Deadline | Unknown | None
    done_already: bool
    instant: bool


class PlannedMaterial(msgspec.Struct, frozen=True):
    """A paper that the applicant must still bring."""

    id: str
    item: str
    name: Words


class PlannedConsent(msgspec.Struct, frozen=True):
    """Another party who must agree before some items can start (共同同意); ``keys`` are the parties' record keys."""

    id: str
    parties: tuple[str, ...]
    items: tuple[str, ...]
    asks: Words
    keys: tuple[str, ...]


class PlannedLine(msgspec.Struct, frozen=True):
    """One prefilled line: what it is called, its text, and the facts it came from."""

    label: Words
    text: Words
    type: str
    facts: tuple[str, ...]


class PlannedShow(msgspec.Struct, frozen=True):
    """A group of prefilled lines."""

    id: str
    name: Words
    folded: bool
    lines: tuple[PlannedLine, ...]


class Counts(msgspec.Struct, frozen=True):
    """Effort after (these numbers) and before (``baseline``).

    asked: fields to fill; questions: numbered questions; known: facts filled by the city; needed: both;
    links: what the applicant goes through (submit, another's consent, visits, delivery); days: workdays
    until the promised date, None when it is unknown.
    """

    asked: int
    questions: int
    known: int
    needed: int
    materials: int
    visits: int
    links: int
    days: int | None
    baseline: Baseline


class Plan(msgspec.Struct, frozen=True):
    """The whole plan of one matter for one applicant at one moment; pure result, nothing stored."""

    matter: str
    version: str
    eligible: tuple[Unmet, ...]
    undecided: tuple[str, ...]
    items: tuple[PlannedItem, ...]
    questions: tuple[PlannedQuestion, ...]
    silent: tuple[Silent, ...]
    facts: Mapping[str, Fact]
    not_read: tuple[tuple[str, Words], ...]
    promised: Deadline | Unknown | None
    consents: tuple[PlannedConsent, ...]
    materials: tuple[PlannedMaterial, ...]
    shows: tuple[PlannedShow, ...]
    counts: Counts
    choose: tuple[str, ...]
    title: str | None
    place: str | None

    def item(self, item_id: str) -> PlannedItem:
        """The planned item of that id. Errors: KeyError."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    @property
    def applied(self) -> tuple[PlannedItem, ...]:
        """Items that will be applied for: they apply and are not done yet."""
        return tuple(item for item in self.items if item.applies and not item.done_already)


class Wanted(msgspec.Struct, frozen=True):
    """What may be read next, and for which items: ``party.field``, and parties of which only the existence counts."""

    items: tuple[str, ...]
    facts: frozenset[str]
    parties: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        return not self.facts and not self.parties


def place_context(place: ServicePlace) -> dict[str, Value]:
    """A chosen place as expressions see it: {id, name, division, address, hours, phone}."""
    return {
        "id": place.id,
        "name": place.name,
        "division": place.division,
        "address": place.address,
        "hours": place.hours,
        "phone": place.phone,
    }
