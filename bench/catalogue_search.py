"""Search over a million entries: nothing missed against a full scan, and how long an answer takes.

.venv/bin/python bench/catalogue_search.py --rows 1000000      the claim of the README
.venv/bin/python bench/catalogue_search.py --rows 50000        a small try
                    … --data FOLDER     keeps the database there, and fills it the first time only

Fills a database of its own with invented metadata and row texts in Chinese (from the city's real names of villages, towns and
items), indexes them as publishing does, and asks 400 queries of one to twelve characters, full and half width, pinyin, initials,
mixed scripts and several words, drawn from the texts and from thin air. Rows lie in many datasets, each with words of its own, so that
a word that is common here is rare there. For each query two answers against a full scan of every text (in Python, without any
index): ``find``, the first 50 rows in order with their number where it is told, and ``find_sets``, which the page calls: every
dataset in which anything holds it. Times are of one query at a time, after the first few have been asked once to warm the cache; with them the
processor time of both ends, which other work on the machine does not change. At the end one dataset of 20,000 rows is published anew.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gc
import json
import os
import random
import statistics
import tempfile
import time
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from dizuo.engines.opendata import find, find_sets
from dizuo.engines.opendata.folding import entry_text, fold
from dizuo.engines.opendata.indexing import Entry, forget_entries, write_entries
from dizuo.foundation.store import APP, OWNER, Server, connect, discover, migrate, open_pool

CITY = Path(__file__).resolve().parents[1] / "cities" / "wuxi"
WARM, QUERIES, PAGE = 20, 400, 50
PER_SET = 20_000
"""So many rows of a dataset are found by search (``indexing.ROWS``)."""
SAID_ONLY, COLUMNS = 2_000, 5
"""Datasets of which only the description and so many columns are found, as of harvested ones."""
_WORDS = (
    "人口 户籍 企业 行业 税收 社保 医保 养老 学校 学位 招生 医院 门诊 疫苗 公交 地铁 停车场 泊位 道路 桥梁 绿地 公园 河道 水质 空气 噪声 房产 预售 物业 消防 "
    "许可 处罚 信用 公示 预算 决算 采购 招标 年报 月报 统计 名录 清单 目录 坐标 边界 面积 数量 比例 时间 编号 名称 地址 电话 单位 部门"
)
WORDS = _WORDS.split()


class Times(NamedTuple):
    """One query: milliseconds of either answer by the clock and of processor."""

    query: str
    rows: float
    sets: float
    rows_worked: float
    sets_worked: float


def names() -> list[str]:
    """Real names of villages and towns."""
    found: list[str] = []
    for file in ("villages", "towns"):
        with (CITY / "divisions" / f"{file}.csv").open(encoding="utf-8") as lines:
            found += [row["name"] for row in csv.DictReader(lines)]
    return found


def entries(rows: int, dice: random.Random) -> list[Entry]:
    """Invented texts around real names: descriptions, columns, then rows of 20 to 60 characters, in order of weight."""
    places = names()
    sets = max(1, -(-rows // PER_SET))
    made: list[Entry] = []
    for n in range(SAID_ONLY + sets):
        title = f"{dice.choice(places)}{''.join(dice.sample(WORDS, 2))}信息"
        about = f"{dice.choice(places)}{'、'.join(dice.sample(WORDS, 8))}，每月更新，GB/T {2000 + n}"
        made.append((f"set{n}", "dataset", title, "", entry_text(title, about, sounding=title)))
    for n in range(SAID_ONLY):
        for column in dice.sample(WORDS, COLUMNS):
            made.append(
                (f"set{n}", "column", column, column, entry_text(column, f"column_{n}", sounding=column))
            )
    rows -= len(made)
    for n in range(rows):
        own = SAID_ONLY + n // PER_SET
        words = WORDS[own * 7 % len(WORDS) :][:24] + WORDS[: own % 5 + 1]
        said = f"无锡市{dice.choice(places)}{''.join(dice.sample(words, dice.randint(2, 5)))}（{2000 + n % 27}年第{n % 97}号）{dice.choice(places)}"
        sounding = said if n % 50 == 0 else ""
        made.append((f"set{own}", "row", said, str(n), entry_text(said, sounding=sounding)))
    return made


def queries(made: list[Entry], dice: random.Random) -> list[str]:
    """Parts of the texts of every length, in other widths and cases, two and three words at once, pinyin, and what is not there."""
    asked: list[str] = [
        "无锡",
        "市",
        "年",
        "鼋头渚",
        "renkou",
        "zbrk",
        "没有这个词",
        "户籍 门诊",
        "2026年",
        "ＧＢ／Ｔ",
        "gb/t 20",
        "column_1",
        "号",
        "1",
        "村",
        "社区",
        "x",
    ]
    places = names()
    while len(asked) < QUERIES:
        kind = len(asked) % 10
        folded = dice.choice(made)[4]
        line = dice.choice(folded.split("\n"))
        start = dice.randrange(len(line))
        piece = line[start : start + dice.randint(1, 8 if kind < 9 else 12)].strip()
        if kind == 0:
            piece = f"{piece} {dice.choice(WORDS)}"
        elif kind == 1:
            piece = " ".join(dice.sample(WORDS, 2))
        elif kind == 2:
            piece = dice.choice(places)
        elif kind == 3:
            piece = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in piece.upper())
        if fold(piece):
            asked.append(piece)
    return asked


async def run(rows: int, asked: int, data: Path | None, out: Path | None) -> None:
    dice = random.Random(20261123)
    with tempfile.TemporaryDirectory(prefix="dizuo-bench-") as folder:
        server = Server.start(data or Path(folder))
        try:
            made = entries(rows, dice)
            gc.freeze()  # a server holds no million texts that its collector would look through in the middle of an answer
            filled = await _fill(server, made)
            told = {
                "rows": rows,
                "filled_s": filled,
                **await _measure(server, made, queries(made, dice)[:asked]),
            }
            told["published_anew_s"] = await _publish_anew(server, made)
        finally:
            server.close()
    print(json.dumps(told, ensure_ascii=False, indent=1))
    if out is not None:
        out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


async def _fill(server: Server, made: list[Entry]) -> float | None:
    """Write all entries as publishing does, a dataset at a time; None when they are there from before."""
    owner = await connect(server.dsn(OWNER))
    if await owner.fetchval("SELECT to_regclass('opendata.entry')") is None:
        await migrate(server, discover())
    there = int(await owner.fetchval("SELECT count(*) FROM opendata.entry"))
    started = time.perf_counter()
    if not there:
        async with owner.transaction():
            await owner.executemany(
                "INSERT INTO opendata.dataset (id, title, provider, open_type, cycle) VALUES ($1, '演示数据', 'data', 'unconditional', 'daily')",
                [(id,) for id in dict.fromkeys(entry[0] for entry in made)],
            )
        said = [entry for entry in made if entry[1] != "row"]
        for at in range(0, len(said), 1_000):
            async with owner.transaction():
                await write_entries(owner, said[at : at + 1_000])
        for _, some in groupby((entry for entry in made if entry[1] == "row"), key=lambda entry: entry[0]):
            async with owner.transaction():
                await write_entries(owner, list(some))
        await owner.execute("VACUUM ANALYZE opendata.entry, opendata.posting")
    elif there != len(made):
        raise SystemExit(f"there are {there:,} entries in this folder already, not {len(made):,}")
    await owner.close()
    return None if there else round(time.perf_counter() - started, 1)


async def _measure(server: Server, made: list[Entry], asked: list[str]) -> dict[str, object]:
    pool = await open_pool(server.dsn(APP), min_size=1, max_size=1)
    backend = int(await pool.fetchval("SELECT pg_backend_pid()"))
    times: list[Times] = []
    answers: list[tuple[list[str], int | None, set[str]]] = []
    for query in asked[:WARM]:
        await find(pool, query, "row", limit=PAGE)
        await find_sets(pool, query)
    for query in asked:
        began, started = _worked(backend), time.perf_counter()
        got = await find(pool, query, "row", limit=PAGE)
        halfway, between = _worked(backend), time.perf_counter()
        sets = await find_sets(pool, query)
        over, ended = _worked(backend), time.perf_counter()
        times.append(
            Times(
                query, (between - started) * 1000, (ended - between) * 1000, halfway - began, over - halfway
            )
        )
        answers.append(([hit.place for hit in got.hits], got.total if got.exact else None, set(sets)))
    wrong: list[str] = []
    entries_of: dict[str, int] = {}
    folded = [entry[4] for entry in made]
    # Afterwards, as lists of a million would make the collector busy during the answers.
    for query, (rows, total, sets_found) in zip(asked, answers, strict=True):
        terms = fold(query).split()
        places = [at for at, text in enumerate(folded) if terms[0] in text]
        truth = [made[at] for at in places if all(term in folded[at] for term in terms[1:])]
        rows_true = [entry[3] for entry in truth if entry[1] == "row"]
        entries_of[query] = len(truth)
        if rows != rows_true[:PAGE] or total not in (None, len(rows_true)):
            wrong.append(f"rows: {query}")
        if sets_found != {entry[0] for entry in truth}:
            wrong.append(f"datasets: {query}")
    sizes: dict[str, int] = {}
    for table in ("entry", "entry_said", "posting", "posting_pkey", "posting_of"):
        sizes[table] = round(
            int(await pool.fetchval("SELECT pg_total_relation_size($1::regclass)", f"opendata.{table}")) / 1e6
        )
    await pool.close()
    lengths = sorted({min(len(one.query), 4) for one in times})
    return {
        "queries": len(times), "load": os.getloadavg()[0], "not_as_full_scan": wrong,
        "rows_ms": _spread([one.rows for one in times]), "datasets_ms": _spread([one.sets for one in times]),
        "rows_cpu_ms": _spread([one.rows_worked for one in times]), "datasets_cpu_ms": _spread([one.sets_worked for one in times]),
        "by_length": {
            f"{length}{'+' if length == 4 else ''}": {
                "rows_cpu_ms": _spread([one.rows_worked for one in times if min(len(one.query), 4) == length]),
                "datasets_cpu_ms": _spread([one.sets_worked for one in times if min(len(one.query), 4) == length]),
            }
            for length in lengths
        },
        "dearest": [
            f"{one.rows_worked:.0f} + {one.sets_worked:.0f} ms {one.query} ({entries_of[one.query]:,} entries)"
            for one in sorted(times, key=lambda one: one.rows_worked + one.sets_worked)[-8:]
        ],
        "mb": sizes,
    }  # fmt: skip


async def _publish_anew(server: Server, made: list[Entry]) -> float:
    """Seconds to write the largest dataset anew, with what it takes to forget it; taken back afterwards."""
    dataset = made[-1][0] if len(made) < 2 * PER_SET else made[len(made) // 2][0]
    some = [entry for entry in made if entry[0] == dataset]
    owner = await connect(server.dsn(OWNER))
    transaction: Any = owner.transaction()
    await transaction.start()
    started = time.perf_counter()
    await forget_entries(owner, dataset)
    await write_entries(owner, some)
    took = time.perf_counter() - started
    await transaction.rollback()
    await owner.close()
    return round(took, 2)


def _worked(backend: int) -> float:
    """Milliseconds of processor that this process and the connection's have used: what a busy machine does not change."""
    return time.process_time() * 1000 + int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e6


def _spread(some: list[float]) -> dict[str, float]:
    took = sorted(some)
    return {
        "p50": round(statistics.median(took), 2), "p95": round(took[int(len(took) * 0.95)], 2),
        "p99": round(took[int(len(took) * 0.99)], 2), "max": round(took[-1], 2),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.rows, arguments.queries, arguments.data, arguments.out))
