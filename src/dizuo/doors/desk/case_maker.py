"""An official's case page: the one exception to judge, the facts with their source, the decision, what was used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from dizuo.engines.cases import CasePage, ItemState
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City, Item, Matter
from dizuo.web.format import masked
from dizuo.web.words import fill

from .telling import KINDS, full_day, kind_of_word, length, pick, remaining, span, state_kind, when
from .views_case import (
    CaseView,
    ChoiceView,
    ClockView,
    ExceptionView,
    FactView,
    LineView,
    PastView,
    PieceView,
    SideView,
    StageView,
    StandingView,
    Typed,
    UsedView,
)
from .views_queue import RailView

SHOWN = 10
"""So many facts stand open; the others are one click away."""
_HIDDEN = ("citizen_id", "phone")


class CaseMaker:
    """Turns the engine's page into the template's. ``at`` is the position of the item in front, ``post`` mine in words."""

    def __init__(
        self,
        city: City,
        page: CasePage,
        at: int,
        post: str,
        now: dt.datetime,
        lang: str,
        words: dict[str, dict[str, str]],
    ) -> None:
        self.city = city
        self.post = post
        self.page = page
        self.at = at
        self.now = now
        self.lang = lang
        self.words = words
        self.w = words["case"]
        self.front = page.items[at]
        self.matter: Matter = city.matters[page.matter]
        self.declared: Item = next(item for item in self.matter.items if item.id == self.front.id)

    def view(
        self,
        rail: RailView,
        around: tuple[str, str, str],
        *,
        typed: Typed = Typed(),  # noqa: B008 - frozen
        errors: Mapping[str, str] | None = None,
        revealed: bool = False,
        done: str = "",
        undo: str = "",
    ) -> CaseView:
        """The page; ``around`` is the position in the queue and the addresses before and after."""
        page, front, w = self.page, self.front, self.w
        facts = self._facts(revealed)
        wrong = dict(errors or {})
        card = self._card()
        tasks = sum(1 for item in page.items if item.task is not None)
        return CaseView(
            rail=rail,
            here="waiting",
            number=page.number,
            matter=page.matter,
            title=page.title,
            position=around[0],
            back=around[1],
            forth=around[2],
            tags=self._tags(),
            meta=self._meta(),
            clock=self._clock(),
            stages=self._stages(),
            item=front.id,
            name=pick(front.name, self.lang),
            version=front.version,
            tabs=[self._tab(i) for i in range(len(page.items))] if len(page.items) > 1 else [],
            exceptions=self._exceptions(typed, wrong) if front.task is not None else [],
            passed=[pick(says, self.lang) for says in front.passed],
            facts=facts[:SHOWN],
            more=facts[SHOWN:],
            counted=fill(w["counted"], known=len(facts) - len(page.answers), asked=len(page.answers)),
            hidden=not revealed and any(fact.type in _HIDDEN for fact in front.facts),
            consents=self._consents(),
            items=self._items(),
            waiting_here=fill(w["waiting_here"], n=tasks) if tasks else "",
            card=card,
            verdicts=self._verdicts(card),
            why_not=self._why_not() if not card else "",
            laws=[ChoiceView(key, law_text(self.city, key, self.lang), "") for key in self._laws()],
            typed=typed,
            errors=list(wrong.items()),
            message=self._message(),
            standing=self._standing(),
            measures=self._measures(),
            used=self._used(),
            not_read=[refusal.says for refusal in page.refusals],
            history=[
                PastView(
                    when(line.at, self.now, self.words["time"], self.lang),
                    line.at.isoformat(timespec="minutes"),
                    "，".join(part for part in (line.what, pick(line.item, self.lang)) if part),
                    "，".join(part for part in (line.who, line.reason) if part),
                )
                for line in page.history
            ],
            done=done,
            undo=undo,
            pressed=[
                PastView(
                    when(line.at, self.now, self.words["time"], self.lang),
                    line.at.isoformat(timespec="minutes"),
                    line.reason,
                    line.who,
                )
                for line in front.pressed
            ],
        )

    # ------------------------------------------------------------------ head

    def _tags(self) -> list[tuple[str, str]]:
        units = {pick(other.department, self.lang) for other in self.page.others}
        found = [(pick(self.front.name, self.lang), "info")]
        if len(self.page.others) > 1:
            found.append((fill(self.w["joint"], units=len(units), items=len(self.page.others)), "plum"))
        return found

    def _meta(self) -> list[tuple[str, str]]:
        page, w = self.page, self.w
        at = when(page.submitted_at, self.now, self.words["time"], self.lang)
        return [
            (w["number"], page.number),
            (w["applicant"], page.applicant),
            (w["from"], f"{w[f'channel_{page.channel}']}，{at}"),
            (w["post"], self.post),
        ]

    def _clock(self) -> ClockView | None:
        front, w = self.front, self.w
        due = front.due_promise or front.due_statute
        statute = self.city.clocks[self.declared.clock]
        promise = fill(
            w["promise"],
            promise=length(self.declared.promise, self.lang),
            statute=length(statute.length, self.lang),
        )
        if front.paused:
            return ClockView(promise, w["paused"], "warn", 0, "")
        if due is None or front.state.ended or front.decision is not None:
            return None
        whole = (due - self.page.submitted_at).total_seconds()
        part = (
            100
            if whole <= 0
            else min(100, round(100 * (self.now - self.page.submitted_at).total_seconds() / whole))
        )
        until = fill(w["until"], promise=full_day(due, self.lang))
        if front.due_statute is not None and front.due_statute != due:
            until += fill(w["until_statute"], statute=full_day(front.due_statute, self.lang))
        kind = "" if front.level is None else KINDS[front.level]
        return ClockView(promise, remaining(due, self.now, self.words["time"]), kind, part, until)

    def _stages(self) -> list[StageView]:
        front, w = self.front, self.w
        steps = self.declared.steps
        kinds = {ItemState.ISSUING: "issue", ItemState.DELIVERING: "deliver", ItemState.GRANTED: "issue"}
        now = next((i for i, step in enumerate(steps) if step.id == front.step), None)
        if now is None and front.state in kinds:
            now = next((i for i, step in enumerate(steps) if step.kind == kinds[front.state]), None)
        ended = front.state.ended
        found = [
            StageView(
                w["submitted"], when(self.page.submitted_at, self.now, self.words["time"], self.lang), "done"
            )
        ]
        for i, step in enumerate(steps):
            if ended or (now is not None and i < now):
                found.append(StageView(pick(step.name, self.lang), "", "done"))
            elif i == now:
                found.append(StageView(pick(step.name, self.lang), front.state.word, "now"))
            else:
                found.append(StageView(pick(step.name, self.lang), "", "later"))
        return found

    # ------------------------------------------------------------- judgement

    def _exceptions(self, typed: Typed, wrong: Mapping[str, str]) -> list[ExceptionView]:
        found: list[ExceptionView] = []
        should = {check.id: check.says for step in self.declared.steps for check in step.checks}
        for one in self.front.exceptions:
            sides = [
                SideView(
                    self._register(side.fact.register),
                    [PieceView(text, differs) for text, differs in side.marks],
                    self._source(pick(side.fact.source, self.lang), side.fact.as_of),
                )
                for side in one.compare
            ]
            choices = [
                ChoiceView(c.id, pick(c.name, self.lang), pick(c.detail, self.lang)) for c in one.choices
            ]
            found.append(
                ExceptionView(
                    id=one.check,
                    says=pick(one.says, self.lang),
                    sides=sides,
                    rule=fill(self.w["rule_should"], says=pick(should.get(one.check), self.lang)),
                    formal=one.rule,
                    version=self.matter.version[:8],
                    law=one.law,
                    choices=choices,
                    chosen=typed.choices.get(one.check, ""),
                    error=wrong.get(f"choice_{one.check}", ""),
                )
            )
        return found

    def _card(self) -> str:
        front = self.front
        if front.task == "accept":
            return "accept"
        return "decide" if front.may_decide else ""

    def _verdicts(self, card: str) -> list[ChoiceView]:
        if not card:
            return []
        w, name = self.w, pick(self.front.name, self.lang)
        grant = "accept" if card == "accept" else "grant"
        refuse = "not_accepted" if card == "accept" else "refuse"
        found = [ChoiceView(grant, fill(w[f"verdict_{grant}"], name=name), self._effect(grant))]
        if self.front.may_fix:
            found.append(ChoiceView("fix", w["verdict_fix"], w["verdict_fix_detail"]))
        found.append(ChoiceView(refuse, fill(w[f"verdict_{refuse}"], name=name), w["verdict_refuse_detail"]))
        return found

    def _effect(self, grant: str) -> str:
        if grant == "accept":
            return self.w["verdict_accept_detail"]
        documents = {document.id: document for document in self.matter.documents}
        parts: list[str] = []
        if self.declared.document in documents:
            name = pick(documents[self.declared.document].name, self.lang)
            parts.append(fill(self.w["issues"], name=name))
        present = {other.id for other in self.page.others if other.ended_at is None}
        freed = sum(1 for item in self.matter.items if self.front.id in item.after and item.id in present)
        if freed:
            parts.append(fill(self.w["frees"], n=freed))
        return "，".join(parts)

    def _laws(self) -> list[str]:
        """Articles that a refusal may rest on: those of the item, of its checks, of its needs."""
        item = self.declared
        checks = [c.basis for step in item.steps for c in step.checks if c.basis is not None]
        return list(
            dict.fromkeys(ref.key for ref in (*item.basis, *checks, *(need.basis for need in item.needs)))
        )

    def _message(self) -> str:
        return pick(self.front.granted, self.lang)

    def _why_not(self) -> str:
        front = self.front
        if front.decision is not None:
            return ""
        if front.paused or front.task is None:
            return fill(self.w["nothing_now"], state=front.state.word)
        return fill(self.w["other_task"], state=front.state.word)

    def _standing(self) -> StandingView | None:
        decision = self.front.decision
        if decision is None:
            return None
        says = fill(
            self.w[f"decided_{decision.verdict}"],
            who=decision.official_name,
            when=when(decision.at, self.now, self.words["time"], self.lang),
        )
        until = decision.undo_until
        mine = decision.mine and until is not None
        return StandingView(
            says,
            decision.reason,
            decision.id if mine else 0,
            "" if until is None else span((until - self.now).total_seconds(), self.words["time"]),
        )

    def _measures(self) -> list[tuple[str, str]]:
        """Other lawful steps that are open now, with the address of each."""
        front = self.front
        names: list[str] = []
        if front.task in ("judge", "accept"):
            if front.may_fix:
                names.append("fix")
            if front.may_special:
                names.append("special")
            if front.may_extend:
                names.append("extend")
            names.append("refer")
            if front.state is ItemState.REVIEWING:
                names.append("visit")
        if front.state is ItemState.SITE_CHECK:
            names.append("visit_end")
        if front.state is ItemState.SPECIAL:
            names.append("special_end")
        if front.task in ("extension", "referral", "deliver"):
            names.append(front.task)
        base = f"/desk/cases/{self.page.number}/{front.id}/"
        return [(self.words["measure"][f"{name}_title"], base + name) for name in names]

    # ------------------------------------------------------- facts and items

    def _facts(self, revealed: bool) -> list[FactView]:
        found: list[FactView] = []
        for question, answer in self.page.answers:
            found.append(FactView(pick(question, self.lang), answer, self.w["by_applicant"]))
        order = {fact: i for i, fact in enumerate(f for need in self.declared.needs for f in need.facts)}
        for fact in sorted(self.front.facts, key=lambda fact: order.get(fact.fact, len(order))):
            text = pick(fact.text, self.lang)
            if fact.type == "division" and text in self.city.divisions:
                text = self.city.divisions[text].called(self.lang)
            value = masked(text) if fact.type in _HIDDEN and not revealed else text
            register, party = self._register(fact.register), pick(fact.party, self.lang)
            # The source below names the register: a party that is called the same need not be said twice.
            label = pick(fact.label, self.lang)
            label = label if party == register else f"{party} · {label}"
            found.append(
                FactView(
                    label, value, f"{register}，{self._source(pick(fact.source, self.lang), fact.as_of)}"
                )
            )
        return found

    def _register(self, register: str) -> str:
        known = self.city.registers.get(register)
        return register if known is None else pick(known.name, self.lang)

    def _source(self, unit: str, as_of: dt.date | None) -> str:
        return unit if as_of is None else fill(self.w["as_of"], unit=unit, day=full_day(as_of, self.lang))

    def _consents(self) -> list[FactView]:
        parties = {party.id: party.name for party in self.matter.parties}
        return [
            FactView(pick(parties.get(c.party), self.lang), self.w[f"consent_{c.state}"], c.asks)
            for c in self.page.consents
        ]

    def _tab(self, at: int) -> LineView:
        item = self.page.items[at]
        return LineView(
            pick(item.name, self.lang), item.unit_name, item.state.word, state_kind(item.state), "", at == self.at,
            f"/desk/cases/{self.page.number}?item={item.id}",
        )  # fmt: skip

    def _items(self) -> list[LineView]:
        found: list[LineView] = []
        for other in self.page.others:
            took = ""
            if other.ended_at is not None:
                took = span((other.ended_at - self.page.submitted_at).total_seconds(), self.words["time"])
            word = other.word + (self.w["you"] if other.id == self.front.id and self._card() else "")
            href = f"/desk/cases/{self.page.number}?item={other.id}" if other.covered else ""
            found.append(
                LineView(
                    pick(other.name, self.lang), pick(other.department, self.lang), word, kind_of_word(other.word),
                    took or "—", other.id == self.front.id, href,
                )
            )  # fmt: skip
        return found

    def _used(self) -> list[UsedView]:
        """What this page read, one line for each ledger entry."""
        by_entry: dict[int, tuple[str, str, int]] = {}
        for fact in self.front.facts:
            what = f"{self._register(fact.register)}（{pick(fact.party, self.lang)}）"
            register, who, n = by_entry.get(fact.entry, (what, pick(fact.source, self.lang), 0))
            by_entry[fact.entry] = (register, who, n + 1)
        return [
            UsedView(fill(self.w["used_line"], register=register, n=n), who, entry)
            for entry, (register, who, n) in by_entry.items()
        ]


def front_of(page: CasePage, wanted: str) -> int:
    """Which item stands in front: the one asked for, else the first with work for this post."""
    for at, item in enumerate(page.items):
        if item.id == wanted:
            return at
    return next((at for at, item in enumerate(page.items) if item.task in ("judge", "accept")), 0)
