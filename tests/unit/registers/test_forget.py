"""What is personal in an entry can be erased, and every proof that anybody holds stays valid."""

from __future__ import annotations

import datetime as dt

import asyncpg
import pytest
from small_city import FATHER, MOTHER

from dizuo.engines.registers import ReadRequest, forget
from dizuo.foundation.ledger import Sealer, SigningKey, proof, verify, verify_proof
from dizuo.foundation.store import begin

ORIGIN = "dizuo.test/registers"


async def test_forgetting_keeps_every_proof(town, pg, app_pool, sealer_pool, eraser_pool, frozen_now):
    request = ReadRequest("newborn", {"applicant": str(town.ids[MOTHER])}, "draft-9", town.resident())
    result = await town.registers.read(request)
    key = SigningKey.generate(ORIGIN)
    sealer = Sealer(sealer_pool, key, ORIGIN)
    await sealer.seal_once()
    async with pg() as owner:
        held = await proof(owner, result.entries[0])
        later = await owner.fetchval("SELECT clock_timestamp() + interval '1 day'")
        async with begin(eraser_pool, frozen_now) as tx:
            early = await forget(
                tx, town.ids[MOTHER], before=later - dt.timedelta(days=9), basis="pipl:47", case="K"
            )
            erased = await forget(tx, town.ids[MOTHER], before=later, basis="pipl:47", case="K")
            again = await forget(tx, town.ids[MOTHER], before=later, basis="pipl:47", case="K")
        rows = await owner.fetch(
            "SELECT subject, payload, salt FROM ledger.entry WHERE id = ANY ($1)", list(result.entries)
        )
        others = await owner.fetchval(
            "SELECT count(*) FROM ledger.entry WHERE subject = $1", town.ids[FATHER]
        )
        await sealer.seal_once()
        report = await verify(owner, key.public)
        fresh = await proof(owner, result.entries[0])
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="erase"):
            async with begin(app_pool, frozen_now) as tx:
                await forget(tx, town.ids[FATHER], before=later, basis="pipl:47", case="K")
    assert (early, again) == (0, 0)
    assert erased > 0
    assert any(row["subject"] is None and row["payload"] is None and row["salt"] is None for row in rows)
    assert others > 0  # another person's entries stay
    assert report.ok, report
    proven = verify_proof(held, key.public)
    assert proven.id == result.entries[0]
    assert verify_proof(fresh, key.public).commitment == proven.commitment
