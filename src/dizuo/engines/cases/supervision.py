"""督办: whoever sees to late work sees its steps, clocks, holders and reasons, and may press with a reason.

Nothing about a person is in it: no name, no title, no fact, no answer. Each look is entered in the ledger, and
pressing is entered there and in the case's history, where whoever holds the work sees it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from dizuo.engines.cases.actions_pause import reason_of
from dizuo.engines.cases.context import QUERIES, READS, Cases
from dizuo.engines.cases.errors import ItemChanged, NothingLate
from dizuo.engines.cases.model import Case, ItemRow
from dizuo.engines.cases.reach import Actors, principal_of, refused_by
from dizuo.engines.cases.reads_desk import unit_name, who_words
from dizuo.engines.cases.reads_progress import event_word
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.states import Event
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work, enter
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clocks import Level, level
from dizuo.foundation.policy import Ask, Request, Verdict
from dizuo.foundation.store import begin

PRESSED: Final = "pressed"
"""The name of 督办 in the history."""
# Steps whose reason says why the work takes as long as it takes.
_WHY: Final = frozenset(
    {
        Event.NOTIFY_FIX.value,
        Event.START_SPECIAL.value,
        Event.END_SPECIAL.value,
        Event.START_SITE_CHECK.value,
        Event.END_SITE_CHECK.value,
        Event.EXTEND.value,
        "ask_extension",
        "extension_declined",
        PRESSED,
    }
)
_NUMBERS: Final = re.compile(r"[0-9Xx]{5,}")


class SupervisedStep(msgspec.Struct, frozen=True):
    """One step of an item: ``state`` is done, now or later; ``holder`` are the posts that do it."""

    name: Words
    state: str
    holder: str
    since: datetime | None


class SupervisedLine(msgspec.Struct, frozen=True):
    """One event of an item; ``reason`` only where it says why time passes, with names and numbers left out."""

    at: datetime
    name: str
    what: str
    who: str
    reason: str


class SupervisedItem(msgspec.Struct, frozen=True):
    """One late item: where it stands, since when, on whose desk, by which clocks."""

    id: str
    name: Words
    department: Words
    unit_name: str
    word: str
    version: int
    due_promise: datetime
    due_statute: datetime | None
    level: Level | None
    paused: bool
    extended: bool
    last_hand: str
    steps: tuple[SupervisedStep, ...]
    history: tuple[SupervisedLine, ...]
    pressed: tuple[SupervisedLine, ...]


class SupervisedCase(msgspec.Struct, frozen=True):
    """What is late in one case, within this post's reach."""

    number: str
    matter: str
    matter_name: Words
    submitted_at: datetime
    promised: datetime | None
    post: str
    items: tuple[SupervisedItem, ...]
    entry: int


async def supervised_case(cases: Cases, actors: Actors, number: str) -> SupervisedCase:
    """What is late in this case. Errors: CaseNotFound, Refused with rule and who can, NothingLate."""
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=False)
        actor, late = _reach(cases, actors, case, tx.now)
        entry = await enter(
            tx, actor, case.application, "case.supervise_view", items=tuple(i.id for i in late)
        )
        tasks = await tx.conn.fetch(READS["tasks_in"], case.application.id)
        events = await tx.conn.fetch(READS["history"], case.application.id)
    about = case.application
    return SupervisedCase(
        number=about.number,
        matter=about.matter,
        matter_name=case.ready.matter.name,
        submitted_at=about.submitted_at,
        promised=about.promised,
        post=actor.post or "",
        items=tuple(_item(cases, case, item, tasks, events) for item in late),
        entry=entry,
    )


async def press(
    cases: Cases, actors: Actors, number: str, item_id: str, reason: str, *, version: int | None = None
) -> None:
    """督办 one late item: entered with its reason, and shown to whoever holds the work until it is done.

    Errors: CaseNotFound, Refused, NothingLate, ReasonMissing; ItemChanged when the item moved since the page was read.
    """
    said = reason_of(reason)
    async with begin(cases.pool, cases.now) as tx:
        case = await load_case(cases, tx.conn, number, lock=True)
        actor, late = _reach(cases, actors, case, tx.now)
        item = next((one for one in late if one.id == item_id), None)
        if item is None:
            raise NothingLate()
        if version is not None and version != item.version:
            row = await tx.conn.fetchrow(QUERIES["last_event"], case.application.id, item_id)
            when = "刚才" if row is None else moment_words(row["at"])
            raise ItemChanged(what=f"经办人更新过，现在是“{item.state.word}”", when=when)
        work = Work(cases, tx, case, actor)
        await work.history(PRESSED, item=item_id, reason=said)
        for row in await tx.conn.fetch(QUERIES["open_tasks"], case.application.id, item_id):
            await tx.conn.execute(
                QUERIES["mark_task"], row["id"], {"pressed": {"at": tx.now.isoformat(), "reason": said}}
            )
        await work.enter("case.press", items=(item_id,), reason=said, law="licensing-2019:60")


def _reach(cases: Cases, actors: Actors, case: Case, now: datetime) -> tuple[Actor, tuple[ItemRow, ...]]:
    """The post that supervises, and the late items within its reach. Errors: Refused, NothingLate."""
    last: Verdict | None = None
    for actor in actors:
        seen: list[ItemRow] = []
        for item in case.items.values():
            verdict = cases.policy.decide(
                Request(
                    principal_of(actor),
                    "supervise",
                    f"{case.application.matter}.{item.id}",
                    Ask("duty", item.unit),
                )
            )
            if verdict.allowed:
                seen.append(item)
            else:
                last = verdict
        if seen:
            late = tuple(item for item in seen if _late(item, now))
            if not late:
                raise NothingLate()
            return actor, late
    raise NothingLate() if last is None else refused_by(last)


def _late(item: ItemRow, now: datetime) -> bool:
    return item.state.at_desk and not item.paused and item.due_promise is not None and item.due_promise < now


def _item(
    cases: Cases, case: Case, item: ItemRow, tasks: Sequence[Any], events: Sequence[Any]
) -> SupervisedItem:
    declared = case.ready.items[item.id]
    mine = [task for task in tasks if task["item"] == item.id]
    colour = None if item.clock is None else level(item.clock, cases.now(), cases.calendar)
    names = _names(case, events)
    lines = tuple(
        _line(cases, row, names) for row in reversed(events) if row["item"] == item.id and _known(row["name"])
    )
    hand = next((row for row in reversed(events) if row["item"] == item.id and row["actor_kind"] == "official"
                 and row["name"] != PRESSED), None)  # fmt: skip
    assert item.due_promise is not None
    return SupervisedItem(
        id=item.id,
        name=declared.name,
        department=cases.city.organisations[item.department].short,
        unit_name=unit_name(cases, item.department, item.unit),
        word=item.state.word,
        version=item.version,
        due_promise=item.due_promise,
        due_statute=item.due_statute,
        level=colour if isinstance(colour, Level) else None,
        paused=item.paused,
        extended=item.clock is not None and item.clock.extended_by is not None,
        last_hand="" if hand is None else who_words(cases, hand),
        steps=tuple(_step(cases, item, step, mine) for step in declared.steps),
        history=tuple(line for line in lines if line.name != PRESSED),
        pressed=tuple(line for line in lines if line.name == PRESSED),
    )


def _step(cases: Cases, item: ItemRow, step: Any, tasks: Sequence[Any]) -> SupervisedStep:
    task = next((task for task in tasks if task["step"] == step.id), None)
    done = step.id in item.steps_done
    power = task["power"] if task is not None else step.power
    return SupervisedStep(
        name=step.name,
        state="now" if task is not None else "done" if done else "later",
        holder="" if power is None else holders(cases, power),
        since=None if task is None else task["opened_at"],
    )


def holders(cases: Cases, power: str) -> str:
    """The posts that have a power, in words."""
    found = [
        f"{organisation.short.zh}{post.name.zh}"
        for organisation in cases.city.organisations.values()
        for post in organisation.posts
        if power in post.powers
    ]
    return "、".join(found)


def _known(name: str) -> bool:
    return (
        name in _WHY or name in ("promise_near", "promise_passed") or name in {event.value for event in Event}
    )


def _line(cases: Cases, row: Any, names: Sequence[str]) -> SupervisedLine:
    official = row["actor_kind"] == "official"
    who = who_words(cases, row) if official else "系统" if row["actor_kind"] == "system" else "申请人"
    reason = without_persons(row["reason"], names) if official and row["name"] in _WHY else ""
    return SupervisedLine(row["at"], row["name"], event_word(row["name"]), who, reason)


def _names(case: Case, events: Sequence[Any]) -> tuple[str, ...]:
    """Everything in the case that may name somebody: who applied, for whom, who consented, what was answered."""
    about = case.application
    residents = {row["actor_name"] for row in events if row["actor_kind"] == "resident"}
    said = {about.applicant_name, about.holder_name, about.title, *residents, *case.answers.values()}
    return tuple(
        sorted((name for name in said if len(name) > 1 and not name.isascii()), key=len, reverse=True)
    )


def without_persons(text: str, names: Sequence[str]) -> str:
    """A reason as it may be told to somebody who has no business with the person: no name, no long number."""
    for name in names:
        text = text.replace(name, "…")
    return _NUMBERS.sub("…", text)
