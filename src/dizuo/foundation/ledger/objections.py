"""异议: a person objects to a use of their data, and the department that used them answers on a clock (个人信息保护法 50 条).

Objecting and answering are entries about the person, so both stand in the list that the objection began from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from dizuo.foundation.ledger.entry import EntryView
from dizuo.foundation.ledger.errors import ObjectionAnswered, ObjectionInvalid, ObjectionUnknown
from dizuo.foundation.store.connection import Connection, Pool
from dizuo.foundation.store.queries import Queries

LAW: Final = "pipl-2021:50"
LONGEST: Final = 1000
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")


class Objection(msgspec.Struct, frozen=True):
    """One objection to entry ``entry``; ``unit`` is who used the data and answers. ``state``: open, upheld, declined."""

    number: str
    entry: int
    unit: str
    says: str
    opened_at: datetime
    due: datetime | None
    state: str
    answer: str
    ended_at: datetime | None


async def object_to(
    pool: Pool, entry: EntryView, subject: int, unit: str, says: str, token: str, at: datetime, due: datetime | None, channel: str
) -> str:  # fmt: skip
    """Enter an objection to a use; returns its number. The same token twice is the same objection. Errors: ObjectionInvalid."""
    said = says.strip()
    if not 2 <= len(said) <= LONGEST:
        raise ObjectionInvalid({"says": f"请写下为什么，2 到 {LONGEST} 个字。"})
    async with pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval(_QUERIES["object"], token, entry.id, subject, unit, said, at, due)
        if number is None:
            number = await connection.fetchval(_QUERIES["objection_by_token"], token, subject)
            if number is None:
                raise ObjectionUnknown()
            return str(number)
        body = {"actor": {"kind": "resident", "channel": channel}, "against": unit, "law": LAW}
        hidden = {"subject": subject, "objection": number, "entry": entry.id}
        await connection.fetchval(
            "SELECT ledger.append('objection.raised', $1, $2, $3)", body, subject, hidden
        )
        return str(number)


async def objections_of(connection: Connection, subject: int) -> Sequence[Objection]:
    """A person's objections, newest first."""
    return [Objection(*row.values()) for row in await connection.fetch(_QUERIES["objections_of"], subject)]


async def objections_at(connection: Connection, organisations: Collection[str]) -> Sequence[Objection]:
    """What departments have to answer, the most urgent first, then what they answered. Nothing says who objected."""
    rows = await connection.fetch(_QUERIES["objections_at"], list(organisations))
    return [Objection(*row.values()) for row in rows]


async def open_objection(
    pool: Pool, number: str, posts: Mapping[str, str], official: int
) -> tuple[Objection, Mapping[str, Any]]:
    """One objection with the open part of the entry that it is about; that it was opened is entered about the person.

    Errors: ObjectionUnknown, also for another department's.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_QUERIES["lock_objection"], number)
        organisation = "" if row is None else row["unit"].partition(":")[0]
        if row is None or organisation not in posts:
            raise ObjectionUnknown()
        about = await connection.fetchrow(_QUERIES["covered"], row["entry"])
        actor = {"kind": "official", "unit": row["unit"], "post": posts[organisation]}
        hidden = {"objection": number, "official": official}
        await connection.fetchval(
            "SELECT ledger.append('objection.viewed', $1, $2, $3)",
            {"actor": actor, "law": LAW},
            row["subject"],
            hidden,
        )
        found = {name: row[name] for name in Objection.__struct_fields__}
        return Objection(**found), {} if about is None else msgspec.json.decode(about["body"])


async def answer_objection(
    pool: Pool, number: str, posts: Mapping[str, str], official: int, state: Literal["upheld", "declined"], answer: str, at: datetime
) -> None:  # fmt: skip
    """The department answers: upheld, or declined with the reason; ``posts`` maps the official's organisations to posts.

    Errors: ObjectionInvalid, ObjectionUnknown (also another department's), ObjectionAnswered.
    """
    said = answer.strip()
    wrong = {} if state in ("upheld", "declined") else {"state": "请选择结果。"}
    wrong |= (
        {} if 2 <= len(said) <= LONGEST else {"answer": f"请写明理由，2 到 {LONGEST} 个字，当事人会看到。"}
    )
    if wrong:
        raise ObjectionInvalid(wrong)
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_QUERIES["lock_objection"], number)
        organisation = "" if row is None else row["unit"].partition(":")[0]
        if row is None or organisation not in posts:
            raise ObjectionUnknown()
        if row["state"] != "open":
            raise ObjectionAnswered()
        await connection.execute(_QUERIES["answer_objection"], number, state, said, official, at)
        body: dict[str, Any] = {
            "actor": {"kind": "official", "unit": row["unit"], "post": posts[organisation]},
            "state": state,
            "law": LAW,
        }
        hidden = {"objection": number, "entry": row["entry"], "official": official}
        await connection.fetchval(
            "SELECT ledger.append('objection.answered', $1, $2, $3)", body, row["subject"], hidden
        )
