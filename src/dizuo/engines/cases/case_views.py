"""The pieces of an official's case page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.compare import Marks
from dizuo.engines.cases.model import ConsentRow
from dizuo.engines.cases.reads_progress import EventLine, FixView
from dizuo.engines.cases.states import ItemState
from dizuo.engines.registers import Refusal
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clocks import Level


class FactView(msgspec.Struct, frozen=True):
    """One fact with its source: which register said it, from when, and the ledger entry of this read."""

    fact: str
    party: Words
    label: Words
    text: Words
    type: str
    register: str
    source: Words
    as_of: Any
    entry: int


class ComparedView(msgspec.Struct, frozen=True):
    """One side of a comparison."""

    fact: FactView
    marks: Marks


class ChoiceView(msgspec.Struct, frozen=True):
    """A declared way out of an exception."""

    id: str
    name: Words
    detail: Words
    effect: str


class ExceptionView(msgspec.Struct, frozen=True):
    """A check that did not hold: what to judge, the two records, the rule in Chinese, and the ways out."""

    check: str
    says: Words
    rule: str
    law: str
    compare: tuple[ComparedView, ...]
    choices: tuple[ChoiceView, ...]


class DecisionLine(msgspec.Struct, frozen=True):
    """A decision that stands; ``undo_until`` is set while its official may still take it back."""

    id: int
    verdict: str
    reason: str
    law: str
    remedy: str
    official_name: str
    at: datetime
    undo_until: datetime | None
    mine: bool


class PressedLine(msgspec.Struct, frozen=True):
    """督办: who pressed, when and why."""

    at: datetime
    who: str
    reason: str


class DeskItem(msgspec.Struct, frozen=True):
    """One item that this post covers, with the work that is open on it."""

    id: str
    name: Words
    state: ItemState
    version: int
    task: str | None
    step: str | None
    step_name: Words | None
    unit_name: str
    due_promise: datetime | None
    due_statute: datetime | None
    level: Level | None
    left: str
    paused: bool
    exceptions: tuple[ExceptionView, ...]
    passed: tuple[Words, ...]
    facts: tuple[FactView, ...]
    fix: FixView | None
    decision: DecisionLine | None
    may_decide: bool
    may_fix: bool
    may_extend: bool
    may_special: bool
    laws: tuple[tuple[str, str], ...]
    granted: Words
    pressed: tuple[PressedLine, ...] = ()


class OtherItem(msgspec.Struct, frozen=True):
    """An item of the same case as a line: who has it and where it stands."""

    id: str
    name: Words
    department: Words
    word: str
    ended_at: datetime | None
    covered: bool


class CasePage(msgspec.Struct, frozen=True):
    """Everything on an official's case page."""

    number: str
    matter: str
    matter_name: Words
    title: str
    applicant: str
    channel: str
    submitted_at: datetime
    promised: datetime | None
    post: str
    items: tuple[DeskItem, ...]
    others: tuple[OtherItem, ...]
    answers: tuple[tuple[Words, str], ...]
    consents: tuple[ConsentRow, ...]
    history: tuple[EventLine, ...]
    refusals: tuple[Refusal, ...]
    entries: tuple[int, ...]
