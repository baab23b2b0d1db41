"""XLSX, JSON lines and Parquet: values become text as people write them, and what lost digits is not believed."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from intake_sources import COLUMNS, HEADER, a_row, a_source, csv_text, take

from dizuo.engines.lake.intake.errors import ContentUnreadable, FileCut, FormatDiffers, HeaderDiffers


def workbook(fill: Callable[[Any], None]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        fill(book)
    return out.getvalue()


def put(sheet: Any, row: int, cells: Any) -> None:
    for column, cell in enumerate(cells):
        sheet.write_string(row, column, cell) if isinstance(cell, str) else sheet.write(row, column, cell)


def test_a_workbook_gives_text_dates_and_numbers_without_exponent(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet("登记")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        put(sheet, 0, HEADER)
        put(sheet, 1, ["001", "320211199001011234", "王小明"])
        sheet.write_datetime(1, 3, dt.datetime(1990, 1, 2), day)
        sheet.write_number(1, 4, 13812345678)
        sheet.write_datetime(1, 6, dt.datetime(2026, 1, 2, 3, 4, 5), time)
        put(sheet, 2, ["002", 320211199001011234, "李小红"])  # a number: Excel keeps 15 digits of it
        put(sheet, 4, ["003", "", "赵", 32875])

    taken = take(tmp_path, a_source(format="xlsx"), workbook(fill))
    first, last = taken.rows
    assert first == {
        "line": 2, "person_no": "001", "citizen_id": "320211199001011234", "name": "王小明", "birth_date": "1990-01-02",
        "phone": "13812345678", "address": None, "updated_at": "2026-01-02 03:04:05",
    }  # fmt: skip
    assert (last["line"], last["birth_date"]) == (5, "1990-01-02")
    assert taken.codes == [(3, "exponent")]
    assert "科学计数法" in taken.rejected[0]["says"]


def test_formulas_give_their_values_and_are_flagged(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        put(sheet, 0, HEADER)
        for row in range(1, 4):
            put(sheet, row, [f"00{row}", "", "王小明"])
        sheet.write_formula(1, 5, '="无锡市"&"滨湖区"', None, "无锡市滨湖区")
        sheet.write_formula(2, 5, "=A1/0", None, "#DIV/0!")
        sheet.write_formula(3, 5, "=A1", None, "")

    taken = take(tmp_path, a_source(format="xlsx"), workbook(fill))
    assert [row["address"] for row in taken.rows] == ["无锡市滨湖区"]
    assert taken.codes == [(3, "formula"), (4, "formula")]
    assert "#DIV/0!" in taken.rejected[0]["says"]
    assert [note.count for note in taken.outcome.notes if note.code == "formula"] == [3]


def test_title_rows_merged_headers_and_several_sheets(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        first = book.add_worksheet("一月")
        first.merge_range(0, 0, 0, 6, "无锡市某登记表（演示数据）")
        for column, name in enumerate(HEADER):
            if name not in ("联系电话", "户籍地址"):
                first.merge_range(1, column, 2, column, name)
        first.merge_range(1, 4, 1, 5, "联系")
        put(first, 2, ["", "", "", "", "电话", "户籍地址"])
        put(first, 3, ["001", "", "王小明", "", "13812345678", "望山路1号"])
        book.add_worksheet("说明").write(0, 0, "填表说明")
        second = book.add_worksheet("二月")
        put(second, 2, HEADER)
        put(second, 3, ["002", "", "李小红"])

    taken = take(tmp_path, a_source(format="xlsx"), workbook(fill))
    assert [(row["line"], row["person_no"]) for row in taken.rows] == [(4, "001"), (10_000_004, "002")]
    assert taken.rows[0]["phone"] == "13812345678"
    assert taken.rows[0]["address"] == "望山路1号"
    assert {"sheet_skipped", "title_rows"} <= taken.noted


def test_a_workbook_without_the_header_or_cut_off_is_refused(tmp_path: Path) -> None:
    whole = workbook(lambda book: put(book.add_worksheet(), 0, HEADER))
    with pytest.raises(HeaderDiffers):
        take(tmp_path, a_source(format="xlsx"), workbook(lambda book: book.add_worksheet().write(0, 0, "x")))
    with pytest.raises(FileCut):
        take(tmp_path, a_source(format="xlsx"), whole[: len(whole) // 2])
    assert take(tmp_path, a_source(format="xlsx"), whole).outcome.rows_in == 0


@pytest.mark.parametrize(
    ("declared", "content", "words"),
    [
        ("csv", workbook(lambda book: book.add_worksheet().write(0, 0, "x")), "Excel"),
        ("xlsx", csv_text([a_row(1)]).encode(), "文本文件"),
        ("xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "密码"),
        ("parquet", b"{}\n", "文本文件"),
        ("jsonl", b"PAR1" + b"\0" * 600, "Parquet"),
    ],
)
def test_the_bytes_count_and_not_what_the_file_is_called(
    tmp_path: Path, declared: str, content: bytes, words: str
) -> None:
    with pytest.raises(FormatDiffers, match=words):
        take(tmp_path, a_source(format=declared), content)


def test_json_lines_cost_only_those_that_are_broken(tmp_path: Path) -> None:
    good = json.dumps(a_row(1), ensure_ascii=False)
    lines = [
        good,
        "",
        json.dumps({**a_row(2), "联系电话": None, "备注": "x"}, ensure_ascii=False),
        good[:40],
        "[1]",
        json.dumps({**a_row(3), "户籍地址": {"a": 1}}, ensure_ascii=False),
        json.dumps({**a_row(4), "公民身份号码": 320211199001011234}, ensure_ascii=False),
        '{"人员编号": "P5", "姓名": "王", "公民身份号码": 3.2021e17}',
        '{"人员编号": "P6", "姓名": "王\\u0000"}',
        '{"人员编号": "P7", "人员编号": "P8", "姓名": "王"}',
        '{"姓名": "王小明"}',
    ]
    taken = take(tmp_path, a_source(format="jsonl"), "\n".join(lines).encode())
    assert [row["line"] for row in taken.rows] == [1, 3, 7]
    assert taken.rows[2]["citizen_id"] == "320211199001011234"
    assert sorted(taken.codes) == [
        (4, "json"), (5, "not_object"), (6, "nested"), (8, "exponent"), (9, "nul"), (10, "column_twice"), (11, "required"),
    ]  # fmt: skip
    assert taken.noted == {"column_extra"}


def test_json_lines_with_a_renamed_required_name_are_refused_and_empty_ones_are_not(tmp_path: Path) -> None:
    renamed = {("人员姓名" if name == "姓名" else name): value for name, value in a_row(1).items()}
    with pytest.raises(HeaderDiffers, match="改了名"):
        take(tmp_path, a_source(format="jsonl"), json.dumps(renamed, ensure_ascii=False).encode())
    assert take(tmp_path, a_source(format="jsonl"), b"").outcome.rows_in == 0


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_parquet_values_become_text(tmp_path: Path) -> None:
    when = dt.datetime(2026, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "人员编号": pa.array(["a", "b", "c"]).dictionary_encode(),
            "公民身份号码": pa.array([320211199001011234, None, 1], pa.int64()),
            "姓名": pa.array(["王", "李", "赵"], pa.large_string()),
            "出生日期": pa.array([dt.date(1990, 1, 2)] * 3),
            "联系电话": pa.array([13812345678.0, 3.2e17, None]),
            "户籍地址": pa.array(["", "路", None]),
            "更新时间": pa.array([when.replace(tzinfo=dt.UTC)] * 3, pa.timestamp("ms", "UTC")),
        }
    )
    taken = take(tmp_path, a_source(format="parquet"), parquet(table))
    assert taken.rows[0] == {
        "line": 1, "person_no": "a", "citizen_id": "320211199001011234", "name": "王", "birth_date": "1990-01-02",
        "phone": "13812345678", "address": None, "updated_at": "2026-01-02 11:04:05",
    }  # fmt: skip
    assert taken.codes == [(2, "exponent")]
    assert taken.rows[1]["line"] == 3


def test_parquet_that_is_cut_nested_or_no_text(tmp_path: Path) -> None:
    rows = [[row[name] for row in (a_row(1), a_row(2))] for name in HEADER]
    whole = parquet(pa.table(dict(zip(HEADER, rows, strict=True))))
    with pytest.raises(FileCut):
        take(tmp_path, a_source(format="parquet"), whole[:-20])
    nested = pa.table({name: pa.array([[1]] if name == "姓名" else ["x"]) for name in HEADER})
    with pytest.raises(ContentUnreadable, match="嵌套"):
        take(tmp_path, a_source(format="parquet"), parquet(nested))
    raw = pa.array([b"\xff\xfe", "王".encode()]).cast(pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    table = pa.table({name: broken if name == "姓名" else ["x", "y"] for name in HEADER})
    taken = take(tmp_path, a_source(format="parquet"), parquet(table))
    assert taken.codes == [(1, "encoding")]
    assert taken.rows[0]["name"] == "王"


def test_a_first_load_of_a_table_or_of_pushes_may_come_as_a_file(tmp_path: Path) -> None:
    columns = {name: [a_row(n)[name] for n in range(3)] for name in HEADER}
    assert take(tmp_path / "a", a_source(format="table"), parquet(pa.table(columns))).outcome.read == 3
    lines = json.dumps(a_row(1), ensure_ascii=False) + '\n{"push": 1}\n{broken\n'
    taken = take(tmp_path / "b", a_source(format="push"), lines.encode())
    assert [row["line"] for row in taken.rows] == [1]
    assert taken.codes == [(2, "required"), (3, "json")]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "xlsx"])
def test_all_formats_give_the_same_rows(tmp_path: Path, format: str) -> None:
    rows = [a_row(n) for n in range(100)]
    columns = {name: [row[name] for row in rows] for name in HEADER}

    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        put(sheet, 0, HEADER)
        for at, row in enumerate(rows, 1):
            put(sheet, at, row.values())

    content = {
        "csv": lambda: csv_text(rows).encode(),
        "jsonl": lambda: "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
        "parquet": lambda: parquet(pa.table(columns)),
        "xlsx": lambda: workbook(fill),
    }[format]()
    taken = take(tmp_path, a_source(format=format), content)
    assert [[row[id] for id, _, _ in COLUMNS] for row in taken.rows] == [list(row.values()) for row in rows]
