"""A city while it is being checked: what was read, with the trees that tell where each thing stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from dizuo.foundation.blueprint.findings import Log, Span, nearest
from dizuo.foundation.blueprint.folder import Folder
from dizuo.foundation.blueprint.kinds_city import CalendarYear, CityHead
from dizuo.foundation.blueprint.kinds_matter import Example
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
from dizuo.foundation.blueprint.nodes import Map, Node, Seq, find
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
    divisions: dict[str, Division] = field(default_factory=dict[str, Division])
    geography: Geography = field(default_factory=lambda: Geography("", "", "", ()))
    organisations: dict[str, Organisation] = field(default_factory=dict[str, Organisation])
    registers: dict[str, Register] = field(default_factory=dict[str, Register])
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
        node = self.trees.get(file)
        for step in path:
            if isinstance(node, Map) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, Seq) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            else:
                return False
        return node is not None

    def knows(self, kind: str, name: str, known: object) -> bool:
        """Whether a reference resolves, or may not be judged (a hole, or a file that could not be read)."""
        return not name or (kind, name) in self.unread or (isinstance(known, dict) and name in known)

    def unknown(self, kind: str, what: str, name: str, known: list[str], at: Span, fix: str) -> None:
        """Report a reference to something that is not declared."""
        guess = nearest(name, known)
        self.log.add(
            f"unknown-{kind}",
            at,
            f"没有声明过{what} `{name}`。",
            suggest=guess,
            fix=f"把 `{name}` 改为 `{guess}`。" if guess else fix,
        )
