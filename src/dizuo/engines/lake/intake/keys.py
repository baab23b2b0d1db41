"""Keys with which a department's system pushes rows: made and revoked by a steward, shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Final

import msgspec

from dizuo.engines.lake.intake.deliveries import QUERIES, Intake
from dizuo.engines.lake.intake.errors import SourceKeyUnknown
from dizuo.foundation.store import begin

_PREFIX: Final = "dzk_"
_LONGEST: Final = 200
_LIFE: Final = dt.timedelta(days=365)


class SourceKey(msgspec.Struct, frozen=True):
    """A key as a steward sees it; the key itself is not there."""

    id: int
    source: str
    note: str
    per_minute: int
    made_by: str
    made_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    revoked_by: str | None
    revoked_why: str | None


class LiveKey(msgspec.Struct, frozen=True):
    """Who pushes: the key's number, its source, how many requests a minute it may make."""

    id: int
    source: str
    per_minute: int


async def make_key(
    intake: Intake, source: str, *, by: str, note: str = "", per_minute: int = 120, life: dt.timedelta = _LIFE
) -> tuple[int, str]:
    """Make a key for a source: (its number, the key, to be shown once). Entered in the ledger.

    256 random bits need no slow hash. Errors: SourceUnknown, the pool's.
    """
    declared = intake.source(source)
    key = f"{_PREFIX}{secrets.token_urlsafe(32)}"
    async with begin(intake.pool, intake.now) as tx:
        until = tx.now + life
        id = await tx.conn.fetchval(QUERIES["key_make"], declared.id, _hash(key), note[:200], per_minute, by, until)  # fmt: skip
        body = {
            "key": id,
            "source": source,
            "by": by,
            "note": note[:200],
            "per_minute": per_minute,
            "until": until.isoformat(),
        }
        await tx.conn.fetchval(QUERIES["ledger"], "lake.key_made", body)
    return id, key


async def revoke_key(intake: Intake, id: int, *, by: str, why: str) -> str:
    """Stop a key for good; returns its source. Entered in the ledger. Errors: SourceKeyUnknown, the pool's."""
    async with begin(intake.pool, intake.now) as tx:
        source = await tx.conn.fetchval(QUERIES["key_revoke"], id, by, why[:500])
        if source is None:
            raise SourceKeyUnknown(key=id)
        body = {"key": id, "source": source, "by": by, "why": why[:500]}
        await tx.conn.fetchval(QUERIES["ledger"], "lake.key_revoked", body)
    return source


async def source_keys(intake: Intake, source: str | None = None) -> tuple[SourceKey, ...]:
    """The keys of a source or of all, newest first. Errors: the pool's."""
    rows = await intake.pool.fetch(QUERIES["key_list"], source)
    return tuple(msgspec.convert(dict(row), SourceKey) for row in rows)


async def find_key(intake: Intake, key: str) -> LiveKey | None:
    """The live key that was shown, or None: unknown, revoked or expired. Errors: the pool's."""
    if not key.startswith(_PREFIX) or len(key) > _LONGEST:
        return None
    row = await intake.pool.fetchrow(QUERIES["key_find"], _hash(key), intake.now())
    return None if row is None else LiveKey(row["id"], row["source"], row["per_minute"])


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
