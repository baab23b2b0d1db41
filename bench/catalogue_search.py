"""Search over a million entries: nothing missed against a full scan, and how long an answer takes.

.venv/bin/python bench/catalogue_search.py --rows 1000000      the claim of the README
.venv/bin/python bench/catalogue_search.py --rows 50000        a small try

Fills a database of its own with invented metadata and row texts in Chinese (from the city's real names of villages, towns and
items), indexes them as publishing does, and asks 300 queries of one to eight characters, pinyin and several words, drawn from
the texts and from thin air. For each: the hits in order against a full scan of every text (in Python, without any index), and
the time of ``find`` as the page calls it, one query at a time, after the first few have warmed the cache.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from dizuo.engines.opendata import find
from dizuo.engines.opendata.folding import entry_text, fold
from dizuo.engines.opendata.indexing import count_grams, write_entries
from dizuo.foundation.store import APP, OWNER, Server, connect, discover, migrate, open_pool

CITY = Path(__file__).resolve().parents[1] / "cities" / "wuxi"
WARM, QUERIES, PAGE = 20, 300, 50
_WORDS = (
    "人口 户籍 企业 行业 税收 社保 医保 养老 学校 学位 招生 医院 门诊 疫苗 公交 地铁 停车场 泊位 道路 桥梁 绿地 公园 河道 水质 空气 噪声 房产 预售 物业 消防 "
    "许可 处罚 信用 公示 预算 决算 采购 招标 年报 月报 统计 名录 清单 目录 坐标 边界 面积 数量 比例 时间 编号 名称 地址 电话 单位 部门"
)
WORDS = _WORDS.split()


def texts(rows: int, dice: random.Random) -> list[str]:
    """Invented texts of 20 to 60 characters around real names."""
    names: list[str] = []
    for file in ("villages", "towns"):
        with (CITY / "divisions" / f"{file}.csv").open(encoding="utf-8") as lines:
            names += [row["name"] for row in csv.DictReader(lines)]
    made: list[str] = []
    for n in range(rows):
        words = "".join(dice.sample(WORDS, dice.randint(2, 5)))
        made.append(f"无锡市{dice.choice(names)}{words}（{2000 + n % 27}年第{n % 97}号）{dice.choice(names)}")
    return made


def queries(folded: list[str], dice: random.Random) -> list[str]:
    """Parts of the texts of every length, two words at once, pinyin, and what is not there."""
    asked: list[str] = ["无锡", "市", "鼋头渚", "renkou", "zbrk", "没有这个词", "户籍 门诊", "2026年"]
    while len(asked) < QUERIES:
        text = dice.choice(folded).split("\n")[0]
        start = dice.randrange(len(text))
        piece = text[start : start + dice.randint(1, 8)].strip()
        other = dice.choice(WORDS)
        if piece:
            asked.append(f"{piece} {other}" if len(asked) % 10 == 0 else piece)
    return asked


async def run(rows: int, out: Path | None) -> None:
    dice = random.Random(20261123)
    with tempfile.TemporaryDirectory(prefix="dizuo-bench-") as folder:
        server = Server.start(Path(folder))
        try:
            await _measure(server, rows, dice, out)
        finally:
            server.close()


async def _measure(server: Server, rows: int, dice: random.Random, out: Path | None) -> None:
    await migrate(server, discover())
    owner = await connect(server.dsn(OWNER))
    started = time.perf_counter()
    said = texts(rows, dice)
    folded = [entry_text(text, sounding=text if n % 50 == 0 else "") for n, text in enumerate(said)]
    async with owner.transaction():
        await owner.execute(
            "INSERT INTO opendata.dataset (id, title, provider, open_type, cycle) VALUES ('bench', '演示数据', 'data', 'unconditional', 'daily')"
        )
    # As a first fill: the index is made when the entries are there.
    await owner.execute("DROP INDEX opendata.entry_grams")
    for at in range(0, rows, 50_000):
        async with owner.transaction():
            await write_entries(
                owner,
                [("bench", "row", said[n], str(n), folded[n]) for n in range(at, min(rows, at + 50_000))],
            )
    await owner.execute("SET maintenance_work_mem = '1GB'")
    await owner.execute(
        "CREATE INDEX entry_grams ON opendata.entry USING gin (grams) WITH (fastupdate = off)"
    )
    async with owner.transaction():
        await count_grams(owner)
    await owner.execute("VACUUM ANALYZE opendata.entry")
    filled = time.perf_counter() - started
    size = await owner.fetchval("SELECT pg_total_relation_size('opendata.entry')")
    await owner.close()
    pool = await open_pool(server.dsn(APP), min_size=1, max_size=2)
    took: list[float] = []
    wrong: list[str] = []
    for n, query in enumerate(queries(folded, dice)):
        started = time.perf_counter()
        got = await find(pool, query, "row", limit=PAGE)
        spent = time.perf_counter() - started
        if n >= WARM:
            took.append(spent * 1000)
        terms = fold(query).split()
        truth = [at for at, text in enumerate(folded) if all(term in text for term in terms)]
        if [int(hit.place) for hit in got.hits] != truth[:PAGE] or (got.exact and got.total != len(truth)):
            wrong.append(query)
    await pool.close()
    took.sort()
    told = {
        "rows": rows, "queries": len(took), "not_as_full_scan": wrong, "p50_ms": round(statistics.median(took), 2),
        "p95_ms": round(took[int(len(took) * 0.95)], 2), "p99_ms": round(took[int(len(took) * 0.99)], 2), "max_ms": round(took[-1], 2),
        "filled_s": round(filled, 1), "entry_table_mb": round(size / 1e6),
    }  # fmt: skip
    print(json.dumps(told, ensure_ascii=False, indent=1))
    if out is not None:
        out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.rows, arguments.out))
