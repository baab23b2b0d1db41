"""Pairs for two officials, as pages show them: the queue without values, one pair with its marks and its waterfall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dizuo.engines.lake import review
from dizuo.foundation.blueprint.model import City
from dizuo.web.format import moment, thousands
from dizuo.web.words import fill

from .views_sources import OptionView

PURPOSES: Final = ("judge", "question")
"""What two records may be looked at for; the ledger gets the Chinese words."""
_TONES: Final = {"open": "", "second": "info", "disputed": "warn", "same": "ok", "different": "ok"}
_DECIDED: Final = ("same", "different")


class PairRow(msgspec.Struct, frozen=True):
    id: int
    entity: str
    left: str
    right: str
    why: str
    sure: str
    state: str
    tone: str
    since: str
    mine: str


class ReviewView(msgspec.Struct, frozen=True):
    """The queue; ``newer`` and ``older`` are addresses or ''."""

    here: str
    steward: bool
    totals: list[tuple[str, str, str]]
    pairs: list[PairRow]
    newer: str
    older: str


class FieldLine(msgspec.Struct, frozen=True):
    """One field: stretches (text, differs) of both sides, and in words how they agree."""

    what: str
    left: list[tuple[str, bool]]
    right: list[tuple[str, bool]]
    says: str
    tone: str


class BarLine(msgspec.Struct, frozen=True):
    """One step of the waterfall: a bar from ``x`` as wide as ``width`` on a scale of 100, ``zero`` marks the even chance.

    ``kind``: up, down or still.
    """

    what: str
    says: str
    strength: str
    bits: str
    total: str
    x: float
    width: float
    zero: float
    kind: str
    label: str


class VoteLine(msgspec.Struct, frozen=True):
    who: str
    verdict: str
    reason: str
    at: str


class PairView(msgspec.Struct, frozen=True):
    """One pair. Before it is opened there are no fields, no bars and no verdict to give."""

    here: str
    steward: bool
    id: int
    title: str
    state: str
    tone: str
    about: list[tuple[str, str, str]]
    said: str
    errors: list[tuple[str, str]]
    may_open: bool
    purposes: list[OptionView]
    opened: bool
    entered: str
    left: str
    right: str
    fields: list[FieldLine]
    bars: list[BarLine]
    result: str
    verdicts: list[OptionView]
    purpose: str
    verdict: str
    reason: str
    votes: list[VoteLine]


class ReviewMaker:
    """Makes the pages about pairs in one language."""

    def __init__(self, city: City, lang: str, words: Mapping[str, dict[str, str]]) -> None:
        self.city = city
        self.lang = lang
        self.w = words["review"]

    def purpose(self, purpose: str) -> str:
        """What the ledger and the person concerned read, in Chinese whatever the reader's language."""
        return {"judge": "核定两条记录是不是同一主体", "question": "核查有人提出的疑问"}[purpose]

    def source(self, id: str) -> str:
        """A source with its department; an id that is declared no more stays as it is."""
        one = self.city.sources.get(id)
        if one is None:
            return id
        department = self.city.organisations[one.department].short
        return f"{self._pick(one.name.zh, one.name.en)}（{self._pick(department.zh, department.en)}）"

    def _pick(self, zh: str, en: str | None) -> str:
        return en if self.lang == "en" and en else zh

    # ------------------------------------------------------------------ the queue

    def queue(
        self, found: Sequence[review.PairSummary], waiting: review.Waiting, after: int, most: int
    ) -> ReviewView:
        """The pairs from place ``after`` on; one more than ``most`` tells that there are older ones."""
        w, before = self.w, after - most
        return ReviewView(
            here="desk",
            steward=True,
            totals=[
                (w["t_to_judge"], thousands(waiting.to_judge), w["t_to_judge_why"]),
                (w["t_second"], thousands(waiting.second), w["t_second_why"]),
                (w["t_disputed"], thousands(waiting.disputed), w["t_disputed_why"]),
                (w["t_mine"], thousands(waiting.mine), w["t_mine_why"]),
            ],
            pairs=[self._row(one) for one in found[:most]],
            newer="" if after == 0 else "/data/review" + (f"?after={before}" if before > 0 else ""),
            older=f"/data/review?after={after + most}" if len(found) > most else "",
        )

    def _row(self, one: review.PairSummary) -> PairRow:
        return PairRow(
            id=one.id,
            entity=self.w[f"e_{one.entity}"],
            left=self.source(one.left_source),
            right=self.source(one.right_source),
            why=self.w[f"why_{one.why}"],
            sure=self.sure(one.weight),
            state=self.w[f"s_{one.state}"],
            tone=_TONES[one.state],
            since=moment(one.found_at, self.lang),
            mine=self.w["mine"] if one.mine else "",
        )

    def sure(self, bits: float) -> str:
        """How likely the machine holds them to be one, without false precision: never 0 % and never 100 %."""
        share = review.chance(bits)
        return "<1%" if share < 0.01 else ">99%" if share > 0.99 else f"{share:.0%}"

    # --------------------------------------------------------------------- a pair

    def face(
        self,
        face: review.PairFace,
        who: review.Steward,
        *,
        said: str = "",
        errors: Mapping[str, str] | None = None,
    ) -> PairView:
        """A pair without any value."""
        one, w = face.about, self.w
        may_open = one.state not in _DECIDED and not one.mine
        return PairView(
            here="desk", steward=True, id=one.id, title=fill(w["pair_title"], n=one.id), state=w[f"s_{one.state}"],
            tone=_TONES[one.state], about=self._about(one), said=said, errors=list((errors or {}).items()),
            may_open=may_open, purposes=[OptionView(p, w[f"p_{p}"], w[f"p_{p}_says"]) for p in PURPOSES],
            opened=False, entered="", left="", right="", fields=[], bars=[], result="", verdicts=[], purpose="", verdict="",
            reason="", votes=[self._vote(vote, who, w[f"e_{one.entity}"]) for vote in face.votes],
        )  # fmt: skip

    def opened(
        self,
        face: review.PairFace,
        who: review.Steward,
        seen: review.Pair,
        sent: Mapping[str, str],
        errors: Mapping[str, str],
    ) -> PairView:
        """A pair with its two records; ``sent`` and ``errors`` come back after a form that was not right."""
        w, subject = self.w, self.w[f"e_{face.about.entity}"]
        return msgspec.structs.replace(
            self.face(face, who, errors=errors),
            opened=True,
            entered=fill(w["entered"], n=seen.entry),
            left=self.source(face.about.left_source),
            right=self.source(face.about.right_source),
            fields=[self._field(one) for one in seen.fields],
            bars=self._bars(seen.evidence),
            result=seen.evidence.says if self.lang == "zh" else fill(w["result"], share=self.sure(seen.evidence.bits)),
            verdicts=[OptionView(v, fill(w[f"v_{v}"], subject=subject), w[f"v_{v}_says"]) for v in ("same", "different", "unsure")],
            purpose=sent.get("purpose", ""),
            verdict=sent.get("verdict", ""),
            reason=sent.get("reason", "")[:500],
        )  # fmt: skip

    def _about(self, one: review.PairSummary) -> list[tuple[str, str, str]]:
        w = self.w
        return [
            (w["col_why"], w[f"why_{one.why}"], w[f"e_{one.entity}"]),
            (w["left"], self.source(one.left_source), ""),
            (w["right"], self.source(one.right_source), ""),
            (w["col_sure"], self.sure(one.weight), w["sure_why"]),
            (w["col_votes"], str(one.votes), w["votes_why"]),
        ]

    def _vote(self, vote: review.Vote, who: review.Steward, subject: str) -> VoteLine:
        mine = vote.by == who.account
        verdict = fill(self.w[f"v_{vote.verdict}"], subject=subject)
        return VoteLine(self.w["you" if mine else "other"], verdict, vote.reason, moment(vote.at, self.lang))

    def _field(self, one: review.FieldPair) -> FieldLine:
        return FieldLine(
            what=self.w.get(f"f_{one.id}", one.what),
            left=self._marks(one, one.left),
            right=self._marks(one, one.right),
            says=self.w[f"fs_{one.state}"],
            tone={"same": "ok", "differs": "warn"}.get(one.state, ""),
        )

    def _marks(self, one: review.FieldPair, marks: Sequence[review.Mark]) -> list[tuple[str, bool]]:
        """The stretches of a value; a code is shown as the word that it stands for, whole."""
        code = "".join(mark.text for mark in marks)
        word = ""
        if one.id == "sex":
            word = self.w.get(f"sex_{code}", "")
        elif one.id == "division" and code in self.city.divisions:
            word = f"{self.city.divisions[code].name} {code}"
        return [(word, one.state != "same")] if word else [(mark.text, mark.differs) for mark in marks]

    def _bars(self, evidence: review.Waterfall) -> list[BarLine]:
        """Each bar begins where the one before it ended; the first from the even chance."""
        totals = [0.0, *(step.total for step in evidence.steps)]
        least, most = min(totals), max(totals)
        scale = 100 / ((most - least) or 1)
        return [
            self._bar(step, before, least, scale)
            for step, before in zip(evidence.steps, totals, strict=False)
        ]

    def _bar(self, step: review.Step, before: float, least: float, scale: float) -> BarLine:
        low, high = sorted((before, step.total))
        kind = "still" if high == low else "up" if step.total > before else "down"
        bits = "0" if kind == "still" else _signed(step.total - before)
        return BarLine(
            what=step.what, says=step.says, strength=step.strength, bits=bits, total=_signed(step.total),
            x=round(min((low - least) * scale, 99.4), 2), width=round(max((high - low) * scale, 0.6), 2),
            zero=round(-least * scale, 2), kind=kind,
            label=fill(self.w["bar"], start=_signed(before), end=_signed(step.total)),
        )  # fmt: skip


def _signed(bits: float) -> str:
    """+3.2 or −4.0, with a real minus."""
    return f"{bits:+.1f}".replace("-", "−") if abs(bits) >= 0.05 else "0"
