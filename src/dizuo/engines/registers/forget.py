"""Erasing what is personal in the ledger's entries about a person, when it need no longer be kept (个人信息保护法 47 条).

The entries stay, and so do all proofs: an entry's leaf covers a salted commitment, and the salt goes with the rest. The keys of
the person's oldest numbers go too: then nobody can say which of the oldest leaves were about whom.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from dizuo.foundation.store import Queries, Tx

_QUERIES = Queries.load("dizuo.engines.registers")
_LOTS = 1000


async def forget(tx: Tx, subject: int, *, before: dt.datetime, basis: str, case: str) -> int:
    """Erase subject, record key, case and names from the entries about ``subject`` made before ``before``.

    Gives the number of entries that were erased now. ``basis`` (law:article) and the entries' numbers are entered as
    ``ledger.erase``, with ``case`` in the erasable part; in the caller's transaction, whose connection is the role
    ``dizuo_eraser``'s: no other may erase. The caller answers for the period of keeping: records of providing personal
    data stay three years (网络数据安全管理条例 12 条).
    """
    erased = 0
    while entries := await _page(tx, subject, before):
        body = msgspec.json.encode({"entries": entries, "basis": basis, "count": len(entries)}).decode()
        hidden = msgspec.json.encode({"case": case}).decode()
        reason = await tx.conn.fetchval(_QUERIES["reason_to_forget"], body, hidden)
        erased += await tx.conn.fetchval(_QUERIES["forget"], entries, reason)
    await tx.conn.fetchval(_QUERIES["forget_numbers"], subject)
    return erased


async def _page(tx: Tx, subject: int, before: dt.datetime) -> list[int]:
    """Up to a thousand entries that may go. Erased ones are no longer about anybody, so the next page is new."""
    last: int | None = None
    while True:
        rows = await tx.conn.fetch(_QUERIES["forgettable"], subject, last, before)
        old = [int(row["id"]) for row in rows if row["old"]]
        if old or len(rows) < _LOTS:
            return old
        last = int(rows[-1]["id"])
