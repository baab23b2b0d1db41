"""Looks that leave a trace: one that was refused, and one at a full number.

Opening a case is entered by the case engine itself; these two happen at the door.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dizuo.engines.cases import QUERIES, CasePage
from dizuo.engines.registers import Actor
from dizuo.foundation.store import begin


def _capacity(actors: Sequence[Actor]) -> dict[str, str | None]:
    first = actors[0] if actors else None
    if first is None:
        return {"kind": "official", "post": None, "unit": None, "channel": "online"}
    return {"kind": "official", "post": first.post, "unit": first.unit, "channel": first.channel}


async def note_refusal(app: Any, actors: Sequence[Actor], number: str) -> None:
    """Enter that somebody asked for a case that is none of theirs, whether or not the number exists.

    Whoever applied sees the attempt in 我的数据.
    """
    async with begin(app.pool, app.now) as tx:
        row = await tx.conn.fetchrow(QUERIES["application"], number)
        payload = {"asked": number[:40], "by": actors[0].official if actors else None}
        subject = None if row is None else row["applicant"]
        body = {"actor": _capacity(actors)}
        await tx.conn.fetchval(QUERIES["append_entry"], "case.refused", body, subject, payload)


async def note_reveal(app: Any, actors: Sequence[Actor], page: CasePage, reason: str) -> None:
    """Enter that an official looked at full numbers in a case, and why, before they are shown."""
    async with begin(app.pool, app.now) as tx:
        row = await tx.conn.fetchrow(QUERIES["application"], page.number)
        body = {"matter": page.matter, "items": [item.id for item in page.items], "actor": _capacity(actors)}
        payload = {"case": page.number, "actor": actors[0].official, "name": actors[0].name, "reason": reason}
        subject = None if row is None else row["applicant"]
        await tx.conn.fetchval(QUERIES["append_entry"], "case.reveal", body, subject, payload)
