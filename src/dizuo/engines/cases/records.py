"""Rows of the case tables as frozen structs, and the loading of one case."""

from __future__ import annotations

from typing import Any

import msgspec

from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.errors import CaseNotFound
from dizuo.engines.cases.model import Application, Case, ConsentRow, ItemRow
from dizuo.engines.cases.states import ApplicationState, ItemState
from dizuo.foundation.kernel.clocks import ClockState
from dizuo.foundation.store import Connection, Pool, Row


def application_of(row: Row) -> Application:
    return Application(
        id=row["id"],
        number=row["number"],
        matter=row["matter"],
        applicant=row["applicant"],
        applicant_name=row["applicant_name"],
        acting_for=row["acting_for"],
        holder_name=row["holder_name"],
        channel=row["channel"],
        served_by=row["served_by"],
        given=row["given"],
        place=row["place"],
        title=row["title"],
        state=ApplicationState(row["state"]),
        promised=row["promised"],
        submitted_at=row["submitted_at"],
        ended_at=row["ended_at"],
        version=row["version"],
    )


def item_of(row: Row) -> ItemRow:
    return ItemRow(
        id=row["id"],
        department=row["department"],
        unit=row["unit"],
        state=ItemState(row["state"]),
        before=None if row["before"] is None else ItemState(row["before"]),
        waits=tuple(row["waits"]),
        consents=tuple(row["consents"]),
        steps_done=tuple(row["steps_done"]),
        passed=tuple(row["passed"]),
        exceptions=tuple(row["exceptions"]),
        clock=read_clock(row["clock"]),
        received_at=row["received_at"],
        started_at=row["started_at"],
        due_promise=row["due_promise"],
        due_statute=row["due_statute"],
        paused=row["paused"],
        fix_asked_at=row["fix_asked_at"],
        decided_at=row["decided_at"],
        ended_at=row["ended_at"],
        version=row["version"],
    )


def consent_of(row: Row) -> ConsentRow:
    return ConsentRow(
        id=row["id"],
        party=row["party"],
        subject=row["subject"],
        items=tuple(row["items"]),
        asks=row["asks"],
        law=row["law"],
        state=row["state"],
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        answered_at=row["answered_at"],
        round=row["round"],
    )


def read_clock(value: Any) -> ClockState | None:
    return None if value is None else msgspec.convert(value, ClockState)


def write_clock(clock: ClockState | None) -> Any:
    return None if clock is None else msgspec.to_builtins(clock)


async def load_case(cases: Cases, conn: Connection | Pool, number: str, *, lock: bool) -> Case:
    """One case with items and answers. Errors: CaseNotFound."""
    row = await conn.fetchrow(QUERIES["lock_application" if lock else "application"], number)
    if row is None:
        raise CaseNotFound()
    application = application_of(row)
    items = {found["id"]: item_of(found) for found in await conn.fetch(QUERIES["items"], application.id)}
    answers = {
        found["question"]: found["value"] for found in await conn.fetch(QUERIES["answers"], application.id)
    }
    return Case(application, items, answers, cases.matter(application.matter))


async def load_consents(conn: Connection | Pool, application: int) -> tuple[ConsentRow, ...]:
    return tuple(consent_of(row) for row in await conn.fetch(QUERIES["consents"], application))
