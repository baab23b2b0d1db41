"""The names that an expression may read while a matter is planned or run.

A value that is not known *yet* is not null: reading it stops the expression with ``Undetermined``, which says
what to ask or read next. A value that is known to be absent is null.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from dizuo.engines.cases.compiled import Compiled, CompiledMatter
from dizuo.engines.cases.plan_model import Known, Value
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.rules.values import feel

_UNREAD: Final = object()


class Undetermined(Exception):
    """An expression needs something that nobody has said yet.

    ``kind`` is fact (``party.field`` not read), party (not resolved, or a choice is open) or answer.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name}")
        self.kind = kind
        self.name = name


class Open:
    """The value of an expression that cannot be decided yet, with the reason."""

    __slots__ = ("kind", "name")

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name


def typed(value: object, kind: str) -> Value:
    """A register's JSON value as the expression language sees it; an unreadable one is null."""
    if value is None or value == "":
        return None
    try:
        if kind == "date":
            return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
        if kind == "datetime":
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=SHANGHAI)
        if kind in ("number", "money"):
            return Decimal(str(value))
        if kind == "boolean":
            return value if isinstance(value, bool) else str(value) in ("true", "1", "是")
    except (ValueError, InvalidOperation):
        return None
    return value


class PartyFacts(Mapping[str, Value]):
    """One found party as a value: not null, and its facts by field."""

    __slots__ = ("_party", "_scope")

    def __init__(self, scope: Scope, party: str) -> None:
        self._scope = scope
        self._party = party

    def __getitem__(self, field: str) -> Value:
        return self._scope.fact(self._party, field)

    def __iter__(self) -> Iterator[str]:
        prefix = self._party + "."
        return iter([key[len(prefix) :] for key in self._scope.known.facts if key.startswith(prefix)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Scope(Mapping[str, Value]):
    """Everything an expression of this matter may read; names are evaluated once, when first read.

    ``used_facts`` and ``answers_read`` grow with what expressions really read, however they end.
    """

    def __init__(
        self,
        matter: CompiledMatter,
        known: Known,
        answers: Mapping[str, Value],
        today: date,
        is_asked: Callable[[Scope, str], bool] | None = None,
    ) -> None:
        self.matter = matter
        self.known = known
        self.answers = answers
        self.today = today
        self._is_asked = is_asked
        self.facts_read: list[str] = []
        """In the order of reading, some more than once; so is ``answers_read``."""
        self.answers_read: list[str] = []
        self._values: dict[str, Value] = {}
        self._kept: dict[Compiled, tuple[Value | Open, Collection[str], Collection[str]]] = {}
        self._missed: Undetermined | None = None

    # --- reading ------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Value:
        matter = self.matter
        if name in matter.names:
            return self.name(name)
        if name in matter.fields:
            return self.fact_of(name.partition(".")[0], name)
        if name in matter.parties:
            return self.party(name)
        if name not in matter.questions:
            raise KeyError(name)
        return self.answer(name)

    def answer(self, name: str) -> Value:
        """What was answered; null when nobody will be asked. Errors: Undetermined when it is still to be asked."""
        self.answers_read.append(name)
        if name in self.answers:
            return self.answers[name]
        if self._is_asked is not None and not self._is_asked(self, name):
            return None  # nobody will be asked: absent, not open
        raise self._miss("answer", name)

    def __contains__(self, name: object) -> bool:
        matter = self.matter
        return (
            name in matter.fields
            or name in matter.names
            or name in matter.questions
            or name in matter.parties
        )

    def __iter__(self) -> Iterator[str]:
        yield from self.matter.parties
        yield from self.matter.names
        yield from self.matter.questions

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def fact(self, party: str, field: str) -> Value:
        """The typed fact; null when its register holds none. Errors: Undetermined when it was not read."""
        return self._fact(f"{party}.{field}")

    def fact_of(self, party: str, key: str) -> Value:
        """The same by its whole name ``party.field``; null when the party does not exist."""
        value = self._values.get(key, _UNREAD)
        if value is not _UNREAD:  # read before: the party was found then
            self.facts_read.append(key)
            return value
        state = self.known.parties.get(party)
        if state is None:  # nobody looked for it yet
            self.facts_read.append(key)
            raise self._miss("fact", key)
        if state.state in ("choose", "waiting"):
            raise self._miss("party", party)
        return self._fact(key) if state.state == "found" else None

    def _fact(self, key: str) -> Value:
        self.facts_read.append(key)
        value = self._values.get(key, _UNREAD)
        if value is _UNREAD:
            found = self.known.facts.get(key)
            if found is None:
                raise self._miss("fact", key)
            declared = self.matter.field(key)
            kind = "text" if declared is None else declared.type
            value = self._values[key] = feel(typed(found.value, kind))
        return value

    def name(self, name: str) -> Value:
        value = self.value(self.matter.names[name])
        if isinstance(value, Open):
            raise self._miss(value.kind, value.name)
        return value

    def party(self, party: str) -> Value:
        """The party as a value, or null when it does not exist. Errors: Undetermined when that is open."""
        state = self.known.parties.get(party)
        if state is None or state.state in ("choose", "waiting"):
            raise self._miss("party", party)
        return PartyFacts(self, party) if state.state == "found" else None

    def _miss(self, kind: str, name: str) -> Undetermined:
        self._missed = Undetermined(kind, name)
        return self._missed

    @property
    def used_facts(self) -> frozenset[str]:
        """The facts that expressions read so far."""
        return frozenset(self.facts_read)

    # --- evaluating ---------------------------------------------------------------------------------------

    def value(self, compiled: Compiled) -> Value | Open:
        """The value of an expression, or Open with what it lacks; each is evaluated once in a scope."""
        if compiled.read is not None:  # one fact, which is kept as such
            before = self._missed
            try:
                return compiled.read(self)
            except Undetermined as missing:
                self._missed = before
                return Open(missing.kind, missing.name)
        kept = self._kept.get(compiled)
        if kept is not None:
            value, facts, answers = kept
            if facts:
                self.facts_read.extend(facts)
            if answers:
                self.answers_read.extend(answers)
            return value
        facts_before, answers_before = len(self.facts_read), len(self.answers_read)
        value = self._evaluate(compiled)
        # What it read is what was added meanwhile, each once: names that read names would multiply otherwise.
        self._kept[compiled] = (
            value,
            frozenset(self.facts_read[facts_before:]),
            frozenset(self.answers_read[answers_before:]),
        )
        return value

    def _evaluate(self, compiled: Compiled) -> Value | Open:
        before, self._missed = self._missed, None
        try:
            value = compiled.run(self, self.today)
            # An expression language may turn an error into null; what was missing must not become an answer.
            return value if self._missed is None else Open(self._missed.kind, self._missed.name)
        except Undetermined as missing:
            return Open(missing.kind, missing.name)
        finally:
            self._missed = before
