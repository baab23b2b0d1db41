"""The public log: tiles and bundles are what C2SP tlog-tiles says, and nothing more than what was signed."""

from __future__ import annotations

import pytest

from dizuo.foundation.ledger import (
    CONTENTS,
    ENTRIES,
    Checkpoint,
    Entry,
    Sealer,
    SigningKey,
    Tile,
    proof,
    served_checkpoint,
    tile_bytes,
    verify_proof,
)
from dizuo.foundation.ledger.errors import EntryTooLong, LedgerBroken, NothingSealed, TileUnknown
from dizuo.foundation.ledger.merkle import Edge, leaf_hash
from dizuo.foundation.store import Pool

pytestmark = pytest.mark.usefixtures("empty_ledger")


async def fill(pool: Pool, count: int) -> None:
    entries = [
        Entry("read", {"n": n, "依据": "户口登记条例§7"}, 100 + n % 7, {"case": f"WX{n}"})
        for n in range(count)
    ]
    await pool.fetchval("SELECT ledger.append_batch($1)", entries)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "0/x001/x234/067"),
        (Tile(3, 0, 5), "3/000.p/5"),
        (Tile(ENTRIES, 999), "entries/999"),
        (Tile(CONTENTS, 1234, 5), "contents/x001/234.p/5"),
        (Tile(63, 1000, 255), "63/x001/000.p/255"),
    ],
)
def test_a_tile_has_one_address(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "wrong",
    ["", "0", "0/0", "0/0000", "00/000", "64/000", "0/x000/001", "0/001/002", "0/000.p/256", "0/000.p/0", "0/000.p/01",
     "0/000.p/", "entries/00a", "0/٠٠٠", "-1/000", "0/000/", "0/000\n"],
)  # fmt: skip
def test_another_address_is_no_tile(wrong: str) -> None:
    with pytest.raises(TileUnknown):
        Tile.parse(wrong)


def unbundled(body: bytes) -> list[bytes]:
    entries: list[bytes] = []
    while body:
        length = int.from_bytes(body[:2], "big")
        entries.append(body[2 : 2 + length])
        assert len(entries[-1]) == length
        body = body[2 + length :]
    return entries


async def test_tiles_lead_to_the_signed_root(app_pool: Pool, sealer: Sealer, key: SigningKey) -> None:
    async with app_pool.acquire() as connection:
        with pytest.raises(NothingSealed):
            await served_checkpoint(connection)
        with pytest.raises(TileUnknown):
            await tile_bytes(connection, Tile(0, 0, 1))
        await fill(app_pool, 600)
        with pytest.raises(TileUnknown):  # what is not signed for is not told
            await tile_bytes(connection, Tile(0, 0, 1))
        await sealer.seal_once()
        head = Checkpoint.open(await served_checkpoint(connection), key.public)
        assert head.size == 600
        leaves = b"".join(
            [await tile_bytes(connection, Tile(0, n, w)) for n, w in ((0, 256), (1, 256), (2, 88))]
        )
        bundles = [
            await tile_bytes(connection, Tile(ENTRIES, n, w)) for n, w in ((0, 256), (1, 256), (2, 88))
        ]
        entries = [entry for body in bundles for entry in unbundled(body)]
        assert b"".join(map(leaf_hash, entries)) == leaves
        edge = Edge()
        for entry in entries:
            edge.append(leaf_hash(entry))
        assert edge.root() == head.root
        upper = await tile_bytes(connection, Tile(1, 0, 2))
        for n in (0, 1):
            part = Edge()
            for leaf in entries[n * 256 : n * 256 + 256]:
                part.append(leaf_hash(leaf))
            assert upper[n * 32 : n * 32 + 32] == part.root()
        for beyond in (
            Tile(0, 2),
            Tile(0, 2, 89),
            Tile(0, 3, 1),
            Tile(1, 0, 3),
            Tile(1, 0),
            Tile(2, 0, 1),
            Tile(ENTRIES, 2, 89),
        ):
            with pytest.raises(TileUnknown):
                await tile_bytes(connection, beyond)
        assert (
            await tile_bytes(connection, Tile(0, 2, 7)) == leaves[512 * 32 : 519 * 32]
        )  # as of an earlier size
        assert not any(b"WX" in body for body in bundles), "a case number is personal"


async def test_a_tile_with_a_hole_is_not_served(app_pool: Pool, owner_pool: Pool, sealer: Sealer) -> None:
    await fill(app_pool, 20)
    await sealer.seal_once()
    async with owner_pool.acquire() as owner, owner.transaction():
        await owner.execute(
            "ALTER TABLE ledger.leaf DISABLE TRIGGER append_only; DELETE FROM ledger.leaf WHERE seq = 3"
        )
        await owner.execute("ALTER TABLE ledger.leaf ENABLE TRIGGER append_only")
    async with app_pool.acquire() as connection:
        for tile in (Tile(0, 0, 20), Tile(ENTRIES, 0, 20)):
            with pytest.raises(LedgerBroken):
                await tile_bytes(connection, tile)


async def test_an_entry_too_long_for_the_format_spoils_only_the_bundle_of_contents(
    app_pool: Pool, sealer: Sealer, key: SigningKey
) -> None:
    ids: list[int] = await app_pool.fetchval(
        "SELECT ledger.append_batch($1)", [Entry("read", {"long": "长" * 30_000}), Entry("read", {})]
    )
    await sealer.seal_once()
    async with app_pool.acquire() as connection:
        with pytest.raises(EntryTooLong):
            await tile_bytes(connection, Tile(CONTENTS, 0, 2))
        assert len(unbundled(await tile_bytes(connection, Tile(ENTRIES, 0, 2)))) == 2
        assert len(await tile_bytes(connection, Tile(0, 0, 2))) == 64
        assert verify_proof(await proof(connection, ids[0]), key.public).id == ids[0]
