"""The directory as one object per process: accounts, sessions, for whom somebody acts, mandates.

Everything that lets somebody act for another is entered in the ledger with the person concerned as its subject, so
that they see it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from dizuo.engines.directory import rules
from dizuo.engines.directory.errors import (
    MandateEnded,
    MandateUnknown,
    NotRepresented,
    WindowRefused,
)
from dizuo.engines.directory.model import (
    Account,
    Acting,
    Channel,
    DemoChoice,
    Mandate,
    Opened,
    Represented,
    Session,
)
from dizuo.engines.directory.sessions import Sessions, token_hash
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import Now, SystemNow
from dizuo.foundation.kernel.errors import Refused, SignInNeeded
from dizuo.foundation.store import Connection, Pool, Queries, Row, begin

_QUERIES = Queries.load("dizuo.engines.directory")


async def prepare(connection: Connection) -> None:
    """Prepare every statement, so that a typo fails the start and not a person; for `open_pool(prepare=…)`."""
    await _QUERIES.prepare_all(connection)


class Directory:
    """Opened once per process with the web's pool. Also the shell's gate: `find` and `has_power`."""

    def __init__(self, pool: Pool, city: City, now: Now | None = None) -> None:
        self._pool = pool
        self._city = city
        self._now: Now = now or SystemNow()
        self._sessions = Sessions(pool, city, self._now, _QUERIES)

    # ------------------------------------------------------------------ sessions

    async def open_session(self, account: int, channel: Channel = "online") -> Opened:
        """A new session: the token for the browser, and the session. Errors: AccountUnknown, AccountClosed."""
        return await self._sessions.open(account, channel)

    async def find_session(self, token: str) -> Session | None:
        """The live session of a token, or None; at most two seconds behind what other processes did."""
        return await self._sessions.find(token)

    async def find(self, token: str) -> Session | None:
        """`find_session` under the name that the web shell's gate uses."""
        return await self._sessions.find(token)

    def has_power(self, session: Session, power: str) -> bool:
        """Whether one of the official's posts has the power."""
        return session.account.kind == "official" and power in session.account.powers

    async def end_session(self, token: str) -> None:
        """Sign out."""
        await self._sessions.end(token)

    async def end_sessions_of(self, account: int) -> int:
        """Sign an account out everywhere; how many sessions there were."""
        return await self._sessions.end_all_of(account)

    # ------------------------------------------------------------------ accounts

    async def account(self, account: int) -> Account:
        """An account with the posts held today. Errors: AccountUnknown, AccountClosed."""
        return await self._sessions.account(account)

    async def resident(self, subject: int, name: str) -> Account:
        """The account of a person whom an identity provider vouched for; made at the first sign-in."""
        row = await self._pool.fetchrow(_QUERIES["resident_account"], subject, name)
        assert row is not None
        return await self._sessions.account(row["id"])

    async def demo_people(self) -> tuple[DemoChoice, ...]:
        """The invented people that the demonstration sign-in offers, residents first."""
        rows = await self._pool.fetch(_QUERIES["demo_people"])
        return tuple(
            DemoChoice(
                r["demo_key"], r["id"], r["kind"], r["name"], r["demo_note"]["zh"], r["demo_note"]["en"]
            )
            for r in rows
        )

    async def demo_account(self, key: str) -> int | None:
        """The account of one invented person, or None when nobody is called that."""
        return await self._pool.fetchval(_QUERIES["demo_account"], key)

    async def holders(self, unit: str, posts: Sequence[str]) -> tuple[tuple[int, str], ...]:
        """(account, name) of the officials who hold one of the posts at a unit today."""
        rows = await self._pool.fetch(_QUERIES["holders"], unit, list(posts), self._now.today())
        return tuple((r["id"], r["name"]) for r in rows)

    # ------------------------------------------------------------------ acting for an enterprise

    async def represented_by(self, subject: int) -> tuple[Represented, ...]:
        """The enterprises that a person represents, by name."""
        rows = await self._pool.fetch(_QUERIES["represented_by"], subject)
        return tuple(Represented(r["enterprise"], r["name"], r["as_of"]) for r in rows)

    async def act_for_enterprise(self, token: str, enterprise: int) -> Session:
        """Let a session act for an enterprise that its holder represents. Errors: SignInNeeded, NotRepresented."""
        session = await self._live(token)
        name = await self._pool.fetchval(_QUERIES["represents"], session.account.subject, enterprise)
        if name is None:
            raise NotRepresented()
        return await self._act(token, Acting("enterprise", enterprise, name))

    # ------------------------------------------------------------------ mandates (代办授权)

    async def grant_mandate(
        self, token: str, proxy: int, proxy_name: str, matters: Sequence[str], first: dt.date, last: dt.date
    ) -> int:
        """The session's holder lets `proxy` act in the matters (none: all) in the period; returns the mandate's id.

        `proxy` is an identity id. Errors: SignInNeeded, Refused for officials, MandateInvalid.
        """
        giver = self._person(await self._live(token))
        rules.check_mandate(giver[0], proxy, matters, first, last, self._now.today(), self._city)
        body = {"matters": list(matters), "from": first.isoformat(), "to": last.isoformat()}
        async with begin(self._pool, self._now) as tx:
            entry = await self._enter(
                tx.conn, "mandate.granted", body, giver[0], {"proxy": proxy, "proxy_name": proxy_name}
            )
            await self._enter(
                tx.conn, "mandate.received", body, proxy, {"giver": giver[0], "giver_name": giver[1]}
            )
            return await tx.conn.fetchval(
                _QUERIES["grant_mandate"],
                giver[0],
                giver[1],
                proxy,
                proxy_name,
                list(matters),
                first,
                last,
                tx.now,
                entry,
            )

    async def revoke_mandate(self, token: str, mandate: int) -> None:
        """Take a mandate back, or give it up; whoever acted on it stops at once. Errors: SignInNeeded, MandateUnknown."""
        person = self._person(await self._live(token))
        async with begin(self._pool, self._now) as tx:
            row = await tx.conn.fetchrow(_QUERIES["revoke_mandate"], mandate, tx.now, person[0])
            if row is None:
                raise MandateUnknown()
            ended = await tx.conn.fetch(_QUERIES["end_mandated_sessions"], str(mandate))
            body = {"matters": row["matters"], "by": "giver" if row["giver"] == person[0] else "proxy"}
            await self._enter(
                tx.conn, "mandate.revoked", body, row["giver"], {"proxy": row["proxy"], "mandate": mandate}
            )
        self._sessions.forget(row["token_hash"] for row in ended)

    async def mandates_of(self, subject: int) -> tuple[Mandate, ...]:
        """The mandates that somebody gave or holds, newest first."""
        return tuple(_mandate(row) for row in await self._pool.fetch(_QUERIES["mandates_of"], subject))

    async def act_on_mandate(self, token: str, mandate: int) -> Session:
        """Let a session act for the giver of a mandate. Errors: SignInNeeded, MandateUnknown, MandateEnded."""
        session = await self._live(token)
        async with begin(self._pool, self._now) as tx:
            row = await tx.conn.fetchrow(_QUERIES["mandate"], mandate)
            if row is None or row["proxy"] != session.account.subject:
                raise MandateUnknown()
            held = _mandate(row)
            if not rules.in_force(held, tx.now.date()):
                raise MandateEnded()
            acting = Acting("mandator", held.giver, held.giver_name, held.matters, held.id)
            await self._set(tx.conn, token, acting, tx.now)
            await self._enter(
                tx.conn, "mandate.used", {"matters": list(held.matters)}, held.giver,
                {"mandate": held.id, "proxy": held.proxy, "proxy_name": held.proxy_name},
            )  # fmt: skip
        return await self._live(token)

    async def check_acting(self, session: Session, matter: str) -> None:
        """Refuse when the session acts on a mandate that ended or does not cover the matter. Call before a submit.

        Errors: MandateEnded, Refused.
        """
        acting = session.acting_for
        if acting is None or acting.kind != "mandator" or acting.mandate is None:
            return
        mandates = await self.mandates_of(acting.subject)
        held = next((m for m in mandates if m.id == acting.mandate), None)
        if held is None or not rules.in_force(held, self._now.today()):
            raise MandateEnded()
        if not acting.allows(matter):
            raise Refused(
                "directory.mandate.scope",
                "民法典第一百六十五条",
                "这份授权不包括这件事。",
                fix="请委托人另外授权。",
            )

    # ------------------------------------------------------------------ window service (窗口帮办)

    async def serve(self, token: str, client: int, name: str, checked: str) -> Session:
        """A clerk begins to serve somebody who is present; entered in the ledger for that person to see.

        `client` is an identity id, `checked` says what the clerk saw (for instance 居民身份证原件). Errors: SignInNeeded,
        WindowRefused without a post that has `window.serve`.
        """
        session = await self._live(token)
        post = next((p for p in session.account.posts if rules.WINDOW_POWER in p.powers), None)
        if session.account.kind != "official" or post is None:
            raise WindowRefused()
        acting = Acting("window", client, name, checked=checked[:60])
        async with begin(self._pool, self._now) as tx:
            await self._set(tx.conn, token, acting, tx.now)
            body = {"post": post.post, "unit": post.unit, "checked": checked[:60]}
            await self._enter(tx.conn, "window.serve", body, client, {"official": session.account.name})
        return await self._live(token)

    async def act_for_nobody(self, token: str) -> Session:
        """Back to the session's own holder: the client left, or the enterprise's business is done. Errors: SignInNeeded."""
        return await self._act(token, None)

    # ------------------------------------------------------------------ inside

    async def _live(self, token: str) -> Session:
        """The session as the database has it now, past the two seconds' memory."""
        self._sessions.forget_token(token)
        session = await self._sessions.find(token)
        if session is None:
            raise SignInNeeded()
        return session

    async def _act(self, token: str, acting: Acting | None) -> Session:
        async with begin(self._pool, self._now) as tx:
            await self._set(tx.conn, token, acting, tx.now)
        return await self._live(token)

    async def _set(self, conn: Connection, token: str, acting: Acting | None, now: dt.datetime) -> None:
        value = msgspec.to_builtins(acting) if acting is not None else None
        if await conn.fetchval(_QUERIES["set_acting"], token_hash(token), value, now) is None:
            raise SignInNeeded()

    async def _enter(self, conn: Connection, kind: str, body: object, subject: int, payload: object) -> int:
        return await conn.fetchval(_QUERIES["enter"], kind, body, subject, payload)

    @staticmethod
    def _person(session: Session) -> tuple[int, str]:
        if session.account.kind != "resident" or session.account.subject is None:
            raise Refused("directory.mandate.person", "民法典第一百六十一条", "授权要由本人用个人账号办理。")
        return session.account.subject, session.account.name


def _mandate(row: Row) -> Mandate:
    return Mandate(
        id=row["id"], giver=row["giver"], giver_name=row["giver_name"], proxy=row["proxy"], proxy_name=row["proxy_name"],
        matters=tuple(row["matters"]), valid_from=row["valid_from"], valid_to=row["valid_to"], granted_at=row["granted_at"],
        revoked_at=row["revoked_at"],
    )  # fmt: skip
