"""A matter's expressions, parsed and compiled once for each version of the city.

What an expression reads is known here, through names: the planner reads no fact and asks no question that no
expression and no item leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from dizuo.engines.cases.lazy import lazy
from dizuo.engines.cases.plan_model import Value, Wanted
from dizuo.engines.registers import Guard
from dizuo.foundation.blueprint.model import (
    City,
    ClockDef,
    Expression,
    Field,
    Item,
    Length,
    Matter,
    Party,
    Question,
    Show,
    Words,
)
from dizuo.foundation.kernel.calendar import WorkCalendar
from dizuo.foundation.kernel.clocks import Duration, Term, Unit
from dizuo.foundation.rules import compile_python, parse, paths
from dizuo.foundation.rules.values import feel


class Reads:
    """What an expression reads, directly or through names: facts ``party.field``, answers, and parties as a whole."""

    __slots__ = ("answers", "facts", "parties")

    def __init__(
        self,
        facts: frozenset[str] = frozenset(),
        parties: frozenset[str] = frozenset(),
        answers: frozenset[str] = frozenset(),
    ) -> None:
        self.facts = facts
        self.parties = parties
        self.answers = answers

    def __or__(self, other: Reads) -> Reads:
        return Reads(self.facts | other.facts, self.parties | other.parties, self.answers | other.answers)


NOTHING = Reads()


class Compiled:
    """One compiled expression: ``run`` takes the scope; ``reads`` is transitive through names."""

    __slots__ = ("facts", "read", "reads", "run", "text")

    def __init__(
        self,
        text: str,
        run: Callable[[Mapping[str, Any], date | None], Value],
        reads: Reads,
        read: Callable[[Any], Value] | None,
    ) -> None:
        self.text = text
        self.run = run
        # Most expressions are one fact: no need to walk a tree for it.
        self.read = read
        self.reads = reads
        self.facts = tuple(sorted(reads.facts))


class CompiledMatter:
    """A matter ready to plan and to run: expressions, terms and the static answers about them."""

    def __init__(self, city: City, matter: Matter) -> None:
        self.city = city
        self.matter = matter
        self.parties: Mapping[str, Party] = {party.id: party for party in matter.parties}
        self.questions: Mapping[str, Question] = {q.id: q for q in matter.questions}
        self.items: Mapping[str, Item] = {item.id: item for item in matter.items}
        self.given = next((p.id for p in matter.parties if p.given), "applicant")
        self._cache: dict[str, Compiled] = {}
        self.names: dict[str, Compiled] = {}
        for name, expression in matter.names:
            self.names[name] = self.compile(expression)
        self.terms: Mapping[str, Term] = {
            item.id: term_of(city.clocks[item.clock], item.promise) for item in matter.items
        }
        self.order = _topological(matter.items)
        self.kept_guards: dict[tuple[tuple[str, str, str], ...], tuple[Guard, ...]] = {}

    def compile(self, expression: Expression) -> Compiled:
        """The compiled form, cached by text. Errors: RuleErrors (a checked city has none)."""
        found = self._cache.get(expression.text)
        if found is None:
            tree = parse(expression.text)
            run = compile_python(lazy(tree), self._getter)
            path = expression.text.strip()
            read = self._getter(path) if path in self.fields else None
            found = Compiled(expression.text, run, self._reads(paths(tree)), read)
            self._cache[expression.text] = found
        return found

    def _getter(self, path: str) -> Callable[[Any], Value] | None:
        """How a scope gives a name or a fact: worked out here, once, and not at every reading."""
        if path in self.names:
            return lambda scope: scope.name(path)
        if path in self.fields:
            party = path.partition(".")[0]
            return lambda scope: scope.fact_of(party, path)
        if path in self.parties:
            return lambda scope: scope.party(path)
        if path in self.questions:
            return lambda scope: feel(scope.answer(path))
        return None

    def reads_of(self, expressions: Iterable[Expression | None]) -> Reads:
        total = NOTHING
        for expression in expressions:
            if expression is not None:
                total = total | self.compile(expression).reads
        return total

    def field(self, fact: str) -> Field | None:
        """The register field behind ``party.field``."""
        return self.fields.get(fact)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        found: dict[str, Field] = {}
        for party in self.matter.parties:
            for field in self.city.registers[party.register].fields.values():
                found[f"{party.id}.{field.id}"] = field
        return found

    @cached_property
    def shows(self) -> tuple[tuple[Show, tuple[tuple[Words, Compiled, Field | None], ...]], ...]:
        """The prefilled groups with their lines: label, expression, and the field when it is one fact."""
        return tuple(
            (
                show,
                tuple((label, self.compile(one), self.field(one.text.strip())) for label, one in show.lines),
            )
            for show in self.matter.shows
        )

    @cached_property
    def deciding(self) -> Reads:
        """What decides who is eligible and which items apply: asked and read before anything else."""
        expressions: list[Expression | None] = [rule for rule, _ in self.matter.eligible]
        for item in self.matter.items:
            expressions += [item.applies, item.done_already]
        return self.reads_of(expressions)

    @cached_property
    def guarding(self) -> frozenset[str]:
        """Answers that decide what is read: those of conditions, and those that decide whether to ask them."""
        rules: list[Expression | None] = [rule for rule, _ in self.matter.eligible]
        for item in self.matter.items:
            rules += [item.applies, item.done_already, *(need.when for need in item.needs)]
        found, todo = frozenset[str](), self.reads_of(rules).answers
        while todo:
            found |= todo
            todo = self.reads_of(self.questions[one].ask_when for one in todo).answers - found
        return found

    @cached_property
    def always_asked(self) -> frozenset[str]:
        """Answers that title and place of the application are made of."""
        return self.reads_of([self.matter.title_of, self.matter.place_of]).answers

    def item_reads(self, item: Item) -> Reads:
        """Everything that doing the item may read, apart from deciding whether it applies."""
        return self._item_reads[item.id]

    @cached_property
    def _item_reads(self) -> Mapping[str, Reads]:
        documents = {document.id: document for document in self.matter.documents}
        found: dict[str, Reads] = {}
        for item in self.matter.items:
            expressions: list[Expression | None] = [item.place_of]
            for step in item.steps:
                expressions += [check.rule for check in step.checks]
            if item.document is not None:
                expressions += [value for _, value in documents[item.document].fields]
            for write in item.writes:
                expressions += [write.when, *(value for _, value in write.fields)]
            found[item.id] = self.reads_of(expressions)
        return found

    @cached_property
    def first(self) -> Wanted:
        """The first read: whatever decides, and what items need that surely apply.

        Of other parties only what some expression asks of them as a whole: whether there is such a record.
        """
        deciding = self.deciding.facts
        facts = set(deciding)
        items: list[str] = []
        for item in self.matter.items:
            needed = {fact for need in item.needs if need.when is None for fact in need.facts}
            if item.id in self.sure:
                facts |= needed
                items.append(item.id)
            elif any(fact in deciding for need in item.needs for fact in need.facts):
                items.append(item.id)
        left = self._seen_whole
        for item in self.matter.items:
            if not self._reached_by([item.id]) & left <= self._reached_by(items):
                items.append(item.id)
        return Wanted(tuple(items), frozenset(facts), left & self._reached_by(items))

    @cached_property
    def _seen_whole(self) -> frozenset[str]:
        """The parties that planning must know of as a whole: those required, and those that expressions ask for."""
        matter = self.matter
        read: list[Expression | None] = [rule for rule, _ in matter.eligible]
        read += [matter.title_of, matter.place_of, *(expression for _, expression in matter.names)]
        for item in matter.items:
            read += [item.applies, item.done_already, item.place_of]
            read += [need.when for need in item.needs] + [material.when for material in item.materials]
        for question in matter.questions:
            read.append(question.ask_when)
            for option in question.options:
                read += [option.when, option.label_from, option.detail_from]
            if question.options_from is not None:
                read.append(question.options_from.near)
        read += [consent.when for consent in matter.consents]
        read += [expression for show in matter.shows for _, expression in show.lines]
        return self.reads_of(read).parties | {party.id for party in matter.parties if party.required}

    def _reached_by(self, items: Iterable[str]) -> frozenset[str]:
        return self.reached(*(self.needed[item] for item in items))

    @cached_property
    def needed(self) -> Mapping[str, frozenset[str]]:
        """Every fact that each item may need."""
        return {
            item.id: frozenset(fact for need in item.needs for fact in need.facts)
            for item in self.matter.items
        }

    def reached(self, *facts: Iterable[str]) -> frozenset[str]:
        """The parties of these facts and those that the chain passes on its way to them."""
        found: set[str] = set()
        todo = [fact.partition(".")[0] for several in facts for fact in several]
        while todo:
            party = todo.pop()
            if party not in found:
                found.add(party)
                todo += [source.partition(".")[0] for _, source in self.parties[party].match]
        return frozenset(found)

    def item_parties(self, item: Item) -> frozenset[str]:
        """The parties of which doing the item asks whether they exist, or writes to them."""
        return self._item_parties[item.id]

    @cached_property
    def _item_parties(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for item in self.matter.items:
            asked = self.item_reads(item) | self.reads_of([need.when for need in item.needs])
            written = {write.party for write in item.writes if write.party is not None}
            found[item.id] = (asked.parties | written) & self.reached(self.needed[item.id])
        return found

    @cached_property
    def sure(self) -> frozenset[str]:
        """Items whose needs may be read together with what decides the others: one read instead of two.

        Those that apply unless a record is missing altogether; where a fact or an answer decides (health,
        insurance), the item's needs wait until it is decided.
        """
        if not all(self._by_existence(rule) for rule, _ in self.matter.eligible):
            return frozenset()
        return frozenset(
            item.id
            for item in self.matter.items
            if item.done_already is None and (item.applies is None or self._by_existence(item.applies))
        )

    def _by_existence(self, expression: Expression) -> bool:
        reads = self.compile(expression).reads
        return not reads.facts and not reads.answers

    @cached_property
    def notable(self) -> tuple[tuple[str, Words], ...]:
        """Notable fields of the matter's registers: ``register.field`` and words."""
        found: dict[str, Words] = {}
        for party in self.matter.parties:
            for field in self.city.registers[party.register].fields.values():
                if field.notable:
                    found[f"{party.register}.{field.id}"] = field.name
        return tuple(found.items())

    @cached_property
    def notable_facts(self) -> Mapping[str, str]:
        """``party.field`` of the matter → ``register.field``, of notable fields only."""
        notable = {field for field, _ in self.notable}
        named = {
            fact: f"{self.parties[fact.partition('.')[0]].register}.{field.id}"
            for fact, field in self.fields.items()
        }
        return {fact: field for fact, field in named.items() if field in notable}

    def _reads(self, found: Iterable[str]) -> Reads:
        facts: set[str] = set()
        parties: set[str] = set()
        answers: set[str] = set()
        total = NOTHING
        for path in found:
            head, _, rest = path.partition(".")
            if head in self.parties:
                if rest:
                    facts.add(f"{head}.{rest.split('.', 1)[0]}")
                else:
                    parties.add(head)
            elif head in self.names:
                total = total | self.names[head].reads
            elif head in self.questions:
                answers.add(head)
        return total | Reads(frozenset(facts), frozenset(parties), frozenset(answers))


def duration_of(length: Length) -> Duration:
    return Duration(length.n, Unit(length.unit))


def term_of(clock: ClockDef, promise: Length | None) -> Term:
    """The kernel's term for a declared clock and the item's promise (承诺时限)."""
    return Term(
        id=clock.id,
        duration=duration_of(clock.length),
        law=clock.law.key,
        verified=clock.verified,
        starts_on=clock.starts_on,
        promise=None if promise is None else duration_of(promise),
        extension=None if clock.extension is None else duration_of(clock.extension),
        extension_approver=clock.extension_approver,
    )


def calendar_of(city: City) -> WorkCalendar:
    """The city's working calendar, with its own overrides and hours."""
    return WorkCalendar(city.calendar_overrides, city.working_hours, city.after_hours)


def _topological(items: tuple[Item, ...]) -> tuple[str, ...]:
    """Item ids so that each comes after those it waits for; the checker refuses cycles."""
    ordered: list[str] = []
    waits = {item.id: item.after for item in items}

    def visit(item_id: str, trail: frozenset[str]) -> None:
        if item_id in ordered or item_id in trail or item_id not in waits:
            return
        for before in waits[item_id]:
            visit(before, trail | {item_id})
        ordered.append(item_id)

    for item in items:
        visit(item.id, frozenset())
    return tuple(ordered)


_MATTERS: dict[tuple[str, str], CompiledMatter] = {}
_KEPT = 64


def compiled(city: City, matter: Matter) -> CompiledMatter:
    """The compiled matter, made once for each (city version, matter)."""
    key = (city.version, matter.id)
    found = _MATTERS.get(key)
    if found is None or found.matter is not matter:
        if len(_MATTERS) >= _KEPT:
            _MATTERS.clear()  # a running city has one version; only tests and `check` come here
        found = _MATTERS[key] = CompiledMatter(city, matter)
    return found
