"""Pushed records: judged at once, durable, once only, gathered into one delivery and read again with the same verdict."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow.parquet as pq
import pytest
from intake_sources import NOW, a_row, a_source

from dizuo.engines.lake import intake as lake
from dizuo.engines.lake.intake import landing
from dizuo.engines.lake.intake.errors import (
    FileTooLarge,
    PushKeyForeign,
    PushKeyReused,
    PushNotDeclared,
    PushTooMany,
    PushUnreadable,
    SourceKeyUnknown,
)
from dizuo.engines.lake.intake.pushes import RowVerdict
from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.foundation.store import APP, LOADER, open_pool


@dataclass
class Door:
    """The serving side (`app`) and the loading side (`loader`) of one pushed source."""

    app: lake.Intake
    loader: lake.Intake
    source: str
    key: lake.LiveKey
    clock: FrozenNow

    async def push(self, *records: object, once: str = "") -> lake.Pushed:
        body = json.dumps(records if len(records) != 1 else records[0], ensure_ascii=False).encode()
        return await lake.push(self.app, self.key, self.source, body, once=once)


@pytest.fixture
async def door(database: Any, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    name = "p_" + "".join(sign for sign in request.node.name if sign.isalnum()).lower()[-50:]
    sources = {
        name: a_source(name, format="push", mode="changes"),
        "files": a_source("files"),
        "other": a_source("other", format="push", mode="changes"),
    }
    clock = FrozenNow(NOW)
    pools = [await open_pool(database.dsn(role), min_size=1, max_size=6) for role in (APP, LOADER)]
    app = lake.Intake(pools[0], lake.Places(tmp_path / "lake"), sources, "test", clock)
    loader = replace(app, pool=pools[1])
    _, key = await lake.make_key(loader, name, by="test")
    found = await lake.find_key(app, key)
    assert found is not None
    yield Door(app, loader, name, found, clock)
    for pool in pools:
        pool.terminate()


async def test_a_record_and_a_batch_are_answered_row_by_row(door: Door) -> None:
    one = await door.push(a_row(1))
    assert (one.accepted, one.rejected, one.rows) == (1, 0, (RowVerdict(1, "accepted"),))
    many = await door.push(a_row(2), {"姓名": "王"}, a_row(3, 公民身份号码="3.2E+17"), [1])
    assert many.delivery == one.delivery
    assert [(row.verdict, row.code) for row in many.rows] == [
        ("accepted", ""), ("rejected", "required"), ("rejected", "exponent"), ("rejected", "not_object"),
    ]  # fmt: skip
    assert "人员编号" in many.rows[1].column


async def test_lines_are_a_batch_too_and_a_broken_one_is_told(door: Door) -> None:
    body = json.dumps(a_row(1), ensure_ascii=False, indent=1).encode()
    assert (await lake.push(door.app, door.key, door.source, body)).accepted == 1
    lines = f"{json.dumps(a_row(2))}\r\n\n{{half\n{json.dumps(a_row(3))}\n".encode()
    pushed = await lake.push(door.app, door.key, door.source, b"\xef\xbb\xbf" + lines)
    assert [row.code for row in pushed.rows] == ["", "json", ""]


async def test_what_was_pushed_is_landed_and_read_with_the_same_verdicts(door: Door) -> None:
    pretty = json.dumps([a_row(1, 户籍地址="一\n二"), {"姓名": "x"}], ensure_ascii=False, indent=2).encode()
    first = await lake.push(door.app, door.key, door.source, pretty)
    lines = b'{"a\x00": 1}\n' + json.dumps(a_row(2)).encode()
    second = await lake.push(door.app, door.key, door.source, lines)
    assert (first.rejected, second.rejected) == (1, 1)
    closed = await lake.collect(door.loader, door.source)
    assert closed is not None
    assert (closed.id, closed.state) == (first.delivery, "landed")
    done = await lake.read(door.loader, closed.id)
    assert (done.state, done.rows_in, done.rows_read, done.rows_rejected) == ("read", 4, 2, 2)
    rows = pq.read_table(door.loader.places.rows(door.source, done.id)).to_pylist()
    assert [row["address"] for row in rows] == ["一\n二", a_row(2)["户籍地址"]]
    bad = pq.read_table(door.loader.places.rejected(door.source, done.id)).to_pylist()
    assert [(row["line"], row["code"]) for row in bad] == [(2, "required"), (3, "json")]
    assert await lake.collect(door.loader, door.source) is None
    bodies = await door.loader.pool.fetch("SELECT body FROM lake.push WHERE delivery = $1", done.id)
    assert [row["body"] for row in bodies] == [None, None]
    assert (await door.push(a_row(9))).delivery != done.id


async def test_a_disk_that_is_full_while_closing_loses_nothing(door: Door) -> None:
    for n in range(12):  # more than are held between the database and the disk
        await door.push(a_row(n))
    small = replace(door.loader, limits=lake.Limits(landed=500))
    with pytest.raises(FileTooLarge):
        await lake.collect(small, door.source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing.os, "fsync", _full)
        with pytest.raises(OSError, match="full"):
            await lake.collect(door.loader, door.source)
    await door.push(a_row(12))
    closed = await lake.collect(door.loader, door.source)
    assert closed is not None
    assert (await lake.read(door.loader, closed.id)).rows_read == 13


def _full(_: int) -> None:
    raise OSError(28, "disk full")


async def test_what_the_sender_was_told_stays_so(door: Door) -> None:
    pushed = await door.push(a_row(1, 更新时间="2026-11-23 12:00:00"), a_row(2))
    assert [row.code for row in pushed.rows] == ["ahead", ""]
    door.clock.advance(days=1)  # by now the first would pass
    closed = await lake.collect(door.loader, door.source)
    assert closed is not None
    done = await lake.read(door.loader, closed.id)
    assert (done.rows_read, done.rows_rejected) == (1, 1)


async def test_a_request_counts_once_however_often_it_comes(door: Door) -> None:
    first = await door.push(a_row(1), {}, once="a1")
    again = await door.push(a_row(1), {}, once="a1")
    assert (again.push, again.rows, again.replayed, first.replayed) == (first.push, first.rows, True, False)
    with pytest.raises(PushKeyReused):
        await door.push(a_row(2), once="a1")
    plain, plain_again = await door.push(a_row(3)), await door.push(a_row(3))
    assert plain_again.push == plain.push
    same = await asyncio.gather(*(door.push(a_row(4), once="b") for _ in range(6)))
    assert len({one.push for one in same}) == 1


async def test_pushes_and_closing_meet_without_losing_a_record(door: Door) -> None:
    async def close() -> list[lake.Delivery | None]:
        return [await lake.collect(door.loader, door.source) for _ in range(6)]

    pushed, closed = await asyncio.gather(asyncio.gather(*(door.push(a_row(n)) for n in range(40))), close())
    last = await lake.collect(door.loader, door.source)
    done = [one for one in (*closed, last) if one is not None]
    read = [await lake.read(door.loader, one.id) for one in done]
    assert sum(one.rows_read for one in read) == 40
    assert {one.delivery for one in pushed} == {one.id for one in done}


async def test_too_many_in_a_minute_are_refused_and_later_ones_are_not(door: Door) -> None:
    slow = replace_key(door.key, 3)
    for n in range(3):
        await lake.push(door.app, slow, door.source, json.dumps(a_row(n)).encode())
    with pytest.raises(PushTooMany) as refused:
        await lake.push(door.app, slow, door.source, json.dumps(a_row(4)).encode())
    assert refused.value.http == 429
    door.clock.advance(seconds=61)
    await lake.push(door.app, slow, door.source, json.dumps(a_row(4)).encode())


def replace_key(key: lake.LiveKey, per_minute: int) -> lake.LiveKey:
    return lake.LiveKey(key.id, key.source, per_minute)


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"", "空的"), (b"  ", "空的"), (b"[]", "一条也没有"), (b"[{}", "数组"), ("王".encode("gbk"), "UTF-8"), (b"[" + b"{}," * 1_000 + b"{}]", "1,000"), (b"[" * 100_000, "数组")],
)  # fmt: skip
async def test_a_body_that_is_no_batch_says_why(door: Door, body: bytes, words: str) -> None:
    with pytest.raises(PushUnreadable, match=words):
        await lake.push(door.app, door.key, door.source, body)


async def test_keys_are_for_one_source_and_end(door: Door) -> None:
    id, key = await lake.make_key(door.loader, door.source, by="steward:1", life=dt.timedelta(days=1))
    live = await lake.find_key(door.app, key)
    assert live is not None
    with pytest.raises(PushKeyForeign):
        await lake.push(door.app, live, "other", b"{}")
    assert await lake.find_key(door.app, key + "x") is None
    assert await lake.find_key(door.app, "dzk_" + "y" * 1_000) is None
    door.clock.advance(days=2)
    assert await lake.find_key(door.app, key) is None
    id, key = await lake.make_key(door.loader, door.source, by="steward:1", note="前置机")
    assert await lake.revoke_key(door.loader, id, by="steward:1", why="前置机停用") == door.source
    assert await lake.find_key(door.app, key) is None
    with pytest.raises(SourceKeyUnknown):
        await lake.revoke_key(door.loader, id, by="steward:1", why="again")
    shown = next(one for one in await lake.source_keys(door.loader, door.source) if one.id == id)
    assert (shown.note, shown.revoked_by) == ("前置机", "steward:1")
    assert key not in repr(await door.loader.pool.fetch("SELECT * FROM lake.source_key"))


async def test_a_source_of_files_takes_no_pushes(door: Door) -> None:
    _, key = await lake.make_key(door.loader, "files", by="test")
    live = await lake.find_key(door.app, key)
    assert live is not None
    with pytest.raises(PushNotDeclared):
        await lake.push(door.app, live, "files", b"{}")


async def test_the_serving_side_cannot_read_what_was_pushed_nor_make_keys(door: Door) -> None:
    await door.push(a_row(1))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await door.app.pool.fetch("SELECT body FROM lake.push")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await lake.make_key(door.app, door.source, by="web")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await door.app.pool.execute("UPDATE lake.source_delivery SET rows_published = 1")


async def test_refused_requests_are_counted_by_the_minute(door: Door) -> None:
    for _ in range(3):
        await lake.note_refused(door.app, door.source, None, "push_key_invalid", 10)
    await lake.note_refused(door.app, "'; invented", door.key, "source_unknown", 7)
    rows = await door.loader.pool.fetch("SELECT source, times, bytes FROM lake.push_refusal WHERE source = $1 OR key = $2", door.source, door.key.id)  # fmt: skip
    assert sorted(tuple(row.values()) for row in rows) == [("", 1, 7), (door.source, 3, 30)]
