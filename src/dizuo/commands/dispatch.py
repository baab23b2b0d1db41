"""`dizuo dispatch`: push granted changes to departments' systems, beside a base that is up (`dizuo up`)."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from dizuo.foundation.kernel.errors import NotFound
from dizuo.settings import RUNTIME


class NothingRunsHere(NotFound):
    """{data} 里没有正在运行的底座。"""

    fix = "请先运行 dizuo up --data {data}，再在另一个终端运行 dizuo dispatch。"


def run(arguments: argparse.Namespace) -> int:
    """Push until told to stop. Errors: NothingRunsHere."""
    data: Path = arguments.data.absolute()
    runtime = data / "runtime.json"
    if not runtime.exists():
        raise NothingRunsHere(data=data)
    os.environ[RUNTIME] = str(runtime)
    # Loaded here, so that the other commands start without the engines.
    from dizuo import dispatcher

    print("Pushing granted changes. Ctrl-C stops; nothing that waits is lost.", flush=True)
    asyncio.run(dispatcher.main(arguments.places))
    return 0
