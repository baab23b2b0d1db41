"""抹去: what is personal in a person's ended cases, when it need no longer be kept (个人信息保护法 47 条).

1. Own cases lose names, answers, files, words and messages; what was done, when, by which post and on which law stays.
2. In others' cases only the person's own part goes. A document that is valid stays: it is the person's title.
3. One function of the database does it, only for the role ``dizuo_eraser``, and enters it in the same breath.

The history is bound by salted commitments whose salts go too. The digest that archiving put into the ledger covers
reasons, so after this it tells only that something was there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec

from dizuo.foundation.store import Queries, Tx

FORGET: Final[Mapping[str, str]] = Queries.load("dizuo.engines.cases", "forget.sql")


class Forgotten(msgspec.Struct, frozen=True):
    """How many own cases and others' were emptied, how many files went, how many valid documents stay."""

    own: int
    others: int
    files: int
    kept: int


async def forget_cases(tx: Tx, subject: int, *, before: dt.datetime, basis: str, case: str) -> Forgotten:
    """Erase what is personal in cases of ``subject`` (an identity id) that ended before ``before``.

    ``basis`` is law:article, ``case`` where it was decided; both are entered as ``case.forget``. In the caller's
    transaction, on a connection of ``dizuo_eraser``: no other role may. The caller answers for the period of keeping.
    """
    row = await tx.conn.fetchrow(FORGET["forget"], subject, before, basis, case)
    assert row is not None
    return Forgotten(row["own"], row["others"], row["files"], row["kept"])
