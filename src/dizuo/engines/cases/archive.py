"""归档: six months after everything ended, a case is put away, and the ledger holds what its history said.

The items keep their states, because an archived refusal is still a refusal; that it was archived is a line of the
history and a date of the application. Six months are the longest time in which a decision may still be contested
(行政诉讼法第四十六条); a department's own filing periods (DA/T 85, not checked) begin after that.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from dizuo.engines.cases.context import QUERIES, READS, Cases
from dizuo.engines.cases.retention import archive_at
from dizuo.engines.cases.states import Event
from dizuo.engines.cases.work import Work, system_of
from dizuo.foundation.kernel.canonical import canonical_json
from dizuo.foundation.store import Tx


async def put_away(cases: Cases, tx: Tx, number: str) -> bool:
    """Archive one application; False when it is not ended or was archived before."""
    work = await Work.open(cases, tx, number, system_of(""))
    application = work.application
    if application.ended_at is None or archive_at(application.ended_at) > tx.now:
        return False
    if not await tx.conn.fetchval(QUERIES["archive"], application.id, tx.now):
        return False
    events = await tx.conn.fetch(READS["history"], application.id)
    digest = digest_of(events)
    await work.history(Event.ARCHIVE, detail={"events": len(events), "sha256": digest})
    body = {"matter": application.matter, "events": len(events), "sha256": digest,
            "actor": {"kind": "system", "post": None, "unit": None, "channel": "system"}}  # fmt: skip
    concerned = application.applicant if application.acting_for is None else application.acting_for
    await tx.conn.fetchval(QUERIES["append_entry"], "case.archive", body, concerned, {"case": number})
    return True


def digest_of(events: Any) -> str:
    """SHA-256 of a history as canonical JSON, one array per event: anybody who has the history can hold it against it."""
    lines = [
        [e["seq"], e["at"].isoformat(), e["item"], e["step"], e["name"], e["from_state"], e["to_state"], e["post"], e["unit"],
         e["reason"]]
        for e in events
    ]  # fmt: skip
    return sha256(canonical_json(lines)).hexdigest()
