"""Expressions: they parse, their types fit, and they read only what some item may read.

Two kinds of reading are told apart. What a department sees (its checks, the documents it issues, what it writes)
must stand in that item's own needs, with its purpose and basis. What only the planner and the applicant see (does an
item apply, what is asked, what is shown) must stand in the needs of at least one item of the matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dizuo.foundation import rules
from dizuo.foundation.blueprint.checks import uses
from dizuo.foundation.blueprint.checks.constants import compared
from dizuo.foundation.blueprint.checks.uses import Use
from dizuo.foundation.blueprint.draft import Draft
from dizuo.foundation.blueprint.findings import Span
from dizuo.foundation.blueprint.model import Matter, Place, Register
from dizuo.foundation.blueprint.nodes import Scalar
from dizuo.foundation.rules import RuleErrors, Type

_KINDS: Mapping[str, Type] = {
    "text": rules.TEXT,
    "boolean": rules.BOOLEAN,
    "number": rules.NUMBER,
    "date": rules.DATE,
    "datetime": rules.DATETIME,
    "any": rules.ANY,
}
_ANSWERS: Mapping[str, Type] = {
    "text": rules.TEXT,
    "choice": rules.TEXT,
    "address": rules.TEXT,
    "phone": rules.TEXT,
    "date": rules.DATE,
    "boolean": rules.BOOLEAN,
    "number": rules.NUMBER,
}
_PLACE = rules.context(
    {
        "id": rules.TEXT,
        "name": rules.TEXT,
        "division": rules.TEXT,
        "address": rules.TEXT,
        "hours": rules.TEXT,
        "phone": rules.TEXT,
    }
)


class Reads(NamedTuple):
    """What an expression reads: facts (``party.field``) and answers, through names as well."""

    facts: frozenset[str]
    answers: frozenset[str]


NOTHING = Reads(frozenset(), frozenset())


class Scope:
    """What a matter's expressions may name: parties, answers and the names declared so far."""

    def __init__(self, draft: Draft, matter: Matter, file: str) -> None:
        self.draft = draft
        self.matter = matter
        self.file = file
        self.parties = {
            p.id: draft.registers[p.register] for p in matter.parties if p.register in draft.registers
        }
        # A party whose register could not be read may have any field.
        self.types: dict[str, Type] = {p.id: rules.ANY for p in matter.parties}
        self.types |= {name: _record(register) for name, register in self.parties.items()}
        self.questions = {question.id: question for question in matter.questions}
        # What each department may see, by item; None stands for what the planner may see.
        self.needed: dict[str | None, set[str]] = {None: set()}
        for item in matter.items:
            self.needed[item.id] = {fact for need in item.needs for fact in need.facts}
            self.needed[None] |= self.needed[item.id]
        for question in matter.questions:
            self.types[question.id] = _PLACE if question.options_from is not None else _ANSWERS[question.type]
        self.names: dict[str, Reads] = {}

    def read(self, path: uses.Path, text: str, wants: str) -> Reads:
        """Check one expression and tell what it reads; findings point into its text."""
        if not text:
            return NOTHING
        found = self.infer(path, text)
        if found is None:
            return NOTHING
        kind, reads = found
        wanted = _KINDS[wants]
        if not _fits(kind, wanted):
            self.draft.log.add(
                "expression-type",
                self.draft.at(self.file, *path),
                f"这里要{_WANTS.get(wants, str(wanted))}，表达式给的是{kind}。",
                fix=_FIX.get(wants, "换一个表达式。"),
            )
        return reads

    def infer(self, path: uses.Path, text: str) -> tuple[Type, Reads] | None:
        """The type of an expression and what it reads, or None when it has faults."""
        try:
            tree = rules.parse(text)
        except RuleErrors as errors:
            self._faults("expression-syntax", path, text, errors)
            return None
        reads = self._reads(rules.paths(tree))
        self._constants(path, text, tree)
        try:
            return rules.check(tree, self.types), reads
        except RuleErrors as errors:
            self._faults("expression-type", path, text, errors)
            return None

    def _reads(self, paths: set[str]) -> Reads:
        facts: set[str] = set()
        answers: set[str] = set()
        for path in paths:
            first, _, rest = path.partition(".")
            if first in self.names:
                facts |= self.names[first].facts
                answers |= self.names[first].answers
            elif first in self.questions:
                answers.add(first)
            elif first in self.types and rest:
                facts.add(f"{first}.{rest.partition('.')[0]}")
        return Reads(frozenset(facts), frozenset(answers))

    def _constants(self, path: uses.Path, text: str, tree: rules.Tree) -> None:
        """Texts that are compared with a coded field or a choice must be among its codes or options."""
        for name, literal in compared(tree):
            first, _, field_id = name.partition(".")
            register = self.parties.get(first)
            field = register.fields.get(field_id) if register is not None else None
            question = self.questions.get(name)
            if field is not None and field.codes:
                kind, what, known = "code", "代码", list(field.codes)
                named = next((code for code, words in field.codes.items() if words.zh == literal.value), None)
                fix = f'写代码 "{named}"。' if named else f"可用的代码：{'、'.join(known)}。"
            elif question is not None and question.options:
                kind, what, known = "option", "选项", [option.value for option in question.options]
                fix = f"可选：{'、'.join(known)}。"
            else:
                continue
            at = self._inside(path, text, literal.span.start, literal.span.end)
            self.draft.refer(kind, what, str(literal.value), known, at, fix)

    def _inside(self, path: uses.Path, text: str, start: int, end: int) -> Span:
        return inside(self.draft.at(self.file, *path), self.draft.node(self.file, *path), text, start, end)

    def _faults(self, code: str, path: uses.Path, text: str, errors: RuleErrors) -> None:
        for error in errors.errors:
            at = self._inside(path, text, error.start, error.end)
            self.draft.log.add(code, at, error.message, fix=error.fix)


def check(draft: Draft, matter: Matter, file: str) -> None:
    scope = Scope(draft, matter, file)
    _names(scope)
    used: set[str] = set()
    asked: set[str] = set()
    for use in uses.expressions(matter, draft.registers):
        reads = scope.read(use.path, use.expression.text, use.wants)
        used |= reads.facts
        asked |= reads.answers
        _lawful(scope, use.path, reads.facts, use.item)
        if use.path[-1] == "applies":
            _never(scope, use)
    for sentence in uses.sentences(matter):
        for text in (sentence.words.zh, sentence.words.en):
            for name, _ in uses.placeholders(text):
                reads = _placeholder(scope, file, sentence.path, text, name)
                used |= reads.facts
                _lawful(scope, sentence.path, reads.facts, sentence.item)
    _page_words(scope, used)
    _plain_facts(scope, used)
    _unused(scope, used, asked)


def _names(scope: Scope) -> None:
    taken = {party.id: "参与方" for party in scope.matter.parties}
    for question in scope.matter.questions:
        if question.id in taken:
            at = scope.draft.key(scope.file, "questions", question.id)
            _collides(scope, question.id, taken[question.id], at)
        taken[question.id] = "问题"
    for name, expression in scope.matter.names:
        at = scope.draft.key(scope.file, "names", name)
        if name in taken:
            _collides(scope, name, taken[name], at)
            continue
        found = scope.infer(("names", name), expression.text) if expression.text else None
        # A name with faults may be anything: whoever uses it is not to blame.
        scope.types[name], scope.names[name] = found if found is not None else (rules.ANY, NOTHING)
        taken[name] = "名称"


def _collides(scope: Scope, name: str, other: str, at: Span) -> None:
    scope.draft.log.add(
        "name-collides", at, f"`{name}` 已经是{other}，表达式分不清是哪一个。", fix="改成另一个名称。"
    )


def _lawful(scope: Scope, path: uses.Path, facts: frozenset[str], item_id: str | None) -> None:
    """Facts must be needed by the item whose department sees them, or by any item when only the planner does."""
    for fact in sorted(facts - scope.needed[item_id]):
        if not _exists(scope, fact):
            continue  # reported where its type was checked
        whose = f"事项 `{item_id}` 的 needs" if item_id is not None else "任何一个事项的 needs"
        scope.draft.log.add(
            "reads-without-need",
            scope.draft.at(scope.file, *path),
            f"这里要读 `{fact}`，但{whose} 里没有它：没有目的和依据，就不能调取。",
            fix=f"在事项的 needs 里写上 `{fact}`（连同 purpose 和 basis），或不用它。",
        )


def _never(scope: Scope, use: Use) -> None:
    """An item whose condition reads nothing and does not hold can never apply."""
    text = use.expression.text
    try:
        tree = rules.parse(text)
        if rules.paths(tree) or "today" in text:
            return
        holds: object = rules.compile_python(tree)({})
    except (RuleErrors, ArithmeticError, ValueError):
        return  # reported as a fault of the expression
    if holds is not True:
        scope.draft.log.add(
            "never-applies",
            scope.draft.at(scope.file, *use.path),
            "这个条件永远不成立，事项永远不会适用。",
            fix="改正条件，或删掉这个事项。",
        )


def _placeholder(scope: Scope, file: str, path: uses.Path, text: str, name: str) -> Reads:
    """What a {placeholder} reads; a finding when it names nothing."""
    first, _, rest = name.partition(".")
    kind = scope.types.get(first)
    for step in rest.split(".") if rest else []:
        kind = kind.get(step) if isinstance(kind, rules.ContextType) else kind if kind == rules.ANY else None
    if kind is None or isinstance(kind, rules.ContextType):
        known = [*scope.types, *(f"{p}.{f}" for p, r in scope.parties.items() for f in r.fields)]
        known += [f"{q.id}.{f}" for q in scope.matter.questions if q.options_from for f, _ in _PLACE.fields]
        at = scope.draft.at(file, *path)
        scope.draft.refer(
            "placeholder", "占位", "{" + name + "}", ["{" + k + "}" for k in known], at, _PLACEHOLDER_FIX
        )
        return NOTHING
    return scope._reads({name})  # pyright: ignore[reportPrivateUsage]


_PLACEHOLDER_FIX = "写 {参与方.字段}、{问题} 或 {名称}；要写大括号本身时换成别的符号。"


def _page_words(scope: Scope, used: set[str]) -> None:
    """The words beside the matter: placeholders resolve, and every language has the same ones."""
    spoken = scope.draft.words.get(scope.matter.id, {})
    for language, words in spoken.items():
        file = f"matters/{scope.matter.id}/words.{language}.yaml"
        for key, text in words.items():
            for name, _ in uses.placeholders(text):
                reads = _placeholder(scope, file, ("words", key), text, name)
                used |= reads.facts
                _lawful_words(scope, file, key, reads.facts)


def _lawful_words(scope: Scope, file: str, key: str, facts: frozenset[str]) -> None:
    for fact in sorted(facts - scope.needed[None]):
        scope.draft.log.add(
            "reads-without-need",
            scope.draft.at(file, "words", key),
            f"这里要读 `{fact}`，但任何一个事项的 needs 里没有它：没有目的和依据，就不能调取。",
            fix=f"在事项的 needs 里写上 `{fact}`，或不用它。",
        )


def _plain_facts(scope: Scope, used: set[str]) -> None:
    """Facts that are named outside expressions: compared, shown as labels, or asked when silent."""
    matter = scope.matter
    for item in matter.items:
        for step in item.steps:
            for index, one in enumerate(step.checks):
                for side, fact in enumerate(one.compare or ()):
                    path = ("items", item.id, "steps", step.id, "checks", index, "compare", side)
                    if _known_fact(scope, fact, path):
                        used.add(fact)
                        _lawful(scope, path, frozenset([fact]), item.id)
    for party in matter.parties:
        for index, field in enumerate(party.label):
            fact = f"{party.id}.{field}"
            used.add(fact)
            _lawful(scope, ("parties", party.id, "label", index), frozenset([fact]), None)
    for question in matter.questions:
        if question.if_silent:
            used.add(question.if_silent)
            _lawful(scope, ("questions", question.id, "if_silent"), frozenset([question.if_silent]), None)
    used |= {other for party in matter.parties for _, other in party.match}


def _known_fact(scope: Scope, fact: str, path: uses.Path) -> bool:
    if not fact:
        return False
    name, _, field = fact.partition(".")
    at = scope.draft.at(scope.file, *path)
    if not scope.draft.refer("party", "参与方", name, [p.id for p in scope.matter.parties], at):
        return False
    register = scope.parties.get(name)
    return register is not None and scope.draft.refer(
        "field", f" {register.id} 的字段", field, register.fields, at
    )


def _unused(scope: Scope, used: set[str], asked: set[str]) -> None:
    matter, draft, file = scope.matter, scope.draft, scope.file
    for item in matter.items:
        for index, need in enumerate(item.needs):
            for number, fact in enumerate(need.facts):
                if fact not in used and _exists(scope, fact):
                    draft.log.add(
                        "need-unused",
                        draft.at(file, "items", item.id, "needs", index, "facts", number),
                        f"调取 `{fact}`，却没有显示、核对或写进证照：申请人看不到它有什么用（个人信息保护法第六条，最小范围）。",
                        fix="在 shows 里显示它，或不调取它。",
                        severity="warning",
                    )
    for question in matter.questions:
        answering = any(question.id in item.answers for item in matter.items)
        if not answering and question.id not in asked:
            draft.log.add(
                "question-unused",
                draft.key(file, "questions", question.id),
                f"没有事项要问题 `{question.id}` 的回答，也没有表达式用它。",
                fix="写进某个事项的 answers，或删掉它。",
            )


def _exists(scope: Scope, fact: str) -> bool:
    name, _, field = fact.partition(".")
    register = scope.parties.get(name)
    return register is not None and field in register.fields


def _record(register: Register) -> Type:
    return rules.context(
        {name: _KINDS[uses.KIND_OF_FIELD[field.type]] for name, field in register.fields.items()}
    )


def _fits(kind: Type, wanted: Type) -> bool:
    if rules.ANY in (kind, wanted) or kind in (wanted, rules.NULL):
        return not (wanted == rules.ANY and isinstance(kind, rules.ContextType))
    return {kind, wanted} == {rules.DATE, rules.DATETIME} and wanted == rules.DATETIME


_WANTS = {"boolean": "一个判断（是或否）", "text": "文字", "datetime": "时间"}
_FIX = {
    "boolean": "写成一个判断，例如 `mother != null` 或 `age >= 18`。",
    "text": '写成文字，例如 `mother.name` 或 `"文字"`；数字用 string(…) 转成文字。',
    "date": "写成日期，例如 `date(certificate.born_at)`。",
}


def inside(base: Span, node: object, text: str, start: int, end: int) -> Span:
    """Where characters of an expression stand in its file; the expression's start when YAML re-wrapped it."""
    if not isinstance(node, Scalar) or not node.inline:
        return base
    shift = 0 if node.plain else 1
    escaped = base.width - 2 * shift != len(text)
    if escaped:
        return base
    place = base.place
    return Span(Place(place.file, place.line, place.col + shift + start), max(1, end - start))
