"""Looks of officials that leave a trace of their own: one that was refused, and one at a full number.

Opening a case is entered by ``case_page``; these two are entered beside it. Whom the case is for sees all of them.
"""

from __future__ import annotations

from dizuo.engines.cases.case_views import CasePage
from dizuo.engines.cases.context import QUERIES, Cases
from dizuo.engines.cases.reach import Actors
from dizuo.engines.registers import Actor
from dizuo.foundation.store import Tx, begin


async def note_refused_look(cases: Cases, actors: Actors, number: str) -> None:
    """Enter that an official asked for a case that is none of theirs, whether or not the number exists."""
    async with begin(cases.pool, cases.now) as tx:
        body = {"actor": _capacity(actors)}
        payload = {"asked": number[:40], "by": actors[0].official if actors else None}
        concerned = await _concerned(tx, number)
        await tx.conn.fetchval(QUERIES["append_entry"], "case.refused", body, concerned, payload)


async def note_reveal(cases: Cases, actors: Actors, page: CasePage, reason: str) -> None:
    """Enter that an official looks at full numbers in a case, and why, before they are shown."""
    async with begin(cases.pool, cases.now) as tx:
        body = {"matter": page.matter, "items": [item.id for item in page.items], "actor": _capacity(actors)}
        payload = {"case": page.number, "actor": actors[0].official, "name": actors[0].name, "reason": reason}
        concerned = await _concerned(tx, page.number)
        await tx.conn.fetchval(QUERIES["append_entry"], "case.reveal", body, concerned, payload)


async def _concerned(tx: Tx, number: str) -> int | None:
    row = await tx.conn.fetchrow(QUERIES["application"], number)
    return None if row is None else (row["acting_for"] or row["applicant"])


def _capacity(actors: Actors) -> dict[str, str | None]:
    first: Actor | None = actors[0] if actors else None
    if first is None:
        return {"kind": "official", "post": None, "unit": None, "channel": "online"}
    return {"kind": "official", "post": first.post, "unit": first.unit, "channel": first.channel}
