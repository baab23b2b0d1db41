"""Whose key a signature names: the departments' public keys from the database, looked at again twice a second.

The value path does not lean on this memory: exchange.ask holds the key against the table in the transaction of the entry.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import Any, Final

import asyncpg
import msgspec

from dizuo.engines.exchange.delivery.errors import DepartmentUnknown, SigningKeyNotInUse, SigningKeyTaken
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.signing import PublicKey, SigningKeyEnded, SigningKeyUnknown
from dizuo.foundation.store import Connection, Pool, Queries

QUERIES: Final = Queries.load("dizuo.engines.exchange", "delivery.sql")
FRESH: Final = 0.5
"""Seconds for which the keys in memory are believed: a revoked key is refused everywhere within a second."""


class SigningKey(msgspec.Struct, frozen=True):
    """A registered public key (签名公钥) of one department's system."""

    id: str
    consumer: str
    algorithm: str
    public: bytes
    valid_from: dt.datetime
    valid_until: dt.datetime
    made_by: str
    made_at: dt.datetime
    revoked_at: dt.datetime | None
    revoked_by: str
    revoked_why: str


class KeyRing:
    """The registered keys as this process knows them."""

    def __init__(self, pool: Pool, now: Now) -> None:
        self._pool = pool
        self._now = now
        self._looked = -FRESH
        self._keys: dict[str, tuple[SigningKey, PublicKey]] = {}
        self._lock = asyncio.Lock()

    async def fresh(self) -> None:
        """Look again if the last look is older than FRESH; one look for all who wait. Errors: the pool's."""
        if time.monotonic() - self._looked < FRESH:
            return
        async with self._lock:
            if time.monotonic() - self._looked < FRESH:
                return
            began = time.monotonic()
            rows = await self._pool.fetch(QUERIES["signing_keys"])
            self._keys = {row["id"]: self._kept(row) for row in rows}
            self._looked = began

    def forget(self) -> None:
        """Look again at the next call."""
        self._looked = -FRESH

    def find(self, id: str) -> PublicKey:
        """The key of a keyid, now. Errors: SigningKeyUnknown, SigningKeyEnded."""
        key, public = self._of(id)
        now = self._now()
        if key.revoked_at is not None:
            raise SigningKeyEnded(why="已经停用")
        if now < key.valid_from:
            raise SigningKeyEnded(why=f"从 {key.valid_from:%Y-%m-%d %H:%M} 起才有效")
        if now >= key.valid_until:
            raise SigningKeyEnded(why=f"有效期到 {key.valid_until:%Y-%m-%d %H:%M} 为止")
        return public

    def consumer_of(self, id: str) -> str:
        """The department whose key that is."""
        return self._of(id)[0].consumer

    def _of(self, id: str) -> tuple[SigningKey, PublicKey]:
        found = self._keys.get(id)
        if found is None:
            raise SigningKeyUnknown()
        return found

    def _kept(self, row: Any) -> tuple[SigningKey, PublicKey]:
        """Keys are parsed once and kept, for a public key never changes."""
        key = msgspec.convert(dict(row), SigningKey)
        known = self._keys.get(key.id)
        if known is not None and known[0].public == key.public:
            return key, known[1]
        return key, PublicKey(key.id, row["algorithm"], key.public)


async def signing_keys(connection: Connection) -> tuple[SigningKey, ...]:
    """Every key ever registered, oldest first."""
    return tuple(
        msgspec.convert(dict(row), SigningKey) for row in await connection.fetch(QUERIES["signing_keys"])
    )


async def add_signing_key(
    connection: Connection, consumer: str, key: PublicKey, since: dt.datetime, until: dt.datetime, by: str
) -> str:
    """Register a department's public key; gives its keyid. As the loader. Errors: DepartmentUnknown, SigningKeyTaken."""
    try:
        return str(
            await connection.fetchval(QUERIES["add_key"], consumer, key.algorithm, key.raw, since, until, by)
        )
    except asyncpg.PostgresError as error:
        match str(getattr(error, "sqlstate", "")):
            case "DZ040":
                raise DepartmentUnknown(department=consumer) from None
            case "DZ041":
                raise SigningKeyTaken() from None
            case _:
                raise


async def revoke_signing_key(connection: Connection, id: str, by: str, why: str) -> str:
    """Stop a key for good; gives its department. As the loader. Errors: SigningKeyNotInUse."""
    try:
        return str(await connection.fetchval(QUERIES["revoke_key"], id, by, why))
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", "") == "DZ042":
            raise SigningKeyNotInUse(key=id) from None
        raise
