"""The other lawful steps on an item: what each asks for, and the engine's action that does it.

A step is a row of the table; its page and its handler are the same for all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from dizuo.engines.cases import (
    Cases,
    FixChoices,
    FixWant,
    answer_referral,
    approve_extension,
    ask_extension,
    end_special,
    fix_choices,
    hand_over,
    refer,
    request_fix,
    site_check,
    start_special,
)
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.errors import Invalid
from dizuo.foundation.kernel.terms import PauseReason
from dizuo.web import Form

Actors = Sequence[Actor]
Act = Callable[[Cases, Actors, str, str, Form, int | None], Awaitable[None]]
NO_CHOICES = FixChoices((), ())
WANTS = 8
"""So many empty lines for a fix request; the engine takes up to twenty with those that the system found."""


class Field(msgspec.Struct, frozen=True):
    """One field: ``kind`` is area, text, number, choice (``options`` are value and Chinese word) or wants."""

    name: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()


class Measure(msgspec.Struct, frozen=True):
    """One lawful step. ``task`` is the kind of work whose question or request is shown above the form."""

    id: str
    fields: tuple[Field, ...]
    act: Act
    task: str = ""


def wants_of(sent: Form, choices: FixChoices = NO_CHOICES) -> list[FixWant]:
    """The lines of a fix request: answers to change, papers to bring, what the system found, what was written.

    All rest on the one article that was chosen.
    """
    law = sent.text("law")[:60]
    marks, papers = set(sent.all("mark")), set(sent.all("paper"))
    changed = [
        FixWant(asks.zh, sent.text(f"mark_why_{question}")[:300], law, question=question)
        for question, asks, _ in choices.questions
        if question in marks
    ]
    brought = [
        FixWant(name.zh, "", law, material=material)
        for material, name in choices.materials
        if material in papers
    ]
    ticked = [FixWant(text[:300], "", law) for text in sent.all("found") if text]
    written = [
        FixWant(sent.text(f"want_{i}")[:300], sent.text(f"why_{i}")[:300], law)
        for i in range(1, WANTS + 1)
        if sent.text(f"want_{i}")
    ]
    return changed + brought + ticked + written


async def _fix(cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None) -> None:
    days = sent.text("days")
    if not (days.isascii() and days.isdigit()):
        raise Invalid({"days": "请写天数，例如 30。"})
    wants = wants_of(sent, await fix_choices(cases, actors, number, item))
    await request_fix(
        cases, actors, number, item, wants, sent.text("reason"), version=version, days=int(days[:4])
    )


async def _special(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    if not sent.text("kind"):
        raise Invalid({"kind": "请选一种特别程序。"})
    await start_special(
        cases,
        actors,
        number,
        item,
        sent.text("kind"),
        sent.text("reason"),
        sent.text("needs"),
        version=version,
    )


async def _special_end(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await end_special(cases, actors, number, item, sent.text("result"), version=version)


async def _extend(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await ask_extension(cases, actors, number, item, sent.text("reason"), version=version)


async def _extension(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    if sent.text("approve") not in ("yes", "no"):
        raise Invalid({"approve": "请选批准或不批准。"})
    await approve_extension(cases, actors, number, item, sent.text("approve") == "yes", sent.text("reason"))


async def _refer(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await refer(cases, actors, number, item, sent.text("question"), version=version)


async def _referral(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await answer_referral(cases, actors, number, item, sent.text("answer"))


async def _visit(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await site_check(cases, actors, number, item, ends=False, version=version)


async def _visit_end(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await site_check(cases, actors, number, item, ends=True, result=sent.text("result"), version=version)


async def _deliver(
    cases: Cases, actors: Actors, number: str, item: str, sent: Form, version: int | None
) -> None:
    await hand_over(cases, actors, number, item, sent.text("receipt"), version=version)


_KINDS = tuple((why.value, why.word) for why in PauseReason if why is not PauseReason.CORRECTION)
_REASON = Field("reason", "area")
_RESULT = Field("result", "area")
_APPROVE = Field("approve", "choice", (("yes", "批准"), ("no", "不批准")))

MEASURES = {
    measure.id: measure
    for measure in (
        Measure("fix", (Field("wants", "wants"), _REASON, Field("days", "number")), _fix),
        Measure("special", (Field("kind", "choice", _KINDS), _REASON, Field("needs", "text")), _special),
        Measure("special_end", (_RESULT,), _special_end),
        Measure("extend", (_REASON,), _extend),
        Measure("extension", (_APPROVE, _REASON), _extension, task="extension"),
        Measure("refer", (Field("question", "area"),), _refer),
        Measure("referral", (Field("answer", "area"),), _referral, task="referral"),
        Measure("visit", (), _visit),
        Measure("visit_end", (_RESULT,), _visit_end),
        Measure("deliver", (Field("receipt", "text"),), _deliver, task="deliver"),
    )
}
