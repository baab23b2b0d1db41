"""`dizuo simulate`: write invented departments' deliveries (演示数据) into a folder."""

from __future__ import annotations

import argparse

from dizuo.commands import progress
from dizuo.engines import lake
from dizuo.foundation.blueprint import load_city
from dizuo.foundation.kernel.clock_source import SystemNow


def run(arguments: argparse.Namespace) -> int:
    """Write the deliveries of `--people` residents into `--out`."""
    city = load_city(arguments.city)
    with progress.shown() as tell:
        manifest = lake.simulate(
            city, arguments.out, arguments.people, arguments.seed, SystemNow()().date(), tell
        )
    print(
        f"{len(manifest.files)} deliveries, {sum(f.rows for f in manifest.files):,} rows in {arguments.out} (演示数据)"
    )
    return 0
