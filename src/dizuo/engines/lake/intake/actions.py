"""What can be done with a delivery: receive, read, hold, release, refuse, pass on to the next stage."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from dizuo.engines.lake.errors import DeliveryRefused
from dizuo.engines.lake.intake.deliveries import QUERIES, STATES, Delivery, Intake, delivery, delivery_of
from dizuo.engines.lake.intake.errors import DeliveryStep, DeliveryUnknown, LandedLost, PeriodAhead
from dizuo.engines.lake.intake.judging import Before, Hold, judge
from dizuo.engines.lake.intake.landing import Landed, land
from dizuo.engines.lake.intake.reading import Outcome, Tell, read_file
from dizuo.foundation.blueprint.model_source import Mode, Source
from dizuo.foundation.store import Connection, begin

Kinds = Mapping[tuple[str, str], int]


class Received(msgspec.Struct, frozen=True):
    """What became of received bytes. `new` is False when the same bytes of the same source are known; then nothing changes,
    unless they had been refused: they get another try."""

    delivery: Delivery
    new: bool


async def receive(
    intake: Intake,
    source: str,
    what: Path | BinaryIO | Iterable[bytes],
    period: dt.date,
    *,
    name: str = "",
    mode: Mode | None = None,
) -> Received:
    """Land a delivery's bytes and enter them, once.

    Shapes: `period` is the last day that the delivery speaks of; `name` what the file was called; `mode` says when a source
    of full deliveries sends only changes this time, or the other way round (default: as declared). The bytes are on disk
    before the delivery is known. A period in the future is entered as refused, so that the department sees it. Errors:
    SourceUnknown, FileUnsafe, FileTooLarge, the pool's.
    """
    declared = intake.source(source)
    landed = await asyncio.to_thread(land, what, intake.places, intake.limits)
    given = name or (what.name if isinstance(what, Path) else "")
    return await enter(intake, declared, landed, period, given, mode=mode)


async def enter(
    intake: Intake,
    source: Source,
    landed: Landed,
    period: dt.date,
    name: str,
    *,
    watermark: str | None = None,
    mode: Mode | None = None,
) -> Received:
    """Enter landed bytes as a delivery of a source. Errors: the pool's."""
    today = intake.now.today()
    async with begin(intake.pool, intake.now) as tx:
        row = await tx.conn.fetchrow(
            QUERIES["enter"], source.id, name[:200], landed.sha256, landed.bytes, source.delivery.format,
            mode or source.delivery.mode, period, intake.declaration, watermark,
        )  # fmt: skip
        assert row is not None
        new = bool(row["new"])
        if row["state"] == "landed" and period > today:
            ahead = PeriodAhead(f"{period} 晚于今天 {today}")
            row = await tx.conn.fetchrow(QUERIES["refuse"], row["id"], ahead.code, ahead.message)
            assert row is not None
    return Received(delivery_of(row), new)


async def read(intake: Intake, id: int, tell: Tell | None = None) -> Delivery:
    """Read a landed delivery into raw rows and rejected rows; one that was read before is returned as it is.

    A process that is killed meanwhile leaves the delivery landed, and reading begins again. What cannot be taken as a
    whole is refused with its reason; what looks wrong is held. Errors: DeliveryUnknown, LandedLost, OSError when the disk
    is full (nothing changed), the pool's.
    """
    found = await delivery(intake.pool, id)
    if found.state != "landed":
        return found
    source = intake.source(found.source)
    landed = intake.places.landed(found.sha256)
    if not landed.is_file() or landed.stat().st_size != found.bytes:
        raise LandedLost(sha256=found.sha256[:12])
    try:
        outcome = await asyncio.to_thread(
            read_file,
            landed,
            source,
            rows=intake.places.rows(source.id, id),
            rejected=intake.places.rejected(source.id, id),
            now=intake.now(),
            limits=intake.limits,
            tell=tell,
        )
    except DeliveryRefused as refused:
        return await _refused(intake, id, refused)
    return await _read_done(intake, found, source, outcome)


async def _refused(intake: Intake, id: int, refused: DeliveryRefused) -> Delivery:
    row = await intake.pool.fetchrow(QUERIES["refuse"], id, refused.code, refused.message)
    return delivery_of(row) if row is not None else await delivery(intake.pool, id)


async def _read_done(intake: Intake, found: Delivery, source: Source, outcome: Outcome) -> Delivery:
    async with begin(intake.pool, intake.now) as tx:
        last = await tx.conn.fetchrow(QUERIES["before"], source.id, found.id)
        before = None if last is None else Before(last["period"], last["read"])
        hold = judge(source, found.mode, found.period, outcome, before) or Hold("", "")
        await tx.conn.execute(QUERIES["forget_kinds"], found.id, "read")
        await _count(tx.conn, found.id, "read", outcome.kinds)
        row = await tx.conn.fetchrow(
            QUERIES["read_done"], found.id, outcome.rows_in, outcome.read, outcome.rejected,
            msgspec.to_builtins(outcome.notes), hold.code or None, hold.says or None,
        )  # fmt: skip
    # Another process that read the same bytes at the same time was quicker: its files and counts are the same.
    return delivery_of(row) if row is not None else await delivery(intake.pool, found.id)


async def _count(connection: Connection, id: int, stage: str, kinds: Kinds) -> None:
    if kinds:
        columns, codes = zip(*kinds, strict=True)
        await connection.execute(QUERIES["add_kinds"], id, stage, columns, codes, list(kinds.values()))


async def advance(
    intake: Intake,
    id: int,
    state: str,
    *,
    rejected: int = 0,
    published: int = 0,
    merged: int = 0,
    held: int = 0,
    kinds: Kinds | None = None,
) -> Delivery:
    """Note that a later stage is done; `rejected` rows of `kinds` ((column, code) → rows) do not go on.

    `published`, `merged` and `held` are said with the last stage: together with all rejected rows they have to be every
    row that came in, or the database refuses the step. Errors: DeliveryUnknown, asyncpg's for a step that does not follow
    or a sum that is wrong.
    """
    async with begin(intake.pool, intake.now) as tx:
        await tx.conn.execute(QUERIES["forget_kinds"], id, state)
        await _count(tx.conn, id, state, kinds or {})
        row = await tx.conn.fetchrow(QUERIES["advance"], id, state, rejected, published, merged, held)
        if row is None:
            raise DeliveryUnknown(delivery=id)
    return delivery_of(row)


async def hold(intake: Intake, id: int, why: str, *, by: str, code: str = "held") -> Delivery:
    """Stop a delivery where it is; `by` names the stage or the official's account. Entered in the ledger.

    Errors: DeliveryUnknown, DeliveryStep when it is published, refused or held already.
    """
    return await _decided(intake, id, "hold", "暂挂", by, why, (code, why))


async def release_held(intake: Intake, id: int, *, by: str, why: str) -> Delivery:
    """Let a held delivery go on from where it was; `by` is the account that decides. Entered in the ledger.

    Errors: DeliveryUnknown, DeliveryStep when it is not held.
    """
    return await _decided(intake, id, "release", "放行", by, why, ())


async def refuse(intake: Intake, id: int, *, by: str, why: str) -> Delivery:
    """Refuse a delivery as a whole, a held one for example; what was published before stays. Entered in the ledger.

    Errors: DeliveryUnknown, DeliveryStep when it is published or refused already.
    """
    return await _decided(intake, id, "refuse", "退回", by, why, ("refused_by_steward", why))


async def _decided(
    intake: Intake, id: int, query: str, what: str, by: str, why: str, about: tuple[str, ...]
) -> Delivery:
    async with begin(intake.pool, intake.now) as tx:
        row = await tx.conn.fetchrow("SELECT * FROM lake.source_delivery WHERE id = $1 FOR UPDATE", id)
        if row is None:
            raise DeliveryUnknown(delivery=id)
        was = delivery_of(row)
        row = await tx.conn.fetchrow(QUERIES[query], id, *about)
        if row is None:
            raise DeliveryStep(delivery=id, state=STATES[was.state], what=what)
        body = {
            "delivery": id, "source": was.source, "sha256": was.sha256, "period": was.period.isoformat(), "by": by, "why": why[:500],
            "was": was.state, "held_for": was.why_code, "state": row["state"],
        }  # fmt: skip
        await tx.conn.fetchval(QUERIES["ledger"], f"lake.{query}", body)
    return delivery_of(row)
