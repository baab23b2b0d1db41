"""A file of the person register as the police deliver it, for the tests of loading."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dizuo.engines.lake import Loaded, LoadReport
from dizuo.engines.lake.numbering import citizen_number

ROOT = Path(__file__).resolve().parents[3]
TODAY = dt.date(2026, 11, 23)
HEADER = (
    "公民身份号码",
    "姓名",
    "姓",
    "名",
    "性别",
    "出生日期",
    "民族",
    "户籍地址",
    "户籍地区划",
    "人员状态",
    "数据日期",
)
BORN = dt.date(1990, 5, 4)


def number(sequence: int) -> str:
    return citizen_number("320211", BORN, sequence)


def person(sequence: int, name: str = "赵演示", **changes: str) -> dict[str, str]:
    base = (number(sequence), name, name[:1], name[1:], "1" if sequence % 2 else "2", BORN.isoformat(), "01",
            "无锡市滨湖区演示路1号", "320211004", "1", "2026-11-20")  # fmt: skip
    return {**dict(zip(HEADER, base, strict=True)), **changes}


def as_csv(rows: Iterable[dict[str, str]], header: Sequence[str] = HEADER, delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([row[name] for name in HEADER])
    return text.getvalue()


Deliver = Callable[..., LoadReport]


def only(report: LoadReport) -> Loaded:
    (file,) = report.files
    return file
