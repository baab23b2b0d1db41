"""Small declared sources and a reader for the tests of intake; every person in them is invented (演示数据)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dizuo.engines.lake.intake.landing import land
from dizuo.engines.lake.intake.limits import Limits
from dizuo.engines.lake.intake.places import Places
from dizuo.engines.lake.intake.reading import Outcome, read_file
from dizuo.foundation.blueprint.atoms import Length, Place, Words
from dizuo.foundation.blueprint.model_source import Source, SourceColumn, SourceDelivery, SourceTable
from dizuo.foundation.kernel.clock_source import SHANGHAI

PLACE = Place("sources/test.yaml", 1, 1)
NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
COLUMNS = (
    ("person_no", "人员编号", "text"),
    ("citizen_id", "公民身份号码", "citizen_id"),
    ("name", "姓名", "name"),
    ("birth_date", "出生日期", "date"),
    ("phone", "联系电话", "phone"),
    ("address", "户籍地址", "address"),
    ("updated_at", "更新时间", "datetime"),
)
HEADER = tuple(header for _, header, _ in COLUMNS)


def a_source(
    id: str = "hukou",
    *,
    format: str = "csv",
    encoding: str = "utf-8",
    delimiter: str = ",",
    mode: str = "full",
    columns: Iterable[tuple[str, str, str]] = COLUMNS,
    required: Iterable[str] = ("person_no", "name"),
    table: tuple[str, str, str] | None = None,
    largest_drop: float = 0.3,
) -> Source:
    """A declared source; `table` is (schema, name, watermark column id)."""
    made = {
        key: SourceColumn(key, header, standard, key in set(required), False, None, "", {}, {}, PLACE)  # pyright: ignore
        for key, header, standard in columns
    }
    delivery = SourceDelivery(
        format, encoding, delimiter, mode, "daily", Length(1, "workday"), largest_drop,
        SourceTable(*table, PLACE) if table else None, PLACE,
    )  # fmt: skip
    as_of = "updated_at" if "updated_at" in made else ""
    key = next(iter(made))
    return Source(
        id, Words("测试源"), "psb", Words("测试系统"), None, "data_steward", delivery, key, as_of, made, (), (), (), PLACE
    )  # fmt: skip


def a_row(n: int, **other: str) -> dict[str, str]:
    """Row n of an invented household register, by header."""
    row = dict(
        zip(
            HEADER,
            (
                f"P{n:06d}", f"32021119900101{n % 10_000:04d}", "王小明", "1990-01-01", "13812345678",
                f"无锡市滨湖区望山路{n}号", "2026-11-20 12:00:00",
            ),
            strict=True,
        )
    )  # fmt: skip
    return {**row, **other}


def csv_text(
    rows: Iterable[Mapping[str, str]], *, header: Iterable[str] = HEADER, delimiter: str = ","
) -> str:
    """Rows as unquoted CSV with CRLF."""
    names = list(header)
    lines = [delimiter.join(names), *(delimiter.join(row.get(name, "") for name in names) for row in rows)]
    return "\r\n".join(lines) + "\r\n"


@dataclass
class Taken:
    """What reading some bytes gave."""

    outcome: Outcome
    rows: list[dict[str, Any]]
    rejected: list[dict[str, Any]]

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(row["line"], row["code"]) for row in self.rejected]

    @property
    def noted(self) -> set[str]:
        return {note.code for note in self.outcome.notes}


def take(folder: Path, source: Source, content: bytes, limits: Limits | None = None) -> Taken:
    """Land and read some bytes; every row that came in is in one of the two files."""
    places = Places(folder / "lake")
    landed = land([content], places, limits)
    rows, rejected = places.rows(source.id, 1), places.rejected(source.id, 1)
    outcome = read_file(landed.path, source, rows=rows, rejected=rejected, now=NOW, limits=limits)
    good, bad = pq.read_table(rows).to_pylist(), pq.read_table(rejected).to_pylist()
    assert outcome.read == len(good)
    assert outcome.rejected == len(bad)
    assert outcome.rows_in == len(good) + len(bad)
    lines = [row["line"] for row in (*good, *bad)]
    assert len(set(lines)) == len(lines), "a line is one row"
    return Taken(outcome, good, bad)
