"""Sentences with {places} filled from the case: what people are told when something is decided."""

from __future__ import annotations

import re
from datetime import datetime

from dizuo.engines.cases.planned_questions import value_text
from dizuo.engines.cases.scope import Open, PartyFacts, Scope, Undetermined
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clock_source import to_shanghai

_PLACE = re.compile(r"\{([^{}]+)\}")


def fill(words: Words, scope: Scope) -> Words:
    """The sentence with each {party.field}, {name} or {answer.part} filled; what is unknown is left out."""
    return Words(_fill(words.zh, scope), _fill(words.en, scope) if words.en else "")


def _fill(text: str, scope: Scope) -> str:
    return _PLACE.sub(lambda found: _value(found[1].strip(), scope), text)


def _value(path: str, scope: Scope) -> str:
    head, _, rest = path.partition(".")
    try:
        value = scope[path] if path in scope else scope[head]
    except (KeyError, Undetermined):
        return ""
    if isinstance(value, (Open, PartyFacts)):
        return ""
    if isinstance(value, dict):
        return str(value.get(rest or "name", ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return value_text(value)


def moment_words(moment: datetime) -> str:
    """An instant as people say it: 11 月 23 日 10:14."""
    local = to_shanghai(moment)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def day_words(moment: datetime) -> str:
    local = to_shanghai(moment)
    return f"{local.month} 月 {local.day} 日"
