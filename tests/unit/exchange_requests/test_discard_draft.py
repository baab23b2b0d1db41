"""A draft is deleted by whoever drafted it while nobody else has seen it; the ledger keeps its number."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from share_people import ASKER, CHECKER, OTHER, drafted, official, sent, step

from dizuo.engines.exchange.requests import (
    NotDrafter,
    RequestMoved,
    RequestUnknown,
    Sharing,
    discard_draft,
    drafter,
)
from dizuo.engines.exchange.requests.sharing import load


async def test_its_drafter_deletes_it_and_the_ledger_keeps_the_number(sharing: Sharing, pg: Any) -> None:
    number = await drafted(sharing)
    request = await load(sharing.pool, number)
    colleague = (official("13", "civil", "share.request"),)
    for others, error in ((colleague, NotDrafter), (CHECKER, NotDrafter), (OTHER, RequestUnknown)):
        assert drafter(others, request) is None
        with pytest.raises(error):
            await discard_draft(sharing, others, number, request.version)
    with pytest.raises(RequestMoved):
        await discard_draft(sharing, ASKER, number, request.version - 1)
    await discard_draft(sharing, ASKER, number, request.version)
    with pytest.raises(RequestUnknown):
        await load(sharing.pool, number)
    async with pg() as owner:
        entry = await owner.fetchrow(
            "SELECT body FROM ledger.entry WHERE kind = 'share.discard' AND body ->> 'number' = $1", number
        )
        left = await owner.fetchval("SELECT count(*) FROM exchange.share_step WHERE request = $1", request.id)
    assert entry["body"]["actor"] == "11"
    assert left == 0


async def test_what_others_have_seen_stays(sharing: Sharing, pg: Any) -> None:
    number = await sent(sharing)
    with pytest.raises(NotDrafter):
        await discard_draft(sharing, ASKER, number, (await load(sharing.pool, number)).version)
    back = await drafted(sharing)
    await step(sharing, ASKER, back, "submit")
    await step(sharing, CHECKER, back, "return", "请补写使用范围")
    request = await load(sharing.pool, back)
    assert request.state == "draft"
    with pytest.raises(NotDrafter):
        await discard_draft(sharing, ASKER, back, request.version)
    # Neither may the serving role, nor anybody by another way.
    async with sharing.pool.acquire() as app:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await app.fetchval(
                "SELECT exchange.discard_draft($1, $2, $3)",
                request.id,
                request.version,
                {"account": "11", "unit": "civil"},
            )
        assert refused.value.sqlstate == "DZ052"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("DELETE FROM exchange.share_step WHERE request = $1", request.id)
    async with pg() as owner:
        with pytest.raises(asyncpg.PostgresError) as kept:
            await owner.execute("DELETE FROM exchange.share_step WHERE request = $1", request.id)
        assert kept.value.sqlstate == "DZ058"
