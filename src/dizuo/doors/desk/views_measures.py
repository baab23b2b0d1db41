"""The page of a lawful step: its fields, what the system found, what was typed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dizuo.engines.cases import CasePage, FixChoices
from dizuo.web import Form

from .measures import NO_CHOICES, WANTS, Measure
from .telling import pick
from .views_queue import RailView

DAYS = "30"


class FieldView(msgspec.Struct, frozen=True):
    """One field as it stands."""

    name: str
    kind: str
    label: str
    hint: str
    value: str
    options: list[dict[str, str]]
    error: str


class WantView(msgspec.Struct, frozen=True):
    """One written line of a fix request."""

    n: int
    what: str
    why: str


class MarkView(msgspec.Struct, frozen=True):
    """One answer of the applicant that may be marked as wrong, or a paper (``was`` is then '')."""

    value: str
    label: str
    was: str
    chosen: bool
    why: str


class MeasureView(msgspec.Struct, frozen=True):
    """The page of one step."""

    rail: RailView
    here: str
    id: str
    number: str
    item: str
    name: str
    title: str
    person: str
    heading: str
    intro: str
    law: str
    button: str
    said: str
    fields: list[FieldView]
    found: list[tuple[str, bool]]
    wants: list[WantView]
    version: int
    errors: list[tuple[str, str]]
    marks: list[MarkView]
    papers: list[MarkView]
    laws: list[tuple[str, str, bool]]
    wants_open: bool


def measure_view(
    found: CasePage,
    at: int,
    measure: Measure,
    rail: RailView,
    said: str,
    sent: Form | Mapping[str, str],
    errors: Mapping[str, str],
    lang: str,
    words: Mapping[str, str],
    choices: FixChoices = NO_CHOICES,
) -> MeasureView:
    """The page of a step on the item at ``at``, with what was typed."""
    front = found.items[at]
    name = measure.id
    ticked = sent.all("found") if isinstance(sent, Form) else [e.says.zh for e in front.exceptions]
    return MeasureView(
        rail=rail,
        here="waiting",
        id=name,
        number=found.number,
        item=front.id,
        name=pick(front.name, lang),
        title=found.title,
        person=found.applicant,
        heading=words[f"{name}_title"],
        intro=words[f"{name}_intro"],
        law=words.get(f"{name}_law", ""),
        button=words[f"{name}_button"],
        said=said,
        fields=[
            FieldView(
                name=field.name,
                kind=field.kind,
                label=words[f"field_{field.name}"],
                hint=words.get(f"hint_{name}_{field.name}", ""),
                value=sent.get(field.name) or (DAYS if field.name == "days" else ""),
                options=[{"value": v, "label": label, "detail": ""} for v, label in field.options],
                error=errors.get(field.name, ""),
            )
            for field in measure.fields
        ],
        found=[(e.says.zh, e.says.zh in ticked) for e in front.exceptions],
        wants=[
            WantView(i, sent.get(f"want_{i}") or "", sent.get(f"why_{i}") or "") for i in range(1, WANTS + 1)
        ],
        version=front.version,
        errors=list(errors.items()),
        marks=_marks(choices, sent, lang),
        papers=_papers(choices, sent, lang),
        laws=_laws(found, at, sent) if choices is not NO_CHOICES else [],
        wants_open=any(sent.get(f"want_{i}") for i in range(4, WANTS + 1)),
    )


def _ticked(sent: Form | Mapping[str, str], name: str) -> list[str]:
    return sent.all(name) if isinstance(sent, Form) else []


def _marks(choices: FixChoices, sent: Form | Mapping[str, str], lang: str) -> list[MarkView]:
    """The applicant's answers that this item uses, with what was ticked and why."""
    return [
        MarkView(
            q, pick(asks, lang), pick(was, lang), q in _ticked(sent, "mark"), sent.get(f"mark_why_{q}") or ""
        )
        for q, asks, was in choices.questions
    ]


def _papers(choices: FixChoices, sent: Form | Mapping[str, str], lang: str) -> list[MarkView]:
    return [
        MarkView(m, pick(name, lang), "", m in _ticked(sent, "paper"), "") for m, name in choices.materials
    ]


def _laws(found: CasePage, at: int, sent: Form | Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """The item's own articles; the first stands chosen, because a request rests on the law of its item."""
    laws = found.items[at].laws
    chosen = sent.get("law") or (laws[0][0] if laws else "")
    return [(key, words, key == chosen) for key, words in laws]
