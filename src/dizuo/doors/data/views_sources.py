"""Departments' sources and their deliveries as pages show them: in counts and in words, never a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.lake import (
    DeliveryInDetail,
    FaultSeen,
    Freshness,
    QualitySeen,
    SourceDeliverySeen,
    SourcesSeen,
    freshness,
)
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.lineage import column_of
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.web.format import moment, thousands
from dizuo.web.words import fill

from .saying import Saying

STAGES = ("landed", "read", "standardised", "checked", "linked", "published")
_DIMENSIONS = ("normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility")


class OptionView(msgspec.Struct, frozen=True):
    """One of several things to choose."""

    value: str
    label: str
    detail: str = ""


class SourceLine(msgspec.Struct, frozen=True):
    """One source in the list: ``tone`` colours its health (ok, warn, err or none)."""

    id: str
    name: str
    department: str
    cycle: str
    last: str
    delivery: int
    rows: str
    rejected: str
    quality: str
    health: str
    tone: str


class ColumnLine(msgspec.Struct, frozen=True):
    id: str
    column: str
    standard: str
    required: str
    feeds: list[tuple[str, str]]
    """Register fields that it supplies, with their addresses: the lineage (血缘) downwards."""


class RuleLine(msgspec.Struct, frozen=True):
    dimension: str
    says: str
    share: str
    wanted: str
    failed: str
    tone: str


class DeliveryRow(msgspec.Struct, frozen=True):
    id: int
    name: str
    period: str
    landed: str
    state: str
    tone: str
    rows: str
    rejected: str


class StageLine(msgspec.Struct, frozen=True):
    """A stage with its time, '' before it; ``state``: done, now or next."""

    name: str
    at: str
    state: str


class SourcesView(msgspec.Struct, frozen=True):
    here: str
    totals: list[tuple[str, str, str]]
    sources: list[SourceLine]
    dimensions: list[tuple[str, str, str]]


class SourceView(msgspec.Struct, frozen=True):
    here: str
    id: str
    name: str
    lead: str
    health: str
    tone: str
    stat: list[tuple[str, str, str]]
    columns: list[ColumnLine]
    rules: list[RuleLine]
    deliveries: list[DeliveryRow]


class DeliveryView(msgspec.Struct, frozen=True):
    here: str
    id: int
    source: str
    source_name: str
    title: str
    lead: str
    state: str
    tone: str
    why: str
    stages: list[StageLine]
    stat: list[tuple[str, str, str]]
    fates: list[tuple[str, str]]
    faults: list[tuple[str, str, str]]
    rules: list[RuleLine]
    running: bool
    acts: list[OptionView] = []
    """What a steward may decide now; empty for everybody else."""
    correct: str = ""
    """Where a steward takes rows to correct, with how many there are in ``correct_says``."""
    correct_says: str = ""
    was: str = ""
    act: str = ""
    reason: str = ""
    errors: list[tuple[str, str]] = []
    stale: str = ""


class SourceMaker(Saying):
    """Makes the pages about sources in one language on one day."""

    def __init__(self, city: City, lang: str, words: Mapping[str, dict[str, str]], today: dt.date) -> None:
        super().__init__(city, lang)
        self.w = words["sources"]
        self.desk = words["desk"]
        self.today = today
        self.calendar = WorkCalendar(city.calendar_overrides, city.working_hours, city.after_hours)

    # ------------------------------------------------------------------- list

    def list(self, seen: SourcesSeen) -> SourcesView:
        """Every source, the ones that need somebody first."""
        w = self.w
        lines = [self._source_line(one, seen) for one in self.city.sources.values()]
        order = {"bad": 0, "warn": 1, "": 2, "ok": 3}
        lines.sort(key=lambda line: order[line.tone])
        rows = sum(one.rows_in for one in seen.latest.values())
        wrong = sum(one.rows_rejected + one.rows_held for one in seen.latest.values())
        late = sum(line.tone == "bad" for line in lines)
        rules = [rule for several in seen.quality.values() for rule in several]
        kept = sum(rule.holds for rule in rules)
        return SourcesView(
            here="sources",
            totals=[
                (w["t_sources"], str(len(lines)), fill(w["t_sources_why"], n=len({s.department for s in self.city.sources.values()}))),
                (w["t_rows"], thousands(rows), w["t_rows_why"]),
                (w["t_wrong"], thousands(wrong), w["t_wrong_why"]),
                (w["t_late"], str(late), w["t_late_why"]),
                (w["t_rules"], f"{kept} / {len(rules)}" if rules else "—", w["t_rules_why"]),
            ],
            sources=lines,
            dimensions=self._dimensions(rules),
        )  # fmt: skip

    def _dimensions(self, rules: Sequence[QualitySeen]) -> list[tuple[str, str, str]]:
        """Each of the six dimensions with the share of rows that kept its rules, over all sources."""
        found: list[tuple[str, str, str]] = []
        for dimension in _DIMENSIONS:
            mine = [rule for rule in rules if rule.dimension == dimension]
            checked, failed = sum(rule.checked for rule in mine), sum(rule.failed for rule in mine)
            kept = sum(rule.holds for rule in mine)
            share = "—" if not checked else _percent(checked - failed, checked)
            found.append((self.w[f"d_{dimension}"], share, fill(self.w["rules_kept"], n=kept, of=len(mine))))
        return found

    def _source_line(self, one: Source, seen: SourcesSeen) -> SourceLine:
        last = seen.latest.get(one.id)
        health, tone = self._health(one, last, seen.published_to.get(one.id))
        quality = seen.quality.get(one.id, ())
        return SourceLine(
            id=one.id,
            name=self.pick(one.name),
            department=self.unit(one.department),
            cycle=self.w[f"c_{one.delivery.cycle}"],
            last="—" if last is None else last.period.isoformat(),
            delivery=0 if last is None else last.id,
            rows="—" if last is None else thousands(last.rows_in),
            rejected="—" if last is None else thousands(last.rows_rejected),
            quality=f"{sum(rule.holds for rule in quality)} / {len(quality)}" if quality else "—",
            health=health,
            tone=tone,
        )

    def _health(
        self, one: Source, last: SourceDeliverySeen | None, published_to: dt.date | None
    ) -> tuple[str, str]:
        """In words and colour: refused and held deliveries first, then lateness, then how far the newest has come."""
        if last is None:
            return self.w["h_none"], ""
        if last.state in ("refused", "held"):
            return self.w[f"s_{last.state}"], "bad"
        kept = self._fresh(one, published_to)
        if kept.late:
            return fill(self.w["h_late"], n=kept.late), "bad"
        if not last.ended:
            return self.w[f"s_{last.state}"], "warn"
        return self.w["h_ok"], "ok"

    def _fresh(self, one: Source, published_to: dt.date | None) -> Freshness:
        return freshness(one, published_to, self.today, self.calendar)

    # -------------------------------------------------------------- one source

    def source(self, one: Source, seen: SourcesSeen, came: Sequence[SourceDeliverySeen]) -> SourceView:
        """One source: its contract, what becomes of every column, how good it is, what came."""
        w = self.w
        last = seen.latest.get(one.id)
        health, tone = self._health(one, last, seen.published_to.get(one.id))
        kept = self._fresh(one, seen.published_to.get(one.id))
        length = one.delivery.due
        return SourceView(
            here="sources",
            id=one.id,
            name=self.pick(one.name),
            lead=fill(
                w["source_lead"],
                department=self.unit(one.department),
                system=self.pick(one.system),
                law="" if one.basis is None else law_text(self.city, one.basis.key, self.lang),
            ),
            health=health,
            tone=tone,
            stat=[
                (w["st_form"], w[f"f_{one.delivery.format}"], self._form(one)),
                (w["st_cycle"], w[f"c_{one.delivery.cycle}"], fill(w["st_cycle_why"], n=length.n, unit=w[f"u_{length.unit}"])),
                (w["st_next"], "—" if kept.due is None else kept.due.isoformat(),
                 w["st_next_none"] if kept.period is None else fill(w["st_next_why"], period=kept.period.isoformat())),
                (w["st_to"], "—" if one.id not in seen.published_to else seen.published_to[one.id].isoformat(), w["st_to_why"]),
                (w["st_steward"], self._steward(one), w["st_steward_why"]),
            ],
            columns=self._columns(one),
            rules=self._rules(one, seen.quality.get(one.id, ())),
            deliveries=[self._delivery_row(delivery) for delivery in came],
        )  # fmt: skip

    def _form(self, one: Source) -> str:
        mode = self.w["mode_full" if one.delivery.mode == "full" else "mode_changes"]
        shown = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 (BOM)", "gb18030": "GB 18030"}
        return f"{mode} · {shown[one.delivery.encoding]}" if one.delivery.format == "csv" else mode

    def _steward(self, one: Source) -> str:
        organisation = self.city.organisations[one.department]
        return next(
            (self.pick(post.name) for post in organisation.posts if post.id == one.steward), one.steward
        )

    def _columns(self, one: Source) -> list[ColumnLine]:
        feeds: dict[str, list[tuple[str, str]]] = {}
        for feed in one.feeds:
            register = self.city.registers[feed.register]
            for field, column in feed.fields.items():
                label = f"{self.pick(register.name)} · {self.pick(register.fields[field].name)}"
                found = column_of(one, column)
                whole = column if found is None else found[0].id
                feeds.setdefault(whole, []).append((label, f"/data/registers/{register.id}"))
        return [
            ColumnLine(
                id=column.id,
                column=column.column,
                standard=self.w[f"as_{column.as_}"],
                required=self.w["yes"] if column.required else "",
                feeds=feeds.get(column.id, []),
            )
            for column in one.columns.values()
        ]

    def _rules(self, one: Source, verdicts: Sequence[QualitySeen]) -> list[RuleLine]:
        by_rule = {verdict.rule: verdict for verdict in verdicts}
        lines: list[RuleLine] = []
        for rule in one.quality:
            verdict = by_rule.get(rule.id)
            lines.append(
                RuleLine(
                    dimension=self.w[f"d_{rule.dimension}"],
                    says=self.pick(rule.says),
                    share="—"
                    if verdict is None
                    else _percent(verdict.checked - verdict.failed, verdict.checked),
                    wanted=f"{rule.at_least * 100:g}%",
                    failed="—" if verdict is None else thousands(verdict.failed),
                    tone="" if verdict is None else ("ok" if verdict.holds else "bad"),
                )
            )
        return lines

    # ------------------------------------------------------------ one delivery

    def _delivery_row(self, one: SourceDeliverySeen) -> DeliveryRow:
        return DeliveryRow(
            id=one.id,
            name=one.name,
            period=one.period.isoformat(),
            landed=moment(one.landed_at, self.lang),
            state=self.w[f"s_{one.state}"],
            tone=_TONES.get(one.state, "warn"),
            rows=thousands(one.rows_in),
            rejected=thousands(one.rows_rejected),
        )

    def delivery(self, source: Source, seen: DeliveryInDetail) -> DeliveryView:
        """One delivery: how far it is, what became of every row, what was wrong."""
        w, one = self.w, seen.delivery
        waiting = one.rows_in - one.rows_published - one.rows_merged - one.rows_held - one.rows_rejected
        return DeliveryView(
            here="sources",
            id=one.id,
            source=source.id,
            source_name=self.pick(source.name),
            title=fill(w["delivery_title"], name=self.pick(source.name), period=one.period.isoformat()),
            lead=fill(w["delivery_lead"], when=moment(one.landed_at, self.lang), name=one.name, n=one.id),
            state=w[f"s_{one.state}"],
            tone=_TONES.get(one.state, "warn"),
            why=one.why_says,
            stages=self._stages(seen),
            stat=[
                (w["st_rows"], thousands(one.rows_in), w["st_rows_why"]),
                (w["st_bytes"], _size(one.bytes), w[f"f_{one.format}"]),
                (w["st_seen"], str(one.seen), w["st_seen_why"]),
            ],
            fates=[
                (w["fate_published"], thousands(one.rows_published)),
                (w["fate_merged"], thousands(one.rows_merged)),
                (w["fate_held"], thousands(one.rows_held)),
                (w["fate_rejected"], thousands(one.rows_rejected)),
                *([(w["fate_waiting"], thousands(waiting))] if waiting else []),
            ],
            faults=[self._fault(fault) for fault in seen.faults],
            rules=self._rules(source, seen.quality),
            running=not one.ended,
        )

    def for_steward(
        self,
        view: DeliveryView,
        seen: DeliveryInDetail,
        decides: bool,
        sent: Mapping[str, str],
        errors: Mapping[str, str],
        stale: str,
    ) -> DeliveryView:
        """The same with what a steward may do; ``decides``: with the power to decide about deliveries."""
        one, w = seen.delivery, self.desk
        acts = {"held": ("release", "refuse")}.get(
            one.state, () if one.ended or one.state == "open" else ("hold",)
        )
        wrong = one.rows_rejected + one.rows_held
        return msgspec.structs.replace(
            view,
            acts=[OptionView(act, w[f"a_{act}"], w[f"a_{act}_says"]) for act in acts] if decides else [],
            correct=f"/data/deliveries/{one.id}/rejected" if wrong else "",
            correct_says=fill(w["correct_link"], n=thousands(wrong)),
            was=one.state,
            act=sent.get("act", ""),
            reason=sent.get("reason", "")[:200],
            errors=list(errors.items()),
            stale=stale,
        )

    def _stages(self, seen: DeliveryInDetail) -> list[StageLine]:
        times = {"landed": seen.delivery.landed_at, **{step.state: step.at for step in seen.steps}}
        reached = max((STAGES.index(name) for name in times if name in STAGES), default=0)
        return [
            StageLine(
                self.w[f"s_{name}"],
                moment(times[name], self.lang) if name in times and number <= reached else "",
                "done"
                if number < reached or name == "published" == seen.delivery.state
                else ("now" if number == reached else "next"),
            )
            for number, name in enumerate(STAGES)
        ]

    def _fault(self, fault: FaultSeen) -> tuple[str, str, str]:
        what = self.w.get(f"fault_{fault.code}", fault.code)
        return (fault.column or self.w["whole_row"], what, thousands(fault.rows))


_TONES = {"published": "ok", "held": "bad", "refused": "bad"}


def _percent(part: int, whole: int) -> str:
    """Cut, not rounded: one row that failed must not read as 100 %."""
    return "100%" if part >= whole else f"{part * 10_000 // whole / 100:.2f}%"


def _size(count: int) -> str:
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"
