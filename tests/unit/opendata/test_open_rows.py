"""Rows by condition are what a plain filter gives; nothing that is asked becomes SQL; what takes too long is stopped."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from open_datasets import made_up

from dizuo.engines.opendata import (
    Condition,
    DatasetSeen,
    RowQuery,
    RowsQueryInvalid,
    RowsQuerySlow,
    dataset,
    exporting,
    facet,
    find_sets,
    parse_query,
    rows_found,
    stream_rows,
)

COLUMNS = {"name": "text", "n": "integer", "share": "decimal", "day": "date", "open": "boolean"}
ROWS: list[dict[str, Any]] = [
    {
        "name": f"村{n % 7}",
        "n": n,
        "share": n / 8,
        "day": str(dt.date(2026, 1, 1) + dt.timedelta(n)),
        "open": n % 2 == 0,
    }
    for n in range(100)
]
ROWS += [
    {"name": "=HYPERLINK(\"http://x\")", "n": None, "share": -1.5, "day": None, "open": None},
    {"name": "'; DROP TABLE opendata.row; --", "n": -5, "share": None, "day": "2025-12-31", "open": True},
    {"name": "", "n": 10**12, "share": 0.0, "day": "2026-02-30", "open": False},
]  # fmt: skip


@pytest.fixture(scope="module")
async def table(pg: Any, app_pool: Any, wuxi: Any) -> DatasetSeen:
    import msgspec
    from open_datasets import CITY, DAY

    from dizuo.engines.opendata import publish_datasets

    one = made_up("table", COLUMNS)

    async def supply() -> Any:
        return ROWS

    async with pg() as owner:
        city = msgspec.structs.replace(wuxi, datasets={"table": one})
        (told,) = await publish_datasets(owner, city, CITY, DAY, {"work": supply}, only="table")
    assert told.outcome == "released"
    return await dataset(app_pool, "table")


CASES: list[tuple[str, str, Callable[[dict[str, Any]], bool]]] = [
    ("name", "村3", lambda r: r["name"] == "村3"),
    ("name__ne", "村3", lambda r: r["name"] != "村3"),
    ("name__has", "村", lambda r: "村" in r["name"]),
    ("name__has", "drop table", lambda r: "DROP TABLE" in r["name"]),
    ("name__starts", "=HY", lambda r: r["name"].startswith("=HY")),
    ("name__in", "村1|村2", lambda r: r["name"] in ("村1", "村2")),
    ("name__empty", "yes", lambda r: not r["name"]),
    ("name", "'; DROP TABLE opendata.row; --", lambda r: r["name"].startswith("';")),
    ("n__gt", "90", lambda r: r["n"] is not None and r["n"] > 90),
    ("n__lte", "-5", lambda r: r["n"] is not None and r["n"] <= -5),
    ("n__in", "5|7.0|-5", lambda r: r["n"] in (5, 7, -5)),
    ("n__empty", "yes", lambda r: r["n"] is None),
    ("share__gte", "12.25", lambda r: r["share"] is not None and r["share"] >= 12.25),
    ("day__lt", "2026-01-03", lambda r: r["day"] is not None and r["day"] < "2026-01-03"),
    ("open", "true", lambda r: r["open"] is True),
]


@pytest.mark.parametrize(("name", "value", "holds"), CASES, ids=[f"{n}={v}" for n, v, _ in CASES])
async def test_a_condition_gives_what_a_plain_filter_gives(
    app_pool: Any, table: DatasetSeen, name: str, value: str, holds: Any
) -> None:
    query = parse_query(table.columns, [(name, value), ("_limit", "1000")])
    found = await rows_found(app_pool, table, query)
    assert [row.data for row in found.rows] == [row for row in ROWS if holds(row)]
    assert found.total == len(found.rows)
    streamed = [row.data async for batch in stream_rows(app_pool, table, query, batch=7) for row in batch]
    assert streamed == [row.data for row in found.rows]


async def test_order_pages_text_and_facets(app_pool: Any, table: DatasetSeen) -> None:
    query = parse_query(table.columns, [("_sort", "-n"), ("_limit", "3"), ("_offset", "1")])
    found = await rows_found(app_pool, table, query)
    assert [row.data["n"] for row in found.rows] == [99, 98, 97]
    assert found.total == len(ROWS)
    beyond = await rows_found(
        app_pool, table, parse_query(table.columns, [("name", "村1"), ("_offset", "900")])
    )
    assert (beyond.rows, beyond.total) == ((), 15)
    texts = await rows_found(app_pool, table, parse_query(table.columns, [("q", "HYPER")]))
    assert texts.total == 1
    counted = dict(
        await facet(app_pool, table, parse_query(table.columns, [("n__lt", "14"), ("name", "村1")]), "name")
    )
    assert counted["村1"] == 2
    assert counted["村2"] == 2  # a facet does not shut out its own other values


@pytest.mark.parametrize(
    "asked",
    [
        [("nothing", "1")], [("n", "one")], [("n__gt", "1;DROP")], [("n__like", "1")], [("_sort", "n;DROP")], [("_sort", "-nothing")],
        [("_limit", "0")], [("_limit", "1001")], [("_limit", "-1")], [("_offset", "x")], [("_limit", "1" * 50)], [("day", "yesterday")],
        [("open", "maybe")], [("name__empty", "perhaps")], [("name", "x" * 501)], [("n__in", "1|x")], [("name", "a\x00b")],
        [("n", "1e5")], [("n", "٣")], [("name__has", "a")] * 21, [("'; --", "1")], [("n__gt__lt", "1")], [("n", "NaN")],
    ],
)  # fmt: skip
def test_what_means_nothing_is_told_and_not_guessed(table: DatasetSeen, asked: list[tuple[str, str]]) -> None:
    with pytest.raises(RowsQueryInvalid) as caught:
        parse_query(table.columns, asked)
    assert caught.value.fields


async def test_a_question_that_takes_too_long_is_stopped(
    app_pool: Any, pg: Any, table: DatasetSeen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dizuo.engines.opendata.querying.BUDGET_MS", 1)
    async with pg() as owner:
        await owner.execute(
            "INSERT INTO opendata.row SELECT 'table', 1, n, jsonb_build_object('name', repeat('无锡', 100)) FROM generate_series(1000, 30000) n"
        )
    try:
        with pytest.raises(RowsQuerySlow):
            await rows_found(
                app_pool, table, RowQuery((Condition("name", "has", "没有"),), sort=(("name", True),))
            )
    finally:
        async with pg() as owner:
            await owner.execute("DELETE FROM opendata.row WHERE dataset = 'table' AND n >= 1000")


# --- files ----------------------------------------------------------------------------------------------


async def whole(body: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in body])


async def test_csv_runs_no_formula_and_keeps_numbers(app_pool: Any, table: DatasetSeen) -> None:
    raw = await whole(
        exporting.as_csv(table.columns, stream_rows(app_pool, table, RowQuery(), batch=9), bom=True)
    )
    assert raw.startswith(b"\xef\xbb\xbf")
    told = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert told[0] == list(COLUMNS)
    assert len(told) == len(ROWS) + 1
    assert told[101][0] == '\'=HYPERLINK("http://x")'
    assert told[101][2] == "-1.5"
    assert not [cell for row in told for cell in row if cell[:1] in "=+@" and cell]


async def test_a_csv_for_people_names_its_columns_and_its_size_is_known_about(
    app_pool: Any, table: DatasetSeen
) -> None:
    def batches() -> Any:
        return stream_rows(app_pool, table, RowQuery(), batch=9)

    raw = await whole(exporting.as_csv(table.columns, batches(), titled=True))
    first = next(csv.reader(io.StringIO(raw.decode("utf-8"))))
    assert first == [f"{c.zh}（{c.id}）" if c.zh != c.id else c.id for c in table.columns]
    plain = await whole(exporting.as_csv(table.columns, batches()))
    rows = [row async for batch in batches() for row in batch]
    assert abs(exporting.csv_size(table.columns, rows, len(rows)) - len(plain)) <= 2
    assert exporting.csv_size(table.columns, rows[:10], 10 * len(rows)) > len(plain)
    assert exporting.csv_size(table.columns, (), 0) < 200


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＠x"]
)
def test_every_beginning_of_a_formula_is_disarmed(text: str) -> None:
    assert exporting.disarmed(text) == "'" + text


async def test_json_lines_and_json_are_the_same_rows(app_pool: Any, table: DatasetSeen) -> None:
    lines = await whole(exporting.as_jsonl(table.columns, stream_rows(app_pool, table, RowQuery(), batch=9)))
    array = await whole(exporting.as_json(table.columns, stream_rows(app_pool, table, RowQuery(), batch=9)))
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(array) == ROWS


async def test_a_workbook_has_typed_cells_and_no_formula(app_pool: Any, table: DatasetSeen) -> None:
    raw = await whole(
        await exporting.as_file(table, "xlsx", stream_rows(app_pool, table, RowQuery()), table.rows)
    )
    sheet = openpyxl.load_workbook(io.BytesIO(raw)).active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0] == tuple(COLUMNS)
    assert cells[101][0] == '=HYPERLINK("http://x")'
    assert sheet.cell(102, 1).data_type == "s" or sheet.cell(102, 1).data_type == "f"
    assert b"<f>" not in _sheet_xml(raw)
    assert cells[6][1] == 5


def _sheet_xml(raw: bytes) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        return book.read("xl/worksheets/sheet1.xml")


async def test_parquet_has_declared_types(app_pool: Any, table: DatasetSeen) -> None:
    raw = await whole(
        await exporting.as_file(table, "parquet", stream_rows(app_pool, table, RowQuery()), table.rows)
    )
    read = pq.read_table(io.BytesIO(raw))
    assert [str(field.type) for field in read.schema] == ["string", "int64", "double", "string", "bool"]
    assert read.to_pylist() == ROWS


RARE = [
    "阿依古丽·吐尔逊",
    "𠮷野家（无锡）",
    "㐂",
    "䶮",
    "𬭸𬭚",
    "\U00030ede",
    "鑫㙓\u3000全角空格",
    'a"b,c\nd',
    "'单引号",
    "=1+1",
    "＝1+1",
    "0012",
]
"""A middle dot; characters of two, three and four bytes in GB 18030; what CSV must quote; formulas; a number that is a text."""


async def test_rare_characters_and_dots_come_out_of_every_file_as_they_went_in(
    app_pool: Any, another_release: Any, seen: Any
) -> None:
    rows = [{"name": name, "n": n} for n, name in enumerate(RARE)]
    told = await another_release(made_up("rare", {"name": "text", "n": "integer"}), rows)
    assert told.outcome == "released"
    data = await seen("rare")

    def batches() -> Any:
        return stream_rows(app_pool, data, RowQuery(), batch=5)

    async def file(format: str) -> bytes:
        return await whole(await exporting.as_file(data, format, batches(), data.rows))

    raw = await whole(exporting.as_csv(data.columns, batches()))
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline="")))
    assert [line[0] for line in lines[1:]] == [f"'{name}" if name[0] in "=＝" else name for name in RARE]
    assert (
        raw.decode("utf-8").encode("gb18030").decode("gb18030").encode("utf-8") == raw
    )  # as an office programme saves it again
    sheet = openpyxl.load_workbook(io.BytesIO(await file("xlsx"))).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == RARE
    assert pq.read_table(io.BytesIO(await file("parquet"))).column("name").to_pylist() == RARE
    assert [
        row["name"] for row in json.loads(await whole(exporting.as_json(data.columns, batches())))
    ] == RARE
    for name in ("阿依古丽·吐尔逊", "古丽·吐", "·", "𠮷", "𬭚", "\U00030ede", "㙓 全角", "0012"):
        assert "rare" in await find_sets(app_pool, name), name
    for name in ("古丽·吐", "·", "𠮷", "\U00030ede", "0012"):
        held = await rows_found(app_pool, data, parse_query(data.columns, [("q", name)]))
        assert held.total == sum(name in one for one in RARE), name


async def test_a_workbook_is_made_alike_each_time(
    app_pool: Any, table: DatasetSeen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a part of a download fits to the part that somebody has, whoever made it and when."""
    first = await whole(
        await exporting.as_file(table, "xlsx", stream_rows(app_pool, table, RowQuery(), batch=9), table.rows)
    )
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("time.gmtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    again = await whole(
        await exporting.as_file(table, "xlsx", stream_rows(app_pool, table, RowQuery(), batch=50), table.rows)
    )
    assert first == again


async def test_geojson_is_a_feature_collection(app_pool: Any, published: Any) -> None:
    seen = await dataset(app_pool, "district_boundaries")
    told = json.loads(await whole(exporting.as_geojson(seen, stream_rows(app_pool, seen, RowQuery()))))
    assert told["type"] == "FeatureCollection"
    assert {feature["geometry"]["type"] for feature in told["features"]} == {"MultiPolygon"}
    assert len(told["features"]) == 7


async def test_too_many_rows_for_a_sheet_are_refused_before_anything_is_made(
    app_pool: Any, table: DatasetSeen
) -> None:
    from dizuo.engines.opendata import TooManyForSheet

    with pytest.raises(TooManyForSheet):
        await exporting.as_file(table, "xlsx", stream_rows(app_pool, table, RowQuery()), 2_000_000)
