"""How fast the catalogue is written: ``python bench/dcat.py [--datasets 10000]``. Invented datasets, no database, no HTTP.

For each form: seconds, megabytes, megabytes a second, and the most memory that the writing held beyond the program itself.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
import tracemalloc
from collections.abc import Iterator

from dizuo.engines.opendata import dcat
from dizuo.engines.opendata.model import Column, DatasetSeen

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.timezone(dt.timedelta(hours=8)))
PLACE = dcat.Place(
    base="https://data.city.example/open",
    city=dcat.Said("无锡市", "Wuxi"),
    organisations={f"office-{n}": (f"演示单位 {n}", "") for n in range(40)},
    themes={"transport": "交通出行"},
    contact="12345",
    laws=(("https://data.city.example/open/laws/data", "公共数据管理办法"),),
)
FORMATS = ("csv", "xlsx", "json", "jsonl", "parquet", "geojson")


def seen(n: int) -> DatasetSeen:
    """An invented dataset (演示数据) with six downloads."""
    return DatasetSeen(
        id=f"set-{n}", origin="declared", title=f"公共停车场 {n}", title_en=f"Car parks {n}", abstract="每处的位置和车位数。" * 10,
        abstract_en="", provider=f"office-{n % 40}", theme="transport", open_type="unconditional", condition="", condition_en="",
        cycle="monthly", licence="cc-by-4.0", spatial="", temporal="", also=("停车", "车位"), columns=(Column("a", "甲"),),
        formats=FORMATS, shapes=n % 5 == 0, made={}, state="published", version=3, extras={}, first_published=NOW, updated_at=NOW,
        changed_at=NOW, rows=1000, report=n,
    )  # fmt: skip


def pieces(kind: str, count: int) -> Iterator[str]:
    """The document of so many datasets, piece by piece."""
    catalogue = dcat.told_catalogue(PLACE, NOW)
    datasets = (dcat.told_dataset(PLACE, seen(n)) for n in range(count))
    return dcat.written(dcat.FORMS[kind], dcat.Teller().document(catalogue, datasets))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--datasets", type=int, default=10_000)
    count = asked.parse_args().datasets
    print(
        f"{'form':8} {'seconds':>8} {'MB':>8} {'MB/s':>8} {'peak MB':>8}   ({count:,} datasets, {count * len(FORMATS):,} distributions)"
    )
    for kind in dcat.FORMS:
        started = time.perf_counter()
        size = sum(len(piece.encode()) for piece in pieces(kind, count))
        took = time.perf_counter() - started
        tracemalloc.start()  # apart from the timing: it makes everything some ten times slower
        for _ in pieces(kind, min(count, 1_000)):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{kind:8} {took:8.2f} {size / 1e6:8.1f} {size / 1e6 / took:8.1f} {peak / 1e6:8.2f}")


if __name__ == "__main__":
    main()
