"""`dizuo simulate`: write invented departments' deliveries (演示数据) into a folder."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib

from dizuo.commands import progress
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow


def run(arguments: argparse.Namespace) -> int:
    """Write what every declared source delivers about `--people` residents into `--out`, with the truth about them."""
    city = load_city(arguments.city)
    # The last of the daily deliveries is today's, so that none comes from the future.
    day = arguments.day or SystemNow()().date() - dt.timedelta(days=max(arguments.days, 0))
    # Loaded by name, so that starting any other command does not load the columnar libraries.
    simulate_sources = importlib.import_module("dizuo.engines.lake.simulation").simulate_sources
    with progress.shown() as tell:
        manifest = simulate_sources(
            city, arguments.out, people=arguments.people, seed=arguments.seed, day=day, days=arguments.days,
            snapshots=arguments.snapshots, workers=arguments.workers, cast=arguments.cast, tell=tell,
        )  # fmt: skip
    rows = sum(file.rows for file in manifest.deliveries)
    mentions = sum(file.rows for file in manifest.truth)
    print(
        f"{len(manifest.deliveries)} deliveries, {rows:,} rows, {mentions:,} mentions in {arguments.out} (演示数据)"
    )
    return 0
