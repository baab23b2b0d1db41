"""`dizuo load`: take a folder of simulated deliveries through the lake into the registers (演示数据)."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from pathlib import Path
from typing import Any

from dizuo.commands import building, progress
from dizuo.commands.database import opened
from dizuo.foundation.blueprint import load_city


def run(arguments: argparse.Namespace) -> int:
    """Receive, standardise, link, publish; say what became of every delivery. 1 when one waits for people."""
    city = load_city(arguments.city)
    data: Path = arguments.data.absolute()
    demonstrate: Any = importlib.import_module("dizuo.engines.lake.demonstrate")
    with progress.shown() as tell, opened(data, lambda s: tell(s, 0, 0)) as database:
        asyncio.run(building.publish(database, city, tell, data))
        ran = asyncio.run(demonstrate.taken(database, city, data, arguments.folder, tell=tell))
        asyncio.run(building.people(database, city, data, arguments.folder))
    waiting = 0
    for one in ran.deliveries.values():
        waiting += one.state in ("held", "refused")
        print(
            f"{one.state:10} {one.source:20} {one.rows_in:>9,} rows {one.rows_rejected:>7,} rejected {one.rows_held:>7,} held"
            f"  {one.why_says or ''}"
        )
    return 1 if waiting else 0
