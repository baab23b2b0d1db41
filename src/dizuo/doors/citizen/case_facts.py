"""What the pages about cases show, as facts."""

from __future__ import annotations

import msgspec

from .form_facts import LineView, OptionView


class Line(msgspec.Struct, frozen=True):
    """A row of a task list."""

    href: str
    title: str
    note: str
    tag: str = ""
    kind: str = ""


class ListView(msgspec.Struct, frozen=True):
    """The page 我的办件."""

    drafts: list[Line]
    consents: list[Line]
    running: list[Line]
    ended: list[Line]


class Link(msgspec.Struct, frozen=True):
    href: str
    name: str


class Ask(msgspec.Struct, frozen=True):
    """Something that waits for the applicant."""

    title: str
    says: str
    href: str
    act: str


class Again(msgspec.Struct, frozen=True):
    """A consent that was refused or lapsed, and may be asked for once more."""

    says: str
    action: str


class TrackItem(msgspec.Struct, frozen=True):
    name: str
    note: str
    state: str
    tag: str
    kind: str
    says: list[str]
    links: list[Link]


class Happened(msgspec.Struct, frozen=True):
    when: str
    iso: str
    what: str
    who: str
    href: str


class FollowedView(msgspec.Struct, frozen=True):
    """What became of a bad rating: ``says`` where it stands and by when it goes on, ``done`` newest first."""

    says: str
    done: list[Happened]


class ProgressView(msgspec.Struct, frozen=True):
    """The page of one case."""

    number: str
    title: str
    says: str
    bar: str
    items: list[TrackItem]
    asks: list[Ask]
    again: list[Again]
    history: list[Happened]
    rate: list[OptionView]
    rated: str
    followed: FollowedView | None
    submitted: str
    promised: str
    next: list[str]
    documents: list[Link]
    withdraw: bool


class ReceiptView(msgspec.Struct, frozen=True):
    number: str
    title: str
    says: str
    submitted: str
    promised: str
    next: list[str]


class WithdrawPage(msgspec.Struct, frozen=True):
    number: str
    case_title: str
    action: str
    options: list[OptionView]
    error: str
    errors: list[tuple[str, str]]


class ConsentPage(msgspec.Struct, frozen=True):
    action: str
    asks: str
    lines: list[LineView]
    open: bool
    options: list[OptionView]
    state: str
    error: str
    errors: list[tuple[str, str]]
