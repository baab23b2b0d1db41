"""Every expression and sentence of a matter, where it stands, what it must give, and who sees what it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dizuo.foundation.blueprint.model import Expression, Item, Matter, Option, Question, Register, Words

Path = tuple[str | int, ...]

TRUTH, TEXT, ANY = "boolean", "text", "any"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Use(NamedTuple):
    """One expression: its path in matter.yaml, the kind of value it must give, and the item whose department sees
    what it reads (None when only the applicant and the planner do)."""

    path: Path
    expression: Expression
    wants: str
    item: str | None


class Sentence(NamedTuple):
    """One text that a person reads; its {placeholders} are filled with facts, answers and names."""

    path: Path
    words: Words
    item: str | None


def expressions(matter: Matter, registers: dict[str, Register]) -> Iterator[Use]:
    """Every expression of the matter but its names, in no particular order."""
    yield Use(("title_of",), matter.title_of, TEXT, None)
    yield Use(("place_of",), matter.place_of, TEXT, None)
    for index, (rule, _) in enumerate(matter.eligible):
        yield Use(("eligible", index, "rule"), rule, TRUTH, None)
    for question in matter.questions:
        yield from _question(question)
    for item in matter.items:
        yield from _item(item, registers)
    for document in matter.documents:
        issuers = [item.id for item in matter.items if item.document == document.id]
        for index, (_, value) in enumerate(document.fields):
            path = ("documents", document.id, "fields", index, "value")
            for issuer in issuers or [None]:
                yield Use(path, value, ANY, issuer)
    for show in matter.shows:
        for index, (_, value) in enumerate(show.lines):
            yield Use(("shows", show.id, "lines", index, "value"), value, ANY, None)
    for consent in matter.consents:
        if consent.when is not None:
            yield Use(("consents", consent.id, "when"), consent.when, TRUTH, None)


def _question(question: Question) -> Iterator[Use]:
    path = ("questions", question.id)
    if question.ask_when is not None:
        yield Use((*path, "ask_when"), question.ask_when, TRUTH, None)
    if question.options_from is not None:
        yield Use((*path, "options_from", "near"), question.options_from.near, TEXT, None)
    for index, option in enumerate(question.options):
        yield from _option(option, (*path, "options", index))


def _option(option: Option, path: Path) -> Iterator[Use]:
    if option.label_from is not None:
        yield Use((*path, "label_from"), option.label_from, TEXT, None)
    if option.detail_from is not None:
        yield Use((*path, "detail_from"), option.detail_from, TEXT, None)
    if option.when is not None:
        yield Use((*path, "when"), option.when, TRUTH, None)


def _item(item: Item, registers: dict[str, Register]) -> Iterator[Use]:
    path = ("items", item.id)
    # Whether an item applies and where it goes is the planner's question, not yet its department's.
    for name, expression, wants in (
        ("applies", item.applies, TRUTH),
        ("place_of", item.place_of, TEXT),
        ("done_already", item.done_already, TRUTH),
    ):
        if expression is not None:
            yield Use((*path, name), expression, wants, None)
    for index, need in enumerate(item.needs):
        if need.when is not None:
            yield Use((*path, "needs", index, "when"), need.when, TRUTH, None)
    for index, material in enumerate(item.materials):
        if material.when is not None:
            yield Use((*path, "materials", index, "when"), material.when, TRUTH, None)
    for step in item.steps:
        for index, check in enumerate(step.checks):
            yield Use((*path, "steps", step.id, "checks", index, "rule"), check.rule, TRUTH, item.id)
    for index, write in enumerate(item.writes):
        if write.when is not None:
            yield Use((*path, "writes", index, "when"), write.when, TRUTH, item.id)
        register = registers.get(write.register)
        for field, value in write.fields:
            known = register.fields.get(field) if register is not None else None
            wants = KIND_OF_FIELD[known.type] if known is not None else ANY
            yield Use((*path, "writes", index, "fields", field), value, wants, item.id)


KIND_OF_FIELD = {
    "text": TEXT,
    "code": TEXT,
    "division": TEXT,
    "citizen_id": TEXT,
    "uscc": TEXT,
    "number": "number",
    "money": "number",
    "boolean": TRUTH,
    "date": "date",
    "datetime": "datetime",
}


def sentences(matter: Matter) -> Iterator[Sentence]:
    """Every sentence of matter.yaml that a citizen or an official reads."""
    yield Sentence(("name",), matter.name, None)
    yield Sentence(("summary",), matter.summary, None)
    for party in matter.parties:
        yield Sentence(("parties", party.id, "name"), party.name, None)
    for index, (_, says) in enumerate(matter.eligible):
        yield Sentence(("eligible", index, "else"), says, None)
    for question in matter.questions:
        path = ("questions", question.id)
        for name in ("asks", "hint", "reason"):
            yield Sentence((*path, name), getattr(question, name), None)
        for index, option in enumerate(question.options):
            for name in ("label", "detail"):
                words: Words | None = getattr(option, name)
                if words is not None:
                    yield Sentence((*path, "options", index, name), words, None)
    for item in matter.items:
        path = ("items", item.id)
        yield Sentence((*path, "name"), item.name, None)
        yield Sentence((*path, "not_applicable"), item.not_applicable, None)
        yield Sentence((*path, "granted"), item.granted, item.id)
        yield Sentence((*path, "refused"), item.refused, item.id)
        for index, material in enumerate(item.materials):
            yield Sentence((*path, "materials", index, "name"), material.name, None)
        for step in item.steps:
            yield Sentence((*path, "steps", step.id, "name"), step.name, None)
            for index, check in enumerate(step.checks):
                here = (*path, "steps", step.id, "checks", index)
                yield Sentence((*here, "says"), check.says, item.id)
                yield Sentence((*here, "exception"), check.exception, item.id)
                for number, choice in enumerate(check.choices):
                    yield Sentence((*here, "choices", number, "name"), choice.name, None)
                    yield Sentence((*here, "choices", number, "detail"), choice.detail, None)
    for document in matter.documents:
        yield Sentence(("documents", document.id, "name"), document.name, None)
        for index, (label, _) in enumerate(document.fields):
            yield Sentence(("documents", document.id, "fields", index, "label"), label, None)
    for show in matter.shows:
        yield Sentence(("shows", show.id, "name"), show.name, None)
        for index, (label, _) in enumerate(show.lines):
            yield Sentence(("shows", show.id, "lines", index, "label"), label, None)
    for consent in matter.consents:
        yield Sentence(("consents", consent.id, "asks"), consent.asks, None)
    yield Sentence(("baseline", "source"), matter.baseline.source, None)


def placeholders(text: str) -> list[tuple[str, int]]:
    """The {placeholders} of a sentence with where each begins (its brace)."""
    return [(found[1].strip(), found.start()) for found in _PLACEHOLDER.finditer(text)]
