"""What an official's case page shows, as frozen structs; ``case_maker`` fills them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .views_fix import FixedView
from .views_queue import RailView


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the decision card, shown again after an error."""

    verdict: str = ""
    reason: str = ""
    law: str = ""
    choices: Mapping[str, str] = {}


class ChoiceView(msgspec.Struct, frozen=True):
    value: str
    label: str
    detail: str


class PieceView(msgspec.Struct, frozen=True):
    text: str
    differs: bool


class SideView(msgspec.Struct, frozen=True):
    """One of two records side by side."""

    title: str
    pieces: list[PieceView]
    source: str


class ExceptionView(msgspec.Struct, frozen=True):
    """The thing to judge."""

    id: str
    says: str
    sides: list[SideView]
    rule: str
    formal: str
    version: str
    law: str
    choices: list[ChoiceView]
    chosen: str
    error: str


class FactView(msgspec.Struct, frozen=True):
    label: str
    value: str
    source: str


class LineView(msgspec.Struct, frozen=True):
    """One of the parallel items."""

    name: str
    unit: str
    word: str
    kind: str
    took: str
    here: bool
    href: str


class StageView(msgspec.Struct, frozen=True):
    name: str
    note: str
    state: str


class UsedView(msgspec.Struct, frozen=True):
    what: str
    who: str
    entry: int


class PastView(msgspec.Struct, frozen=True):
    when: str
    iso: str
    what: str
    who: str
    href: str = ""


class ClockView(msgspec.Struct, frozen=True):
    """The clock: what was promised, what the law allows, what is left; ``part`` of 100 is used."""

    promise: str
    left: str
    kind: str
    part: int
    statute: str


class StandingView(msgspec.Struct, frozen=True):
    """A decision that stands; ``undo`` is its id while this official may take it back."""

    says: str
    reason: str
    undo: int
    until: str


class CaseView(msgspec.Struct, frozen=True):
    """Everything on the page."""

    rail: RailView
    here: str
    number: str
    matter: str
    title: str
    position: str
    back: str
    forth: str
    tags: list[tuple[str, str]]
    meta: list[tuple[str, str]]
    clock: ClockView | None
    stages: list[StageView]
    item: str
    name: str
    version: int
    tabs: list[LineView]
    exceptions: list[ExceptionView]
    passed: list[str]
    facts: list[FactView]
    more: list[FactView]
    counted: str
    hidden: bool
    consents: list[FactView]
    items: list[LineView]
    waiting_here: str
    card: str
    verdicts: list[ChoiceView]
    why_not: str
    laws: list[ChoiceView]
    typed: Typed
    errors: list[tuple[str, str]]
    message: str
    standing: StandingView | None
    measures: list[tuple[str, str]]
    used: list[UsedView]
    not_read: list[str]
    history: list[PastView]
    done: str
    undo: str
    pressed: list[PastView]
    fixed: FixedView | None = None
