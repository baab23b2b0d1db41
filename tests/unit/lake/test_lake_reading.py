"""Reading and checking whatever bytes come: properties, and no file that stops the program."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from police_file import HEADER, ROOT, TODAY, person

from dizuo.engines.lake.checking import Fault, RowCheck
from dizuo.engines.lake.errors import DeliveryRefused
from dizuo.engines.lake.loading import storable
from dizuo.engines.lake.reading import MAX_LINE, open_delivery
from dizuo.foundation.blueprint import City, load_city

FOLDER = tempfile.TemporaryDirectory(prefix="dizuo-reading-")
CITY: City = load_city(ROOT / "cities" / "wuxi")
GOOD = ",".join(HEADER).encode() + b"\n"


def check() -> RowCheck:
    return RowCheck(CITY, CITY.registers["person"], "psb", HEADER, TODAY)


def written(content: bytes) -> Path:
    path = Path(FOLDER.name) / "file.csv"
    path.write_bytes(content)
    return path


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["utf-8", "gb18030", "gbk", "utf-8-sig"]),
    st.sampled_from(",;\t|，"),
)
@example(b"a\rb\n", "utf-8", ",")
@example(b'"\n', "utf-8", ",")
@example(b"\xef\xbb\xbf\n\n", "gbk", ",")
@example("a,b\n\u3000\n\x85\n".encode(), "utf-8", ",")
def test_any_bytes_are_read_or_refused(content: bytes, encoding: str, delimiter: str) -> None:
    path = written(content)
    refusal: DeliveryRefused | None = None
    try:
        opened = open_delivery(path, encoding, delimiter)
        assert opened.count() == len(list(opened.lines()))
        RowCheck(CITY, CITY.registers["person"], "psb", opened.header, TODAY)
    except DeliveryRefused as refused:
        refusal = refused
    # A few bytes never make a header with the key.
    assert refusal is not None
    assert refusal.message
    assert refusal.fix


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=12), st.integers(1, 14))
def test_any_rows_under_a_good_header_give_values_or_a_fault(rows: list[bytes], after: int) -> None:
    opened = open_delivery(written(GOOD + b"\n".join(rows)), "utf-8", ",")
    lines = list(opened.lines())
    assert opened.count() == len(lines)
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    assert list(opened.lines(after=after)) == [line for line in lines if line.number > after]
    checked = check()
    for line in lines:
        found = line.cells if isinstance(line.cells, Fault) else checked.row(line.cells)
        if isinstance(found, Fault):
            assert found.code
            assert found.says
        storable(line.raw).encode("utf-8")
        assert "\0" not in storable(line.raw)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_a_text_that_is_taken_is_taken_whole(text: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(person(1, 户籍地址=text)[name] for name in HEADER)
    if "\n" in out.getvalue() or "\r" in out.getvalue():
        return
    try:
        raw = out.getvalue().encode()
    except UnicodeEncodeError:
        return
    (line,) = open_delivery(written(GOOD + raw + b"\n"), "utf-8", ",").lines()
    assert not isinstance(line.cells, Fault)
    found = check().row(line.cells)
    if isinstance(found, Fault):
        assert found.column == "户籍地址"
        return
    import unicodedata

    assert found[1]["hukou_address"] == (unicodedata.normalize("NFC", text.strip()) or None)


def test_a_line_that_never_ends_is_cut_and_the_next_one_read() -> None:
    rows = io.StringIO()
    csv.writer(rows, lineterminator="\n").writerow(person(3)[name] for name in HEADER)
    content = GOOD + b"x" * (5 * MAX_LINE + 17) + b"\n" + rows.getvalue().encode()
    first, second = open_delivery(written(content), "utf-8", ",").lines()
    assert isinstance(first.cells, Fault)
    assert first.cells.code == "too_long"
    assert len(first.raw) <= MAX_LINE
    assert not isinstance(second.cells, Fault)
    assert second.number == 3
    assert not isinstance(check().row(second.cells), Fault)


@pytest.mark.parametrize("length", [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 2 * MAX_LINE - 1, 2 * MAX_LINE])
@pytest.mark.parametrize("ends", [b"", b"\n"])
def test_lines_at_the_limit_are_counted_once(length: int, ends: bytes) -> None:
    opened = open_delivery(written(GOOD + b"y" * length + b"\nz" + ends), "utf-8", ",")
    lines = list(opened.lines())
    assert [line.number for line in lines] == [2, 3]
    assert opened.count() == 2
    assert lines[1].raw == "z"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1990-5-4", "1990-05-04"),
        ("19900504", "1990-05-04"),
        ("1990/05/04", "1990-05-04"),
        ("1990年5月4日", "1990-05-04"),
    ],
)
def test_dates_as_departments_write_them(typed: str, read: str) -> None:
    row = person(1, 出生日期=typed)
    found = check().row([row[name] for name in HEADER])
    assert not isinstance(found, Fault)
    assert found[1]["birth_date"] == read


def test_codes_may_be_given_by_their_names() -> None:
    row = person(2, 性别="女", 民族="汉族", 人员状态="正常")
    found = check().row([row[name] for name in HEADER])
    assert not isinstance(found, Fault)
    assert (found[1]["sex"], found[1]["ethnicity"], found[1]["state"]) == ("2", "01", "1")
