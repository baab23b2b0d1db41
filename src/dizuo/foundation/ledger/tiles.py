"""The ledger as static resources that any transparency-log tool reads (C2SP tlog-tiles 0.1): checkpoint, tiles, entries.

A tile is 256 hashes of one level of the tree, an entry bundle the bytes under 256 leaves. What is served follows from the
signed tree: nothing beyond the newest checkpoint is ever told. A full tile never changes, nor does a partial one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dizuo.foundation.ledger.entry import CONTENT, leaf_bytes, lines_of
from dizuo.foundation.ledger.errors import EntryTooLong, LedgerBroken, NothingSealed, TileUnknown
from dizuo.foundation.ledger.suites import Suite, suite_named
from dizuo.foundation.store.connection import Connection
from dizuo.foundation.store.queries import Queries

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = -1
"""The level of entry bundles, which stand beside the tiles of level 0."""
CONTENTS: Final = -2
"""The level of bundles of what the entries say. Leaves with a tag hold only its hash; an older leaf is the entry itself."""
FRESH: Final = 60.0
"""Seconds for which a cosigned checkpoint is preferred to a newer bare one."""
_QUERIES: Final = Queries.load("dizuo.foundation.ledger")
_NAMES: Final = {ENTRIES: "entries", CONTENTS: "contents"}
_PATH: Final = re.compile(
    r"(entries|contents|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Tile:
    """Which tile: ``level`` (or ``ENTRIES``), ``index`` in its level, ``width`` in hashes (256 when full)."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The address below ``tile/``: index 1234067 is x001/x234/067."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        name = _NAMES.get(self.level, str(self.level))
        return f"{name}/{'/'.join(groups)}{'' if self.width == WIDTH else f'.p/{self.width}'}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read such an address; one tile has one address. Errors: TileUnknown."""
        found = _PATH.fullmatch(path)
        if found is None:
            raise TileUnknown()
        level = next((n for n, name in _NAMES.items() if name == found[1]), None)
        level = int(found[1]) if level is None else level
        tile = cls(level, int(found[2].replace("x", "").replace("/", "")), int(found[3] or WIDTH))
        if tile.path != path or (found[3] and tile.width >= WIDTH):
            raise TileUnknown()
        return tile


async def served_checkpoint(connection: Connection) -> str:
    """The checkpoint to show: with cosignatures while a fresh one has some, else the newest. Errors: NothingSealed."""
    row = await connection.fetchrow(_QUERIES["served_checkpoint"], FRESH)
    if row is None:
        raise NothingSealed()
    return row["note"] + row["cosignatures"]


async def tile_bytes(connection: Connection, tile: Tile) -> bytes:
    """The hashes of a tile one after another, or the bundle of its entries (big-endian uint16 length before each).

    Errors: TileUnknown when the signed tree does not hold all of it, LedgerBroken, EntryTooLong.
    """
    head = await connection.fetchrow(_QUERIES["last_checkpoint"])
    size: int = head["size"] if head else 0
    low = tile.index * WIDTH
    high = low + tile.width
    if high > size >> (HEIGHT * max(tile.level, 0)):
        raise TileUnknown()
    if tile.level in _NAMES:
        return await _bundle(connection, low, high, tile.level, suite_named(head["suite"] if head else None))
    rows = await connection.fetch(_QUERIES["nodes"], [tile.level * HEIGHT], [low], [high])
    hashes = {row["position"]: row["hash"] for row in rows}
    if len(hashes) != tile.width:
        raise LedgerBroken(f"缺少第 {tile.level * HEIGHT} 层的节点，从 {low} 到 {high - 1}")
    return b"".join(hashes[position] for position in range(low, high))


async def _bundle(connection: Connection, low: int, high: int, level: int, suite: Suite) -> bytes:
    rows = await connection.fetch(_QUERIES["bundle"], low, high)
    if len(rows) != high - low:
        raise LedgerBroken(f"缺少位置 {low} 到 {high - 1} 的条目")
    parts: list[bytes] = []
    for row in rows:
        about = row["id"], row["at"], row["kind"], row["body"], row["commitment"]
        if level == ENTRIES or row["tag"] is None:
            entry = leaf_bytes(*about, row["tag"], suite.digest)
        else:
            entry = lines_of(CONTENT, *about)
        if len(entry) > 0xFFFF:
            raise EntryTooLong(row["id"])
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


async def tells_entries(connection: Connection, tile: Tile) -> bool:
    """Whether a bundle holds what entries say: all bundles of contents do, and those of leaves older than tags."""
    if tile.level == CONTENTS:
        return True
    low = tile.index * WIDTH
    return tile.level == ENTRIES and await connection.fetchval(_QUERIES["untagged"], low, low + tile.width)
