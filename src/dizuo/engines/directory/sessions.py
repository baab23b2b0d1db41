"""Sessions: opened with a random token, found by its hash on every page, ended by idling, by age or by choice.

The token has 256 random bits and lives only in the browser; the database knows its SHA-256. Found sessions are
remembered in this process for two seconds: a session that another process ended, or a post that was taken away,
may therefore still pass for that long, and not longer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable

import msgspec

from dizuo.engines.directory.errors import AccountClosed, AccountUnknown
from dizuo.engines.directory.model import Account, Acting, Channel, Opened, PostAt, Session
from dizuo.engines.directory.rules import TOUCH_AFTER, ends_at
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.store import Pool, Queries, Row

STALE = dt.timedelta(seconds=2)
ZERO = dt.timedelta(0)
_REMEMBERED = 20_000
_TOKEN_LENGTH = 43  # 256 bits in base64url without padding


class Sessions:
    """The sessions of one process. `city` says what powers a post has."""

    def __init__(self, pool: Pool, city: City, now: Now, queries: Queries) -> None:
        self._pool = pool
        self._now = now
        self._queries = queries
        self._posts = {
            (organisation.id, post.id): (post.name.zh, post.powers)
            for organisation in city.organisations.values()
            for post in organisation.posts
        }
        self._remembered: dict[bytes, tuple[Session, dt.datetime]] = {}

    async def open(self, account: int, channel: Channel = "online") -> Opened:
        """A new session. Errors: AccountUnknown, AccountClosed."""
        found = await self.account(account)
        token = secrets.token_urlsafe(32)
        csrf_key = secrets.token_bytes(32)
        now = self._now()
        end = ends_at(now, now)
        row = await self._pool.fetchrow(
            self._queries["open_session"], token_hash(token), account, csrf_key, channel, now, end
        )
        if row is None:
            raise AccountClosed()
        return Opened(token, Session(str(row["id"]), found, end, csrf_key, channel))

    async def find(self, token: str) -> Session | None:
        """The live session of a token, or None. One statement; a second one once a minute to move the end on."""
        if len(token) != _TOKEN_LENGTH or not token.isascii():
            return None
        key = token_hash(token)
        remembered = self._remembered.get(key)
        now = self._now()
        if remembered is not None and ZERO <= now - remembered[1] < STALE and remembered[0].expires_at > now:
            return remembered[0]
        row = await self._pool.fetchrow(self._queries["find_session"], key, now, now.date())
        if row is None:
            self._remembered.pop(key, None)
            return None
        end = row["ends_at"]
        if now - row["seen_at"] >= TOUCH_AFTER:
            end = ends_at(row["started_at"], now)
            await self._pool.execute(self._queries["touch_session"], row["id"], now, end)
        acting = msgspec.convert(row["acting"], Acting) if row["acting"] is not None else None
        session = Session(str(row["id"]), self._account(row), end, row["csrf_key"], row["channel"], acting)
        self._remember(key, session, now)
        return session

    async def end(self, token: str) -> None:
        """End a session; ending one that is over already is no error."""
        key = token_hash(token)
        await self._pool.execute(self._queries["end_session"], key, self._now())
        self._remembered.pop(key, None)

    async def end_all_of(self, account: int) -> int:
        """End every session of an account; how many there were."""
        rows = await self._pool.fetch(self._queries["end_sessions_of"], account, self._now())
        self.forget(row["token_hash"] for row in rows)
        return len(rows)

    async def account(self, account: int) -> Account:
        """An account with the posts held today. Errors: AccountUnknown, AccountClosed."""
        row = await self._pool.fetchrow(self._queries["account"], account, self._now.today())
        if row is None:
            raise AccountUnknown()
        if row["closed_at"] is not None:
            raise AccountClosed()
        return self._account(row)

    def forget(self, keys: Iterable[bytes]) -> None:
        """Drop remembered sessions by their token hashes."""
        for key in keys:
            self._remembered.pop(key, None)

    def forget_token(self, token: str) -> None:
        self._remembered.pop(token_hash(token), None)

    def _remember(self, key: bytes, session: Session, now: dt.datetime) -> None:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = (session, now)

    def _account(self, row: Row) -> Account:
        posts: list[PostAt] = []
        for post, organisation, unit, unit_name, division in row["posts"]:
            name, powers = self._posts.get((organisation, post), ("", ()))
            posts.append(PostAt(post, organisation, unit, unit_name, division, name, powers))
        return Account(row["account"], row["kind"], row["subject"], row["name"], tuple(posts), row["demo"])


def token_hash(token: str) -> bytes:
    """SHA-256 of a session token. A plain hash is enough: the token is 256 random bits, not a password."""
    return hashlib.sha256(token.encode("ascii", "replace")).digest()
