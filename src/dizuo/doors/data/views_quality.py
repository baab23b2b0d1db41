"""How good departments' data are, and how the five base registers stand (五大基础库自评): computed, never reported by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import msgspec

from dizuo.engines.cases import CorrectionFigures
from dizuo.engines.lake import QualitySeen, SourcesSeen, freshness
from dizuo.engines.registers import Holding
from dizuo.foundation.blueprint.lineage import sources_of
from dizuo.foundation.blueprint.model import City, Register
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.web.format import thousands
from dizuo.web.words import fill

from .saying import Saying

BASES = ("person", "enterprise", "licence", "geography", "credit")
_GOOD, _FAIR = 0.98, 0.9


class DepartmentLine(msgspec.Struct, frozen=True):
    """One department that delivers or is the source of something."""

    id: str
    name: str
    sources: int
    rows: str
    back: str
    rules: str
    rules_tone: str
    late: str
    late_tone: str
    corrections: str
    over: str
    over_tone: str
    in_time: str


class QualityView(msgspec.Struct, frozen=True):
    here: str
    totals: list[tuple[str, str, str]]
    departments: list[DepartmentLine]


class Criterion(msgspec.Struct, frozen=True):
    """One question of the self-assessment, and each base register's answer with its tone."""

    name: str
    why: str
    answers: list[tuple[str, str]]


class AssessmentView(msgspec.Struct, frozen=True):
    here: str
    bases: list[str]
    criteria: list[Criterion]


class QualityMaker(Saying):
    """Makes both pages in one language on one day."""

    def __init__(
        self, city: City, lang: str, words: Mapping[str, dict[str, str]], today: dt.date, seen: SourcesSeen
    ) -> None:
        super().__init__(city, lang)
        self.w = words["quality"]
        self.bases_said = words["data"]
        self.today = today
        self.seen = seen
        self.calendar = WorkCalendar(city.calendar_overrides, city.working_hours, city.after_hours)

    # ------------------------------------------------------------ departments

    def departments(self, corrections: Mapping[str, CorrectionFigures]) -> QualityView:
        """Every department that delivers or has corrections, the ones with work to do first."""
        w = self.w
        ids = dict.fromkeys([*(s.department for s in self.city.sources.values()), *corrections])
        lines = [self._department(one, corrections.get(one)) for one in ids]
        lines.sort(
            key=lambda line: (line.over_tone != "bad", line.late_tone != "bad", line.rules_tone != "bad")
        )
        rules = [rule for several in self.seen.quality.values() for rule in several]
        figures = list(corrections.values())
        return QualityView(
            here="quality",
            totals=[
                (w["t_departments"], str(len(lines)), w["t_departments_why"]),
                (w["t_rules"], _share(rules), fill(w["t_rules_why"], n=len(rules))),
                (w["t_late"], str(sum(self._late(s) > 0 for s in self.city.sources.values())), w["t_late_why"]),
                (w["t_open"], str(sum(f.open for f in figures)), w["t_open_why"]),
                (w["t_over"], str(sum(f.over for f in figures)), w["t_over_why"]),
            ],
            departments=lines,
        )  # fmt: skip

    def _department(self, organisation: str, figures: CorrectionFigures | None) -> DepartmentLine:
        mine = [source for source in self.city.sources.values() if source.department == organisation]
        came = [self.seen.latest[source.id] for source in mine if source.id in self.seen.latest]
        rows, back = sum(one.rows_in for one in came), sum(one.rows_rejected for one in came)
        rules = [rule for source in mine for rule in self.seen.quality.get(source.id, ())]
        kept = sum(rule.holds for rule in rules)
        late = sum(self._late(source) > 0 for source in mine)
        over = 0 if figures is None else figures.over
        return DepartmentLine(
            id=organisation,
            name=self.unit(organisation),
            sources=len(mine),
            rows=thousands(rows) if came else "—",
            back=f"{back * 10_000 // rows / 100:.2f}%" if rows else "—",
            rules=f"{kept} / {len(rules)}" if rules else "—",
            rules_tone="" if not rules else ("ok" if kept == len(rules) else "bad"),
            late=str(late) if mine else "—",
            late_tone="bad" if late else "",
            corrections="0" if figures is None else str(figures.open),
            over=str(over),
            over_tone="bad" if over else "",
            in_time=f"{figures.in_time} / {figures.ended}" if figures is not None and figures.ended else "—",
        )

    def _late(self, source: Source) -> int:
        return freshness(source, self.seen.published_to.get(source.id), self.today, self.calendar).late

    # ----------------------------------------------------------- five registers

    def assessment(
        self, holdings: Mapping[str, Holding], corrections: Mapping[str, CorrectionFigures]
    ) -> AssessmentView:
        """The five base registers against the same questions."""
        registers = {base: [r for r in self.city.registers.values() if r.base == base] for base in BASES}
        questions: list[tuple[str, Callable[[list[Register]], tuple[str, str]]]] = [
            ("registers", lambda several: (str(len(several)), "" if several else "bad")),
            ("records", lambda several: _held(several, holdings)),
            ("one_source", self._one_source),
            ("fed", self._fed),
            ("checked", self._checked),
            ("fresh", self._fresh),
            ("rules", self._rules),
            ("codes", self._codes),
            ("law", self._law),
            ("corrections", lambda several: self._corrections(several, corrections)),
        ]
        return AssessmentView(
            here="quality",
            bases=[self.bases_said[f"base_{base}"] for base in BASES],
            criteria=[
                Criterion(
                    self.w[f"q_{name}"],
                    self.w[f"q_{name}_why"],
                    [answer(registers[base]) if registers[base] else ("—", "bad") for base in BASES],
                )
                for name, answer in questions
            ],
        )

    def _feeding(self, several: Sequence[Register]) -> list[Source]:
        ids = {register.id for register in several}
        return [s for s in self.city.sources.values() if any(feed.register in ids for feed in s.feeds)]

    def _one_source(self, several: list[Register]) -> tuple[str, str]:
        """Every field has exactly one source: the checker refuses anything else; a declared fallback is told beside."""
        fields = [field for register in several for field in register.fields.values()]
        fallback = sum(bool(field.fallback) for field in fields)
        return fill(self.w["a_one_source"], n=len(fields), fallback=fallback), "ok"

    def _fed(self, several: list[Register]) -> tuple[str, str]:
        fed = [bool(origins) for r in several for origins in sources_of(self.city, r.id).values()]
        return _ratio(sum(fed), len(fed))

    def _checked(self, several: list[Register]) -> tuple[str, str]:
        """Keys with check digits: GB 11643, GB 32100."""
        keys = [register.fields[register.key].type for register in several]
        checked = sum(kind in ("citizen_id", "uscc") for kind in keys)
        return f"{checked} / {len(keys)}", "ok" if checked else "warn"

    def _fresh(self, several: list[Register]) -> tuple[str, str]:
        mine = [s for s in self._feeding(several) if s.id in self.seen.published_to]
        return _ratio(sum(self._late(s) == 0 for s in mine), len(mine))

    def _rules(self, several: list[Register]) -> tuple[str, str]:
        rules = [rule for s in self._feeding(several) for rule in self.seen.quality.get(s.id, ())]
        return _ratio(sum(rule.holds for rule in rules), len(rules))

    def _codes(self, several: list[Register]) -> tuple[str, str]:
        coded = [field for r in several for field in r.fields.values() if field.codes]
        return _ratio(sum(field.verified for field in coded), len(coded))

    def _law(self, several: list[Register]) -> tuple[str, str]:
        """Legal bases whose article somebody held against the official text."""
        cited = [field.basis for r in several for field in r.fields.values()]
        good = 0
        for ref in cited:
            law, _, article = ref.key.partition(":")
            known = self.city.laws.get(law)
            good += bool(known and article in known.articles and known.articles[article].verified)
        return _ratio(good, len(cited))

    def _corrections(
        self, several: list[Register], corrections: Mapping[str, CorrectionFigures]
    ) -> tuple[str, str]:
        owners = {field.source for r in several for field in r.fields.values()}
        mine = [corrections[one] for one in owners if one in corrections]
        ended, in_time = sum(f.ended for f in mine), sum(f.in_time for f in mine)
        over = sum(f.over for f in mine)
        if over:
            return fill(self.w["a_over"], n=over), "bad"
        return _ratio(in_time, ended)


def _held(several: Sequence[Register], holdings: Mapping[str, Holding]) -> tuple[str, str]:
    count = sum(holdings[r.id].records for r in several if r.id in holdings)
    return thousands(count), "" if count else "bad"


def _share(rules: Sequence[QualitySeen]) -> str:
    kept = sum(rule.holds for rule in rules)
    return f"{kept} / {len(rules)}" if rules else "—"


def _ratio(part: int, whole: int) -> tuple[str, str]:
    """A share in words with its tone; nothing to measure is neither good nor bad."""
    if not whole:
        return "—", ""
    share = part / whole
    return f"{part} / {whole}", "ok" if share >= _GOOD else ("warn" if share >= _FAIR else "bad")
