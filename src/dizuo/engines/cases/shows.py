"""The prefilled lines of the form page: only facts that the plan uses, as people read them."""

from __future__ import annotations

from collections.abc import Collection

from dizuo.engines.cases.compiled import Compiled
from dizuo.engines.cases.plan_model import PlannedLine, PlannedShow, Value
from dizuo.engines.cases.planned_questions import value_text
from dizuo.engines.cases.scope import Open, Scope
from dizuo.foundation.blueprint.model import Field, Words


def plan_shows(scope: Scope, used: Collection[str]) -> tuple[PlannedShow, ...]:
    """The groups with at least one line. A line whose facts were not all read for an item is left out."""
    shows: list[PlannedShow] = []
    for show, declared in scope.matter.shows:
        lines = [line for line in [_line(scope, used, *one) for one in declared] if line is not None]
        if lines:
            shows.append(PlannedShow(show.id, show.name, show.folded, tuple(lines)))
    return tuple(shows)


def _line(
    scope: Scope, used: Collection[str], label: Words, ready: Compiled, field: Field | None
) -> PlannedLine | None:
    value = scope.value(ready)
    if isinstance(value, Open) or value is None:
        return None
    facts = tuple([fact for fact in ready.facts if fact in used])
    if ready.facts and not facts:
        return None
    return PlannedLine(label, field_words(field, value), "text" if field is None else field.type, facts)


def field_words(field: Field | None, value: Value) -> Words:
    """A register value in words: codes by their meaning, dates written out."""
    if field is not None and field.type == "code":
        return field.codes.get(str(value), Words(value_text(value)))
    return Words(value_text(value))
