"""What a person sees: own cases, what waits for him or her, messages, documents, consents asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from dizuo.engines.cases.context import FIXES, QUERIES, READS, Cases
from dizuo.engines.cases.corrections import Correction, correction_of
from dizuo.engines.cases.errors import CaseNotFound
from dizuo.engines.cases.states import ApplicationState
from dizuo.engines.registers import Actor
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.store import begin


class DraftView(msgspec.Struct, frozen=True):
    """A form put aside."""

    id: str
    matter: str
    name: Words
    answered: int
    version: int
    updated_at: datetime


class CaseLine(msgspec.Struct, frozen=True):
    """One application in a list."""

    number: str
    matter: str
    title: str
    state: ApplicationState
    promised: datetime | None
    submitted_at: datetime
    ended_at: datetime | None
    items: int
    ended: int
    rated: bool


class FixAsked(msgspec.Struct, frozen=True):
    """A fix request that waits for this person."""

    number: str
    title: str
    item: str
    item_name: Words
    wants: tuple[Mapping[str, str], ...]
    reason: str
    until: datetime
    matter: str = ""


class ConsentAsked(msgspec.Struct, frozen=True):
    """A consent that somebody asks of this person: whose application, for which items, on which law."""

    number: str
    title: str
    applicant: str
    id: str
    party: str
    items: tuple[Words, ...]
    departments: tuple[Words, ...]
    asks: Words
    law: str
    state: str
    asked_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    shows: tuple[tuple[Words, str], ...] = ()


class Notice(msgspec.Struct, frozen=True):
    """A message."""

    id: int
    kind: str
    says: str
    at: datetime
    unread: bool
    item: str | None
    number: str | None


class Home(msgspec.Struct, frozen=True):
    """我的: what waits for me, what runs, what is new."""

    drafts: tuple[DraftView, ...]
    running: tuple[CaseLine, ...]
    ended: tuple[CaseLine, ...]
    fixes: tuple[FixAsked, ...]
    consents: tuple[ConsentAsked, ...]
    unread: int


def who(actor: Actor) -> int:
    if actor.subject is None:
        raise CaseNotFound()
    return actor.subject


async def my_home(cases: Cases, actor: Actor) -> Home:
    """Everything for the home page of a person."""
    lines = await my_cases(cases, actor, limit=50)
    return Home(
        drafts=await drafts_of(cases, actor),
        running=tuple(line for line in lines if not line.state.ended),
        ended=tuple(line for line in lines if line.state.ended),
        fixes=await fixes_of(cases, actor),
        consents=tuple(c for c in await consents_of(cases, actor) if c.state == "pending"),
        unread=int(await cases.pool.fetchval(READS["unread_of"], who(actor))),
    )


async def drafts_of(cases: Cases, actor: Actor) -> tuple[DraftView, ...]:
    """Forms put aside, newest first."""
    rows = await cases.pool.fetch(READS["drafts_of"], who(actor), actor.acting_for)
    return tuple(
        DraftView(
            str(row["id"]),
            row["matter"],
            cases.city.matters[row["matter"]].name,
            len(row["answers"]),
            row["version"],
            row["updated_at"],
        )
        for row in rows
        if row["matter"] in cases.city.matters
    )


async def my_cases(
    cases: Cases, actor: Actor, *, before: datetime | None = None, limit: int = 20
) -> tuple[CaseLine, ...]:
    """Own applications (or the enterprise's acted for), newest first; ``before`` pages on."""
    rows = await cases.pool.fetch(READS["cases_of"], who(actor), actor.acting_for, before, limit)
    return tuple(
        CaseLine(
            number=row["number"],
            matter=row["matter"],
            title=row["title"],
            state=ApplicationState(row["state"]),
            promised=row["promised"],
            submitted_at=row["submitted_at"],
            ended_at=row["ended_at"],
            items=row["items"],
            ended=row["ended"],
            rated=row["rated"],
        )
        for row in rows
    )


async def fixes_of(cases: Cases, actor: Actor) -> tuple[FixAsked, ...]:
    """Fix requests that wait for an answer, the most urgent first."""
    found: list[FixAsked] = []
    for row in await cases.pool.fetch(FIXES["waiting_for"], who(actor), actor.acting_for):
        name = cases.matter(row["matter"]).items[row["item"]].name
        found.append(
            FixAsked(
                row["number"],
                row["title"],
                row["item"],
                name,
                tuple(row["wants"]),
                row["reason"],
                row["until"],
                row["matter"],
            )
        )
    return tuple(found)


async def consents_of(cases: Cases, actor: Actor) -> tuple[ConsentAsked, ...]:
    """Consents asked of this person, open ones first."""
    rows = await cases.pool.fetch(READS["consents_of"], who(actor))
    return tuple(_consent(cases, row) for row in rows)


async def consent_page(cases: Cases, actor: Actor, number: str, consent: str) -> ConsentAsked:
    """One consent as the person asked sees it: only what he or she is asked about. Errors: CaseNotFound."""
    row = await cases.pool.fetchrow(READS["consent_asked"], number, consent, who(actor))
    if row is None:
        raise CaseNotFound()
    ready = cases.matter(row["matter"])
    given = {
        found["question"]: found["value"]
        for found in await cases.pool.fetch(QUERIES["answers"], row["application"])
    }
    # Only the answers of the items that need this consent, so that one knows what one agrees to.
    relevant = {q for item in row["items"] for q in ready.items[item].answers}
    shows = tuple(
        (ready.questions[name].asks, answer_label(cases, row["matter"], name, value))
        for name, value in given.items()
        if name in relevant and ready.questions[name].datum.partition(".")[0] != "case"
    )
    return msgspec.structs.replace(_consent(cases, row), shows=shows)


def answer_label(cases: Cases, matter: str, question: str, value: str) -> str:
    """An answer as people read it: the option's label or the place's name."""
    declared = cases.matter(matter).questions.get(question)
    if declared is None:
        return value
    if declared.options_from is not None:
        for place in cases.city.places.get(declared.options_from.places, ()):
            if place.id == value:
                return place.name
    for option in declared.options:
        if option.value == value and option.label is not None:
            return option.label.zh
    return {"true": "是", "false": "否", "father": "爸爸", "mother": "妈妈"}.get(value, value)


def _consent(cases: Cases, row: Any) -> ConsentAsked:
    ready = cases.matter(row["matter"])
    declared = next((c for c in ready.matter.consents if c.id == row["id"]), None)
    departments = dict.fromkeys(ready.items[item].department for item in row["items"])
    return ConsentAsked(
        number=row["number"],
        title=row["title"],
        applicant=row["applicant_name"],
        id=row["id"],
        party=row["party"],
        items=tuple(ready.items[item].name for item in row["items"]),
        departments=tuple(cases.city.organisations[d].short for d in departments),
        asks=declared.asks if declared is not None else Words(row["asks"]),
        law=row["law"],
        state=row["state"],
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        answered_at=row["answered_at"],
    )


async def notices_of(
    cases: Cases, actor: Actor, *, before: int | None = None, limit: int = 30
) -> tuple[Notice, ...]:
    """Messages, newest first; ``before`` is the last id of the page before."""
    rows = await cases.pool.fetch(READS["notices_of"], who(actor), before, limit)
    return tuple(
        Notice(r["id"], r["kind"], r["says"], r["at"], r["read_at"] is None, r["item"], r["number"])
        for r in rows
    )


async def mark_read(cases: Cases, actor: Actor, up_to: int) -> None:
    """The messages up to this one were seen."""
    await cases.pool.execute(READS["mark_read"], who(actor), up_to, cases.now())


async def corrections_of(cases: Cases, actor: Actor) -> tuple[Correction, ...]:
    """Errors that this person reported, newest first."""
    return tuple(correction_of(cases, r) for r in await cases.pool.fetch(READS["corrections_of"], who(actor)))


class Delivered(msgspec.Struct, frozen=True):
    """说到做到: computed from finished work, never reported by hand. ``ended`` 0 means nothing to tell yet."""

    ended: int
    in_time: int
    asked: float
    known: float
    hours: float


async def delivered(cases: Cases, since: datetime, matter: str | None = None) -> Delivered:
    """Ended applications since a moment, those in time, and the means of asked and known facts and hours."""
    row = await cases.pool.fetchrow(READS["done_counts"], since, matter)
    assert row is not None
    return Delivered(row["ended"], row["in_time"], row["asked"], row["known"], row["seconds"] / 3600)


async def note_refusal(cases: Cases, actor: Actor, number: str) -> None:
    """Somebody asked for a case that is not theirs: entered, whether or not the number exists.

    The person whose case it is sees the attempt in 我的数据.
    """
    async with begin(cases.pool, cases.now) as tx:
        row = await tx.conn.fetchrow(QUERIES["application"], number)
        body = {
            "actor": {"kind": actor.kind, "post": actor.post, "unit": actor.unit, "channel": actor.channel}
        }
        payload = {"asked": number[:40], "by": actor.official or actor.subject}
        await tx.conn.fetchval(
            QUERIES["append_entry"],
            "case.refused",
            body,
            actor.subject if row is None else (row["acting_for"] or row["applicant"]),
            payload,
        )
