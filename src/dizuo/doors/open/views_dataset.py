"""A dataset as its page shows it: facts that let one trust it, rows to look at, columns, how it was made and guarded."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from dizuo.engines.opendata import (
    FACET_VALUES,
    DatasetSeen,
    GateReport,
    Row,
    RowQuery,
    RowsFound,
    VersionSeen,
    exporting,
    people,
)
from dizuo.foundation.kernel.clock_source import to_shanghai

from .views import FacetShown, Link, OpenMaker

_LENGTHS: Final = {
    "realtime": 1, "daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "half_yearly": 183, "yearly": 366,
}  # fmt: skip
_EASY: Final = {
    "csv": "CSV",
    "xlsx": "Excel",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
    "geojson": "GeoJSON",
}


class Head(msgspec.Struct, frozen=True):
    """A column's heading: its name, the address that sorts by it, an arrow when sorted, whether it holds numbers."""

    id: str
    name: str
    href: str
    arrow: str
    right: bool


class ColumnShown(msgspec.Struct, frozen=True):
    """A column in the table of columns."""

    id: str
    name: str
    type: str
    says: str


class Step(msgspec.Struct, frozen=True):
    """One thing that was done to the data, with a tag."""

    what: str
    how: str
    tag: str
    tone: str
    href: str = ""


class DatasetView(msgspec.Struct, frozen=True):
    """The page of a dataset."""

    here: str
    id: str
    title: str
    says: str
    openness: str
    tone: str
    theme: tuple[str, str]
    open: bool
    condition: str
    downloads: tuple[tuple[str, str], ...]
    take: str
    size: str
    whole: tuple[str, str]
    elsewhere: tuple[tuple[str, str], ...]
    licence: str
    stat: tuple[tuple[str, str, str], ...]
    facets: tuple[FacetShown, ...]
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    total: str
    pages: str
    newer: str
    older: str
    q: str
    kept: tuple[tuple[str, str], ...]
    wrong: tuple[str, ...]
    chosen: tuple[tuple[str, str], ...]
    api: str
    api_says: str
    columns: tuple[ColumnShown, ...]
    steps: tuple[Step, ...]
    versions: tuple[tuple[str, str, str, str], ...]
    accuracy: str
    tickets: tuple[people.Ticket, ...]
    showcases: tuple[people.Showcase, ...]
    rating: str
    sign_in: str


class RowsJson(msgspec.Struct, frozen=True):
    """Rows by condition, as JSON."""

    ok: bool
    dataset: str
    title: str
    version: int
    digest: str
    updated_at: dt.datetime | None
    licence: str
    total: int
    offset: int
    rows: tuple[Mapping[str, Any], ...]


class GateView(msgspec.Struct, frozen=True):
    """What the gate found, release by release: heading facts, and for each finding (tag, tone, sentence, examples, ways)."""

    here: str
    id: str
    title: str
    served: bool
    reports: tuple[
        tuple[GateReport, str, str, str, tuple[tuple[str, str, str, str, tuple[str, ...]], ...]], ...
    ]


class DatasetMaker:
    """Makes the views of one dataset."""

    def __init__(self, base: OpenMaker, seen: DatasetSeen) -> None:
        self.base = base
        self.seen = seen
        self.w = base.words["dataset"]
        self.path = f"/open/data/{quote(seen.id)}"

    def page(
        self, query: RowQuery, found: RowsFound, facets: Mapping[str, Sequence[tuple[str, int]]],
        versions: Sequence[VersionSeen], reports: Sequence[GateReport], open_: bool, wrong: Mapping[str, str],
        tickets: Sequence[people.Ticket], showcases: Sequence[people.Showcase], asked: Sequence[tuple[str, str]],
    ) -> DatasetView:  # fmt: skip
        """Everything on the page of a dataset."""
        seen, base = self.seen, self.base
        openness, tone = base.openness(seen)
        asked = [(k, v) for k, v in asked if v] if not wrong else []
        suffix = (
            "?" + urlencode([(k, v) for k, v in asked if k != "_sort"])
            if [k for k, _ in asked if k != "_sort"]
            else ""
        )
        last = max(1, -(-found.total // query.limit))
        here = query.offset // query.limit + 1
        condition = seen.condition_en if base.lang == "en" and seen.condition_en else seen.condition
        example = self._example(asked, facets)
        return DatasetView(
            here="find",
            id=seen.id,
            title=seen.called(base.lang),
            says=seen.told(base.lang),
            openness=openness,
            tone=tone,
            theme=(base.word("theme", seen.theme), "/open?" + urlencode({"theme": seen.theme})),
            open=open_,
            condition=condition,
            downloads=tuple(
                (_EASY[one], f"{self.path}/download/{one}{suffix}") for one in seen.formats if one in _EASY
            ),
            take=(f"{self.path}/download/csv?" + urlencode([*((k, v) for k, v in asked if k not in ("_sort", "_offset")), ("bom", "1"), ("titled", "1")])),
            size=self._size(exporting.csv_size(seen.columns, found.rows, found.total)),
            whole=(self.w["all_of"].format(n=f"{seen.rows:,}"), f"{self.path}/download/csv?bom=1&titled=1") if suffix else ("", ""),
            elsewhere=() if seen.version else self._elsewhere(),
            licence=seen.licence,
            stat=self._stat(),
            facets=tuple(self._facet(name, values, query, asked) for name, values in facets.items() if len(values) > 1),
            heads=tuple(self._head(column.id, query, asked) for column in seen.columns),
            rows=tuple(self._row(row) for row in found.rows),
            total=f"{found.total:,}",
            pages=self.w["page_of"].format(n=here, all=f"{last:,}"),
            newer=self._at(asked, _offset=str(query.offset - query.limit)) if here > 1 else "",
            older=self._at(asked, _offset=str(query.offset + query.limit)) if here < last else "",
            q=query.text,
            kept=tuple((k, v) for k, v in asked if k not in ("q", "_offset")),
            wrong=tuple(wrong.values()),
            chosen=tuple((f"{self._name(one.column)}：{one.value}", self._without(asked, one.column)) for one in query.conditions),
            api=example,
            api_says=self.w["api_says"],
            columns=tuple(
                ColumnShown(c.id, c.called(base.lang), self._type(c.type, c.unit), c.says_en if base.lang == "en" and c.says_en else c.says)
                for c in seen.columns
            ),
            steps=tuple(self._steps(reports)),
            versions=tuple(
                (f"v{v.version}", f"{to_shanghai(v.released_at):%Y-%m-%d}", f"{v.rows:,}", v.digest[:12]) for v in versions[:6]
            ),
            accuracy=self.w["accuracy"].format(n=f"{seen.accuracy:.0f}", e=f"{seen.epsilon:g}") if seen.accuracy else "",
            tickets=tuple(tickets),
            showcases=tuple(showcases),
            rating=self.w["rating"].format(mean=f"{seen.rating:.1f}", n=seen.ratings) if seen.ratings else "",
            sign_in="/sign-in?" + urlencode({"next": self.path}),
        )  # fmt: skip

    def api(self, query: RowQuery, found: RowsFound) -> RowsJson:
        """The rows as JSON, in the declared columns."""
        seen = self.seen
        rows = tuple({column.id: row.data.get(column.id) for column in seen.columns} for row in found.rows)
        return RowsJson(
            True, seen.id, seen.title, seen.version, seen.digest, seen.updated_at, seen.licence, found.total, query.offset, rows
        )  # fmt: skip

    def gate(self, reports: Sequence[GateReport]) -> GateView:
        """The gate's reports as shown."""
        w = self.base.words["gate"]
        english = self.base.lang == "en"

        def finding(one: Mapping[str, Any]) -> tuple[str, str, str, str, tuple[str, ...]]:
            tag, tone = (w["stops"], "bad") if one["stops"] else (w["passes"], "ok")
            ways = tuple(
                w["way"].format(
                    column=self._name(way["column"]), how=way["how_en" if english else "how"], n=way["left"]
                )
                for way in one.get("ways", ())
            )
            return tag, tone, one["says_en" if english else "says"], "、".join(one.get("examples", ())), ways

        told = tuple(
            (one, f"{to_shanghai(one.at):%Y-%m-%d %H:%M}", w["passed"] if one.passed else w["stopped"],
             "ok" if one.passed else "bad", tuple(finding(each) for each in one.findings))
            for one in reports
        )  # fmt: skip
        return GateView(
            "find", self.seen.id, self.seen.called(self.base.lang), self.seen.state == "published", told
        )

    def _stat(self) -> tuple[tuple[str, str, str], ...]:
        seen, w, base = self.seen, self.w, self.base
        quality: Mapping[str, Any] = seen.extras.get("quality") or {}
        gaps: Mapping[str, int] = quality.get("gaps") or {}
        cells = sum(gaps.values())
        late = self._late()
        complete = f"{100 * float(quality.get('complete', 1)):.1f}%" if quality else "–"
        return (
            (w["t_updated"], base.ago(seen.updated_at), w["promised"].format(cycle=base.word("cycle", seen.cycle)) + late),
            (w["t_size"], f"{seen.rows:,} × {len(seen.columns)}", w["rows_columns"]),
            (w["t_complete"], complete, w["empty_cells"].format(n=f"{cells:,}") if cells else w["no_empty"]),
            (w["t_source"], base.unit(seen.provider), w["via"]),
            (w["t_version"], f"v{seen.version}", w["since"].format(day=f"{to_shanghai(seen.first_published):%Y-%m-%d}") if seen.first_published else ""),
            (w["t_used"], f"{seen.downloads:,}", w["calls"].format(n=f"{seen.calls:,}")),
        )  # fmt: skip

    def _size(self, size: int) -> str:
        """About 12 KB, about 3.4 MB: going by the rows that are shown."""
        if size < 1_000_000:
            return self.w["about_kb"].format(n=f"{max(1, round(size / 1000)):,}")
        return self.w["about_mb"].format(n=f"{size / 1_000_000:,.1f}")

    def _elsewhere(self) -> tuple[tuple[str, str], ...]:
        """Where a dataset of another portal is to be had: its files, then its page; only links that lead to a page."""
        kept: Any = self.seen.extras.get("ckan") or {}
        package: Any = kept.get("package") or {}
        files: Sequence[Any] = package.get("resources") or ()
        links = [
            (str(one.get("name") or one.get("format") or one.get("url")), str(one.get("url")))
            for one in files
        ]
        source: Any = kept.get("source") or {}
        links.append((self.w["its_page"], str(source.get("source_url") or "")))
        return tuple((name, url) for name, url in links[:12] if url.startswith(("https://", "http://")))

    def _late(self) -> str:
        """“，晚了 3 天” when the promised cycle has gone by."""
        length = _LENGTHS.get(self.seen.cycle)
        if length is None or self.seen.updated_at is None:
            return ""
        over = (self.base.now.date() - to_shanghai(self.seen.updated_at).date()).days - length
        return self.w["late"].format(n=over) if over > 0 else ""

    def _facet(
        self, name: str, values: Sequence[tuple[str, int]], query: RowQuery, asked: Sequence[tuple[str, str]]
    ) -> FacetShown:
        chosen = {one.column: one.value for one in query.conditions if one.operator == "eq"}
        largest = max(n for _, n in values)
        links: list[Link] = []
        for value, n in values:
            on = chosen.get(name) == value
            href = self._without(asked, name) if on else self._at([*self._others(asked, name), (name, value)])
            links.append(Link(self._said(value), href, n, round(100 * n / largest), on))
        return self.base.facet_shown(name, self._name(name), links, 10, FACET_VALUES)

    def _head(self, name: str, query: RowQuery, asked: Sequence[tuple[str, str]]) -> Head:
        sorted_ = dict(query.sort)
        down = sorted_.get(name)
        arrow = "" if down is None else "↓" if down else "↑"
        column = self.seen.column(name)
        kept = [(k, v) for k, v in asked if k not in ("_sort", "_offset")]
        href = self._at([*kept, ("_sort", name if down or down is None else f"-{name}")])
        return Head(
            name, self._name(name), href, arrow, column is not None and column.type in ("integer", "decimal")
        )

    def _row(self, row: Row) -> tuple[str, ...]:
        return tuple(self._said(row.data.get(column.id)) for column in self.seen.columns)

    def _said(self, value: object) -> str:
        if value is None:
            return "–"
        if value is True or value == "true":
            return self.w["yes"]
        if value is False or value == "false":
            return self.w["no"]
        return f"{value:,}" if isinstance(value, int) else str(value)

    def _name(self, column: str) -> str:
        names = [
            found.called(self.base.lang) if (found := self.seen.column(one)) else one
            for one in column.split(",")
        ]
        return "、".join(names)

    def _type(self, kind: str, unit: str) -> str:
        word = self.base.word("type", kind)
        return f"{word}（{unit}）" if unit and self.base.lang == "zh" else word

    def _steps(self, reports: Sequence[GateReport]) -> list[Step]:
        """How it was made, guarded, inspected and entered."""
        made, w, seen = self.seen.made, self.w, self.seen
        of = str(made.get("name") or self.base.word("of", str(made.get("of", ""))))
        if seen.origin == "declared":
            steps = [
                Step(w[f"made_{made.get('way', 'file')}"], w["made_of"].format(of=of), w["tag_made"], "")
            ]
        else:
            steps = [
                Step(
                    w[f"made_{seen.origin}"],
                    w["made_of"].format(of=self.base.unit(seen.provider)),
                    w["tag_made"],
                    "",
                )
            ]
        guard = made.get("guard")
        if guard == "noise":
            steps.append(
                Step(
                    w["guard_noise"],
                    w["guard_noise_how"].format(e=f"{made['epsilon']:g}", b=f"{made['budget']:g}"),
                    w["tag_guard"],
                    "info",
                )
            )
        elif guard == "suppress":
            steps.append(
                Step(
                    w["guard_suppress"],
                    w["guard_suppress_how"].format(n=made["least"]),
                    w["tag_guard"],
                    "info",
                )
            )
        current = next((one for one in reports if one.id == seen.report), None)
        if current is not None:
            said = w["gate_how"].format(
                n=len(current.findings), day=f"{to_shanghai(current.at):%Y-%m-%d %H:%M}"
            )
            steps.append(Step(w["gate"], said, w["tag_gate"], "ok", f"{self.path}/gate"))
        if seen.entry is not None:
            steps.append(
                Step(
                    w["released"],
                    w["released_how"].format(n=seen.entry, digest=seen.digest[:12]),
                    w["tag_released"],
                    "ok",
                    "/data/ledger",
                )
            )
        return steps  # fmt: skip

    def _example(
        self, asked: Sequence[tuple[str, str]], facets: Mapping[str, Sequence[tuple[str, int]]]
    ) -> str:
        kept = [(k, v) for k, v in asked if k != "_offset"]
        if not kept:
            faceted = next(((name, values[0][0]) for name, values in facets.items() if values), None)
            number = next((c.id for c in self.seen.columns if c.type in ("integer", "decimal")), "")
            kept = ([faceted] if faceted else []) + ([("_sort", f"-{number}")] if number else [])
        # Quoted for the shell: what stands in the address of this page may come from anybody.
        parts = ["curl", *(["-G"] if kept else []), f"{self.base.origin}{self.path}.json"]
        for name, value in kept:
            parts += ["--data-urlencode", f"{name}={value}"]
        return shlex.join(parts)

    def _others(self, asked: Sequence[tuple[str, str]], name: str) -> list[tuple[str, str]]:
        return [(k, v) for k, v in asked if k.partition("__")[0] != name and k != "_offset"]

    def _without(self, asked: Sequence[tuple[str, str]], name: str) -> str:
        return self._at(self._others(asked, name))

    def _at(self, asked: Sequence[tuple[str, str]], **more: str) -> str:
        kept = [(k, v) for k, v in asked if k not in more] + [(k, v) for k, v in more.items() if v != "0"]
        return self.path + ("?" + urlencode(kept) if kept else "") + "#rows"
