"""The stewards' desk as pages show it: what waits, what has to be corrected; in counts, never a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dizuo.engines.lake import DeliveryInDetail, FaultSeen, review
from dizuo.foundation.blueprint.model import City, Words
from dizuo.foundation.blueprint.model_source import Source
from dizuo.web.format import moment, thousands
from dizuo.web.words import fill

from .views_sources import OptionView

PURPOSES: Final = ("correct", "rules", "answer")
"""What rows may be taken for; the ledger gets the Chinese words."""
_SAYS: Final = {"correct": "改正后重新交付", "rules": "核查质量问题的原因", "answer": "答复本人的更正申请"}


class WaitingRow(msgspec.Struct, frozen=True):
    id: int
    source: str
    period: str
    state: str
    tone: str
    why: str
    rows: str
    since: str


class CorrectRow(msgspec.Struct, frozen=True):
    id: int
    source: str
    period: str
    rejected: str
    held: str


class DeskView(msgspec.Struct, frozen=True):
    here: str
    steward: bool
    totals: list[tuple[str, str, str]]
    deliveries: list[WaitingRow]
    correct: list[CorrectRow]
    pairs: str


class RejectedView(msgspec.Struct, frozen=True):
    """What has to be corrected of a delivery; ``downloads`` are those that have rows."""

    here: str
    steward: bool
    id: int
    source: str
    source_name: str
    delivery: str
    title: str
    stat: list[tuple[str, str, str]]
    faults: list[tuple[str, str, str, str]]
    purposes: list[OptionView]
    downloads: list[OptionView]
    errors: list[tuple[str, str]]


class DeskMaker:
    """Makes the stewards' pages in one language."""

    def __init__(self, city: City, lang: str, words: Mapping[str, dict[str, str]]) -> None:
        self.city = city
        self.lang = lang
        self.w = words["desk"]
        self.s = words["sources"]

    def _pick(self, words: Words) -> str:
        return words.en if self.lang == "en" and words.en else words.zh

    def _source(self, id: str) -> str:
        known = self.city.sources.get(id)
        return id if known is None else self._pick(known.name)

    def purpose(self, purpose: str) -> str:
        """What the ledger reads, in Chinese whatever the reader's language."""
        return _SAYS[purpose]

    def file_name(self, source: Source, seen: DeliveryInDetail, what: str) -> str:
        """常住户口登记-2026-11-20-退回.csv"""
        return f"{source.name.zh}-{seen.delivery.period}-{'待核' if what == 'held' else '退回'}.csv"

    def desk(
        self,
        waiting: Sequence[review.WaitingDelivery],
        correct: Sequence[review.ToCorrect],
        pairs: review.Waiting,
    ) -> DeskView:
        """Everything that waits."""
        w = self.w
        held = sum(one.state == "held" for one in waiting)
        return DeskView(
            here="desk",
            steward=True,
            totals=[
                (w["t_held"], str(held), w["t_held_why"]),
                (w["t_refused"], str(len(waiting) - held), w["t_refused_why"]),
                (w["t_pairs"], thousands(pairs.to_judge), w["t_pairs_why"]),
                (w["t_rows"], thousands(sum(one.rows_rejected for one in correct)), w["t_rows_why"]),
            ],
            deliveries=[
                WaitingRow(
                    id=one.id, source=self._source(one.source), period=one.period.isoformat(), state=self.s[f"s_{one.state}"],
                    tone="bad" if one.state == "refused" else "warn", why=one.why_says, rows=thousands(one.rows_in),
                    since=moment(one.since, self.lang),
                )
                for one in waiting
            ],
            correct=[
                CorrectRow(one.id, self._source(one.source), one.period.isoformat(), thousands(one.rows_rejected), thousands(one.rows_held))
                for one in correct
            ],
            pairs=fill(w["pairs_says"], n=pairs.to_judge, second=pairs.second, disputed=pairs.disputed),
        )  # fmt: skip

    def rejected(
        self, source: Source, seen: DeliveryInDetail, *, errors: Mapping[str, str] | None = None
    ) -> RejectedView:
        """What is to be corrected, by stage, column and fault."""
        w, one = self.w, seen.delivery
        name = self._pick(source.name)
        counts = {"rejected": one.rows_rejected, "held": one.rows_held}
        return RejectedView(
            here="sources",
            steward=True,
            id=one.id,
            source=source.id,
            source_name=name,
            delivery=fill(self.s["delivery_title"], name=name, period=one.period.isoformat()),
            title=w["rejected_title"],
            stat=[
                (self.s["st_rows"], thousands(one.rows_in), self.s["st_rows_why"]),
                (self.s["fate_rejected"], thousands(one.rows_rejected), w["rejected_why"]),
                (self.s["fate_held"], thousands(one.rows_held), w["held_why"]),
            ],
            faults=[self._fault(fault) for fault in seen.faults],
            purposes=[OptionView(p, w[f"p_{p}"]) for p in PURPOSES],
            downloads=[
                OptionView(what, fill(w[f"get_{what}"], n=thousands(count)))
                for what, count in counts.items()
                if count
            ],
            errors=list((errors or {}).items()),
        )

    def _fault(self, fault: FaultSeen) -> tuple[str, str, str, str]:
        stage = self.s.get(f"s_{fault.stage}", fault.stage)
        what = self.s.get(f"fault_{fault.code}", fault.code)
        return (fault.column or self.s["whole_row"], what, stage, thousands(fault.rows))
