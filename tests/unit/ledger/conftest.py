"""A ledger of this module's own, with its key and sealer."""

from __future__ import annotations

import pytest

from dizuo.foundation.ledger import Sealer, SigningKey
from dizuo.foundation.store import Pool

ORIGIN = "test.dizuo/ledger"


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate(ORIGIN)


@pytest.fixture
def sealer(sealer_pool: Pool, key: SigningKey) -> Sealer:
    return Sealer(sealer_pool, key, ORIGIN)


@pytest.fixture
async def empty_ledger(owner_pool: Pool) -> None:
    """Start from nothing: the owner puts the guards aside, as only an owner can."""
    async with owner_pool.acquire() as connection, connection.transaction():
        for table in ("entry", "leaf", "node", "cosignature", "stamp", "checkpoint", "suite"):
            await connection.execute(
                f"ALTER TABLE ledger.{table} DISABLE TRIGGER append_only;"
                f"TRUNCATE ledger.{table};"
                f"ALTER TABLE ledger.{table} ENABLE TRIGGER append_only"
            )
        await connection.execute(
            "TRUNCATE ledger.person, ledger.erased_tag, ledger.tag_segment, ledger.tag_block"
        )
