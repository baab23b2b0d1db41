"""What is decided about a matter so far, and what is still missing to decide the rest."""

from __future__ import annotations

from dizuo.engines.cases.plan_model import (
    Unmet,
)
from dizuo.engines.cases.scope import Open, Scope
from dizuo.foundation.blueprint.model import Item


class Status:
    """Where one item stands in planning."""

    __slots__ = ("applies", "done", "facts")

    def __init__(self, applies: bool | None, done: bool) -> None:
        self.applies = applies
        self.done = done
        self.facts: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return self.applies is True and not self.done


class Deciding:
    """What is decided about a matter so far, and what is still missing to decide the rest."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.unmet: list[Unmet] = []
        self.undecided: list[str] = []
        self.open_facts: set[str] = set()
        self.open_answers: set[str] = set()
        self.open_parties: set[str] = set()
        self.items: dict[str, Status] = {}
        for rule, words in scope.matter.matter.eligible:
            value = scope.value(scope.matter.compile(rule))
            if isinstance(value, Open):
                self.missing(value)
            elif value is not True:
                self.unmet.append(Unmet(words, rule.place))
        for item in scope.matter.matter.items:
            self.items[item.id] = self._status(item)

    def missing(self, what: Open) -> None:
        {"fact": self.open_facts, "answer": self.open_answers, "party": self.open_parties}[what.kind].add(
            what.name
        )

    def _status(self, item: Item) -> Status:
        scope = self.scope
        if item.applies is not None:
            value = scope.value(scope.matter.compile(item.applies))
            if isinstance(value, Open):
                self.missing(value)
                self.undecided.append(item.id)
                return Status(None, False)
            if value is not True:
                return Status(False, False)
        done = False
        if item.done_already is not None:
            value = scope.value(scope.matter.compile(item.done_already))
            if isinstance(value, Open):
                self.missing(value)
                self.undecided.append(item.id)
                return Status(None, False)
            done = value is True
        status = Status(True, done)
        if not done:
            status.facts = self._needs(item)
        return status

    def _needs(self, item: Item) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for need in item.needs:
            if need.when is not None:
                value = self.scope.value(self.scope.matter.compile(need.when))
                if isinstance(value, Open):
                    self.missing(value)
                    continue
                if value is not True:
                    continue
            found.update(dict.fromkeys(need.facts))
        return tuple(found)
