"""Changes that a granted item or a correction makes: checked by policy here, by the declarations in the database."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from dizuo.engines.registers.errors import RecordGone, WriteRefused
from dizuo.engines.registers.model import RegisterChange, Written
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.policy import Ask, Policy, Principal, Request
from dizuo.foundation.store import Tx

_decode = msgspec.json.Decoder(list[Written]).decode


async def apply_writes(
    tx: Tx, city: City, policy: Policy, changes: Sequence[RegisterChange], statement: str
) -> tuple[Written, ...]:
    """One statement for all changes of a decision; see ``Registers.apply_writes``."""
    if not changes:
        return ()
    for change in changes:
        _judge(city, policy, change)
    question = [_element(city.version, change) for change in changes]
    try:
        answer = await tx.conn.fetchval(statement, msgspec.json.encode(question).decode())
    except asyncpg.PostgresError as error:
        state = str(getattr(error, "sqlstate", ""))
        if state == "DZ204":
            raise RecordGone from error
        if state.startswith("DZ2"):
            raise WriteRefused(
                f"registers.{state.lower()}", "pipl-2021:46", reason=str(getattr(error, "message", error))
            ) from error
        raise
    return tuple(_decode(answer))


def _judge(city: City, policy: Policy, change: RegisterChange) -> None:
    actor = change.actor
    place = change.place or actor.place
    principal = Principal(
        "system" if actor.kind == "system" else actor.kind,
        actor.unit or "",
        actor.post or "",
        actor.powers,
        actor.place,
    )
    case = bool(change.case.strip())
    if change.item:
        request = Request(principal, "write", f"{change.matter}.{change.item}", Ask("duty", place, case=case))
    else:
        ask = Ask("duty", place, f"{change.source}.correct", facts=frozenset(change.values), case=case)
        request = Request(principal, "correct", change.register, ask)
    verdict = policy.decide(request)
    if not verdict.allowed:
        raise WriteRefused(verdict.rule, verdict.law, reason=verdict.why_zh)


def _element(version: str, change: RegisterChange) -> dict[str, object]:
    actor = msgspec.to_builtins(change.actor)
    del actor["powers"]
    return {
        "version": version,
        "register": change.register,
        "key": change.key,
        "values": change.values,
        "source": change.source,
        "date": change.date,
        "matter": change.matter,
        "item": change.item,
        "case": change.case,
        "actor": actor,
        "basis": change.basis,
        "reason": change.reason,
    }
