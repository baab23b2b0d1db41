"""The operations page: figures → what the template shows. Too little data is said, never made up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dizuo.engines.cases import ItemState
from dizuo.foundation.blueprint.model import City, Words
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.web.format import short_day, thousands
from dizuo.web.words import fill

from .district_map import District, districts
from .figures import DepartmentWork, Figures, Urgent

TARGET = 95
"""The share of items to end in time, in percent; the tick on the bars."""
ENOUGH = 20
"""Below so many a share is not told: one case more would turn it over."""
ENOUGH_DAYS = 3
FROM = 85
"""Bars of punctuality begin here and are labelled so; anything lower shows as an empty bar with its number."""


class Vital(msgspec.Struct, frozen=True):
    """One vital sign: a number with a word for how it is."""

    name: str
    value: str
    unit: str
    state: str
    mark: str
    why: str
    spark: str


class Row(msgspec.Struct, frozen=True):
    """One department."""

    name: str
    open: int
    soon: int
    over: int
    share: str
    bar: float
    under: bool
    enough: bool


class Line(msgspec.Struct, frozen=True):
    """One piece of work in the list; ``part`` of 100 of its time is used."""

    n: int
    href: str
    title: str
    meta: str
    left: str
    state: str
    kind: str
    part: int


class Shape(msgspec.Struct, frozen=True):
    """One district on the map; ``step`` 1 to 4 is the depth of its colour."""

    name: str
    path: str
    x: float
    y: float
    open: int
    over: int
    step: int


class Bar(msgspec.Struct, frozen=True):
    """One hour of today."""

    x: float
    y: float
    width: float
    height: float
    hour: int
    n: int


class Chart(msgspec.Struct, frozen=True):
    """Today by the hour, and the band of the usual when there is enough to tell."""

    bars: list[Bar]
    grid: list[tuple[float, int]]
    ticks: list[tuple[float, int]]
    band: str
    now: float
    finding: str
    today: list[tuple[int, int]]


class CentreView(msgspec.Struct, frozen=True):
    """The whole page."""

    name: str
    clock: str
    iso: str
    day: str
    live: bool
    vitals: list[Vital]
    shapes: list[Shape]
    lines: list[Line]
    rows: list[Row]
    chart: Chart
    empty: str


CHART_W, CHART_H, CHART_L, CHART_B, CHART_T = 560.0, 215.0, 34.0, 24.0, 12.0


class CentreMaker:
    """Makes the page in one language."""

    def __init__(
        self, city: City, lang: str, words: dict[str, dict[str, str]], *, supervises: bool = False
    ) -> None:
        self.supervises = supervises
        self.city = city
        self.lang = lang
        self.w = words["centre"]

    def view(self, f: Figures, shapes: Path, *, live: bool) -> CentreView:
        """The page of these figures."""
        local = to_shanghai(f.at)
        return CentreView(
            name=self._pick(self.city.name),
            clock=f"{local:%H:%M}",
            iso=local.isoformat(timespec="minutes"),
            day=short_day(local, self.lang),
            live=live,
            vitals=self._vitals(f),
            shapes=[self._shape(one, f) for one in districts(shapes)],
            lines=[self._line(n, one, f.at) for n, one in enumerate(f.urgent, 1)],
            rows=[self._row(one) for one in f.departments if one.open or one.ended],
            chart=self._chart(f, local),
            empty=self.w["no_urgent"],
        )

    def _pick(self, words: Words) -> str:
        return words.en if self.lang == "en" and words.en else words.zh

    # ------------------------------------------------------------- vital signs

    def _vitals(self, f: Figures) -> list[Vital]:
        w = self.w
        over = sum(d.over for d in f.departments)
        ended, in_time = sum(d.ended for d in f.departments), sum(d.in_time for d in f.departments)
        system = sum(d.by_system for d in f.departments)
        today = sum(f.today)
        late = [one for one in f.urgent if one.due < f.at]
        oldest = (
            fill(w["longest"], span=self._span((f.at - late[0].due).total_seconds()))
            if late
            else w["none_over"]
        )
        usual = self._usual_so_far(f)
        spark = _spark([n for _, n in f.daily])
        return [
            Vital(w["running"], thousands(f.running), w["cases"], "", "", fill(w["running_over"], n=f.running_over), ""),
            Vital(w["over"], thousands(over), w["items"], "bad" if over else "ok", w["mark_bad" if over else "mark_ok"], oldest, ""),
            self._share(w["in_time"], in_time, ended, TARGET, fill(w["in_time_why"], n=ended)),
            Vital(
                w["today"], thousands(today), w["cases"],
                "" if usual is None else "ok" if today <= usual[1] else "warn",
                "" if usual is None else w["mark_ok" if today <= usual[1] else "mark_warn"],
                w["no_usual"] if usual is None else fill(w["usual"], low=usual[0], high=usual[1]), spark,
            ),
            self._share(w["by_system"], system, ended, 0, w["by_system_why"]),
            self._share(w["satisfied"], f.satisfied, f.rated, TARGET, fill(w["satisfied_why"], n=f.rated)),
        ]  # fmt: skip

    def _share(self, name: str, part: int, whole: int, target: int, why: str) -> Vital:
        w = self.w
        if whole < ENOUGH:
            return Vital(name, "—", "", "", "", fill(w["too_few"], n=whole), "")
        share = 100 * part / whole
        if not target:
            return Vital(name, f"{share:.1f}", "%", "", "", why, "")
        good = share >= target
        return Vital(
            name, f"{share:.1f}", "%", "ok" if good else "warn", w["mark_ok" if good else "mark_low"], why, ""
        )

    def _usual_so_far(self, f: Figures) -> tuple[int, int] | None:
        """The least and most that came up to this hour on the same weekdays; None when there are too few."""
        if len(f.usual) < ENOUGH_DAYS:
            return None
        hour = to_shanghai(f.at).hour
        sums = [sum(day[: hour + 1]) for day in f.usual]
        return min(sums), max(sums)

    # --------------------------------------------------------------------- map

    def _shape(self, one: District, f: Figures) -> Shape:
        most = max(f.districts.values(), default=0)
        n = f.districts.get(one.code, 0)
        step = 1 if most == 0 else min(4, 1 + 3 * n // most)
        division = self.city.divisions.get(one.code)
        name = one.name if division is None else division.called(self.lang)
        return Shape(name, one.path, one.x, one.y, n, f.districts_over.get(one.code, 0), step)

    # -------------------------------------------------------------------- list

    def _line(self, n: int, one: Urgent, now: dt.datetime) -> Line:
        w = self.w
        matter = self.city.matters.get(one.matter)
        item = None if matter is None else next((i for i in matter.items if i.id == one.item), None)
        division = self.city.divisions.get(one.unit)
        seconds = (one.due - now).total_seconds()
        whole = (one.due - one.opened_at).total_seconds()
        part = (
            100
            if whole <= 0
            else max(0, min(100, round(100 * (now - one.opened_at).total_seconds() / whole)))
        )
        kind = "bad" if seconds < 0 else "warn" if seconds <= 86_400 else "ok"
        name = one.item if item is None else self._pick(item.name)
        unit = self.city.organisations[one.department].short
        meta = [
            division.called(self.lang) if division else "",
            self._pick(unit),
            "" if matter is None else self._pick(matter.name),
        ]
        return Line(
            n=n,
            # Whoever supervises opens what is late without the person; the others open what their post covers.
            href=f"/desk/supervised/{one.number}"
            if self.supervises and seconds < 0 and ItemState(one.state).at_desk
            else f"/desk/cases/{one.number}?item={one.item}",
            title=name,
            meta="　".join(part for part in meta if part),
            left=fill(w["left" if seconds >= 0 else "late"], span=self._span(abs(seconds))),
            state=ItemState(one.state).word,
            kind=kind,
            part=part,
        )

    def _span(self, seconds: float) -> str:
        minutes = max(0, round(seconds / 60))
        if minutes >= 1440:
            return fill(self.w["days"], d=minutes // 1440, h=minutes % 1440 // 60)
        if minutes >= 60:
            return fill(self.w["hours"], h=minutes // 60, m=minutes % 60)
        return fill(self.w["minutes"], m=minutes)

    def _row(self, one: DepartmentWork) -> Row:
        enough = one.ended >= ENOUGH
        share = 100 * one.in_time / one.ended if one.ended else 0.0
        return Row(
            name=self._pick(self.city.organisations[one.id].short),
            open=one.open,
            soon=one.soon,
            over=one.over,
            share=f"{share:.1f}%" if enough else self._few(one),
            bar=round(max(0.0, (share - FROM) * 150 / (100 - FROM)), 1) if enough else 0.0,
            under=share < TARGET,
            enough=enough,
        )

    def _few(self, one: DepartmentWork) -> str:
        return fill(self.w["few"], part=one.in_time, n=one.ended) if one.ended else self.w["none_ended"]

    # ------------------------------------------------------------------- chart

    def _chart(self, f: Figures, local: dt.datetime) -> Chart:
        enough = len(f.usual) >= ENOUGH_DAYS
        high = [max((day[h] for day in f.usual), default=0) for h in range(24)] if enough else [0] * 24
        low = [min((day[h] for day in f.usual), default=0) for h in range(24)] if enough else [0] * 24
        top = _round_up(max([*f.today, *high, 4]))
        step = (CHART_W - CHART_L - 6) / 24

        def y(value: float) -> float:
            return round(CHART_T + (CHART_H - CHART_B - CHART_T) * (1 - value / top), 1)

        bars = [
            Bar(
                round(CHART_L + step * h + 3, 1),
                y(n),
                round(step - 6, 1),
                round(CHART_H - CHART_B - y(n), 1),
                h,
                n,
            )
            for h, n in enumerate(f.today)
            if n
        ]
        upper = " ".join(f"{CHART_L + step * (h + 0.5):.1f},{y(n)}" for h, n in enumerate(high))
        lower = " ".join(
            f"{CHART_L + step * (h + 0.5):.1f},{y(n)}" for h, n in reversed(list(enumerate(low)))
        )
        return Chart(
            bars=bars,
            grid=[(y(top * k / 4), round(top * k / 4)) for k in range(5)],
            ticks=[(round(CHART_L + step * (h + 0.5), 1), h) for h in range(0, 24, 4)],
            band=f"M{upper} L{lower}Z" if enough else "",
            now=round(CHART_L + step * (local.hour + local.minute / 60), 1),
            finding=self._finding(f, local),
            today=[(h, n) for h, n in enumerate(f.today) if h <= local.hour],
        )

    def _finding(self, f: Figures, local: dt.datetime) -> str:
        w, n = self.w, sum(f.today)
        usual = self._usual_so_far(f)
        if usual is None:
            return fill(w["finding_few"], n=n, days=len(f.usual))
        key = (
            "finding_in" if usual[0] <= n <= usual[1] else "finding_more" if n > usual[1] else "finding_less"
        )
        return fill(w[key], n=n, low=usual[0], high=usual[1], weeks=len(f.usual))


def _round_up(most: int) -> int:
    """A top for the axis that divides by four."""
    power = 1
    while True:
        for top in (4, 8, 12, 20, 32):
            if top * power >= most:
                return top * power
        power *= 10


def _spark(values: Sequence[int]) -> str:
    """A small line of the last days; '' when nothing moved."""
    if len(values) < 2 or max(values) == min(values):
        return ""
    low, high = min(values), max(values)
    points = [(i * 96 / (len(values) - 1), 23 - (v - low) / (high - low) * 20) for i, v in enumerate(values)]
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in points)
