"""The desk of an official: four rails, each one walk along the queue's index, whatever the number of cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from dizuo.engines.cases.context import READS, Cases
from dizuo.engines.cases.reach import Actors, scope_place
from dizuo.engines.cases.states import ItemState
from dizuo.foundation.blueprint.model import Words
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.clocks import Level
from dizuo.foundation.kernel.errors import Invalid

Rail = Literal["waiting", "mine", "cooperating", "supervised"]
COUNT_LIMIT: Final = 500
"""Counts stop here: on a desk, more than that is one and the same number."""
PAGE: Final = 25
_OWN_NUMBERS: Final = ("correction", "rating", "mend")
"""Work that is joined to no application names itself."""
_RATED: Final = {"rating": "对“{matter}”的差评", "mend": "整改：“{matter}”"}
_FIRST = datetime(1970, 1, 1)
_NEVER = "infinity"


class QueueRow(msgspec.Struct, frozen=True):
    """One piece of work in a rail. In the supervised rail nothing is about a person: no name, no title.

    ``warned``: one working day or less is left; ``pressed``: somebody sees to it (督办).
    """

    task: int
    kind: str
    number: str | None
    title: str
    applicant: str
    matter: str | None
    matter_name: Words | None
    item: str | None
    item_name: Words | None
    step_name: Words | None
    unit: str
    unit_name: str
    channel: str
    state: str
    exceptions: int
    due: datetime | None
    level: Level | None
    opened_at: datetime
    submitted_at: datetime | None
    version: int | None
    detail: Mapping[str, Any]
    warned: bool = False
    pressed: bool = False


class Counts(msgspec.Struct, frozen=True):
    """How much is in each rail, up to COUNT_LIMIT."""

    waiting: int
    mine: int
    cooperating: int
    supervised: int


class QueuePage(msgspec.Struct, frozen=True):
    """A page of a rail; ``next`` is the cursor of the following page, None at the end."""

    rail: Rail
    rows: tuple[QueueRow, ...]
    counts: Counts
    next: str | None


class _Row(msgspec.Struct):
    task: int
    kind: str
    due: str
    unit: str
    department: str
    opened_at: datetime
    step: str | None = None
    item: str | None = None
    detail: dict[str, Any] = {}
    number: str | None = None
    matter: str | None = None
    title: str | None = None
    applicant: str | None = None
    channel: str | None = None
    submitted_at: datetime | None = None
    state: str | None = None
    paused: bool | None = None
    exceptions: list[str] | None = None
    due_statute: datetime | None = None
    version: int | None = None


_rows = msgspec.json.Decoder(list[_Row]).decode


async def desk_queue(
    cases: Cases, actors: Actors, *, rail: Rail = "waiting", cursor: str | None = None, limit: int = PAGE
) -> QueuePage:
    """A page of a rail, sorted by what is due first, with the counts of all rails; one statement.

    An official sees what his or her powers cover at the places of the posts. Errors: Invalid for a bad cursor.
    """
    pairs = _reach(cases, actors)
    officials = sorted({actor.official for actor in actors if actor.official})
    due, task = _read_cursor(cursor)
    shown = "waiting" if rail == "mine" else rail
    row = await cases.pool.fetchrow(
        READS["desk"],
        [power for power, _ in pairs],
        [scope for _, scope in pairs],
        shown,
        due,
        task,
        limit + 1 if rail != "mine" else 1,
        COUNT_LIMIT,
        officials,
    )
    assert row is not None
    counts = Counts(row["waiting"], row["mine"], row["cooperating"], row["supervised"])
    if rail == "mine":
        return await _mine(cases, officials, counts, cursor, limit)
    found = _rows(row["rows"])
    now = cases.now()
    rows = tuple(_queue_row(cases, one, now) for one in found[:limit])
    if rail == "supervised":
        rows = tuple(_without_person(row) for row in rows)
    last = found[limit - 1] if len(found) > limit else None
    return QueuePage(rail, rows, counts, None if last is None else f"{last.due}|{last.task}")


def _reach(cases: Cases, actors: Actors) -> list[tuple[str, str]]:
    """(power, scope) of all posts, without those that a wider one covers, so that no row comes twice."""
    pairs = {(power, scope_place(cases, actor)) for actor in actors for power in actor.powers}
    return sorted(
        (power, scope)
        for power, scope in pairs
        if not any(p == power and s != scope and scope.startswith(s) for p, s in pairs)
    )


def _read_cursor(cursor: str | None) -> tuple[datetime, int]:
    if cursor is None:
        return _FIRST.replace(tzinfo=to_shanghai(datetime.now().astimezone()).tzinfo), 0
    due, _, task = cursor.rpartition("|")
    try:
        # asyncpg writes the greatest datetime as infinity.
        at = datetime.max if due == _NEVER else datetime.fromisoformat(due)
        return at, int(task)
    except ValueError:
        raise Invalid({"cursor": "这个页码不对。"}, fix="请从第一页开始看。") from None


def _queue_row(cases: Cases, row: _Row, now: datetime) -> QueueRow:
    # A bad rating's work is not joined to its application, which would say who rated; it names the matter itself.
    matter = row.matter or row.detail.get("matter")
    ready = None if matter is None or matter not in cases.city.matters else cases.matter(matter)
    item = None if ready is None or row.item is None else ready.items.get(row.item)
    due = None if row.due == _NEVER else datetime.fromisoformat(row.due)
    step = None if item is None else next((s for s in item.steps if s.id == row.step), None)
    return QueueRow(
        task=row.task,
        kind=row.kind,
        number=row.number
        or next((str(row.detail[kind]) for kind in _OWN_NUMBERS if kind in row.detail), None),
        title=row.title or _title(cases, row),
        applicant=row.applicant or "",
        matter=matter,
        matter_name=None if ready is None else ready.matter.name,
        item=row.item,
        item_name=None if item is None else item.name,
        step_name=None if step is None else step.name,
        unit=row.unit,
        unit_name=unit_name(cases, row.department, row.unit),
        channel=row.channel or "",
        state="" if row.state is None else ItemState(row.state).word,
        exceptions=len(row.exceptions or ()),
        due=due,
        level=_level(row, due, now),
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        version=row.version,
        detail=row.detail,
        warned="warned" in row.detail,
        pressed="pressed" in row.detail,
    )


def _without_person(row: QueueRow) -> QueueRow:
    """A row for whoever has no business with the person: called by its matter, without whom it is for."""
    title = row.matter_name.zh if row.matter_name is not None and row.kind not in _RATED else row.title
    return msgspec.structs.replace(row, title=title, applicant="", detail={})


def _title(cases: Cases, row: _Row) -> str:
    if row.kind in _RATED:
        declared = cases.city.matters.get(str(row.detail.get("matter", "")))
        return _RATED[row.kind].replace("{matter}", "办事" if declared is None else declared.name.zh)
    register, _, field = str(row.detail.get("field", "")).partition(".")
    holding = cases.city.registers.get(register)
    if holding is None or field not in holding.fields:
        return "更正"
    return f"更正：{holding.name.zh}的{holding.fields[field].name.zh}"


def _level(row: _Row, due: datetime | None, now: datetime) -> Level | None:
    """The colour of a row without its whole clock: near means a day; the page of the case has the exact one."""
    if due is None:
        return None
    if row.due_statute is not None and now > row.due_statute:
        return Level.BLACK
    if now > due:
        return Level.RED
    return Level.YELLOW if (due - now).total_seconds() <= 86_400 else Level.GREEN


def unit_name(cases: Cases, department: str, unit: str) -> str:
    """The unit of a department at a division, as people call it."""
    organisation = cases.city.organisations[department]
    division = cases.city.divisions.get(unit)
    if division is None or unit == cases.city.code:
        return organisation.name.zh
    return organisation.unit_name.zh.replace("{division}", division.name)


def who_words(cases: Cases, row: Any) -> str:
    """An official of the history with the department: 市数据局　孙悦."""
    organisation = cases.city.organisations.get(row["unit"] or "")
    unit = row["unit"] or "" if organisation is None else organisation.short.zh
    return f"{unit}　{row['actor_name']}".strip()


async def _mine(
    cases: Cases, officials: list[str], counts: Counts, cursor: str | None, limit: int
) -> QueuePage:
    before, application = (None, 9_223_372_036_854_775_807) if cursor is None else _read_cursor(cursor)
    found = await cases.pool.fetch(READS["handled_by"], officials, before, application, limit + 1)
    now = cases.now()
    rows: list[QueueRow] = []
    for row in found[:limit]:
        matter = cases.city.matters.get(row["matter"])
        # A matter or an item may have left the declarations since; the work done on it has not.
        item = None if matter is None else cases.matter(matter.id).items.get(row["item"])
        due = row["due_promise"]
        rows.append(
            QueueRow(
                task=0,
                kind="handled",
                number=row["number"],
                title=row["title"],
                applicant=row["applicant"],
                matter=row["matter"],
                matter_name=None if matter is None else matter.name,
                item=row["item"],
                item_name=None if item is None else item.name,
                step_name=None,
                unit="",
                unit_name="",
                channel="",
                state=ItemState(row["state"]).word,
                exceptions=0,
                due=due,
                level=None if due is None or now <= due else Level.RED,
                opened_at=row["at"],
                submitted_at=None,
                version=row["version"],
                detail={},
            )
        )
    last = found[limit - 1] if len(found) > limit else None
    return QueuePage(
        "mine", tuple(rows), counts, None if last is None else f"{last['at'].isoformat()}|{last['id']}"
    )
