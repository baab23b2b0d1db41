"""What the prefilled form shows, as facts: fields, questions, prefilled groups, items, consent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

ANSWER = "a."
GIVEN = "g."


class OptionView(msgspec.Struct, frozen=True):
    value: str
    label: str
    detail: str


class FieldView(msgspec.Struct, frozen=True):
    """One field: a choice or a line of text."""

    id: str
    name: str
    number: int
    kind: str
    label: str
    small: str
    hint: str
    error: str
    value: str
    options: list[OptionView]
    short: bool
    more: str
    size: str
    max_length: int
    autocomplete: str
    input_mode: str
    input_type: str


class QuestionView(msgspec.Struct, frozen=True):
    """One numbered question: one field, or several under one legend."""

    number: int
    label: str
    reason: str
    error: bool
    fields: list[FieldView]


class LineView(msgspec.Struct, frozen=True):
    label: str
    value: str
    source: str
    wrong: str


class GroupView(msgspec.Struct, frozen=True):
    """Prefilled facts under one heading; one source for all, or each line its own."""

    name: str
    source: str
    wrong: str
    lines: list[LineView]


class ChooseView(msgspec.Struct, frozen=True):
    """Several records fit a party: the applicant chooses one first (twins)."""

    id: str
    name: str
    legend: str
    hint: str
    error: str
    value: str
    options: list[OptionView]


class ItemView(msgspec.Struct, frozen=True):
    name: str
    note: str
    state: str


class ConsentView(msgspec.Struct, frozen=True):
    sentence: str
    points: list[str]
    checked: bool
    error: str


class WindowView(msgspec.Struct, frozen=True):
    name: str
    note: str


class FormView(msgspec.Struct, frozen=True):
    """The whole page. ``step`` counts from 0 when questions come one a page."""

    matter: str
    matter_name: str
    guide: str
    action: str
    title: str
    intro: str
    steps: list[str]
    at: int
    errors: list[tuple[str, str]]
    unmet: list[str]
    choose: list[ChooseView]
    show_facts: bool
    known: int
    groups: list[GroupView]
    rest: list[LineView]
    not_mine: bool
    not_read: str
    not_read_more: str
    questions: list[QuestionView]
    question_count: int
    materials: list[str]
    others: list[str]
    consent: ConsentView
    items: list[ItemView]
    items_title: str
    submit: str
    after: str
    saved: str
    window: WindowView | None
    stepwise: bool
    step: int
    last: bool
    draft: str
    draft_version: int
    once: str
    carried: list[tuple[str, str]]
    running: tuple[str, str] | None


class FormState(msgspec.Struct, frozen=True):
    """What the form page remembers besides the plan: errors by question, the draft, the step.

    ``running`` is the number and title of an application for the same matter that is not finished.
    """

    errors: Mapping[str, str] = {}
    answers: Mapping[str, str] = {}
    given: Mapping[str, str] = {}
    agreed: bool = False
    draft: str = ""
    version: int = 0
    saved_at: dt.datetime | None = None
    step: int = 0
    once: str = ""
    stale: bool = False
    running: tuple[str, str] | None = None
