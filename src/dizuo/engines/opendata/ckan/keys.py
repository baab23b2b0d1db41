"""Keys with which catalogues are loaded: made and revoked by a command, shown once, kept as a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Final

import msgspec

from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.kernel.errors import NotFound
from dizuo.foundation.store import Pool, Queries, begin

from .portal import Writer

QUERIES: Final = Queries.load("dizuo.engines.opendata", "machine_keys.sql")
_PREFIX: Final = "dzo_"
_LONGEST: Final = 200


class OpenKeyUnknown(NotFound):
    """没有在用的开放数据密钥 {key}。"""

    fix = "运行 dizuo open-key list 看有哪些。"


class OpenKey(msgspec.Struct, frozen=True):
    """A key as an operator sees it; the key itself is not there."""

    id: int
    organisation: str
    note: str
    made_by: str
    made_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


async def make_key(
    pool: Pool,
    now: Now,
    organisation: str,
    *,
    by: str,
    note: str = "",
    life: dt.timedelta = dt.timedelta(days=365),
) -> tuple[int, str]:
    """A key for an organisation's datasets ('*': all): (its number, the key, to be shown once). Entered in the ledger."""
    key = f"{_PREFIX}{secrets.token_urlsafe(32)}"
    async with begin(pool, now) as tx:
        until = tx.now + life
        id = await tx.conn.fetchval(QUERIES["key_make"], _hash(key), organisation, note[:200], by, until)
        body = {"key": id, "organisation": organisation, "by": by, "until": until.isoformat()}
        await tx.conn.fetchval(QUERIES["ledger"], "opendata.key_made", body)
    return int(id), key


async def revoke_key(pool: Pool, now: Now, id: int, *, by: str, why: str) -> str:
    """Stop a key for good; gives its organisation. Entered in the ledger. Errors: OpenKeyUnknown."""
    async with begin(pool, now) as tx:
        organisation = await tx.conn.fetchval(QUERIES["key_revoke"], id, by, why[:500])
        if organisation is None:
            raise OpenKeyUnknown(key=id)
        body = {"key": id, "organisation": organisation, "by": by, "why": why[:500]}
        await tx.conn.fetchval(QUERIES["ledger"], "opendata.key_revoked", body)
    return str(organisation)


async def keys(pool: Pool) -> tuple[OpenKey, ...]:
    """Every key ever made, newest first."""
    return tuple(msgspec.convert(dict(row), OpenKey) for row in await pool.fetch(QUERIES["key_list"]))


async def find_key(pool: Pool, key: str, now: dt.datetime) -> Writer | None:
    """Who shows this key, None: unknown, revoked or expired. 256 random bits need no slow hash."""
    if not key.startswith(_PREFIX) or len(key) > _LONGEST or not key.isascii():
        return None
    row = await pool.fetchrow(QUERIES["key_find"], _hash(key), now)
    return None if row is None else Writer(row["id"], row["organisation"])


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
