"""`dizuo load`: take a folder of departments' deliveries into the registers."""

from __future__ import annotations

import argparse
import asyncio

from dizuo.commands import building, progress
from dizuo.commands.database import opened
from dizuo.engines import lake
from dizuo.foundation.blueprint import load_city


def run(arguments: argparse.Namespace) -> int:
    """Land, check, publish; say what was rejected and where its reasons are. 1 when a file was refused whole."""
    city = load_city(arguments.city)
    with progress.shown() as tell, opened(arguments.data.absolute(), lambda s: tell(s, 0, 0)) as database:
        asyncio.run(building.publish(database, city, tell))
        report = lake.load(database, city, arguments.folder, tell)
        asyncio.run(building.people(database, city, arguments.folder))
    for done in report.files:
        why = done.refused.message if done.refused is not None else ""
        print(
            f"{done.state:10} {done.file.department:10} {done.file.register:20} {done.file.rows:>9,} rows "
            f"{done.rejected:>7,} rejected {done.added:>9,} new {done.changed:>9,} changed  {why}"
        )
    return 1 if report.refused else 0
