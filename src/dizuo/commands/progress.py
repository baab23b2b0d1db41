"""Progress bars for whoever watches, one plain line a step for whoever does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from dizuo.commands.building import Tell


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Tell]:
    """A function to tell progress with: a bar for each step, finished when the next begins."""
    if quiet or not sys.stderr.isatty():
        yield _lines(quiet)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            # "load X (police)" and "load Y (civil affairs)" are one bar whose text changes
            family = step.partition(" ")[0]
            if family not in tasks:
                for earlier in tasks.values():
                    if not progress.tasks[earlier].finished:
                        progress.update(earlier, total=1, completed=1)
                tasks[family] = progress.add_task(step, total=total or None, count="")
            count = f"{done:,}/{total:,}" if total else ""
            progress.update(tasks[family], description=step, completed=done, total=total or None, count=count)

        yield tell
        for task in tasks.values():
            progress.update(task, total=1, completed=1)


def _lines(quiet: bool) -> Tell:
    told: set[str] = set()

    def tell(step: str, done: int, total: int) -> None:
        family = step.partition(" ")[0]
        if not quiet and family not in told:
            told.add(family)
            print(f"… {family}" + (f" ({total:,})" if total else ""), file=sys.stderr, flush=True)

    return tell
