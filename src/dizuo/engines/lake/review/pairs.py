"""Review: two officials look at a pair that the machine may not decide, each for himself; only if both say the same is it decided.

What they see is entered in the ledger before it leaves the database, and appears in the record of use of the persons concerned.
"""

# ruff: noqa: S608 - statements are put together from pieces of our own, never anything given

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg
import msgspec

from dizuo.engines.lake.review.errors import PairDecided, PairUnknown, SamePerson, VerdictInvalid
from dizuo.engines.lake.review.evidence import Waterfall
from dizuo.foundation.store import Pool

Verdict = Literal["same", "different", "unsure"]
VERDICTS: Final[Mapping[str, str]] = {"same": "同一人", "different": "不是同一人", "unsure": "看不清"}
WHY: Final[Mapping[str, str]] = {
    "uncertain": "证据不够，机器不下结论",
    "two_numbers": "其他各项很像，但两个证件号码都有效且不同",
    "two_births": "其他各项很像，但出生日期不同",
    "too_many": "连在一起的写法太多",
    "questioned": "有人提出疑问",
}
STATES: Final[Mapping[str, str]] = {
    "open": "待第一人核", "second": "待第二人核", "disputed": "意见不一，待第三人核", "same": "已定：同一人", "different": "已定：不是同一人",
}  # fmt: skip
_FIELDS: Final = {
    "name": "姓名", "former_name": "曾用名", "sex": "性别", "birth_date": "出生日期", "citizen_id": "公民身份号码", "id_other": "其他证件号码",
    "uscc": "统一社会信用代码", "phone": "电话", "division": "区划", "address_rest": "地址", "as_of": "数据日期",
}  # fmt: skip

_SUMMARY: Final = """
    SELECT p.id, p.entity, split_part(p.left_record, ':', 1), split_part(p.right_record, ':', 1), p.weight, p.why, p.state, p.found_at,
           (SELECT count(*) FROM lake.identity_vote v WHERE v.pair = p.id),
           EXISTS (SELECT FROM lake.identity_vote v WHERE v.pair = p.id AND v.by = $1) AS mine
    FROM lake.identity_pair p"""
_A_DAY: Final = 0.2
_WITHIN: Final = """($2::text[] IS NULL OR split_part(p.left_record, ':', 1) = ANY ($2)
                         OR split_part(p.right_record, ':', 1) = ANY ($2))"""


class PairSummary(msgspec.Struct, frozen=True):
    """A pair in the queue, without any value. ``mine``: the asking official has voted on it; ``votes``: how many have."""

    id: int
    entity: str
    left_source: str
    right_source: str
    weight: float
    why: str
    state: str
    found_at: datetime
    votes: int
    mine: bool


class Waiting(msgspec.Struct, frozen=True):
    """Pairs that wait: for the asking official, for a second opinion, for a third; ``mine``: undecided ones that the official voted on."""

    to_judge: int
    second: int
    disputed: int
    mine: int


class Mark(msgspec.Struct, frozen=True):
    """One stretch of a value: ``differs`` when the other side has something else there."""

    text: str
    differs: bool


class FieldPair(msgspec.Struct, frozen=True):
    """One field side by side, cut into stretches. ``state``: same, differs, left_only, right_only."""

    id: str
    what: str
    left: tuple[Mark, ...]
    right: tuple[Mark, ...]
    state: str


class Vote(msgspec.Struct, frozen=True):
    """What an official said."""

    by: str
    verdict: str
    reason: str
    at: datetime


class PairFace(msgspec.Struct, frozen=True):
    """A pair without any value; ``votes`` are empty until the asking official has voted."""

    about: PairSummary
    votes: tuple[Vote, ...]


class Pair(msgspec.Struct, frozen=True):
    """Two records side by side with the evidence; ``entry`` is the ledger's entry of this look."""

    id: int
    entity: str
    left_record: str
    right_record: str
    left_cid: int
    right_cid: int
    why: str
    state: str
    fields: tuple[FieldPair, ...]
    evidence: Waterfall
    votes: tuple[Vote, ...]
    entry: int


async def review_queue(
    pool: Pool, by: str, *, limit: int = 50, after: int = 0, sources: Sequence[str] | None = None
) -> tuple[PairSummary, ...]:
    """What waits for people: disputed first, then those that lack a second vote, then what somebody doubts, then by evidence and age.

    A day of waiting counts as a fifth of a bit, so that among tens of thousands yesterday's doubts are not for ever behind today's;
    those ``by`` voted on come last.
    ``after`` skips so many; ``sources``: only pairs with a record of one of them. Errors: the pool's.
    """
    rows = await pool.fetch(
        f"""
        {_SUMMARY} WHERE p.decided_at IS NULL AND {_WITHIN}
        ORDER BY mine, CASE p.state WHEN 'disputed' THEN 0 WHEN 'second' THEN 1 ELSE 2 END, p.why <> 'questioned',
                 p.weight + {_A_DAY} * extract(epoch FROM now() - p.found_at) / 86400 DESC, p.id LIMIT $3 OFFSET $4
        """,
        by,
        sources,
        max(1, min(limit, 500)),
        max(0, after),
    )
    return tuple(PairSummary(*row.values()) for row in rows)


async def waiting_pairs(pool: Pool, by: str, *, sources: Sequence[str] | None = None) -> Waiting:
    """How many pairs wait, of all or of some sources. Errors: the pool's."""
    row = await pool.fetchrow(
        f"""
        SELECT count(*) FILTER (WHERE NOT q.mine), count(*) FILTER (WHERE q.state = 'second'),
               count(*) FILTER (WHERE q.state = 'disputed'), count(*) FILTER (WHERE q.mine)
        FROM ({_SUMMARY} WHERE p.decided_at IS NULL AND {_WITHIN}) AS q
        """,
        by,
        sources,
    )
    assert row is not None
    return Waiting(*row.values())


async def pair_face(pool: Pool, pair: int, by: str) -> PairFace:
    """A pair without any value: where it comes from, how far it is, and what ``by`` may know of the opinions. Errors: PairUnknown."""
    row = await pool.fetchrow(f"{_SUMMARY} WHERE p.id = $2", by, pair)
    if row is None:
        raise PairUnknown()
    one = PairSummary(*row.values())
    return PairFace(one, await _votes(pool, pair, by, one.state))


async def review_pair(
    pool: Pool, pair: int, by: str, purpose: str, post: tuple[str, str] | None = None
) -> Pair:
    """A pair with its values: the look is entered first, and is durable before a value leaves.

    ``post``: (organisation, post) in which one looks, for the record of use of the persons concerned. Errors: PairUnknown.
    """
    try:
        if post is None:
            entry = int(await pool.fetchval("SELECT lake.look_at_pair($1, $2, $3)", pair, by, purpose))
        else:
            told = {"unit": post[0], "post": post[1]}
            entry = int(
                await pool.fetchval("SELECT lake.look_at_pair($1, $2, $3, $4)", pair, by, purpose, told)
            )
    except asyncpg.PostgresError as error:
        raise _told(error) from error
    row = await pool.fetchrow(
        "SELECT p.entity, p.left_record, p.right_record, p.left_cid, p.right_cid, p.why, p.state, p.evidence, s.left_values, s.right_values"
        " FROM lake.identity_pair p, lake.pair_values($1, $2) s WHERE p.id = $1",
        pair,
        entry,
    )
    assert row is not None
    votes = await _votes(pool, pair, by, row["state"])
    return Pair(
        pair, row["entity"], row["left_record"], row["right_record"], row["left_cid"], row["right_cid"], row["why"], row["state"],
        side_by_side(row["left_values"], row["right_values"]), msgspec.convert(row["evidence"], Waterfall),
        votes, entry,
    )  # fmt: skip


async def _votes(pool: Pool, pair: int, by: str, state: str) -> tuple[Vote, ...]:
    """The second official judges for himself: what the first said is for those who have voted, or for all when all is said."""
    votes = await pool.fetch(
        "SELECT v.by, v.verdict, v.reason, v.at FROM lake.identity_vote v WHERE v.pair = $1 ORDER BY v.at, v.by",
        pair,
    )
    open_to = state in {"same", "different"} or any(vote["by"] == by for vote in votes)
    return tuple(Vote(*vote.values()) for vote in votes) if open_to else ()


async def decide_pair(pool: Pool, pair: int, by: str, verdict: Verdict, reason: str) -> str:
    """Say what one thinks of a pair; returns its state: second, disputed, same or different. Two of one opinion decide.

    Errors: VerdictInvalid, PairUnknown, PairDecided, SamePerson (the same official a second time).
    """
    said = " ".join(reason.split())
    wrong = {} if verdict in VERDICTS else {"verdict": "请选择核定结果。"}
    if not 2 <= len(said) <= 500:
        wrong["reason"] = "请写明理由，2 到 500 个字。"
    if wrong:
        raise VerdictInvalid(wrong)
    try:
        return str(await pool.fetchval("SELECT lake.vote_pair($1, $2, $3, $4)", pair, by, verdict, said))
    except asyncpg.PostgresError as error:
        raise _told(error) from error


def side_by_side(left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[FieldPair, ...]:
    """Fields that at least one side has, with the stretches marked that differ."""
    found: list[FieldPair] = []
    for name, what in _FIELDS.items():
        one, other = str(left.get(name) or ""), str(right.get(name) or "")
        if one or other:
            marks = _marked(one, other)
            state = (
                "same"
                if one == other
                else "left_only"
                if not other
                else "right_only"
                if not one
                else "differs"
            )
            found.append(FieldPair(name, what, *marks, state))
    return tuple(found)


def _marked(one: str, other: str) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """Both texts cut where they part: from the longest common stretches, as difflib finds them."""
    from difflib import SequenceMatcher

    left: list[Mark] = []
    right: list[Mark] = []
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if b > a:
            left.append(Mark(one[a:b], tag != "equal"))
        if d > c:
            right.append(Mark(other[c:d], tag != "equal"))
    return tuple(left), tuple(right)


def _told(error: asyncpg.PostgresError) -> Exception:
    kinds = {"DZ040": PairUnknown, "DZ041": PairDecided, "DZ042": SamePerson}
    kind = kinds.get(str(getattr(error, "sqlstate", "")))
    return kind() if kind else error
