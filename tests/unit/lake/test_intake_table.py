"""A table of another PostgreSQL, pulled by watermark: late commits are not lost, a killed pull is repeated."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from intake_sources import NOW, a_source

from dizuo.engines.lake import intake as lake
from dizuo.engines.lake.intake.errors import SourceAddressMissing, TableUnreachable
from dizuo.engines.lake.intake.table import OVERLAP_COUNT
from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.foundation.store import LOADER, open_pool
from dizuo.foundation.store.roles import ADMIN

COLUMNS = (
    ("account_no", "医保编号", "text"),
    ("name", "姓名", "name"),
    ("updated_at", "更新时间", "datetime"),
)
WHEN = dt.datetime(2026, 11, 20, 12, 0)


@dataclass
class Front:
    """The department's own database and our intake of it."""

    intake: lake.Intake
    address: str
    table: str

    def rows(self, *rows: tuple[str, str, dt.datetime]) -> None:
        with psycopg.connect(self.address, autocommit=True) as there:
            for row in rows:
                there.execute(f'INSERT INTO yb."{self.table}" VALUES (%s, %s, %s) ON CONFLICT (医保编号) DO UPDATE SET 姓名 = excluded.姓名, 更新时间 = excluded.更新时间', row)  # fmt: skip # type: ignore[arg-type]

    async def pull(self) -> list[str] | None:
        """The keys that one pull brought, or None when there was nothing."""
        got = await lake.pull(self.intake, "medical", self.address)
        if got is None:
            return None
        done = await lake.read(self.intake, got.delivery.id)
        assert done.state == "read"
        return pq.read_table(self.intake.places.rows("medical", done.id))["account_no"].to_pylist()


@pytest.fixture
async def front(
    server: Any, database: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Front]:
    name = "t" + str(abs(hash(request.node.name)) % 10**8)
    address = server.dsn(ADMIN, "postgres")
    kind = getattr(request, "param", "timestamp")
    with psycopg.connect(address, autocommit=True) as there:
        there.execute("CREATE SCHEMA IF NOT EXISTS yb")
        there.execute(f'CREATE TABLE yb."{name}" (医保编号 text PRIMARY KEY, 姓名 text, 更新时间 {kind})')  # type: ignore[arg-type]
    source = a_source("medical", format="table", mode="changes", encoding="gb18030", columns=COLUMNS,
                      required=(), table=("yb", name, "updated_at"))  # fmt: skip
    pool = await open_pool(database.dsn(LOADER), min_size=1, max_size=3)
    await pool.execute("UPDATE lake.source_delivery SET state = 'refused', why_code = 'x' WHERE source = 'medical' AND state NOT IN ('refused', 'published')")  # fmt: skip
    yield Front(lake.Intake(pool, lake.Places(tmp_path / "lake"), {"medical": source}, "test", FrozenNow(NOW)), address, name)  # fmt: skip
    pool.terminate()
    with psycopg.connect(address, autocommit=True) as there:
        there.execute(f'DROP TABLE yb."{name}"')  # type: ignore[arg-type]


async def test_a_pull_brings_what_is_new_and_the_overlap_again(front: Front) -> None:
    front.rows(("a", '王,\n"小"明', WHEN), ("b", "李", WHEN + dt.timedelta(hours=5)))
    assert await front.pull() == ["a", "b"]
    front.rows(("c", "赵", WHEN + dt.timedelta(hours=6)), ("a", "王", WHEN + dt.timedelta(hours=7)))
    assert await front.pull() == ["b", "c", "a"]
    front.rows(
        ("d", "迟到的", WHEN + dt.timedelta(hours=6, minutes=30))
    )  # committed late, with an older time
    assert await front.pull() == ["c", "d", "a"]


async def test_nothing_new_gives_the_same_bytes_or_none(front: Front) -> None:
    front.rows(("a", "王", WHEN))
    first = await lake.pull(front.intake, "medical", front.address)
    again = await lake.pull(front.intake, "medical", front.address)
    assert first is not None
    assert again is not None
    assert (again.new, again.delivery.id) == (False, first.delivery.id)
    with psycopg.connect(front.address, autocommit=True) as there:
        there.execute(f'DELETE FROM yb."{front.table}"')  # type: ignore[arg-type]
    assert await lake.pull(front.intake, "medical", front.address) is None


async def test_a_refused_delivery_does_not_move_the_watermark(front: Front) -> None:
    front.rows(("a", "王", WHEN))
    await front.pull()
    front.rows(("b", "李", WHEN + dt.timedelta(days=1)))
    second = await lake.pull(front.intake, "medical", front.address)
    assert second is not None
    assert second.delivery.watermark == "2026-11-21 12:00:00"
    await lake.refuse(front.intake, second.delivery.id, by="official:1", why="对方要求撤回")
    front.rows(("c", "赵", WHEN + dt.timedelta(days=2)))
    assert await front.pull() == ["a", "b", "c"]


async def test_a_clock_ahead_over_there_does_not_move_the_watermark_past_now(front: Front) -> None:
    front.rows(("a", "王", dt.datetime(2099, 1, 1)))
    got = await lake.pull(front.intake, "medical", front.address)
    assert got is not None
    assert got.delivery.watermark < "2090"
    done = await lake.read(front.intake, got.delivery.id)
    assert (done.rows_read, done.rows_rejected) == (0, 1)


@pytest.mark.parametrize("front", ["timestamptz"], indirect=True)
async def test_times_with_a_zone_are_the_citys(front: Front) -> None:
    front.rows(("a", "王", dt.datetime(2026, 11, 20, 4, 0, tzinfo=dt.UTC)))
    got = await lake.pull(front.intake, "medical", front.address)
    assert got is not None
    assert got.delivery.watermark == "2026-11-20 12:00:00+08"
    assert await front.pull() == ["a"]


async def test_a_number_may_be_the_watermark(front: Front) -> None:
    with psycopg.connect(front.address, autocommit=True) as there:
        there.execute(f'ALTER TABLE yb."{front.table}" DROP 更新时间, ADD 更新时间 bigint')  # type: ignore[arg-type]
        for key, mark in (("a", 1), ("b", OVERLAP_COUNT * 3)):
            there.execute(f'INSERT INTO yb."{front.table}" VALUES (%s, %s, %s)', (key, "王", mark))  # type: ignore[arg-type]
        assert await front.pull() == ["a", "b"]
        there.execute(f'INSERT INTO yb."{front.table}" VALUES (%s, %s, %s)', ("c", "王", OVERLAP_COUNT * 3))  # type: ignore[arg-type]
    assert await front.pull() == ["b", "c"]


async def test_what_is_wrong_over_there_is_said_and_changes_nothing(front: Front, tmp_path: Path) -> None:
    with pytest.raises(TableUnreachable):
        await lake.pull(front.intake, "medical", "postgresql://x:y@127.0.0.1:1/none")
    with pytest.raises(SourceAddressMissing):
        lake.source_address(tmp_path, "medical")
    with psycopg.connect(front.address, autocommit=True) as there:
        there.execute(f'ALTER TABLE yb."{front.table}" RENAME 更新时间 TO 修改时间')  # type: ignore[arg-type]
    with pytest.raises(TableUnreachable, match="没有水位栏"):
        await lake.pull(front.intake, "medical", front.address)
