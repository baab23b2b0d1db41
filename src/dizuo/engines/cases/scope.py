"""The names that an expression may read while a matter is planned or run.

A value that is not known *yet* is not null: reading it stops the expression with ``Undetermined``, which says
what to ask or read next. A value that is known to be absent is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from dizuo.engines.cases.compiled import Compiled, CompiledMatter
from dizuo.engines.cases.plan_model import Known, Value
from dizuo.foundation.kernel.clock_source import SHANGHAI
from dizuo.foundation.rules.values import feel

_UNREAD: Final = object()
_NOTHING: Final = frozenset[str]()


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

    ``used_facts`` and ``used_answers`` grow with what expressions really read, however they end.
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
        self.used_facts: set[str] = set()
        self.used_answers: set[str] = set()
        self._values: dict[str, Value] = {}
        self._kept: dict[Compiled, tuple[Value | Open, Set[str], Set[str]]] = {}
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
        self.used_answers.add(name)
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
            self.used_facts.add(key)
            return value
        state = self.known.parties.get(party)
        if state is None:  # nobody looked for it yet
            self.used_facts.add(key)
            raise self._miss("fact", key)
        if state.state in ("choose", "waiting"):
            raise self._miss("party", party)
        return self._fact(key) if state.state == "found" else None

    def _fact(self, key: str) -> Value:
        self.used_facts.add(key)
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

    # --- evaluating ---------------------------------------------------------------------------------------

    def value(self, compiled: Compiled) -> Value | Open:
        """The value of an expression, or Open with what it lacks; each is evaluated once in a scope."""
        kept = self._kept.get(compiled)
        if kept is None and compiled.read is not None:
            # One fact: what it uses is itself, and nothing has to be told apart.
            kept = self._kept[compiled] = self._evaluate(compiled), compiled.reads.facts, _NOTHING
        elif kept is None:
            outer_facts, outer_answers = self.used_facts, self.used_answers
            self.used_facts, self.used_answers = set(), set()
            value = self._evaluate(compiled)
            kept = self._kept[compiled] = value, self.used_facts, self.used_answers
            self.used_facts, self.used_answers = outer_facts, outer_answers
        value, facts, answers = kept
        if facts:
            self.used_facts.update(facts)
        if answers:
            self.used_answers.update(answers)
        return value

    def _evaluate(self, compiled: Compiled) -> Value | Open:
        before, self._missed = self._missed, None
        try:
            value = compiled.run(self, self.today) if compiled.read is None else compiled.read(self)
            # An expression language may turn an error into null; what was missing must not become an answer.
            return value if self._missed is None else Open(self._missed.kind, self._missed.name)
        except Undetermined as missing:
            return Open(missing.kind, missing.name)
        finally:
            self._missed = before
