"""What follows from a 补正: the item goes on, others that share an answer follow, whoever agreed is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dizuo.engines.cases import effects
from dizuo.engines.cases.actions_pause import resumed
from dizuo.engines.cases.actions_submit import consent_expires
from dizuo.engines.cases.context import FIXES, QUERIES
from dizuo.engines.cases.corrected import Corrected, agreed_to
from dizuo.engines.cases.model import ItemRow
from dizuo.engines.cases.planned_questions import value_text
from dizuo.engines.cases.records import load_consents
from dizuo.engines.cases.rules import Position, advance, unit_of
from dizuo.engines.cases.scope import Scope
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.work import Work


async def ask_consents_again(
    work: Work, item_id: str, corrected: Corrected, subjects: Mapping[str, int]
) -> tuple[str, ...]:
    """Whoever agreed to what was changed is asked again, and whoever has to agree only now; returns the consents."""
    if not corrected.changes:
        return ()
    declared = {consent.id: consent for consent in work.ready.matter.consents}
    touched = bool(set(agreed_to(work.ready, item_id)) & set(corrected.changes))
    rows = {(r.id, r.party): r for r in await load_consents(work.tx.conn, work.application.id)}
    asked: list[str] = []
    for consent in corrected.consents:
        expires = consent_expires(work.cases, declared[consent.id], work.tx.now)
        for party in (party for party in consent.parties if party in subjects):
            row = rows.get((consent.id, party))
            if row is not None and not touched:
                continue
            about = (work.application.id, consent.id, party)
            if row is None:
                await work.tx.conn.execute(
                    QUERIES["insert_consent"],
                    *about,
                    subjects[party],
                    list(consent.items),
                    consent.asks.zh,
                    declared[consent.id].basis.key,
                    work.tx.now,
                    expires,
                )
            else:
                await work.tx.conn.execute(QUERIES["renew_consent"], *about, work.tx.now, expires)
            name = work.application.applicant_name
            await work.tell(
                subjects[party], "consent", f"{name}更正了申请的内容，请您再看看是否同意：{consent.asks.zh}"
            )
            asked.append(consent.id)
        if consent.id in asked:
            await work.later(
                "cases.consent_expiry",
                expires,
                {"number": work.application.number, "consent": consent.id},
                f"consent:{work.application.id}:{consent.id}:{int(expires.timestamp())}",
            )
    return tuple(dict.fromkeys(asked))


async def go_on(
    work: Work,
    item_id: str,
    said: str,
    corrected: Corrected,
    detail: Mapping[str, Mapping[str, Any]],
    asked: tuple[str, ...],
) -> None:
    """The item goes on where it stood, on the new answers; while somebody has to agree, its clock stands still."""
    item = work.items[item_id]
    scope = corrected.again.scope
    position = position_of(work, item, scope)
    changes: dict[str, Any] = {
        "exceptions": position.exceptions,
        "passed": _passed(item, position),
        "unit": _unit(work, item, scope),
    }
    clock = {} if asked else resumed(work, item.clock, work.tx.now)
    await work.move(item_id, Event.FIX, reason=said, detail=dict(detail), **changes, **clock)
    await work.tx.conn.execute(FIXES["move_tasks"], work.application.id, item_id, changes["unit"])
    await _rename(work, scope)
    if asked:
        await work.move(item_id, Event.ASK_CONSENT, consents=asked, detail={"consents": list(asked)})
        return
    if item.before in (ItemState.REVIEWING, ItemState.EXTENDED):
        await work.move(item_id, Event.ACCEPT, to=item.before, before=None)
    await work.bring_back_tasks(item_id)
    await effects.watch_clock(work, item_id)


async def agreed_after_fix(work: Work, item_id: str, consent: str) -> None:
    """Everybody agreed to the corrected answers: the item stands again where it stood, and its clock goes on."""
    item = work.items[item_id]
    back = item.before in (ItemState.REVIEWING, ItemState.EXTENDED)
    await work.move(
        item_id,
        Event.CONSENT_GIVEN,
        to=item.before if back else ItemState.FIXED,
        before=None if back else item.before,
        consents=(),
        detail={"consent": consent},
        **resumed(work, item.clock, work.tx.now),
    )
    await work.bring_back_tasks(item_id)
    await effects.watch_clock(work, item_id)


async def follow(work: Work, other_id: str, corrected: str, scope: Scope) -> None:
    """Another item that shares a changed answer: its checks run again, and whoever has it open is told to look."""
    item = work.items[other_id]
    changes: dict[str, Any] = {"unit": _unit(work, item, scope)}
    if item.state.at_desk or item.state is ItemState.SPECIAL:
        position = position_of(work, item, scope)
        changes |= {"exceptions": position.exceptions, "passed": _passed(item, position)}
    await work.change(other_id, **changes)
    await work.history(Event.ANSWERS_CHANGED, item=other_id, detail={"by": corrected})
    if changes["unit"] != item.unit and item.state.at_desk:
        await work.end_tasks(other_id, "held")
        await work.tx.conn.execute(FIXES["move_tasks"], work.application.id, other_id, changes["unit"])
        await work.bring_back_tasks(other_id)
    elif changes["unit"] != item.unit:
        await work.tx.conn.execute(FIXES["move_tasks"], work.application.id, other_id, changes["unit"])


def position_of(work: Work, item: ItemRow, scope: Scope) -> Position:
    """Where the item stands on the new answers: what the system checked by itself is checked again."""
    declared = work.ready.items[item.id]
    by_people = {step.id for step in declared.steps if step.kind != "auto"}
    return advance(work.ready, declared, [s for s in item.steps_done if s in by_people], scope)


def _passed(item: ItemRow, position: Position) -> tuple[str, ...]:
    before = [check for check in item.passed if check not in position.exceptions]
    return tuple(dict.fromkeys((*before, *position.passed)))


def _unit(work: Work, item: ItemRow, scope: Scope) -> str:
    """Whose work it is now: an answer may have moved the place."""
    place_of = work.ready.items[item.id].place_of
    place = None if place_of is None else scope.value(work.ready.compile(place_of))
    return unit_of(work.cases.city, item.department, place) if isinstance(place, str) else item.unit


async def _rename(work: Work, scope: Scope) -> None:
    """Title and place of the application follow the answers, as far as this item's facts can tell them."""
    application, matter = work.application, work.ready.matter
    title = scope.value(work.ready.compile(matter.title_of))
    place = scope.value(work.ready.compile(matter.place_of))
    named = value_text(title)[:200] if isinstance(title, str) else application.title
    placed = place if isinstance(place, str) else application.place
    if (named, placed) != (application.title, application.place):
        await work.tx.conn.execute(FIXES["rename"], application.id, named, placed)
        work.application = msgspec.structs.replace(application, title=named, place=placed)
