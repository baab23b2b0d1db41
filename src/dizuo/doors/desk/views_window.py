"""The form at a window: what the city knows of the person present, and what the clerk asks aloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.cases import Form, PlannedLine, PlannedQuestion, Progress
from dizuo.foundation.blueprint.model import City, Matter
from dizuo.foundation.kernel.clocks import Deadline
from dizuo.foundation.kernel.saying import said_in
from dizuo.web.format import day, masked, moment
from dizuo.web.words import fill

from .telling import full_day, pick
from .views_case import FactView
from .views_queue import RailView

ANSWER = "a."
GIVEN = "g."


class OptionView(msgspec.Struct, frozen=True):
    value: str
    label: str
    detail: str


class AskView(msgspec.Struct, frozen=True):
    """One question, or one choice between records (twins)."""

    id: str
    name: str
    label: str
    hint: str
    value: str
    options: list[OptionView]
    max_length: int
    type: str
    error: str


class ServeView(msgspec.Struct, frozen=True):
    """Identifying the person in front."""

    rail: RailView
    here: str
    matters: list[OptionView]
    matter: str
    number: str
    name: str
    seen: str
    place: str
    errors: list[tuple[str, str]]


class WindowForm(msgspec.Struct, frozen=True):
    """The form."""

    rail: RailView
    here: str
    matter: str
    title: str
    client: str
    counted: str
    facts: list[FactView]
    unmet: list[str]
    asks: list[AskView]
    materials: list[str]
    others: list[str]
    consent: str
    points: list[str]
    items: list[tuple[str, str]]
    promised: str
    submit: str
    once: str
    ready: bool
    agreed: bool
    errors: list[tuple[str, str]]


class ReceiptView(msgspec.Struct, frozen=True):
    """The printed receipt (受理回执)."""

    rail: RailView
    here: str
    number: str
    title: str
    client: str
    submitted: str
    promised: str
    items: list[tuple[str, str]]
    clerk: str
    unit: str


class WindowMaker:
    """Makes the form and the receipt for one person."""

    def __init__(self, city: City, lang: str, words: dict[str, dict[str, str]]) -> None:
        self.city = city
        self.lang = lang
        self.w = words["window"]

    def form(
        self,
        rail: RailView,
        matter: Matter,
        form: Form,
        client: str,
        once: str,
        errors: Mapping[str, str],
        *,
        agreed: bool = False,
    ) -> WindowForm:
        """The page for the answers so far."""
        plan, w = form.plan, self.w
        wrong = {name: said_in(says, self.lang) for name, says in {**form.errors, **errors}.items()}
        ready = not plan.choose and not plan.eligible
        departments = {item.department for item in plan.applied}
        promised = full_day(plan.promised.at, self.lang) if isinstance(plan.promised, Deadline) else ""
        asks = [self._choose(matter, form, party, wrong) for party in plan.choose]
        asks += [self._ask(question, wrong.get(question.id, "")) for question in plan.questions]
        return WindowForm(
            rail=rail,
            here="window",
            matter=matter.id,
            title=pick(matter.name, self.lang),
            client=client,
            counted=fill(w["counted"], known=plan.counts.known, asked=len(plan.questions)),
            facts=[self._fact(line, form) for show in plan.shows for line in show.lines] if ready else [],
            unmet=[pick(line.words, self.lang) for line in plan.eligible],
            asks=asks,
            materials=[pick(material.name, self.lang) for material in plan.materials],
            others=[pick(consent.asks, self.lang) for consent in plan.consents],
            consent=fill(w["consent"], client=client, n=len(departments)),
            points=[self._unit(department) for department in sorted(departments)],
            items=[(pick(item.name, self.lang), self._unit(item.department)) for item in plan.applied],
            promised=fill(w["promised"], day=promised) if promised else "",
            submit=fill(w["submit"], n=len(plan.applied)),
            once=once,
            ready=ready,
            agreed=agreed,
            errors=[
                (f"q-{name}" if name in {a.id for a in asks} else name, says) for name, says in wrong.items()
            ],
        )

    def _unit(self, organisation: str) -> str:
        return pick(self.city.organisations[organisation].short, self.lang)

    def _fact(self, line: PlannedLine, form: Form) -> FactView:
        text = pick(line.text, self.lang)
        if line.type == "citizen_id":
            text = masked(text)
        elif line.type == "date":
            text = day(text, self.lang)
        elif line.type == "datetime":
            text = moment(text, self.lang)
        sources = dict.fromkeys(
            self._unit(form.plan.facts[fact].source) for fact in line.facts if fact in form.plan.facts
        )
        return FactView(pick(line.label, self.lang), text, "、".join(sources))

    def _ask(self, question: PlannedQuestion, error: str) -> AskView:
        options = [
            OptionView(o.value, pick(o.label, self.lang), pick(o.detail, self.lang)) for o in question.options
        ]
        if question.type == "boolean":
            options = [OptionView("true", self.w["is_true"], ""), OptionView("false", self.w["is_false"], "")]
        hint = " ".join(
            part for part in (pick(question.reason, self.lang), pick(question.hint, self.lang)) if part
        )
        return AskView(
            question.id, ANSWER + question.id, pick(question.asks, self.lang), hint, question.value or "", options,
            question.max_length, question.type, error,
        )  # fmt: skip

    def _choose(self, matter: Matter, form: Form, party: str, wrong: Mapping[str, str]) -> AskView:
        name = next((pick(p.name, self.lang) for p in matter.parties if p.id == party), party)
        register = self.city.registers[next(p.register for p in matter.parties if p.id == party)]
        options = [
            OptionView(one.key, self._labels(register.id, [(f, str(v)) for f, v in one.labels.items()]), "")
            for one in form.known.parties[party].candidates
        ]
        return AskView(
            party, GIVEN + party, fill(self.w["choose"], what=name), "", form.given.get(party, ""), options, 0,
            "choice", wrong.get(party, ""),
        )  # fmt: skip

    def _labels(self, register: str, labels: Sequence[tuple[str, str]]) -> str:
        fields = self.city.registers[register].fields
        parts: list[str] = []
        for name, value in labels:
            words = fields[name].codes.get(value)
            parts.append(f"{pick(fields[name].name, self.lang)} {pick(words, self.lang) if words else value}")
        return " · ".join(parts)

    def receipt(self, rail: RailView, made: Progress, client: str, clerk: str, unit: str) -> ReceiptView:
        """What the person takes home on paper."""
        return ReceiptView(
            rail=rail,
            here="window",
            number=made.number,
            title=made.title,
            client=client,
            submitted=moment(made.submitted_at, self.lang),
            promised=full_day(made.promised, self.lang),
            items=[(pick(item.name, self.lang), pick(item.department, self.lang)) for item in made.items],
            clerk=clerk,
            unit=unit,
        )
