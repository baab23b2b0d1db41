"""我的数据 around the list: whether it is complete, what is new, the filter, the days, objections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby
from urllib.parse import urlencode

import msgspec

from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import SHANGHAI, to_shanghai
from dizuo.foundation.ledger import Counted, Filter, Objection, Use
from dizuo.web.format import day, moment
from dizuo.web.words import fill

from .declared import department, listed, pick
from .views_data import FilterView, UseView
from .views_matter import Texts

MOST_OPTIONS = 40
MOST_NEW = 6


class Choice(msgspec.Struct, frozen=True):
    """One option of a list."""

    value: str
    label: str
    on: bool


class DayView(msgspec.Struct, frozen=True):
    """The uses of one day."""

    title: str
    iso: str
    uses: list[UseView]


class WholeView(msgspec.Struct, frozen=True):
    """Whether the numbers about the reader have a gap. ``notes``: what else is to be said about them."""

    says: str
    ok: bool
    notes: list[str]
    any: bool


class NewView(msgspec.Struct, frozen=True):
    """A kind of use that the reader has not seen before."""

    says: str
    href: str


class ObjectionView(msgspec.Struct, frozen=True):
    """An objection of the reader."""

    title: str
    note: str
    tag: str
    tone: str


class AroundView(msgspec.Struct, frozen=True):
    """What stands around the list; ``numbers``: the reader's number of each entry, by its id."""

    whole: WholeView
    numbers: dict[int, int]
    new: list[NewView]
    tells: bool
    units: list[Choice]
    purposes: list[Choice]
    objections: list[ObjectionView]


class Chosen(msgspec.Struct, frozen=True):
    """What the reader chose to see, as it stands in the address."""

    kind: str = ""
    case: str = ""
    unit: str = ""
    purpose: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Chosen:
        """From an address; what is no date is no date."""
        return cls(
            kind=query.get("kind", "")[:20],
            case=query.get("case", "")[:40],
            unit=query.get("unit", "")[:80],
            purpose=query.get("purpose", "")[:300],
            since=_date(query.get("since", "")),
            until=_date(query.get("until", "")),
        )

    @property
    def filter(self) -> Filter:
        """The same for the ledger: whole days of the city, the last one included."""
        since = _midnight(self.since)
        until = _midnight(self.until)
        return Filter(
            self.unit or None,
            self.purpose or None,
            since,
            None if until is None else until + dt.timedelta(days=1),
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.unit or self.purpose or self.since or self.until or self.case)

    def href(self, **changed: object) -> str:
        """The address of this choice with something changed."""
        parts = {**msgspec.structs.asdict(self), **changed}
        told = urlencode({name: value for name, value in parts.items() if value})
        return "/me/data" + (f"?{told}" if told else "")


class DataView(msgspec.Struct, frozen=True):
    """The page 我的数据."""

    around: AroundView
    filters: list[FilterView]
    chosen: Chosen
    filtered: bool
    days: list[DayView]
    newer: str
    older: str


def _date(text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat() if len(text) == 10 else ""
    except ValueError:
        return ""


def _midnight(text: str) -> dt.datetime | None:
    if not text or text >= "9999-12-31":
        return None
    return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), SHANGHAI)


class UsesMaker:
    """Words what stands around the list, for one person in one language."""

    def __init__(self, city: City, lang: str, words: Texts) -> None:
        self.city = city
        self.lang = lang
        self.words = words["tracker"]

    def days(self, uses: Sequence[UseView]) -> list[DayView]:
        """Uses by day, in their order; nothing is left out."""
        found: list[DayView] = []
        for date, some in groupby(uses, lambda use: to_shanghai(dt.datetime.fromisoformat(use.iso)).date()):
            found.append(DayView(day(date, self.lang), date.isoformat(), list(some)))
        return found

    def whole(self, told: Counted, sealed: int) -> WholeView:
        """Complete, or which numbers are not there."""
        w = self.words
        if told.missing:
            numbers = listed([str(n) for n in told.missing[:10]], self.lang)
            says = fill(w["missing"], numbers=numbers)
        elif told.last:
            says = fill(w["whole"], first=told.first, last=told.last)
        else:
            says = w["whole_none"]
        notes = [
            fill(w[name], n=count)
            for name, count in (
                ("erased", len(told.erased)),
                ("sealed", sealed),
                ("waiting", told.waiting),
                ("older", told.older),
            )
            if count
        ]
        return WholeView(says, told.whole, notes, bool(told.last or told.older))

    def new(self, uses: Sequence[Use], seen: int | None) -> list[NewView]:
        """Kinds of use by somebody else whose first entry came after what the reader saw last."""
        if seen is None:
            return []
        fresh = [use for use in uses if use.first > seen and use.unit and use.actor != "resident"]
        return [
            NewView(
                fill(self.words["new_one"], who=self.unit(use.unit), why=self.purpose(use.purpose), when=moment(use.first_at, self.lang)),
                Chosen(unit=use.unit, purpose=use.purpose).href(),
            )
            for use in fresh[:MOST_NEW]
        ]  # fmt: skip

    def units(self, uses: Sequence[Use], chosen: str) -> list[Choice]:
        """The departments that used the reader's data."""
        ids = dict.fromkeys(use.unit for use in uses if use.unit)
        return [Choice(one, self.unit(one), one == chosen) for one in list(ids)[:MOST_OPTIONS]]

    def purposes(self, uses: Sequence[Use], chosen: str) -> list[Choice]:
        """What the reader's data were used for."""
        ids = dict.fromkeys(use.purpose for use in uses if use.purpose)
        return [Choice(one, self.purpose(one), one == chosen) for one in list(ids)[:MOST_OPTIONS]]

    def unit(self, organisation: str) -> str:
        return department(self.city, organisation, self.lang)

    def purpose(self, purpose: str) -> str:
        """A declared purpose or matter by its name; what a department wrote itself as it is."""
        known = self.city.purposes.get(purpose) or self.city.matters.get(purpose)
        return pick(known.name, self.lang) if known else purpose or self.words["unsaid"]

    def objections(self, some: Sequence[Objection]) -> list[ObjectionView]:
        """The reader's objections with where they stand."""
        w = self.words
        tones = {"open": "info", "upheld": "ok", "declined": ""}
        found: list[ObjectionView] = []
        for one in some:
            who = self.unit(one.unit.partition(":")[0])
            if one.state == "open":
                due = moment(one.due, self.lang) if one.due else w["no_clock"]
                note = fill(w["objection_open"], who=who, due=due)
            else:
                note = fill(w["objection_answered"], who=who, answer=one.answer)
            title = fill(w["objection_title"], number=one.number, entry=one.entry)
            found.append(ObjectionView(title, note, w[f"state_{one.state}"], tones[one.state]))
        return found
