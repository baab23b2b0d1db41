"""Intake: rows a second from landed bytes to raw rows in Parquet, for each format, beside DuckDB reading the same file.

    .venv/bin/python bench/intake.py [rows]

Invented rows (演示数据) of eleven columns. Every figure is the median of ROUNDS interleaved rounds, each in a process of its
own, so that peak memory is its own too. DuckDB reads the same file as text into Parquet with two threads, without line
numbers, rejected rows, encodings or checks: it is the ceiling, not a rival. It reads neither GB 18030 nor XLSX; beside
those stands the plain UTF-8 CSV of the same rows.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 3
HEADERS = (
    "人员编号",
    "姓名",
    "公民身份号码",
    "性别",
    "出生日期",
    "民族",
    "地址",
    "联系电话",
    "状态",
    "备注",
    "更新时间",
)
IDS = (
    "person_no",
    "name",
    "citizen_id",
    "sex",
    "birth_date",
    "ethnicity",
    "address",
    "phone",
    "state",
    "remark",
    "updated_at",
)
AS = ("text", "name", "citizen_id", "text", "date", "text", "address", "phone", "text", "text", "datetime")


def rows(count: int) -> list[tuple[str, ...]]:
    random.seed(1)
    streets = [f"无锡市滨湖区蠡湖街道望山路{n}号" for n in range(1, 900)]
    return [
        (
            f"P{n:09d}", random.choice("王李张刘陈杨赵黄") + random.choice("小明红丽强芳伟") * 2,
            f"320211{random.randint(1950, 2020)}0{random.randint(1, 9)}{random.randint(10, 28)}{random.randint(1000, 9999)}",
            "男", f"{random.randint(1950, 2020)}-01-02", "汉族", f"{random.choice(streets)}{n % 99}幢{n % 2500}室",
            f"1380000{n % 10_000:04d}", "正常", "", f"2026-11-20 12:00:{n % 60:02d}",
        )
        for n in range(count)
    ]  # fmt: skip


def write(folder: Path, count: int) -> dict[str, Path]:
    """The same rows in every format; XLSX gets a tenth of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import xlsxwriter

    made = rows(count)
    lines = "\n".join([",".join(HEADERS), *map(",".join, made), ""])
    quoted = "\n".join('"' + '","'.join(row) + '"' for row in [HEADERS, *made]) + "\n"
    paths = {
        name: folder / name
        for name in ("csv", "csv gb18030", "csv quoted", "csv gzip", "jsonl", "parquet", "xlsx")
    }
    paths["csv"].write_text(lines, "utf-8")
    paths["csv gb18030"].write_text(lines, "gb18030")
    paths["csv quoted"].write_text(quoted, "utf-8")
    paths["csv gzip"].write_bytes(gzip.compress(lines.encode(), 6))
    with paths["jsonl"].open("w", encoding="utf-8") as out:
        out.writelines(
            json.dumps(dict(zip(HEADERS, row, strict=True)), ensure_ascii=False) + "\n" for row in made
        )
    pq.write_table(pa.table({h: [row[n] for row in made] for n, h in enumerate(HEADERS)}), paths["parquet"])
    book = xlsxwriter.Workbook(str(paths["xlsx"]), {"constant_memory": True})
    sheet = book.add_worksheet()
    for at, row in enumerate([HEADERS, *made[: count // 10]]):
        for column, cell in enumerate(row):
            sheet.write_string(at, column, cell)
    book.close()
    return paths


def ours(format: str, path: Path, out: Path) -> int:
    """Read one file as intake does; returns rows."""
    from dizuo.engines.lake.intake import read_file
    from dizuo.foundation.blueprint.atoms import Length, Place, Words
    from dizuo.foundation.blueprint.model_source import Source, SourceColumn, SourceDelivery
    from dizuo.foundation.kernel.clock_source import SHANGHAI

    place = Place("bench", 1, 1)
    kind, _, encoding = format.partition(" ")
    columns = {
        id: SourceColumn(id, header, standard, id == "person_no", False, None, "", {}, {}, place)
        for id, header, standard in zip(IDS, HEADERS, AS, strict=True)
    }
    delivery: Any = SourceDelivery(kind, "gb18030" if encoding == "gb18030" else "utf-8", ",", "full", "daily", Length(1, "workday"), 0.3, None, place)  # type: ignore[arg-type]  # fmt: skip
    source = Source("bench", Words("演示"), "psb", Words("演示"), None, "steward", delivery, "person_no", "updated_at", columns, (), (), (), place)  # fmt: skip
    now = dt.datetime(2026, 11, 23, tzinfo=SHANGHAI)
    outcome = read_file(path, source, rows=out / "rows.parquet", rejected=out / "rejected.parquet", now=now)
    assert not outcome.rejected, outcome
    return outcome.read


def duckdbs(format: str, path: Path, out: Path) -> int:
    """Read one file as DuckDB does, everything as text; 0 where it cannot."""
    import duckdb

    readers: dict[str, str] = {
        "csv": "read_csv('{}', all_varchar=true, header=true, quote='')",
        "csv quoted": "read_csv('{}', all_varchar=true, header=true)",
        "csv gzip": "read_csv('{}', all_varchar=true, header=true, compression='gzip')",
        "jsonl": "read_json('{}', format='newline_delimited')",
        "parquet": "read_parquet('{}')",
    }
    if format not in readers:
        return 0
    with duckdb.connect(config={"threads": 2}) as lake:
        target = out / "duck.parquet"
        lake.execute(
            f"COPY (SELECT * FROM {readers[format].format(path)}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )
        found = lake.execute(f"SELECT count(*) FROM '{target}'").fetchone()
    return int(found[0]) if found else 0


def one(who: str, format: str, path: str, out: str) -> None:
    """In a process of its own: print rows, seconds, peak memory in MB, seconds of processor time."""
    work: Callable[[str, Path, Path], int] = ours if who == "dizuo" else duckdbs
    started, cpu = time.perf_counter(), time.process_time()
    count = work(format, Path(path), Path(out))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    # VmHWM begins anew with each program; getrusage would tell the parent's peak.
    peak = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    print(count, seconds, int(peak.split()[1]) // 1024, cpu)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    print(f"{count:,} rows, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}, {ROUNDS} rounds")
    with tempfile.TemporaryDirectory(prefix="dizuo-bench-") as made:
        folder = Path(made)
        paths = write(folder, count)
        seen: dict[tuple[str, str], list[tuple[float, float, int, float]]] = {}
        for _ in range(ROUNDS):
            for format, path in paths.items():
                for who in ("dizuo", "duckdb"):
                    told = subprocess.run(
                        [sys.executable, __file__, "--one", who, format, str(path), made],
                        check=True, capture_output=True, text=True,
                    ).stdout.split()  # fmt: skip
                    seen.setdefault((format, who), []).append(
                        (float(told[0]), float(told[1]), int(told[2]), float(told[3]))
                    )
        print(
            f"{'format':14}{'MB':>7}{'rows/s':>12}{'CPU µs/row':>12}{'peak MB':>9}{'DuckDB rows/s':>15}{'CPU':>6}{'ratio':>7}"
        )
        for format, path in paths.items():
            ours_, theirs = (seen[format, who] for who in ("dizuo", "duckdb"))
            rate, beside = (statistics.median(n / s for n, s, _, _ in rounds) for rounds in (ours_, theirs))
            spent, theirs_spent = (
                statistics.median(c / max(n, 1) * 1e6 for n, _, _, c in rounds) for rounds in (ours_, theirs)
            )
            peak = max(mb for _, _, mb, _ in ours_)
            tail = f"{beside:>15,.0f}{theirs_spent:>6.1f}{rate / beside:>7.2f}" if beside else f"{'—':>15}"
            print(f"{format:14}{path.stat().st_size / 1e6:>7.0f}{rate:>12,.0f}{spent:>12.1f}{peak:>9,}{tail}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:6])
    else:
        main()
