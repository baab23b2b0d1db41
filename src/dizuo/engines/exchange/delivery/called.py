"""The latest calls of each department by kind and minute, for the engineers of the system that calls.

It proves nothing and releases nothing: entries in the ledger do. What a killed process had not written is at most a second's.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from dizuo.engines.exchange.delivery.keys import QUERIES
from dizuo.engines.exchange.delivery.later import WrittenLater
from dizuo.foundation.store import Connection, Pool

_KINDS: Final = 2000


class CallsSeen(msgspec.Struct, frozen=True):
    """Calls of one kind in one minute. ``code`` is the error's, '' for an answer; ``says`` what the last of them was told.

    ``call`` is the last part of its address (query, batch, subscriptions …); ``grant_id`` 0 and ``resource`` '' where none is known;
    ``entry`` the ledger's about the last of them that has one.
    """

    minute: dt.datetime
    key: str
    call: str
    resource: str
    grant_id: int
    status: int
    code: str
    says: str
    entry: int | None
    times: int
    last_at: dt.datetime


class _Counted(msgspec.Struct):
    times: int
    last_at: dt.datetime
    says: str
    entry: int | None


_Kind = tuple[str, dt.datetime, str, str, str, int, int, str]


class CallsNoted:
    """Counts in the process, written a second later, or once the database is there again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._counts: dict[_Kind, _Counted] = {}
        self._written = WrittenLater(self.flush, lambda: bool(self._counts))

    def note(
        self, consumer: str, key: str, call: str, status: int, at: dt.datetime, *,
        resource: str = "", grant: int = 0, code: str = "", says: str = "", entry: int | None = None,
    ) -> None:  # fmt: skip
        """One call that was answered, whatever the answer was. Kinds beyond 2,000 a second are not noted."""
        minute = at.replace(second=0, microsecond=0)
        kind = (consumer, minute, key[:120], call[:40], resource[:100], grant, status, code[:60])
        known = self._counts.get(kind)
        if known is not None:
            known.times, known.last_at, known.says = known.times + 1, at, says[:300]
            known.entry = entry or known.entry
        elif len(self._counts) < _KINDS:
            self._counts[kind] = _Counted(1, at, says[:300], entry)
        self._written.stir()

    async def flush(self) -> None:
        """Write what was counted, now. What cannot be written is counted on."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        names = ("consumer", "minute", "key", "call", "resource", "grant_id", "status", "code")
        told = [
            {**dict(zip(names, kind, strict=True)), **msgspec.structs.asdict(one)}
            for kind, one in counts.items()
        ]
        try:
            await self._pool.execute(QUERIES["note_calls"], told)
        except BaseException:
            for kind, one in self._counts.items():
                if (older := counts.get(kind)) is not None:
                    one.times += older.times
            self._counts = {**counts, **self._counts}
            raise

    async def close(self) -> None:
        """Write what is left, if that is possible."""
        await self._written.close()


async def calls_seen(
    pool: Pool | Connection, consumer: str, *, refused: bool = False, limit: int = 60
) -> tuple[CallsSeen, ...]:
    """The latest calls of a department, newest first; only those that were refused when asked so."""
    rows = await pool.fetch(QUERIES["calls_seen"], consumer, refused, limit)
    return tuple(msgspec.convert(dict(row), CallsSeen) for row in rows)
