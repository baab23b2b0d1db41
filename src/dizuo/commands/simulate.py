"""`dizuo simulate`: write invented departments' deliveries (演示数据) into a folder."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib

from dizuo.commands import progress
from dizuo.engines import lake
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.clock_source import SystemNow


def run(arguments: argparse.Namespace) -> int:
    """Write the deliveries of `--people` residents into `--out`: clean registers, or with `--sources` every source."""
    city = load_city(arguments.city)
    today = SystemNow()().date()
    if arguments.sources:
        # The last of the daily deliveries is today's, so that none comes from the future.
        return _sources(city, arguments, arguments.day or today - dt.timedelta(days=max(arguments.days, 0)))
    return _registers(city, arguments, arguments.day or today)


def _registers(city: City, arguments: argparse.Namespace, day: dt.date) -> int:
    with progress.shown() as tell:
        manifest = lake.simulate(city, arguments.out, arguments.people, arguments.seed, day, tell)
    print(
        f"{len(manifest.files)} deliveries, {sum(f.rows for f in manifest.files):,} rows in {arguments.out} (演示数据)"
    )
    return 0


def _sources(city: City, arguments: argparse.Namespace, day: dt.date) -> int:
    # Loaded by name, so that starting any other command does not load the columnar libraries.
    simulate_sources = importlib.import_module("dizuo.engines.lake.simulation").simulate_sources
    with progress.shown() as tell:
        manifest = simulate_sources(
            city, arguments.out, people=arguments.people, seed=arguments.seed, day=day,
            days=arguments.days, snapshots=arguments.snapshots, workers=arguments.workers, tell=tell,
        )  # fmt: skip
    rows = sum(file.rows for file in manifest.deliveries)
    mentions = sum(file.rows for file in manifest.truth)
    print(
        f"{len(manifest.deliveries)} deliveries, {rows:,} rows, {mentions:,} mentions in {arguments.out} (演示数据)"
    )
    return 0
