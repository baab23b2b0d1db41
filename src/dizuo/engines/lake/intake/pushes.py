"""Rows pushed by a department's system: judged at once, durable before they are acknowledged, landed by the day.

Requests of one source are gathered in one open delivery; ``collect`` closes it, lands what came as JSON lines and
lets it go the way of every other delivery. A record that is rejected is kept with the others and told again there.
"""

from __future__ import annotations

import asyncio
import hashlib
import queue
from collections.abc import Sequence
from typing import Final

import msgspec

from dizuo.engines.lake.intake.checks import Checks
from dizuo.engines.lake.intake.deliveries import QUERIES, Delivery, Intake, delivery_of
from dizuo.engines.lake.intake.errors import (
    PushKeyForeign,
    PushKeyReused,
    PushNotDeclared,
    PushTooMany,
    PushUnreadable,
)
from dizuo.engines.lake.intake.keys import LiveKey
from dizuo.engines.lake.intake.landing import Landed, land
from dizuo.engines.lake.intake.objects import Judge, Wrong
from dizuo.engines.lake.intake.parts import rows_of
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.store import Connection, begin

MAX_RECORDS: Final = 1_000
MAX_PUSH: Final = 1 << 20
"""Bytes of one request."""
_ONCE: Final = 200
_encode = msgspec.json.Encoder().encode
_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_raw = msgspec.json.Decoder(msgspec.Raw).decode
_check = msgspec.json.Decoder().decode


class RowVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one record: its place in the request from 1, accepted or rejected with column, code and reason."""

    row: int
    verdict: str
    column: str = ""
    code: str = ""
    says: str = ""


class Pushed(msgspec.Struct, frozen=True):
    """The answer to a push. `replayed` tells that this request was answered before and counts once."""

    delivery: int
    push: int
    accepted: int
    rejected: int
    rows: tuple[RowVerdict, ...]
    replayed: bool = False
    ok: bool = True


async def push(intake: Intake, key: LiveKey, source: str, body: bytes, *, once: str = "") -> Pushed:
    """Take one record or a batch; when this returns, it is on disk.

    Shapes: `body` is a JSON object, an array of objects, or an object a line, UTF-8, at most MAX_RECORDS. `once` names
    the request for repeating it; without it, the same bytes are the same request. Errors: PushKeyForeign for another
    source's key, PushNotDeclared, PushUnreadable, PushTooMany, PushKeyReused, the pool's.
    """
    declared = intake.source(source)
    if key.source != source:
        raise PushKeyForeign()
    if declared.delivery.format != "push":
        raise PushNotDeclared(source=source)
    digest = hashlib.sha256(body).digest()
    name = _once(once, digest)
    if (answered := await _answered(intake, source, name, digest)) is not None:
        return answered
    records = split(body)
    verdicts = judged(intake, declared, records)
    lines = b"\n".join(map(_line, records, verdicts)).decode("utf-8")
    rejected = sum(1 for verdict in verdicts if verdict.verdict == "rejected")
    async with begin(intake.pool, intake.now) as tx:
        lately = await tx.conn.fetchval(QUERIES["pushed_lately"], key.id, tx.now)
        if lately >= key.per_minute:
            raise PushTooMany(60, limit=key.per_minute)
        delivery = await _open(tx.conn, intake, declared)
        id = await tx.conn.fetchval(
            QUERIES["push"], source, delivery, key.id, name, digest, lines, len(records) - rejected, rejected,
            msgspec.to_builtins(verdicts), tx.now,
        )  # fmt: skip
    if id is None:  # the same request at the same moment on another connection
        again = await _answered(intake, source, name, digest)
        assert again is not None
        return again
    return Pushed(delivery, id, len(records) - rejected, rejected, verdicts)


def _once(once: str, digest: bytes) -> str:
    if len(once) > _ONCE or not once.isprintable():
        raise PushUnreadable(f"幂等键最长 {_ONCE} 个可见字符")
    return f"key:{once}" if once else f"sha256:{digest.hex()}"


async def _answered(intake: Intake, source: str, name: str, digest: bytes) -> Pushed | None:
    row = await intake.pool.fetchrow(QUERIES["pushed_before"], source, name)
    if row is None:
        return None
    if row["digest"] != digest:
        raise PushKeyReused(once=name.partition(":")[2][:40])
    rows = msgspec.convert(row["answer"], tuple[RowVerdict, ...])
    return Pushed(row["delivery"], row["id"], row["accepted"], row["rejected"], rows, replayed=True)


async def _open(connection: Connection, intake: Intake, source: Source) -> int:
    """The source's open delivery, made when there is none; it cannot be closed before this transaction ends."""
    while (id := await connection.fetchval(QUERIES["open_delivery"], source.id)) is None:
        await connection.execute(
            QUERIES["open_new"], source.id, source.delivery.mode, intake.now.today(), intake.declaration
        )
    return id


def split(body: bytes) -> list[bytes]:
    """The records of a request, as they came. Errors: PushUnreadable."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PushUnreadable(f"第 {error.start + 1} 个字节起不是 UTF-8") from None
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise PushUnreadable("请求体是空的")
    records = _array(text) if text.startswith(b"[") else _objects(text)
    if len(records) > MAX_RECORDS:
        raise PushUnreadable(f"一次最多 {MAX_RECORDS:,} 条，这次有 {len(records):,} 条")
    if not records:
        raise PushUnreadable("数组里一条也没有")
    return records


def _array(text: bytes) -> list[bytes]:
    try:
        _check(text)
        return [bytes(record) for record in _list_of_raw(text)]
    except (msgspec.DecodeError, RecursionError):
        raise PushUnreadable("不是完整的 JSON 数组") from None


def _objects(text: bytes) -> list[bytes]:
    """One object, printed over several lines perhaps, or one on each line."""
    try:
        _check(text)
        return [bytes(_raw(text))]
    except (msgspec.DecodeError, RecursionError):
        return [line for line in (line.strip() for line in text.split(b"\n")) if line]


def _line(record: bytes, verdict: RowVerdict) -> bytes:
    """The record and what was said of it as a line of the landed file, but for the push's number."""
    told = _encode(verdict)[1:-1] if verdict.code else b'"row":%d' % verdict.row
    try:
        _check(record)
    except (msgspec.DecodeError, RecursionError):
        return b'%s,"text":%s}' % (told, _encode(record.decode("utf-8")))
    # Outside of strings, where JSON allows no line break anyway, a line break is only white space.
    return b'%s,"record":%s}' % (told, record.replace(b"\r", b" ").replace(b"\n", b" "))


def judged(intake: Intake, source: Source, records: Sequence[bytes]) -> tuple[RowVerdict, ...]:
    """What is wrong with each record, by the same checks as everywhere; reading says the same later."""
    judge = Judge(source)
    wrong: dict[int, RowVerdict] = {}
    numbers: list[int] = []
    rows: list[list[str | None]] = []
    for number, record in enumerate(records, 1):
        found = judge.row(record)
        if isinstance(found, Wrong):
            wrong[number] = RowVerdict(number, "rejected", found.column, found.code, found.says)
        else:
            numbers.append(number)
            rows.append(found)
    _, faults = Checks(source, intake.now(), "\t").apply(rows_of(source, numbers, rows))
    for fault in faults:
        wrong[fault.line] = RowVerdict(fault.line, "rejected", fault.column, fault.code, fault.says)
    return tuple(wrong.get(n) or RowVerdict(n, "accepted") for n in range(1, len(records) + 1))


async def note_refused(intake: Intake, source: str, key: LiveKey | None, code: str, size: int) -> None:
    """Count a request that was not taken; an address that is no source's is counted without its name."""
    known = source if source in intake.sources else ""
    await intake.pool.execute(QUERIES["refused_push"], intake.now(), known, key.id if key else 0, code, size)


async def collect(intake: Intake, source: str) -> Delivery | None:
    """Close the open delivery of a source and land what was pushed; None when nothing was.

    As the loader. The bytes are on disk before the database says so; killed in between, collecting begins again. Errors:
    SourceUnknown, OSError when the disk is full, the pool's.
    """
    declared = intake.source(source)
    async with begin(intake.pool, intake.now) as tx:
        id = await tx.conn.fetchval(QUERIES["close_open"], declared.id)
        if id is None:
            return None
        landed = await _landed(tx.conn, id, intake)
        if not landed.bytes:
            return None
        row = await tx.conn.fetchrow(
            QUERIES["landed"], id, landed.sha256, landed.bytes, intake.now.today(), source
        )
        await tx.conn.execute(QUERIES["bodies_gone"], id)
    return delivery_of(row) if row is not None else None


async def _landed(connection: Connection, id: int, intake: Intake) -> Landed:
    """Land the bodies of an open delivery one after another: a day of them need not fit into memory."""
    pipe: queue.Queue[bytes | None] = queue.Queue(8)
    landing = asyncio.create_task(asyncio.to_thread(land, iter(pipe.get, None), intake.places, intake.limits))
    try:
        async for row in connection.cursor(QUERIES["bodies"], id, prefetch=64):
            await _hand(pipe, _landed_lines(row["id"], row["body"]), landing)
    finally:
        await _hand(pipe, None, landing)
        await asyncio.wait([landing])
    return landing.result()


async def _hand(pipe: queue.Queue[bytes | None], item: bytes | None, landing: asyncio.Task[Landed]) -> None:
    while not landing.done():
        try:
            pipe.put_nowait(item)
            return
        except queue.Full:
            await asyncio.sleep(0.005)


def _landed_lines(push: int, body: str) -> bytes:
    return b"".join(b'{"push":%d,%s\n' % (push, line.encode()) for line in body.split("\n"))
