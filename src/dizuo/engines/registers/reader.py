"""The registers as a process sees them: reads in two steps, sign-in look-ups, declared writes."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import uuid
from collections.abc import Sequence
from typing import Literal

import asyncpg
import msgspec

from dizuo.engines.registers.errors import SAYS, MatterUnknown, QuestionInvalid, ReadNotReleased
from dizuo.engines.registers.failpoints import reach, steps_apart
from dizuo.engines.registers.model import (
    Actor,
    Candidate,
    Fact,
    Guard,
    PartyState,
    ReadRequest,
    ReadResult,
    Refusal,
    RegisterChange,
    Scalar,
    Thread,
    Written,
)
from dizuo.engines.registers.writes import apply_writes
from dizuo.foundation.blueprint.model import City, Item
from dizuo.foundation.ledger import Batcher
from dizuo.foundation.policy import Ask, Policy, Principal, Relation, Request, Verdict
from dizuo.foundation.store import CONNECTION_LOST, Pool, Queries, Tx

_QUERIES = Queries.load("dizuo.engines.registers")
_IDENTITY_DIGITS = 15
"""A given party of at most so many digits is an identity id; record keys of persons and enterprises have 18."""
_LARGEST = 64 * 1024
_KEPT = 1000
"""So many lists that people ask again and again are sent by their digest."""
_LISTED = ("items", "facts", "more")
_Lists = tuple[str, tuple[str, ...], tuple[str, ...], tuple[Guard, ...]]
_encode = msgspec.json.Encoder().encode


class _Party(msgspec.Struct):
    party: str
    register: str
    state: Literal["found", "missing", "choose", "waiting"]
    key: str | None = None
    entry: int | None = None
    facts: dict[str, tuple[Scalar, str, dt.date | None]] | None = None
    candidates: list[tuple[str, dict[str, Scalar]]] | None = None
    valid: tuple[dt.date | None, dt.date | None] | None = None


class _Refusal(msgspec.Struct):
    reason: str
    entry: int
    rule: str = ""
    law: str = ""
    says: str = ""
    items: list[str] | None = None


class _Answer(msgspec.Struct):
    closed: str | None = None
    identity: int | None = None
    parties: list[_Party] = []
    refusals: list[_Refusal] = []
    entries: list[int] = []
    more: list[bool] | None = None


class _Exchanged(msgspec.Struct):
    tickets: list[uuid.UUID]
    answers: list[_Answer]


_decode_exchanged = msgspec.json.Decoder(_Exchanged).decode
_decode_tickets = msgspec.json.Decoder(list[uuid.UUID]).decode
_decode_answers = msgspec.json.Decoder(list[_Answer]).decode


class Registers:
    """The only door to the registers in a process: ``Registers(pool, city, policy)``, opened once.

    Concurrent reads share their transactions. ``pool`` signs in as dizuo_app.
    """

    def __init__(self, pool: Pool, city: City, policy: Policy) -> None:
        self._pool = pool
        self._city = city
        self._policy = policy
        # Built once: a frozen set keeps its hash, and every read asks policy about every item.
        self._needs = {
            (matter.id, item.id): (
                frozenset(need.purpose for need in item.needs),
                frozenset(fact for need in item.needs for fact in need.facts),
            )
            for matter in city.matters.values()
            for item in matter.items
        }
        self._kept: dict[_Lists, str] = {}
        self._exchanges = Batcher[tuple[bytes, bytes], tuple[uuid.UUID, _Answer]](self._both, limit=128)

    async def read(self, request: ReadRequest) -> ReadResult:
        """What the actor may know about the request's parties; entered and on disk before it is here.

        Refused items and refused reads are in ``refusals``, never silently missing. Errors: MatterUnknown,
        ReadNotReleased (retry), the pool's errors; in each case no value has left the database.
        """
        matter = self._city.matters.get(request.access)
        if matter is None:
            raise MatterUnknown(matter=request.access)
        wanted = [item for item in matter.items if request.items is None or item.id in request.items]
        allowed, refused = self._judge(request, wanted)
        unknown = (
            [] if request.items is None else [i for i in request.items if i not in {w.id for w in wanted}]
        )
        question = _question(request, self._city.version, [*allowed, *unknown], refused)
        if refused or unknown or not allowed or request.facts is None or request.after is not None:
            return _result(*await self._exchange(question))
        lists = (request.access, tuple(allowed), request.facts, request.more)
        answer, thread = await self._exchange(await self._shortened(question, lists))
        if answer.closed == "again":  # the database has forgotten these lists: once more with them
            self._kept.pop(lists, None)
            answer, thread = await self._exchange(question)
        return _result(answer, thread)

    async def identity_of(self, scheme: str, number: str, channel: str = "online") -> int | None:
        """The identity of a number, for signing in; None when the city does not know it. Entered either way."""
        answer, _ = await self._exchange(
            {"sign_in": {"scheme": scheme, "number": number, "channel": channel}}
        )
        return answer.identity

    async def apply_writes(self, tx: Tx, changes: Sequence[RegisterChange]) -> tuple[Written, ...]:
        """New versions caused by granted items or corrections, entered in the same transaction.

        Errors: WriteRefused when policy, the declarations or one source per field do not allow it; RecordGone.
        """
        return await apply_writes(tx, self._city, self._policy, changes, _QUERIES["write"])

    async def close(self) -> None:
        """Take no new reads and finish those under way."""
        await self._exchanges.close()

    # ------------------------------------------------------------------ policy

    def _judge(
        self, request: ReadRequest, items: Sequence[Item]
    ) -> tuple[list[str], list[dict[str, object]]]:
        """The items that policy allows, and the refusals to enter, grouped by rule."""
        actor = request.actor
        principal = principal_of(actor)
        relation = relation_of(actor)
        allowed: list[str] = []
        refused: dict[tuple[str, str, str], list[str]] = {}
        for item in items:
            purposes, facts = self._needs[request.access, item.id]
            ask = Ask(relation, request.place, "", purposes, facts, bool(request.case.strip()))
            verdict: Verdict = self._policy.decide(
                Request(principal, "read", f"{request.access}.{item.id}", ask)
            )
            if verdict.allowed:
                allowed.append(item.id)
            else:
                refused.setdefault((verdict.rule, verdict.law, verdict.why_zh), []).append(item.id)
        return allowed, [
            {"items": ids, "rule": rule, "law": law, "says": says}
            for (rule, law, says), ids in refused.items()
        ]

    # ---------------------------------------------------------------- two steps

    async def _shortened(self, question: dict[str, object], lists: _Lists) -> dict[str, object]:
        """The question with the digest of its lists in their place, as the database keeps them; whole where it does not."""
        digest = self._kept.get(lists)
        if digest is None:
            said = {name: question[name] for name in _LISTED if name in question}
            body = _encode({**said, "access": question["access"], "version": question["version"]})
            if _unfit(body):
                return question
            try:
                digest = str(await self._pool.fetchval(_QUERIES["keep_asked"], body.decode()))
            except asyncpg.PostgresError:
                return question  # whatever is wrong with it is told, and entered, by the read itself
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[lists] = digest
        return {**{name: value for name, value in question.items() if name not in _LISTED}, "known": digest}

    async def _exchange(self, question: dict[str, object]) -> tuple[_Answer, Thread]:
        """Both steps; once more when the database went away between them (what was entered then stays entered)."""
        try:
            return await self._two_steps(question)
        except CONNECTION_LOST:
            try:
                return await self._two_steps(question)
            except CONNECTION_LOST as error:
                raise ReadNotReleased(2, reason="数据库暂时连不上") from error

    async def _two_steps(self, question: dict[str, object]) -> tuple[_Answer, Thread]:
        secret = os.urandom(32)
        question["holder"] = hashlib.sha256(secret).hexdigest()
        body = _encode(question)
        if _unfit(body):
            raise QuestionInvalid
        await reach("asking")
        if steps_apart():
            ticket, answer = await self._one_by_one(body, secret)
        else:
            ticket, answer = await self._exchanges.submit((body, secret))
        await reach("released")
        if answer.closed is not None and answer.closed != "again":
            raise ReadNotReleased(1, reason=answer.closed)
        return answer, Thread(ticket, secret)

    async def _both(self, asked: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[uuid.UUID, _Answer]]:
        batch = (b"[" + b",".join(body for body, _ in asked) + b"]").decode()
        secrets = [secret for _, secret in asked]
        done = _decode_exchanged(await self._pool.fetchval(_QUERIES["exchange"], batch, secrets))
        return list(zip(done.tickets, done.answers, strict=True))

    async def _one_by_one(self, body: bytes, secret: bytes) -> tuple[uuid.UUID, _Answer]:
        """The same in two journeys, so that the moment between them can be held."""
        (ticket,) = _decode_tickets(await self._pool.fetchval(_QUERIES["request"], f"[{body.decode()}]"))
        await reach("asked")
        (answer,) = _decode_answers(await self._pool.fetchval(_QUERIES["release"], [ticket], [secret]))
        return ticket, answer


def _unfit(body: bytes) -> bool:
    """Too long, or with a NUL, which jsonb does not know: one such question would fail everybody in its batch."""
    return len(body) > _LARGEST or b"\\u0000" in body


def principal_of(actor: Actor) -> Principal:
    """What policy may know about an actor: the shape, not the person."""
    if actor.kind == "resident":
        return Principal("resident")
    return Principal(actor.kind, actor.unit or "", actor.post or "", actor.powers, actor.place)


def relation_of(actor: Actor) -> Relation:
    """How the actor stands to the person at the start of the chain; the database checks that it is that person."""
    if actor.kind == "resident":
        if actor.acting_for is not None:
            return "for"
        return "self" if actor.subject is not None else "none"
    return "served" if actor.kind == "official" and actor.acting_for is not None else "duty"


def _question(
    request: ReadRequest, version: str, items: list[str], refused: list[dict[str, object]]
) -> dict[str, object]:
    actor = msgspec.to_builtins(request.actor)
    del actor["powers"]
    question: dict[str, object] = {
        "access": request.access,
        "version": version,
        "items": items,
        "facts": request.facts,
        "given": {party: _given(value) for party, value in request.given.items()},
        "case": request.case,
        "actor": actor,
        "refused": refused,
        "as_of": request.as_of,
        "after": None
        if request.after is None
        else {"ticket": request.after.ticket, "secret": request.after.secret.hex()},
    }
    # Where policy refuses something, the planner judges what else may be wanted.
    if request.more and not refused:
        question["more"] = [[one.when, [f"{one.item}:{fact}" for fact in one.facts]] for one in request.more]
    return question


def _given(value: str) -> dict[str, object]:
    if value.isascii() and value.isdigit() and len(value) < _IDENTITY_DIGITS:
        return {"identity": int(value)}
    return {"key": value}


def _result(answer: _Answer, thread: Thread) -> ReadResult:
    facts: dict[str, Fact] = {}
    parties: dict[str, PartyState] = {}
    for p in answer.parties:
        candidates = tuple(Candidate(key, labels) for key, labels in p.candidates or ())
        parties[p.party] = PartyState(p.state, p.key, candidates)
        entry = p.entry or 0
        since, until = p.valid or (None, None)
        for field, (value, source, as_of) in (p.facts or {}).items():
            facts[f"{p.party}.{field}"] = Fact(
                p.party, p.register, field, value, source, as_of, entry, since, until
            )
    refusals = tuple(
        Refusal(r.reason, tuple(r.items or ()), r.rule, r.law, r.entry, r.says or SAYS.get(r.reason, ""))
        for r in answer.refusals
    )
    return ReadResult(facts, parties, refusals, tuple(answer.entries), thread, tuple(answer.more or ()))
