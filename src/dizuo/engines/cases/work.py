"""One unit of work on a locked case: every change goes through the machine and into the history.

An action opens a ``Work``, moves items, opens and ends tasks, tells people, and settles the application; whatever
it does is in one transaction, and raising undoes all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.early import warn_at
from dizuo.engines.cases.errors import AlreadyRunning, ItemChanged
from dizuo.engines.cases.machine import application_state, next_state
from dizuo.engines.cases.model import Application, Case, ItemRow
from dizuo.engines.cases.records import load_case, write_clock
from dizuo.engines.cases.retention import archive_at
from dizuo.engines.cases.rules import scopes_of
from dizuo.engines.cases.states import ApplicationState, Event, ItemState
from dizuo.engines.registers import Actor
from dizuo.foundation.kernel.clocks import ClockState, Deadline, due, promise_due
from dizuo.foundation.store import Tx, jobs, outbox


def system_of(department: str) -> Actor:
    """A department's system, which does what needs no official (自动办理)."""
    return Actor(kind="system", unit=department, channel="system", name="系统")


_BY_THE_SYSTEM = frozenset(
    {
        Event.WAIT,
        Event.RELEASE,
        Event.ASK_CONSENT,
        Event.RECEIVE,
        Event.ACCEPT,
        Event.PASS_STEP,
        Event.AUTO_GRANT,
        Event.TAKE_EFFECT,
        Event.ISSUE,
        Event.DELIVER,
        Event.COMPLETE,
    }
)


class Work:
    """The case as it is changed in this transaction; ``case`` is always the present state."""

    def __init__(self, cases: Cases, tx: Tx, case: Case, actor: Actor) -> None:
        self.cases = cases
        self.tx = tx
        self.actor = actor
        self.application: Application = case.application
        self.items: dict[str, ItemRow] = dict(case.items)
        self.answers: Mapping[str, str] = case.answers
        self.ready = case.ready
        self._seq: int | None = None

    @classmethod
    async def open(cls, cases: Cases, tx: Tx, number: str, actor: Actor) -> Work:
        """Lock the case by its number. Errors: CaseNotFound."""
        return cls(cases, tx, await load_case(cases, tx.conn, number, lock=True), actor)

    # --- items --------------------------------------------------------------------------------------------

    async def move(
        self,
        item_id: str,
        event: Event,
        *,
        to: ItemState | None = None,
        step: str | None = None,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> ItemRow:
        """Take an item through one transition and write it to the history.

        ``to`` overrides the table only for an undo, which returns where it came from. Errors: NotPossibleNow,
        and ItemChanged when somebody wrote the row without the lock.
        """
        before = self.items[item_id]
        state = next_state(before.state, event)
        if to is not None:
            state = to
        if state.ended:
            changes.setdefault("ended_at", self.tx.now)
        after = msgspec.structs.replace(before, state=state, **changes)
        self.items[item_id] = await self._write(before, after)
        await self.history(
            event,
            item=item_id,
            step=step,
            reason=reason,
            detail=detail,
            before=before.state,
            after=state,
            clock=after.clock,
        )
        return self.items[item_id]

    async def change(self, item_id: str, **changes: Any) -> ItemRow:
        """Write facts of an item that are no transition (what it waits for, its open exceptions)."""
        before = self.items[item_id]
        self.items[item_id] = await self._write(before, msgspec.structs.replace(before, **changes))
        return self.items[item_id]

    async def _write(self, before: ItemRow, after: ItemRow) -> ItemRow:
        version = await self.tx.conn.fetchval(
            QUERIES["update_item"],
            self.application.id,
            after.id,
            after.state.value,
            None if after.before is None else after.before.value,
            list(after.waits),
            list(after.consents),
            list(after.steps_done),
            list(after.passed),
            list(after.exceptions),
            write_clock(after.clock),
            after.started_at,
            after.due_promise,
            after.due_statute,
            after.paused,
            after.fix_asked_at,
            after.decided_at,
            after.ended_at,
            after.unit,
            after.received_at,
            before.version,
        )
        if version is None:
            raise ItemChanged(what=before.state.word, when="刚才")
        return msgspec.structs.replace(after, version=version)

    def clock_changes(self, clock: ClockState) -> dict[str, Any]:
        """The columns that follow from a clock: due times as known now."""
        statute = due(clock, self.cases.calendar, self.tx.now)
        promise = promise_due(clock, self.cases.calendar, self.tx.now)
        return {
            "clock": clock,
            "paused": clock.paused,
            "due_statute": statute.at if isinstance(statute, Deadline) else None,
            "due_promise": promise.at if isinstance(promise, Deadline) else None,
        }

    # --- history, ledger, messages ------------------------------------------------------------------------

    async def history(
        self,
        event: Event | str,
        *,
        item: str | None = None,
        step: str | None = None,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        before: ItemState | None = None,
        after: ItemState | None = None,
        clock: ClockState | None = None,
    ) -> None:
        """Append one line to the history of the application."""
        if self._seq is None:
            self._seq = int(await self.tx.conn.fetchval(QUERIES["next_seq"], self.application.id))
        self._seq += 1
        actor = self._who(event, item)
        await self.tx.conn.execute(
            QUERIES["insert_event"],
            self.application.id,
            self._seq,
            self.tx.now,
            item,
            step,
            event.value if isinstance(event, Event) else event,
            None if before is None else before.value,
            None if after is None else after.value,
            actor.kind,
            actor.official or (None if actor.subject is None else str(actor.subject)),
            actor.name,
            actor.post,
            actor.unit,
            reason,
            write_clock(clock),
            dict(detail or {}),
        )

    def _who(self, event: Event | str, item: str | None) -> Actor:
        """Who did it: what a resident's step sets off by itself is done by the department's system, not by the resident,
        nor by the clerk who took the step for the resident at a window."""
        theirs = self.actor.kind == "resident" or self.actor.channel == "window"
        if theirs and item is not None and event in _BY_THE_SYSTEM:
            return system_of(self.items[item].department)
        return self.actor

    async def enter(self, kind: str, *, items: tuple[str, ...] = (), reason: str = "", law: str = "") -> int:
        """One ledger entry about this case; nothing personal in its body."""
        return await enter(self.tx, self.actor, self.application, kind, items=items, reason=reason, law=law)

    async def tell(self, subject: int, kind: str, says: str, item: str | None = None) -> None:
        """A message to a person: on 我的, and to whatever sends SMS."""
        notice = await self.tx.conn.fetchval(
            QUERIES["insert_notice"], subject, self.application.id, item, kind, says, self.tx.now
        )
        await outbox.put(self.tx, "notice", {"notice": notice, "subject": subject, "kind": kind})

    async def tell_applicant(self, kind: str, says: str, item: str | None = None) -> None:
        await self.tell(self.application.applicant, kind, says, item)
        if self.application.acting_for is not None:  # whom it is for is told as well as who does it
            await self.tell(self.application.acting_for, kind, says, item)

    # --- tasks --------------------------------------------------------------------------------------------

    async def open_task(
        self,
        kind: str,
        item_id: str,
        power: str,
        *,
        step: str | None = None,
        unit: str | None = None,
        rail: str = "waiting",
        due_at: datetime | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> int:
        """Put a piece of work on the desks that have the power at that place."""
        item = self.items[item_id]
        place = unit or item.unit
        task = await self.tx.conn.fetchval(
            QUERIES["insert_task"],
            kind,
            self.application.id,
            item_id,
            step,
            item.department,
            place,
            power,
            due_at or item.due_promise or item.due_statute,
            dict(detail or {}),
            self.tx.now,
            rail,
            list(scopes_of(place)),
        )
        await self._watch_task(int(task), due_at or item.due_promise or item.due_statute, item, place)
        return int(task)

    async def _watch_task(self, task: int, due_at: datetime | None, item: ItemRow, place: str) -> None:
        """Warn its desk in time; show it to supervisors when the item is late already.

        Only while the item is being worked on: handing over a document has nothing to do with the promise to decide.
        """
        if due_at is None or not item.state.at_desk:
            return
        warn = warn_at(due_at, self.cases.calendar)
        if warn is not None and warn > self.tx.now:
            payload = {"number": self.application.number, "task": task, "due": due_at.isoformat()}
            await self.later("cases.warning", warn, payload, f"warning:{task}")
        if item.due_promise is not None and item.due_promise <= self.tx.now:
            await self.tx.conn.execute(QUERIES["supervise"], task, list(scopes_of(place)))

    async def end_tasks(self, item_id: str, state: str, *kinds: str) -> None:
        """Take an item's open work off the desks: done, dropped or held."""
        for row in await self.tx.conn.fetch(QUERIES["open_tasks"], self.application.id, item_id):
            if not kinds or row["kind"] in kinds:
                await self.tx.conn.execute(
                    QUERIES["end_task"], row["id"], state, self.tx.now, self.actor.official
                )

    async def bring_back_tasks(self, item_id: str) -> None:
        """Held work returns to the desks with the item's present due time."""
        item = self.items[item_id]
        for row in await self.tx.conn.fetch(QUERIES["open_tasks"], self.application.id, item_id):
            if row["state"] == "held":
                await self.reopen_task(row["id"], row["unit"], item)

    async def reopen_task(self, task: int, unit: str, item: ItemRow) -> None:
        await self.tx.conn.execute(
            QUERIES["reopen_task"],
            task,
            item.due_promise or item.due_statute,
            "waiting",
            list(scopes_of(unit)),
        )
        await self._watch_task(task, item.due_promise or item.due_statute, item, unit)

    async def handled(self, item_id: str) -> None:
        """Remember that this official worked on the item (我经手的)."""
        if self.actor.kind == "official" and self.actor.official is not None:
            await self.tx.conn.execute(
                QUERIES["handled"], self.actor.official, self.application.id, item_id, self.tx.now
            )

    async def later(self, kind: str, run_at: datetime, payload: Mapping[str, Any], key: str) -> None:
        """A job of this engine at a later moment, once for each key."""
        await jobs.put(self.tx, kind, run_at, dict(payload), key=key)

    async def soon(self, kind: str, payload: Mapping[str, Any], key: str) -> None:
        await self.later(kind, self.tx.now + timedelta(0), payload, key)

    async def claim(self) -> None:
        """Hold the records that the application is about (a child's certificate): nobody applies for them twice.

        Errors: AlreadyRunning, with the number when it is the applicant's own.
        """
        about = self.application
        for party, key in about.given.items():
            if self.ready.parties[party].pick != "choose":
                continue
            mine = (about.matter, party, key)
            if await self.tx.conn.fetchval(QUERIES["claim"], *mine, about.id) is None:
                other = await self.tx.conn.fetchrow(QUERIES["claimed"], *mine)
                own = None if other is None or other["applicant"] != about.applicant else other["number"]
                raise AlreadyRunning(number=f"（办件号 {own}）" if own else "")

    # --- the whole ----------------------------------------------------------------------------------------

    async def settle(self) -> ApplicationState:
        """Derive the application's state and promise from its items; say so once when it ends."""
        state = application_state([item.state for item in self.items.values()])
        dues = [item.due_promise for item in self.items.values() if item.due_promise is not None]
        promised = max(
            [*dues, *([self.application.promised] if self.application.promised else [])], default=None
        )
        ended = (self.application.ended_at or self.tx.now) if state.ended else None
        await self.tx.conn.execute(
            QUERIES["update_application"], self.application.id, state.value, promised, ended
        )
        if state.ended and self.application.ended_at is None:
            await self.tx.conn.execute(QUERIES["release_claims"], self.application.id)
            await self.history("end", reason=state.word, detail={"state": state.value})
            number = self.application.number
            await self.later(
                "cases.archive", archive_at(self.tx.now), {"number": number}, f"archive:{number}"
            )
            await self.tell_applicant(
                "ended", f"{self.application.title}：{state.word}。您可以对这次办事作出评价。"
            )
        self.application = msgspec.structs.replace(
            self.application, state=state, promised=promised, ended_at=ended
        )
        return state


async def enter(
    tx: Tx,
    actor: Actor,
    application: Application,
    kind: str,
    *,
    items: tuple[str, ...] = (),
    reason: str = "",
    law: str = "",
) -> int:
    """A ledger entry about a case, in the caller's transaction; whom the case is for sees it in 我的数据.

    The body names capacity and matter only; number, name and reason are in the erasable payload.
    """
    body = {
        "matter": application.matter,
        "items": list(items),
        "law": law,
        "actor": {"kind": actor.kind, "post": actor.post, "unit": actor.unit, "channel": actor.channel},
    }
    payload = {"case": application.number, "actor": actor.official, "name": actor.name, "reason": reason}
    # Whom the case is for is whom it concerns, also when somebody else acts.
    concerned = application.applicant if application.acting_for is None else application.acting_for
    return int(await tx.conn.fetchval(QUERIES["append_entry"], kind, body, concerned, payload))
