"""Queues as the pages show them: what waits, by time left."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

import msgspec

from dizuo.engines.cases import QueuePage, QueueRow
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clocks import Level
from dizuo.web.words import fill

from .telling import KINDS, pick, remaining, when

MOST = 1000
"""The engine counts no further; more is shown as 999+."""
RAILS = ("waiting", "mine", "cooperating", "supervised")
LEVELS = {
    "black": (Level.BLACK,),
    "red": (Level.RED, Level.BLACK),
    "yellow": (Level.YELLOW,),
    "green": (Level.GREEN,),
}


class RailView(msgspec.Struct, frozen=True):
    """The rail's counts, as text: 12, 999+, or '' when nothing is there."""

    waiting: str
    mine: str
    cooperating: str
    supervised: str


class RowView(msgspec.Struct, frozen=True):
    """One piece of work: what, who, where, how long there is."""

    href: str
    title: str
    item: str
    task: str
    who: str
    unit: str
    number: str
    since: str
    left: str
    mark: str
    kind: str
    state: str
    exceptions: str
    pressed: bool
    warned: bool


class LinkView(msgspec.Struct, frozen=True):
    """A choice of a filter."""

    label: str
    href: str
    chosen: bool


class QueueView(msgspec.Struct, frozen=True):
    """A page of a rail."""

    rail: RailView
    here: str
    title: str
    rows: list[RowView]
    matters: list[LinkView]
    levels: list[LinkView]
    newer: str
    older: str
    looked: str
    empty: str
    done: str
    undo: str


class HomeView(msgspec.Struct, frozen=True):
    """我的桌面."""

    rail: RailView
    here: str
    greeting: str
    posts: list[str]
    soon: list[RowView]
    over: str
    near: str
    recent: list[RowView]
    window: bool


def rail_of(page: QueuePage) -> RailView:
    """The counts as people read them."""
    c = page.counts
    return RailView(*(_few(n) for n in (c.waiting, c.mine, c.cooperating, c.supervised)))


def _few(count: int) -> str:
    return "" if count == 0 else f"{MOST - 1}+" if count >= MOST else str(count)


class QueueMaker:
    """Turns the engine's rows into what the templates show."""

    def __init__(self, city: City, now: dt.datetime, lang: str, words: dict[str, dict[str, str]]) -> None:
        self.city = city
        self.now = now
        self.lang = lang
        self.words = words

    def row(self, row: QueueRow, rail: str = "") -> RowView:
        """One line. A row is called by its case, else by what is to be corrected."""
        words = self.words["queue"]
        level = row.level
        rated = row.kind in ("rating", "mend")
        title = fill(words[f"{row.kind}_of"], matter=pick(row.matter_name, self.lang)) if rated else row.title
        return RowView(
            href=address(row) if rail != "supervised" or rated else f"/desk/supervised/{row.number}",
            title=title,
            item=pick(row.item_name, self.lang),
            task=words.get(f"task_{row.kind}", row.kind),
            who=row.applicant,
            unit=row.unit_name,
            number=row.number or "",
            since=when(row.submitted_at or row.opened_at, self.now, self.words["time"], self.lang),
            left=remaining(row.due, self.now, self.words["time"]),
            mark="" if level is None else words[f"mark_{level.value}"],
            kind="" if level is None else KINDS[level],
            state=row.state,
            exceptions=fill(words["exceptions"], n=row.exceptions) if row.exceptions else "",
            pressed=row.pressed,
            # Once the promise is over, the clock beside it says more.
            warned=row.warned and row.due is not None and row.due >= self.now,
        )

    def queue(
        self,
        page: QueuePage,
        rows: list[QueueRow],
        matter: str,
        level: str,
        cursor: str,
        done: str,
        undo: str,
    ) -> QueueView:
        """A page of a rail, filtered; ``rows`` are those of the page that pass the filter."""
        words = self.words["queue"]
        filtered = bool(matter or level)
        older = self.link(page.rail, matter, level, page.next or "") if page.next else ""
        return QueueView(
            rail=rail_of(page),
            here=page.rail,
            title=words[page.rail],
            rows=[self.row(row, page.rail) for row in rows],
            matters=self._matters(page.rail, matter, level),
            levels=[
                LinkView(
                    words[f"level_{name or 'all'}"], self.link(page.rail, matter, name, ""), name == level
                )
                for name in ("", *LEVELS)
                if name != "red" or page.rail != "supervised"
            ],
            newer=self.link(page.rail, matter, level, "") if cursor else "",
            older=older,
            looked=fill(words["looked"], n=len(page.rows)) if filtered else "",
            empty=words["empty_filtered" if filtered else f"empty_{page.rail}"],
            done=done,
            undo=undo,
        )

    def _matters(self, rail: str, matter: str, level: str) -> list[LinkView]:
        found = [LinkView(self.words["queue"]["matter_all"], self.link(rail, "", level, ""), not matter)]
        for one in self.city.matters.values():
            found.append(
                LinkView(pick(one.name, self.lang), self.link(rail, one.id, level, ""), one.id == matter)
            )
        return found

    @staticmethod
    def link(rail: str, matter: str, level: str, cursor: str) -> str:
        """The address of a rail with its filters."""
        asked = {"matter": matter, "level": level, "after": cursor}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/desk/queue/{rail}" + (f"?{query}" if query else "")


def address(row: QueueRow) -> str:
    """Where the work of a row is done."""
    if row.kind == "correction":
        return f"/desk/corrections/{row.number}"
    if row.kind in ("rating", "mend"):
        return f"/desk/{row.kind}s/{row.number}"
    if row.item is None:
        return f"/desk/cases/{row.number}"
    if row.kind in ("extension", "referral", "deliver"):
        return f"/desk/cases/{row.number}/{row.item}/{row.kind}"
    return f"/desk/cases/{row.number}?item={row.item}"


def passes(row: QueueRow, matter: str, level: str) -> bool:
    """Whether a row passes the filters of the page."""
    if matter and row.matter != matter:
        return False
    return not level or row.level in LEVELS.get(level, ())
