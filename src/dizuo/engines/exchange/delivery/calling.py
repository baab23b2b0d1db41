"""Calls under a grant: signature → policy → entry on disk → values. One object per process does it for all callers.

Concurrent calls share their transactions: what waits while one is under way goes together in the next, and nobody waits on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import msgspec

from dizuo.engines.exchange.delivery.asked_node import AskedNodes
from dizuo.engines.exchange.delivery.called import CallsNoted
from dizuo.engines.exchange.delivery.errors import CallNotReleased, CallRefused, DailyLimitReached
from dizuo.engines.exchange.delivery.failpoints import armed, reach
from dizuo.engines.exchange.delivery.keys import QUERIES, KeyRing
from dizuo.engines.exchange.delivery.limits import Limits, Tally
from dizuo.engines.exchange.delivery.measured import Failures
from dizuo.engines.exchange.delivery.model import Answer, Call, Caller, Record, Result, Right, Scalar, Value
from dizuo.engines.exchange.delivery.server_keys import ServerKeys
from dizuo.engines.exchange.requests.grants import note_use
from dizuo.foundation.blueprint import City
from dizuo.foundation.kernel.clock_source import Now
from dizuo.foundation.ledger import Batcher, Entry
from dizuo.foundation.policy import Breach, ShareAsk, ShareGrant, SharePolicy, ShareVerdict
from dizuo.foundation.signing import SKEW, RequestOutOfOrder, RequestReplayed, SigningKeyEnded, verify_request
from dizuo.foundation.store import CONNECTION_LOST, Pool

RIGHTS_FRESH: Final = 0.5
"""Seconds for which a department's rights in memory are judged by. The database judges the version again with every entry."""
_TRIES: Final = 4
_IN_TROUBLE: Final = frozenset({"40", "53", "55", "57", "58"})
_AT_ONCE: Final = 32
"""Calls that share one transaction: more would wait longer for one another than they save."""
_BATCHES_AT_ONCE: Final = 4
_encode = msgspec.json.Encoder().encode


class _Party(msgspec.Struct):
    party: str
    state: Literal["found", "missing"]
    entry: int | None = None
    facts: dict[str, tuple[Scalar, str, str | None]] | None = None


class _No(msgspec.Struct):
    reason: str
    rule: str = ""
    law: str = ""
    entry: int | None = None


class _Told(msgspec.Struct):
    closed: str | None = None
    parties: list[_Party] = []
    refusals: list[_No] = []


_decode_told = msgspec.json.Decoder(list[_Told]).decode
_Asked = tuple[bytes, bytes]


class Exchange:
    """The exchange's server side in a process; ``Exchange.of`` gives the one of a pool. ``pool`` signs in as dizuo_app."""

    _opened: Final[dict[int, Exchange]] = {}

    def __init__(self, pool: Pool, city: City, data: Path, now: Now) -> None:
        self.pool = pool
        self.city = city
        self.now = now
        self.keys = KeyRing(pool, now)
        self.server = ServerKeys(data, city.id)
        self.nodes = AskedNodes(pool, self.server, self.keys, now)
        self.policy = SharePolicy()
        self.limits = Limits()
        self.tally = Tally(self._enter)
        self.failures = Failures(pool)
        self.called = CallsNoted(pool)
        self._rights: dict[str, tuple[float, tuple[Right, ...]]] = {}
        self._looking: dict[str, asyncio.Lock] = {}
        self._noted: set[int] = set()
        # Together they share one commit; a second transaction begins only when more wait than one takes.
        self._queries = Batcher[_Asked, _Told](self._both, limit=_AT_ONCE)
        self._batches = Batcher[_Asked, _Told](self._both, limit=_BATCHES_AT_ONCE)

    @classmethod
    def of(cls, pool: Pool, city: City, data: Path, now: Now) -> Exchange:
        """The one of this process for that pool."""
        found = cls._opened.get(id(pool))
        if found is None or found.pool is not pool:
            found = cls._opened[id(pool)] = cls(pool, city, data, now)
        return found

    async def admit(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Caller:
        """Whose call this is. Errors: a SignatureRefused by its cause, CallNotReleased."""
        try:
            await self.keys.fresh()
        except CONNECTION_LOST as error:
            raise CallNotReleased(2, reason="数据库暂时连不上") from error
        now = int(self.now().timestamp())
        signed = verify_request(method, url, headers, body, self.keys.find, now=now)
        await reach("verified")
        return Caller(self.keys.consumer_of(signed.key.id), signed)

    def pace(self, caller: Caller) -> None:
        """Count a call of this key. Errors: TooManyCalls."""
        self.limits.admit(caller.signed.key.id, time.monotonic())

    async def rights_of(self, consumer: str, *, fresh: bool = False) -> tuple[Right, ...]:
        """What a department was ever granted, newest first; looked at again after RIGHTS_FRESH seconds or when asked to."""
        asked = time.monotonic()
        async with self._looking.setdefault(consumer, asyncio.Lock()):
            at, rights = self._rights.get(consumer, (-RIGHTS_FRESH, ()))
            # One look for all who wait: what began after this was asked for is fresh enough.
            if at < asked if fresh else asked - at >= RIGHTS_FRESH:
                at = time.monotonic()
                rights = tuple(_right(row) for row in await self.pool.fetch(QUERIES["rights"], consumer))
                self._rights[consumer] = (at, rights)
        return rights

    async def call(self, caller: Caller, call: Call) -> Answer:
        """The granted part of what was asked, entered and on disk before it is here.

        Errors: CallRefused with every bound crossed, DailyLimitReached, RequestReplayed, RequestOutOfOrder, SigningKeyEnded,
        NodeNotAnswered, CallNotReleased (retry); in each case no value has left the database.
        """
        try:
            return await self._called(caller, call)
        except CallNotReleased:
            self.failures.note(call.resource, "not_released")
            raise

    async def _called(self, caller: Caller, call: Call) -> Answer:
        number = uuid.uuid4()
        for again in range(_TRIES):
            right, verdict = await self._judge(caller, call, fresh=again > 0)
            await reach("decided")
            told = await self._told_there(caller, call, right, verdict, number)
            told = told or await self._told(caller, call, right, verdict, number)
            if told.closed is not None:
                raise CallNotReleased(1, reason=told.closed)
            no = told.refusals[0] if told.refusals else None
            if no is not None and no.reason == "stale":
                continue
            if no is not None or right is None:
                self.limits.refused(caller.signed.key.id, time.monotonic())
                raise self._refusal(caller, no or _No("policy"), verdict)
            await self._note_use(right)
            return _answer(right, call, told)
        raise CallNotReleased(1, reason="授权正在变更")

    async def close(self) -> None:
        """Take no new calls, finish those under way, enter what was only counted."""
        await self._queries.close()
        await self._batches.close()
        await self.nodes.close()
        await self.failures.close()
        await self.called.close()
        await self.tally.flush()
        self._opened.pop(id(self.pool), None)

    # -------------------------------------------------------------------------------------------- deciding

    async def _judge(self, caller: Caller, call: Call, *, fresh: bool) -> tuple[Right | None, ShareVerdict]:
        right, verdict = self._decide(await self.rights_of(caller.consumer, fresh=fresh), caller, call)
        if not verdict.allowed and not fresh:  # never refuse by an old memory
            right, verdict = self._decide(await self.rights_of(caller.consumer, fresh=True), caller, call)
        return right, verdict

    def _decide(
        self, rights: Sequence[Right], caller: Caller, call: Call
    ) -> tuple[Right | None, ShareVerdict]:
        fitting = {
            right.share.id: right
            for right in rights
            if right.share.resource == call.resource and call.grant in (None, right.share.id)
        }
        asked = frozenset(call.fields)
        ask = ShareAsk(
            caller.consumer,
            call.method,
            asked,
            call.purpose,
            call.matter,
            call.basis,
            self.now.today(),
            bool(call.case),
        )
        grant, verdict = self.policy.closest(tuple(right.share for right in fitting.values()), ask, asked)
        return (fitting[grant.id] if grant is not None else None), verdict

    def _refusal(self, caller: Caller, no: _No, verdict: ShareVerdict) -> Exception:
        match no.reason:
            case "replay":
                return RequestReplayed()
            case "order":
                return RequestOutOfOrder(sequence=caller.signed.sequence)
            case "key":
                self.keys.forget()
                return SigningKeyEnded(why="已经停用")
            case "per_day":
                return DailyLimitReached((_DAILY,), no.entry)
            case "policy":
                return CallRefused(verdict.breaches, no.entry)
            case _:
                rule = self.policy.rules.get(no.rule)
                said = Breach(rule.id, rule.law, rule.zh, rule.en) if rule else _BY_RULE.get(no.rule, _OTHER)
                return CallRefused((said,), no.entry)

    async def _note_use(self, right: Right) -> None:
        """The first use of a right moves its request on; a trouble there is no reason to withhold what was granted."""
        if right.share.id not in self._noted:
            self._noted.add(right.share.id)
            with contextlib.suppress(asyncpg.PostgresError):
                await note_use(self.pool, right.share.id)

    # ------------------------------------------------------------------------------------------- two steps

    async def _told_there(
        self, caller: Caller, call: Call, right: Right | None, verdict: ShareVerdict, number: uuid.UUID
    ) -> _Told | None:
        """The same for a resource that stays at its department, asked at its node; None: it is not at one."""
        if right is None or right.register is not None or not verdict.allowed:
            return None
        told = await self.nodes.ask(_question(caller, call, right, verdict, number), call)
        return None if told is None else msgspec.convert(told, _Told)

    async def _told(
        self, caller: Caller, call: Call, right: Right | None, verdict: ShareVerdict, number: uuid.UUID
    ) -> _Told:
        question = _question(caller, call, right, verdict, number)
        lane = self._queries if call.method == "query" else self._batches
        for again in (False, True):
            secret = os.urandom(32)
            question["holder"] = hashlib.sha256(secret).hexdigest()
            asked = (_encode(question), secret)
            try:
                return await self._one_by_one(asked) if armed() else await lane.submit(asked)
            except CONNECTION_LOST as error:
                if again:
                    raise CallNotReleased(2, reason="数据库暂时连不上") from error
            except asyncpg.PostgresError as error:
                # Out of memory, deadlock, cancelled: the database is in trouble and not the call. Nothing was entered.
                if str(getattr(error, "sqlstate", ""))[:2] in _IN_TROUBLE:
                    raise CallNotReleased(2, reason="数据库正忙") from error
                raise
        raise AssertionError

    async def _both(self, asked: Sequence[_Asked]) -> Sequence[_Told]:
        calls = (b"[" + b",".join(body for body, _ in asked) + b"]").decode()
        return _decode_told(
            await self.pool.fetchval(QUERIES["deliver"], calls, [secret for _, secret in asked])
        )

    async def _one_by_one(self, asked: _Asked) -> _Told:
        """The same in two journeys, so that the moment between them can be held."""
        tickets = await self.pool.fetchval(QUERIES["ask"], f"[{asked[0].decode()}]")
        await reach("asked")
        (told,) = _decode_told(await self.pool.fetchval(QUERIES["release"], tickets, [asked[1]]))
        await reach("released")
        return told

    async def _enter(self, entries: Sequence[Entry]) -> object:
        return await self.pool.fetchval(QUERIES["enter"], entries)


_DAILY: Final = Breach(
    "share.per_day",
    "data-sharing-2025:25",
    "今天的调用量已经到了授权的上限。",
    "Today's calls have reached the grant's limit.",
)
_BY_RULE: Final = {
    "exchange.offline": Breach(
        "exchange.offline",
        "data-sharing-2025:25",
        "这项资源现在没有可以查询的登记簿。",
        "This resource has no register to ask now.",
    ),
}
_OTHER: Final = Breach(
    "exchange.bounds", "data-sharing-2025:25", "这次调用超出了授权的范围。", "This call is outside the grant."
)


def _question(
    caller: Caller, call: Call, right: Right | None, verdict: ShareVerdict, number: uuid.UUID
) -> dict[str, object]:
    granted = right.share.fields if right else frozenset[str]()
    known = right.known if right else frozenset[str]()
    signed = caller.signed
    return {
        "call": number,
        "key": signed.key.id,
        "nonce": signed.nonce,
        "until": signed.expires + 2 * SKEW,
        "sequence": signed.sequence,
        "consumer": caller.consumer,
        "resource": call.resource,
        "grant_id": right.share.id if right else None,
        "version": right.share.version if right else None,
        "method": call.method,
        "fields": [field for field in call.fields if field in granted],
        # What a caller made up does not get into the ledger, which everybody may read.
        "withheld": [field for field in call.fields if field in known and field not in granted],
        "subjects": [{"n": one.n, "s": one.scheme, "v": one.value} for one in call.subjects],
        "case_no": call.case,
        "refused": None
        if verdict.allowed
        else {"reason": "policy", "rule": verdict.breaches[0].rule, "law": verdict.breaches[0].law},
    }


def _answer(right: Right, call: Call, told: _Told) -> Answer:
    found: dict[int, list[Record]] = {}
    missing: dict[int, int | None] = {}
    for party in told.parties:
        if party.state == "missing":
            missing[int(party.party)] = party.entry
            continue
        fields = {name: Value(*value) for name, value in (party.facts or {}).items()}
        found.setdefault(int(party.party), []).append(Record(fields, party.entry or 0))
    results = [
        *(Result(n, "found", tuple(records), records[0].entry) for n, records in found.items()),
        *(Result(n, "missing", (), entry) for n, entry in missing.items()),
        *(Result(n, "refused") for n in call.unread),
    ]
    granted = right.share.fields
    withheld = tuple(field for field in call.fields if field not in granted)
    return Answer(right, call, withheld, tuple(sorted(results, key=lambda one: one.n)))


def _right(row: Any) -> Right:
    share = ShareGrant(
        row["id"],
        row["version"],
        row["consumer"],
        row["resource"],
        frozenset(row["fields"]),
        row["purpose"],
        row["matter"],
        row["basis"],
        frozenset(row["methods"]),
        row["starts"],
        row["expires"],
        row["state"],
    )
    return Right(share, row["title"], row["register"], frozenset(row["known"]), row["per_day"], row["used"])
