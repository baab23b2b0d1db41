"""Which questions are asked, in which order, with which answers on offer.

A question is asked when an item that applies needs its answer, or when it decides something; never when a
register answered it, and never before it is known that it must be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from dizuo.engines.cases.nearest import nearest_places
from dizuo.engines.cases.plan_model import PlannedOption, PlannedQuestion, Silent, Value
from dizuo.engines.cases.scope import Open, Scope
from dizuo.foundation.blueprint.hours import hours_said
from dizuo.foundation.blueprint.model import Expression, Option, Question, ServicePlace, Words

NO_WORDS = Words("")


def silent_state(scope: Scope, fact: str) -> bool | None:
    """Whether the register says nothing about the fact; None when it was not read yet."""
    party, _, field = fact.partition(".")
    state = scope.known.parties.get(party)
    if state is None or state.state in ("choose", "waiting"):
        return None
    if state.state == "missing":
        return True
    known = scope.known.facts.get(f"{party}.{field}")
    return None if known is None else known.value in (None, "")


def asked_state(scope: Scope, question: Question) -> bool | None:
    """Whether the question must be put; None while that is open."""
    if question.ask_when is not None:
        value = scope.value(scope.matter.compile(question.ask_when))
        if isinstance(value, Open):
            return None
        if value is not True:
            return False
    return True if question.if_silent is None else silent_state(scope, question.if_silent)


def is_asked(scope: Scope, question_id: str) -> bool:
    """False only when it is certain that nobody will be asked."""
    return asked_state(scope, scope.matter.questions[question_id]) is not False


def needed_answers(scope: Scope, wanted: Iterable[str]) -> tuple[str, ...]:
    """Of the wanted answers, the questions to put now, in order: what decides first, then as declared.

    Wanted questions may lead to others that decide whether to ask them.
    """
    asked: set[str] = set()
    seen: set[str] = set()
    queue = list(wanted)
    while queue:
        current = queue.pop()
        if current in seen or current not in scope.matter.questions:
            continue
        seen.add(current)
        question = scope.matter.questions[current]
        if question.ask_when is not None:
            before = len(scope.answers_read)
            state = asked_state(scope, question)
            queue += [name for name in scope.answers_read[before:] if name != current]
        else:
            state = asked_state(scope, question)
        if state:
            asked.add(current)
    deciding = scope.matter.deciding.answers
    declared = [q.id for q in scope.matter.matter.questions]
    ordered = [q for q in declared if q in asked and q in deciding]
    ordered += [q for q in declared if q in asked and q not in deciding]
    return _keep_groups(scope.matter.questions, ordered)


def _keep_groups(questions: Mapping[str, Question], ordered: list[str]) -> tuple[str, ...]:
    groups: dict[str, list[str]] = {}
    for question_id in ordered:
        groups.setdefault(questions[question_id].group or question_id, []).append(question_id)
    return tuple(q for members in groups.values() for q in members)


def plan_questions(scope: Scope, ordered: tuple[str, ...]) -> tuple[PlannedQuestion, ...]:
    """The questions ready to show, numbered by group."""
    numbers: dict[str, int] = {}
    planned: list[PlannedQuestion] = []
    for question_id in ordered:
        question = scope.matter.questions[question_id]
        number = numbers.setdefault(question.group or question_id, len(numbers) + 1)
        options, more = offered(scope, question)
        planned.append(
            PlannedQuestion(
                id=question.id,
                number=number,
                asks=question.asks,
                hint=question.hint,
                reason=question.reason,
                type=question.type,
                options=options,
                more=more,
                value=answer_text(scope.answers.get(question_id)),
                group=question.group,
                autofill=question.autofill,
                max_length=question.max_length,
                check=question.check,
            )
        )
    return tuple(planned)


def offered(scope: Scope, question: Question) -> tuple[tuple[PlannedOption, ...], int]:
    """The answers on offer, and how many more places there are than are shown."""
    options = [o for o in (_offer(scope, option) for option in question.options) if o is not None]
    if question.options_from is None:
        return tuple(options), 0
    source = question.options_from
    places = scope.matter.city.places.get(source.places, ())
    near = scope.value(scope.matter.compile(source.near))
    found = nearest_places(
        scope.matter.city, source.places, near if isinstance(near, str) else None, source.take
    )
    options += [PlannedOption(p.id, Words(p.name), _where(p, distance)) for p, distance in found]
    return tuple(options), max(0, len(places) - len(found))


def _offer(scope: Scope, option: Option) -> PlannedOption | None:
    if option.when is not None and scope.value(scope.matter.compile(option.when)) is not True:
        return None
    label = _text(scope, option.label, option.label_from)
    if label is None:
        return None  # an option named after a fact that does not exist cannot be chosen
    detail = _text(scope, option.detail, option.detail_from)
    return PlannedOption(option.value, label, detail if detail is not None else NO_WORDS)


def _text(scope: Scope, words: Words | None, source: Expression | None) -> Words | None:
    if source is None:
        return words
    value = scope.value(scope.matter.compile(source))
    if isinstance(value, Open) or value is None:
        return words
    return Words(value_text(value))


def _where(place: ServicePlace, distance_m: float | None) -> Words:
    """How far a place is, where, and when it is open; its address stays as it is written."""
    near, english = (), ()
    if distance_m is not None:
        metres, far = round(distance_m / 100) * 100, f"{distance_m / 1000:.1f}"
        near = (f"约 {metres} 米" if distance_m < 1000 else f"约 {far} 公里",)
        english = (f"about {metres} m" if distance_m < 1000 else f"about {far} km",)
    return Words(
        " · ".join(part for part in (*near, place.address, place.hours) if part),
        " · ".join(part for part in (*english, place.address, hours_said(place.hours, "en")) if part),
    )


def plan_silent(scope: Scope, asked: Iterable[str]) -> tuple[Silent, ...]:
    """For each asked question that a register should have answered: which fact was silent, and why."""
    found: list[Silent] = []
    for question_id in asked:
        question = scope.matter.questions[question_id]
        if question.if_silent is not None:
            found.append(Silent(question_id, question.if_silent, question.reason))
    return tuple(found)


def value_text(value: Value) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{value.year} 年 {value.month} 月 {value.day} 日 {value:%H:%M}"
    if isinstance(value, date):
        return f"{value.year} 年 {value.month} 月 {value.day} 日"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (list, tuple)):
        return "、".join(value_text(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return "" if value is None else str(value)


def answer_text(value: Value) -> str | None:
    """An answer as the form sends it: the place's id, true/false, ISO dates."""
    if value is None:
        return None
    if isinstance(value, dict):
        return str(value.get("id"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
