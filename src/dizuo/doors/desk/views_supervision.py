"""督办 as the page shows it: what is late, on whose desk, why, and what was said already."""

from __future__ import annotations

import datetime as dt

import msgspec

from dizuo.engines.cases import SupervisedCase, SupervisedItem
from dizuo.web.words import fill

from .telling import full_day, pick, remaining, when
from .views_queue import RailView

SHOWN = 6
"""So many events of an item stand open; the earlier ones are one click away."""


class StepView(msgspec.Struct, frozen=True):
    name: str
    state: str
    word: str
    holder: str
    since: str


class PastView(msgspec.Struct, frozen=True):
    when: str
    iso: str
    what: str
    who: str


class LateView(msgspec.Struct, frozen=True):
    """One late item. ``typed`` and ``error`` come back after a form that was not right."""

    id: str
    name: str
    unit: str
    word: str
    version: int
    over: str
    promised: str
    statute: str
    beyond: bool
    hand: str
    steps: list[StepView]
    pressed: list[PastView]
    history: list[PastView]
    earlier: list[PastView]
    typed: str
    error: str


class SupervisionView(msgspec.Struct, frozen=True):
    """The page."""

    rail: RailView
    here: str
    number: str
    title: str
    submitted: str
    entry: int
    items: list[LateView]
    errors: list[tuple[str, str]]
    said: str
    stale: str


class SupervisionMaker:
    """Turns what the engine tells into the template's view."""

    def __init__(self, now: dt.datetime, lang: str, words: dict[str, dict[str, str]]) -> None:
        self.now = now
        self.lang = lang
        self.words = words
        self.w = words["supervision"]

    def view(
        self,
        rail: RailView,
        found: SupervisedCase,
        *,
        item: str = "",
        typed: str = "",
        error: str = "",
        said: str = "",
        stale: str = "",
    ) -> SupervisionView:
        """The page; ``item`` is the one whose form was sent, with what was typed and what was wrong with it."""
        return SupervisionView(
            rail=rail,
            here="supervised",
            number=found.number,
            title=pick(found.matter_name, self.lang),
            submitted=when(found.submitted_at, self.now, self.words["time"], self.lang),
            entry=found.entry,
            items=[
                self._item(one, typed if one.id == item else "", error if one.id == item else "")
                for one in found.items
            ],
            errors=[(f"reason-{item}", error)] if error else [],
            said=said,
            stale=stale,
        )

    def _item(self, one: SupervisedItem, typed: str, error: str) -> LateView:
        past = [self._past(line) for line in one.history]
        beyond = one.due_statute is not None and one.due_statute < self.now
        statute = "" if one.due_statute is None else fill(
            self.w["beyond" if beyond else "statute"], day=full_day(one.due_statute, self.lang)
        )  # fmt: skip
        return LateView(
            id=one.id,
            name=pick(one.name, self.lang),
            unit=one.unit_name,
            word=one.word,
            version=one.version,
            over=remaining(one.due_promise, self.now, self.words["time"]),
            promised=fill(self.w["promised"], day=full_day(one.due_promise, self.lang)),
            statute=statute,
            beyond=beyond,
            hand=one.last_hand,
            steps=[
                StepView(
                    pick(step.name, self.lang),
                    step.state,
                    self.w[f"step_{step.state}"],
                    step.holder,
                    ""
                    if step.since is None
                    else fill(
                        self.w["since"], when=when(step.since, self.now, self.words["time"], self.lang)
                    ),
                )
                for step in one.steps
            ],
            pressed=[self._past(line) for line in one.pressed],
            history=past[:SHOWN],
            earlier=past[SHOWN:],
            typed=typed,
            error=error,
        )

    def _past(self, line: object) -> PastView:
        at, what, who, reason = (getattr(line, name) for name in ("at", "what", "who", "reason"))
        return PastView(
            when(at, self.now, self.words["time"], self.lang),
            at.isoformat(timespec="minutes"),
            what,
            "，".join(part for part in (who, reason) if part),
        )
