"""Downloads in bulk: granted fields only, everybody entered before the first byte, parts that come out the same again."""

from __future__ import annotations

import csv
import hashlib
import io
import uuid

import asyncpg
import pyarrow.ipc
import pyarrow.parquet
import pytest

from dizuo.engines.exchange.delivery import bulk as downloads
from dizuo.engines.exchange.delivery.bulk import BulkDesk
from dizuo.engines.exchange.delivery.bulk_model import (
    BulkFieldsNotGranted,
    BulkPartMissing,
    BulkPartUnknown,
    BulkTooOften,
    BulkUnknown,
)
from dizuo.engines.exchange.delivery.subscribe_errors import DeliveryRefused
from dizuo.foundation.kernel.cells import harmless

FIELDS = ("name", "born_on", "height", "alive")


@pytest.fixture
def desk(base, tmp_path):
    return BulkDesk(base.pool, tmp_path / "spool")


@pytest.fixture(scope="module")
async def people(base):
    """250 people with every kind of value, some of them missing."""
    keys = await base.people_in(250, phone="13800000001", illness="secret")
    await base.put(keys[0], name='=HYPERLINK("http://x")', born_on="1950-01-02", height=1.62, alive=True)
    await base.put(keys[1], name='甲,"乙"\n丙', born_on="不详", height=-3, alive=False)
    return keys


async def taken(desk, bulk, part):
    """A part's bytes, sent whole."""
    async with desk.part(bulk.consumer, bulk.id, part) as made:
        body = made.file.read()
        assert hashlib.sha256(body).digest() == made.digest
        assert len(body) == made.bytes
        await desk.sent(made, len(body))
    return body, made


async def test_csv_in_parts_with_everybody_entered(base, people, desk):
    grant = await base.grant(fields=FIELDS)
    bulk = await desk.start("civil", grant, "csv", part_size=100)
    assert bulk.fields == FIELDS
    rows, part = [], 0
    while True:
        part += 1
        body, made = await taken(desk, bulk, part)
        assert body.endswith(b"\r\n")
        rows += list(csv.DictReader(io.StringIO(body.decode(), newline="")))
        entries = await base.entries(bulk=str(bulk.id), method="bulk")
        assert len(entries) == len(rows)  # of this part and those before, of nobody else
        if made.final:
            break
    assert part == 3
    assert len(rows) == 250
    assert b"secret" not in body
    assert rows[0]["name"] == '\'=HYPERLINK("http://x")'
    assert rows[1]["name"] == '甲,"乙"\n丙'
    assert rows[1]["height"] == "-3"
    assert (rows[0]["born_on"], rows[0]["height"], rows[0]["alive"]) == ("1950-01-02", "1.62", "true")
    assert rows[2]["height"] == ""
    one = entries[0]
    assert one["subject"] is not None
    assert one["body"]["fields"] == list(FIELDS)
    assert one["body"]["basis"] == "elderly-2018:33"
    assert one["payload"]["key"] == "#" + rows[0]["_record"]
    async with base.pool.acquire() as conn:  # what the person concerned sees
        seen = await conn.fetch("SELECT kind, body FROM ledger.entries_of($1, NULL, 10)", one["subject"])
    assert any(
        entry["body"].get("bulk") == str(bulk.id) and entry["body"]["purpose"] == "为老年人发放补贴"
        for entry in seen
    )
    whole = await desk.manifest("civil", bulk.id)
    assert whole.state == "complete"
    assert [p.rows for p in whole.parts] == [100, 100, 50]
    assert len(await base.entries("exchange.bulk_part", bulk=str(bulk.id), whole=True)) == 3


@pytest.mark.parametrize("format", ["parquet", "arrow"])
async def test_columns_have_their_types(base, people, desk, format):
    bulk = await desk.start("civil", await base.grant(fields=FIELDS), format, part_size=1000)
    body, made = await taken(desk, bulk, 1)
    table = (
        pyarrow.parquet.read_table(io.BytesIO(body))
        if format == "parquet"
        else pyarrow.ipc.open_stream(body).read_all()
    )
    assert table.num_rows == made.rows == 250
    assert [str(t) for t in table.schema.types] == ["int64", "string", "date32[day]", "double", "bool"]
    first, second = table.slice(0, 2).to_pylist()
    assert first["name"] == '=HYPERLINK("http://x")'  # no spreadsheet opens these: the value is as it is
    assert (str(first["born_on"]), first["height"], first["alive"]) == ("1950-01-02", 1.62, True)
    assert (second["born_on"], second["height"], second["alive"]) == (None, -3.0, False)
    (part,) = (await desk.manifest("civil", bulk.id)).parts
    assert part.unreadable == 1  # 不详


@pytest.mark.parametrize("format", ["csv", "parquet", "arrow"])
async def test_a_part_fetched_again_is_the_same_whatever_happened_since(base, desk, format):
    keys = await base.people_in(20)
    bulk = await desk.start("civil", await base.grant(fields=FIELDS), format, part_size=100_000)
    first, _ = await taken(desk, bulk, 1)
    await base.put(keys[0], name="改名了")
    await base.people_in(1)
    again, _ = await taken(desk, bulk, 1)
    assert again == first
    assert (
        len(await base.entries(bulk=str(bulk.id), method="bulk"))
        == (await desk.manifest("civil", bulk.id)).parts[0].rows
    )


async def test_slices_make_no_difference(base, people, desk, monkeypatch):
    grant = await base.grant(fields=FIELDS)
    bulk = await desk.start("civil", grant, "csv", part_size=100)
    whole, _ = await taken(desk, bulk, 1)
    monkeypatch.setattr(downloads, "SLICE", 7)
    again, _ = await taken(desk, bulk, 1)
    assert again == whole


async def test_entered_before_a_value_and_not_in_the_same_transaction(base, people, desk):
    bulk = await desk.start("civil", await base.grant(fields=FIELDS), "csv", part_size=100)
    async with base.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await conn.fetchval("SELECT exchange.bulk_enter($1, 'civil', 1)", bulk.id)
        with pytest.raises(asyncpg.PostgresError) as caught:
            await conn.fetch("SELECT * FROM exchange.bulk_open($1, 'civil', 1, 0, 10)", bulk.id)
        await transaction.rollback()
    assert caught.value.sqlstate == "DZ604"
    assert not await base.pool.fetch("SELECT * FROM exchange.bulk_open($1, 'civil', 1, 0, 10)", bulk.id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await base.pool.fetch("SELECT refs FROM exchange.bulk_part")


async def test_a_broken_download_leaves_what_left(base, people, desk):
    bulk = await desk.start("civil", await base.grant(fields=FIELDS), "csv", part_size=100)
    async with desk.part("civil", bulk.id, 1) as made:
        await desk.sent(made, 10)  # the line went dead
    (told,) = await base.entries("exchange.bulk_part", bulk=str(bulk.id))
    assert (told["body"]["sent"], told["body"]["whole"]) == (10, False)
    assert len(await base.entries(bulk=str(bulk.id), method="bulk")) == 100  # of the other parts nobody
    assert (await desk.manifest("civil", bulk.id)).state == "open"
    body, _ = await taken(desk, bulk, 1)
    assert len(body) > 10


async def test_parts_come_in_order_and_end(base, desk):
    bulk = await desk.start("civil", await base.grant(fields=("code", "title"), resource="R/street"), "csv")
    with pytest.raises(BulkPartMissing) as caught:
        async with desk.part("civil", bulk.id, 2):
            pass
    assert "1" in caught.value.message
    await taken(desk, bulk, 1)
    with pytest.raises(BulkPartUnknown):
        async with desk.part("civil", bulk.id, 2):
            pass


async def test_an_empty_register_has_one_empty_part(base, desk):
    bulk = await desk.start(
        "civil", await base.grant(fields=("code", "title"), resource="R/street"), "parquet"
    )
    body, made = await taken(desk, bulk, 1)
    assert (made.rows, made.final) == (0, True)
    assert pyarrow.parquet.read_table(io.BytesIO(body)).column_names == ["_record", "code", "title"]


async def test_only_ones_own_and_only_what_is_granted(base, people, desk):
    grant = await base.grant(fields=("name",))
    with pytest.raises(BulkFieldsNotGranted):
        await desk.start("civil", grant, "csv", ["name", "illness"])
    assert len(await base.entries("exchange.refused", grant=grant, reason="fields")) == 1
    with pytest.raises(DeliveryRefused):
        await desk.start("health", grant, "csv")
    bulk = await desk.start("civil", grant, "csv", part_size=100)
    for consumer, number in (("health", bulk.id), ("civil", uuid.uuid4())):
        with pytest.raises(BulkUnknown):
            await desk.manifest(consumer, number)
        with pytest.raises(BulkUnknown):
            async with desk.part(consumer, number, 1):
                pass


async def test_revoked_in_the_middle_gives_no_further_part_not_even_an_old_one(base, people, desk):
    grant = await base.grant(fields=("name",))
    bulk = await desk.start("civil", grant, "csv", part_size=100)
    await taken(desk, bulk, 1)
    await base.change_grant(grant, "state = 'revoked', ended_why = 'x'")
    for part in (1, 2):
        with pytest.raises(DeliveryRefused) as caught:
            async with desk.part("civil", bulk.id, part):
                pass
        assert caught.value.reason == "revoked"
    assert (await desk.manifest("civil", bulk.id)).state == "stopped"
    assert len(await base.entries("exchange.refused", grant=grant, method="bulk")) == 2


async def test_no_more_downloads_a_day_than_granted(base, desk):
    grant = await base.grant(fields=("name",))
    await base.change_grant(grant, "per_day = 2")
    for _ in range(2):
        await desk.start("civil", grant, "csv")
    with pytest.raises(BulkTooOften):
        await desk.start("civil", grant, "csv")


async def test_the_copy_goes_on_where_the_download_stood(base, desk):
    from dizuo.engines.exchange.delivery import subscribe

    grant = await base.grant(fields=("name",))
    bulk = await desk.start("civil", grant, "csv")
    await base.people_in(1)
    sub = await subscribe.subscribe(base.pool, "civil", grant, "stream", after=bulk.feed_position)
    entered = await subscribe.enter(base.pool, sub.id, None, 100)
    assert len(await subscribe.release(base.pool, sub.id, entered.after, 100)) == 1


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]
)
def test_no_cell_begins_a_formula(text):
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["1+1", "甲=乙", "", "'=1", " =1", "人民路-1号"])
def test_other_cells_stay_as_they_are(text):
    assert harmless(text) == text
