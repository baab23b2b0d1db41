"""A city while it is being checked: what was read, with the trees that tell where each thing stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dizuo.foundation.blueprint.findings import Log, Span, nearest
from dizuo.foundation.blueprint.folder import Folder
from dizuo.foundation.blueprint.kinds_city import CalendarYear, CityHead
from dizuo.foundation.blueprint.kinds_example import Example
from dizuo.foundation.blueprint.model import (
    ClockDef,
    Division,
    Geography,
    Law,
    Matter,
    Organisation,
    Place,
    Purpose,
    Register,
    ServicePlace,
)
from dizuo.foundation.blueprint.model_dataset import Dataset
from dizuo.foundation.blueprint.model_seal import SealGround
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.blueprint.nodes import Node, find, node_at
from dizuo.foundation.blueprint.tables import Row

Path = tuple[str | int, ...]


@dataclass
class Draft:
    """Everything read so far. Mutable on purpose: the passes fill it, and only a finished ``City`` leaves it."""

    folder: Folder
    log: Log
    trees: dict[str, Node] = field(default_factory=dict[str, Node])
    head: CityHead | None = None
    calendars: dict[int, CalendarYear] = field(default_factory=dict[int, CalendarYear])
    laws: dict[str, Law] = field(default_factory=dict[str, Law])
    clocks: dict[str, ClockDef] = field(default_factory=dict[str, ClockDef])
    purposes: dict[str, Purpose] = field(default_factory=dict[str, Purpose])
    seal_grounds: dict[str, SealGround] = field(default_factory=dict[str, SealGround])
    divisions: dict[str, Division] = field(default_factory=dict[str, Division])
    geography: Geography = field(default_factory=lambda: Geography("", "", "", ()))
    organisations: dict[str, Organisation] = field(default_factory=dict[str, Organisation])
    registers: dict[str, Register] = field(default_factory=dict[str, Register])
    sources: dict[str, Source] = field(default_factory=dict[str, Source])
    datasets: dict[str, Dataset] = field(default_factory=dict[str, Dataset])
    places: dict[str, tuple[ServicePlace, ...]] = field(default_factory=dict[str, tuple[ServicePlace, ...]])
    place_rows: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    place_sources: dict[str, str] = field(default_factory=dict[str, str])
    matters: dict[str, Matter] = field(default_factory=dict[str, Matter])
    words: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict[str, dict[str, dict[str, str]]])
    examples: list[Example] = field(default_factory=list[Example])
    # Declarations whose file could not be read at all: whoever refers to them is not to blame.
    unread: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def languages(self) -> tuple[str, ...]:
        return self.head.languages if self.head is not None else ("zh",)

    def at(self, file: str, *path: str | int) -> Span:
        """Where the value at a path of a file was written."""
        return find(self.trees.get(file), path) or Span(Place(file, 1, 1))

    def key(self, file: str, *path: str | int) -> Span:
        """Where the key at the end of a path was written."""
        return find(self.trees.get(file), path, key=True) or Span(Place(file, 1, 1))

    def has(self, file: str, *path: str | int) -> bool:
        """Whether something was written at exactly this path."""
        return node_at(self.trees.get(file), path) is not None

    def node(self, file: str, *path: str | int) -> Node | None:
        return node_at(self.trees.get(file), path)

    def refer(
        self,
        kind: str,
        what: str,
        name: str | None,
        known: Iterable[str],
        at: Span,
        fix: str = "先声明它，再引用。",
    ) -> bool:
        """Whether a reference resolves; a finding when it does not.

        A hole was already reported, and a declaration whose file could not be read is not the referrer's fault.
        """
        names = list(known)
        if not name or name in names:
            return bool(name)
        if (kind, name) in self.unread or (kind, "") in self.unread:
            return False
        guess = nearest(name, names)
        fix = f"把 `{name}` 改为 `{guess}`。" if guess else fix
        self.log.add(f"unknown-{kind}", at, f"没有声明过{what} `{name}`。", suggest=guess, fix=fix)
        return False
