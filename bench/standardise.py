"""How fast raw rows become standard rows, mentions, rejected and failing rows, on DuckDB.

    python bench/standardise.py FOLDER [--rows 1000000] [--sources hukou,social_insurance] [--memory 4GB] [--threads 2]

FOLDER is what `dizuo simulate` wrote. The first delivery of each source is read once to raw Parquet, its rows are
repeated under new keys up to ``--rows``, and the step is timed in a process of its own: wall time, rows a second, peak
memory, and CPU time, which says more on a machine that others use too. The rows are invented (演示数据).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import ibis

from dizuo.engines.lake.intake import read_file
from dizuo.engines.lake.standard import Outputs, Standards, open_engine, standardise
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SHANGHAI

WUXI = Path(__file__).resolve().parents[1] / "cities" / "wuxi"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--sources", default="hukou,social_insurance,real_estate,enterprises")
    asked.add_argument("--memory", default="4GB")
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument("--json", type=Path)
    asked.add_argument("--one", help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.one:
        print(json.dumps(_timed(options.one, options.folder, options.memory, options.threads)))
        return
    manifest = json.loads((options.folder / "manifest.json").read_text(encoding="utf-8"))
    first = {d["source"]: d for d in reversed(manifest["deliveries"]) if d["rows"]}
    figures: list[dict[str, object]] = []
    print(
        f"{'source':20} {'rows':>11} {'seconds':>8} {'rows/s':>9} {'CPU s':>7} {'peak MB':>8}  standard/rejected/mentions"
    )
    for source in options.sources.split(",") if options.sources != "all" else sorted(first):
        with tempfile.TemporaryDirectory() as scratch:
            raw = Path(scratch) / "raw.parquet"
            _many(source, options.folder / first[source]["path"], raw, options.rows)
            done = subprocess.run(
                [sys.executable, __file__, scratch, "--one", source, "--memory", options.memory, "--threads", str(options.threads)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
        figures.append(found)
        counts = f"{found['standard']:,}/{found['rejected']:,}/{found['mentions']:,}"
        print(
            f"{source:20} {found['rows']:11,} {found['seconds']:8.2f} {found['rows'] / found['seconds']:9,.0f}"
            f" {found['cpu_seconds']:7.2f} {found['peak_mb']:8,.0f}  {counts}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _many(source: str, delivered: Path, raw: Path, rows: int) -> None:
    declared = load_city(WUXI).sources[source]
    once = raw.with_name("once.parquet")
    read_file(
        delivered, declared, rows=once, rejected=raw.with_name("r.parquet"), now=dt.datetime.now(SHANGHAI)
    )
    engine = duckdb.connect()
    (count,) = engine.execute("SELECT count(*) FROM read_parquet(?)", [str(once)]).fetchone() or (0,)
    times = max(1, -(-rows // max(count, 1)))
    key = declared.row_key
    another = f"\"{key}\" || '-' || r" if declared.columns[key].as_ == "text" else f'"{key}"'
    engine.execute(
        f'COPY (SELECT * REPLACE (line + r * {count} AS line, {another} AS "{key}")'
        f" FROM read_parquet('{once}'), range({times}) AS again(r)) TO '{raw}' (FORMAT parquet, COMPRESSION zstd)"
    )


def _timed(source: str, folder: Path, memory: str, threads: int) -> dict[str, object]:
    city = load_city(WUXI)
    today = dt.datetime.now(SHANGHAI).date()
    standards = Standards.of(city, today)
    out = Outputs(folder / "s.parquet", folder / "m.parquet", folder / "r2.parquet", folder / "f.parquet")
    started = time.perf_counter()
    engine = open_engine(memory, threads, folder / "spill")
    told = standardise(folder / "raw.parquet", city.sources[source], standards, out, today, engine)
    seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "source": source, "rows": told.rows, "standard": told.standard, "rejected": told.rejected, "mentions": told.mentions,
        "seconds": round(seconds, 3), "cpu_seconds": round(used.ru_utime + used.ru_stime, 3), "peak_mb": used.ru_maxrss / 1024,
        "score": told.score.total, "ibis": ibis.__version__, "duckdb": duckdb.__version__,
    }  # fmt: skip


if __name__ == "__main__":
    main()
