"""What the ledger tells about itself in counts, as rows of a dataset; the owner's work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dizuo.foundation.store import Connection

_BY_DAY = """
SELECT (at AT TIME ZONE $1)::date AS day, kind, count(*) AS entries FROM ledger.entry GROUP BY 1, 2 ORDER BY 1, 2
"""


async def ledger_by_day(conn: Connection, timezone: str) -> Sequence[Mapping[str, object]]:
    """How many entries of each kind the ledger got on each day, today's so far. Errors: the connection's."""
    rows = await conn.fetch(_BY_DAY, timezone)
    return [
        {"day": row["day"].isoformat(), "kind": row["kind"], "entries": int(row["entries"])} for row in rows
    ]
