"""What follows by itself: an item begins, a decision takes effect, what waited is released, what cannot go on ends.

These run inside an action's or a job's transaction, on a locked case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dizuo.engines.cases import documents
from dizuo.engines.cases.compiled import duration_of
from dizuo.engines.cases.context import QUERIES
from dizuo.engines.cases.rules import Position, advance, fix_notice_until, scopes_of
from dizuo.engines.cases.scope import Open, Scope
from dizuo.engines.cases.states import Event, ItemState
from dizuo.engines.cases.wording import day_words, fill
from dizuo.engines.cases.work import Work, system_of
from dizuo.engines.registers import RegisterChange
from dizuo.foundation.blueprint.model import Item
from dizuo.foundation.kernel import clocks
from dizuo.foundation.kernel.errors import Invalid

Scalar = str | int | float | bool | None


async def begin_item(work: Work, item_id: str, scope: Scope) -> None:
    """Start an item that waits for nothing: run its auto steps, then grant it or put it on a desk."""
    item = work.ready.items[item_id]
    position = advance(work.ready, item, (), scope)
    clock = clocks.start(work.ready.terms[item_id], work.tx.now)
    common: dict[str, Any] = {
        **work.clock_changes(clock),
        "steps_done": position.done,
        "passed": position.passed,
        "exceptions": position.exceptions,
        "received_at": work.items[item_id].received_at or work.tx.now,
    }
    if position.decided:
        await work.move(
            item_id,
            Event.AUTO_GRANT,
            detail={"checks": list(position.passed)},
            started_at=work.tx.now,
            decided_at=work.tx.now,
            **common,
        )
        await take_effect(work, item_id, scope)
        return
    if any(step.kind == "accept" for step in position.open):
        await work.move(item_id, Event.RECEIVE, **common)
        await _watch_fix_notice(work, item_id)
    else:
        await work.move(
            item_id,
            Event.ACCEPT,
            reason="材料齐全，系统自动受理",
            detail={"checks": list(position.passed), "exceptions": list(position.exceptions)},
            started_at=work.tx.now,
            **common,
        )
    await open_steps(work, item_id, position)
    await watch_clock(work, item_id)


async def open_steps(work: Work, item_id: str, position: Position) -> None:
    """Put every open step on the desks that have its power."""
    for step in position.open:
        due_at = _step_due(work, item_id, step.step)
        if step.kind == "accept":
            due_at = fix_notice_until(work.items[item_id].received_at or work.tx.now, work.cases.calendar)
        await work.open_task(
            step.kind,
            item_id,
            step.power,
            step=step.step,
            due_at=due_at,
            detail={"exceptions": list(step.exceptions)},
        )


def _step_due(work: Work, item_id: str, step_id: str) -> datetime | None:
    """When the step itself is promised (环节时限), never later than the item; None leaves it to the item."""
    step = next((s for s in work.ready.items[item_id].steps if s.id == step_id), None)
    if step is None or step.promise is None:
        return None
    term = clocks.Term(
        id=step_id, duration=duration_of(step.promise), law="", verified=True, starts_on=step.name.zh
    )
    end = clocks.due(clocks.start(term, work.tx.now), work.cases.calendar)
    whole = work.items[item_id].due_promise
    if not isinstance(end, clocks.Deadline):
        return None
    return end.at if whole is None else min(end.at, whole)


async def _watch_fix_notice(work: Work, item_id: str) -> None:
    item = work.items[item_id]
    until = fix_notice_until(item.received_at or work.tx.now, work.cases.calendar)
    if until is not None:
        await work.later(
            "cases.deem_accepted",
            until,
            {"number": work.application.number, "item": item_id},
            f"deem:{work.application.id}:{item_id}",
        )


async def watch_clock(work: Work, item_id: str) -> None:
    """Look again when the promise runs out; the clock may have stopped or moved by then."""
    due = work.items[item_id].due_promise
    if due is not None:
        await work.later(
            "cases.clock",
            due,
            {"number": work.application.number, "item": item_id},
            f"clock:{work.application.id}:{item_id}:{int(due.timestamp())}",
        )


async def take_effect(work: Work, item_id: str, scope: Scope) -> None:
    """A granted item: change the registers, make the document, release what waited, tell the applicant."""
    item = work.ready.items[item_id]
    changes = register_changes(work, item, scope)
    if changes:
        await work.cases.registers.apply_writes(work.tx, changes)
        # The document may name what the registers have just learnt (a new person's number): after the commit.
        await work.soon(
            "cases.issue",
            {"number": work.application.number, "item": item_id},
            f"issue:{work.application.id}:{item_id}",
        )
    else:
        await hand_over(work, item_id, scope)
    await work.tell_applicant("granted", fill(item.granted, scope).zh, item_id)
    await release(work, item_id)


async def hand_over(work: Work, item_id: str, scope: Scope) -> None:
    """Make the document and complete the item, or give its delivery to whoever has the power to hand it over."""
    item = work.ready.items[item_id]
    made = await documents.issue(work, item_id, scope)
    if made is not None:
        await work.move(item_id, Event.ISSUE, detail={"document": made.number})
    step = next((s for s in item.steps if s.kind == "deliver" and s.power is not None), None)
    if step is not None and step.power is not None:
        await work.move(item_id, Event.DELIVER, step=step.id)
        await work.open_task("deliver", item_id, step.power, step=step.id)
        return
    await work.move(item_id, Event.COMPLETE)


def register_changes(work: Work, item: Item, scope: Scope) -> list[RegisterChange]:
    """The writes that the item declares, with their values. Errors: Invalid when a party to change is missing."""
    found: list[RegisterChange] = []
    for write in item.writes:
        if write.when is not None and scope.value(work.ready.compile(write.when)) is not True:
            continue
        key: str | None = None
        if write.party is not None:
            state = scope.known.parties.get(write.party)
            if state is None or state.state != "found":
                raise Invalid(
                    {write.party: f"没有找到要更新的记录：{work.ready.parties[write.party].name.zh}"}
                )
            key = state.key
        values: dict[str, Scalar] = {}
        for field, expression in write.fields:
            value = scope.value(work.ready.compile(expression))
            if not isinstance(value, Open):
                values[field] = scalar(value)
        found.append(
            RegisterChange(
                register=write.register,
                key=key,
                values=values,
                source=item.department,
                date=work.tx.now.date(),
                matter=work.ready.matter.id,
                item=item.id,
                case=work.application.number,
                actor=system_of(item.department),
                basis=item.basis[0].key if item.basis else "",
            )
        )
    return found


def scalar(value: object) -> Scalar:
    """A typed value as registers keep it: dates as text, whole numbers as int, others as text."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value, "f")
    if isinstance(value, Mapping):
        return str(value.get("id"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


async def release(work: Work, done: str) -> None:
    """Items that waited for ``done`` wait for one less; those that wait for nothing begin."""
    for item in list(work.items.values()):
        if done not in item.waits or item.state.ended:
            continue
        waits = tuple(before for before in item.waits if before != done)
        if waits or item.state is not ItemState.WAITING:
            await work.change(item.id, waits=waits)
            continue
        await work.move(item.id, Event.RELEASE, detail={"released_by": done}, waits=waits)
        await schedule_begin(work, item.id)


async def schedule_begin(work: Work, item_id: str) -> None:
    """Begin an item in its own transaction, after this one's changes can be read."""
    await work.soon(
        "cases.begin",
        {"number": work.application.number, "item": item_id},
        f"begin:{work.application.id}:{item_id}:{work.items[item_id].version}",
    )


async def block_dependents(work: Work, failed: str) -> None:
    """Items that can only follow ``failed`` end too, kindly; items beside it go on."""
    name = work.ready.items[failed].name.zh
    for item in list(work.items.values()):
        if failed not in work.ready.items[item.id].after or item.state not in (
            ItemState.WAITING,
            ItemState.CONSENT,
        ):
            continue
        await work.move(item.id, Event.BLOCK, reason=f"“{name}”没有办成")
        await work.tell_applicant(
            "blocked",
            f"“{work.ready.items[item.id].name.zh}”要等“{name}”办好才能办，这次一并结束。"
            f"“{name}”办好后可以再申请，资料不用重填。",
            item.id,
        )
        await block_dependents(work, item.id)


async def late(work: Work, item_id: str) -> None:
    """The promise has run out: supervisors see the work, the applicant is told the truth."""
    item = work.items[item_id]
    for row in await work.tx.conn.fetch(QUERIES["open_tasks"], work.application.id, item_id):
        if row["state"] == "open":
            await work.tx.conn.execute(QUERIES["supervise"], row["id"], list(scopes_of(row["unit"])))
    await work.history("promise_passed", item=item_id, clock=item.clock)
    if item.due_statute is not None:
        await work.tell_applicant(
            "late",
            f"“{work.ready.items[item_id].name.zh}”没有在承诺的时间办好，已请督办人员跟进。"
            f"法定期限是 {day_words(item.due_statute)}。",
            item_id,
        )
