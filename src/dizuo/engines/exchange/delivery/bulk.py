"""Everything of a register under a grant, in parts: start, fetch a part, see the manifest.

A part is entered for everybody in it and on disk in the ledger before its first value is read (sql/0070_pre_bulk.sql). It is
made as a file in the installation's folder, because an answer is signed over its digest, which stands before its body.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import asyncpg
import msgspec

from dizuo.engines.exchange.delivery.bulk_formats import MEDIA, DigestFile, Line, writer_of
from dizuo.engines.exchange.delivery.bulk_model import (
    Bulk,
    BulkBusy,
    BulkChanged,
    BulkFieldsNotGranted,
    BulkFormat,
    BulkPart,
    BulkPartMissing,
    BulkPartUnknown,
    BulkTooOften,
    BulkUnknown,
)
from dizuo.engines.exchange.delivery.subscribe_errors import DeliveryRefused
from dizuo.foundation.store import Pool, Row

PART: Final = 50_000
"""Records of one part unless the consumer wants smaller ones."""
SLICE: Final = 5_000
"""Records in memory at once."""
_AT_ONCE: Final = 4
_START = "SELECT exchange.bulk_start($1, $2, $3, $4, $5)"
_BULK = (
    "SELECT id, grant_id, consumer, resource, register, fields, types, format, part_size, feed_position, state, why,"
    " started_at, expires_at FROM exchange.bulk WHERE id = $1 AND consumer = $2 AND expires_at > now()"
)
_PARTS = (
    "SELECT part, first_ref, last_ref, final, entries, rows, bytes, encode(digest, 'hex') AS sha256, unreadable"
    " FROM exchange.bulk_part WHERE bulk = $1 ORDER BY part"
)
_ENTER = "SELECT exchange.bulk_enter($1, $2, $3)"
_VALUES = "SELECT ref, data FROM exchange.bulk_open($1, $2, $3, $4, $5)"
_MADE = "SELECT exchange.bulk_made($1, $2, $3, $4, $5, $6)"
_SENT = "SELECT exchange.bulk_sent($1, $2, $3)"
_REFUSE = "SELECT exchange.refuse_delivery($1, $2, 'bulk', $3)"


class MadePart(msgspec.Struct, frozen=True):
    """A part as a file, open at its beginning; ``digest`` is its SHA-256."""

    bulk: Bulk
    part: int
    rows: int
    final: bool
    bytes: int
    digest: bytes
    media_type: str
    file: BinaryIO


class BulkDesk:
    """Downloads of one process. ``spool`` is a folder of the installation that only its owner can enter."""

    def __init__(self, pool: Pool, spool: Path) -> None:
        self._pool = pool
        self._spool = spool
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def start(
        self,
        consumer: str,
        grant: int,
        format: BulkFormat,
        fields: Sequence[str] = (),
        part_size: int = PART,
    ) -> Bulk:
        """A new download of the granted fields, or of some. Refusals are entered.

        Errors: DeliveryRefused, BulkFieldsNotGranted, BulkTooOften.
        """
        size = max(100, min(part_size, 100_000))
        try:
            made = await self._pool.fetchval(_START, grant, consumer, list(fields), format, size)
        except asyncpg.PostgresError as error:
            detail = str(getattr(error, "detail", "") or "unknown")
            match getattr(error, "sqlstate", ""):
                case "DZ601":
                    await self._pool.execute(_REFUSE, grant, consumer, detail)
                    raise DeliveryRefused(detail) from error
                case "DZ605":
                    await self._pool.execute(_REFUSE, grant, consumer, "fields")
                    raise BulkFieldsNotGranted(detail) from error
                case "DZ606":
                    await self._pool.execute(_REFUSE, grant, consumer, "too_often")
                    raise BulkTooOften() from error
                case _:
                    raise
        return await self.manifest(consumer, made)

    async def manifest(self, consumer: str, bulk: uuid.UUID) -> Bulk:
        """The download with its parts so far. Errors: BulkUnknown."""
        row = await self._pool.fetchrow(_BULK, bulk, consumer)
        if row is None:
            raise BulkUnknown(bulk=bulk)
        parts = await self._pool.fetch(_PARTS, bulk)
        return _bulk(row, [msgspec.convert(dict(part.items()), BulkPart) for part in parts])

    @asynccontextmanager
    async def part(self, consumer: str, bulk: uuid.UUID, part: int) -> AsyncIterator[MadePart]:
        """One part as a file, everybody in it entered before. The file is gone when the block ends.

        Errors: BulkUnknown, DeliveryRefused, BulkPartMissing, BulkPartUnknown, BulkBusy, BulkChanged.
        """
        whole = await self.manifest(consumer, bulk)
        told: dict[str, Any] = await self._pool.fetchval(_ENTER, bulk, consumer, part)
        _judge(told, bulk, part)
        if self._places.locked():
            raise BulkBusy(5)
        self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self._spool) as file:
            async with self._places:
                made = await self._make(whole, part, told, cast(BinaryIO, file))
            file.seek(0)
            yield made

    async def sent(self, made: MadePart, sent: int) -> None:
        """Enter how many bytes of a part left."""
        await self._pool.execute(_SENT, made.bulk.id, made.part, sent)

    async def _make(self, whole: Bulk, part: int, told: dict[str, Any], file: BinaryIO) -> MadePart:
        out = DigestFile(file)
        writer = await asyncio.to_thread(writer_of, whole.format, out, whole.fields, whole.types)
        rows = 0
        for skip in range(0, told["rows"], SLICE):
            got = await self._pool.fetch(_VALUES, whole.id, whole.consumer, part, skip, SLICE)
            lines: list[Line] = [(row["ref"], row["data"]) for row in got]
            if lines:
                await asyncio.to_thread(writer.write, lines)
            rows += len(lines)
        if not rows and told["rows"]:  # the right ended a moment ago, or the register was loaded anew
            again: dict[str, Any] = await self._pool.fetchval(_ENTER, whole.id, whole.consumer, part)
            _judge(again, whole.id, part)
        await asyncio.to_thread(writer.close)
        digest = out.digest()
        known = await self._pool.fetchval(_MADE, whole.id, part, rows, out.length, digest, writer.unreadable)
        if not known:
            raise BulkChanged(part=part)
        return MadePart(whole, part, rows, told["final"], out.length, digest, MEDIA[whole.format], file)


def _judge(told: dict[str, Any], bulk: uuid.UUID, part: int) -> None:
    if "missing" in told:
        raise BulkPartMissing(part=told["missing"])
    match told.get("stopped"):
        case None:
            return
        case "gone":
            raise BulkUnknown(bulk=bulk)
        case "no_part":
            raise BulkPartUnknown(part=part)
        case reason:
            raise DeliveryRefused(reason)


def _bulk(row: Row, parts: Sequence[BulkPart]) -> Bulk:
    values = {("grant" if name == "grant_id" else name): value for name, value in row.items()}
    return msgspec.convert({**values, "parts": parts}, Bulk)
