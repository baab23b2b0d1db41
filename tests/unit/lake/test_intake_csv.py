"""CSV deliveries: encodings, quoting, lines that are broken, columns that moved; every row ends somewhere."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_sources import HEADER, NOW, a_row, a_source, csv_text, take

from dizuo.engines.lake.intake.errors import ContentUnreadable, HeaderDiffers


@pytest.mark.parametrize(
    ("declared", "encoding", "bom"),
    [("utf-8", "utf-8", b""), ("utf-8", "utf-8", b"\xef\xbb\xbf"), ("gb18030", "gb18030", b""), ("gb18030", "gbk", b"")],
)  # fmt: skip
def test_every_declared_encoding_gives_the_text_as_delivered(
    tmp_path: Path, declared: str, encoding: str, bom: bytes
) -> None:
    rows = [a_row(n, 姓名="王小明·阿", 户籍地址="无锡市，滨湖区") for n in range(50)]
    taken = take(tmp_path, a_source(encoding=declared), bom + csv_text(rows).encode(encoding))
    assert [row["person_no"] for row in taken.rows] == [f"P{n:06d}" for n in range(50)]
    assert [row["line"] for row in taken.rows] == list(range(2, 52))
    assert {row["name"] for row in taken.rows} == {"王小明·阿"}
    assert not taken.rejected
    assert not taken.outcome.notes


def test_a_character_of_gb_18030_alone_is_kept(tmp_path: Path) -> None:
    content = csv_text([a_row(1, 姓名="王㛃𰻝"), a_row(2)]).encode("gb18030")
    assert take(tmp_path, a_source(encoding="gb18030"), content).rows[0]["name"] == "王㛃𰻝"


def test_rare_characters_whose_bytes_could_be_another_encoding_are_believed(tmp_path: Path) -> None:
    rare = bytes([0xC2, 0x80, 0xC3, 0x85]).decode("gb18030")  # two hanzi; as UTF-8 two letters
    content = csv_text([a_row(1, 姓名=rare, 户籍地址="")]).encode("gb18030")
    taken = take(tmp_path, a_source(encoding="gb18030"), content)
    assert [row["name"] for row in taken.rows] == [rare]


def test_the_file_is_read_as_what_it_is_when_the_header_says_so(tmp_path: Path) -> None:
    content = csv_text([a_row(1)]).encode("utf-8")
    taken = take(tmp_path, a_source(encoding="gb18030"), content)
    assert taken.rows[0]["name"] == "王小明"
    assert taken.noted == {"encoding_differs"}


@pytest.mark.parametrize(("whole", "other"), [("gb18030", "utf-8"), ("utf-8", "gb18030")])
def test_a_line_of_another_encoding_is_rejected_and_no_other(tmp_path: Path, whole: str, other: str) -> None:
    lines = csv_text([a_row(n) for n in range(300)]).splitlines(keepends=True)
    content = b"".join(line.encode(other if at in (7, 201) else whole) for at, line in enumerate(lines))
    taken = take(tmp_path, a_source(encoding=whole), content)
    assert taken.codes == [(8, "encoding"), (202, "encoding")]
    assert "王小明" in taken.rejected[0]["raw"]
    assert len(taken.rows) == 298
    assert "像是" in taken.rejected[0]["says"] or "UTF-8" in taken.rejected[0]["says"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_the_way_out(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(ContentUnreadable, match="UTF-16"):
        take(tmp_path, a_source(), csv_text([a_row(1)]).encode(encoding))


@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t"])
def test_quoted_line_breaks_and_delimiters_belong_to_the_cell(tmp_path: Path, delimiter: str) -> None:
    lines = csv_text([a_row(n) for n in range(10)], delimiter=delimiter).splitlines(keepends=True)
    cells = lines[4].rstrip("\r\n").split(delimiter)
    cells[5] = f'"望山路{delimiter}1号\r\n""二""幢"'
    lines[4] = delimiter.join(cells) + "\r\n"
    taken = take(tmp_path, a_source(delimiter=delimiter), "".join(lines).encode())
    assert taken.rows[3]["address"] == f'望山路{delimiter}1号\r\n"二"幢'
    assert [row["line"] for row in taken.rows] == [2, 3, 4, 5, 7, 8, 9, 10, 11, 12]


@pytest.mark.parametrize(
    ("broken", "code"),
    [('P9,"32', "quote"), ('P9,"a"b,王,,,,', "quote"), ("P9,1,王", "cells"), ("P9" + "," * 9, "cells"), ("P9,\0,王,,,,", "nul")],
)  # fmt: skip
def test_a_broken_line_costs_itself_and_not_the_rest(tmp_path: Path, broken: str, code: str) -> None:
    lines = csv_text([a_row(n) for n in range(400)]).splitlines()
    lines[200] = broken
    lines[300] = lines[300].replace("无锡市", '"无锡市').replace("号", '号"')  # well quoted, later on
    taken = take(tmp_path, a_source(), "\n".join(lines).encode())
    assert taken.codes == [(201, code)]
    assert len(taken.rows) == 399
    assert taken.rejected[0]["raw"].startswith("P9")


def test_quotes_that_are_open_on_many_lines_cost_those_lines_only(tmp_path: Path) -> None:
    lines = csv_text([a_row(n) for n in range(5_000)]).splitlines()
    open_ones = list(range(10, 5_000, 500))
    for at in open_ones:
        lines[at] = lines[at].replace(",王小明", ',"王小明')
    taken = take(tmp_path, a_source(), "\n".join(lines).encode())
    assert [line for line, code in taken.codes if code == "quote"] == [at + 1 for at in open_ones]
    assert len(taken.rows) == 5_000 - len(open_ones)


def test_blank_lines_are_no_rows_and_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    content = csv_text([a_row(1), a_row(2)]).replace("P000002", "\r\n\r\nP000002").rstrip("\r\n") + "\n\n \n"
    taken = take(tmp_path, a_source(), content.rstrip("\n ").encode())
    assert [row["line"] for row in taken.rows] == [2, 5]
    assert not taken.rejected


def test_a_line_of_empty_cells_is_no_row_unless_something_stands_in_it(tmp_path: Path) -> None:
    header = [*HEADER, "备注"]
    content = csv_text([a_row(1)], header=header) + ",,,,,,,\n" + ",,,,,,,有字\n"
    taken = take(tmp_path, a_source(), content.encode())
    assert [row["line"] for row in taken.rows] == [2]
    assert taken.codes == [(4, "required")]


def test_a_million_characters_in_a_cell_are_reported_with_their_beginning(tmp_path: Path) -> None:
    rows = [a_row(n) for n in range(20)]
    rows[7]["户籍地址"] = "长" * 1_000_000
    taken = take(tmp_path, a_source(), csv_text(rows).encode())
    assert taken.codes == [(9, "too_long")]
    assert "1,000,000" in taken.rejected[0]["says"]
    assert len(taken.rejected[0]["raw"]) == 4_000


def test_a_line_longer_than_a_block_is_passed_over(tmp_path: Path) -> None:
    lines = csv_text([a_row(n) for n in range(6)]).splitlines()
    lines[3] = "P9," + "x" * (20 << 20)
    taken = take(tmp_path, a_source(), "\n".join(lines).encode())
    assert taken.codes == [(4, "too_long")]
    assert [row["line"] for row in taken.rows] == [2, 3, 5, 6, 7]


def test_an_id_in_exponent_form_is_not_believed(tmp_path: Path) -> None:
    taken = take(tmp_path, a_source(), csv_text([a_row(1, 公民身份号码="3.20211E+17"), a_row(2)]).encode())
    assert taken.codes == [(2, "exponent")]
    assert "文本格式" in taken.rejected[0]["says"]


def test_a_formula_is_no_value(tmp_path: Path) -> None:
    rows = [a_row(1, 姓名='=HYPERLINK("x")'), a_row(2)]
    taken = take(tmp_path, a_source(), csv_text(rows).encode())
    assert taken.codes == [(2, "formula")]


def test_a_clock_that_runs_ahead_is_reported(tmp_path: Path) -> None:
    ahead = NOW + dt.timedelta(days=2)
    rows = [
        a_row(1, 更新时间=f"{ahead:%Y-%m-%d %H:%M:%S}"),
        a_row(2, 更新时间=f"{ahead:%Y/%m/%d}"),
        a_row(3, 更新时间=f"{NOW:%Y-%m-%dT%H:%M:%S}"),
        a_row(4, 更新时间="2025/1/3"),
        a_row(5, 更新时间="2026-11-23T01:30:00Z"),
    ]
    taken = take(tmp_path, a_source(), csv_text(rows).encode())
    assert taken.codes == [(2, "ahead"), (3, "ahead")]


def test_a_row_without_its_key_or_a_required_value_says_so(tmp_path: Path) -> None:
    taken = take(tmp_path, a_source(), csv_text([a_row(1, 人员编号=""), a_row(2, 姓名=""), a_row(3, 联系电话="")]).encode())  # fmt: skip
    assert taken.codes == [(2, "required"), (3, "required")]
    assert taken.rejected[0]["column"] == "人员编号"
    assert taken.rows[0]["phone"] is None


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ([*HEADER, "姓名"], "不止一次"),
        ([h for h in HEADER if h != "姓名"], "少了必需的“姓名”"),
        (["人员姓名" if h == "姓名" else h for h in HEADER], "可能是改了名"),
        (["a", "b"], "可能没有表头"),
    ],
)
def test_a_header_that_differs_refuses_the_delivery(tmp_path: Path, header: list[str], words: str) -> None:
    with pytest.raises(HeaderDiffers, match=words):
        take(tmp_path, a_source(), csv_text([a_row(1)], header=header).encode())


def test_another_delimiter_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeaderDiffers, match="竖线"):
        take(tmp_path, a_source(), csv_text([a_row(1)], delimiter="|").encode())


def test_columns_may_come_in_another_order_and_more_of_them_are_noted(tmp_path: Path) -> None:
    header = [*reversed(HEADER), "备注"]
    taken = take(tmp_path, a_source(), csv_text([a_row(1, 备注="x")], header=header).encode())
    assert taken.rows[0]["person_no"] == "P000001"
    assert taken.rows[0]["address"].startswith("无锡市")
    assert taken.noted == {"column_extra"}


def test_a_column_that_did_not_come_is_told(tmp_path: Path) -> None:
    header = [name for name in HEADER if name != "联系电话"]
    taken = take(tmp_path, a_source(), csv_text([a_row(1)], header=header).encode())
    assert taken.outcome.missing == ("phone",)
    assert taken.rows[0]["phone"] is None


def test_cells_that_moved_by_one_place_are_noticed_though_their_count_is_right(tmp_path: Path) -> None:
    rows = [a_row(n) for n in range(100)]
    moved = [dict(zip(HEADER, (row["人员编号"], row["姓名"], *list(row.values())[3:], row["公民身份号码"]), strict=True)) for row in rows]  # fmt: skip
    assert not take(tmp_path, a_source(), csv_text(rows).encode()).outcome.moved
    assert "公民身份号码" in take(tmp_path, a_source(), csv_text(moved).encode()).outcome.moved


def test_cells_that_move_in_the_middle_of_a_file_are_noticed_with_their_line(tmp_path: Path) -> None:
    rows = [a_row(n) for n in range(150_000)]
    for row in rows[100_000:]:
        row["公民身份号码"], row["姓名"] = row["姓名"], row["公民身份号码"]
    moved = take(tmp_path, a_source(), csv_text(rows).encode()).outcome.moved
    assert "行起不像证件号码" in moved


def test_an_empty_file_is_refused_and_a_header_alone_gives_no_rows(tmp_path: Path) -> None:
    with pytest.raises(ContentUnreadable, match="空的"):
        take(tmp_path, a_source(), b"")
    assert take(tmp_path, a_source(), csv_text([]).encode()).outcome.rows_in == 0


CELL = st.text(alphabet='ab王"，,\n|= \u3000', max_size=6)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12), seed=st.integers(0, 3))
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], seed: int
) -> None:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if seed % 2 else csv.QUOTE_MINIMAL, lineterminator="\r\n" if seed > 1 else "\n")  # fmt: skip
    writer.writerow(["编号", "一", "二"])
    for n, (_, one, two) in enumerate(rows):
        writer.writerow([f"k{n}", one, two])
    source = a_source(
        columns=[("id", "编号", "text"), ("one", "一", "address"), ("two", "二", "address")], required=()
    )
    taken = take(tmp_path_factory.mktemp("csv"), source, out.getvalue().encode())
    expected = {
        f"k{n}": (one or None, two or None)
        for n, (_, one, two) in enumerate(rows)
        if not one.startswith("=") and not two.startswith("=")
    }
    assert {row["id"]: (row["one"], row["two"]) for row in taken.rows} == expected
    assert {code for _, code in taken.codes} <= {"formula"}
