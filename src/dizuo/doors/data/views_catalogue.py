"""The catalogue of data resources as pages show it: a filtered list with counts beside every filter, and one resource."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from dizuo.engines.exchange import catalogue
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City
from dizuo.web.format import day, moment, thousands
from dizuo.web.words import fill

from .saying import Saying

PAGE: Final = 50
FILTERS: Final = ("provider", "kind", "share", "open", "cycle", "state")
_TONES: Final = {"unbound": "warn", "bound": "ok", "faulty": "bad", "stopped": ""}
_SHARE_TONES: Final = {1: "ok", 2: "info", 3: "warn"}
_HANDED: Final = 8
"""So many choices of a filter are shown; the rest are found by searching."""


class Choice(msgspec.Struct, frozen=True):
    """One choice of a filter: how many it would show; ``href`` sets it, or takes it back when it is ``on``."""

    value: str
    label: str
    n: int
    href: str
    on: bool


class Filter(msgspec.Struct, frozen=True):
    name: str
    label: str
    choices: list[Choice]


class ResourceRow(msgspec.Struct, frozen=True):
    code: str
    href: str
    title: str
    provider: str
    share: str
    share_tone: str
    open: str
    cycle: str
    records: str
    bound: str
    tone: str
    state: str


class CatalogueView(msgspec.Struct, frozen=True):
    """The list; ``meant`` says whom a former name in the search means today; ``newer`` and ``older`` are addresses or ''."""

    here: str
    steward: bool
    totals: list[tuple[str, str, str]]
    q: str
    kept: list[tuple[str, str]]
    meant: list[str]
    filters: list[Filter]
    count: str
    clear: str
    resources: list[ResourceRow]
    newer: str
    older: str


class ItemLine(msgspec.Struct, frozen=True):
    id: str
    name: str
    type: str
    level: str
    personal: str
    law: str


class LinkLine(msgspec.Struct, frozen=True):
    """A thing that leads on: what, where to, and in small letters what else."""

    what: str
    href: str
    says: str
    tag: str = ""
    tone: str = ""


class PastLine(msgspec.Struct, frozen=True):
    when: str
    what: str
    says: str


class ResourceView(msgspec.Struct, frozen=True):
    """One resource: the core metadata, its items, where it comes from, who uses it, what became of it."""

    here: str
    steward: bool
    code: str
    title: str
    share: str
    share_tone: str
    lead: str
    stat: list[tuple[str, str, str]]
    notes: list[str]
    items: list[ItemLine]
    meta: list[tuple[str, str]]
    way: list[LinkLine]
    uses: list[LinkLine]
    names: list[PastLine]
    past: list[PastLine]
    findings: list[LinkLine]
    twin: str


class CatalogueMaker(Saying):
    """Makes the catalogue's pages in one language."""

    def __init__(self, city: City, lang: str, words: Mapping[str, dict[str, str]], today: dt.date) -> None:
        super().__init__(city, lang)
        self.w = words["rescat"]
        self.today = today

    # ------------------------------------------------------------------ list

    def listed(
        self,
        every: Sequence[catalogue.Resource],
        items: int,
        standing: Mapping[str, catalogue.Standing],
        asked: Mapping[str, str],
        open_findings: int,
    ) -> CatalogueView:
        """The resources that a search found, narrowed by the filters asked for; ``items``: how many items they have; ``asked`` holds q, page and FILTERS."""
        chosen = {name: asked.get(name, "") for name in FILTERS}
        bound = {one.code: catalogue.bind_state(one, standing.get(one.code)) for one in every}
        shown = [one for one in every if self._fits(one, chosen)]
        page = self._page(asked.get("page", ""), len(shown))
        rows = shown[(page - 1) * PAGE : page * PAGE]
        live = [one for one in every if one.state != "offline"]
        fine = sum(bound[one.code] == "bound" for one in live)
        return CatalogueView(
            here="catalogue", steward=False, q=asked.get("q", ""),
            totals=[
                (self.w["t_resources"], thousands(len(live)), self.w["t_resources_why"]),
                (self.w["t_items"], thousands(items), self.w["t_items_why"]),
                (self.w["t_bound"], f"{100 * fine // len(live)}%" if live else "—", self.w["t_bound_why"]),
                (self.w["t_unconditional"], thousands(sum(one.share_type == 1 for one in live)), self.w["t_unconditional_why"]),
                (self.w["t_findings"], thousands(open_findings), self.w["t_findings_why"]),
            ],
            kept=[(name, value) for name, value in chosen.items() if value], meant=self._meant(asked.get("q", "")),
            filters=[self._filter(name, every, asked, chosen) for name in FILTERS],
            count=fill(self.w["count"], n=thousands(len(shown))),
            clear="/data/catalogue" if any(chosen.values()) or asked.get("q") else "",
            resources=[self._row(one, standing.get(one.code), bound[one.code]) for one in rows],
            newer=self._href(asked, page=str(page - 1)) if page > 1 else "",
            older=self._href(asked, page=str(page + 1)) if page * PAGE < len(shown) else "",
        )  # fmt: skip

    def providers_meant(self, q: str) -> list[str]:
        """The organisations whose names, short or former, hold what is searched."""
        wanted = q.strip().lower()
        return [
            one.id
            for one in self.city.organisations.values()
            if wanted
            and any(wanted in name.lower() for name in (one.name.zh, one.short.zh, one.name.en, *(past.name for past in one.former)))
        ]  # fmt: skip

    def _meant(self, q: str) -> list[str]:
        named = catalogue.organisation_named(self.city, q) if q else None
        if named is None or named.former is None:
            return []
        key = "meant_renamed" if named.how == "renamed" else "meant_merged"
        today = self.pick(self.city.organisations[named.organisation].name)
        return [fill(self.w[key], old=named.former.name, to=day(named.former.to, self.lang), new=today)]

    @staticmethod
    def _page(asked: str, n: int) -> int:
        last = max(1, -(-n // PAGE))
        return (
            min(int(asked), last)
            if asked.isascii() and asked.isdigit() and 0 < len(asked) < 6 and int(asked)
            else 1
        )

    @staticmethod
    def _value(one: catalogue.Resource, name: str) -> str:
        values: Mapping[str, Callable[[catalogue.Resource], object]] = {
            "provider": lambda r: r.provider, "kind": lambda r: r.kind, "share": lambda r: r.share_type,
            "open": lambda r: r.open_type, "cycle": lambda r: r.update_cycle, "state": lambda r: r.state,
        }  # fmt: skip
        return str(values[name](one))

    def _fits(self, one: catalogue.Resource, chosen: Mapping[str, str], but: str = "") -> bool:
        return all(
            not value or name == but or self._value(one, name) == value for name, value in chosen.items()
        )

    def _filter(
        self,
        name: str,
        every: Iterable[catalogue.Resource],
        asked: Mapping[str, str],
        chosen: Mapping[str, str],
    ) -> Filter:
        counts = Counter(self._value(one, name) for one in every if self._fits(one, chosen, but=name))
        shown = [value for value, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))][:_HANDED]
        if chosen[name] and chosen[name] not in shown:
            shown.append(chosen[name])
        choices = [
            Choice(
                value, self._label(name, value), counts[value],
                self._href(asked, **{name: "" if chosen[name] == value else value, "page": ""}), chosen[name] == value,
            )
            for value in shown
        ]  # fmt: skip
        return Filter(name, self.w[f"f_{name}"], choices)

    def _label(self, name: str, value: str) -> str:
        return self.unit(value) if name == "provider" else self.w.get(f"{name}_{value}", value)

    def _href(self, asked: Mapping[str, str], **changed: str) -> str:
        pairs = {
            name: value
            for name, value in {**asked, **changed}.items()
            if value and name in (*FILTERS, "q", "page")
        }
        if pairs.get("page") == "1":
            pairs.pop("page")
        return "/data/catalogue" + (f"?{urlencode(pairs)}" if pairs else "")

    def _row(self, one: catalogue.Resource, standing: catalogue.Standing | None, bound: str) -> ResourceRow:
        return ResourceRow(
            code=one.code, href=href_of(one.code), title=self._title(one), provider=self.unit(one.provider),
            share=self.w[f"share_{one.share_type}"], share_tone=_SHARE_TONES[one.share_type], open=self.w[f"open_{one.open_type}"],
            cycle=self.w[f"cycle_{one.update_cycle}"],
            records="—" if standing is None or standing.records is None else thousands(standing.records),
            bound=self.w[f"bound_{bound}"], tone=_TONES[bound], state=self.w[f"state_{one.state}"] if one.state != "published" else "",
        )  # fmt: skip

    def _title(self, one: catalogue.Resource) -> str:
        return one.title_en if self.lang == "en" and one.title_en else one.title

    # -------------------------------------------------------------- resource

    def resource(
        self, one: catalogue.Resource, standing: catalogue.Standing | None, past: Sequence[catalogue.ResourceChange], every: Sequence[catalogue.Resource],
        findings: Sequence[catalogue.Finding],
    ) -> ResourceView:  # fmt: skip
        """One resource; ``findings`` are its open tickets, for officials."""
        return ResourceView(
            here="catalogue", steward=False, code=one.code, title=self._title(one),
            share=self.w[f"share_{one.share_type}"], share_tone=_SHARE_TONES[one.share_type],
            lead=(one.abstract_en if self.lang == "en" and one.abstract_en else one.abstract) or self.w["no_abstract"],
            stat=self._stat(one, standing), notes=self._notes(one),
            items=[
                ItemLine(
                    field.id, field.en if self.lang == "en" and field.en else field.zh, f"{field.type} · {self.w[f'type_{field.type}']}",
                    field.level, self.w["yes"] if field.personal else "", law_text(self.city, field.basis, self.lang) if field.basis else "",
                )
                for field in one.fields
            ],
            meta=self._meta(one, every), way=self._way(one, every), uses=self._uses(one), names=self._names(one),
            past=[self._past(change) for change in past],
            findings=[
                LinkLine(found.says(self.lang), f"/data/audit/{found.id}", found.rule, self.w[f"finding_{found.state}"], "warn")
                for found in findings
            ],
            twin=f"{href_of(one.code)}.json",
        )  # fmt: skip

    def _stat(
        self, one: catalogue.Resource, standing: catalogue.Standing | None
    ) -> list[tuple[str, str, str]]:
        bound = catalogue.bind_state(one, standing)
        last = (
            self.w["never"]
            if standing is None or standing.last_at is None
            else moment(standing.last_at, self.lang)
        )
        promise = self.w[f"cycle_{one.update_cycle}"]
        if standing is not None and standing.late:
            promise = fill(self.w["late"], n=standing.late, cycle=promise)
        records = "—" if standing is None or standing.records is None else thousands(standing.records)
        personal = sum(field.personal for field in one.fields)
        return [
            (self.w["s_updated"], last, fill(self.w["s_promise"], cycle=promise)),
            (self.w["s_records"], records, self.w["s_records_why"]),
            (self.w["s_items"], thousands(len(one.fields)), fill(self.w["s_items_why"], n=personal)),
            (self.w["s_level"], one.level, self.w["s_level_why"]),
            (self.w["s_bound"], self.w[f"bound_{bound}"], self._where(one, standing)),
            *self._available(standing),
        ]

    def _where(self, one: catalogue.Resource, standing: catalogue.Standing | None) -> str:
        if standing is not None and standing.node:
            return fill(self.w["at_node"], department=self.unit(standing.node))
        return self.w[f"kind_{one.kind}"]

    def _available(self, standing: catalogue.Standing | None) -> list[tuple[str, str, str]]:
        """How often its interface answered, where anybody tried."""
        counts = standing.available if standing is not None else None
        if counts is None or counts.share is None:
            return []
        calls, probes = counts.answered + counts.failed, counts.probes
        says = fill(
            self.w["s_available_why"], calls=thousands(calls), failed=thousands(counts.failed),
            probes=thousands(probes), silent=thousands(counts.probes_failed),
        )  # fmt: skip
        return [(self.w["s_available"], f"{counts.share * 100:.1f}%", says)]

    def _notes(self, one: catalogue.Resource) -> list[str]:
        notes = (
            []
            if one.state == "published"
            else [f"{self.w[f'state_{one.state}']}{self.w['colon']}{one.state_why}"]
        )
        named = [self.w[f"a_{name}"] for name in one.derived if f"a_{name}" in self.w]
        if named:
            notes.append(fill(self.w["derived"], names=self.w["and"].join(named)))
        return notes

    def _meta(self, one: catalogue.Resource, every: Sequence[catalogue.Resource]) -> list[tuple[str, str]]:
        parts = catalogue.parts_of(one.code)
        titles = {other.code: self._title(other) for other in every}
        basis = law_text(self.city, one.share_basis, self.lang) if one.share_basis else ""
        provider = self.city.organisations.get(one.provider)
        taken = "" if parts is None else fill(
            self.w["m_code_parts"], a=parts.class_, b=parts.item, c=f"{parts.organisation:03}", d=parts.detail, e=parts.sequence
        )  # fmt: skip
        methods = self.w["and"].join(self.w[f"method_{name}"] for name in one.share_methods) or "—"
        return [
            (self.w["m_category"], one.category),
            (self.w["m_title"], one.title),
            (self.w["m_code"], f"{one.code}{taken}"),
            (self.w["m_provider"], self.pick(provider.name) if provider else one.provider),
            (self.w["m_provider_code"], one.provider_code or "—"),
            (self.w["m_format"], one.format or "—"),
            (self.w["m_items"], fill(self.w["m_items_n"], n=len(one.fields))),
            (self.w["m_share"], self.w["dot"].join(text for text in (self.w[f"share_{one.share_type}"], one.share_condition.rstrip("。."), basis, methods) if text)),
            (self.w["m_open"], self.w["dot"].join(text for text in (self.w[f"open_{one.open_type}"], one.open_condition.rstrip("。.")) if text)),
            (self.w["m_cycle"], self.w[f"cycle_{one.update_cycle}"]),
            (self.w["m_published"], day(one.published_on, self.lang) or "—"),
            (self.w["m_related"], self.w["and"].join(titles.get(code, code) for code in one.related) or "—"),
        ]  # fmt: skip

    def _way(self, one: catalogue.Resource, every: Sequence[catalogue.Resource]) -> list[LinkLine]:
        """From the systems to the resource, and on to what it feeds."""
        codes = {other.register: other.code for other in every if other.register}
        lines = [
            LinkLine(self.pick(of.name), f"/data/sources/{of.source}", f"{self.unit(of.department)}{self.w['dot']}{self.pick(self.city.sources[of.source].name)}", self.w["w_system"])
            for of in catalogue.systems_of(self.city, one)
        ]  # fmt: skip
        if one.register is not None and one.register in self.city.registers:
            lines.append(LinkLine(self.pick(self.city.registers[one.register].name), f"/data/registers/{one.register}", self.w["w_register_says"], self.w["w_register"], "ok"))  # fmt: skip
        else:
            lines += [
                LinkLine(self.pick(self.city.registers[name].name), href_of(codes[name]), self.w["w_feeds_says"], self.w["w_feeds"], "ok")
                for name in catalogue.registers_behind(self.city, one)
                if name in codes
            ]  # fmt: skip
        lines += [
            LinkLine(
                self.w[f"method_{name}"],
                "/data/sharing",
                self.w["w_service_says"],
                self.w["w_service"],
                "info",
            )
            for name in one.share_methods
        ]
        return lines

    def _uses(self, one: catalogue.Resource) -> list[LinkLine]:
        found: list[LinkLine] = []
        for use in catalogue.uses_of(self.city, one):
            matter = self.city.matters[use.matter]
            item = next((item for item in matter.items if item.id == use.item), None)
            fields = self.city.registers[use.register].fields
            named = self.w["and"].join(self.pick(fields[name].name) for name in use.fields if name in fields)
            what = f"{self.pick(matter.name)}{self.w['dot']}{self.pick(item.name) if item else use.item}"
            purpose = (
                self.pick(self.city.purposes[use.purpose].name)
                if use.purpose in self.city.purposes
                else use.purpose
            )
            says = fill(
                self.w["u_says"], purpose=purpose, law=law_text(self.city, use.basis, self.lang), fields=named
            )
            found.append(LinkLine(what, f"/data/matters/{use.matter}", says))
        return found

    def _names(self, one: catalogue.Resource) -> list[PastLine]:
        known = self.city.organisations.get(one.provider)
        if known is None or not known.former:
            return []
        lines: list[PastLine] = []
        for name in catalogue.names_of(known):
            start = day(name.start, self.lang) if name.start else self.w["n_ever"]
            end = day(name.end, self.lang) if name.end else self.w["n_now"]
            shown = self.pick(known.name) if name.how == "now" else name.name
            lines.append(
                PastLine(fill(self.w["n_period"], start=start, end=end), shown, self.w[f"n_{name.how}"])
            )
        return lines

    def _past(self, change: catalogue.ResourceChange) -> PastLine:
        attributes = self.w["and"].join(self.w.get(f"a_{name}", name) for name in change.after)
        by = self.w["by_declarations"] if change.by == "declarations" else self.w["by_person"]
        says = change.why or (fill(self.w["p_says"], names=attributes) if change.kind == "changed" else "")
        return PastLine(
            moment(change.at, self.lang),
            self.w[f"p_{change.kind}"],
            f"{by}{self.w['dot']}{says}" if says else by,
        )


def href_of(code: str) -> str:
    """The address of a resource's page."""
    return f"/data/catalogue/{quote(code)}"
