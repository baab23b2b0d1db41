"""Deliveries from receipt to the next stage: each once, resumable, held when they look wrong, refused with a reason."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import gzip
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pyarrow.parquet as pq
import pytest
from intake_sources import NOW, a_row, a_source, csv_text

from dizuo.engines.lake.intake import actions, writing
from dizuo.engines.lake.intake.deliveries import QUERIES, Intake, deliveries, delivery
from dizuo.engines.lake.intake.errors import DeliveryStep, DeliveryUnknown, LandedLost, SourceUnknown
from dizuo.engines.lake.intake.places import Places
from dizuo.engines.lake.intake.returning import returned_rows
from dizuo.foundation.blueprint.model_source import Source
from dizuo.foundation.kernel.clock_source import FrozenNow
from dizuo.foundation.store import APP, LOADER, open_pool

DAY = NOW.date()


@dataclass
class Bench:
    """Intake with a source of its own, so that tests do not meet."""

    intake: Intake
    source: Source
    app: Intake

    async def send(self, rows: int | bytes, period: dt.date = DAY, **other: str) -> actions.Received:
        content = (
            rows if isinstance(rows, bytes) else csv_text([a_row(n, **other) for n in range(rows)]).encode()
        )
        return await actions.receive(self.intake, self.source.id, [content], period, name="a.csv")

    async def taken(self, rows: int | bytes, period: dt.date = DAY, **other: str) -> Any:
        sent = await self.send(rows, period, **other)
        return await actions.read(self.intake, sent.delivery.id)

    async def publish(self, id: int) -> None:
        for state in ("standardised", "checked", "linked"):
            done = await actions.advance(self.intake, id, state)
        await actions.advance(self.intake, id, "published", published=done.rows_read)


@pytest.fixture
async def bench(database: Any, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    name = "s_" + "".join(sign for sign in request.node.name if sign.isalnum()).lower()[-50:]
    source = a_source(name, **getattr(request, "param", {}))
    loader = await open_pool(database.dsn(LOADER), min_size=1, max_size=4)
    app = await open_pool(database.dsn(APP), min_size=1, max_size=4)
    intake = Intake(loader, Places(tmp_path / "lake"), {name: source}, "test", FrozenNow(NOW))
    yield Bench(intake, source, replace(intake, pool=app))
    loader.terminate()
    app.terminate()


async def test_every_named_statement_is_understood_by_the_database(pg: Any) -> None:
    async with pg() as connection:
        await QUERIES.prepare_all(connection)


async def test_a_delivery_is_read_once_and_its_rows_are_counted(bench: Bench) -> None:
    done = await bench.taken(csv_text([a_row(1), a_row(2, 姓名=""), a_row(3)]).encode())
    assert (done.state, done.rows_in, done.rows_read, done.rows_rejected) == ("read", 3, 2, 1)
    rows = bench.intake.places.rows(bench.source.id, done.id)
    assert pq.read_table(rows)["line"].to_pylist() == [2, 4]
    before = rows.stat().st_mtime_ns
    assert await actions.read(bench.intake, done.id) == done
    assert rows.stat().st_mtime_ns == before


async def test_the_same_bytes_are_the_same_delivery(bench: Bench) -> None:
    first, again = await bench.send(3), await bench.send(3, DAY - dt.timedelta(days=1))
    assert (first.new, again.new) == (True, False)
    assert again.delivery.id == first.delivery.id
    assert (again.delivery.seen, again.delivery.period) == (2, DAY)
    await asyncio.gather(*(bench.send(4) for _ in range(5)))
    assert len(await deliveries(bench.intake.pool, bench.source.id, ["landed"])) == 2


async def test_the_serving_side_may_receive_too(bench: Bench) -> None:
    content = csv_text([a_row(1)]).encode()
    sent = await actions.receive(bench.app, bench.source.id, [content], DAY)
    again = await actions.receive(bench.app, bench.source.id, [content], DAY)
    assert (sent.new, again.new) == (True, False)
    assert (await actions.read(bench.intake, sent.delivery.id)).state == "read"


async def test_many_readers_of_one_delivery_come_to_one_end(bench: Bench) -> None:
    sent = await bench.send(500)
    done = await asyncio.gather(*(actions.read(bench.intake, sent.delivery.id) for _ in range(4)))
    assert {one.state for one in done} == {"read"}
    assert not list(bench.intake.places.root.rglob("*.part"))


async def test_a_bad_delivery_is_refused_with_its_reason_and_may_be_mended(bench: Bench) -> None:
    half = gzip.compress(csv_text([a_row(1)]).encode())[:-6]
    done = await bench.taken(half)
    assert (done.state, done.why_code) == ("refused", "file_cut")
    assert "gzip" in done.why_says
    assert not bench.intake.places.rows(bench.source.id, done.id).exists()
    assert bench.intake.places.landed(done.sha256).read_bytes() == half
    again = await bench.send(half)
    assert (again.new, again.delivery.state, again.delivery.why_code) == (False, "landed", "")
    assert (await actions.read(bench.intake, done.id)).state == "refused"


async def test_a_period_in_the_future_is_refused_but_kept(bench: Bench) -> None:
    sent = await bench.send(3, DAY + dt.timedelta(days=1))
    assert (sent.delivery.state, sent.delivery.why_code) == ("refused", "period_ahead")
    assert (await bench.send(3)).delivery.state == "landed"


async def test_an_unknown_source_or_delivery_and_lost_bytes_say_so(bench: Bench) -> None:
    with pytest.raises(SourceUnknown):
        await actions.receive(bench.intake, "nobody", [b"x"], DAY)
    with pytest.raises(DeliveryUnknown):
        await actions.read(bench.intake, 10**9)
    sent = await bench.send(3)
    bench.intake.places.landed(sent.delivery.sha256).unlink()
    with pytest.raises(LandedLost):
        await actions.read(bench.intake, sent.delivery.id)


async def test_a_full_delivery_that_shrinks_is_held_and_can_be_released(bench: Bench) -> None:
    first = await bench.taken(100)
    await bench.publish(first.id)
    assert (await bench.taken(71, 姓名="李")).state == "read"
    fewer = await bench.taken(49)
    assert (fewer.state, fewer.why_code) == ("held", "dropped")
    assert "31%" in fewer.why_says
    assert fewer.rows_read == 49
    released = await actions.release_held(
        bench.app, fewer.id, by="official:1", why="系统升级后清理了重复的登记"
    )
    assert (released.state, released.why_code) == ("read", "")
    with pytest.raises(DeliveryStep, match="不能放行"):
        await actions.release_held(bench.app, fewer.id, by="official:1", why="again")


async def test_what_is_held_or_refused_is_no_measure_for_the_next(bench: Bench) -> None:
    await bench.taken(100)
    held = await bench.taken(10)
    assert held.state == "held"
    assert (await bench.taken(20)).why_code == "dropped"
    assert held.previous is not None


@pytest.mark.parametrize("content", [csv_text([]).encode(), csv_text([a_row(1, 人员编号="")]).encode()])
async def test_an_empty_full_delivery_never_goes_on_by_itself(bench: Bench, content: bytes) -> None:
    done = await bench.taken(content)
    assert (done.state, done.why_code) == ("held", "empty")


@pytest.mark.parametrize("bench", [{"mode": "changes"}], indirect=True)
async def test_a_day_without_changes_is_a_delivery_of_no_rows(bench: Bench) -> None:
    done = await bench.taken(csv_text([]).encode())
    assert (done.state, done.rows_in) == ("read", 0)
    assert (await bench.taken(2)).state == "read"


async def test_a_full_source_may_send_changes_in_between(bench: Bench) -> None:
    await bench.taken(100)
    content = csv_text([a_row(1, 姓名="改")]).encode()
    sent = await actions.receive(bench.intake, bench.source.id, [content], DAY, mode="changes")
    assert (await actions.read(bench.intake, sent.delivery.id)).state == "read"
    assert (await bench.taken(60)).why_code == "dropped", "it is measured against the last full one"


async def test_an_older_snapshot_does_not_cover_a_newer_one(bench: Bench) -> None:
    await bench.taken(10)
    late = await bench.taken(11, DAY - dt.timedelta(days=3))
    assert (late.state, late.why_code) == ("held", "older")


async def test_moved_columns_missing_columns_and_mostly_bad_rows_are_held(bench: Bench) -> None:
    moved = await bench.taken(100, 公民身份号码="王小明")
    assert (moved.state, moved.why_code) == ("held", "columns_moved")
    less = csv_text([a_row(1)]).replace(",联系电话", "").replace(",13812345678", "").encode()
    missing = await bench.taken(less)
    assert (missing.state, missing.why_code) == ("held", "column_missing")
    bad = await bench.taken(csv_text([a_row(n, 姓名="" if n % 3 else "王") for n in range(30)]).encode())
    assert (bad.state, bad.why_code) == ("held", "mostly_rejected")


async def test_decisions_stand_in_the_ledger_and_what_is_wrong_is_counted(bench: Bench, pg: Any) -> None:
    done = await bench.taken(csv_text([a_row(1, 姓名=""), a_row(2)]).encode())
    await actions.hold(bench.app, done.id, "抽查", by="official:7")
    await actions.refuse(bench.app, done.id, by="official:7", why="对方要求撤回")
    async with pg() as connection:
        kinds = await connection.fetch("SELECT stage, col, code, rows FROM lake.source_rejected_kind WHERE delivery = $1", done.id)  # fmt: skip
        told = await connection.fetch("SELECT kind, body FROM ledger.entry WHERE body ->> 'delivery' = $1 AND kind LIKE 'lake.%' ORDER BY id", str(done.id))  # fmt: skip
        steps = await connection.fetch("SELECT was, state FROM lake.source_step WHERE delivery = $1 ORDER BY at", done.id)  # fmt: skip
    assert [tuple(row.values()) for row in kinds] == [("read", "姓名", "required", 1)]
    assert [row["kind"] for row in told] == ["lake.hold", "lake.refuse"]
    assert told[1]["body"]["why"] == "对方要求撤回"
    assert [tuple(row.values()) for row in steps] == [
        ("landed", "read"),
        ("read", "held"),
        ("held", "refused"),
    ]


async def test_the_database_keeps_the_order_of_stages_and_the_sum_of_rows(bench: Bench) -> None:
    done = await bench.taken(10)
    with pytest.raises(asyncpg.PostgresError, match="does not lead to"):
        await actions.advance(bench.intake, done.id, "linked")
    one = await actions.advance(
        bench.intake, done.id, "standardised", rejected=2, kinds={("姓名", "empty"): 2}
    )
    assert (one.rows_read, one.rows_rejected) == (8, 2)
    await actions.advance(bench.intake, done.id, "checked")
    await actions.advance(bench.intake, done.id, "linked")
    with pytest.raises(asyncpg.CheckViolationError):
        await actions.advance(bench.intake, done.id, "published", published=7)
    await actions.advance(bench.intake, done.id, "published", published=5, merged=2, held=1)
    assert (await delivery(bench.intake.pool, done.id)).state == "published"
    with pytest.raises(asyncpg.PostgresError, match="never exchanged"):
        await bench.intake.pool.execute("UPDATE lake.source_delivery SET sha256 = $2 WHERE id = $1", done.id, "0" * 64)  # fmt: skip


async def test_a_department_takes_back_what_it_has_to_correct(bench: Bench, pg: Any) -> None:
    rows = [a_row(1, 姓名="=cmd()"), a_row(2, 姓名=""), a_row(3)]
    done = await bench.taken(csv_text([{**row, "人员编号": f"+{n}"} for n, row in enumerate(rows)]).encode())
    first = bench.intake.places.rejected(bench.source.id, done.id)
    first.with_name(f"{done.id}.standard.parquet").write_bytes(first.read_bytes())
    pieces = await returned_rows(bench.app, done.id, by="official:7", why="退回更正")
    async with pg() as connection:
        told = await connection.fetchval("SELECT body FROM ledger.entry WHERE kind = 'lake.returned' ORDER BY id DESC")  # fmt: skip
    assert (told["delivery"], told["by"], told["rows"]) == (done.id, "official:7", 2)
    text = b"".join(pieces).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(text)))
    assert found[0] == ["行号", "栏目", "原因代码", "原因", "原文"]
    assert [(row[0], row[2]) for row in found[1:]] == [("2", "formula"), ("3", "required")] * 2
    assert all(row[4].startswith("'+") for row in found[1:])


async def test_a_disk_that_is_full_while_reading_changes_nothing(bench: Bench) -> None:
    sent = await bench.send(100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing.os, "fsync", _full)
        with pytest.raises(OSError, match="full"):
            await actions.read(bench.intake, sent.delivery.id)
    assert not list(bench.intake.places.root.rglob("*.parquet"))
    assert not list(bench.intake.places.root.rglob("*.part"))
    assert (await actions.read(bench.intake, sent.delivery.id)).state == "read"


def _full(_: int) -> None:
    raise OSError(28, "disk full")


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from intake_sources import NOW, a_source
from dizuo.engines.lake.intake.reading import read_file
def tell(rows):
    if rows > 20_000:
        os.kill(os.getpid(), signal.SIGKILL)
read_file(Path({landed!r}), a_source({source!r}), rows=Path({rows!r}), rejected=Path({rejected!r}), now=NOW, tell=tell)
"""


async def test_reading_that_is_killed_begins_again(bench: Bench) -> None:
    sent = await bench.send(150_000)
    id, places = sent.delivery.id, bench.intake.places
    rows, rejected = places.rows(bench.source.id, id), places.rejected(bench.source.id, id)
    script = _KILLED.format(
        tests=str(Path(__file__).parent), landed=str(places.landed(sent.delivery.sha256)),
        source=bench.source.id, rows=str(rows), rejected=str(rejected),
    )  # fmt: skip
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert not rows.exists()
    assert not rejected.exists()
    done = await actions.read(bench.intake, id)
    assert (done.state, done.rows_read) == ("read", 150_000)
    assert pq.read_metadata(rows).num_rows == 150_000
    assert not list(rows.parent.glob(".*.part")), "what the killed process left is swept"


def test_notes_can_be_kept_as_json() -> None:
    from dizuo.engines.lake.intake.heading import Note

    assert msgspec.convert(msgspec.to_builtins([Note("a", "b", 1)]), list[Note]) == [Note("a", "b", 1)]
