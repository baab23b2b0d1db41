"""Runtime facts of a case: frozen, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from dizuo.engines.cases.compiled import CompiledMatter
from dizuo.engines.cases.states import ApplicationState, ItemState
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.clocks import ClockState

Channel = Literal["online", "window", "phone"]
Verdict = Literal["grant", "refuse"]


class Application(msgspec.Struct, frozen=True):
    """One application (办件): one number for the applicant, whatever the number of items.

    ``holder_name`` is whom it is for: the applicant, or the enterprise or person acted for.
    """

    id: int
    number: str
    matter: str
    applicant: int
    applicant_name: str
    acting_for: int | None
    holder_name: str
    channel: str
    served_by: str | None
    given: Mapping[str, str]
    place: str
    title: str
    state: ApplicationState
    promised: datetime | None
    submitted_at: datetime
    ended_at: datetime | None
    version: int


class ItemRow(msgspec.Struct, frozen=True):
    """One item of an application: its state, its clock, and what it waits for."""

    id: str
    department: str
    unit: str
    state: ItemState
    before: ItemState | None
    waits: tuple[str, ...]
    consents: tuple[str, ...]
    steps_done: tuple[str, ...]
    passed: tuple[str, ...]
    exceptions: tuple[str, ...]
    clock: ClockState | None
    received_at: datetime | None
    started_at: datetime | None
    due_promise: datetime | None
    due_statute: datetime | None
    paused: bool
    fix_asked_at: datetime | None
    decided_at: datetime | None
    ended_at: datetime | None
    version: int


class Case(msgspec.Struct, frozen=True):
    """An application with its items and answers, as locked in a transaction or as read."""

    application: Application
    items: Mapping[str, ItemRow]
    answers: Mapping[str, str]
    ready: CompiledMatter


class Receipt(msgspec.Struct, frozen=True):
    """What the applicant gets for a submission that is on disk (受理回执)."""

    number: str
    title: str
    submitted_at: datetime
    promised: datetime | None
    items: tuple[str, ...]
    again: bool


class Choice(msgspec.Struct, frozen=True):
    """An official's choice at one exception: the check and the declared way out."""

    check: str
    choice: str


class Decided(msgspec.Struct, frozen=True):
    """A decision that was entered: it takes effect at ``final_at`` unless it is undone before."""

    id: int
    number: str
    item: str
    verdict: str
    at: datetime
    final_at: datetime
    says: str


class FixWant(msgspec.Struct, frozen=True):
    """One thing that the applicant must add or change (补正内容), and on which rule.

    ``question`` is set when an answer of the form is to be changed, ``material`` when a paper is missing.
    """

    what: str
    why: str
    law: str
    question: str = ""
    material: str = ""


class ByClerk(msgspec.Struct, frozen=True):
    """窗口代办: the clerk who acts for a person present, and the proof of identity that was seen."""

    clerk: Actor
    proof: str

    def as_kept(self) -> Mapping[str, str]:
        """What is kept of it with the case: official, name, post, unit, place, proof."""
        clerk = self.clerk
        return {
            "official": clerk.official or "",
            "name": clerk.name,
            "post": clerk.post or "",
            "unit": clerk.unit or "",
            "place": clerk.place,
            "proof": self.proof,
        }


class ConsentRow(msgspec.Struct, frozen=True):
    """Another party's consent (共同同意) as it stands."""

    id: str
    party: str
    subject: int
    items: tuple[str, ...]
    asks: str
    law: str
    state: str
    asked_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    round: int
