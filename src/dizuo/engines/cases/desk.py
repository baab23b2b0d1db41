"""What every action of an official begins with: lock the case, find the work, check version and policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import CaseNotFound, DecidedByOther, ItemChanged, NotPossibleNow
from dizuo.engines.cases.model import ItemRow
from dizuo.engines.cases.reach import Actors, desk_actor
from dizuo.engines.cases.records import load_case
from dizuo.engines.cases.states import ItemState
from dizuo.engines.cases.wording import moment_words
from dizuo.engines.cases.work import Work
from dizuo.engines.registers import Actor
from dizuo.foundation.store import Tx


class Job(msgspec.Struct, frozen=True):
    """An official's open piece of work: its task, step and power, and the post it is done in."""

    task: int
    kind: str
    step: str | None
    power: str
    unit: str
    detail: Mapping[str, Any]
    actor: Actor


async def open_desk(
    cases: Cases,
    tx: Tx,
    actors: Actors,
    number: str,
    item_id: str,
    version: int | None,
    *,
    kinds: tuple[str, ...] = ("judge", "accept"),
    power: str | None = None,
    what: str = "办理",
) -> tuple[Work, ItemRow, Job]:
    """Lock the case and take up the work on one item.

    ``version`` is the item's version that the official saw. Errors: CaseNotFound, Refused (policy), and when
    somebody was faster DecidedByOther or ItemChanged, which say who and when; NotPossibleNow.
    """
    case = await load_case(cases, tx.conn, number, lock=True)
    item = case.items.get(item_id)
    if item is None:
        raise CaseNotFound()
    rows = await tx.conn.fetch(QUERIES["open_tasks"], case.application.id, item_id)
    fitting = [r for r in rows if r["kind"] in kinds and (power is None or r["power"] == power)]
    held = {held for actor in actors for held in actor.powers}
    # Of steps that are open side by side, the one that this official has the power for.
    row = next((r for r in fitting if r["power"] in held), fitting[0] if fitting else None)
    wanted = power or (row["power"] if row is not None else _any_power(case.ready.items[item_id].steps, item))
    actor = desk_actor(cases, actors, case, item, wanted)
    if version is not None and version != item.version:
        await _somebody_was_faster(tx, case.application.id, item)
    if row is None:
        await _decided(tx, case.application.id, item)
        raise NotPossibleNow(state=item.state.word, event=what)
    work = Work(cases, tx, case, actor)
    return (
        work,
        item,
        Job(row["id"], row["kind"], row["step"], row["power"], row["unit"], row["detail"], actor),
    )


def _any_power(steps: Any, item: ItemRow) -> str:
    return next((step.power for step in steps if step.power is not None), f"{item.department}.approve")


async def _decided(tx: Tx, application: int, item: ItemRow) -> None:
    if item.state not in (ItemState.DECIDED_YES, ItemState.DECIDED_NO):
        return
    row = await tx.conn.fetchrow(QUERIES["standing_decision"], application, item.id)
    if row is not None:
        raise DecidedByOther(who=row["official_name"], when=moment_words(row["at"]))


async def _somebody_was_faster(tx: Tx, application: int, item: ItemRow) -> None:
    await _decided(tx, application, item)
    row = await tx.conn.fetchrow(QUERIES["last_event"], application, item.id)
    who = "系统" if row is None else row["actor_name"]
    when = "刚才" if row is None else moment_words(row["at"])
    raise ItemChanged(what=f"{who}更新过，现在是“{item.state.word}”", when=when)
