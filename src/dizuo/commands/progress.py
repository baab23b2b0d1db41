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
            if step not in tasks:
                for earlier in tasks.values():
                    if not progress.tasks[earlier].finished:
                        progress.update(earlier, total=1, completed=1)
                tasks[step] = progress.add_task(step, total=total or None, count="")
            count = f"{done:,}/{total:,}" if total else ""
            progress.update(tasks[step], completed=done, total=total or None, count=count)

        yield tell
        for task in tasks.values():
            progress.update(task, total=1, completed=1)


def _lines(quiet: bool) -> Tell:
    told: set[str] = set()

    def tell(step: str, done: int, total: int) -> None:
        if not quiet and step not in told:
            told.add(step)
            print(f"… {step}" + (f" ({total:,})" if total else ""), file=sys.stderr, flush=True)

    return tell
