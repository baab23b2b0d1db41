"""Where a block of bytes ends makes no difference to what is read, whatever the bytes are."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from intake_sources import Taken, a_source, take

from dizuo.engines.lake.errors import DeliveryRefused
from dizuo.engines.lake.intake import csv_records, lines

COLUMNS = [("id", "编号", "text"), ("one", "一", "address"), ("two", "二", "address")]
PIECE = st.sampled_from(
    ["a", "王", ",", ",", '"', '""', '","', "\n", "\r\n", "\r", " ", "=", "x,y,z\n", 'k,"a\nb",c\n', '1,"2"3,4\n', "\0", "长" * 40]
)  # fmt: skip
BYTES = st.lists(PIECE, max_size=60).map("".join)


def read(folder: Path, content: bytes, encoding: str, block: int) -> Taken | str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK", block)
        patch.setattr(csv_records, "_OPEN", 4_096)
        try:
            return take(folder, a_source(columns=COLUMNS, required=(), encoding=encoding), content)
        except DeliveryRefused as refused:
            return refused.code


@settings(max_examples=40, deadline=None)
@given(body=BYTES, encoding=st.sampled_from(["utf-8", "gb18030"]), foreign=st.booleans())
@example(body='k1,"open\nk2,b,c\nk3,"x","y"\n', encoding="utf-8", foreign=False)
@example(body='"\n' * 70 + "k,1,2\n", encoding="utf-8", foreign=False)
def test_the_ends_of_blocks_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, body: str, encoding: str, foreign: bool
) -> None:
    other = {"utf-8": "gb18030", "gb18030": "utf-8"}[encoding]
    content = f"编号,一,二\n{body}".encode(encoding) + (
        "\nk,王小明,李小红\n".encode(other) if foreign else b""
    )
    one = read(tmp_path_factory.mktemp("one"), content, encoding, 1 << 20)
    many = read(tmp_path_factory.mktemp("many"), content, encoding, 1_000)
    if isinstance(one, str) or isinstance(many, str):
        assert one == many
        return
    assert many.rows == one.rows
    assert many.codes == one.codes
    assert [row["raw"] for row in many.rejected] == [row["raw"] for row in one.rejected]
    plain = content.split(b"\n")
    told = {row["line"] for row in (*one.rows, *one.rejected)}
    quiet = [
        n for n, line in enumerate(plain, 1) if n > 1 and n not in told and line.strip(b'\r \xa1\xe3\x80,"')
    ]
    # A line of which nothing is said is the rest of a quoted record that began before it.
    kept = ["\t".join(str(cell) for cell in row.values()) for row in one.rows]
    thrown = [row["raw"] for row in one.rejected]
    assert not quiet or any('"' in text or "\n" in text for text in (*kept, *thrown))


@settings(max_examples=12, deadline=None)
@given(content=st.binary(max_size=400))
def test_whatever_bytes_come_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    for format in ("csv", "jsonl", "xlsx", "parquet"):
        source = a_source(format=format, columns=COLUMNS, required=())
        for head in (b"", "编号,一,二\n".encode(), b"\x1f\x8b\x08", b"PK\x03\x04", b"PAR1"):
            with suppress(DeliveryRefused):  # nothing else may come out
                take(tmp_path_factory.mktemp("bytes"), source, head + content)
