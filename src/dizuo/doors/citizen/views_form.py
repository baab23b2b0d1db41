"""The prefilled form: a plan as a person sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from dizuo.engines.cases import (
    Plan,
    PlannedConsent,
    PlannedItem,
    PlannedLine,
    PlannedQuestion,
    nearest_places,
)
from dizuo.engines.registers import Candidate, Fact, PartyState
from dizuo.foundation.blueprint.hours import hours_said
from dizuo.foundation.blueprint.model import City, Matter
from dizuo.foundation.kernel.clocks import Deadline, Unknown
from dizuo.web.format import day, masked, moment
from dizuo.web.words import fill

from .declared import department, listed, pick, said
from .fact_words import sayings
from .form_facts import (
    ANSWER,
    GIVEN,
    ChooseView,
    ConsentView,
    FormState,
    FormView,
    GroupView,
    ItemView,
    LineView,
    OptionView,
    QuestionView,
    WindowView,
)
from .own_records import of_others
from .question_field import question_field
from .views_matter import Texts

NOT_READ_SHOWN = 6


class FormMaker:
    """Makes the view of one plan in one language."""

    def __init__(
        self,
        city: City,
        matter: Matter,
        plan: Plan,
        parties: Mapping[str, PartyState],
        lang: str,
        words: Texts,
    ) -> None:
        self.city = city
        self.matter = matter
        self.plan = plan
        self.parties = parties
        self.lang = lang
        self.words = words["form"]
        self.sayings = sayings(city, matter, lang, words)
        self.registers = {party.id: city.registers[party.register] for party in matter.parties}
        self.of_others = of_others(city, matter, parties, plan.facts)

    def view(self, state: FormState, *, stepwise: bool) -> FormView:
        """The page for this state; ``stepwise`` puts each question on its own page."""
        plan, words = self.plan, self.words
        questions = self.questions(state.errors, state.answers)
        ready = not plan.choose and not plan.eligible
        last_step = len(questions) + 1 if stepwise and questions else 0
        step = min(max(state.step, 0), last_step) if ready else 0
        last = ready and step == last_step
        shown = self._shown(questions, step, last_step) if ready else []
        groups = self.groups() if ready else []
        applied = len(plan.applied)
        not_read = [pick(name, self.lang) for _, name in plan.not_read]
        return FormView(
            matter=self.matter.id,
            matter_name=pick(self.matter.name, self.lang),
            guide=f"/matters/{self.matter.id}",
            action=f"/matters/{self.matter.id}/apply",
            title=self._title(step, last_step),
            intro=self._intro(len(questions), step, last_step, state),
            steps=[words["step_1"], words["step_2"], words["step_3"]],
            at=2,
            errors=self._errors(state, shown),
            unmet=[pick(line.words, self.lang) for line in plan.eligible],
            choose=self._choose(state),
            show_facts=ready and step == 0,
            known=plan.counts.known,
            groups=groups,
            rest=self._rest() if ready else [],
            not_mine=bool(ready and self.of_others),
            not_read=listed(not_read[:NOT_READ_SHOWN], self.lang),
            not_read_more=listed(not_read[NOT_READ_SHOWN:], self.lang),
            questions=shown,
            question_count=len(questions),
            materials=[pick(material.name, self.lang) for material in plan.materials],
            others=[self._other(consent) for consent in plan.consents] if last else [],
            consent=self._consent(state),
            items=[self._item(item) for item in plan.items] if ready else [],
            items_title=fill(words["items_title"], n=applied) if applied != 1 else words["items_title_one"],
            submit=fill(words["submit"], n=applied) if applied != 1 else words["submit_one"],
            after=self._after(),
            saved=fill(words["saved"], when=moment(state.saved_at, self.lang)) if state.saved_at else "",
            window=self._window(),
            stepwise=last_step > 0,
            step=step,
            last=last,
            draft=state.draft,
            draft_version=state.version,
            once=state.once,
            carried=self._carried(state, shown),
            running=state.running,
        )

    # --- what is asked

    def questions(
        self, errors: Mapping[str, str], typed: Mapping[str, str] | None = None
    ) -> list[QuestionView]:
        """The numbered questions with the errors beside them; ``typed`` stays in a field that cannot be taken."""
        groups: dict[int, list[PlannedQuestion]] = {}
        for question in self.plan.questions:
            groups.setdefault(question.number, []).append(question)
        return [self._question(number, members, errors, typed or {}) for number, members in groups.items()]

    def _question(
        self,
        number: int,
        members: Sequence[PlannedQuestion],
        errors: Mapping[str, str],
        typed: Mapping[str, str],
    ) -> QuestionView:
        fields = [
            question_field(
                q, self.lang, self.words, error=errors.get(q.id, ""), value=q.value or typed.get(q.id, "")
            )
            for q in members
        ]
        # Of several fields under one legend, the free text asks the main thing: what is the child's name.
        main = next((q for q in members if q.type != "choice"), members[0])
        reasons = dict.fromkeys(pick(q.reason, self.lang) for q in members if pick(q.reason, self.lang))
        return QuestionView(
            number=number,
            label=pick(main.asks, self.lang),
            reason="".join(reasons),
            error=any(field.error for field in fields),
            fields=fields,
        )

    def _shown(self, questions: list[QuestionView], step: int, last_step: int) -> list[QuestionView]:
        if last_step == 0:
            return questions
        return [questions[step - 1]] if 0 < step <= len(questions) else []

    def _choose(self, state: FormState) -> list[ChooseView]:
        declared = {party.id: party for party in self.matter.parties}
        found: list[ChooseView] = []
        for party in self.plan.choose:
            options = [self._candidate(party, one) for one in self.parties[party].candidates]
            found.append(
                ChooseView(
                    id=f"g-{party}",
                    name=GIVEN + party,
                    legend=pick(declared[party].name, self.lang),
                    hint=said(self.matter, "twins", self.lang, ""),
                    error=state.errors.get(GIVEN + party, ""),
                    value=state.given.get(party, ""),
                    options=options,
                )
            )
        return found

    def _candidate(self, party: str, candidate: Candidate) -> OptionView:
        register = self.registers[party]
        parts: list[str] = []
        for name, value in candidate.labels.items():
            field = register.fields[name]
            text = self._value(field.type, str(value), field.codes.get(str(value)))
            parts.append(f"{pick(field.name, self.lang)} {text}")
        return OptionView(candidate.key, " · ".join(parts), "")

    def _carried(self, state: FormState, shown: list[QuestionView]) -> list[tuple[str, str]]:
        """What was answered or chosen on other pages of this form, sent along with this one."""
        visible = {field.name for question in shown for field in question.fields}
        answers = [(ANSWER + name, value) for name, value in state.answers.items()]
        mine = {party.id for party in self.matter.parties if not party.given}
        given = [
            (GIVEN + name, value)
            for name, value in state.given.items()
            if name in mine and name not in self.plan.choose
        ]
        return [pair for pair in answers + given if pair[0] not in visible]

    # --- what is known

    def groups(self) -> list[GroupView]:
        """The prefilled groups that are not folded away."""
        return [
            self._group(pick(show.name, self.lang), show.lines) for show in self.plan.shows if not show.folded
        ]

    def _group(self, name: str, lines: Sequence[PlannedLine]) -> GroupView:
        facts = [self.plan.facts[fact] for line in lines for fact in line.facts]
        sources = {(fact.register, fact.source, fact.as_of) for fact in facts}
        if len(sources) == 1 and len(lines) > 1:
            first = facts[0]
            source = fill(
                self.words["source_group"],
                register=pick(self.city.registers[first.register].name, self.lang),
                source=department(self.city, first.source, self.lang),
                date=self._date(first.as_of),
            )
            return GroupView(
                name, source, self._wrong(first), [self._line(line, quiet=True) for line in lines]
            )
        return GroupView(name, "", "", [self._line(line) for line in lines])

    def _line(self, line: PlannedLine, *, quiet: bool = False) -> LineView:
        text = self._value(line.type, self._text(line), None)
        label = pick(line.label, self.lang)
        if quiet or not line.facts:
            return LineView(label, text, "", "")
        fact = self.plan.facts[line.facts[0]]
        return LineView(label, text, self.sayings.source(fact), self._wrong(fact))

    def _text(self, line: PlannedLine) -> str:
        """The line's text; a date is taken from its fact, to be written as the reader's language does."""
        if line.type in ("date", "datetime") and len(line.facts) == 1:
            return str(self.plan.facts[line.facts[0]].value)
        return pick(line.text, self.lang)

    def _rest(self) -> list[LineView]:
        """Every other fact that is used: nothing that was read stays unsaid."""
        folded = [line for show in self.plan.shows if show.folded for line in show.lines]
        lines = [self._line(line) for line in folded]
        seen = {fact for show in self.plan.shows for line in show.lines for fact in line.facts}
        told = {(f.register, f.field, str(f.value)) for name, f in self.plan.facts.items() if name in seen}
        for name, fact in self.plan.facts.items():
            if name in seen or fact.value in (None, ""):
                continue
            text = str(fact.value)
            key = (fact.register, fact.field, text)
            if key in told:
                continue
            told.add(key)
            label, field = self.sayings.of(name, fact)
            shown = self._value(field.type, text, field.codes.get(text))
            lines.append(LineView(label, shown, self.sayings.source(fact), self._wrong(fact)))
        return lines

    def _value(self, kind: str, text: str, code: object) -> str:
        if code is not None:
            return pick(code, self.lang)  # type: ignore[arg-type]
        if kind == "citizen_id":
            return masked(text)
        if kind == "date":
            return day(text, self.lang)
        if kind == "datetime":
            return moment(text, self.lang)
        if kind == "division":
            known = self.city.divisions.get(text)
            return known.name if known else text
        if kind == "boolean":
            return self.words["is_true" if text in ("True", "true") else "is_false"]
        return text

    def _date(self, date: dt.date | None) -> str:
        return date.isoformat() if date else ""

    # --- what happens

    def _item(self, item: PlannedItem) -> ItemView:
        name, by = pick(item.name, self.lang), department(self.city, item.department, self.lang)
        words = self.words
        if item.done_already:
            return ItemView(name, fill(words["item_done"], department=by), "ok")
        if item.applies is False:
            return ItemView(name, fill(words["item_no"], why=pick(item.why, self.lang)), "no")
        if item.applies is None:
            return ItemView(name, fill(words["item_open"], department=by), "none")
        if item.waits_for:
            before = [pick(self.plan.item(other).name, self.lang) for other in item.waits_for]
            return ItemView(
                name, fill(words["item_waits"], department=by, items=listed(before, self.lang)), "none"
            )
        return ItemView(name, fill(words["item_now"], department=by), "none")

    def _consent(self, state: FormState) -> ConsentView:
        by: dict[str, list[str]] = {}
        for item in self.plan.applied:
            by.setdefault(item.department, []).append(pick(item.name, self.lang))
        points = [
            fill(
                self.words["consent_line"],
                department=department(self.city, who, self.lang),
                items=listed(names, self.lang),
            )
            for who, names in by.items()
        ]
        return ConsentView(
            fill(self.words["consent"], n=len(by)),
            [*points, self.words["consent_once"]],
            state.agreed,
            state.errors.get("agree", ""),
        )

    def _other(self, consent: PlannedConsent) -> str:
        names = {party.id: pick(party.name, self.lang) for party in self.matter.parties}
        return fill(
            self.words["other_consent_says"],
            who=listed([names[party] for party in consent.parties], self.lang),
            items=listed([pick(self.plan.item(item).name, self.lang) for item in consent.items], self.lang),
        )

    def _after(self) -> str:
        promised = self.plan.promised
        if isinstance(promised, Deadline):
            return fill(self.words["after"], date=day(promised.date, self.lang))
        return self.words["after_unknown" if isinstance(promised, Unknown) else "after_none"]

    def _window(self) -> WindowView | None:
        """The nearest window; none where it is not known where the person is."""
        place = self.plan.place or self._lives_in()
        for one, _ in nearest_places(self.city, "windows", place, 1) if place else ():
            return WindowView(
                one.name, fill(self.words["window_note"], hours=hours_said(one.hours, self.lang))
            )
        return None

    def _lives_in(self) -> str:
        """The applicant's own division, while the plan's place still hangs on an answer."""
        given = {party.id for party in self.matter.parties if party.given}
        for fact in self.plan.facts.values():
            field = self.city.registers[fact.register].fields[fact.field]
            if fact.party in given and field.type == "division" and fact.value:
                return str(fact.value)
        return ""

    # --- how it is introduced

    def _title(self, step: int, last_step: int) -> str:
        if self.plan.eligible:
            return self.words["title_unmet"]
        if self.plan.choose:
            return self.words["title_choose"]
        if last_step and step == last_step:
            return self.words["title_last"]
        if last_step and step > 0:
            return self.words["title_questions"]
        return said(self.matter, "title", self.lang, self.words["title"])

    def _intro(self, questions: int, step: int, last_step: int, state: FormState) -> str:
        words = self.words
        if self.plan.eligible:
            return words["intro_unmet"]
        if self.plan.choose:
            return words["intro_choose"]
        if state.stale:
            return words["stale"]
        if last_step:
            if step == 0:
                return words["intro_facts"]
            return (
                words["intro_last"] if step == last_step else fill(words["intro_step"], at=step, of=questions)
            )
        return fill(words["intro"], n=questions) if questions else words["intro_no_questions"]

    def _errors(self, state: FormState, shown: list[QuestionView]) -> list[tuple[str, str]]:
        on_page = [(field.id, field.error) for one in shown for field in one.fields if field.error]
        chosen = [
            (f"g-{party}", state.errors[GIVEN + party])
            for party in self.plan.choose
            if GIVEN + party in state.errors
        ]
        agree = [("agree", state.errors["agree"])] if "agree" in state.errors else []
        return [*chosen, *on_page, *agree]

    def _wrong(self, fact: Fact) -> str:
        """Where to say that a fact is wrong: the ledger entry that released it names the record.

        What is another's is theirs to report; the page says so once, below.
        """
        if not fact.entry or fact.party in self.of_others:
            return ""
        return f"/me/data/correct?entry={fact.entry}&field={fact.field}"
